"""Follows runs from disk that are shown, or lie over the one shown, while other processes write into their folders; and
the last run of this window, which another process may go on with.
"""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from pathlib import Path
from time import monotonic

from PySide6.QtCore import QTimer, Slot
from PySide6.QtWidgets import QWidget

from studio.errors import UserError
from studio.gui.state.old_runs import OldRun, has_gone_on, read_again
from studio.gui.state.overlays import Overlays
from studio.gui.state.task_runner import NewestTask, TaskRunner
from studio.gui.timeline.time_cursor import TimeCursor
from studio.progress import Progress

_PERIOD = 3000  # milliseconds between two looks, at least
_REST = 10.0  # times what a look took, until the next one


class Follower(QTimer):
    """Looks every few seconds, beside the window, while that can be seen; at what takes long to be read more rarely."""

    def __init__(self, tasks: TaskRunner, time: TimeCursor, overlays: Overlays, window: QWidget) -> None:
        super().__init__(window, interval=_PERIOD)
        self._time, self._overlays, self._window = time, overlays, window
        self._reading, self._rested = NewestTask(tasks), 0.0
        self.timeout.connect(self._look)
        for changed in (time.changed, overlays.changed):
            changed.connect(self._on_runs)

    @property
    def _runs(self) -> list[OldRun]:
        return [*self._overlays.runs, *([self._time.old] if self._time.old is not None else [])]

    @Slot()
    def _on_runs(self) -> None:
        if not self._runs and self._time.ended is None:
            self.stop()
        elif not self.isActive():
            self.start()

    @Slot()
    def _look(self) -> None:
        seen = self._window.isVisible() and not self._window.isMinimized()
        if seen and not self._reading.busy and monotonic() >= self._rested:
            begun = monotonic()
            work = partial(_read, self._runs, self._time.ended)
            self._reading.run(work, done=lambda found: self._take(begun, *found), failed=_no_error)

    def _take(self, begun: float, found: list[tuple[OldRun, OldRun]], gone_on: tuple[Path, int] | None) -> None:
        if gone_on is not None and gone_on == self._time.ended:
            self._time.open(gone_on[0])
        self._rested = monotonic() + _REST * (monotonic() - begun)
        for old, now in found:
            self._time.go_on(old, now)
            self._overlays.go_on(old, now)


def _read(
    runs: list[OldRun], ended: tuple[Path, int] | None, progress: Progress
) -> tuple[list[tuple[OldRun, OldRun]], tuple[Path, int] | None]:
    """Those that have changed, before and now; and this window's own that has ended, where it goes on elsewhere.

    What cannot be read stays as it was: amid being written it can soon, and damaged it says so where it is opened.
    """
    found = []
    for run in runs:
        with suppress(UserError):
            now = read_again(run, progress)
            found += [(run, now)] if now is not None else []
    return found, ended if ended is not None and has_gone_on(*ended) else None


def _no_error(_: UserError) -> None:
    """None is left, but for a bug, which the log has."""
