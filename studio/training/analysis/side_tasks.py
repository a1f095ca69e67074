"""What a run does beside training: evaluations and comparisons of planners, in pieces between its steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from studio.errors import UserError
from studio.training.analysis.planner_comparisons import PlannerComparisons
from studio.training.engine.memory import out_of_memory
from studio.training.messages.commands import CancelComparison, CancelEvaluation, ComparePlanners, EvaluateNow
from studio.training.messages.events import Event, Noticed

if TYPE_CHECKING:
    from studio.training.analysis.evaluator import Evaluator
    from studio.training.engine.trainer import Trainer

_HINT = "An evaluation needs a copy of the model: judge fewer samples, or close other programs."


class SideTasks:
    """Both, for one run. Neither ends it: where memory runs out they are called off, and the run goes on.

    Args:
    """

    def __init__(self, trainer: Trainer, evaluator: Evaluator | None, post: Callable[[Event], None]) -> None:
        self._trainer = trainer
        self._comparisons = PlannerComparisons(trainer, post)
        self._evaluator = evaluator
        self._post = post

    @property
    def waited_for(self) -> bool:
        """Whether the person waits for one of them, so that training stands still."""
        return self._comparisons.busy or (self._evaluator is not None and self._evaluator.demanded)

    def obey(
        self, command: ComparePlanners | CancelComparison | EvaluateNow | CancelEvaluation, seconds: float
    ) -> None:
        """Begin one or call it off, `seconds` into training."""
        evaluator = self._evaluator
        match command:
            case ComparePlanners():
                self._comparisons.begin(command.seconds)
            case CancelComparison():
                self._comparisons.cancel()
            case EvaluateNow() if evaluator is not None:
                self._evaluate(evaluator, lambda: evaluator.demand(seconds))
            case CancelEvaluation() if evaluator is not None:
                self._post(evaluator.cancel())

    def give_up(self) -> None:
        """Give up what is under way: the model is another."""
        self._comparisons.cancel()
        if self._evaluator is not None:
            self._post(self._evaluator.cancel())

    def advance(self) -> None:
        if self._comparisons.busy:
            self._comparisons.advance()
        elif self._evaluator is not None:
            self._evaluate(self._evaluator, self._evaluator.advance)

    def take_turn(self, seconds: float) -> None:
        """Evaluate as far as the budget allows, `seconds` into training."""
        evaluator = self._evaluator
        if evaluator is not None:
            self._evaluate(evaluator, lambda: evaluator.turn(seconds))

    def _evaluate(self, evaluator: Evaluator, work: Callable[[], Event | None]) -> None:
        """Do a piece and tell what came of it; where that cannot be, evaluate on demand only from now on."""
        try:
            event = work()
        except Exception as error:
            told = error if isinstance(error, UserError) else out_of_memory(error, _HINT)
            if told is None:
                raise
            self._post(Noticed(step=self._trainer.step_count, error=told))
            event = evaluator.rest()
        if event is not None:
            self._post(event)
