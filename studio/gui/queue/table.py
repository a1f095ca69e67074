"""The table of queued runs: several can be chosen, and stay so wherever they move."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from PySide6.QtCore import QItemSelection, QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from studio.gui.widgets.key_help import KeyHelp
from studio.gui.widgets.tooltip import set_help, tooltip
from studio.jobs.job import Job
from studio.training.config.limit import StopCondition

_COLUMNS = (
    ("Run", "What is trained: the configuration as it was when it was queued. Later edits do not reach it."),
    ("Status", "Waiting, running in a process of its own, or how it ended."),
    ("Trains for", "When the run is complete: training steps, or minutes of training."),
    ("Took", "How long its process has run, in minutes and seconds, all attempts together."),
    ("Remark", "What went wrong, if something did."),
)
_MOVES = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
_TOOK = 3
_WIDTHS = {1: 11, 2: 14, 3: 9}
"""Characters that a column needs; the first and the last share what is left."""


class QueueTable(QTableWidget):
    """A row for each job."""

    KEYS = KeyHelp(
        "In the queue",
        (
            ("Move a job", "Alt+Up, Alt+Down"),
            ("Remove", "Del"),
        ),
    )

    moved = Signal(int)  # by so many places: the chosen runs are to have their turn earlier or later
    remove_asked = Signal()

    def __init__(self) -> None:
        super().__init__(0, len(_COLUMNS))
        self.setObjectName("queue_table")
        set_help(
            self,
            "Queued runs",
            "Every run of the queue, in the order of their turns. Alt+Up and Alt+Down move the chosen ones, and Delete "
            "removes them.",
        )
        self.setToolTip("")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setTabKeyNavigation(False)
        self.setWordWrap(False)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        head = self.horizontalHeader()
        head.setHighlightSections(False)
        for place, (title, tip) in enumerate(_COLUMNS):
            item = QTableWidgetItem(title)
            item.setToolTip(tooltip(tip))
            item.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
            self.setHorizontalHeaderItem(place, item)
            if place in _WIDTHS:
                self.setColumnWidth(place, _WIDTHS[place] * self.fontMetrics().averageCharWidth() + 14)
            else:
                head.setSectionResizeMode(place, QHeaderView.ResizeMode.Stretch)

    def chosen(self) -> list[int]:
        """Ids of the chosen jobs, in the order of their turns."""
        rows = sorted(index.row() for index in self.selectionModel().selectedRows())
        return [found for found in map(self._id, rows) if found is not None]

    def show_jobs(self, jobs: Sequence[Job]) -> None:
        """Bring the table up to date; the same runs stay chosen wherever they move."""
        chosen, current = set(self.chosen()), self._id(self.currentRow())
        before = [self._id(row) for row in range(self.rowCount())]
        self.setRowCount(len(jobs))
        for row, job in enumerate(jobs):
            self._fill(row, job)
        if before == [job.id for job in jobs]:
            return
        selection, flags = QItemSelection(), QItemSelectionModel.SelectionFlag
        for row, job in enumerate(jobs):
            if job.id in chosen:
                selection.select(self.model().index(row, 0), self.model().index(row, len(_COLUMNS) - 1))
            if job.id == current:
                self.selectionModel().setCurrentIndex(self.model().index(row, 0), flags.NoUpdate)
        self.selectionModel().select(selection, flags.ClearAndSelect)

    def _fill(self, row: int, job: Job) -> None:
        tips = (job.title if job.sweep is None else f"{job.sweep.title}: {job.title}", str(job.folder))
        texts = (job.title, job.status.value, _length(job.limit), _duration(_taken(job)), job.error)
        for column, text in enumerate(texts):
            item = self.item(row, column)
            if item is None:
                item = QTableWidgetItem()
                self.setItem(row, column, item)
            elif item.text() == text and item.data(Qt.ItemDataRole.UserRole) == job.id:
                continue
            item.setText(text)
            item.setToolTip(tooltip(*tips) if column == 0 else tooltip(text))
            item.setData(Qt.ItemDataRole.UserRole, job.id)

    def show_times(self, jobs: Sequence[Job]) -> None:
        """Bring up to date how long those that run have taken."""
        for row, job in enumerate(jobs):
            item = self.item(row, _TOOK) if job.begun else None
            if item is not None:
                item.setText(_duration(_taken(job)))

    def _id(self, row: int) -> int | None:
        item = self.item(row, 0)
        return item.data(Qt.ItemDataRole.UserRole) if item is not None else None

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Alt with an arrow moves what is chosen, Delete removes it."""
        if event.modifiers() == Qt.KeyboardModifier.AltModifier and event.key() in _MOVES:
            self.moved.emit(_MOVES[Qt.Key(event.key())])
        elif event.matches(QKeySequence.StandardKey.Delete):
            self.remove_asked.emit()
        else:
            super().keyPressEvent(event)


def _length(limit: StopCondition) -> str:
    if limit.steps is not None:
        return f"{limit.steps:,} steps"
    return f"{(limit.seconds or 0) / 60:g} min"


def _taken(job: Job) -> float:
    return job.seconds + (max(0.0, time.time() - job.begun) if job.begun else 0.0)


def _duration(seconds: float) -> str:
    return f"{math.floor(seconds / 60)}:{math.floor(seconds % 60):02d}" if seconds else ""
