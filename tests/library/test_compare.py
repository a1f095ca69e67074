"""Runs side by side: what differs, what came of them, and curves over one axis."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest

from studio.errors import UserError
from studio.library.compare import (
    ABSENT,
    Axis,
    curve_names,
    differences,
    final_numbers,
    late_mean,
    named_differences,
    read_runs,
    repeats,
)
from studio.library.index import RunIndex
from studio.library.run_summary import summary_of
from studio.training.messages.events import Logged
from studio.training.storage.metrics import Metrics, append_metrics
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


def test_that_the_window_calls_them_as_it_does_elsewhere(pair: list[Path]) -> None:
    rows = {row.title: row.cells for row in named_differences(read_runs(pair))}
    assert rows["ΔH(2)"] == ("−1.36", ABSENT)
    assert rows["Optimiser (autoencoder optimiser)"] == ("Adam", ABSENT)
    assert rows["Draw pixels"] == ("off", ABSENT)
    assert rows["Rate halves after (critic optimiser)"] == (ABSENT, "0")
    assert not {"Model", "model.kind"} & rows.keys(), "which is among the numbers"


def test_that_final_numbers_are_those_of_the_list_and_late_means(pair: list[Path]) -> None:
    rows = {row.title: row.cells for row in final_numbers(read_runs(pair))}
    assert rows["Steps"] == ("100", "200")
    assert rows["Share error TV"] == ("0.03", ABSENT)
    assert rows["Fréchet distance"] == ("12", ABSENT)
    assert rows["Negative ELBO or Autoencoder loss"] == ("1", "0.5132")  # the mean of 100/190 and 100/200


def test_that_a_distance_is_compared_with_its_step_where_that_is_not_the_last(pair: list[Path]) -> None:
    record_evaluation(pair[1], 60, 0.476, 30.0)
    rows = {row.title: row.cells for row in final_numbers(read_runs(pair))}
    assert rows["Share error TV"] == ("0.03", "0.476 (step 60)")
    assert rows["Fréchet distance"] == ("12", "30 (step 60)")


def test_that_the_share_error_of_points_stands_there_once_as_it_was_measured_last(pair: list[Path]) -> None:
    for run in pair:
        errors = [Logged(step=step, seconds=step, values={"plane_tv": step / 1000}) for step in range(300, 320)]
        append_metrics(run, errors)
    rows = final_numbers(read_runs([pair[1], pair[1]]))
    assert [row.cells[0] for row in rows if row.title == "Share error TV"] == ["0.319"]


def test_that_errors_of_other_numbers_of_samples_say_of_how_many(pair: list[Path]) -> None:
    record_evaluation(pair[1], 200, 0.05, 30.0)
    assert "Samples judged" not in [row.title for row in final_numbers(read_runs(pair))]
    with closing(sqlite3.connect(pair[1] / "metrics.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE evaluation SET record = json_set(record, '$.count', 200)")
    rows = {row.title: row.cells for row in final_numbers(read_runs(pair))}
    assert rows["Samples judged"] == ("1,000", "200")


def test_that_curves_stand_over_steps_examples_and_time(pair: list[Path]) -> None:
    first, second = read_runs(pair)
    assert curve_names([first, second]) == ["tv", "loss_autoencoder", "epoch"]
    assert first.curve("loss_autoencoder", Axis.STEP)[0][-1] == 100
    assert second.curve("loss_autoencoder", Axis.TIME)[0][-1] == 4.0
    assert second.curve("loss_autoencoder", Axis.EXAMPLES)[0][-1] == pytest.approx(64 * 200)


def test_that_a_tenth_of_a_curve_counts_and_no_nan() -> None:
    steps = np.arange(100.0)
    columns = {"loss": np.array([9.0] * 90 + [1.0, np.nan] * 5), "never": np.full(100, np.nan)}
    metrics = Metrics(steps=steps, seconds=steps, columns=columns)
    assert late_mean(metrics, "loss", 0) == 1.0
    assert late_mean(metrics, "never", 0) is None
    assert late_mean(metrics, "other", 0) is None


def retarget(run: Path, *offsets: tuple[int, float]) -> None:
    """Note that ΔH of class 2 was edited at these steps, from −1 on; the last one is the target that it ended with."""
    targets = [(0, -1.0), *offsets]
    noted = [
        {"step": step, "revision": revision, "offsets": {"2": offset}}
        for revision, (step, offset) in enumerate(targets)
    ]
    summary = json.loads((run / "summary.json").read_text()) | {"began_with": noted[0], "edits": noted[1:]}
    summary |= {"revision": len(offsets)}
    summary["config"]["perturbation"]["offsets"] = {"2": targets[-1][1]}
    (run / "summary.json").write_text(json.dumps(summary))


def test_that_a_mean_leaves_out_what_another_target_gave(pair: list[Path]) -> None:
    retarget(pair[1], (190, -2.0))
    rows = {row.title: row.cells for row in final_numbers(read_runs(pair))}
    assert rows["Negative ELBO or Autoencoder loss"] == ("1", "0.5")  # 100/200 alone, of this target
    retarget(pair[1], (190, -2.0), (200, -3.0))
    rows = {row.title: row.cells for row in final_numbers(read_runs(pair))}
    assert rows["Negative ELBO or Autoencoder loss"] == ("1", ABSENT)


def test_that_distances_of_another_target_say_so(pair: list[Path]) -> None:
    record_evaluation(pair[1], 200, 0.476, 30.0)
    for edits, said in (
        ((), "0.476"),
        (((0, -1.0),), "0.476"),  # edited to what it was
        (((200, -2.0),), "0.476 (another target)"),
        (((200, -2.0), (200, -1.0)), "0.476"),  # and back
    ):
        retarget(pair[1], *edits)
        rows = {row.title: row.cells for row in final_numbers(read_runs(pair))}
        assert rows["Share error TV"][1] == said
    RunIndex(pair[1].parent).refresh()
    assert [entry.other_target for entry in RunIndex(pair[1].parent).entries()] == [False, False]
    retarget(pair[1], (200, -2.0))
    RunIndex(pair[1].parent).refresh()
    kept = {entry.folder: entry.measured_at for entry in RunIndex(pair[1].parent).entries()}
    assert kept == {"a": "", "b": " (another target)"}


def test_that_distances_by_another_judge_say_so(pair: list[Path]) -> None:
    with closing(sqlite3.connect(pair[0] / "metrics.sqlite", isolation_level=None)) as connection:
        connection.execute("UPDATE evaluation SET record = json_set(record, '$.judge', 'MNIST')")
    rows = {row.title: row.cells for row in final_numbers(read_runs(pair))}
    assert rows["Share error TV"][0] == "0.03 (judge of MNIST)"
    for step in (60, 80):
        record_evaluation(pair[0], step, 0.2, 12.0)
    steps, errors = read_runs(pair)[0].curve("tv", Axis.STEP)
    assert (steps.tolist(), errors.tolist()) == ([60, 80], [0.2, 0.2]), "a curve is by one judge"
    RunIndex(pair[0].parent).refresh()
    assert {entry.measured_by for entry in RunIndex(pair[0].parent).entries()} == {"MNIST", ""}


def test_that_a_share_error_on_the_plane_is_of_the_target_by_which_its_step_was_taken(tmp_path: Path) -> None:
    run = make_run(tmp_path, "a")
    append_metrics(run, [Logged(step=step, seconds=3.0, values={"plane_tv": 0.25}) for step in (110, 120)], back_to=100)
    for step, said in ((109, " (step 110)"), (110, " (step 110, another target)")):
        retarget(run, (step, -2.0))
        assert summary_of(run).measured_at == said


def test_that_runs_of_one_name_are_told_apart(tmp_path: Path) -> None:
    runs = [make_run(tmp_path / root, name) for root, name in (("x", "a"), ("x", "b"), ("y", "b"))]
    names = [run.name for run in read_runs([*runs, make_run(tmp_path, "c", make_config("other"))])]
    called = summary_of(runs[0]).name
    assert names == [f"{called} (a)", f"{called} ({runs[1]})", f"{called} ({runs[2]})", "other"]


def test_that_a_curve_has_the_name_of_every_model_that_has_it(tmp_path: Path) -> None:
    runs = [make_run(tmp_path, kind, make_config(kind, kind)) for kind in ("vae", "autoencoder", "hierarchical_vae")]
    assert [row.title for row in final_numbers(read_runs(runs))][-1] == "Negative ELBO or Loss"
    assert [row.title for row in final_numbers(read_runs(runs[::2]))][-1] == "Negative ELBO"


def test_that_seeds_are_runs_with_one_history_and_the_same_data(tmp_path: Path) -> None:
    runs = [make_run(tmp_path, name) for name in "abcd"]
    retarget(runs[0], (50, -2.0))
    for run in runs[1:]:
        retarget(run, (0, -2.0))
    summary = json.loads((runs[3] / "summary.json").read_text())
    (runs[3] / "summary.json").write_text(json.dumps(summary | {"data": {"data": "other", "classes": {}}}))
    found = read_runs(runs)
    assert repeats(found) == [[0], [1, 2], [3]]
    rows = {row.title: row.cells for row in differences(found)}
    assert rows["target edited at step"] == ("50", "0", "0", "0")
    assert rows["data, fingerprint"] == (ABSENT, ABSENT, ABSENT, "other")


@pytest.mark.parametrize("count", [0, 1, 9])
def test_that_too_few_and_too_many_are_refused(count: int, pair: list[Path]) -> None:
    with pytest.raises(UserError, match="two to 8"):
        read_runs((pair * 5)[:count])


def test_that_a_damaged_run_is_named(pair: list[Path]) -> None:
    (pair[1] / "summary.json").write_text("{")
    with pytest.raises(UserError, match="damaged"):
        read_runs(pair)
