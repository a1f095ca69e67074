"""The run from the window's side: starts it, steers it, and turns what it says into the values that panels show."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal, Slot

from studio.errors import UserError
from studio.gui.run.mailbox_timer import MailboxTimer
from studio.gui.state.history import History
from studio.gui.state.log import Level, Log, line_of
from studio.gui.state.old_runs import Past
from studio.gui.state.run_view import RunPhase, RunView, run_after
from studio.training.config.run_config import PerturbationConfig, RunConfig
from studio.training.config.run_title import run_title
from studio.training.messages.commands import Command, Stop
from studio.training.messages.events import (
    BatchSizeApplied,
    ComparingPlanners,
    Evaluated,
    Evaluating,
    EvaluationEnded,
    Event,
    Finished,
    HoldApplied,
    LearningRateApplied,
    Logged,
    PerturbationApplied,
    PerturbationRejected,
    PlannersCompared,
    Restored,
    Warned,
)
from studio.training.messages.marks import mark_of
from studio.training.messages.snapshot import Snapshot
from studio.training.run.session import RunHandle, RunRequest


class RunControl(QObject):
    """At most one run at a time."""

    run_changed = Signal(object)  # RunView
    run_begins = Signal(object, object)  # RunRequest, Past: from here on it is another run
    run_reset = Signal()  # it is a new one: forget the old one's pictures
    snapshot_arrived = Signal(object)  # Snapshot
    went_back = Signal(int)  # to this step; those after it are undone
    history_changed = Signal()  # new points or marks, or another one
    target_applied = Signal(int, int)  # step, and the revision that the run trains towards from it on
    target_rejected = Signal(int, object)  # revision, UserError
    troubled = Signal(object)  # Warned | Finished: something that the person can mend has paused or ended the run
    comparing_planners = Signal(float)  # how far a comparison of planners is, 0…1
    planners_compared = Signal(object)  # PlannerReport | None if it was called off
    evaluation_arrived = Signal(object)  # Evaluated | Evaluating | EvaluationEnded
    batch_size_applied = Signal(float)  # B_avg that the run now plans batches of

    def __init__(self, log: Log, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._log = log
        self.run = RunView()
        self.config: RunConfig | None = None  # of the run under way, or else the last one; its target is the first one
        self.title = ""  # of the run, in a few words
        self._titled: Callable[[RunConfig], str] = run_title
        self.data = ""  # fingerprint of its data set; empty where that is not known
        self.history = History()
        self.released = -1  # step after which nothing of what was corrected before is applied
        self._given_up = False  # the run was ended although it could not be saved
        self._then: Callable[[], object] | None = None  # is done once the run has stopped
        self._timer = MailboxTimer(self)
        self._timer.news.connect(self._on_news)

    @property
    def busy(self) -> bool:
        """A run is under way, or its last words have not been heard."""
        return self.run.phase.active or self._timer.handle is not None

    def start(
        self,
        request: RunRequest,
        past: Past,
        intervals: tuple[int, int],
        title: str,
        data: str,
        titled: Callable[[RunConfig], str],
    ) -> None:
        """Begin a run, or go on with one.

        Args:
            intervals: milliseconds at least and at most between two looks at it.
            data: fingerprint of its data set.
            titled: what a run on it is called that has no name.
        """
        self.config, found = request.config, request.resumption
        self.title, self.data, self._titled = title, data, titled
        self.run_begins.emit(request, past)
        self.history = past.history
        if found is None or found.forked or found.run != self.run.folder:
            self.run_reset.emit()
        self._given_up, self.released = False, -1
        self.history_changed.emit()
        run = RunView(phase=RunPhase.PREPARING)
        if found is not None and not found.forked:  # stopped before its next step, it can be gone on with as before
            run = replace(run, folder=found.run, step=found.step, saved_step=found.step)
        self._set_run(run)
        self._timer.watch(RunHandle(request), intervals)

    def call(self, title: str) -> None:
        """The run is called so from now on."""
        if title != self.title:
            self.title = title
            self.run_changed.emit(self.run)

    def retitle(self, before: PerturbationConfig, now: PerturbationConfig) -> None:
        """Call a run that has no name by the target that it has now, as the table of runs does."""
        if self.config is not None:
            was, is_now = (self.config.model_copy(update={"perturbation": target}) for target in (before, now))
            if self.title == self._titled(was):
                self.call(self._titled(is_now))

    def send(self, command: Command) -> None:
        """Hand the run a command; one that comes when there is none is dropped."""
        if self._timer.handle is not None:
            self._timer.handle.send(command)

    def stop(self, *, insist: bool = False) -> None:
        """End the run in good order, or even if it cannot be saved; what it drew stays."""
        if self.run.phase.active:
            self._given_up = insist
            self._set_run(replace(self.run, phase=RunPhase.STOPPING))
            self.send(Stop(insist=insist))

    def stop_before(self, act: Callable[[], object]) -> None:
        """Do something once nothing trains; never if the run that does cannot be stopped."""
        if self.busy:
            self._then = act
            self.stop()
        else:
            act()

    def shutdown(self, seconds: float | None) -> bool:
        """Stop and wait, as long as it takes if no time is given; whether the run ended in time. It is never killed."""
        self.send(Stop(insist=True))
        return self._timer.join(seconds)

    def _set_run(self, run: RunView) -> None:
        if run != self.run:
            self.run = run
            self.run_changed.emit(run)

    @Slot(object, object, int)
    def _on_news(self, snapshot: Snapshot | None, events: Sequence[Event], dropped: int) -> None:
        if snapshot is not None:
            self._set_run(run_after(self.run, snapshot))
            self.snapshot_arrived.emit(snapshot)
        for event in events:
            self._on_event(event)
        if dropped:
            self._log.add(f"{dropped:,} points of the curves came too fast and were left out", Level.WARNING)
        if events:
            self.history_changed.emit()
        then = self._then
        if then is not None and self.run.phase is not RunPhase.STOPPING:
            self._then = None
            if not self.busy:
                then()

    def _on_event(self, event: Event) -> None:
        self._set_run(run_after(self.run, event))
        line = line_of(event)
        if line is not None:
            self._log.add_line(line)
        if isinstance(event, Restored):
            # Another history, so that every plot starts afresh instead of drawing on.
            self.history = self.history.until(event.step)
            self.released = -1 if self.config is None or self.config.hold.on else event.step
            self.went_back.emit(event.step)
        mark = mark_of(event)
        if mark is not None:
            self.history.marks.append(mark)
        match event:
            case Logged():
                self.history.append(event.step, event.values)
            case PerturbationApplied():
                self.target_applied.emit(event.step, event.revision)
            case PerturbationRejected():
                self.target_rejected.emit(event.revision, event.error)
            case BatchSizeApplied(average_size=size):
                self._take("batch", average_size=size)
                self.batch_size_applied.emit(size)
            case HoldApplied(on=on):
                self._take("hold", on=on)
                self.released = self.released if on else event.step
            case LearningRateApplied(network=network, rate=rate):
                self._take_rate(network, rate)
            case Warned():
                self.troubled.emit(event)
            case Finished(error=UserError()) if not self._given_up:
                self.troubled.emit(event)
            case _:
                self._on_answer(event)

    def _take(self, section: str, **changes: object) -> None:
        """The run has other settings from now on."""
        if self.config is not None:
            now = getattr(self.config, section).model_copy(update=changes)
            self.config = self.config.model_copy(update={section: now})

    def _take_rate(self, network: str, rate: float) -> None:
        if self.config is not None:
            model = self.config.model.with_learning_rates({network: rate})
            self.config = self.config.model_copy(update={"model": model})

    def _on_answer(self, event: Event) -> None:
        """What came of something that was asked for beside training."""
        match event:
            case Evaluated() | Evaluating() | EvaluationEnded():
                self.evaluation_arrived.emit(event)
            case ComparingPlanners(fraction=fraction):
                self.comparing_planners.emit(fraction)
            case PlannersCompared(report=report):
                self.planners_compared.emit(report)
            case _:
                pass
