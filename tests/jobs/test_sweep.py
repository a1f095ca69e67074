"""Which runs a sweep is, from a file or put together by a person, and what it refuses."""

import json
from pathlib import Path
from typing import Any

import pytest

from studio.errors import UserError
from studio.jobs.sweep import read_sweep
from studio.jobs.sweep_plan import Combination, SweepPlan, Varied
from studio.training.config.run_config import RunConfig, StopCondition


def sweep_file(folder: Path, **fields: Any) -> Path:
    path = folder / "sweep.json"
    path.write_text(json.dumps({"config": "digits-vae", "steps": 10} | fields))
    return path


def test_that_a_grid_is_every_combination(tmp_path: Path) -> None:
    path = sweep_file(tmp_path, grid={"perturbation.offsets.2": [-1, -2.5], "seed": [0, 1, 2]})
    sweep = read_sweep(path)
    offsets = [(point.config.perturbation.offsets["2"], point.config.seed) for point in sweep.points]
    assert offsets == [(-1, 0), (-1, 1), (-1, 2), (-2.5, 0), (-2.5, 1), (-2.5, 2)]
    assert sweep.settings == ("perturbation.offsets.2", "seed")
    assert sweep.points[3].title == "ΔH(2)=-2.5, Seed=0"
    assert sweep.limit == StopCondition(steps=10)


def test_that_each_run_is_told_its_place(tmp_path: Path) -> None:
    sweep = read_sweep(sweep_file(tmp_path, grid={"perturbation.offsets.a.b": [0.5], "seed": [0, 1]}))
    marks = sweep.marks("my sweep/1")
    assert [(mark.number, mark.count, mark.values["seed"]) for mark in marks] == [(1, 2, 0), (2, 2, 1)]
    assert {mark.title for mark in marks} == {"my sweep/1"}
    assert marks[0].sweep == marks[1].sweep
    assert marks[0].sweep != sweep.marks("my sweep/1")[0].sweep, "queued again within the second"
    assert "/" not in marks[0].sweep
    assert marks[0].settings == ("perturbation.offsets.a.b", "seed")
    assert sweep.points[0].title == "ΔH(a.b)=0.5, Seed=0"


def test_that_a_list_is_combined_with_the_grid_and_all_share_what_is_set(tmp_path: Path) -> None:
    rows = [{"model.kind": "vae"}, {"model.kind": "gan"}]
    path = sweep_file(tmp_path, list=rows, grid={"seed": [0, 1]}, set={"batch.average_size": 32})
    points = read_sweep(path).points
    kinds = [(point.config.model.kind, point.config.seed) for point in points]
    assert kinds == [("vae", 0), ("vae", 1), ("gan", 0), ("gan", 1)]
    assert {point.config.batch.average_size for point in points} == {32}


def test_that_a_configuration_beside_the_sweep_is_taken(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps({"schema_version": 1, "name": "mine", "seed": 5}))
    (point,) = read_sweep(sweep_file(tmp_path, config="mine.json")).points
    assert (point.config.name, point.config.seed) == ("mine", 5)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"config": 3}, "names no “config”"),
        ({"config": "no-such-preset"}, "no-such-preset"),
        ({"grid": {"seed": 1}}, "list of values"),
        ({"grid": {"seed": []}}, "list of values"),
        ({"grid": {"seed": list(range(2000))}}, "2,000 runs"),
        ({"grid": {"sede": [1]}}, "sede"),
        ({"list": []}, "list of objects"),
        ({"set": [1]}, "list of objects"),
        ({"minutes": 1}, "either “steps” or “minutes”"),
        ({"steps": 0}, "whole number"),
        ({"steps": None, "minutes": -1}, "above 0"),
        ({"gird": {}}, "“gird”"),
    ],
)
def test_that_a_fault_is_told(tmp_path: Path, fields: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told):
        read_sweep(sweep_file(tmp_path, **fields))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000])
def test_that_what_is_no_sweep_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "sweep.json").write_text(text)
    with pytest.raises(UserError):
        read_sweep(tmp_path / "sweep.json")


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
    assert [point.title for point in plan(seeds=2).sweep().points] == ["Seed=7", "Seed=8"]


def test_that_settings_that_do_not_go_together_are_told() -> None:
    both = (Varied(path="model.kind", values=("vae", "rbm")), Varied(path="model.beta", values=(1.0,)))
    with pytest.raises(UserError, match="beta"):
        plan(*both).sweep()
