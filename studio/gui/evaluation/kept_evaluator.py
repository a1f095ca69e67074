"""Evaluations of runs that do not train, by weights in their folders, beside the window."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from studio.background import Background
from studio.errors import UserError
from studio.gui.evaluation.run_judge import RunJudge
from studio.gui.run.run_control import RunControl
from studio.gui.state.log import Level, Log
from studio.gui.state.task_runner import TaskRunner
from studio.gui.timeline.subject_data import SubjectData
from studio.gui.timeline.time_cursor import TimeCursor
from studio.progress import Progress
from studio.training.config.run_config import EvaluationConfig
from studio.training.examples.judges import Judges
from studio.training.messages.events import Evaluated
from studio.training.storage.run import Run
from studio.training.storage.run_identity import RunIdentity, nearest_kept

_UNTRAINED = "Only the weights of step 0 are kept of this run, from before training."
_ELSEWHERE = "The run is under way elsewhere, and keeps its own evaluations."
_NO_IMAGES = "Only images can be judged; the plane shows how far points are from their target."


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRun:
    """A run with weights on disk.

    Attributes:
        judges: who may look at its data; None while they are not here.
        asked: who shall, and at how many samples.
        steps: of its weights, ascending; at least one.
        elsewhere: another process has it.
    """

    folder: Path
    judges: Judges | None
    asked: EvaluationConfig
    steps: Sequence[int]
    elsewhere: bool = False

    def nearest(self, step: int) -> int:
        """The step nearest to this one whose weights are kept."""
        return nearest_kept(self.steps, step)

    def why_not(self, step: int) -> str:
        """Why this step cannot be evaluated, in a sentence; empty if it can."""
        if self.judges is None or not self.judges.possible:
            return _NO_IMAGES
        if self.elsewhere:
            return _ELSEWHERE
        return _UNTRAINED if step and not self.nearest(step) else ""

    def words(self, step: int) -> str:
        """What an evaluation at this step would look at, in a sentence."""
        found = self.nearest(step)
        nearest = "" if found == step else f", the nearest to step {step:,} that are kept"
        weights = f"weights of step {found:,}{nearest}"
        return f"Judge {self.asked.samples:,} samples by the {weights}; the result stays with the run."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """An evaluation under way."""

    folder: Path
    step: int


class KeptEvaluator(QObject):
    """Evaluates one run at a time; each answer is kept with its run, as the command line does.

    Attributes:
        asked: whose answer is awaited; None if none is.
        steps: whose weights this window's run kept, once it has ended.
    """

    ended = Signal(object, object)  # Asked, Evaluated | None if it came to nothing

    def __init__(
        self,
        tasks: TaskRunner,
        runs: RunControl,
        time: TimeCursor,
        data: SubjectData,
        judge: RunJudge,
        log: Log,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._tasks, self._runs, self._time = tasks, runs, time
        self._data, self._judge, self._log = data, judge, log
        self.asked: Asked | None = None
        self._work: Background[tuple[Evaluated, UserError | None]] | None = None
        self.steps: list[int] = []

    @Slot()
    def look(self) -> None:
        """Take in what weights there are of this window's run."""
        run = self._runs.run
        if run.phase.active or run.folder is None:
            self.steps = []
        elif not self.steps and run.saved_step > 0:
            with suppress(UserError):
                self.steps = RunIdentity.read(run.folder).kept_steps

    @property
    def run(self) -> KeptRun | None:
        """The run that is shown, if it does not train and has weights."""
        old, run, judge = self._time.old, self._runs.run, self._judge
        if old is not None:
            asked = old.config.evaluation
            found = KeptRun(
                folder=old.folder, judges=self._data.judges, asked=asked, steps=old.kept, elsewhere=bool(old.owner)
            )
        elif not run.phase.active and run.folder is not None:
            found = KeptRun(folder=run.folder, judges=judge.judges, asked=judge.asked, steps=self.steps)
        else:
            return None
        return found if found.steps else None

    def evaluate(self, kept: KeptRun, step: int) -> bool:
        """Begin, by the weights nearest to a step; whether that could be."""
        judges = kept.judges
        if judges is None or self.asked is not None:
            return False
        name, count = kept.asked.judge, kept.asked.samples
        refusal = judges.why_not(name)
        if refusal is not None:
            self._log.add_error(refusal)
            return False
        self.asked = asked = Asked(folder=kept.folder, step=kept.nearest(step))

        def work(progress: Progress) -> tuple[Evaluated, UserError | None]:
            from studio.training.analysis.evaluate_run import evaluate_run, keep_evaluation

            run = Run.open(asked.folder).back_at(asked.step)
            found = evaluate_run(run, lambda _: judges.examples, progress, count=count, judge=name, judges=judges)
            return found, keep_evaluation(run, found)

        self._work = self._tasks.run(
            work,
            done=lambda found: self._on_done(asked, *found),
            failed=lambda error: self._on_failed(asked, error),
            cancelled=lambda: self.ended.emit(asked, None),
        )
        return True

    @property
    def shown(self) -> Asked | None:
        """What is awaited of the run that is shown."""
        return self.asked if self.asked is not None and self.asked.folder == self._time.folder else None

    def give_up(self) -> bool:
        """Await nothing of the run that is shown any more; whether something was."""
        awaited, work = self.shown, self._work
        if awaited is not None and work is not None:
            self.asked = None
            work.cancel()
        return awaited is not None

    def _on_done(self, asked: Asked, found: Evaluated, unkept: UserError | None) -> None:
        if unkept is not None:
            title = f"{asked.folder.name} does not keep its evaluation of step {asked.step:,}"
            self._log.add_error(UserError(title, str(unkept)), Level.WARNING)
        self.ended.emit(asked, found)

    def _on_failed(self, asked: Asked, error: UserError) -> None:
        self._log.add_error(error)
        self.ended.emit(asked, None)
