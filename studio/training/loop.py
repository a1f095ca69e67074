"""A run from its first step to its last: steps, commands between them, and reports at their cadence.

No thread here either: `RunLoop.run` blocks until the run is over, and hears and speaks through a mailbox.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, assert_never

import numpy as np
from numpy.typing import NDArray

from studio.errors import UserError
from studio.training.clock import Clock
from studio.training.mailbox import Mailbox
from studio.training.messages import (
    Command,
    Logged,
    Outcome,
    Pause,
    Paused,
    PerturbationApplied,
    PerturbationRejected,
    PlannedExamples,
    Resume,
    Resumed,
    SampleGrid,
    SampleNow,
    Save,
    Saved,
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
_WAIT_SECONDS = 0.25
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


Array = TypeVar("Array", bound=NDArray[np.generic])


def _read_only(array: Array) -> Array:
    """`array` itself, which another thread is about to see."""
    array.flags.writeable = False
    return array


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
        self._paused = False
        self._stopping = False
        self._report: StepReport | None = None
        self._grid: SampleGrid | None = None
        self._next_grid = 0.0
        self._next_snapshot = 0.0
        self._recent: deque[NDArray[np.float64]] = deque(maxlen=_RECENT_BATCHES)
        self._rates: deque[tuple[float, int, int]] = deque()

    @property
    def seconds(self) -> float:
        """Time spent training, pauses left out."""
        return self._clock.seconds

    def run(self) -> Outcome:
        """Train until the limit is reached or a Stop comes; saves at the end.

        A complete run that cannot be saved waits, paused, until there is room or a Stop comes.

        Returns:
            how it ended. A bug in a model passes through as it is, with everything saved that can be.

        Raises:
            UserError: the run was stopped and cannot be saved.
        """
        self._clock.start()
        try:
            self._sample()
            self._offer_snapshot()
            while not self._stopping:
                self._obey(self._mailbox.commands(wait=_WAIT_SECONDS if self._paused else None))
                if self._paused or self._stopping:
                    continue
                if not self._limit.reached(self.trainer.step_count, self.seconds):
                    self._step()
                elif self._finish(Outcome.COMPLETED):
                    return Outcome.COMPLETED
            self._finish(Outcome.STOPPED)
        except BaseException:
            self._rescue()
            raise
        return Outcome.STOPPED

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
        # Losses alone: a metric of a batch that weighs nothing has no value, and is none the worse for it.
        if not all(np.isfinite(value) for name, value in values.items() if name.startswith("loss_")):
            self._pause_with(
                UserError(
                    "Training has diverged",
                    f"A loss is no longer a finite number at step {self.trainer.step_count:,}.",
                    "Stop, lower the learning rate or weaken the tilt, and start again.",
                )
            )

    def _sample(self) -> bool:
        """A new sample grid, shown and kept; whether it could be kept."""
        count = self.trainer.config.cadence.samples
        self._grid = SampleGrid(
            step=self.trainer.step_count,
            raw=self.trainer.sample(count, averaged=False),
            averaged=self.trainer.sample(count),
        )
        self._next_grid = self.seconds + self.trainer.config.cadence.sample_every
        if self._recorder is None:
            return True
        recorder, grid = self._recorder, self._grid
        return self._try(lambda: recorder.save_grid(grid))

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
                planned=self._planned(report) if report else None,
                recent_weights=_read_only(np.concatenate(self._recent) if self._recent else np.empty(0)),
            )
        )

    def _planned(self, report: StepReport) -> PlannedExamples:
        shown = report.plan.indices[:_SHOWN_EXAMPLES]
        return PlannedExamples(
            images=_read_only(self.trainer.data.images[shown]),
            labels=_read_only(self.trainer.data.labels[shown]),
            weights=_read_only(report.plan.weights[:_SHOWN_EXAMPLES]),
        )

    # -- commands

    def _obey(self, commands: list[Command]) -> None:
        targets = [command for command in commands if isinstance(command, SetPerturbation)]
        for command in commands:
            if self._stopping:
                return
            # A dragged slider sends many targets: only the last one counts.
            if not isinstance(command, SetPerturbation) or command is targets[-1]:
                self._act(command)

    def _act(self, command: Command) -> None:
        match command:
            case SetPerturbation():
                self._retarget(command)
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

    def _pause_with(self, error: UserError) -> None:
        self._mailbox.post(Warned(step=self.trainer.step_count, error=error))
        self._pause()

    # -- disk

    def _try(self, write: Callable[[], object]) -> bool:
        """Write; a full or missing disk pauses the run with a message, and what was not written is tried again later.

        Raises:
            UserError: the run is stopping, so that there is no later.
        """
        try:
            write()
        except UserError as error:
            if self._stopping:
                raise
            self._pause_with(error)
            return False
        return True

    def _save(self, outcome: Outcome | None) -> bool:
        if self._recorder is None:
            return True
        recorder = self._recorder
        saved = self._try(lambda: recorder.save(outcome, self.seconds))
        if saved:
            self._mailbox.post(Saved(step=self.trainer.step_count, path=recorder.folder.path))
        return saved

    def _finish(self, outcome: Outcome) -> bool:
        """Draw and keep the last state; whether it could be kept."""
        outdated = self._grid is None or self._grid.step < self.trainer.step_count
        kept = self._save(outcome) and (not outdated or self._sample())
        self._clock.stop()
        self._offer_snapshot()
        return kept

    def _rescue(self) -> None:
        """Keep what can be kept, and let no second fault hide the first."""
        self._clock.stop()
        self._stopping = True
        with suppress(Exception):
            self._save(Outcome.FAILED)
        with suppress(Exception):
            self._offer_snapshot()
