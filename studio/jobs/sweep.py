"""Sweeps: one configuration with several values of some settings, every combination a run.

A sweep is a JSON file:

    {
      "config": "mnist-twos-30",                                   a preset, or a configuration file beside this one
      "set": {"batch.average_size": 32},                           for all runs
      "grid": {"perturbation.offsets.2": [-1, -2], "seed": [0, 1]},   every combination is a run
      "list": [{"model.kind": "vae"}, {"model.kind": "gan"}],      each entry is combined with the grid
      "steps": 2000                                                or "minutes"
    }
"""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from studio.errors import UserError
from studio.records import read_json
from studio.training.config.assignments import with_settings
from studio.training.config.presets import config_or_preset
from studio.training.config.run_config import RunConfig, StopCondition
from studio.training.config.sweep_mark import MOST_RUNS, SweepMark, title_of
from studio.training.storage.data_paths import made_absolute
from studio.training.storage.run_folder import safe_name

_KEYS = {"config", "set", "grid", "list", "steps", "minutes"}
_HINT = "`studio sweep --help` shows an example."


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One run of a sweep: what is its own, by setting, and the whole configuration."""

    values: Mapping[str, Any]
    config: RunConfig

    @property
    def title(self) -> str:
        """Its own values, as they tell it from the others."""
        return title_of(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sweep:
    """All runs of a sweep, in their order, and when each is complete."""

    points: tuple[Point, ...]
    limit: StopCondition

    def marks(self, title: str) -> tuple[SweepMark, ...]:
        """What tells each run's folder its place; the sweep gets a name that no other has."""
        name = f"{safe_name(title)}_{datetime.now():%Y-%m-%d_%H-%M-%S-%f}"
        return tuple(
            SweepMark(
                sweep=name,
                title=title[:200],
                number=number,
                count=len(self.points),
                settings=self.settings,
                values=point.values,
            )
            for number, point in enumerate(self.points, 1)
        )

    @property
    def settings(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(path for point in self.points for path in point.values))


def read_sweep(path: Path) -> Sweep:
    """Open a sweep; raises UserError if it cannot be read, has too many runs, or a configuration has a fault."""
    raw = read_json(path, "sweep")
    if not isinstance(raw, dict) or not isinstance(raw.get("config"), str):
        raise _fault(path, "it names no “config”")
    if unknown := sorted(set(raw) - _KEYS):
        raise _fault(path, f"“{unknown[0]}” is no part of a sweep")
    grid, rows, common = _grid(raw, path), raw.get("list", [{}]), raw.get("set", {})
    if not isinstance(common, dict) or not _are_rows(rows):
        raise _fault(path, "“set” must be an object and “list” a list of objects, with settings as keys")
    number = len(rows) * math.prod(map(len, grid.values()))
    if number > MOST_RUNS:
        raise _fault(path, f"it has {number:,} runs; at most {MOST_RUNS:,} are possible")
    base = with_settings(_base(raw["config"], path), _assignments(common))
    return Sweep(points=combined(base, rows, grid), limit=_limit(raw, path))


def combined(
    base: RunConfig, rows: Sequence[Mapping[str, Any]], grid: Mapping[str, Sequence[Any]]
) -> tuple[Point, ...]:
    """Each of the rows, values by dotted path, on a base, with every combination of the grid, several values by dotted
    path.

    Raises UserError if a configuration has a fault.
    """
    points = []
    for row, values in itertools.product(rows, itertools.product(*grid.values())):
        own = dict(row) | dict(zip(grid, values, strict=True))
        points.append(Point(values=own, config=made_absolute(with_settings(base, _assignments(own)))))
    return tuple(points)


def _grid(raw: Mapping[str, Any], path: Path) -> dict[str, list[Any]]:
    grid = raw.get("grid", {})
    if not isinstance(grid, dict) or not all(isinstance(values, list) and values for values in grid.values()):
        raise _fault(path, "“grid” must give a list of values for each setting")
    return grid


def _are_rows(rows: Any) -> bool:
    return isinstance(rows, list) and bool(rows) and all(isinstance(row, dict) for row in rows)


def _base(name: str, path: Path) -> RunConfig:
    beside = path.parent / name
    return config_or_preset(str(beside) if beside.is_file() else name)


def _limit(raw: Mapping[str, Any], path: Path) -> StopCondition:
    steps, minutes = raw.get("steps"), raw.get("minutes")
    if (steps is None) == (minutes is None):
        raise _fault(path, "it must say either “steps” or “minutes”")
    if steps is not None and (type(steps) is not int or steps < 1):
        raise _fault(path, "“steps” must be a whole number above 0")
    if minutes is not None and not (isinstance(minutes, int | float) and 0 < minutes < math.inf):
        raise _fault(path, "“minutes” must be a number above 0")
    return StopCondition(steps=steps, seconds=60 * float(minutes) if minutes is not None else None)


def _assignments(values: Mapping[str, Any]) -> Sequence[str]:
    return [f"{path}={json.dumps(value)}" for path, value in values.items()]


def _fault(path: Path, what: str) -> UserError:
    return UserError("This is not a sweep", f"{path}: {what}.", _HINT)
