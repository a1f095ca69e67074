"""Evaluations from the window's side: brings the judge in, asks for evaluations, and keeps what came of them."""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, field, replace

from PySide6.QtCore import QObject, Signal, Slot

from studio.evaluation.arrival import KEPT, Sighting
from studio.evaluation.record import curve_values
from studio.gui.evaluation.kept_evaluator import Asked, KeptEvaluator
from studio.gui.evaluation.run_judge import RunJudge
from studio.gui.run.run_control import RunControl
from studio.gui.state.history import History, HistoryView, OtherHistory, TimeView
from studio.gui.state.judge_offers import why_not_judged
from studio.gui.state.log import Log
from studio.gui.state.old_runs import Moment, Past, as_kept, sightings, with_told
from studio.gui.state.overlays import Overlays
from studio.gui.state.run_view import RunPhase
from studio.gui.state.setup import Setup
from studio.gui.state.task_runner import TaskRunner
from studio.gui.timeline.subject_data import SubjectData
from studio.gui.timeline.time_cursor import TimeCursor
from studio.training.config.run_config import RunConfig
from studio.training.messages.commands import CancelEvaluation, EvaluateNow
from studio.training.messages.events import Evaluated, Evaluating, EvaluationEnded
from studio.training.run.session import RunRequest

_REMEMBERED = 20 * KEPT
"""Evaluations of the run under way that it may go back among."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationView:
    """What is known, and what goes on.

    Attributes:
        latest: the evaluation of the newest step of this run.
        recent: the last few of the steps before and of that one, the oldest first.
        history: `curve_values` against step.
        doing: what goes on for a person who waits, in words; empty if nothing does.
        fraction: of that, in 0…1.
        possible: whether there is something to evaluate.
        tip: what that is, or why there is nothing, in a sentence.
    """

    latest: Evaluated | None = None
    recent: tuple[Sighting, ...] = ()
    history: HistoryView = field(default_factory=HistoryView)
    doing: str = ""
    fraction: float = 0.0
    possible: bool = False
    tip: str = ""


class EvaluationControl(QObject):
    """Asks for evaluations of the run that is shown, with its judge, and keeps what came of them."""

    shown_changed = Signal(object)  # EvaluationView at the time cursor
    history_shown = Signal(object)  # HistoryView of it
    evaluated = Signal(object)  # Evaluated

    def __init__(
        self,
        tasks: TaskRunner,
        setup: Setup,
        runs: RunControl,
        time: TimeCursor,
        data: SubjectData,
        overlays: Overlays,
        log: Log,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._setup, self._tasks, self._runs = setup, tasks, runs
        self._time, self._data, self._log = time, data, log
        self._history = History()  # of the run under way
        self._found: list[Evaluated] = []  # of it, in the order of their steps
        self.view = EvaluationView(history=HistoryView(history=self._history))
        self._seen = Moment(frame=None, evaluation=None)  # at the cursor, from disk
        self._at: object = (None, ())  # cursor and marks, as curves show them
        self._able, self._missing = False, ""  # what was said last: whether, or why not, to ask
        self._wanted = False  # as soon as the judge is there
        self._judge = RunJudge(tasks, log, self)
        self._judge.arrived.connect(self._on_judge)
        self._judge.failed.connect(self._give_up)
        self._on_disk = KeptEvaluator(tasks, runs, time, data, self._judge, log, self)
        self._on_disk.ended.connect(self._on_kept_evaluated)
        setup.config_changed.connect(self._on_config)
        runs.run_begins.connect(self._on_run_begins)
        runs.evaluation_arrived.connect(self._on_message)
        runs.went_back.connect(self._on_went_back)
        runs.run_changed.connect(self._on_run)
        time.run_shown.connect(self._on_run_shown)
        time.moment_shown.connect(self._on_moment)
        time.changed.connect(self._on_time)
        data.dataset_changed.connect(self._show)
        overlays.changed.connect(self._show)

    @Slot(object, object)
    def _on_run_begins(self, request: RunRequest, past: Past) -> None:
        """Have the judge of the run trained beside it, unless it is not asked for; of points there is none."""
        config = request.config.evaluation
        self._judge.judges, self._judge.asked = self._setup.judges, config
        self._wanted, self._on_disk.asked = False, None
        self._history, self._found = past.evaluations, list(past.recent)
        self._set(self._found_so_far(EvaluationView()))
        if config.budget > 0:
            self._judge.prepare()

    @Slot(object)
    def _on_config(self, config: RunConfig) -> None:
        """Have the judge that is set up evaluate a run that has ended; one that is under way keeps its own, which it
        may be wanted to hold its shares by only now.
        """
        if not self._runs.run.phase.active:
            self._judge.asked = config.evaluation
            self._on_run()
        elif config.hold.on:
            self._judge.prepare()
        if self._why_not != self._missing:
            self._show()

    @Slot()
    def evaluate(self) -> None:
        """Evaluate the model of this moment, or by the weights kept nearest to the step that is looked at."""
        kept = self._on_disk.run
        if kept is not None:
            step = self._time.view.step
            if not kept.why_not(step) and self._on_disk.evaluate(kept, step):
                self._show()
            return
        if self._judge.judges is None or self.view.doing:
            return
        if (refusal := self._judge.refusal) is not None:
            self._log.add_error(refusal)
            return
        self._wanted, here = True, self._judge.is_here
        self._set(replace(self.view, doing="Evaluating" if here else "Training the judge", fraction=0.0))
        self._on_judge() if here else self._judge.prepare()

    @Slot()
    def cancel(self) -> None:
        """Give up the evaluation of the run that is shown, and no other one."""
        if self._on_disk.give_up():
            self._show()
        else:
            self._runs.send(CancelEvaluation())
            self._judge.give_up()
            self._give_up()

    @Slot()
    def _on_judge(self) -> None:
        """Have the run evaluate itself, if that is wanted, unless it has ended meanwhile."""
        wanted, self._wanted = self._wanted, False
        if wanted and self._runs.run.phase in (RunPhase.RUNNING, RunPhase.PAUSED):
            self._runs.send(EvaluateNow())
        elif wanted:
            self._give_up()

    @Slot()
    def _give_up(self) -> None:
        self._wanted = False
        self._set(replace(self.view, doing=""))

    @Slot(object, object)
    def _on_kept_evaluated(self, asked: Asked, found: Evaluated | None) -> None:
        """Show it where its run is shown; if that has gone on, or is not shown, it is kept with that alone."""
        current, old, at = asked is self._on_disk.asked, self._time.old, self._time.history.cursor
        if current:
            self._on_disk.asked = None
            self._show()
        if found is None:
            return
        shown = current and asked.folder == self._time.folder
        if not shown:
            self._log.add(f"The evaluation of step {found.step:,} of {asked.folder.name} is kept with that run")
        if shown and old is not None:
            old.evaluations.append(found.step, curve_values(found.evaluation))
        if current and asked.folder == self._runs.run.folder:
            self._on_message(found)
        else:
            self.evaluated.emit(found)
        if shown and at is not None:
            self._time.seek(max(at, found.step))  # and so read what is there by now

    @Slot(object)
    def _on_message(self, message: Evaluated | Evaluating | EvaluationEnded) -> None:
        match message:
            case Evaluating():
                self._set(replace(self.view, doing=message.text, fraction=message.fraction))
            case EvaluationEnded():
                self._set(replace(self.view, doing=""))
            case Evaluated(evaluation=found):
                self._history.append(message.step, curve_values(found))
                insort(self._found, message, key=lambda each: each.step)
                self._found = [*map(as_kept, self._found[-_REMEMBERED:-1]), self._found[-1]]
                self._set(self._found_so_far(replace(self.view, doing="")))
                self.evaluated.emit(message)

    def _found_so_far(self, view: EvaluationView) -> EvaluationView:
        latest = self._found[-1] if self._found else None
        recent, history = sightings(self._found[-KEPT:]), HistoryView(history=self._history)
        return replace(view, latest=latest, recent=recent, history=history)

    @Slot(int)
    def _on_went_back(self, step: int) -> None:
        """The run's evaluations of later steps are undone with them."""
        self._history = self._history.until(step)
        self._found = [each for each in self._found if each.step <= step]
        self._set(self._found_so_far(self.view))

    @Slot(object)
    def _on_run(self) -> None:
        run = self._runs.run
        self._on_disk.look()
        possible = run.phase in (RunPhase.RUNNING, RunPhase.PAUSED) or bool(self._on_disk.steps)
        doing = "" if run.phase is RunPhase.STOPPING else self.view.doing
        if (possible, doing) != (self.view.possible, self.view.doing):  # not at every snapshot, which is news too
            self._set(replace(self.view, possible=possible, doing=doing))
        elif self.shown.possible is not self._able:
            self._show()

    def _set(self, view: EvaluationView) -> None:
        self.view = view
        if self._time.old is None:
            self._show()

    # -- at the time cursor

    @property
    def shown(self) -> EvaluationView:
        """The newest evaluation at the time cursor, and what goes on."""
        others = tuple(
            OtherHistory(title=run.title, config=run.config, history=run.evaluations) for run in self._time.others
        )
        if self._time.left:
            return EvaluationView(history=HistoryView(others=others, missing=self._why_not))
        view, kept = self._at_cursor, self._on_disk.run
        if kept is not None:
            step = self._time.view.step
            why_not = kept.why_not(step)
            tip = (why_not and self._data.missing) or why_not or kept.words(step)
            view = replace(view, possible=not why_not, tip=tip)
        if (asked := self._on_disk.shown) is not None:
            view = replace(view, doing=f"Evaluating step {asked.step:,}")
        return replace(view, history=replace(view.history, others=others, missing=self._why_not))

    @property
    def _why_not(self) -> str:
        """Why nothing that is generated of the data that are shown can be judged; empty if it can."""
        by = self._setup.config if self._time.old is None else self._time.old.config
        return why_not_judged(self._data.judges, by.evaluation.judge)

    @property
    def _at_cursor(self) -> EvaluationView:
        old, at = self._time.old, self._time.history  # of the same run, whose cursor and marks hold here, too
        if old is not None:
            seen = EvaluationView(latest=self._seen.evaluation, recent=self._seen.recent)
            return replace(seen, history=replace(at, history=old.evaluations))
        view = self.view
        if at.cursor is not None:
            then = with_told(self._seen, self._found, at.cursor)
            view = replace(view, latest=then.evaluation, recent=then.recent)
        return replace(view, history=replace(at, history=self._history))

    @property
    def history(self) -> HistoryView:
        """`curve_values` against step, at the time cursor."""
        return self.shown.history

    @property
    def config(self) -> RunConfig | None:
        return self._time.config

    def _show(self) -> None:
        shown = self.shown
        self._able, self._missing = shown.possible, shown.history.missing
        self.shown_changed.emit(shown)
        self.history_shown.emit(shown.history)

    @Slot()
    def _on_run_shown(self) -> None:
        self._seen = Moment(frame=None, evaluation=None)
        self._show()

    @Slot(object)
    def _on_moment(self, moment: Moment) -> None:
        self._seen = moment
        self._show()

    @Slot(object)
    def _on_time(self, view: TimeView) -> None:
        """The cursor is back at the newest step, or at one that is being read, or the curves have another mark."""
        before, self._at = self._at, (None if view.following else view.step, view.marks)
        if self._at != before:
            self._show() if view.following else self.history_shown.emit(self.history)
