"""From training to Qt: a timer looks into the run's mailbox and emits what it finds, in the window's thread.

Window and training share the processor and the interpreter, so what the one takes the other waits for. The cost of a
look is the processor time that the window's thread has spent since the look before, painting included; looks are so
far apart that it stays a small share of the time.
"""

from __future__ import annotations

import time

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from studio.training.messages.events import Finished
from studio.training.run.session import RunHandle

DRAW_INTERVALS = (100, 500)
"""Least and most milliseconds between two looks. On two cores drawing at 30 Hz costs training nearly half."""

QUICK_INTERVALS = (25, 25)
"""For points of the plane, which move at least ten times a second: training sets how often there is a new frame."""


class MailboxTimer(QObject):
    """Watches at most one run."""

    news = Signal(object, object, int)  # of one look: Snapshot | None, Events, how many log points were dropped unread

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.handle: RunHandle | None = None  # of the run that is at work or has not been heard out
        self._pace = RefreshRate(*DRAW_INTERVALS)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)

    def watch(self, handle: RunHandle, intervals: tuple[int, int]) -> None:
        """Begin to watch a run, with at least and at most so many milliseconds between two looks."""
        assert self.handle is None, "the run before has not ended"
        self.handle = handle
        self._pace = RefreshRate(*intervals)
        self._timer.start(intervals[0])

    def join(self, seconds: float | None) -> bool:
        """Wait for the run to end and hear it out; whether it did in time."""
        if self.handle is None:
            return True
        ended = self.handle.join(seconds)
        if ended:
            self._look()
        return ended

    @Slot()
    def _look(self) -> None:
        handle = self.handle
        if handle is None:
            return
        self._timer.setInterval(self._pace.next())
        events, dropped = handle.events()
        snapshot = handle.take_snapshot()
        if any(isinstance(event, Finished) for event in events):
            handle.join(1.0)
            self.handle = None
            self._timer.stop()
        if snapshot is not None or events:
            self.news.emit(snapshot, events, dropped)


_SHARE = 0.025  # training loses about twice of it, as it waits for the interpreter, too
_MEMORY = 0.8  # of the mean cost, at each look


class RefreshRate:
    """Milliseconds from one look to the next.

    Args:
        fastest, slowest: bounds of it.
    """

    def __init__(self, fastest: int, slowest: int) -> None:
        self._fastest, self._slowest = fastest, slowest
        self._cost = fastest / 1000 * _SHARE
        self._spent = time.thread_time()

    def next(self) -> int:
        """After a look, in the thread that draws: how long until the next one."""
        before, self._spent = self._spent, time.thread_time()
        self._cost = _MEMORY * self._cost + (1 - _MEMORY) * (self._spent - before)
        return min(max(round(1000 * self._cost / _SHARE), self._fastest), self._slowest)
