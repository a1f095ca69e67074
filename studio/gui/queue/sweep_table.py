"""The runs of a sweep as a table: settings that differ and numbers that came of them, to be sorted and copied."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QTableWidget, QTableWidgetItem

from studio.evaluation.committee import TOTAL_VARIATION
from studio.gui.widgets.number_entry import MINUS
from studio.gui.widgets.number_format import compact
from studio.gui.widgets.tooltip import set_help, tooltip
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
from studio.training.config.sweep_mark import setting_name, value_text

_WIDEST = 220
_PADDING = 10
_TITLES = {
    STEPS: "Steps",
    SECONDS: "Time in s",
    SHARE_ERROR: "Share error TV",
    FRECHET: "Fréchet distance",
    MEASURED: "Evaluated at step",
}
_TIPS = {
    STEPS: "Training steps taken.",
    SECONDS: "Time spent training, pauses left out. In seconds.",
    SHARE_ERROR: f"At the last evaluation. {TOTAL_VARIATION}",
    FRECHET: "Distance of samples to the tilted data in the judge's features, at the last evaluation.",
    MEASURED: "Step of the last evaluation, where it is not the run's last step.",
}
_SORTED_BY = Qt.ItemDataRole.UserRole
_PLACE = Qt.ItemDataRole.UserRole + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepColumn:
    """A column: a setting of the runs, or a number that came of them.

    Attributes:
        path: of the setting; empty for a number.
        name: of the number; empty for a setting.
    """

    path: str = ""
    name: str = ""

    @property
    def title(self) -> str:
        """What stands above it."""
        return setting_name(self.path) if self.path else _TITLES.get(self.name, self.name.replace("_", " "))

    @property
    def tip(self) -> str:
        """What it is."""
        if self.path:
            return f"The setting {self.path}."
        return _TIPS.get(self.name, f"Mean of the last tenth of the curve “{self.title}”.")

    def value(self, run: SweepRun) -> Any:
        """What a run has there; None if nothing."""
        return run.member.mark.values.get(self.path) if self.path else run.numbers.get(self.name)


def columns_of(results: SweepResults) -> list[SweepColumn]:
    """Settings first, then numbers; ends of intervals stand beside theirs."""
    settings = [SweepColumn(path=path) for path in results.settings]
    return settings + [SweepColumn(name=name) for name in results.names if name not in (LOW, HIGH)]


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
        self.setObjectName("sweep_table")
        set_help(
            self, "Runs of the sweep", "A row for each run. Return shows it in the panels, Ctrl+C copies the table."
        )
        self.setToolTip("")
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setTabKeyNavigation(False)
        self.setAlternatingRowColors(True)
        self.setShowGrid(False)
        self.setWordWrap(False)
        rows = self.verticalHeader()
        rows.hide()
        rows.setDefaultSectionSize(self.fontMetrics().height() + _PADDING)
        self.horizontalHeader().setHighlightSections(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self._folders: list[Path] = []
        self.cellActivated.connect(lambda row, _: self._ask(row))
        self.itemSelectionChanged.connect(lambda: self.chosen.emit(self._chosen()))

    def show_results(self, results: SweepResults) -> None:
        """Fill the table; what is selected and sorted by stays."""
        chosen = set(self._chosen())
        columns = columns_of(results)
        titles = [column.title for column in columns[: len(results.settings)]]
        titles += ["Status", *(column.title for column in columns[len(results.settings) :]), "Folder", "Remark"]
        self.blockSignals(True)
        self.setSortingEnabled(False)
        self.setColumnCount(len(titles))
        self.setRowCount(len(results.runs))
        self.setHorizontalHeaderLabels(titles)
        self._explain_columns(columns, len(results.settings))
        self._folders = [run.member.folder for run in results.runs]
        flags = Qt.AlignmentFlag
        for place, run in enumerate(results.runs):
            cells = [_cell(column, run) for column in columns]
            cells.insert(len(results.settings), (run.status, run.status))
            cells += [(run.member.folder.name, run.member.folder.name), (run.error, run.error)]
            for across, (text, value) in enumerate(cells):
                item = _item(text, value, place)
                self.setItem(place, across, item)
                header = self.horizontalHeaderItem(across)
                if header is not None and item.textAlignment() & flags.AlignRight:
                    header.setTextAlignment(flags.AlignRight | flags.AlignVCenter)
        self.resizeColumnsToContents()
        for column in range(self.columnCount()):
            self.setColumnWidth(column, min(_WIDEST, self.columnWidth(column) + _PADDING))
        self.setSortingEnabled(True)
        self.blockSignals(False)
        for row in range(self.rowCount()):
            if self._place(row) in chosen:
                self.selectRow(row)

    def _explain_columns(self, columns: list[SweepColumn], settings: int) -> None:
        tips = [column.tip for column in columns]
        tips.insert(settings, "How the run stands or ended.")
        tips += ["The run's folder.", "What went wrong, if something did."]
        for place, tip in enumerate(tips):
            header = self.horizontalHeaderItem(place)
            assert header is not None
            header.setToolTip(tooltip(f"{tip} Click to sort."))
            header.setTextAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)

    def as_text(self) -> str:
        """The table as it is sorted: rows by line, columns by tab."""
        headers = [self.horizontalHeaderItem(column) for column in range(self.columnCount())]
        rows = [[header.text() if header is not None else "" for header in headers]]
        for row in range(self.rowCount()):
            items = [self.item(row, column) for column in range(self.columnCount())]
            rows.append([item.text() if item is not None else "" for item in items])
        return "\n".join("\t".join(row) for row in rows)

    def copy(self) -> None:
        """Put the table on the clipboard."""
        QGuiApplication.clipboard().setText(self.as_text())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Ctrl+C copies all of it."""
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


def _cell(column: SweepColumn, run: SweepRun) -> tuple[str, Any]:
    """Text and what it is sorted by."""
    value = column.value(run)
    if column.path:
        return value_text(value).replace("-", MINUS) if isinstance(value, int | float) else value_text(value), value
    if value is None:
        return "–", None
    text = compact(float(value))
    if column.name == SHARE_ERROR and LOW in run.numbers:
        text += f" ({compact(run.numbers[LOW], 3)} – {compact(run.numbers[HIGH], 3)})"
    return text, value


def _item(text: str, value: Any, place: int) -> _Item:
    item = _Item(text)
    if isinstance(value, int | float) or text == "–":
        item.setTextAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
    item.setData(_SORTED_BY, value)
    item.setData(_PLACE, place)
    item.setToolTip(tooltip(text) if len(text) > 12 else "")
    return item
