"""What a run does beside training, in pieces between its steps: evaluations, by which its shares may be held,
and comparisons of planners, when the run's watcher asks for one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from studio.errors import UserError
from studio.evaluation.arrival import Sighting
from studio.training.engine.memory import out_of_memory
from studio.training.messages.commands import CancelComparison, CancelEvaluation, ComparePlanners, EvaluateNow
from studio.training.messages.events import ComparingPlanners, Evaluated, Event, Noticed, PlannersCompared

if TYPE_CHECKING:
    from studio.training.analysis.evaluator import Evaluator
    from studio.training.analysis.planner_comparison import PlannerComparison
    from studio.training.engine.trainer import Trainer

_TOLD_EVERY = 0.02  # of the whole
_COMPARISON_HINT = "A comparison needs a copy of the model: use a smaller one, or close other programs."
_HINT = "An evaluation needs a copy of the model: judge fewer samples, or close other programs."
_OTHER_JUDGE = UserError(
    "The shares are held by another judge than before",
    "It was trained anew, perhaps by another version or on another machine.",
    "What the two do not agree on moves the shares; the run is not the same to the last bit as one that never stopped.",
)


class PlannerComparisons:
    """Compares planners at the parameters of one run, if it is asked to."""

    def __init__(
        self, trainer: Trainer, post: Callable[[ComparingPlanners | PlannersCompared | Noticed], None]
    ) -> None:
        self._trainer = trainer
        self._post = post
        self._now: PlannerComparison | None = None
        self._told = 0.0

    @property
    def busy(self) -> bool:
        return self._now is not None

    def begin(self, seconds: float) -> None:
        """Begin, from the parameters as they are; one that is under way is left to end."""
        if self._now is None and self._fits(lambda: self._open(seconds)):
            self._tell()

    def cancel(self) -> None:
        if self._now is not None:
            self._now = None
            self._post(PlannersCompared(step=self._trainer.step_count, report=None))

    def advance(self) -> None:
        """Do one piece; says now and then how far it is, and at the end what was found."""
        now = self._now
        assert now is not None
        if not self._fits(now.advance):
            return
        if now.report is None:
            self._tell()
            return
        self._now = None
        self._post(PlannersCompared(step=self._trainer.step_count, report=now.report))

    def _open(self, seconds: float) -> None:
        # It brings torch, which the window has later.
        from studio.training.analysis.planner_comparison import PlannerComparison

        self._now = PlannerComparison.of(self._trainer, seconds)
        self._told = -1.0

    def _fits(self, work: Callable[[], object]) -> bool:
        """Do a piece; whether there was memory for it. Without, the comparison is called off and the run goes on."""
        try:
            work()
        except Exception as error:
            told = out_of_memory(error, _COMPARISON_HINT)
            if told is None:
                raise
            step, self._now = self._trainer.step_count, None
            self._post(Noticed(step=step, error=told))
            self._post(PlannersCompared(step=step, report=None))
            return False
        return True

    def _tell(self) -> None:
        assert self._now is not None
        if self._now.fraction >= self._told + _TOLD_EVERY:
            self._told = self._now.fraction
            self._post(ComparingPlanners(fraction=self._told))


class SideTasks:
    """All of them, for one run. None ends it: where memory runs out they are called off, and the run goes on."""

    def __init__(self, trainer: Trainer, evaluator: Evaluator | None, post: Callable[[Event], None]) -> None:
        self._trainer = trainer
        self._comparisons = PlannerComparisons(trainer, post)
        self._evaluator = evaluator
        self._post = post
        self._looking = False  # what is evaluated is to hold the shares by

    @property
    def waited_for(self) -> bool:
        """Whether the person or holding the shares waits for one of them, so that training stands still."""
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
            case EvaluateNow() if evaluator is not None and not self._looking:
                self._evaluate(evaluator, lambda: evaluator.demand(seconds))
            case CancelEvaluation() if evaluator is not None:
                self._evaluate(evaluator, evaluator.cancel)

    def look(self, seconds: float) -> None:
        """Begin to look at the shares to hold them, where it is time: at fixed steps, whatever happens between.

        Where the run is stopped before it has looked, it does so first when it goes on.
        """
        trainer, evaluator = self._trainer, self._evaluator
        config, step = trainer.config.hold, trainer.step_count
        due = config.on and step > 0 and step % config.every == 0 and trainer.held.step != step
        if due and evaluator is not None and not self.waited_for:
            self._looking = True
            self._evaluate(evaluator, lambda: evaluator.look(seconds))

    def give_up(self) -> None:
        """Give up what is under way: the model is another."""
        self._comparisons.cancel()
        self._looking = False
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
        """Do a piece and tell what came of it; where that cannot be, evaluate on demand only from now on, or where the
        shares are held and this look was in vain, try again at the next.
        """
        try:
            event = work()
        except Exception as error:
            told = error if isinstance(error, UserError) else out_of_memory(error, _HINT)
            if told is None:
                raise
            self._post(Noticed(step=self._trainer.step_count, error=told))
            event = evaluator.cancel() if self._looking and told is error else evaluator.rest()
        if event is not None:
            self._post(event)
        if self._looking and not evaluator.demanded:
            self._looking = False
            self._correct(event, evaluator.judged_by)

    def _correct(self, event: Event | None, judge: str) -> None:
        """Have the offsets corrected by what was seen, if anything was, and the target is still that one."""
        trainer = self._trainer
        step = trainer.step_count
        held = replace(trainer.held.moved(step, trainer.held.hold), step=step)
        if isinstance(event, Evaluated) and event.revision == trainer.perturbation.revision and trainer.config.hold.on:
            if held.judge not in ("", judge):
                self._post(Noticed(step=trainer.step_count, error=_OTHER_JUDGE))
            seen = Sighting.of(event.step, event.evaluation)
            known = ~np.isin(np.arange(len(seen.share)), list(seen.untold))
            most = trainer.config.hold.most
            moved = held.hold.after(seen.target, seen.share, known=known, most=most)
            held = replace(held, hold=moved, judge=judge)
        try:
            trainer.correct(held)
        except UserError as error:
            trainer.held = replace(held, hold=trainer.held.hold, judge=trainer.held.judge)
            self._post(Noticed(step=trainer.step_count, error=error))
