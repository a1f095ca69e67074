"""Up to eight runs side by side in a window of its own: curves, samples of the same step, and what differs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QLabel,
    QSlider,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from studio.errors import UserError
from studio.gui.library.compare_plot import ComparePlot
from studio.gui.library.compare_samples import CompareSamples
from studio.gui.plots.legend import Chip, Legend
from studio.gui.state.task_runner import TaskRunner
from studio.gui.widgets.buttons import toggle_button
from studio.gui.widgets.choice_box import ChoiceBox
from studio.gui.widgets.flow_layout import FlowLayout
from studio.gui.widgets.number_format import whole
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import set_help, tooltip
from studio.library.compare import Axis, ComparedRun, Row, curve_names, differences, final_numbers, read_runs

_WINDOWS = (1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300, 500, 1000)
_SIZE = (900, 600)


class CompareWindow(QWidget):
    """Reads the runs, then shows them.

    Args:
        folders: two to eight run folders.
    """

    def __init__(self, folders: Sequence[Path], theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setObjectName("compare_window")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Compare {len(folders)} runs – Perturbation Studio")
        self.resize(*_SIZE)
        self.theme = theme
        self.runs: list[ComparedRun] = []
        self._tasks = TaskRunner(self)
        self.plot = ComparePlot(theme, "Curves of the runs")
        self.plot.setAccessibleDescription("The chosen curve of every run.")
        self.legend = Legend(theme)
        self.legend.toggled.connect(lambda name, shown: self.plot.set_shown(int(name), shown))
        self.samples = CompareSamples(self._tasks, theme)
        self.table = _table()
        self.message = QLabel("Reading the runs…", wordWrap=True)
        self.message.setObjectName("compare_message")
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.tabs = QTabWidget()
        self.tabs.setObjectName("compare_tabs")
        set_help(self.tabs.tabBar(), "Views", "What is compared; arrows go to the next.")
        self.tabs.addTab(self._curves(), "&Curves")
        self.tabs.addTab(self.samples, "&Samples")
        self.tabs.addTab(self.table, "&Numbers and settings")
        self.tabs.setEnabled(False)
        column = QVBoxLayout(self)
        column.addWidget(self.message)
        column.addWidget(self.tabs, 1)
        QShortcut(QKeySequence.StandardKey.Close, self, self.close)
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self.close)
        self._tasks.run(
            lambda progress: read_runs(folders, progress),
            done=self._on_read,
            failed=self._on_failed,
        )

    def _curves(self) -> QWidget:
        page, bar = QWidget(), QWidget()
        row = FlowLayout(bar, spacing=self.theme.tokens.spacing)
        self.curve = ChoiceBox()
        self.curve.setObjectName("compare_curve")
        self.curve.setSizeAdjustPolicy(ChoiceBox.SizeAdjustPolicy.AdjustToContents)
        set_help(
            self.curve, "Curve", "Which loss, metric or figure of the batches is drawn, for every run that has it."
        )
        self.curve.currentIndexChanged.connect(self._draw)
        self.axis = ChoiceBox()
        self.axis.setObjectName("compare_axis")
        for axis in Axis:
            self.axis.addItem(f"over {axis}", axis)
        set_help(
            self.axis,
            "Axis",
            "What curves are drawn over: training steps, examples trained on, or seconds of training.",
        )
        self.axis.currentIndexChanged.connect(self._draw)
        self.log = toggle_button(
            "compare_log", "Log scale", "Show values on a logarithmic scale; those ≤ 0 are left out."
        )
        self.log.toggled.connect(self._draw)
        for widget in (self.curve, self.axis, self.log, self._smoothing()):
            row.addWidget(widget)
        column = QVBoxLayout(page)
        column.addWidget(bar)
        column.addWidget(self.plot, 1)
        column.addWidget(self.legend)
        return page

    def _smoothing(self) -> QWidget:
        group = QWidget()
        row = QHBoxLayout(group)
        row.setContentsMargins(0, 0, 0, 0)
        self.smoothing = QSlider(Qt.Orientation.Horizontal)
        self.smoothing.setObjectName("compare_smoothing")
        self.smoothing.setRange(0, len(_WINDOWS) - 1)
        self.smoothing.setPageStep(2)
        self.smoothing.setFixedWidth(100)
        set_help(self.smoothing, "Smoothing, in points", "Points averaged. Mean of the last m logged values.")
        self.smoothing.valueChanged.connect(self._draw)
        self._window = QLabel("off")
        self._window.setFixedWidth(self._window.fontMetrics().horizontalAdvance("1,000 pts") + 4)
        for widget in (QLabel("Smooth"), self.smoothing, self._window):
            row.addWidget(widget)
        return group

    def _on_read(self, runs: list[ComparedRun]) -> None:
        self.runs = runs
        self.message.hide()
        self.tabs.setEnabled(True)
        for place, run in enumerate(runs):
            self.legend.add(Chip(str(place), run.entry.name, f"Run {run.entry.name}, {run.entry.tilt} tilted."), place)
        self.curve.blockSignals(True)
        for name in curve_names(runs):
            self.curve.addItem(name.replace("_", " "), name)
        losses = [index for index in range(self.curve.count()) if "loss" in self.curve.itemText(index)]
        self.curve.setCurrentIndex(losses[0] if losses else 0)
        self.curve.blockSignals(False)
        self.samples.show_runs(runs)
        _fill(self.table, runs, [*final_numbers(runs), *differences(runs)])
        self._draw()

    def _on_failed(self, error: UserError) -> None:
        self.message.setText(str(error))
        self.message.setProperty("role", "error")
        self.message.style().polish(self.message)

    @Slot()
    def _draw(self) -> None:
        name, axis = self.curve.currentData(), self.axis.currentData()
        window = _WINDOWS[self.smoothing.value()]
        self._window.setText("off" if window == 1 else f"{whole(window)} pts")
        if name is None or not self.runs:
            return
        self.plot.window, self.plot.logarithmic = window, self.log.isChecked()
        curves = []
        for run in self.runs:
            x, y = run.along(axis), run.metrics.columns.get(name)
            here = y is not None and len(x)
            curves.append((run.entry.name, x if here else x[:0], y if here and y is not None else x[:0]))
        self.plot.set_curves(str(axis), curves)
        for place, chip in self.legend.chips.items():
            self.plot.set_shown(int(place), chip.isChecked())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Nothing is read for a window that is gone."""
        self._tasks.join(2.0)
        super().closeEvent(event)


def _table() -> QTableWidget:
    table = QTableWidget()
    table.setObjectName("compare_table")
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setTabKeyNavigation(False)
    table.setCornerButtonEnabled(False)
    table.setAlternatingRowColors(True)
    table.setShowGrid(False)
    set_help(table, "Numbers and settings", "What came of each run, and the settings that are not the same in all.")
    return table


def _fill(table: QTableWidget, runs: Sequence[ComparedRun], rows: Sequence[Row]) -> None:
    table.setColumnCount(len(runs))
    table.setRowCount(len(rows))
    table.setHorizontalHeaderLabels([run.entry.name for run in runs])
    table.setVerticalHeaderLabels([row.title for row in rows])
    for down, row in enumerate(rows):
        for across, text in enumerate(row.cells):
            item = QTableWidgetItem(text)
            item.setToolTip(tooltip(f"{row.title} of {runs[across].entry.name}: {text}"))
            table.setItem(down, across, item)
    table.resizeColumnsToContents()
    for column in range(table.columnCount()):
        table.setColumnWidth(column, min(260, table.columnWidth(column)))
