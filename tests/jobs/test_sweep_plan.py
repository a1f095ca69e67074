"""What a sweep that a person puts together comes to."""

from __future__ import annotations

from typing import Any

import pytest

from studio.errors import UserError
from studio.jobs.sweep_plan import Combination, SweepPlan, Varied
from studio.training.config.run_config import RunConfig, StopCondition

OFFSETS = Varied(path="perturbation.offsets.2", values=(-2.0, -1.0))
SIZES = Varied(path="batch.average_size", values=(16.0, 32.0, 64.0))


def plan(*varied: Varied, **fields: Any) -> SweepPlan:
    return SweepPlan(base=RunConfig(seed=7), varied=varied, limit=StopCondition(steps=5), **fields)


def test_that_every_combination_is_a_run_for_each_seed() -> None:
    made = plan(OFFSETS, SIZES, seeds=2)
    sweep = made.sweep()
    assert made.count() == len(sweep.points) == 12
    first, second = (point.config for point in sweep.points[:2])
    assert (first.perturbation.offsets["2"], first.batch.average_size, first.seed, second.seed) == (-2.0, 16.0, 7, 8)
    assert [dict(point.values) for point in sweep.points[:3]] == made.first(3)
    assert sweep.limit == StopCondition(steps=5)


def test_that_values_side_by_side_are_taken_one_by_one() -> None:
    sizes = Varied(path=SIZES.path, values=(16.0, 32.0))
    points = plan(OFFSETS, sizes, combination=Combination.LIST).sweep().points
    assert [tuple(point.values.values()) for point in points] == [(-2.0, 16.0), (-1.0, 32.0)]


@pytest.mark.parametrize(
    ("made", "told", "field"),
    [
        (plan(), "Nothing varies yet", ""),
        (plan(Varied(path="seed", values=(1, 2)), seeds=2), "varies twice", "seeds"),
        (plan(OFFSETS, SIZES, combination=Combination.LIST), "There are 2, 3", "combination"),
        (plan(Varied(path="seed", values=tuple(range(501))), OFFSETS), "1,002 runs", ""),
    ],
)
def test_that_what_is_no_sweep_is_told(made: SweepPlan, told: str, field: str) -> None:
    with pytest.raises(UserError, match=told) as caught:
        made.sweep()
    assert caught.value.field == field


def test_that_seeds_alone_are_a_sweep() -> None:
    assert [point.title for point in plan(seeds=2).sweep().points] == ["seed=7", "seed=8"]


def test_that_settings_that_do_not_go_together_are_told() -> None:
    both = (Varied(path="model.kind", values=("vae", "rbm")), Varied(path="model.beta", values=(1.0,)))
    with pytest.raises(UserError, match="beta"):
        plan(*both).sweep()
