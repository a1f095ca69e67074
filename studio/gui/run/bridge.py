"""From training to Qt: a timer looks into the run's mailbox and emits what it finds, in the window's thread."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from studio.gui.run.pace import RefreshRate
from studio.training.messages.events import Finished
from studio.training.run.session import RunHandle

DRAW_INTERVALS = (100, 500)
"""Least and most milliseconds between two looks. On two cores drawing at 30 Hz costs training nearly half."""

QUICK_INTERVALS = (25, 25)
"""For points of the plane, which move at least ten times a second: training sets how often there is a new frame."""


class Bridge(QObject):
    """Watches at most one run."""

    news = Signal(object, object, int)  # of one look: Snapshot | None, Events, how many log points were dropped unread

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._handle: RunHandle | None = None
        self._pace = RefreshRate(*DRAW_INTERVALS)
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._look)

    @property
    def handle(self) -> RunHandle | None:
        """Of the run that is at work or has not been heard out; None if there is none."""
        return self._handle

    def watch(self, handle: RunHandle, intervals: tuple[int, int] = DRAW_INTERVALS) -> None:
        """Begin to watch a run, with at least and at most so many milliseconds between two looks."""
        assert self._handle is None, "the run before has not ended"
        self._handle = handle
        self._pace = RefreshRate(*intervals)
        self._timer.start(intervals[0])

    def join(self, seconds: float | None) -> bool:
        """Wait for the run to end and hear it out; whether it did in time."""
        if self._handle is None:
            return True
        ended = self._handle.join(seconds)
        if ended:
            self._look()
        return ended

    @Slot()
    def _look(self) -> None:
        handle = self._handle
        if handle is None:
            return
        self._timer.setInterval(self._pace.next())
        events, dropped = handle.events()
        snapshot = handle.take_snapshot()
        if any(isinstance(event, Finished) for event in events):
            handle.join(1.0)
            self._handle = None
            self._timer.stop()
        if snapshot is not None or events:
            self.news.emit(snapshot, events, dropped)
