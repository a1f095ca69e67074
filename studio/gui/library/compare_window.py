"""Up to eight runs side by side in a window of its own: shares, curves, samples of a step, and differences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QGridLayout,
    QSplitter,
    QTableWidget,
    QTableWidgetItem,
    QTabWidget,
    QWidget,
)

from studio.errors import UserError
from studio.gui.evaluation.bars import Bars, SharesBars
from studio.gui.library.compare_plot import ComparedCurve, ComparePlot
from studio.gui.library.compare_samples import CompareSamples
from studio.gui.plots.legend import Chip, Legend
from studio.gui.plots.smoothing import Smoothing
from studio.gui.state.task_runner import TaskRunner
from studio.gui.widgets.buttons import toggle_button
from studio.gui.widgets.choice_box import ChoiceBox
from studio.gui.widgets.flow_layout import flow_bar
from studio.gui.widgets.labels import plain_label, wrapped_label
from studio.gui.widgets.layouts import column_of, resize_to_fit
from studio.gui.widgets.stylesheet import set_style_property
from studio.gui.widgets.tables import set_heads
from studio.gui.widgets.theme import ThemeManager, Tokens
from studio.gui.widgets.tooltip import named, set_help, tooltip
from studio.library.compare import (
    SHARE_ERROR,
    Axis,
    ComparedRun,
    Row,
    curve_names,
    final_numbers,
    named_differences,
    read_runs,
    repeats,
    title_of,
)
from studio.number_text import compact
from studio.training.config.sweep_mark import setting_name
from studio.training.storage.health import LOSS

_SMOOTHED = 3  # points averaged at first
_SMOOTHING = "Points averaged: mean of the last m logged values. Evaluations are few, and each is drawn as it is."
_SIZE = (960, 720)
_LEAST_HEIGHT = 90
_SEED = re.compile(rf"[,:] {setting_name('seed')}=\d+", re.IGNORECASE)  # runs of before have it in small letters
"""In the name of a run of a sweep."""
_KNOWN, _JUDGE = "({} known)", "(judge of {})"
"""Of the seeds of a curve, where some have none; and who saw it, where that is not the judge of their data."""


class CompareWindow(QWidget):
    """Reads two to eight runs, then shows them."""

    def __init__(self, folders: Sequence[Path], theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setObjectName("compare_window")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(f"Compare {len(folders)} runs – Perturbation Studio")
        resize_to_fit(self, QSize(*_SIZE))
        self.theme = theme
        self.runs: list[ComparedRun] = []
        self._tasks = TaskRunner(self)
        self.plot = ComparePlot(theme, "Curves of the runs")
        self.plot.setAccessibleDescription("The chosen curve of every run.")
        self.legend = Legend(theme, self.plot)
        self.legend.toggled.connect(self._draw)
        self._groups: list[list[int]] = []
        self.samples = CompareSamples(self._tasks, theme)
        self.table = _table()
        self.message = plain_label("Reading the runs…", name="compare_message", wraps=True)
        self.tabs = QTabWidget()
        self.tabs.setObjectName("compare_tabs")
        set_help(self.tabs.tabBar(), "Views", "What is compared; arrows go to the next.")
        halves = QSplitter(Qt.Orientation.Vertical)
        halves.addWidget(self._make_shares())
        halves.addWidget(self._make_curves())
        halves.setSizes([_SIZE[1] // 2, _SIZE[1] // 2])
        self.tabs.addTab(halves, "Shares and &curves")
        self.tabs.addTab(self.samples, "&Samples")
        self.tabs.addTab(self.table, "&Numbers and settings")
        self.tabs.setEnabled(False)
        column_of(self.message, (self.tabs, 1), inside=self, margins=None)
        QShortcut(QKeySequence.StandardKey.Close, self, self.close)
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self.close)
        self._tasks.run(lambda progress: read_runs(folders, progress), done=self._on_read, failed=self._on_failed)

    def _make_shares(self) -> QWidget:
        self.shares = QWidget()
        self._grid = QGridLayout(self.shares)
        self.bars: list[SharesBars] = []
        self.shares.hide()
        self.theme.changed.connect(self._restyle)
        return self.shares

    @Slot(object)
    def _restyle(self, tokens: Tokens) -> None:
        for bars in self.bars:
            bars.tokens = tokens
            bars.update()

    def _make_curves(self) -> QWidget:
        tip = "Which loss, metric or figure of the batches is drawn, for every run that has it."
        self.curve = named(ChoiceBox(), "compare_curve", "Curve", tip)
        self.curve.setSizeAdjustPolicy(ChoiceBox.SizeAdjustPolicy.AdjustToContents)
        self.curve.currentIndexChanged.connect(self._draw)
        tip = "What curves are drawn over: training steps, examples trained on, or seconds of training."
        self.axis = named(ChoiceBox(), "compare_axis", "Axis", tip)
        for axis in Axis:
            self.axis.addItem(f"over {axis}", axis)
        self.axis.currentIndexChanged.connect(self._draw)
        tip = "Show values on a logarithmic scale; those ≤ 0 are left out."
        self.log = toggle_button("compare_log", "Log scale", tip, self._draw)
        tip = "Draw runs that differ in their seed alone as their mean, in the band from the least to the largest."
        self.band = toggle_button("compare_band", "Seeds as band", tip, self._show_curves, checked=True)
        self.smoothing = Smoothing("compare_smoothing", _SMOOTHED, _SMOOTHING)
        self.smoothing.changed.connect(self._draw)
        tools = (self.curve, self.axis, self.log, self.band, self.smoothing)
        bar, page = flow_bar(*tools, spacing=self.theme.tokens.spacing), QWidget()
        column_of(bar, (self.plot, 1), self.legend, inside=page, margins=None)
        return page

    def _on_read(self, runs: list[ComparedRun]) -> None:
        self.runs = runs
        self.message.hide()
        self.tabs.setEnabled(True)
        self._show_shares()
        self.curve.blockSignals(True)
        names = curve_names(runs)
        for name in names:
            self.curve.addItem(title_of(name, runs), name)
        losses = [name for name in names if name == SHARE_ERROR or name.startswith(LOSS)]
        self.curve.setCurrentIndex(names.index(losses[0]) if losses else 0)
        self.curve.blockSignals(False)
        self.band.setVisible(len(repeats(runs)) < len(runs))
        self.samples.show_runs(runs)
        _fill(self.table, runs, [*final_numbers(runs), *named_differences(runs)])
        self._show_curves()

    def _show_shares(self) -> None:
        known = [(run, found) for run in self.runs if (found := run.evaluation) is not None]
        across = min(len(known), 2) if len(known) <= 4 else 4
        charts = [Bars.of(found) for _, found in known]
        differ = len({found.shares.count for _, found in known}) > 1
        for place, (run, found) in enumerate(known):
            caption = wrapped_label(
                text=f"{run.name}: share error TV {compact(found.tv, 3)}{run.entry.measured_at}"
                + f", {found.shares.count:,} samples" * differ
            )  # its length makes no chart wider than others
            bars = SharesBars(self.theme.tokens)
            bars.setAccessibleName(f"Class shares of {run.name}")
            bars.show_bars(charts[place])
            bars.scale = max(chart.scale for chart in charts)  # the same shares are of the same height
            bars.setMinimumHeight(_LEAST_HEIGHT)
            self._grid.addLayout(column_of(caption, (bars, 1)), place // across, place % across)
            self._grid.setColumnStretch(place % across, 1)
            self.bars.append(bars)
        text = "Grey: data. Outlined: target. Filled: generated, with its 95 % interval."
        if others := [run.name for run in self.runs if run.evaluation is None]:
            text += f" Not evaluated yet: {', '.join(others)}."
        legend = plain_label(text, role="small", wraps=True)
        self._grid.addWidget(legend, len(known), 0, 1, max(1, across))
        self.shares.setVisible(bool(known))

    def _on_failed(self, error: UserError) -> None:
        self.message.setText(str(error))
        set_style_property(self.message, "role", "error")

    @Slot()
    def _show_curves(self) -> None:
        """A curve for each run, or for all seeds of one setting."""
        alone = [[place] for place in range(len(self.runs))]
        self._groups = repeats(self.runs) if self.band.isChecked() else alone
        self.legend.clear()
        for group in self._groups:
            run = self.runs[group[0]]
            tip = f"Run {run.name}, {run.entry.tilt or 'not'} tilted."
            width = len(_KNOWN) * bool(group[1:]) + len(self._judges(group))
            self.legend.add(Chip(str(group[0]), self._called(group), tip, width), group[0])
        self._draw()

    def _called(self, group: Sequence[int]) -> str:
        """The run or the seeds of a curve, by a name that no other curve has."""
        run = self.runs[group[0]]
        if len(group) == 1:
            return run.name
        alike = {place for place, each in enumerate(self.runs) if each.entry.name == run.entry.name}
        seeds = {self.runs[place].config.seed for place in group}
        name = _SEED.sub("", run.entry.name if alike <= {*group} else run.name)
        return f"{name}, {len(group)} {'seeds' if len(seeds) == len(group) else 'runs'}"

    def _judges(self, group: Sequence[int]) -> str:
        """By whom the share errors of a curve are, where not by the judge of their own data."""
        found = sorted({self.runs[place].judged_by for place in group} - {""})
        return _JUDGE.format(", ".join(found)) if found else ""

    @Slot()
    def _draw(self) -> None:
        name, axis = self.curve.currentData(), self.axis.currentData()
        if name is None or not self.runs:
            return
        self.smoothing.allow(on=name != SHARE_ERROR)
        self.plot.window, self.plot.logarithmic = self.smoothing.points, self.log.isChecked()
        curves = []
        for group, chip in zip(self._groups, self.legend.chips.values(), strict=True):
            members = [self.runs[place].curve(name, axis) for place in group]
            known = sum(bool(np.isfinite(y).any()) for _, y in members)
            some = _KNOWN.format(known) if 0 < known < len(group) else ""
            said = f"{some} {self._judges(group) if name == SHARE_ERROR else ''}".strip()
            chip.set_value(said)
            curves.append(ComparedCurve(title=f"{chip.title} {said}".rstrip(), members=members, colour=group[0]))
        self.plot.set_curves(str(axis), self.curve.currentText(), curves)
        for place, chip in enumerate(self.legend.chips.values()):
            self.plot.set_shown(place, chip.isChecked())

    def closeEvent(self, event: QCloseEvent) -> None:
        """Nothing is read for a window that is gone."""
        self._tasks.join(2.0)
        super().closeEvent(event)


def _table() -> QTableWidget:
    tip = "Results of each run, and the settings that differ."
    table = named(QTableWidget(), "compare_table", "Numbers and settings", tip)
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setTabKeyNavigation(False)
    table.setCornerButtonEnabled(False)
    table.setAlternatingRowColors(True)
    table.setShowGrid(False)
    return table


def _fill(table: QTableWidget, runs: Sequence[ComparedRun], rows: Sequence[Row]) -> None:
    table.setColumnCount(len(runs))
    table.setRowCount(len(rows))
    set_heads(table, [(run.name, run.name) for run in runs], right_from=len(runs))
    table.horizontalHeader().setTextElideMode(Qt.TextElideMode.ElideRight)
    table.setVerticalHeaderLabels([row.title for row in rows])
    for down, row in enumerate(rows):
        for across, text in enumerate(row.cells):
            item = QTableWidgetItem(text)
            item.setToolTip(tooltip(f"{row.title} of {runs[across].name}: {text}"))
            table.setItem(down, across, item)
    table.resizeColumnsToContents()
    for column in range(table.columnCount()):
        table.setColumnWidth(column, min(260, table.columnWidth(column)))
