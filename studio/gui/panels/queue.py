"""Runs that wait for their turn: a list to add to, reorder, pause and retry, which goes on after a restart."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import datetime, timedelta

from PySide6.QtCore import QItemSelectionModel, Qt, Slot
from PySide6.QtWidgets import (
    QAbstractItemView,
    QApplication,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPushButton,
    QTableWidget,
    QTableWidgetItem,
    QToolButton,
    QWidget,
)

from studio.gui.choice_box import ChoiceBox
from studio.gui.controls import tool_button
from studio.gui.explain import explain
from studio.gui.live_panel import LivePanel
from studio.gui.log_line import Level
from studio.gui.number_field import NumberField, NumberStyle, Range
from studio.gui.sweep_actions import SweepActions
from studio.gui.theme import ThemeManager
from studio.gui.tooltip import tooltip
from studio.gui.workbench import Workbench
from studio.jobs.job import Job, JobStatus
from studio.training.limit import Limit

_EMPTY = "No run is queued. Set one up, say how long it is to train, and press “Add”; then run the queue."
_COLUMNS = (
    ("Run", "What is trained: the configuration as it was when it was queued. Later edits do not reach it."),
    ("Status", "Waiting, running in a process of its own, or how it ended."),
    ("Trains for", "When the run is complete: training steps, or minutes of training."),
    ("Took", "How long its process has run, in minutes and seconds, all attempts together."),
    ("Remark", "What went wrong, if something did."),
)
_MOST_AT_ONCE = 16


class QueuePanel(LivePanel):
    """The queue as a table, with what can be done to it above and when it will be through below."""

    NAME = "queue"
    TITLE = "Queue"

    def __init__(self, workbench: Workbench, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(workbench, theme, parent)
        self.queue = workbench.queue
        self.sweeps = SweepActions(workbench, theme, self)
        self.table = self._make_table()
        self.hint = QLabel(_EMPTY, wordWrap=True, alignment=Qt.AlignmentFlag.AlignCenter)
        self.hint.setProperty("role", "muted")
        self.outlook = QLabel()
        self.outlook.setProperty("role", "muted")
        explain(self.outlook, "Outlook", "How many runs are left, and when the last will have ended, about.")
        self.body.addLayout(self._make_adding())
        self.body.addLayout(self._make_buttons())
        self.body.addWidget(self.hint)
        self.body.addWidget(self.table, 1)
        self.body.addWidget(self.outlook)
        self.show_body()
        self.queue.changed.connect(self.request_draw)
        self.queue.through.connect(self._alert)
        self.table.itemSelectionChanged.connect(self._offer)
        self.draw()

    def _make_adding(self) -> QHBoxLayout:
        self.amount = NumberField(NumberStyle(step=1), Range(lowest=0, open_below=True, highest=1e9))
        self.amount.show_value(5)
        self.amount.setObjectName("queue_amount")
        explain(self.amount, "Length", "How long the run is to train, in the unit beside it.")
        self.unit = ChoiceBox()
        self.unit.setObjectName("queue_unit")
        self.unit.addItems(["minutes", "steps"])
        explain(self.unit, "Unit of the length", "Minutes of training, or training steps.")
        self.add = QPushButton("Add")
        self.add.setObjectName("queue_add")
        explain(self.add, "Add", "Queue a run of what is set up now; edits made later do not reach it. (Ctrl+Shift+A)")
        self.add.setShortcut("Ctrl+Shift+A")
        self.add.clicked.connect(self._add)
        sweep = QPushButton("Sweep…")
        sweep.setObjectName("queue_sweep")
        explain(
            sweep,
            "Sweep",
            "Queue many runs of what is set up, over values of any settings and several seeds. (Ctrl+Shift+W)",
        )
        sweep.clicked.connect(self.sweeps.ask)
        row = self._row()
        adding: tuple[QWidget, ...] = (self.add, self.amount, self.unit, sweep)
        for widget in adding:
            row.addWidget(widget)
        self.at_once = NumberField(
            NumberStyle(integer=True, step=1, unit="at once"), Range(lowest=1, highest=_MOST_AT_ONCE)
        )
        self.at_once.show_value(1)
        self.at_once.setObjectName("queue_at_once")
        explain(self.at_once, "Runs at once", "How many queued runs train at a time, each in a process of its own.")
        self.at_once.finished.connect(self._set_at_once)
        self.run = QPushButton()
        self.run.setObjectName("queue_run")
        self.run.clicked.connect(lambda: self.queue.run(not self.queue.running))
        row.addStretch(1)
        running: tuple[QWidget, ...] = (self.run, self.at_once)
        for widget in running:
            row.addWidget(widget)
        return row

    def _make_buttons(self) -> QHBoxLayout:
        queue = self.queue
        self.buttons: dict[str, tuple[QToolButton, Callable[[Job], bool]]] = {}
        row = self._row()
        for name, title, tip, act, able in (
            ("up", "Earlier", "Let this run have its turn before the one above.", lambda j: queue.move(j, -1), _waits),
            ("down", "Later", "Let this run have its turn after the one below.", lambda j: queue.move(j, 1), _waits),
            ("cancel", "Cancel", "Stop this run, which is saved, or leave it out.", queue.cancel, _not_ended),
            ("retry", "Retry", "Let a run that has ended have another turn.", queue.retry, lambda j: j.status.ended),
            ("remove", "Remove", "Take it off the list; what it saved stays.", queue.remove, _idle),
            ("results", "Results…", "Show what came of the sweep that it belongs to.", self._show_sweep, _swept),
        ):
            button = tool_button(f"queue_{name}", title, tip)
            button.clicked.connect(lambda _, act=act: self._act(act))
            self.buttons[name] = (button, able)
            row.addWidget(button)
        row.addStretch(1)
        return row

    def _row(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(self.theme.tokens.spacing // 2)
        return row

    def _make_table(self) -> QTableWidget:
        table = QTableWidget(0, len(_COLUMNS))
        table.setObjectName("queue_table")
        explain(table, "Queued runs", "Every run of the queue, in the order of their turns.")
        table.setToolTip("")
        table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        table.setTabKeyNavigation(False)
        table.setWordWrap(False)
        table.verticalHeader().hide()
        head = table.horizontalHeader()
        head.setHighlightSections(False)
        for place, (title, tip) in enumerate(_COLUMNS):
            item = QTableWidgetItem(title)
            item.setToolTip(tooltip(tip))
            item.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            table.setHorizontalHeaderItem(place, item)
            head.setSectionResizeMode(place, QHeaderView.ResizeMode.ResizeToContents)
        for place in (0, len(_COLUMNS) - 1):
            head.setSectionResizeMode(place, QHeaderView.ResizeMode.Stretch)
        return table

    # -- what the person does

    @Slot()
    def _add(self) -> None:
        fault = self.amount.fault()
        if fault:
            self.workbench.log(f"The run was not queued. {fault}", Level.WARNING)
            return
        value = float(self.amount.raw())
        steps = self.unit.currentText() == "steps"
        limit = Limit(steps=max(1, round(value))) if steps else Limit(seconds=60 * value)
        self.queue.add(self.workbench.config, limit)

    @Slot()
    def _set_at_once(self) -> None:
        if not self.at_once.fault():
            self.queue.set_at_once(int(self.at_once.raw()))

    def _act(self, act: Callable[[Job], object]) -> None:
        job = self._chosen
        if job is not None:
            act(job)

    def _show_sweep(self, job: Job) -> None:
        if job.sweep is not None:
            self.sweeps.show_results(job.sweep.sweep)

    @property
    def _chosen(self) -> Job | None:
        rows = self.table.selectionModel().selectedRows()
        return self.queue.jobs[rows[0].row()] if rows and rows[0].row() < len(self.queue.jobs) else None

    # -- what is shown

    def draw(self) -> None:
        """Bring the table up to date; the same run stays chosen wherever it moves."""
        jobs, chosen = self.queue.jobs, self._shown_choice
        self.hint.setVisible(not jobs)
        self.table.setVisible(bool(jobs))
        self.table.setRowCount(len(jobs))
        for place, job in enumerate(jobs):
            self._fill(place, job)
            if job.id == chosen:
                index = self.table.model().index(place, 0)
                flags = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows
                self.table.selectionModel().setCurrentIndex(index, flags)
        running = self.queue.running
        title = "Pause the queue" if running else "Run the queue"
        tip = "Start no further run; one that trains goes on." if running else "Start the runs one after the other."
        self.run.setText(title)
        explain(self.run, title, tip)
        self.outlook.setText(self._outlook())
        self._offer()

    @property
    def _shown_choice(self) -> int | None:
        rows = self.table.selectionModel().selectedRows()
        item = self.table.item(rows[0].row(), 0) if rows else None
        return item.data(Qt.ItemDataRole.UserRole) if item is not None else None

    def _fill(self, place: int, job: Job) -> None:
        texts = (job.title, job.status.value, _length(job.limit), _duration(job.seconds), job.error)
        for column, text in enumerate(texts):
            item = self.table.item(place, column)
            if item is None:
                item = QTableWidgetItem()
                self.table.setItem(place, column, item)
            item.setText(text)
            item.setToolTip(tooltip(text, str(job.folder)) if text else "")
            item.setData(Qt.ItemDataRole.UserRole, job.id)

    @Slot()
    def _offer(self) -> None:
        job = self._chosen
        for button, able in self.buttons.values():
            button.setEnabled(job is not None and able(job))

    def _outlook(self) -> str:
        left = sum(not job.status.ended for job in self.queue.jobs)
        if not left:
            return "All runs have ended." if self.queue.jobs else ""
        said = f"{left} {'run' if left == 1 else 'runs'} left"
        if not self.queue.running:
            return f"{said}; the queue is paused."
        seconds = self.queue.seconds_left
        if seconds is None:
            return f"{said}; how long they take is known once one of that length has ended."
        return f"{said}; through at about {datetime.now() + timedelta(seconds=seconds):%H:%M}."

    @Slot()
    def _alert(self) -> None:
        QApplication.alert(self.window())


def _swept(job: Job) -> bool:
    return job.sweep is not None


def _waits(job: Job) -> bool:
    return job.status is JobStatus.WAITING


def _not_ended(job: Job) -> bool:
    return not job.status.ended


def _idle(job: Job) -> bool:
    return job.status is not JobStatus.RUNNING


def _length(limit: Limit) -> str:
    if limit.steps is not None:
        return f"{limit.steps:,} steps"
    return f"{(limit.seconds or 0) / 60:g} min"


def _duration(seconds: float) -> str:
    return f"{math.floor(seconds / 60)}:{math.floor(seconds % 60):02d}" if seconds else ""
