"""Runs that wait for their turn: a list to add to, reorder, pause and retry, which goes on after a restart."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QLabel, QMenu, QToolButton, QWidget

from studio.gui.forms.number_field import NumberField, NumberStyle, Range
from studio.gui.queue.length import LengthField
from studio.gui.queue.queue_control import QueueControl
from studio.gui.queue.sweep_actions import SweepActions
from studio.gui.queue.table import QueueTable
from studio.gui.state.log import Level, Log
from studio.gui.state.setup import Setup
from studio.gui.widgets.buttons import menu_action, push_button, tool_button
from studio.gui.widgets.flow_layout import FlowLayout, flow_of
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import fill
from studio.gui.widgets.live_panel import LivePanel
from studio.gui.widgets.messages import notify
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import named, set_help
from studio.jobs.job import Job, JobStatus
from studio.number_text import format_eta

_EMPTY = "No run is queued. Set one up, say how long it is to train, and press “Add”; then run the queue."
_MOST_AT_ONCE = 16

_SWEEP = "Queue many runs of what is set up, over values of any settings and several seeds."

Able = Callable[[Job], bool]


class QueuePanel(LivePanel):
    """The queue as a table, with what can be done to it above and when it will be through below."""

    NAME, TITLE = "queue", "Queue"
    wanted = Signal()  # to be brought into sight

    def __init__(
        self,
        setup: Setup,
        queue: QueueControl,
        sweeps: SweepActions,
        log: Log,
        theme: ThemeManager,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(theme, parent)
        self.queue, self._setup, self._sweeps, self._log = queue, setup, sweeps, log
        self.table = QueueTable()
        self._drawn: Sequence[Job] = ()
        self.hint = QLabel(_EMPTY, wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self.hint.setProperty("role", "muted")
        tip = "How many runs are left, and when the last will have ended, about."
        self.outlook = plain_label(role="muted", title="Outlook", tip=tip)
        fill(self.body, self._make_adding(), self._make_buttons(), (self.hint, 1), (self.table, 1), self.outlook)
        self.show_body()
        self.queue.changed.connect(self.request_draw)
        self.queue.through.connect(self._tell_through)
        self.table.itemSelectionChanged.connect(self._offer)
        self.table.moved.connect(self._move)
        self.table.remove_asked.connect(lambda: self._act(self.queue.remove, _idle))
        self.draw()

    def _make_adding(self) -> FlowLayout:
        self.length = LengthField("queue")
        tip = "Queue a run of what is set up now; edits made later do not reach it. (Ctrl+Shift+A)"
        self.add = push_button("queue_add", "Add", tip, self._add)
        self.add.setShortcut("Ctrl+Shift+A")
        sweep = push_button("queue_sweep", "Sweep…", f"{_SWEEP} (Ctrl+Shift+W)", self._ask_sweep)
        tip = "How many queued runs train at a time, each in a process of its own."
        field = NumberField(NumberStyle(integer=True, step=1, unit="at once"), Range(lowest=1, highest=_MOST_AT_ONCE))
        self.at_once = named(field, "queue_at_once", "Runs at once", tip)
        self.at_once.show_value(1)
        self.at_once.finished.connect(self._set_at_once)
        self.run = push_button("queue_run", "", "", lambda: self.queue.run(not self.queue.running))
        widgets = (self.add, self.length, sweep, self.run, self.at_once)
        return flow_of(*widgets, spacing=self.theme.tokens.spacing // 2)

    def _make_buttons(self) -> FlowLayout:
        queue = self.queue
        self.buttons: dict[str, tuple[QToolButton, Able]] = {}
        for name, title, tip, act, able in (
            ("up", "Earlier", "Let the chosen runs have their turn earlier. (Alt+Up)", self._earlier, _waits),
            ("down", "Later", "Let the chosen runs have their turn later. (Alt+Down)", self._later, _waits),
            ("cancel", "Cancel", "Stop the chosen runs, which are saved, or leave them out.", queue.cancel, _not_ended),
            ("retry", "Retry", "Give runs that have ended another turn, from where they were.", queue.retry, _ended),
            ("remove", "Remove", "Take them off the list; what they saved stays. (Delete)", queue.remove, _idle),
            ("results", "Results…", "Show what came of the sweep that the run belongs to.", self._show_sweep, _swept),
        ):
            button = tool_button(f"queue_{name}", title, tip, lambda _, act=act, able=able: self._act(act, able))
            self.buttons[name] = (button, able)
        return flow_of(*(button for button, _ in self.buttons.values()), spacing=self.theme.tokens.spacing // 2)

    def fill(self, menu: QMenu) -> None:
        """Add what is about sweeps to the window's menu of runs."""
        menu_action(menu, "run_sweep", "S&weep…", _SWEEP, self.ask_sweep, keys="Ctrl+Shift+W")
        tip = "Show what came of the sweep of the run chosen in the queue, or else of the newest one."
        menu_action(menu, "run_sweep_results", "Sweep res&ults…", tip, self.show_newest_sweep, keys="Ctrl+Shift+R")

    # -- what the person does

    @Slot()
    def ask_sweep(self) -> None:
        self.wanted.emit()
        self._ask_sweep()

    @Slot()
    def _ask_sweep(self) -> None:
        self._sweeps.ask(self.theme, self.window())

    @Slot()
    def _add(self) -> None:
        fault = self.length.fault() or self._setup.lacking
        if fault:
            self._log.add(f"The run was not queued. {fault}", Level.WARNING)
        else:
            self.queue.add(self._setup.config_to_queue(), self.length.limit)

    @Slot()
    def _set_at_once(self) -> None:
        if self.at_once.fault():
            return
        count = min(_MOST_AT_ONCE, max(1, round(float(self.at_once.raw()))))
        self.at_once.show_value(count)
        if count != self.queue.at_once:
            self.queue.set_at_once(count)

    def _act(self, act: Callable[[Sequence[Job]], object], able: Able) -> None:
        """Do it to those of the chosen runs that it can be done to."""
        jobs = [job for job in self._chosen if able(job)]
        if jobs:
            act(jobs)

    def _earlier(self, jobs: Sequence[Job]) -> None:
        self.queue.move(jobs, -1)

    def _later(self, jobs: Sequence[Job]) -> None:
        self.queue.move(jobs, 1)

    @Slot(int)
    def _move(self, by: int) -> None:
        self._act(self._earlier if by < 0 else self._later, _waits)

    def _show_sweep(self, jobs: Sequence[Job]) -> None:
        for sweep in dict.fromkeys(job.sweep.sweep for job in jobs if job.sweep is not None):
            self._sweeps.show_results(sweep, self.theme, self.window())

    @Slot()
    def show_newest_sweep(self) -> None:
        """Show what came of the sweep of the chosen run, or else of the newest one in the queue or the workspace."""
        jobs = [job for job in (self._chosen or reversed(self.queue.jobs)) if job.sweep is not None]
        if jobs:
            self._show_sweep(jobs[:1])
        elif old := self._sweeps.newest():
            self._sweeps.show_results(old, self.theme, self.window())
        else:
            self._log.add("There is no sweep yet: Run → Sweep… makes one.", Level.WARNING)

    @property
    def _chosen(self) -> list[Job]:
        chosen = self.table.chosen()
        return [job for job in self.queue.jobs if job.id in chosen]

    # -- what is shown

    def draw(self) -> None:
        jobs = self.queue.jobs
        self.hint.setVisible(not jobs)
        self.table.setVisible(bool(jobs))
        if jobs is not self._drawn:
            self._drawn = jobs
            self.table.show_jobs(jobs)
        self.table.show_times(jobs)
        if not self.at_once.hasFocus():
            self.at_once.show_value(self.queue.at_once)
        running = self.queue.running
        title = "Pause the queue" if running else "Run the queue"
        tip = "Start no further run; one that trains goes on." if running else "Start the runs one after the other."
        self.run.setText(title)
        set_help(self.run, title, tip)
        self.outlook.setText(self._outlook())
        self._offer()

    @Slot()
    def _offer(self) -> None:
        chosen = self._chosen
        for button, able in self.buttons.values():
            button.setEnabled(any(map(able, chosen)))

    def _outlook(self) -> str:
        left = sum(not job.status.ended for job in self.queue.jobs)
        if not left:
            return "All runs have ended." if self.queue.jobs else ""
        said = f"{left} {'run' if left == 1 else 'runs'} left"
        if not self.queue.running:
            return f"{said}; the queue is paused."
        seconds = self.queue.seconds_left
        if seconds is None:
            return f"{said}; when they are through is known once one of the same work has ended."
        return f"{said}; through at about {format_eta(seconds)}."

    @Slot()
    def _tell_through(self) -> None:
        ended = [job.status for job in self.queue.jobs]
        failed = sum(status is JobStatus.FAILED for status in ended)
        told = f"{sum(status is JobStatus.COMPLETED for status in ended):,} of {len(ended):,} runs were completed"
        notify("The queue is through", f"{told}, {failed:,} failed." if failed else f"{told}.", self.window())


def _swept(job: Job) -> bool:
    return job.sweep is not None


def _waits(job: Job) -> bool:
    return job.status is JobStatus.WAITING


def _not_ended(job: Job) -> bool:
    return not job.status.ended


def _ended(job: Job) -> bool:
    return job.status.ended


def _idle(job: Job) -> bool:
    return job.status is not JobStatus.RUNNING
