"""⟨f⟩ by a model: of what it generates, and of the data without a tilt by draws that are weighed back."""

from __future__ import annotations

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
from studio.gui.target.target_control import TargetControl
from studio.gui.target.theory.view import CLASS, of_evaluation, of_points
from studio.gui.timeline.time_cursor import TimeCursor
from studio.perturb.umbrella import Umbrella
from studio.progress import Progress
from studio.training.messages.snapshot import PlaneFrame, Snapshot
from studio.training.storage.run import Run

if TYPE_CHECKING:
    from studio.training.analysis.at_once import AtOnce

_DRAWS = 2000


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


class ModelMeans(QObject):
    """⟨f⟩ by the model of the run that is shown: of what it generates, and weighed back from its weights on disk.

    Args:
        tasks: draws and weighs beside the window.
        time: which run that is.
        target: whose data it is of, and whether what is generated answers it.
        evaluations: of images.

    Attributes:
        back: what was weighed back last of this run; None if nothing was.
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
        folder, data = self._time.folder, self._target.data.loaded
        if self._busy or self.blocked or folder is None or data is None:
            return
        self._busy = True
        self._tasks.run(
            partial(_asked, folder, data, name, self._time.view.title),
            done=lambda found: self._settle(folder, found),
            failed=lambda error: self._settle(folder, error),
            cancelled=lambda: self._settle(folder, UserError("Weighing draws back was cancelled")),
        )

    def _settle(self, folder: Path, found: BackAgain | UserError) -> None:
        self._busy = False
        if folder != self._time.folder:
            return
        if isinstance(found, UserError):
            self.failed.emit(found)
        else:
            self.back = found
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
        self._frame = self.back = None
        self.changed.emit()


def _asked(folder: Path, data: LoadedData, name: str, title: str, progress: Progress) -> BackAgain:
    from studio.training.analysis.at_once import AtOnce

    run = Run.open(folder)
    model: AtOnce = AtOnce.of_run(run, lambda _: data.images, progress, data_root=data.judges.data_root)
    formula = f"label == {name.removeprefix(CLASS)}" if name.startswith(CLASS) else name
    return BackAgain(
        name=name,
        found=model.untilted_mean(formula, _DRAWS, progress),
        predicted=model.predicted_gain(formula, progress),
        whose=f"of “{title}”, step {run.weights_step or 0:,}",
        percent=name.startswith(CLASS),
    )
