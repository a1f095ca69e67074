"""A sweep as a person puts it together: which settings vary, how their values combine, and how many seeds each."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from studio.errors import UserError
from studio.jobs.sweep import Sweep, combined
from studio.training.config.run_config import RunConfig, StopCondition
from studio.training.config.sweep_mark import MOST_RUNS

SEED = "seed"


class Combination(StrEnum):
    """How the values of several settings make runs."""

    GRID = "grid"
    LIST = "list"

    @property
    def label(self) -> str:
        return {Combination.GRID: "Every combination", Combination.LIST: "Side by side"}[self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Varied:
    """A setting that is not the same in all runs, by its dotted path, and its values, at least one."""

    path: str
    values: tuple[Any, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepPlan:
    """Everything that determines a sweep.

    Attributes:
        varied: what the runs do not have in common with `base`.
        combination: every value of one setting with every value of the others, or the first of each, the second, ….
        seeds: runs of each combination, with as many seeds, the first of which is the base's.
    """

    base: RunConfig
    varied: tuple[Varied, ...]
    combination: Combination = Combination.GRID
    seeds: int = 1
    limit: StopCondition

    def count(self) -> int:
        """How many runs it has; raises UserError if none, too many, or values that do not combine."""
        lengths = [len(each.values) for each in self.varied]
        if any(each.path == SEED for each in self.varied) and self.seeds > 1:
            raise UserError("The seed varies twice", "", "Give its values, or a number of seeds.", field="seeds")
        if self.combination is Combination.LIST and len(set(lengths)) > 1:
            told = ", ".join(map(str, lengths))
            hint = "Give as many values of each, or take every combination."
            raise UserError(
                "Values that vary together must be equally many", f"There are {told}.", hint, field="combination"
            )
        number = self.seeds * (math.prod(lengths) if self.combination is Combination.GRID else max(lengths, default=1))
        if number > MOST_RUNS:
            raise UserError(f"That is {number:,} runs", f"A sweep may have {MOST_RUNS:,}.", "Give fewer values.")
        if number < 2:
            raise UserError("Nothing varies yet", "", "Give two values of a setting or more, or several seeds.")
        return number

    def first(self, most: int) -> list[dict[str, Any]]:
        """What is the own of each of the first runs; raises UserError as `count`, or if the first has a fault."""
        self.count()
        rows, grid = self._parts()
        combinations = itertools.product(rows, itertools.product(*grid.values()))
        found = [row | dict(zip(grid, values, strict=True)) for row, values in itertools.islice(combinations, most)]
        combined(self.base, found[:1], {})
        return found

    def sweep(self) -> Sweep:
        """The runs, each with its whole configuration; raises UserError as `count`, or if one has a fault."""
        self.count()
        return Sweep(points=combined(self.base, *self._parts()), limit=self.limit)

    def _parts(self) -> tuple[list[dict[str, Any]], dict[str, Sequence[Any]]]:
        """Rows, and the grid that each is combined with."""
        grid: dict[str, Sequence[Any]] = {}
        rows: list[dict[str, Any]] = [{}]
        if self.combination is Combination.GRID:
            grid = {each.path: each.values for each in self.varied}
        elif self.varied:
            paths = [each.path for each in self.varied]
            columns = [each.values for each in self.varied]
            rows = [dict(zip(paths, row, strict=True)) for row in zip(*columns, strict=True)]
        if self.seeds > 1:
            grid[SEED] = range(self.base.seed, self.base.seed + self.seeds)
        return rows, grid
