"""What a person changes of a run under way, taken up between two steps: target, learning rates, batch size,
latents, and whether its shares are held.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, assert_never

from studio.errors import UserError
from studio.training.config.cautions import cautions
from studio.training.examples.measured_set import whole_tilt
from studio.training.messages.commands import SetBatchSize, SetHold, SetLatents, SetLearningRate, SetPerturbation
from studio.training.messages.events import (
    BatchSizeApplied,
    Event,
    HoldApplied,
    LatentsApplied,
    LearningRateApplied,
    Noticed,
    PerturbationApplied,
    PerturbationRejected,
)
from studio.training.run.reporter import Reporter

if TYPE_CHECKING:
    from studio.training.engine.trainer import Trainer

Change = SetPerturbation | SetHold | SetLearningRate | SetBatchSize | SetLatents


class Changes:
    """Makes them, and tells of them by events."""

    def __init__(self, trainer: Trainer, reporter: Reporter, tell: Callable[[Event], None]) -> None:
        self._trainer = trainer
        self._reporter = reporter
        self._tell = tell

    def caution(self) -> None:
        """Tell what speaks against training towards the target as set up."""
        trainer = self._trainer
        tilt = whole_tilt(trainer.applied, trainer.measured, trainer.config.batch.average_size)
        for error in cautions(tilt, trainer.config):
            self._tell(Noticed(step=trainer.step_count, error=error))

    def make(self, change: Change) -> None:
        """Take one up from the next step on."""
        match change:
            case SetPerturbation():
                self._retarget(change)
            case SetHold(hold=hold):
                if hold != self._trainer.config.hold:
                    self._trainer.hold(hold)
                    self._tell(HoldApplied(step=self._trainer.step_count, on=hold.on))
            case SetLearningRate():
                self._set_learning_rate(change)
            case SetBatchSize():
                self._set_batch_size(change)
            case SetLatents(latents=latents):
                self._reporter.latents = latents
                self._tell(LatentsApplied(step=self._trainer.step_count, latents=latents))
            case _:
                assert_never(change)

    def _retarget(self, change: SetPerturbation) -> None:
        revision = change.perturbation.revision
        try:
            self._trainer.retarget(change.perturbation)
        except UserError as error:
            self._tell(PerturbationRejected(revision=revision, error=error))
            return
        self._tell(PerturbationApplied(step=self._trainer.step_count, revision=revision))

    def _set_learning_rate(self, change: SetLearningRate) -> None:
        if change.network not in self._trainer.networks:
            return  # a setting that the model as built makes no use of
        step = self._trainer.step_count
        try:
            self._trainer.set_learning_rate(change.network, change.rate)
        except UserError as error:
            self._tell(Noticed(step=step, error=error))
            return
        self._tell(LearningRateApplied(step=step, network=change.network, rate=change.rate))

    def _set_batch_size(self, change: SetBatchSize) -> None:
        step = self._trainer.step_count
        try:
            self._trainer.set_batch_size(change.average_size)
        except UserError as error:
            self._tell(Noticed(step=step, error=error))
            return
        self._tell(BatchSizeApplied(step=step, average_size=change.average_size))
