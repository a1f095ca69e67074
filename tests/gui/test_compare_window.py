"""The window that shows runs side by side, opened from the table and worked with."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from studio.gui.compare_window import CompareWindow
from studio.gui.panels.runs import RunsPanel
from studio.gui.theme import ThemeManager
from studio.gui.workbench import Workbench
from tests.gui.live import show
from tests.library.made_runs import make_config, make_run

Key = Qt.Key


@pytest.fixture
def compared(qtbot: QtBot, theme: ThemeManager, tmp_path: Path) -> Iterator[CompareWindow]:
    """A tilted run of 100 steps and a plain one of 1,000."""
    tilted = make_run(tmp_path, "a", make_config("tilted", offsets={"2": -1.36}), steps=100)
    plain = make_run(tmp_path, "b", make_config("plain"), steps=1000)
    window = CompareWindow([tilted, plain], theme)
    with qtbot.waitExposed(window):
        window.show()
    qtbot.waitUntil(lambda: len(window.runs) == 2)
    yield window
    window.close()


def test_that_curves_of_all_runs_are_drawn_over_one_axis(qtbot: QtBot, compared: CompareWindow) -> None:
    assert compared.curve.currentText() == "loss autoencoder"
    assert [chip.title for chip in compared.legend.chips.values()] == ["tilted", "plain"]
    first, second = (line.item for line in compared.plot._lines)
    assert first.getData()[0][-1] == 100
    assert second.getData()[0][-1] == 1000
    compared.axis.setFocus()
    qtbot.keyClick(compared.axis, Key.Key_Down)
    assert compared.plot.labels["bottom"] == "examples"
    assert compared.plot._lines[1].item.getData()[0][-1] == pytest.approx(64_000)
    qtbot.mouseClick(compared.log, Qt.MouseButton.LeftButton)
    assert np.allclose(compared.plot._lines[0].item.getData()[1][-1], np.log10(1.0), atol=1e-9)
    qtbot.mouseClick(compared.legend.chips["0"], Qt.MouseButton.LeftButton)
    assert not len(compared.plot._lines[0].item.xData)
    compared.smoothing.setFocus()
    qtbot.keyClick(compared.smoothing, Key.Key_End)
    assert compared.plot.window == 1000
    assert not len(compared.plot._lines[0].item.xData)  # it stays hidden


def test_that_samples_of_one_step_stand_side_by_side(qtbot: QtBot, compared: CompareWindow) -> None:
    compared.tabs.setCurrentIndex(1)
    samples = compared.samples
    qtbot.waitUntil(lambda: samples._captions[1].text() == "plain: step 1,000")
    assert samples._captions[0].text() == "tilted: step 100"
    qtbot.keyClick(samples.slider, Key.Key_Home)
    qtbot.waitUntil(lambda: samples._captions[1].text() == "plain: step 0")


def test_that_numbers_and_differences_are_a_table(compared: CompareWindow) -> None:
    table = compared.table
    model = table.model()
    titles = [model.headerData(row, Qt.Orientation.Vertical) for row in range(table.rowCount())]
    assert titles[4:6] == ["Steps", "Time in s"]
    assert [model.index(4, column).data() for column in range(2)] == ["100", "1,000"]
    assert model.index(titles.index("perturbation.offsets.2"), 0).data() == "-1.36"


def test_that_a_damaged_run_is_told_of(qtbot: QtBot, theme: ThemeManager, tmp_path: Path) -> None:
    runs = [make_run(tmp_path, name) for name in "ab"]
    (runs[0] / "metrics.sqlite").write_bytes(b"x" * 5000)
    window = CompareWindow(runs, theme)
    window.show()
    qtbot.waitUntil(lambda: "metrics cannot be read" in window.message.text())
    assert not window.tabs.isEnabled()
    window.close()


def test_that_the_selected_runs_are_compared_by_key(qtbot: QtBot, workbench: Workbench, theme: ThemeManager) -> None:
    for name in "abc":
        make_run(workbench.runs_root, name)
    panel = RunsPanel(workbench, theme)
    show(qtbot, panel, 900, 400)
    qtbot.waitUntil(lambda: len(panel.model.shown) == 3)
    panel.view.selectAll()
    qtbot.keyClick(panel.view, Key.Key_C, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    window = panel.findChild(CompareWindow)
    assert window is not None
    qtbot.waitUntil(lambda: len(window.runs) == 3)
    qtbot.keyClick(window, Key.Key_Escape)
    qtbot.waitUntil(lambda: panel.findChild(CompareWindow) is None)
