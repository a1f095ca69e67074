"""The lesson that is open, and the set-up from before it, which comes back when the lesson is closed or left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, assert_never

from PySide6.QtCore import QObject, Signal, Slot

from studio.errors import UserError
from studio.gui.live.plane.lessons import Lesson, ModelChange, OffsetChange, Opening
from studio.gui.run.run_control import RunControl
from studio.gui.state.setup import Setup
from studio.gui.target.target_control import TargetControl
from studio.training.config.file import read_config
from studio.training.config.run_config import RunConfig


class LessonControl(QObject):
    """At most one lesson at a time.

    Args:
        setup: takes the lesson's settings. Another set-up that takes their place ends the lesson.
        runs: while one trains, the set-up from before has to wait.
    """

    changed = Signal(object)  # Lesson | None: that is open
    start_asked = Signal()
    open_asked = Signal(str)  # name of another lesson, or of a preset

    def __init__(self, setup: Setup, runs: RunControl, target: TargetControl, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._setup, self.runs, self._target = setup, runs, target
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
        """Open a lesson, if `take` can set it up."""
        before = self.own
        if take():
            self.lesson, self._before, self._kind = lesson, before, self._setup.config.dataset.kind
            self.changed.emit(lesson)

    @Slot()
    def try_out(self) -> None:
        """Do what the lesson's last step says; what needs it stops the run first."""
        if self.lesson is None:
            return
        match self.lesson.tries:
            case ModelChange(settings=settings):
                self.runs.stop_before(partial(self._start_with, self.lesson, settings))
            case OffsetChange(class_name=name, offset=offset):
                self._set_offset(name, offset)
            case Opening(name=name):
                self.runs.stop_before(partial(self.open_asked.emit, name))
            case None:
                pass
            case other:
                assert_never(other)

    def _start_with(self, lesson: Lesson, settings: Mapping[str, Any]) -> None:
        model = read_config(lesson.path).model
        self._setup.edit(model=type(model).model_validate(model.model_dump() | dict(settings)))
        self.start_asked.emit()

    def _set_offset(self, name: str, offset: float) -> None:
        if self._setup.dataset is None or self._setup.awaits_data:
            return
        try:
            self._target.set_offset(self._setup.dataset.class_names.index(name), offset)
        except UserError as error:  # the target of a run from disk
            self._setup.reject(error)

    @Slot()
    def close(self) -> None:
        """Close the lesson; the set-up from before it comes back, at the end of a run that is under way."""
        self.lesson = None
        self.changed.emit(None)
        self._restore_if_closed()

    @Slot()
    def _restore_if_closed(self) -> None:
        before = self._before
        if before is not None and self.lesson is None and not self.runs.busy:
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
