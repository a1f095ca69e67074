"""Which runs a sweep is, and what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.errors import UserError
from studio.jobs.sweep import read_sweep
from studio.training.config.run_config import StopCondition


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
    assert sweep.points[3].title == "ΔH(2)=-2.5, seed=0"
    assert sweep.limit == StopCondition(steps=10)


def test_that_each_run_is_told_its_place(tmp_path: Path) -> None:
    sweep = read_sweep(sweep_file(tmp_path, grid={"perturbation.offsets.a.b": [0.5], "seed": [0, 1]}))
    marks = sweep.marks("my sweep/1")
    assert [(mark.number, mark.count, mark.values["seed"]) for mark in marks] == [(1, 2, 0), (2, 2, 1)]
    assert {mark.title for mark in marks} == {"my sweep/1"}
    assert marks[0].sweep == marks[1].sweep
    assert "/" not in marks[0].sweep
    assert marks[0].settings == ("perturbation.offsets.a.b", "seed")
    assert sweep.points[0].title == "ΔH(a.b)=0.5, seed=0"


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
