"""The run's logged numbers against step, as growing columns, the marks on them, and where one looks. No Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from studio.gui.state.envelope import Envelope
from studio.progress import Progress
from studio.training.config.run_config import RunConfig
from studio.training.messages.marks import Mark
from studio.training.storage.metrics import Metrics

_LEAST, _APART = 1024, 64
"""Points that there is room for at first, and by how many columns differ in that, so that no two grow in one frame."""


class History:
    """Columns of float64 that grow by doubling; a column that comes later is NaN before.

    Attributes:
        marks: what happened when.
    """

    def __init__(self) -> None:
        self._size = 0
        self._steps: NDArray[np.float64] = np.empty(_LEAST)
        self._columns: dict[str, NDArray[np.float64]] = {}
        self._envelopes: dict[str, Envelope] = {}
        self.marks: list[Mark] = []

    @classmethod
    def of(cls, metrics: Metrics) -> History:
        found = cls()
        found._size = len(metrics.steps)
        found._steps = metrics.steps
        found._columns = dict(metrics.columns)
        found.marks = list(metrics.marks)
        return found

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

    def envelope(self, name: str) -> Envelope:
        """One column at the resolution of a screen, brought up to date."""
        found = self._envelopes.setdefault(name, Envelope())
        found.update(self.steps, self.column(name))
        return found

    def prepare(self, progress: Progress) -> None:
        """Do the work of the first drawing, which for a million points would hold the window up."""
        self._steps = self._with_room(self._steps)
        for place, (name, column) in enumerate(list(self._columns.items())):
            progress.report("Reading the run", place / len(self._columns))
            self._columns[name] = self._with_room(column)
            self.envelope(name).prepare()

    def append(self, step: int, values: Mapping[str, float]) -> None:
        """Add one point, at its place where it is of an earlier step than the last."""
        for name in values:
            if name not in self._columns:
                self._columns[name] = np.empty(self._size + _LEAST + _APART * (1 + len(self._columns)))
                self._columns[name][: self._size] = np.nan
        self._steps = self._with_room(self._steps)
        self._steps[self._size] = step
        for name, column in self._columns.items():
            self._columns[name] = with_room = self._with_room(column)
            with_room[self._size] = values.get(name, np.nan)
        self._size += 1
        if step < self._steps[max(0, self._size - 2)]:
            order = np.argsort(self.steps, kind="stable")
            for ordered in (self._steps, *self._columns.values()):
                ordered[: self._size] = ordered[order]
            self._envelopes.clear()

    def become(self, other: History) -> None:
        """Hold what another one does, so that panels go on with it; that one is of no use any more."""
        self._size, self._steps, self._columns = other._size, other._steps, other._columns
        self._envelopes, self.marks = other._envelopes, other.marks

    def until(self, step: int) -> History:
        """A history of its own with the points and marks up to a step."""
        found = History()
        found._size = int(np.searchsorted(self.steps, step, side="right"))
        found._steps = self._steps.copy()
        found._columns = {name: column.copy() for name, column in self._columns.items()}
        found.marks = [mark for mark in self.marks if mark.step <= step]
        return found

    def _with_room(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """For one more point: as it is, or in an array of twice the size, whose rest stays untouched: writing to it
        would take twenty times as long.
        """
        if self._size < len(values):
            return values
        grown = np.empty(len(values) + max(_LEAST, len(values)))
        grown[: self._size] = values[: self._size]
        return grown


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherHistory:
    """The history of another run, whose title and configuration it is beside."""

    title: str
    config: RunConfig
    history: History


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryView:
    """A history as it is looked at.

    Attributes:
        history: the numbers, which may go on growing.
        marks: what happened to the run that they are of.
        cursor: the step that is looked at; None looks at the newest.
        others: of other runs, that lie over it.
        missing: why there is nothing and will be nothing, and what to do; empty if there may be.
    """

    history: History = field(default_factory=History)
    marks: Sequence[Mark] = ()
    cursor: int | None = None
    others: tuple[OtherHistory, ...] = ()
    missing: str = ""

    def current(self, name: str) -> float:
        """The value of a column at the cursor, which is the newest without one; NaN if there is none."""
        return self._last_of(self.history.column(name))

    @property
    def step(self) -> float:
        """At which those values were logged; NaN if there are none."""
        return self._last_of(self.history.steps)

    def _last_of(self, values: NDArray[np.float64]) -> float:
        steps = self.history.steps
        known = len(steps) if self.cursor is None else int(np.searchsorted(steps, self.cursor, side="right"))
        return float(values[known - 1]) if known else float("nan")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeView:
    """Where the cursor is.

    Attributes:
        title: of the run shown; empty while there is none.
        live: it is the run under way, or the last one of this window.
        following: the newest moment is shown, whatever comes.
        step: at the cursor.
        last: the newest step there is.
        marks: what happened when.
    """

    title: str = ""
    live: bool = True
    following: bool = True
    step: int = 0
    last: int = 0
    marks: tuple[Mark, ...] = ()
