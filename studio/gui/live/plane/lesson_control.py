"""The lesson that is open, and the set-up from before it, which comes back when the lesson is closed or left."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Signal, Slot

from studio.gui.live.plane.lessons import Lesson
from studio.gui.run.run_control import RunControl
from studio.gui.state.setup import Setup
from studio.training.config.run_config import RunConfig


class LessonControl(QObject):
    """At most one lesson at a time.

    Args:
        setup: takes the lesson's settings. Another set-up that takes their place ends the lesson.
        runs: while one trains, the set-up from before has to wait.
    """

    changed = Signal(object)  # Lesson | None: that is open

    def __init__(self, setup: Setup, runs: RunControl, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._setup, self._runs = setup, runs
        self.lesson: Lesson | None = None
        self._before: RunConfig | None = None
        self._kind = ""  # of the lesson's data set
        setup.replaced.connect(self._forget)
        setup.dataset_chosen.connect(self._on_dataset)
        runs.run_changed.connect(self._restore_if_closed)

    @property
    def own(self) -> RunConfig:
        """What the person has set up, apart from a lesson."""
        return self._before or self._setup.config

    def open(self, lesson: Lesson, take: Callable[[], bool]) -> None:
        """Open a lesson.

        Args:
            lesson: which.
            take: sets it up; whether it could.
        """
        before = self.own
        if take():
            self.lesson, self._before, self._kind = lesson, before, self._setup.config.dataset.kind
            self.changed.emit(lesson)

    @Slot()
    def close(self) -> None:
        """Close the lesson; the set-up from before it comes back, at the end of a run that is under way."""
        self.lesson = None
        self.changed.emit(None)
        self._restore_if_closed()

    @Slot()
    def _restore_if_closed(self) -> None:
        before = self._before
        if before is not None and self.lesson is None and not self._runs.busy:
            self._before = None
            self._setup.set_config(before, "Close the lesson")

    @Slot()
    def _on_dataset(self) -> None:
        """Another kind of data set than the lesson's: the rest is as it was before."""
        before, chosen = self._before, self._setup.config.dataset
        if before is not None and chosen.kind != self._kind:
            self._setup.set_config(before.model_copy(update={"dataset": chosen}), "Leave the lesson")

    @Slot()
    def _forget(self) -> None:
        """Another whole set-up has come."""
        self._before = None
        if self.lesson is not None:
            self.lesson = None
            self.changed.emit(None)
