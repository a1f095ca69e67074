"""⟨f⟩ by a model: of what it generates, of the data by draws that are weighed back, and along a tilt to first order."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal, Slot

from studio.errors import UserError
from studio.evaluation.report import Mean
from studio.figures import compact
from studio.gui.evaluation.evaluation_control import EvaluationControl
from studio.gui.state.loaded_data import LoadedData
from studio.gui.state.stepped_samples import SteppedSamples, SteppedView
from studio.gui.state.subject import Owner
from studio.gui.state.task_runner import TaskRunner
from studio.gui.state.view_state import DatasetView, TiltView
from studio.gui.target.target_control import TargetControl
from studio.gui.target.terms import Observable
from studio.gui.target.theory.view import CLASS, formula_of, of_evaluation, of_points, unit_of
from studio.gui.timeline.time_cursor import TimeCursor
from studio.perturb.umbrella import Umbrella
from studio.progress import Progress
from studio.training.messages.snapshot import PlaneFrame, Snapshot
from studio.training.storage.frames import Frame
from studio.training.storage.run import Run
from studio.training.storage.run_folder import safe_name
from studio.training.storage.run_identity import nearest_kept

if TYPE_CHECKING:
    from studio.response.run_response import Way

_DRAWS, _FOLLOWING = 2000, 4000
_PICTURES, _POINTS = 64, 400


@dataclass(frozen=True, slots=True, kw_only=True)
class BackAgain:
    """What came of it.

    Attributes:
        name: of f.
        found: ⟨f⟩ and its errors.
        predicted: the gain that theory predicts, by the data.
        whose: the run and its step, in words.
        dataset: of which data.
    """

    name: str
    found: Umbrella
    predicted: float
    whose: str
    dataset: DatasetView

    @property
    def mean(self) -> Mean:
        """In the units of the plot."""
        unit = unit_of(self.name)
        return Mean(value=unit * self.found.mean, error=unit * self.found.error)

    @property
    def words(self) -> str:
        unit = " %" if self.name.startswith(CLASS) else ""
        mean, plain = self.mean, compact(unit_of(self.name) * self.found.plain_error, 2)
        return (
            f"Back again: {_DRAWS:,} draws {self.whose}, weighed by e^(+ΔH), give ⟨f⟩ = {compact(mean.value, 3)} ± "
            f"{compact(mean.error, 2)}{unit} without the tilt; as many of an untilted model would give it to ± "
            f"{plain}{unit}. Each is worth {compact(self.found.gain, 2)} of those; theory says "
            f"{compact(self.predicted, 2)}."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """How the model follows the scale s of a tilt.

    Attributes:
        tilt: which, of which data.
        way: from where it was trained, with each ⟨f⟩ by name.
        owner: the run, and the step of its weights.
    """

    tilt: TiltView
    way: Way
    owner: Owner

    def at(self, name: str, scale: float) -> Mean | None:
        """⟨f⟩ at s in the units of the plot; None of an f that was not asked for."""
        found = self.way.means.get(name)
        if found is None:
            return None
        unit, further = unit_of(name), scale - self.way.start
        error = math.hypot(found.mean.error, further * found.slope.error)
        return Mean(value=unit * found.at(further), error=unit * error)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Applied:
    following: Following
    view: SteppedView


_Found = BackAgain | Following | _Applied


class ModelMeans(QObject):
    """⟨f⟩ by the model of the run that is shown: of what it generates, and by its weights on disk.

    Args:
        tasks: draws and weighs beside the window.
        time: which run that is.
        target: whose data it is of, and whether what is generated answers it.
        evaluations: of images.
        stepped: told of samples by stepped weights, which leave with the run and with the tilt.

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
        self.back: BackAgain | None = None
        self.following: Following | None = None
        self.said = ""
        evaluations.shown_changed.connect(self.changed)
        time.snapshot_shown.connect(self._take_snapshot)
        time.frame_shown.connect(self._take_frame)
        time.run_shown.connect(self._forget)
        target.changed.connect(self._on_target)

    def generated(self, name: str) -> Mean | None:
        """⟨f⟩ of what the model generates, as far as it is known of this target and these data."""
        latest = self._evaluations.shown.latest
        if self._points is not None:
            frame, revision = self._points
            return of_points(name, frame) if self._target.answers(revision) else None
        if latest is None or not self._target.answers(latest.revision):
            return None
        return of_evaluation(name, latest.evaluation)

    @property
    def blocked(self) -> str:
        """Why nothing can be asked of the model, in a sentence; empty if something can."""
        data = self._target.data
        if self._busy:
            return "What was asked before is still being found."
        if self._time.folder is None or data.loaded is None or not data.is_of_run:
            return "Train a model for a tilt first, or look at such a run."
        return ""

    @Slot(str)
    def ask(self, name: str) -> None:
        """Weigh back: ⟨f⟩ of a feature, or of a class's share."""
        self._begin(partial(_asked, name), "Weighing draws of the model back")

    def follow(self, tilt: TiltView, names: Sequence[str]) -> None:
        """Find how the model follows a tilt in each ⟨f⟩."""
        self._begin(partial(_followed, tilt, names), "Finding how the model follows the tilt")

    def apply(self, tilt: TiltView, names: Sequence[str], scale: float, shown: Observable) -> None:
        """Show samples by weights that are stepped to a scale s of the tilt, and what becomes of one ⟨f⟩."""
        known = self.following if self.following is not None and self.following.tilt.has_target_of(tilt) else None
        self._begin(partial(_applied, known, tilt, names, scale, shown), "Stepping the weights along the tilt")

    def _begin(self, work: Callable[[Run, LoadedData, str, Progress], _Found], doing: str) -> None:
        folder, data, seen = self._time.folder, self._target.data.loaded, self._time.view
        self.said = self.blocked or f"{doing}…"
        self.changed.emit()
        if self.blocked or folder is None or data is None:
            return
        self._busy = True
        self._tasks.run(
            lambda progress: work(_run_near(folder, seen.step), data, seen.title, progress),
            done=lambda found: self._settle(folder, found),
            failed=lambda error: self._settle(folder, error),
            cancelled=lambda: self._settle(folder, UserError(f"{doing} was cancelled")),
        )

    def _settle(self, folder: Path, found: _Found | UserError) -> None:
        self._busy = False
        if folder != self._time.folder:
            return
        self.said = str(found) if isinstance(found, UserError) else ""
        if isinstance(found, BackAgain):
            self.back = found
        elif isinstance(found, Following):
            self.following = found
        elif isinstance(found, _Applied):
            self.following = found.following
            self._stepped.show(found.view)
            self._on_target()  # which may have been edited meanwhile
        self.changed.emit()

    @Slot()
    def _on_target(self) -> None:
        """Samples of another tilt than the one that is shown leave, and why that one could not be followed."""
        self.said = self.said if self._busy else ""
        tilt = self._target.tilt
        if self.following is None or tilt is None or not self.following.tilt.has_target_of(tilt.trained):
            self._stepped.show(None)

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
    def _forget(self) -> None:
        self._points = self.back = self.following = None
        self.said = ""
        self._stepped.show(None)
        self.changed.emit()


def _run_near(folder: Path, step: int) -> Run:
    """A run by the weights that are kept nearest to the step that is looked at."""
    run = Run.open(folder)
    kept = run.identity.kept_steps
    return run.back_at(nearest_kept(kept, step)) if kept else run


def _asked(name: str, run: Run, data: LoadedData, title: str, progress: Progress) -> BackAgain:
    from studio.training.analysis.at_once import AtOnce
    from studio.training.analysis.trained_model import TrainedModel

    trained = TrainedModel.of_run(run, lambda _: data.images, progress, data_root=data.judges.data_root)
    model = AtOnce(trained, progress)
    formula = formula_of(name)
    return BackAgain(
        name=name,
        found=model.untilted_mean(formula, _DRAWS, progress),
        predicted=model.predicted_gain(formula, progress),
        whose=f"of “{title}”, step {run.weights_step or 0:,}",
        dataset=data.view,
    )


def _followed(
    tilt: TiltView, names: Sequence[str], run: Run, data: LoadedData, title: str, progress: Progress
) -> Following:
    from studio.response.run_response import RunResponse
    from studio.training.analysis.trained_model import TrainedModel

    trained = TrainedModel.of_run(run, lambda _: data.images, progress, data_root=data.judges.data_root)
    response = RunResponse(run, trained, progress)
    way = response.beside(tilt.perturbation, {name: formula_of(name) for name in names}, _FOLLOWING, progress)
    return Following(tilt=tilt, way=way, owner=Owner(title=title, step=run.weights_step or 0))


def _applied(
    known: Following | None,
    tilt: TiltView,
    names: Sequence[str],
    scale: float,
    shown: Observable,
    run: Run,
    data: LoadedData,
    title: str,
    progress: Progress,
) -> _Applied:
    from studio.training.analysis.measured_samples import placed, target_on_plane

    following = known if known is not None and known.owner.step == run.weights_step else None
    following = following or _followed(tilt, names, run, data, title, progress.part(0, 0.9))
    owner, found = following.owner, following.way.step(scale, _DRAWS, progress.part(0.9, 1))
    words = f"Weights {owner.words}, stepped by dθ/ds to s = {scale:.2f}; not trained"
    mean, line = found.means.get(shown.name), following.at(shown.name, scale)
    if mean is not None and line is not None:
        unit = unit_of(shown.name)
        value, error = compact(unit * mean.value, 3), compact(unit * mean.error, 2)
        words += f"  ·  {shown.axis}: {value} ± {error}, by the line {compact(line.value, 3)}"
    plane = None
    if data.images.plane is not None:
        target = target_on_plane(data.images, data.measured, tilt.perturbation)
        plane = placed(found.values[:_POINTS], target, owner.step)
    view = SteppedView(
        words=words,
        file=f"{safe_name(title)}-first-order-s-{scale:.2f}-step-{owner.step}",
        pictures=data.images.overview(found.values[:_PICTURES]),
        plane=plane,
    )
    return _Applied(following=following, view=view)
