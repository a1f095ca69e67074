"""Runs side by side: what differs, what came of them, and curves over one axis."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from studio.errors import UserError
from studio.library.compare import ABSENT, Axis, curve_names, differences, final_numbers, late_mean, read_runs
from tests.library.made_runs import make_config, make_run, record_evaluation


@pytest.fixture
def pair(tmp_path: Path) -> list[Path]:
    """A tilted run of 100 steps and an untilted one of 200."""
    tilted = make_run(tmp_path, "a", make_config("tilted", offsets={"2": -1.36}), steps=100)
    record_evaluation(tilted, 100, 0.03, 12.0)
    plain = make_run(tmp_path, "b", make_config("plain", "wgan_gp"), steps=200)
    return [tilted, plain]


def test_that_only_settings_that_differ_are_listed(pair: list[Path]) -> None:
    rows = {row.title: row.cells for row in differences(read_runs(pair))}
    assert rows["name"] == ("tilted", "plain")
    assert rows["model.kind"] == ("vae", "wgan_gp")
    assert rows["perturbation.offsets.2"] == ("-1.36", ABSENT)
    assert "seed" not in rows
    assert rows["model.critic_steps"][0] == ABSENT


def test_that_final_numbers_are_those_of_the_list_and_late_means(pair: list[Path]) -> None:
    rows = {row.title: row.cells for row in final_numbers(read_runs(pair))}
    assert rows["Steps"] == ("100", "200")
    assert rows["Share error TV"] == ("0.03", ABSENT)
    assert rows["Fréchet distance"] == ("12", ABSENT)
    assert rows["Negative ELBO"] == ("1", "0.5132")  # the mean of 100/190 and 100/200


def test_that_a_distance_is_compared_with_its_step_where_that_is_not_the_last(pair: list[Path]) -> None:
    record_evaluation(pair[1], 60, 0.476, 30.0)
    rows = {row.title: row.cells for row in final_numbers(read_runs(pair))}
    assert rows["Share error TV"] == ("0.03", "0.476 (step 60)")
    assert rows["Fréchet distance"] == ("12", "30 (step 60)")


def test_that_curves_stand_over_steps_examples_and_time(pair: list[Path]) -> None:
    first, second = read_runs(pair)
    assert curve_names([first, second]) == ["tv", "loss_autoencoder", "epoch"]
    assert first.curve("loss_autoencoder", Axis.STEP)[0][-1] == 100
    assert second.curve("loss_autoencoder", Axis.TIME)[0][-1] == 4.0
    assert second.curve("loss_autoencoder", Axis.EXAMPLES)[0][-1] == pytest.approx(64 * 200)


def test_that_a_tenth_of_a_curve_counts_and_no_nan() -> None:
    assert late_mean(np.array([9.0] * 90 + [1.0, np.nan] * 5)) == 1.0
    assert late_mean(np.array([np.nan])) is None
    assert late_mean(None) is None


@pytest.mark.parametrize("count", [0, 1, 9])
def test_that_too_few_and_too_many_are_refused(count: int, pair: list[Path]) -> None:
    with pytest.raises(UserError, match="two to 8"):
        read_runs((pair * 5)[:count])


def test_that_a_damaged_run_is_named(pair: list[Path]) -> None:
    (pair[1] / "summary.json").write_text("{")
    with pytest.raises(UserError, match="damaged"):
        read_runs(pair)
