"""What came of a sweep, in a window of its own: a table, parallel coordinates, and results against a setting."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QTabWidget, QVBoxLayout, QWidget

from studio.errors import UserError
from studio.files import whole_file
from studio.gui.queue.parallel_plot import Coordinate, ParallelPlot
from studio.gui.queue.setting_plot import Dot, SettingPlot
from studio.gui.queue.sweep_table import SweepColumn, SweepTable, columns_of
from studio.gui.state.task_runner import TaskRunner
from studio.gui.state.view_state import TaskView
from studio.gui.widgets.buttons import tool_button
from studio.gui.widgets.choice_box import ChoiceBox
from studio.gui.widgets.style_property import set_style_property
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import set_help
from studio.library.sweep_results import FRECHET, HIGH, LOW, SHARE_ERROR, Member, SweepReader, SweepResults, SweepRun
from studio.progress import Progress

_SIZE = (960, 600)
_RESULTS_SHOWN = 4
"""Results among the parallel axes; more would be too narrow to read."""

_POINTS = "Points are runs, those of one value a little apart; the line is their mean."
_INTERVALS = "Bars are 95 % intervals of the share error among recognisable samples."
_NOTHING = "No run has such a number yet: it stands here when the first one has."


class SweepWindow(QWidget):
    """Reads the runs, then shows them.

    Args:
        members: finds the runs of the sweep; called beside the window.
    """

    run_asked = Signal(object)  # Path: the person wants to see this run in the panels

    def __init__(
        self, members: Callable[[Progress], list[Member]], theme: ThemeManager, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setObjectName("sweep_window")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Sweep – Perturbation Studio")
        self.resize(*_SIZE)
        self._members, self._theme = members, theme
        self._reader = SweepReader()
        self._tasks = TaskRunner(self)
        self._tasks.changed.connect(self._on_progress)
        self._busy = self._again = False
        self.results: SweepResults | None = None
        self.table = SweepTable()
        self.table.run_asked.connect(self.run_asked)
        self.parallel = ParallelPlot(theme)
        self.parallel.setAccessibleDescription(
            "A line for each run across its settings and results; those selected in the table stand out. "
            "Colour goes by the last axis: the strongest is the least."
        )
        self.table.chosen.connect(self.parallel.choose)
        self.message = QLabel("Reading the runs…", wordWrap=True)
        self.message.setObjectName("sweep_message")
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.tabs = QTabWidget()
        self.tabs.setObjectName("sweep_tabs")
        self.tabs.addTab(self.table, "&Table")
        self.tabs.addTab(self.parallel, "&Parallel coordinates")
        self.tabs.addTab(self._make_against(), "&Against a setting")
        column = QVBoxLayout(self)
        column.addLayout(self._make_bar())
        column.addWidget(self.tabs, 1)
        QShortcut(QKeySequence.StandardKey.Close, self, self.close)
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self.close)
        self.table.setFocus()
        self.look_again()

    def _make_bar(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(self.message, 1)
        for name, title, tip, act in (
            (
                "again",
                "Look &again",
                "Read the runs again; this happens by itself when one of the queue has ended.",
                None,
            ),
            ("copy", "&Copy", "Put the table on the clipboard, for a spreadsheet.", self.table.copy),
            ("save", "Save as CS&V…", "Save the table as CSV, every number in full.", self._ask_file),
        ):
            button = tool_button(f"sweep_{name}", title, tip)
            button.clicked.connect(act or self.look_again)
            row.addWidget(button)
        return row

    def _make_against(self) -> QWidget:
        page = QWidget()
        self.plot = SettingPlot(self._theme)
        self.result = self._make_choice("sweep_result", "Result", "Which number that came of the runs is drawn.")
        self.setting = self._make_choice("sweep_setting", "Setting", "Which setting the runs are drawn against.")
        row = QHBoxLayout()
        row.addWidget(self.result)
        row.addWidget(QLabel("against"))
        row.addWidget(self.setting)
        row.addStretch(1)
        self.caption = QLabel(wordWrap=True)
        self.caption.setTextFormat(Qt.TextFormat.PlainText)
        self.caption.setProperty("role", "small")
        column = QVBoxLayout(page)
        column.addLayout(row)
        column.addWidget(self.plot, 1)
        column.addWidget(self.caption)
        return page

    def _make_choice(self, name: str, title: str, tip: str) -> ChoiceBox:
        choice = ChoiceBox()
        choice.setObjectName(name)
        choice.setSizeAdjustPolicy(ChoiceBox.SizeAdjustPolicy.AdjustToContents)
        set_help(choice, title, tip)
        choice.currentIndexChanged.connect(self._draw_against)
        return choice

    # -- reading

    @Slot()
    def look_again(self) -> None:
        """Read the runs again; those that have not changed cost nothing."""
        if self._busy:
            self._again = True
            return
        self._busy, self._again = True, False
        self._tasks.run(self._read, done=self._on_read, failed=self._on_failed, cancelled=self._settle)

    def _read(self, progress: Progress) -> SweepResults | None:
        members = self._members(progress)
        return self._reader.read(members, progress) if members else None

    @Slot(object)
    def _on_progress(self, task: TaskView | None) -> None:
        """How far the first look is; later ones take a moment, and what is shown stays."""
        if task is not None and self.results is None:
            self._say(f"{task.text} ({task.fraction or 0:.0%}); Escape cancels", "")

    def _on_read(self, results: SweepResults | None) -> None:
        if results is None:
            self._on_failed(UserError("The sweep has no runs any more", "", "They were moved or deleted."))
            return
        self.results = results
        ended = sum(run.status == "completed" for run in results.runs)
        self.setWindowTitle(f"{results.title} – Perturbation Studio")
        self._say(f"{results.title}: {ended:,} of {len(results.runs):,} runs are completed", "")
        columns = columns_of(results)
        self.table.show_results(results)
        self.parallel.set_runs([run.title for run in results.runs], self._coordinates(columns))
        self._offer(self.setting, [column for column in columns if column.path])
        self._offer(self.result, [column for column in columns if column.name] or [SweepColumn(name=SHARE_ERROR)])
        self._draw_against()
        self._settle()

    def _coordinates(self, columns: list[SweepColumn]) -> list[Coordinate]:
        """Settings, then results, the share error last: it is what lines are coloured by."""
        assert self.results is not None
        results = [column for column in columns if column.name not in ("", "steps", "seconds")][:_RESULTS_SHOWN]
        results.sort(key=lambda column: (column.name == SHARE_ERROR, column.name == FRECHET))
        return [
            Coordinate(title=column.title, values=tuple(column.value(run) for run in self.results.runs))
            for column in (*(column for column in columns if column.path), *results)
        ]

    def _on_failed(self, error: UserError) -> None:
        self._say(str(error), "error")
        self._settle()

    def _settle(self) -> None:
        self._busy = False
        if self._again:
            self.look_again()

    def _say(self, text: str, role: str) -> None:
        self.message.setText(text)
        set_style_property(self.message, "role", role)

    # -- results against a setting

    def _offer(self, choice: ChoiceBox, columns: list[SweepColumn]) -> None:
        """List these columns; the same one stays chosen, or else the share error is if it is there."""
        before = choice.currentData()
        if [choice.itemData(place) for place in range(choice.count())] == columns:
            return
        choice.blockSignals(True)
        choice.clear()
        for column in columns:
            choice.addItem(column.title, column)
        wanted = before if before in columns else SweepColumn(name=SHARE_ERROR)
        choice.setCurrentIndex(columns.index(wanted) if wanted in columns else 0)
        choice.blockSignals(False)

    @Slot()
    def _draw_against(self) -> None:
        setting, result = self.setting.currentData(), self.result.currentData()
        if self.results is None or not setting or not result:
            return
        found = ((run, setting.value(run), result.value(run)) for run in self.results.runs)
        dots = [_dot(run, x, float(y), result) for run, x, y in found if x is not None and y is not None]
        self.plot.set_dots(setting.title, result.title, dots)
        bars = f" {_INTERVALS}" if result.name == SHARE_ERROR else ""
        self.caption.setText(f"{_POINTS}{bars}" if dots else _NOTHING)

    # -- saving

    @Slot()
    def _ask_file(self) -> None:
        if self.results is None:
            return
        name, _ = QFileDialog.getSaveFileName(self, "Save the table", f"{self.results.sweep}.csv", "CSV (*.csv)")
        if name:
            self.save_csv(Path(name))

    def save_csv(self, path: Path) -> None:
        """Save the table, and say whether that went well."""
        assert self.results is not None
        try:
            with whole_file(path) as file:
                file.write(self.results.to_csv().encode())
        except UserError as error:
            self._say(str(error), "error")
        else:
            self._say(f"Saved as {path}", "")

    def closeEvent(self, event: QCloseEvent) -> None:
        """Nothing is read for a window that is gone."""
        self._again = False
        self._tasks.join(2.0)
        super().closeEvent(event)


def _dot(run: SweepRun, x: Any, y: float, result: SweepColumn) -> Dot:
    share = result.name == SHARE_ERROR
    low, high = (run.numbers.get(LOW, y), run.numbers.get(HIGH, y)) if share else (y, y)
    return Dot(title=run.title, x=x, y=y, low=min(low, y), high=max(high, y))
