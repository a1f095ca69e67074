"""A run from its first step to its last: steps, commands between them, and reports at their cadence.

No thread here either: `RunLoop.run` blocks until the run is over, and hears and speaks through a mailbox.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar, assert_never

import numpy as np
from numpy.typing import NDArray

from studio.errors import UserError
from studio.models.diagnostic import Diagnostic
from studio.training.clock import Clock, Pace
from studio.training.commands import (
    CancelComparison,
    CancelEvaluation,
    Command,
    ComparePlanners,
    EvaluateNow,
    Pause,
    Restore,
    Resume,
    SampleNow,
    Save,
    SetDelay,
    SetLearningRate,
    SetPerturbation,
    Step,
    Stop,
    without_outdated,
)
from studio.training.events import (
    LearningRateApplied,
    Logged,
    Noticed,
    Outcome,
    Paused,
    PerturbationApplied,
    PerturbationRejected,
    Restored,
    Resumed,
    Saved,
    Warned,
)
from studio.training.health import Health, diverged
from studio.training.last_good import LastGood
from studio.training.mailbox import Mailbox
from studio.training.on_demand import OnDemand
from studio.training.snapshot import PlannedExamples, SampleGrid, Snapshot

if TYPE_CHECKING:
    from studio.training.evaluator import Evaluator
    from studio.training.plane_watch import PlaneWatch
    from studio.training.recorder import Recorder
    from studio.training.trainer import StepReport, Trainer

_SNAPSHOT_SECONDS = 0.1
_WAIT_SECONDS = 0.25
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
        evaluator: finds out whether the tilt arrives, if there is one.
    """

    def __init__(
        self,
        trainer: Trainer,
        mailbox: Mailbox,
        recorder: Recorder | None = None,
        limit: Limit | None = None,
        evaluator: Evaluator | None = None,
    ) -> None:
        self.trainer = trainer
        self._mailbox = mailbox
        self._recorder = recorder
        self._limit = limit or Limit()
        self._evaluator = evaluator
        self._clock = Clock()
        self._health = Health()
        self._good = LastGood(trainer)
        self._comparison = OnDemand(trainer, mailbox.post)
        self._paused = False
        self._stopping = False
        self._report: StepReport | None = None
        self._grid: SampleGrid | None = None
        self._diagnostics: tuple[Diagnostic, ...] = ()
        self._next_grid = 0.0
        self._next_snapshot = 0.0
        self._recent: deque[NDArray[np.float64]] = deque(maxlen=_RECENT_BATCHES)
        self._pace = Pace()
        self._delay = 0.0
        self._plane = _plane_watch(trainer)

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
                self._obey(self._mailbox.commands(wait=self._patience))
                if self._stopping or self._aside() or self._paused:
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

    @property
    def _asked(self) -> bool:
        """Whether the person waits for something beside training."""
        return self._comparison.busy or (self._evaluator is not None and self._evaluator.demanded)

    @property
    def _patience(self) -> float | None:
        """Seconds to wait for a command; None not to wait at all."""
        if self._asked:
            return None
        return _WAIT_SECONDS if self._paused else self._delay or None

    def _aside(self) -> bool:
        """A piece of what the person waits for, if there is one; it is no training and counts as no time of it."""
        if not self._asked:
            return False
        self._clock.stop()
        if self._comparison.busy:
            self._comparison.advance()
        elif self._evaluator is not None:
            self._mailbox.post(self._evaluator.advance())
        self._count_on()
        return True

    def _count_on(self) -> None:
        """Count the time again, unless the run waits or something else than training goes on."""
        self._clock.stop()
        if not self._paused and not self._asked:
            self._clock.start()

    # -- steps and reports

    def _step(self, network: str = "") -> None:
        report = self.trainer.step(network)
        self._report = report
        self._recent.append(report.plan.weights)
        if self.trainer.step_count % self.trainer.config.cadence.log_every == 0:
            self._log(report)
        now = self.seconds
        if now >= self._next_grid:
            self._sample()
        if now >= self._next_snapshot and self._mailbox.snapshot_wanted:
            self._offer_snapshot()
        evaluated = self._evaluator.turn(now) if self._evaluator is not None else None
        if evaluated is not None:
            self._mailbox.post(evaluated)

    def _log(self, report: StepReport) -> None:
        values = report.values() | {"skipped": float(self.trainer.skipped), "epoch": self.trainer.epoch}
        if self._plane is not None:
            self._plane.measure()
            values |= self._plane.values
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

    def _sample(self) -> bool:
        """A new sample grid, shown and kept; whether it could be kept."""
        count, overview = self.trainer.config.cadence.samples, self.trainer.data.overview
        self._grid = SampleGrid(
            step=self.trainer.step_count,
            raw=_read_only(overview(self.trainer.sample(count, averaged=False))),
            averaged=_read_only(overview(self.trainer.sample(count))),
        )
        self._diagnostics = self.trainer.diagnose()
        self._next_grid = self.seconds + self.trainer.config.cadence.sample_every
        if self._recorder is None:
            return True
        recorder, grid = self._recorder, self._grid
        return self._try(lambda: recorder.save_grid(grid))

    def _offer_snapshot(self) -> None:
        seconds, trainer, report = self.seconds, self.trainer, self._report
        plane = self._plane
        frame = plane.frame() if plane is not None else None
        self._next_snapshot = self.seconds + (plane.pause if plane is not None else _SNAPSHOT_SECONDS)
        steps, examples = self._pace.after(seconds, trainer.step_count, trainer.examples)
        self._mailbox.offer(
            Snapshot(
                step=trainer.step_count,
                revision=report.plan.revision if report else trainer.perturbation.revision,
                seconds=seconds,
                epoch=trainer.epoch,
                examples=trainer.examples,
                steps_per_second=steps,
                examples_per_second=examples,
                grid=self._grid,
                diagnostics=self._diagnostics,
                good_step=self._good.step,
                planned=self._planned(report) if report else None,
                plane=frame,
                recent_weights=_read_only(np.concatenate(self._recent) if self._recent else np.empty(0)),
            )
        )

    def _planned(self, report: StepReport) -> PlannedExamples:
        data, shown = self.trainer.data, report.plan.indices[:_SHOWN_EXAMPLES]
        return PlannedExamples(
            images=_read_only(data.pictures(data.values[shown])),
            labels=_read_only(data.labels[shown]),
            weights=_read_only(report.plan.weights[:_SHOWN_EXAMPLES]),
        )

    # -- commands

    def _obey(self, commands: list[Command]) -> None:
        for command in without_outdated(commands):
            if self._stopping:
                return
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
            case SetDelay():
                self._delay = command.seconds
            case Step():
                self._pause()
                self._clock.start()
                self._step(command.network)
                self._clock.stop()
                self._offer_snapshot()
                self._mailbox.post(Paused(step=self.trainer.step_count))
            case SampleNow():
                self._sample()
                self._offer_snapshot()
            case ComparePlanners() | CancelComparison() | EvaluateNow() | CancelEvaluation():
                self._ask(command)
                self._count_on()
            case Save():
                self._save(None)
            case Restore():
                self._restore()
            case Stop():
                self._stopping = True
            case _:
                assert_never(command)

    def _ask(self, command: ComparePlanners | CancelComparison | EvaluateNow | CancelEvaluation) -> None:
        if isinstance(command, ComparePlanners | CancelComparison):
            self._comparison.obey(command)
        elif self._evaluator is not None:
            begin = isinstance(command, EvaluateNow)
            ended = self._evaluator.demand(self.seconds) if begin else self._evaluator.cancel()
            if ended is not None:
                self._mailbox.post(ended)

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
        self._pace.forget()
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
            self._pace.forget()
            self._mailbox.post(Resumed(step=self.trainer.step_count))

    def _pause_with(self, error: UserError, back_to: int | None = None) -> None:
        self._mailbox.post(Warned(step=self.trainer.step_count, error=error, back_to=back_to))
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


def _plane_watch(trainer: Trainer) -> PlaneWatch | None:
    """What looks at points while they are learned; None for images."""
    if trainer.data.plane is None:
        return None
    from studio.training.plane_watch import PlaneWatch

    return PlaneWatch(trainer, trainer.data.plane)
