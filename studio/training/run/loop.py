"""A run from its first step to its last: steps, commands between them, and reports at their cadence.

No thread here either: `RunLoop.run` blocks until the run is over, and hears and speaks through a mailbox.
"""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, assert_never

from studio.errors import UserError
from studio.training.analysis.side_tasks import SideTasks
from studio.training.config.run_config import StopCondition
from studio.training.messages.commands import (
    Change,
    Command,
    Pause,
    Restore,
    Resume,
    SampleNow,
    Save,
    SaveElsewhere,
    SetDelay,
    SetLatents,
    ShowBetween,
    SideTask,
    Step,
    Stop,
    without_outdated,
)
from studio.training.messages.events import Event, Logged, Outcome, Paused, Resumed, ThreadsChanged, Warned
from studio.training.messages.mailbox import Mailbox
from studio.training.run.changes import Changes
from studio.training.run.clock import Stopwatch
from studio.training.run.recovery import BrokenStep, Recovery
from studio.training.run.reporter import Reporter
from studio.training.run.saver import Saver

if TYPE_CHECKING:
    from studio.training.analysis.evaluator import Evaluator
    from studio.training.engine.learner import StepReport
    from studio.training.engine.threads import ThreadGuard
    from studio.training.engine.trainer import Trainer
    from studio.training.storage.recorder import Recorder

_WAIT_SECONDS = 0.25


class RunLoop:
    """Drives one trainer, by commands from a mailbox, which it hands events and snapshots.

    Args:
        recorder: keeps the run on disk, if it is kept.
        evaluator: finds out whether the tilt arrives, if there is one.
        threads: has fewer threads compute while other programs keep the processor busy.
        seconds: spent training before, if the run goes on from a checkpoint.
    """

    def __init__(
        self,
        trainer: Trainer,
        mailbox: Mailbox,
        recorder: Recorder | None = None,
        limit: StopCondition | None = None,
        evaluator: Evaluator | None = None,
        threads: ThreadGuard | None = None,
        seconds: float = 0.0,
    ) -> None:
        self.trainer = trainer
        self._mailbox = mailbox
        self._limit = limit or StopCondition()
        self._threads = threads
        self._clock = Stopwatch(seconds)
        self._recorder = recorder
        self._saver = Saver(
            trainer, recorder, self._clock, self._tell, lambda error: self._pause_with(error, unsaved=True)
        )
        self._recovery = Recovery(trainer, recorder, self._tell)
        self._side_tasks = SideTasks(trainer, evaluator, self._tell)
        self._reporter = Reporter(trainer, self._clock, recorder)
        self._changes = Changes(trainer, self._reporter, self._tell)
        self._paused = self._stopping = self._stop_refused = False
        self._delay = 0.0

    @property
    def seconds(self) -> float:
        return self._clock.seconds

    def run(self) -> Outcome:
        """Train until the limit is reached or a Stop comes; saves at the end.

        A run that is complete or was stopped and cannot be saved waits, paused, until there is room, until it is saved
        elsewhere, or until a Stop insists.

        Returns how it ended; UserError if a Stop insisted and the run cannot be saved. A bug in a model passes through
        as it is, with everything saved that can be.
        """
        self._clock.start()
        try:
            if self._saver.checkpoint():  # so that there is something to go on from, whatever happens
                self._sample()
            self._changes.caution()
            self._offer_snapshot()
            while True:
                self._side_tasks.look(self.seconds)
                self._obey(self._mailbox.commands(wait=self._patience))
                if self._stopping:
                    if self._finish(Outcome.STOPPED):
                        return Outcome.STOPPED
                    self._stopping = False
                if self._do_side_task() or self._paused:
                    continue
                if not self._limit.reached(self.trainer.step_count, self.seconds):
                    self._step()
                elif self._finish(Outcome.COMPLETED):
                    return Outcome.COMPLETED
        except BaseException:
            self._rescue()
            raise

    @property
    def _patience(self) -> float | None:
        """Seconds to wait for a command; None not to wait at all."""
        if self._side_tasks.waited_for:
            return None
        return _WAIT_SECONDS if self._paused else self._delay or None

    def _do_side_task(self) -> bool:
        """Do a piece of what the person waits for, if there is one; the clock stands still meanwhile."""
        if not self._side_tasks.waited_for:
            return False
        self._clock.stop()
        self._side_tasks.advance()
        self._count_on()
        return True

    def _count_on(self) -> None:
        """Count the time again, unless the run waits or something else than training goes on."""
        self._clock.stop()
        if not self._paused and not self._side_tasks.waited_for:
            self._clock.start()

    # -- steps and reports

    def _step(self, network: str = "") -> None:
        begun, report = time.perf_counter(), self._recovery.step(network)
        if isinstance(report, BrokenStep):
            if report.undone:
                self._forget_undone()
            self._pause_with(report.error, back_to=report.back_to, smaller=report.smaller)
            return
        if self._threads is not None and self._threads.note(time.perf_counter() - begun):
            self._mailbox.post(ThreadsChanged(step=self.trainer.step_count, threads=self._threads.count))
        self._reporter.note(report)
        if self.trainer.step_count % self.trainer.config.cadence.log_every == 0:
            self._log(report)
        if self._reporter.grid_is_due:
            self._sample()
        if self._reporter.snapshot_is_due and self._mailbox.snapshot_wanted:
            self._offer_snapshot(hurried=True)
        if self._saver.is_due and not self._paused:
            self._saver.checkpoint()
        self._side_tasks.take_turn(self.seconds)

    def _log(self, report: StepReport) -> None:
        values = self._reporter.logged(report)
        self._tell(Logged(step=self.trainer.step_count, seconds=self.seconds, values=values))
        error = self._recovery.examine(values, self.seconds)
        if error is not None:
            self._pause_with(error, back_to=self._recovery.good_step)

    def _sample(self, *, thorough: bool = False) -> bool:
        """A new sample grid, shown and kept; whether it could be kept."""
        return self._saver.frame(self._reporter.draw(thorough=thorough))

    def _tell(self, event: Event) -> None:
        self._mailbox.post(event)
        if self._recorder is not None:
            self._recorder.hear(event)

    def _offer_snapshot(self, *, hurried: bool = False) -> None:
        self._mailbox.offer(self._reporter.snapshot(self._recovery.good_step, hurried=hurried))

    # -- commands

    def _obey(self, commands: list[Command]) -> None:
        for command in without_outdated(commands):
            if self._stopping:
                return
            self._act(command)

    def _act(self, command: Command) -> None:
        match command:
            case Change():
                self._changes.make(command)
            case SetLatents() | ShowBetween():
                self._show(command)
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
                self._sample(thorough=True)
                self._offer_snapshot()
            case SideTask():
                self._side_tasks.obey(command, self.seconds)
                self._count_on()
            case Save() | SaveElsewhere():
                self._save(command)
            case Restore():
                self._restore()
            case Stop():
                self._stopping = True
                self._saver.insisting = command.insist
            case _:
                assert_never(command)

    def _show(self, command: SetLatents | ShowBetween) -> None:
        """Samples of other latents, or the way between some."""
        if isinstance(command, SetLatents):
            self._changes.make(command)
            self._sample()
        else:
            self._reporter.asked = command
            self._reporter.draw_between()
        self._offer_snapshot()

    def _restore(self) -> None:
        self._pause()
        if self._recovery.to_last_good():
            self._forget_undone()
            if self._saver.save():  # so that no checkpoint is left of what was undone
                self._sample(thorough=True)
            self._offer_snapshot()

    def _forget_undone(self) -> None:
        """Nothing that began with the steps that were undone is shown or told any more."""
        self._reporter.forget()
        self._side_tasks.give_up()

    def _pause(self) -> None:
        if not self._paused:
            self._paused = True
            self._clock.stop()
            self._mailbox.post(Paused(step=self.trainer.step_count))
            self._offer_snapshot()

    def _resume(self) -> None:
        self._stop_refused = False
        if self._paused:
            self._paused = False
            self._clock.start()
            self._reporter.pace.forget()
            self._tell(Resumed(step=self.trainer.step_count))

    def _pause_with(
        self, error: UserError, back_to: int | None = None, *, unsaved: bool = False, smaller: float | None = None
    ) -> None:
        stopping = self._stop_refused = unsaved and (self._stopping or self._stop_refused)
        step = self.trainer.step_count
        self._tell(Warned(step=step, error=error, back_to=back_to, unsaved=unsaved, stopping=stopping, smaller=smaller))
        self._pause()

    def _save(self, command: Save | SaveElsewhere) -> None:
        if isinstance(command, Save):
            self._saver.save()
        elif self._saver.move(command.root):
            self._stopping = self._stop_refused
            if not self._stopping:
                self._resume()

    # -- the end

    def _finish(self, outcome: Outcome) -> bool:
        """Draw and keep the last state; whether it could be kept."""
        kept = self._saver.save(outcome) and (self._reporter.grid_is_current or self._sample(thorough=True))
        self._clock.stop()
        self._offer_snapshot()
        return kept

    def _rescue(self) -> None:
        """Keep what can be kept, and let no second fault hide the first."""
        self._clock.stop()
        self._saver.insisting = True
        with suppress(Exception):
            self._saver.save(Outcome.FAILED)
        with suppress(Exception):
            self._offer_snapshot()
