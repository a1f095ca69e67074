"""What came of a sweep, in a window of its own: a table of the runs, and a plot of any result against settings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PySide6.QtCore import QSize, Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QLabel, QSplitter, QWidget

from studio.errors import UserError
from studio.files import whole_file
from studio.gui.queue.sweep_plot import Coordinate, SweepPlot
from studio.gui.queue.sweep_table import SweepColumn, SweepTable, columns_of
from studio.gui.state.task_runner import NewestTask, TaskRunner, TaskView
from studio.gui.widgets.buttons import tool_button
from studio.gui.widgets.choice_box import ChoiceBox
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import column_of, resize_to_fit, row_of
from studio.gui.widgets.stylesheet import set_style_property
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import named
from studio.library.sweep_results import HIGH, LOW, SHARE_ERROR, Member, SweepReader, SweepResults
from studio.progress import Progress

_SIZE = (960, 600)
_ALL = SweepColumn(title="all settings", tip="", value=lambda _: None)
_LINES = "A line for each run; colour goes by the result: the strongest is the least."
_POINTS = "Points are runs, those of one value a little apart"
_INTERVALS = "Bars are 95 % intervals of the share error among recognisable samples."
_NOTHING = "No run has such a number yet: it stands here when the first one has."


class SweepWindow(QWidget):
    """Has `members` find the runs of the sweep, beside the window, and shows them."""

    run_asked = Signal(object)  # Path: the person wants to see this run in the panels

    def __init__(
        self, members: Callable[[Progress], list[Member]], theme: ThemeManager, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent, Qt.WindowType.Window)
        self.setObjectName("sweep_window")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle("Sweep – Perturbation Studio")
        resize_to_fit(self, QSize(*_SIZE))
        self._members = members
        self._reader = SweepReader()
        self._tasks = TaskRunner(self)
        self._tasks.changed.connect(self._on_progress)
        self._reading = NewestTask(self._tasks)
        self.results: SweepResults | None = None
        self.table = SweepTable()
        self.table.run_asked.connect(self.run_asked)
        self.plot = SweepPlot(theme)
        self.plot.setAccessibleDescription("The chosen result of each run; those selected in the table stand out.")
        self.table.chosen.connect(self.plot.choose)
        self.message = plain_label("Reading the runs…", name="sweep_message", wraps=True)
        halves = QSplitter(Qt.Orientation.Vertical)
        halves.addWidget(self.table)
        halves.addWidget(self._make_plot())
        halves.setSizes([2, 3])
        column_of(self._make_bar(), (halves, 1), inside=self, margins=None)
        QShortcut(QKeySequence.StandardKey.Close, self, self.close)
        QShortcut(QKeySequence(Qt.Key.Key_Escape), self, self.close)
        self.table.setFocus()
        self.look_again()

    def _make_bar(self) -> QHBoxLayout:
        tip = "Read the runs again; this happens by itself when one of the queue has ended."
        again = tool_button("sweep_again", "&Refresh", tip, self.look_again)
        tip = "Copy the table, for a spreadsheet."
        copy = tool_button("sweep_copy", "&Copy", tip, self.table.copy)
        save = tool_button(
            "sweep_save", "Save as CS&V…", "Save the table as CSV, every number in full.", self._ask_file
        )
        return row_of((self.message, 1), again, copy, save)

    def _make_plot(self) -> QWidget:
        page = QWidget()
        self.result = self._make_choice("sweep_result", "Result", "Which result of the runs is drawn.")
        self.setting = self._make_choice("sweep_setting", "Setting", "Which setting the results are drawn against.")
        row = row_of(self.result, QLabel("against"), self.setting, 1)
        self.caption = plain_label(role="small", wraps=True)
        column_of(row, (self.plot, 1), self.caption, inside=page, margins=None)
        return page

    def _make_choice(self, name: str, title: str, tip: str) -> ChoiceBox:
        choice = named(ChoiceBox(), name, title, tip)
        choice.setSizeAdjustPolicy(ChoiceBox.SizeAdjustPolicy.AdjustToContents)
        choice.currentIndexChanged.connect(self._draw)
        return choice

    # -- reading

    @Slot()
    def look_again(self) -> None:
        """Read the runs again; those that have not changed cost nothing."""
        find, reader = self._members, self._reader  # not this window, which is to be freed on its own thread

        def read(progress: Progress) -> SweepResults | None:
            members = find(progress)
            return reader.read(members, progress) if members else None

        self._reading.run(read, done=self._on_read, failed=lambda error: self._say(str(error), "error"))

    @Slot(object)
    def _on_progress(self, task: TaskView | None) -> None:
        """How far the first look is; later ones take a moment, and what is shown stays."""
        if task is not None and self.results is None:
            self._say(f"{task.text} ({task.fraction or 0:.0%}); Escape cancels", "")

    def _on_read(self, results: SweepResults | None) -> None:
        if results is None:
            self._say(str(UserError("The sweep has no runs any more", "", "They were moved or deleted.")), "error")
            return
        self.results = results
        ended = sum(run.status == "completed" for run in results.runs)
        self.setWindowTitle(f"{results.title} – Perturbation Studio")
        copies = f"; copies of them are left out: {', '.join(results.copies)}" if results.copies else ""
        self._say(f"{results.title}: {ended:,} of {len(results.runs):,} runs are completed{copies}", "")
        columns = columns_of(results)
        self.table.show_results(results)
        self._settings = [column for column in columns if column.path]
        self._offer(self.setting, [*self._settings, _ALL] if len(self._settings) > 1 else self._settings)
        self._offer(self.result, [column for column in columns if column.name])
        self._draw()

    def _say(self, text: str, role: str) -> None:
        self.message.setText(text)
        set_style_property(self.message, "role", role)

    # -- a result against settings

    def _offer(self, choice: ChoiceBox, columns: Sequence[SweepColumn]) -> None:
        """List these; what was chosen stays chosen, or else the share error is if it is there."""
        before = choice.currentData()
        choice.blockSignals(True)
        choice.clear()
        for column in columns:
            choice.addItem(column.title, column)
        wanted = before if before in columns else next((each for each in columns if each.name == SHARE_ERROR), None)
        choice.setCurrentIndex(columns.index(wanted) if wanted else 0)
        choice.blockSignals(False)

    @Slot()
    def _draw(self) -> None:
        setting, result = self.setting.currentData(), self.result.currentData()
        if self.results is None or not setting or not result:
            self.caption.setText(_NOTHING)
            return
        settings, runs = self._settings if setting == _ALL else [setting], self.results.runs
        axes = [Coordinate(title=each.title, values=tuple(map(each.drawn, runs))) for each in (*settings, result)]
        ends = np.repeat(axes[-1].places()[:, None], 2, axis=1)
        bars = result.name == SHARE_ERROR
        if bars:
            ends = np.array([[run.numbers.get(end, np.nan) for end in (LOW, HIGH)] for run in runs])
        self.plot.show_runs([run.title for run in runs], axes[:-1], axes[-1], ends)
        points = f"{_POINTS}{'.' if axes[0].names else '; the line is their mean.'}"
        self.caption.setText(_LINES if setting == _ALL else f"{points} {_INTERVALS}" if bars else points)

    # -- saving

    @Slot()
    def _ask_file(self) -> None:
        if self.results is None:
            return
        start = str(Path.home() / f"{self.results.sweep}.csv")
        name, _ = QFileDialog.getSaveFileName(self, "Save the table", start, "CSV (*.csv)")
        if name:
            self.save_csv(Path(name))

    def save_csv(self, path: Path) -> None:
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
        self._tasks.join(2.0)
        super().closeEvent(event)
