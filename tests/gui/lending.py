"""One window for the tests of a module, lent to one after the other; it takes half a second to make."""

import shutil
from pathlib import Path

import pytest
from PySide6.QtCore import QByteArray, QEvent, QSettings
from PySide6.QtWidgets import QApplication, QTableView, QToolButton
from pytestqt.qtbot import QtBot

from studio.gui.state.history import History
from studio.gui.state.run_view import RunView
from studio.gui.target.offsets.columns import Column
from studio.gui.widgets.theme import ThemeManager, ThemeMode
from studio.gui.window.controls import Controls
from studio.gui.window.main_window import MainWindow
from studio.gui.window.panels import PLACES
from studio.training.config.run_config import EvaluationConfig, RunConfig
from tests.gui.hands import PATIENCE_MS, find
from tests.gui.shown import show_active

PLAIN = RunConfig(evaluation=EvaluationConfig(budget=0))
"""Nothing is evaluated unless a test asks for it: that would train a judge."""


class Lender:
    """Whoever borrows may set up, open lessons and old runs, and have runs made up, but train none, and float or
    hide no panel.

    Args:
        folder: of the settings and the downloaded data sets.
        in_docks: it is the Workbench, and not the page.
    """

    def __init__(self, folder: Path, *, in_docks: bool) -> None:
        self._folder, self._in_docks = folder, in_docks
        self._settings = QSettings(str(folder / "studio.ini"), QSettings.Format.IniFormat)
        self._window: MainWindow | None = None
        self._shape = QByteArray()

    def lend(self, qtbot: QtBot) -> MainWindow:
        """The window, active, as it was at first, with the digits and no runs."""
        self._settings.clear()
        self._settings.setValue("workbench", self._in_docks)
        if self._window is None:
            bench = Controls(PLAIN, data_root=self._folder, runs_root=self._folder / "runs")
            with qtbot.waitSignal(bench.setup.dataset_changed):
                bench.setup.set_dataset(PLAIN.dataset)
            self._window = MainWindow(bench, ThemeManager(ThemeMode.LIGHT), self._settings)
            self._window.setProperty("lent", True)  # so that it may outlive a test
        window = self._window
        window.controls.setup.runs_root.mkdir(exist_ok=True)
        show_active(qtbot, window)
        self._shape = self._shape or window.saveGeometry()
        find(window, QTableView, "offsets_table").setFocus()
        return window

    def take_back(self, qtbot: QtBot) -> None:
        """Undo what the test did, by what a person could do, and see that it is undone."""
        window, bench = self._window, self._window.controls
        assert window is not None
        self._window = None  # unless all goes well
        while (popup := QApplication.activePopupWidget() or QApplication.activeModalWidget()) is not None:
            popup.close()
        if bench.runs._timer.handle is not None:
            assert bench.shutdown()  # or its thread would keep the process from ending
            pytest.fail("whoever trains ends it, or has a window of its own", pytrace=False)
        bench.runs._then, bench.runs.config, bench.runs.title, bench.runs.history = None, None, "", History()
        bench.runs.run_reset.emit()
        bench.runs._set_run(RunView())
        bench.runs.history_changed.emit()
        bench.lessons.close()
        bench.subjects.offer(None)
        bench.setup.set_config(PLAIN, "As it was")
        qtbot.waitUntil(
            lambda: not (bench.starter.blocked or bench.library.busy or bench.looking._tasks), timeout=PATIENCE_MS
        )
        bench.setup.undo_stack.clear()
        shutil.rmtree(bench.setup.runs_root)
        table = find(window, QTableView, "offsets_table")
        table.clearSelection()
        table.setCurrentIndex(table.model().index(0, Column.OFFSET))
        for button in window.findChildren(QToolButton, "log_clear"):
            button.click()
        QApplication.clipboard().clear()
        window.restoreGeometry(self._shape)
        window.files.path = None
        window.files.path_changed.emit(None)
        window.views.workbench_action.setChecked(self._in_docks)
        window.views.page.reset()
        if self._in_docks:
            for panels in PLACES.values():
                window.views.show_panel(panels[0].name)
        else:
            window.views.page.leave()
            window.views.page.tabs.setCurrentIndex(0)
            window.views.page.enter()
        assert bench.setup.config == PLAIN
        assert not any(dock.isFloating() for dock in window.docks.values())
        assert window.windowTitle() == "Perturbation Studio"
        self._window = window

    def close(self) -> None:
        """No test of the module is left."""
        if self._window is not None:
            self._window.close()
            assert self._window.controls.shutdown()
            self._window.deleteLater()
            QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete.value)
