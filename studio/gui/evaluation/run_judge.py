"""The judge that a run asks for, trained beside the window."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from studio.background import Background
from studio.errors import UserError
from studio.gui.state.log import Log
from studio.gui.state.task_runner import TaskRunner
from studio.training.config.run_config import EvaluationConfig
from studio.training.examples.judges import Judges

if TYPE_CHECKING:
    from studio.evaluation.judge import Judge


class RunJudge(QObject):
    """Trains one judge at a time.

    Attributes:
        judges: who may look at the run's data; None before a run.
        asked: how the run is to be evaluated, and by whose judge.
    """

    arrived = Signal()
    failed = Signal()  # or given up

    def __init__(self, tasks: TaskRunner, log: Log, parent: QObject) -> None:
        super().__init__(parent)
        self._tasks, self._log = tasks, log
        self.judges: Judges | None = None
        self.asked = EvaluationConfig()
        self._preparing: tuple[Judges, str] | None = None
        self._work: Background[Judge] | None = None

    @property
    def name(self) -> str:
        """Of the judge that the run asks for."""
        return self.asked.judge

    @property
    def refusal(self) -> UserError | None:
        """Why nobody can look at what the run generates; None if somebody can, or there is no run."""
        return self.judges.why_not(self.name) if self.judges is not None else None

    @property
    def is_here(self) -> bool:
        return self.judges is not None and self.judges.here(self.name) is not None

    def prepare(self) -> None:
        """Have it trained, unless it is there, is being trained, or cannot be."""
        judges, name = self.judges, self.name
        if judges is None or self.refusal is not None or self._preparing == (judges, name) or self.is_here:
            return
        self._preparing = asked = (judges, name)
        self._work = self._tasks.run(
            lambda progress: judges.judge(name, progress),
            done=lambda judge: self._on_judge(judge, asked),
            failed=lambda error: self._on_no_judge(asked, error),
            cancelled=lambda: self._on_no_judge(asked),
        )

    def give_up(self) -> None:
        """Train none any more."""
        if self._work is not None:
            self._work.cancel()

    def _on_judge(self, judge: Judge, asked: tuple[Judges, str]) -> None:
        whose = f"The judge of {judge.trained_on}" if judge.trained_on else "The judge"
        if math.isfinite(judge.accuracy):
            self._log.add(f"{whose} is right on {100 * judge.accuracy:.1f} % of the examples held out")
        else:
            self._log.add(f"{whose} is trained, with too few examples to say how often it is right")
        if asked == self._preparing:  # else it is for a run before this one, whose data were others
            self._preparing = None
            self.arrived.emit()

    def _on_no_judge(self, asked: tuple[Judges, str], error: UserError | None = None) -> None:
        if error is not None:
            self._log.add_error(error)
        if asked == self._preparing:
            self._preparing = None
            self.failed.emit()
