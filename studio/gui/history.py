"""The run's logged numbers against step, as growing columns, and the marks on them. No Qt."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Something that happened at a step, drawn on every curve.

    Attributes:
        text: the tooltip, such as "ΔH edited (revision 3)".
    """

    step: int
    text: str


class History:
    """Columns of float64 that grow by doubling; a column that comes later is NaN before."""

    def __init__(self) -> None:
        self._size = 0
        self._steps: NDArray[np.float64] = np.empty(1024)
        self._columns: dict[str, NDArray[np.float64]] = {}
        self.marks: list[Mark] = []

    def __len__(self) -> int:
        return self._size

    @property
    def names(self) -> list[str]:
        """Columns, in the order in which they came."""
        return list(self._columns)

    @property
    def steps(self) -> NDArray[np.float64]:
        """Step of each point, shape (n,)."""
        return self._steps[: self._size]

    def column(self, name: str) -> NDArray[np.float64]:
        """Values of one column, shape (n,); NaN where there is none."""
        found = self._columns.get(name)
        return np.full(self._size, np.nan) if found is None else found[: self._size]

    def latest(self, name: str) -> float:
        """Newest value of a column; NaN if there is none."""
        column = self._columns.get(name)
        return float("nan") if column is None or not self._size else float(column[self._size - 1])

    def append(self, step: int, values: Mapping[str, float]) -> None:
        """Add one point."""
        if self._size == len(self._steps):
            self._grow()
        for name in values:
            if name not in self._columns:
                self._columns[name] = np.full(len(self._steps), np.nan)
        self._steps[self._size] = step
        for name, column in self._columns.items():
            column[self._size] = values.get(name, np.nan)
        self._size += 1

    def mark(self, step: int, text: str) -> None:
        """Note what happened at a step."""
        self.marks.append(Mark(step=step, text=text))

    def until(self, step: int) -> History:
        """A history of its own with the points and marks up to a step."""
        found = History()
        found._size = int(np.searchsorted(self.steps, step, side="right"))
        found._steps = self._steps.copy()
        found._columns = {name: column.copy() for name, column in self._columns.items()}
        found.marks = [mark for mark in self.marks if mark.step <= step]
        return found

    def _grow(self) -> None:
        self._steps = np.concatenate([self._steps, np.empty_like(self._steps)])
        for name, column in self._columns.items():
            self._columns[name] = np.concatenate([column, np.full_like(column, np.nan)])
