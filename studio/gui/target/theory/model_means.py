"""⟨f⟩ by a model: of what it generates, of the data by draws that are weighed back, and along a tilt to first order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from typing import TypeVar

from PySide6.QtCore import QObject, Signal, Slot

from studio.errors import UserError
from studio.evaluation.evaluation import Mean
from studio.gui.evaluation.evaluation_control import EvaluationControl
from studio.gui.state.history import TimeView
from studio.gui.state.loaded_data import LoadedData
from studio.gui.state.stepped_samples import SteppedSamples, SteppedView
from studio.gui.state.task_runner import TaskRunner
from studio.gui.state.tilt_view import TiltView
from studio.gui.target.target_control import TargetControl
from studio.gui.target.terms import Observable
from studio.gui.target.theory import answers
from studio.gui.target.theory.answers import BackAgain, Following, Stepped
from studio.gui.target.theory.view import of_evaluation, of_points
from studio.gui.timeline.time_cursor import TimeCursor
from studio.progress import Progress
from studio.training.messages.snapshot import PlaneFrame, Snapshot
from studio.training.storage.frames import Frame
from studio.training.storage.run import Run

_Found = BackAgain | Following | Stepped
_Owned = TypeVar("_Owned", BackAgain | None, Following | None, SteppedView | None)


class ModelMeans(QObject):
    """⟨f⟩ by the model of the run that is shown: of what it generates, and by its weights on disk.

    Attributes:
        back: what was weighed back last of this run; None if nothing was.
        following: how it follows a tilt, as was asked last of this run; None if nothing was.
        said: what is being found, or why what was asked last was not; empty once it is.
    """

    changed = Signal()

    def __init__(
        self,
        tasks: TaskRunner,
        time: TimeCursor,
        target: TargetControl,
        evaluations: EvaluationControl,
        stepped: SteppedSamples,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._tasks, self._time, self._target, self._evaluations = tasks, time, target, evaluations
        self._stepped = stepped
        self._points: tuple[PlaneFrame, int] | None = None  # and the revision of the target that they were made for
        self._busy = False
        self._asked: object | None = None  # what is being found, unless the run or its steps are gone
        self.back: BackAgain | None = None
        self.following: Following | None = None
        self.said = ""
        evaluations.shown_changed.connect(self.changed)
        time.snapshot_shown.connect(self._take_snapshot)
        time.frame_shown.connect(self._take_frame)
        time.run_shown.connect(self._forget)
        time.pictures_gone.connect(self._lose_points)
        time.changed.connect(self._on_time)
        target.changed.connect(self._on_target)

    def generated(self, name: str) -> Mean | None:
        """⟨f⟩ of what the model generates, as far as it is known of this target and these data."""
        latest = self._evaluations.shown.latest
        if self._points is not None:
            frame, revision = self._points
            return of_points(name, frame) if self._target.answers(revision) else None
        dataset = self._target.data.view
        if latest is None or dataset is None or not self._target.answers(latest.revision):
            return None
        return of_evaluation(name, latest.evaluation, dataset.class_names)

    @property
    def blocked(self) -> str:
        """Why nothing can be asked of the model, in a sentence; empty if something can."""
        data = self._target.data
        if self._busy:
            return "The question before is still being answered."
        if self._time.folder is None or data.loaded is None or not data.is_of_run:
            return "Train a model for a tilt first, or look at such a run."
        return ""

    @Slot(str)
    def ask(self, name: str) -> None:
        """Weigh back: ⟨f⟩ of a feature, or of a class's share."""
        self._begin(partial(answers.weigh_back, name), "Weighing draws of the model back")

    def follow(self, tilt: TiltView, names: Sequence[str]) -> None:
        """Find how the model follows a tilt in each ⟨f⟩."""
        self._begin(partial(answers.follow, tilt, names), "Finding how the model follows the tilt")

    def apply(self, tilt: TiltView, names: Sequence[str], scale: float, shown: Observable) -> None:
        """Show samples by weights that are stepped to a scale s of the tilt, and what becomes of one ⟨f⟩."""
        known = self.following if self.following is not None and self.following.tilt.has_target_of(tilt) else None
        self._begin(
            partial(answers.step_along, known, tilt, names, scale, shown), "Stepping the weights along the tilt"
        )

    def _begin(self, work: Callable[[Run, LoadedData, str, Progress], _Found], doing: str) -> None:
        folder, data, seen = self._time.folder, self._target.data.loaded, self._time.view
        self.said = self.blocked or f"{doing}…"
        self.changed.emit()
        if self.blocked or folder is None or data is None:
            return
        self._busy, self._asked = True, (asked := object())
        self._tasks.run(
            lambda progress: work(Run.open(folder).near(seen.step), data, seen.title, progress),
            done=lambda found: self._settle(asked, found),
            failed=lambda error: self._settle(asked, error),
            cancelled=lambda: self._settle(asked, UserError(f"{doing} was cancelled")),
        )

    def _settle(self, asked: object, found: _Found | UserError) -> None:
        self._busy = False
        if asked is not self._asked:
            return
        self.said = str(found) if isinstance(found, UserError) else ""
        if isinstance(found, BackAgain):
            self.back = found
        elif isinstance(found, Following):
            self.following = found
        elif isinstance(found, Stepped):
            self.following = found.following
            self._stepped.show(found.view)
            self._on_target()  # which may have been edited meanwhile
        self._on_time(self._time.view)
        self.changed.emit()

    @Slot()
    def _on_target(self) -> None:
        """Samples of another tilt than the one that is shown leave, and why that one could not be followed."""
        self.said = self.said if self._busy else ""
        tilt = self._target.tilt
        if self.following is None or tilt is None or not self.following.tilt.has_target_of(tilt.trained):
            self._stepped.show(None)

    @Slot(object)
    def _on_time(self, seen: TimeView) -> None:
        """The run may be called otherwise by now."""
        back, following = _called(self.back, seen.title), _called(self.following, seen.title)
        if back is not self.back or following is not self.following:
            self.back, self.following = back, following
            self.changed.emit()
        stepped = _called(self._stepped.view, seen.title)
        if stepped is not self._stepped.view:
            self._stepped.show(stepped)

    @Slot(object)
    def _take_snapshot(self, snapshot: Snapshot) -> None:
        """Points of the plane come with every snapshot."""
        if snapshot.plane is not None:
            self._points = snapshot.plane, snapshot.revision
            self.changed.emit()

    @Slot(object)
    def _take_frame(self, frame: Frame) -> None:
        """Those of the step that is looked at."""
        if len(frame.points):
            shown = PlaneFrame(step=frame.step, points=frame.points, labels=frame.labels, views=())
            self._points = shown, frame.revision
            self.changed.emit()

    @Slot()
    def _lose_points(self) -> None:
        self._points = None
        self.changed.emit()

    @Slot()
    def _forget(self) -> None:
        self._points = self.back = self.following = self._asked = None
        self.said = ""
        self._stepped.show(None)
        self.changed.emit()


def _called(found: _Owned, title: str) -> _Owned:
    """The same of its run as that is called now."""
    if found is None or found.owner.title == title:
        return found
    return replace(found, owner=replace(found.owner, title=title))
