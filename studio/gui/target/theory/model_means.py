"""⟨f⟩ by a model: of what it generates, of the data by draws that are weighed back, and along a tilt to first order."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
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
from studio.gui.state.task_runner import TaskRunner
from studio.gui.state.view_state import TiltView
from studio.gui.target.target_control import TargetControl
from studio.gui.target.theory.view import CLASS, formula_of, of_evaluation, of_points
from studio.gui.timeline.time_cursor import TimeCursor
from studio.perturb.umbrella import Umbrella
from studio.progress import Progress
from studio.training.messages.snapshot import PlaneFrame, Snapshot
from studio.training.storage.run import Run

if TYPE_CHECKING:
    from studio.response.run_response import Followed

_DRAWS, _FOLLOWING = 2000, 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class BackAgain:
    """What came of it.

    Attributes:
        name: of f.
        found: ⟨f⟩ and its errors.
        predicted: the gain that theory predicts, by the data.
        whose: the run and its step, in words.
        percent: f is a share.
    """

    name: str
    found: Umbrella
    predicted: float
    whose: str
    percent: bool

    @property
    def _unit(self) -> float:
        return 100.0 if self.percent else 1.0

    @property
    def mean(self) -> Mean:
        """In the units of the plot."""
        return Mean(value=self._unit * self.found.mean, error=self._unit * self.found.error)

    @property
    def words(self) -> str:
        unit = " %" if self.percent else ""
        mean, plain = self.mean, compact(self._unit * self.found.plain_error, 2)
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
        start: s₀, at which it was trained.
        means: each ⟨f⟩ from there on, by name.
        whose: the run and its step, in words.
    """

    tilt: TiltView
    start: float
    means: Mapping[str, Followed]
    whose: str

    def at(self, name: str, scale: float) -> Mean | None:
        """⟨f⟩ at s in the units of the plot; None of an f that was not asked for."""
        found = self.means.get(name)
        if found is None:
            return None
        unit, further = (100.0 if name.startswith(CLASS) else 1.0), scale - self.start
        error = math.hypot(found.mean.error, further * found.slope.error)
        return Mean(value=unit * found.at(further), error=unit * error)


class ModelMeans(QObject):
    """⟨f⟩ by the model of the run that is shown: of what it generates, and by its weights on disk.

    Args:
        tasks: draws and weighs beside the window.
        time: which run that is.
        target: whose data it is of, and whether what is generated answers it.
        evaluations: of images.

    Attributes:
        back: what was weighed back last of this run; None if nothing was.
        following: how it follows a tilt, as was asked last of this run; None if nothing was.
    """

    changed = Signal()
    failed = Signal(object)  # UserError

    def __init__(
        self,
        tasks: TaskRunner,
        time: TimeCursor,
        target: TargetControl,
        evaluations: EvaluationControl,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._tasks, self._time, self._target, self._evaluations = tasks, time, target, evaluations
        self._frame: PlaneFrame | None = None
        self._busy = False
        self.back: BackAgain | None = None
        self.following: Following | None = None
        evaluations.shown_changed.connect(self.changed)
        time.snapshot_shown.connect(self._take_snapshot)
        time.run_shown.connect(self._forget)

    def generated(self, name: str) -> Mean | None:
        """⟨f⟩ of what the model generates, as far as it is known of this target and these data."""
        latest = self._evaluations.shown.latest
        if self._frame is not None:
            return of_points(name, self._frame)
        if latest is None or not self._target.answered:
            return None
        return of_evaluation(name, latest.evaluation)

    @property
    def blocked(self) -> str:
        """Why nothing can be weighed back, in a sentence; empty if something can."""
        data = self._target.data
        if self._time.folder is None or data.loaded is None or not data.is_of_run:
            return "Train a model for a tilt first, or look at such a run."
        return ""

    @Slot(str)
    def ask(self, name: str) -> None:
        """Weigh back: ⟨f⟩ of a feature, or of a class's share."""
        self._begin(partial(_asked, name), "Weighing draws back was cancelled")

    def follow(self, tilt: TiltView, names: Sequence[str]) -> None:
        """Find how the model follows a tilt in each ⟨f⟩."""
        self._begin(partial(_followed, tilt, names), "Following the tilt was cancelled")

    def _begin(self, work: Callable[[Path, LoadedData, str, Progress], BackAgain | Following], cancelled: str) -> None:
        folder, data = self._time.folder, self._target.data.loaded
        if self._busy or self.blocked or folder is None or data is None:
            return
        self._busy = True
        self._tasks.run(
            partial(work, folder, data, self._time.view.title),
            done=lambda found: self._settle(folder, found),
            failed=lambda error: self._settle(folder, error),
            cancelled=lambda: self._settle(folder, UserError(cancelled)),
        )

    def _settle(self, folder: Path, found: BackAgain | Following | UserError) -> None:
        self._busy = False
        if folder != self._time.folder:
            return
        if isinstance(found, UserError):
            self.failed.emit(found)
            return
        if isinstance(found, BackAgain):
            self.back = found
        else:
            self.following = found
        self.changed.emit()

    @Slot(object)
    def _take_snapshot(self, snapshot: Snapshot) -> None:
        """Points of the plane come with every snapshot."""
        if snapshot.plane is not None:
            self._frame = snapshot.plane
            self.changed.emit()

    @Slot()
    def _forget(self) -> None:
        """Another run."""
        self._frame = self.back = self.following = None
        self.changed.emit()


def _asked(name: str, folder: Path, data: LoadedData, title: str, progress: Progress) -> BackAgain:
    from studio.training.analysis.at_once import AtOnce
    from studio.training.analysis.trained_model import TrainedModel

    run = Run.open(folder)
    trained = TrainedModel.of_run(run, lambda _: data.images, progress, data_root=data.judges.data_root)
    model = AtOnce(trained, progress)
    formula = formula_of(name)
    return BackAgain(
        name=name,
        found=model.untilted_mean(formula, _DRAWS, progress),
        predicted=model.predicted_gain(formula, progress),
        whose=f"of “{title}”, step {run.weights_step or 0:,}",
        percent=name.startswith(CLASS),
    )


def _followed(
    tilt: TiltView, names: Sequence[str], folder: Path, data: LoadedData, title: str, progress: Progress
) -> Following:
    from studio.response.run_response import RunResponse
    from studio.training.analysis.trained_model import TrainedModel

    run = Run.open(folder)
    trained = TrainedModel.of_run(run, lambda _: data.images, progress, data_root=data.judges.data_root)
    response = RunResponse(run, trained, progress)
    formulas = {name: formula_of(name) for name in names}
    start, means = response.beside(tilt.perturbation, formulas, _FOLLOWING, progress)
    return Following(tilt=tilt, start=start, means=means, whose=f"of “{title}”, step {run.weights_step or 0:,}")
