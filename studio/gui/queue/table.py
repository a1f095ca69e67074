"""The table of queued runs: several can be chosen, and stay so wherever they move."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from functools import lru_cache

from PySide6.QtCore import QItemSelection, QItemSelectionModel, Qt, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableWidget, QTableWidgetItem

from studio.errors import UserError
from studio.gui.widgets.tables import choose_row, read_only, set_heads
from studio.gui.widgets.tooltip import KeyHelp, named, tooltip
from studio.jobs.job import Job, JobStatus
from studio.training.config.run_config import PerturbationConfig
from studio.training.config.run_title import tilt_words
from studio.training.storage.metrics import newest_point

_PROGRESS_TIP = (
    "How much is done of the steps, or minutes of training, after which the run is complete. While it prepares, its "
    "data are read, and a judge of them is trained if there is none yet, which may take minutes."
)
_COLUMNS = (
    ("Run", "What is trained: the configuration as it was when it was queued. Later edits do not reach it."),
    ("Tilt", "What the run is trained towards: shares of classes, or their ΔH where terms tilt, too."),
    ("Status", "Waiting, running in a process of its own, or how it ended."),
    ("Progress", _PROGRESS_TIP),
    ("Took", "How long its process has run, in minutes and seconds, all attempts together."),
    ("Remark", "What went wrong, if something did."),
)
_TIP = (
    "Every run of the queue, in the order of their turns. Alt+Up and Alt+Down move the chosen ones, and Delete removes "
    "them."
)
_MOVES = {Qt.Key.Key_Up: -1, Qt.Key.Key_Down: 1}
_TILT, _PROGRESS, _TOOK, _REMARK = 1, 3, 4, 5
_PART_OF_TILT = 5
_WIDTHS = {1: 12, 2: 11, 3: 17, 4: 8}
"""Characters that a column needs; the first and the last share what is left."""


class QueueTable(QTableWidget):
    """A row for each job."""

    KEYS = KeyHelp("In the queue", (("Move a job", "Alt+Up, Alt+Down"), ("Choose all", "Ctrl+A"), ("Remove", "Del")))

    moved = Signal(int)  # by so many places: the chosen runs are to have their turn earlier or later
    remove_asked = Signal()

    def __init__(self) -> None:
        super().__init__(0, len(_COLUMNS))
        named(self, "queue_table", "Queued runs", _TIP)
        self.setToolTip("")
        read_only(self)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        set_heads(self, _COLUMNS, right_from=len(_COLUMNS))
        for place in range(len(_COLUMNS)):
            if place in _WIDTHS:
                self.setColumnWidth(place, _WIDTHS[place] * self.fontMetrics().averageCharWidth() + 14)
            else:
                self.horizontalHeader().setSectionResizeMode(place, QHeaderView.ResizeMode.Stretch)
        self._least_tilt = self.columnWidth(_TILT)

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
        self.setColumnHidden(_TOOK, not any(map(_taken, jobs)))
        self.setColumnHidden(_REMARK, not any(job.error for job in jobs))
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
        done = _progress(job)
        texts = (job.title, _tilt(job.config, job.data), job.status.value, done, _duration(_taken(job)), job.error)
        for column, text in enumerate(texts):
            item = self.item(row, column)
            if item is None:
                item = QTableWidgetItem()
                self.setItem(row, column, item)
            tip = tooltip(*tips) if column == 0 else tooltip(text)
            if (item.text(), item.toolTip(), item.data(Qt.ItemDataRole.UserRole)) == (text, tip, job.id):
                continue
            item.setText(text)
            item.setToolTip(tip)
            item.setData(Qt.ItemDataRole.UserRole, job.id)

    def show_times(self, jobs: Sequence[Job]) -> None:
        """Bring up to date how far those are that run, and how long they have taken."""
        for row, job in enumerate(jobs):
            took, done = self.item(row, _TOOK), self.item(row, _PROGRESS)
            if job.begun and took is not None and done is not None:
                took.setText(_duration(_taken(job)))
                done.setText(_progress(job))

    def _id(self, row: int) -> int | None:
        item = self.item(row, 0)
        return item.data(Qt.ItemDataRole.UserRole) if item is not None else None

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A tilt of several classes is read where there is room for it."""
        super().resizeEvent(event)
        self.setColumnWidth(_TILT, max(self._least_tilt, self.viewport().width() // _PART_OF_TILT))

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        choose_row(self, event.reason())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.modifiers() == Qt.KeyboardModifier.AltModifier and event.key() in _MOVES:
            self.moved.emit(_MOVES[Qt.Key(event.key())])
        elif event.matches(QKeySequence.StandardKey.Delete):
            self.remove_asked.emit()
        else:
            super().keyPressEvent(event)


def _progress(job: Job) -> str:
    """How much is done of what: 42 % of 5 min."""
    limit, of = job.limit, f"{(job.limit.seconds or 0) / 60:g} min"
    if limit.steps is not None:
        of = f"{limit.steps:,} steps"
    if job.status is JobStatus.COMPLETED:
        return f"100 % of {of}"
    if not job.attempts or not job.folder.exists():
        return "prepares" if job.status is JobStatus.RUNNING else of
    try:
        steps, seconds = newest_point(job.folder)
    except UserError:  # amid being written, or damaged, which is told when it ends
        return of
    done = steps / limit.steps if limit.steps is not None else seconds / (limit.seconds or 1.0)
    return f"{min(done, 0.99):.0%} of {of}".replace("%", " %")


@lru_cache(maxsize=1024)
def _tilt(config: str, data: str) -> str:
    """The tilt of a configuration in words, of the data that its turn wants where they are known."""
    counts = json.loads(data)["classes"] if data else None
    return tilt_words(PerturbationConfig.model_validate(json.loads(config).get("perturbation", {})), counts)


def _taken(job: Job) -> float:
    return job.seconds + (max(0.0, time.time() - job.begun) if job.begun else 0.0)


def _duration(seconds: float) -> str:
    return f"{math.floor(seconds / 60)}:{math.floor(seconds % 60):02d}" if seconds else ""
