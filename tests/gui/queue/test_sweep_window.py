"""The window with what came of a sweep, opened from the table of runs and worked with."""

import gc
import shutil
import threading
import weakref
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import shiboken6
from pyqtgraph import PlotCurveItem
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QMenu
from pytestqt.qtbot import QtBot

from studio.gui.library.actions import menu_of
from studio.gui.library.panel import RunsPanel
from studio.gui.queue.sweep_window import SweepWindow
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls
from studio.library.sweep_results import Member, members_of
from studio.progress import Progress
from tests.gui.hands import click
from tests.gui.shown import show
from tests.library.made_runs import make_run
from tests.library.swept_runs import NAME, make_sweep

Key = Qt.Key


@pytest.fixture
def swept(qtbot: QtBot, theme: ThemeManager, tmp_path: Path) -> Iterator[SweepWindow]:
    make_sweep(tmp_path)
    window = SweepWindow(lambda progress: members_of(tmp_path, NAME, progress), theme)
    with qtbot.waitExposed(window):
        window.show()
    qtbot.waitUntil(lambda: window.results is not None)
    yield window
    window.close()


def test_that_what_reads_does_not_hold_the_window(theme: ThemeManager) -> None:
    """Its last reference would go in the thread that reads, and what it owns be destroyed there."""
    go_on = threading.Event()

    def find(_: Progress) -> list[Member]:
        go_on.wait()
        return []

    window = SweepWindow(find, theme)
    window.look_again()
    gone = weakref.ref(window)
    shiboken6.delete(window)
    del window
    gc.collect()
    held = gone() is not None
    go_on.set()
    assert not held


def column(window: SweepWindow, title: str) -> list[str]:
    table = window.table
    headers = [table.horizontalHeaderItem(place) for place in range(table.columnCount())]
    place = [header.text() for header in headers if header is not None].index(title)
    items = [table.item(row, place) for row in range(table.rowCount())]
    return [item.text() for item in items if item is not None]


def test_that_a_run_that_was_copied_is_one_point_of_the_plot_and_the_copy_is_named(
    swept: SweepWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    shutil.copytree(tmp_path / "tilts_001", tmp_path / "tilts_001 copy")
    swept.look_again()
    qtbot.waitUntil(lambda: "copies" in swept.message.text())
    assert swept.message.text() == ("Tilts: 12 of 12 runs are completed; copies of them are left out: tilts_001 copy")
    assert len(swept.plot._result.values) == 12


def test_that_runs_stand_in_a_table_that_sorts_numbers_as_numbers_and_is_copied_and_saved(
    swept: SweepWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    assert swept.message.text() == "Tilts: 12 of 12 runs are completed"
    assert column(swept, "ΔH(2)")[:2] == ["−2", "−2"]
    assert "(" in column(swept, "Share error TV")[0]
    swept.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    assert column(swept, "ΔH(2)") == ["0"] * 4 + ["−1"] * 4 + ["−2"] * 4
    place = 6
    swept.table.sortByColumn(place, Qt.SortOrder.AscendingOrder)
    assert column(swept, "Share error TV")[-1] == "–"
    swept.table.setFocus()
    qtbot.keyClick(swept.table, Key.Key_C, Qt.KeyboardModifier.ControlModifier)
    lines = QApplication.clipboard().text().splitlines()
    assert lines[0].split("\t")[:4] == ["ΔH(2)", "Planner", "Seed", "Status"]
    assert len(lines) == 13
    swept.save_csv(tmp_path / "out.csv")
    assert len((tmp_path / "out.csv").read_text().splitlines()) == 13
    swept.save_csv(tmp_path / "out.csv" / "no.csv")
    assert "could not be written" in swept.message.text()


def test_that_runs_are_lines_across_all_settings_and_a_selected_one_stands_out(swept: SweepWindow) -> None:
    plot = swept.plot
    swept.setting.setCurrentText("all settings")
    assert plot.axes["bottom"].names == ("ΔH(2)", "Planner", "Seed", "Share error TV")
    assert plot._at[0].tolist() == [0.0] * 4 + [0.5] * 4 + [1.0] * 4
    assert plot._at[1][:3].tolist() == [0.0, 0.0, 1.0]
    assert np.isnan(plot._at[-1][-1])
    swept.table.sortByColumn(0, Qt.SortOrder.DescendingOrder)
    swept.table.selectRow(0)
    assert plot._chosen == {8}
    assert "ΔH(2)=0" in plot.describe(0.0, 1.0)


def test_that_the_share_error_is_drawn_against_any_setting(qtbot: QtBot, swept: SweepWindow) -> None:
    assert (swept.result.currentText(), swept.setting.currentText()) == ("Share error TV", "ΔH(2)")
    plot = swept.plot
    assert plot.labels == {"bottom": "ΔH(2)", "left": "Share error TV"}
    assert np.isfinite(plot._at).all(axis=0).sum() == 11
    low, y, high = plot._intervals[:11, 0], plot._at[1][:11], plot._intervals[:11, 1]
    assert ((low <= y) & (y <= high)).all()
    places, means = next(item for item in plot._items if isinstance(item, PlotCurveItem)).getData()
    assert places.tolist() == [-2.0, -1.0, 0.0]
    assert means[0] > means[-1]
    assert "95 %" in swept.caption.text()
    assert "the line is their mean" in swept.caption.text()
    assert "Planner=" in plot.describe(-2.0, float(means[0]))
    swept.setting.setFocus()
    qtbot.keyClick(swept.setting, Key.Key_Down)
    assert plot.axes["bottom"].names == ("Error carry", "Stratified")
    assert "the line" not in swept.caption.text()
    swept.result.setFocus()
    qtbot.keyClick(swept.result, Key.Key_Down)
    assert plot.labels["left"] == "Fréchet distance"
    assert "95 %" not in swept.caption.text()


def test_that_it_looks_again_and_tells_of_runs_that_are_gone(qtbot: QtBot, swept: SweepWindow, tmp_path: Path) -> None:
    swept.table.selectRow(3)
    gone = tmp_path / "gone"
    gone.mkdir()
    (tmp_path / "tilts_012").rename(gone / "tilts_012")  # at once: who reads it meanwhile adds files
    click(qtbot, swept, "sweep_again")
    qtbot.waitUntil(lambda: swept.table.rowCount() == 11)
    assert swept.plot._chosen == {3}
    for folder in tmp_path.glob("tilts_*"):
        folder.rename(gone / folder.name)
    click(qtbot, swept, "sweep_again")
    qtbot.waitUntil(lambda: "no runs any more" in swept.message.text())


def test_that_it_is_opened_from_the_table_of_runs(qtbot: QtBot, controls: Controls, theme: ThemeManager) -> None:
    make_run(controls.setup.runs_root, "alone", frames=0)
    make_sweep(controls.setup.runs_root)
    panel = RunsPanel(controls.library, controls.sweeps, controls.time, controls.starter, theme)
    show(qtbot, panel, 900, 400)
    qtbot.waitUntil(lambda: len(panel.model.shown) == 13)
    for folder, able in (("alone", False), ("tilts_002", True)):
        menu = menu_of(panel.actions_of_runs, panel.exports, panel.library.root, [folder], panel)
        assert _action(menu).isEnabled() is able
    _action(menu).trigger()
    window = panel.findChild(SweepWindow)
    qtbot.waitUntil(lambda: window.results is not None)
    with qtbot.waitSignal(window.run_asked) as asked:
        window.table.setCurrentCell(4, 0)
        qtbot.keyClick(window.table, Key.Key_Return)
    assert asked.args == [controls.setup.runs_root / "tilts_005"]
    qtbot.waitUntil(lambda: controls.time.folder == controls.setup.runs_root / "tilts_005")
    qtbot.keyClick(window, Key.Key_Escape)
    qtbot.waitUntil(lambda: panel.findChild(SweepWindow) is None)


def _action(menu: QMenu) -> QAction:
    (found,) = [action for action in menu.actions() if action.objectName() == "runs_sweep"]
    return found
