"""Comparing planners while a run trains: piece by piece between steps, when the run's watcher asks for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from studio.training.engine.memory import out_of_memory
from studio.training.messages.events import ComparingPlanners, Noticed, PlannersCompared

if TYPE_CHECKING:
    from studio.training.analysis.comparison import PlannerComparison
    from studio.training.engine.trainer import Trainer

_TOLD_EVERY = 0.02  # of the whole
_HINT = "A comparison needs a copy of the model: use a smaller one, or close other programs."


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
        from studio.training.analysis.comparison import PlannerComparison  # brings torch, which the window has later

        self._now = PlannerComparison.of(self._trainer, seconds)
        self._told = -1.0

    def _fits(self, work: Callable[[], object]) -> bool:
        """Do a piece; whether there was memory for it. Without, the comparison is called off and the run goes on."""
        try:
            work()
        except Exception as error:
            told = out_of_memory(error, _HINT)
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
