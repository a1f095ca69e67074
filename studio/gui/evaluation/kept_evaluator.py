"""Evaluations of runs that do not train, by weights in their folders, beside the window."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from studio.errors import UserError
from studio.evaluation.arrival import KEPT
from studio.gui.state.log import Log
from studio.gui.state.task_runner import TaskRunner
from studio.progress import Progress
from studio.training.examples.judges import Judges
from studio.training.messages.events import Evaluated
from studio.training.storage.metrics import newest_evaluations
from studio.training.storage.run import Run
from studio.training.storage.run_identity import nearest_kept


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRun:
    """A run with weights on disk.

    Attributes:
        judges, name: who may look at its data, None while they are not here; and who shall.
        steps: of its weights, ascending; at least one.
    """

    folder: Path
    judges: Judges | None
    name: str
    steps: Sequence[int]

    def nearest(self, step: int) -> int:
        """The step nearest to this one whose weights are kept."""
        return nearest_kept(self.steps, step)

    def words(self, step: int) -> str:
        """What an evaluation at this step would look at, in a sentence."""
        found = self.nearest(step)
        nearest = "" if found == step else f", the nearest to step {step:,} that are kept"
        if not found and step:
            nearest = ", from before training: no others are kept"
        return f"Judge samples by the weights of step {found:,}{nearest}; the result stays with the run."


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Asked:
    """An evaluation under way."""

    folder: Path
    step: int


class KeptEvaluator(QObject):
    """Evaluates one run at a time; each answer is kept with its run, as the command line does.

    Args:
        tasks: does it.
        log: told what goes wrong.

    Attributes:
        asked: whose answer is awaited; None if none is.
    """

    ended = Signal(object, object)  # Asked, Evaluated | None if it came to nothing

    def __init__(self, tasks: TaskRunner, log: Log, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks, self._log = tasks, log
        self.asked: Asked | None = None

    def evaluate(self, kept: KeptRun, step: int) -> bool:
        """Begin, by the weights nearest to a step; whether that could be."""
        judges = kept.judges
        if judges is None or self.asked is not None:
            return False
        refusal = judges.why_not(kept.name)
        if refusal is not None:
            self._log.add_error(refusal)
            return False
        self.asked = asked = Asked(folder=kept.folder, step=kept.nearest(step))

        def work(progress: Progress) -> Evaluated:
            from studio.training.analysis.evaluate_run import evaluate_run, keep_evaluation

            run = Run.open(asked.folder).back_at(asked.step)
            before = [each for each in newest_evaluations(asked.folder, asked.step, KEPT) if each.step == asked.step]
            found = evaluate_run(  # other samples than before, which would confirm themselves
                run, lambda _: judges.examples, progress, seed=len(before), judge=kept.name, judges=judges
            )
            keep_evaluation(run, found)
            return found

        self._tasks.run(
            work,
            done=lambda found: self.ended.emit(asked, found),
            failed=lambda error: self._on_failed(asked, error),
            cancelled=lambda: self.ended.emit(asked, None),
        )
        return True

    def _on_failed(self, asked: Asked, error: UserError) -> None:
        self._log.add_error(error)
        self.ended.emit(asked, None)
