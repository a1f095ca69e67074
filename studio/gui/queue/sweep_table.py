"""The runs of a sweep as a table: settings that differ and numbers that came of them, to be sorted and copied."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem

from studio.evaluation.committee import TOTAL_VARIATION
from studio.gui.widgets.number_entry import MINUS
from studio.gui.widgets.tables import cell, read_only
from studio.gui.widgets.tooltip import named, tooltip
from studio.library.curve_titles import shared_title
from studio.library.sweep_results import (
    FRECHET,
    HIGH,
    LOW,
    MEASURED,
    SECONDS,
    SHARE_ERROR,
    STEPS,
    SweepResults,
    SweepRun,
)
from studio.number_text import compact
from studio.training.config.sweep_mark import setting_name, setting_text, value_text

_WIDEST = 220
_PADDING = 10
_NUMBERS = {
    STEPS: ("Steps", "Training steps taken."),
    SECONDS: ("Time in s", "Time spent training, pauses left out. In seconds."),
    SHARE_ERROR: ("Share error TV", f"At the last evaluation. {TOTAL_VARIATION}"),
    FRECHET: (
        "Fréchet distance",
        "Distance of samples to the tilted data in the judge's features, at the last evaluation.",
    ),
    MEASURED: ("Evaluated at step", "Step of the last evaluation, where it is not the run's last step."),
}
_SORTED_BY = Qt.ItemDataRole.UserRole
_PLACE = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepColumn:
    """A column: a setting of the runs, a number that came of them, or a text about them.

    Attributes:
        path: of the setting, or empty.
        name: of the number, or empty.
        value: what a run has there; None if nothing.
    """

    title: str
    tip: str
    value: Callable[[SweepRun], Any] = field(compare=False)
    path: str = ""
    name: str = ""

    def text(self, run: SweepRun) -> str:
        value = self.value(run)
        if not self.name:
            text = setting_text(self.path, value) if self.path else value_text(value)
            return text.replace("-", MINUS) if isinstance(value, int | float) else text
        if value is None:
            return "–"
        interval = f" ({compact(run.numbers[LOW], 3)} – {compact(run.numbers[HIGH], 3)})" if LOW in run.numbers else ""
        return compact(float(value)) + (interval if self.name == SHARE_ERROR else "")

    def drawn(self, run: SweepRun) -> Any:
        """What a plot has of it: a number, or else its text; None if nothing."""
        value = self.value(run)
        return value if value is None or type(value) in (int, float) else self.text(run)


def columns_of(results: SweepResults) -> list[SweepColumn]:
    """Settings first, then how the runs ended, numbers, and where they are; ends of intervals stand beside theirs."""
    numbers = [name for name in results.names if name not in (LOW, HIGH)]
    titles = {name: shared_title(name, [run.kind for run in results.runs if name in run.numbers]) for name in numbers}
    tips = {name: f"Mean of the last tenth of the curve “{title}”." for name, title in titles.items()}
    told = {name: (titles[name], tips[name]) for name in numbers} | _NUMBERS
    return [
        *(
            SweepColumn(title=setting_name(path), tip=f"The setting {path}.", value=partial(_setting, path), path=path)
            for path in results.settings
        ),
        SweepColumn(title="Status", tip="How the run stands or ended.", value=attrgetter("status")),
        *(
            SweepColumn(title=told[name][0], tip=told[name][1], value=partial(_number, name), name=name)
            for name in numbers
        ),
        SweepColumn(title="Folder", tip="The run's folder.", value=attrgetter("member.folder.name")),
        SweepColumn(title="Remark", tip="What went wrong, if something did.", value=attrgetter("error")),
    ]


def _setting(path: str, run: SweepRun) -> Any:
    return run.member.mark.values.get(path)


def _number(name: str, run: SweepRun) -> float | None:
    return run.numbers.get(name)


class _Item(QTableWidgetItem):
    """Sorted by its number where it has one; what has nothing comes last."""

    def __lt__(self, other: QTableWidgetItem) -> bool:
        return bool(_key(self.data(_SORTED_BY)) < _key(other.data(_SORTED_BY)))


def _key(value: Any) -> tuple[int, float, str]:
    if isinstance(value, int | float):
        return 0, float(value), ""
    return (1, 0.0, str(value).casefold()) if value not in (None, "") else (2, 0.0, "")


class SweepTable(QTableWidget):
    """A row for each run."""

    run_asked = Signal(object)  # Path: the person wants to see this run
    chosen = Signal(object)  # list[int]: places of the selected runs in the sweep

    def __init__(self) -> None:
        super().__init__()
        tip = "A row for each run. Return shows it in the panels, Ctrl+C copies the table."
        named(self, "sweep_table", "Runs of the sweep", tip)
        self.setToolTip("")
        read_only(self)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.verticalHeader().setDefaultSectionSize(self.fontMetrics().height() + _PADDING)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._folders: list[Path] = []
        self.cellActivated.connect(lambda row, _: self._ask(row))
        self.itemSelectionChanged.connect(lambda: self.chosen.emit(self._chosen()))

    def show_results(self, results: SweepResults) -> None:
        """Fill the table; what is selected and sorted by stays."""
        chosen = set(self._chosen())
        columns = columns_of(results)
        self.blockSignals(True)
        self.setSortingEnabled(False)
        self.setColumnCount(len(columns))
        self.setRowCount(len(results.runs))
        self._folders = [run.member.folder for run in results.runs]
        for across, column in enumerate(columns):
            right = any(isinstance(column.value(run), int | float) for run in results.runs)
            header = cell(QTableWidgetItem(column.title), right=right)
            header.setToolTip(tooltip(f"{column.tip} Click to sort."))
            self.setHorizontalHeaderItem(across, header)
            for place, run in enumerate(results.runs):
                item = cell(_Item(column.text(run)), right=right)
                item.setData(_SORTED_BY, column.value(run))
                item.setData(_PLACE, place)
                item.setToolTip(tooltip(item.text()) if len(item.text()) > 12 else "")
                self.setItem(place, across, item)
        self.resizeColumnsToContents()
        for place in range(self.columnCount()):
            self.setColumnWidth(place, min(_WIDEST, self.columnWidth(place) + _PADDING))
        self.setSortingEnabled(True)
        self.blockSignals(False)
        for row in range(self.rowCount()):
            if self._place(row) in chosen:
                self.selectRow(row)

    def as_text(self) -> str:
        """The table as it is sorted: rows by line, columns by tab."""
        headers = [self.horizontalHeaderItem(column) for column in range(self.columnCount())]
        rows = [[header.text() if header is not None else "" for header in headers]]
        for row in range(self.rowCount()):
            items = [self.item(row, column) for column in range(self.columnCount())]
            rows.append([item.text() if item is not None else "" for item in items])
        return "\n".join("\t".join(row) for row in rows)

    def copy(self) -> None:
        QGuiApplication.clipboard().setText(self.as_text())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            self.copy()
        else:
            super().keyPressEvent(event)

    def _ask(self, row: int) -> None:
        self.run_asked.emit(self._folders[self._place(row)])

    def _chosen(self) -> list[int]:
        return [self._place(index.row()) for index in self.selectionModel().selectedRows()]

    def _place(self, row: int) -> int:
        item = self.item(row, 0)
        return int(item.data(_PLACE)) if item is not None else -1
