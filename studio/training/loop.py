"""A run from its first step to its last: steps, commands between them, and reports at their cadence.

No thread here either: `RunLoop.run` blocks until the run is over, and hears and speaks through a mailbox.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, assert_never

import numpy as np

from studio.errors import UserError
from studio.models.diagnostic import Diagnostic
from studio.training.clock import Clock
from studio.training.health import Health, diverged
from studio.training.last_good import LastGood
from studio.training.mailbox import Mailbox
from studio.training.messages import (
    Command,
    LearningRateApplied,
    Logged,
    Noticed,
    Outcome,
    Pause,
    Paused,
    PerturbationApplied,
    PerturbationRejected,
    PlannedExamples,
    Restore,
    Restored,
    Resume,
    Resumed,
    SampleGrid,
    SampleNow,
    Save,
    Saved,
    SetLearningRate,
    SetPerturbation,
    Snapshot,
    Step,
    Stop,
    Warned,
)

if TYPE_CHECKING:
    from studio.training.recorder import Recorder
    from studio.training.trainer import StepReport, Trainer

_SNAPSHOT_SECONDS = 0.1
_RATE_SECONDS = 2.0
_RECENT_BATCHES = 50
_SHOWN_EXAMPLES = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """When a run is complete; without either it goes on until it is stopped.

    Attributes:
        steps: training steps.
        seconds: time spent training, pauses left out.
    """

    steps: int | None = None
    seconds: float | None = None

    def reached(self, steps: int, seconds: float) -> bool:
        """Whether the run is complete."""
        return (self.steps is not None and steps >= self.steps) or (
            self.seconds is not None and seconds >= self.seconds
        )


class RunLoop:
    """Drives one trainer.

    Args:
        trainer: takes the steps.
        mailbox: commands in; events and snapshots out.
        recorder: keeps the run on disk, if it is kept.
        limit: when the run is complete.
    """

    def __init__(
        self, trainer: Trainer, mailbox: Mailbox, recorder: Recorder | None = None, limit: Limit | None = None
    ) -> None:
        self.trainer = trainer
        self._mailbox = mailbox
        self._recorder = recorder
        self._limit = limit or Limit()
        self._clock = Clock()
        self._health = Health()
        self._good = LastGood(trainer)
        self._paused = False
        self._stopping = False
        self._report: StepReport | None = None
        self._grid: SampleGrid | None = None
        self._diagnostics: tuple[Diagnostic, ...] = ()
        self._next_grid = 0.0
        self._next_snapshot = 0.0
        self._recent: deque[np.ndarray[tuple[int, ...], np.dtype[np.float64]]] = deque(maxlen=_RECENT_BATCHES)
        self._rates: deque[tuple[float, int, int]] = deque()

    @property
    def seconds(self) -> float:
        """Time spent training, pauses left out."""
        return self._clock.seconds

    def run(self) -> Outcome:
        """Train until the limit is reached or a Stop comes; saves at the end.

        Returns:
            how it ended. A bug in a model passes through as it is, with everything saved that can be.
        """
        self._clock.start()
        self._sample()
        self._offer_snapshot()
        try:
            while not self._stopping and not self._limit.reached(self.trainer.step_count, self.seconds):
                self._obey(self._mailbox.commands(wait=0.25 if self._paused else None))
                if not self._paused and not self._stopping:
                    self._step()
        except BaseException:
            self._finish(Outcome.FAILED)
            raise
        outcome = Outcome.STOPPED if self._stopping else Outcome.COMPLETED
        self._finish(outcome)
        return outcome

    # -- steps and reports

    def _step(self) -> None:
        report = self.trainer.step()
        self._report = report
        self._recent.append(report.plan.weights)
        if self.trainer.step_count % self.trainer.config.cadence.log_every == 0:
            self._log(report)
        now = self.seconds
        if now >= self._next_grid:
            self._sample()
        if now >= self._next_snapshot and self._mailbox.snapshot_wanted:
            self._offer_snapshot()

    def _log(self, report: StepReport) -> None:
        values = report.values() | {"skipped": float(self.trainer.skipped), "epoch": self.trainer.epoch}
        point = Logged(step=self.trainer.step_count, seconds=self.seconds, values=values)
        self._mailbox.post(point)
        if self._recorder is not None:
            self._recorder.log(point)
        self._examine(values)

    def _examine(self, values: Mapping[str, float]) -> None:
        """Pause a run that has diverged, tell of one that looks unwell, and keep the state of one that is well."""
        step = self.trainer.step_count
        error = diverged(step, values)
        if error is not None:
            self._pause_with(error, back_to=self._good.step)
            return
        for found in self._health.look(values):
            self._mailbox.post(Noticed(step=step, error=found))
        if self._health.well:
            self._good.keep(self.seconds)

    def _sample(self) -> None:
        """A new sample grid, shown and kept."""
        count = self.trainer.config.cadence.samples
        self._grid = SampleGrid(
            step=self.trainer.step_count,
            raw=self.trainer.sample(count, averaged=False),
            averaged=self.trainer.sample(count),
        )
        self._diagnostics = self.trainer.diagnose()
        self._next_grid = self.seconds + self.trainer.config.cadence.sample_every
        if self._recorder is not None:
            recorder, grid = self._recorder, self._grid
            self._try(lambda: recorder.save_grid(grid))

    def _offer_snapshot(self) -> None:
        seconds, trainer, report = self.seconds, self.trainer, self._report
        self._next_snapshot = seconds + _SNAPSHOT_SECONDS
        self._rates.append((seconds, trainer.step_count, trainer.examples))
        while len(self._rates) > 2 and self._rates[1][0] < seconds - _RATE_SECONDS:
            self._rates.popleft()
        then, steps, examples = self._rates[0]
        elapsed = max(seconds - then, 1e-9)
        self._mailbox.offer(
            Snapshot(
                step=trainer.step_count,
                revision=report.plan.revision if report else trainer.perturbation.revision,
                seconds=seconds,
                epoch=trainer.epoch,
                examples=trainer.examples,
                steps_per_second=(trainer.step_count - steps) / elapsed,
                examples_per_second=(trainer.examples - examples) / elapsed,
                grid=self._grid,
                diagnostics=self._diagnostics,
                good_step=self._good.step,
                planned=self._planned(report) if report else None,
                recent_weights=np.concatenate(self._recent) if self._recent else np.empty(0),
            )
        )

    def _planned(self, report: StepReport) -> PlannedExamples:
        shown = report.plan.indices[:_SHOWN_EXAMPLES]
        return PlannedExamples(
            images=self.trainer.data.images[shown],
            labels=self.trainer.data.labels[shown],
            weights=report.plan.weights[:_SHOWN_EXAMPLES],
        )

    # -- commands

    def _obey(self, commands: list[Command]) -> None:
        last = {_subject(command): command for command in commands}
        for command in commands:
            # A dragged slider sends many targets, a turned wheel many rates: only the last one counts.
            if _subject(command) is None or command is last[_subject(command)]:
                self._act(command)

    def _act(self, command: Command) -> None:
        match command:
            case SetPerturbation():
                self._retarget(command)
            case SetLearningRate():
                self._set_learning_rate(command)
            case Pause():
                self._pause()
            case Resume():
                self._resume()
            case Step():
                self._pause()
                self._clock.start()
                self._step()
                self._clock.stop()
                self._offer_snapshot()
                self._mailbox.post(Paused(step=self.trainer.step_count))
            case SampleNow():
                self._sample()
                self._offer_snapshot()
            case Save():
                self._save(None)
            case Restore():
                self._restore()
            case Stop():
                self._stopping = True
            case _:
                assert_never(command)

    def _retarget(self, command: SetPerturbation) -> None:
        try:
            self.trainer.retarget(command.perturbation)
        except UserError as error:
            self._mailbox.post(PerturbationRejected(revision=command.perturbation.revision, error=error))
            return
        step = self.trainer.step_count
        if self._recorder is not None:
            self._recorder.note_edit(step)
        self._mailbox.post(PerturbationApplied(step=step, revision=command.perturbation.revision))

    def _set_learning_rate(self, command: SetLearningRate) -> None:
        if command.network not in self.trainer.networks:
            return  # a setting that the model as built makes no use of
        step = self.trainer.step_count
        self.trainer.set_learning_rate(command.network, command.rate)
        if self._recorder is not None:
            self._recorder.note_learning_rate(step, command.network, command.rate)
        self._mailbox.post(LearningRateApplied(step=step, network=command.network, rate=command.rate))

    def _restore(self) -> None:
        left = self.trainer.step_count
        self._pause()
        step = self._good.restore()
        if step is None:
            return
        self._health = Health()
        self._rates.clear()
        if self._recorder is not None:
            self._recorder.note_return(left, step)
        self._mailbox.post(Restored(step=step, left=left))
        self._sample()
        self._offer_snapshot()

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self._clock.stop()
            self._mailbox.post(Paused(step=self.trainer.step_count))
            self._offer_snapshot()

    def _resume(self) -> None:
        if self._paused:
            self._paused = False
            self._clock.start()
            self._rates.clear()
            self._mailbox.post(Resumed(step=self.trainer.step_count))

    def _pause_with(self, error: UserError, back_to: int | None = None) -> None:
        self._mailbox.post(Warned(step=self.trainer.step_count, error=error, back_to=back_to))
        self._pause()

    # -- disk

    def _try(self, write: Callable[[], object]) -> bool:
        """Write; a full or missing disk pauses the run with a message, and resuming tries again."""
        try:
            write()
        except UserError as error:
            self._pause_with(error)
            return False
        return True

    def _save(self, outcome: Outcome | None) -> None:
        if self._recorder is None:
            return
        recorder = self._recorder
        if self._try(lambda: recorder.save(outcome, self.seconds)):
            self._mailbox.post(Saved(step=self.trainer.step_count, path=recorder.folder.path))

    def _finish(self, outcome: Outcome) -> None:
        outdated = self._grid is not None and self._grid.step < self.trainer.step_count
        if outdated and outcome is not Outcome.FAILED:
            self._sample()
        self._clock.stop()
        self._save(outcome)
        self._offer_snapshot()


def _subject(command: Command) -> object:
    """What a command sets that a later one sets anew; None for those that each count."""
    match command:
        case SetPerturbation():
            return SetPerturbation
        case SetLearningRate():
            return SetLearningRate, command.network
        case _:
            return None
