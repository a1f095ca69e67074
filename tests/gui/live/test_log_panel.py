"""The log: lines, details, filter, copy."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QTextCursor
from PySide6.QtWidgets import QApplication, QToolButton
from pytestqt.qtbot import QtBot

from studio.errors import UserError
from studio.gui.live.log import MOST_LINES, LogPanel
from studio.gui.state.log import Level, Log, LogLine
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls
from studio.gui.window.panel_dock import PanelArea
from tests.gui.shown import show

_TRACE = "Traceback (most recent call last):\n  boom()\nValueError: no"


@pytest.fixture
def log(qtbot: QtBot, controls: Controls, theme: ThemeManager) -> LogPanel:
    panel = LogPanel(controls.log, theme)
    show(qtbot, panel, 480, 200)
    return panel


def _visible(log: LogPanel) -> list[str]:
    found, block = [], log.view.document().begin()
    while block.isValid():
        if block.isVisible():
            found.append(block.text())
        block = block.next()
    return found


def test_that_lines_carry_time_and_level(log: LogPanel, controls: Controls) -> None:
    assert "happens next" in log.empty_text
    controls.log.line_logged.emit(LogLine(text="Training"))
    controls.log.line_logged.emit(LogLine.of_error(UserError("Full", "The disk is full.", "Free some."), Level.WARNING))
    assert not log.empty_text
    first, second = _visible(log)
    assert first.endswith("· Training")
    assert second.endswith("⚠ Full. The disk is full. Free some.")
    assert second[2:10].count(":") == 2


def test_that_the_log_stays_at_its_end_whatever_its_size_until_one_scrolls_up(
    qtbot: QtBot, log: LogPanel, controls: Controls
) -> None:
    bar = log.view.verticalScrollBar()
    for height in (200, 90, 300, 120):
        log.resize(480, height)
        for number in range(30):
            controls.log.line_logged.emit(LogLine(text=f"line {number}"))
        qtbot.waitUntil(lambda: bar.value() == bar.maximum() > 0)
    bar.setValue(3)
    log.resize(480, 250)
    controls.log.line_logged.emit(LogLine(text="another"))
    assert bar.value() == 3


def test_that_details_unfold_by_click_and_by_key_and_take_up_room(
    qtbot: QtBot, log: LogPanel, controls: Controls
) -> None:
    controls.log.line_logged.emit(LogLine(text="Failed", level=Level.ERROR, detail=_TRACE * 20))
    bar = log.view.verticalScrollBar()
    assert bar.maximum() == 0
    log.view.toggle(log.view.document().begin())
    assert bar.maximum() > 0
    log.view.toggle(log.view.document().begin())
    assert bar.maximum() == 0
    log.view.clear()
    controls.log.line_logged.emit(LogLine(text="Failed", level=Level.ERROR, detail=_TRACE))
    controls.log.line_logged.emit(LogLine(text="After"))
    assert len(_visible(log)) == 2
    block = log.view.document().begin()
    place = log.view.cursorRect(QTextCursor(block)).center()
    qtbot.mouseClick(log.view.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert len(_visible(log)) == 5
    assert _visible(log)[0].startswith("▾")
    assert "ValueError: no" in _visible(log)[3]
    qtbot.keyClick(log.view, Qt.Key.Key_Return)
    assert len(_visible(log)) == 2
    assert _visible(log)[0].startswith("▸")


def test_that_the_filter_keeps_what_matters(log: LogPanel, controls: Controls) -> None:
    for level in Level:
        controls.log.line_logged.emit(LogLine(text=level.value, level=level, detail="more"))
    log.filter.setCurrentIndex(1)
    assert [text.split()[-1] for text in _visible(log)] == ["warning", "error"]
    controls.log.line_logged.emit(LogLine(text="hidden"))
    log.filter.setCurrentIndex(2)
    assert [text.split()[-1] for text in _visible(log)] == ["error"]
    log.filter.setCurrentIndex(0)
    assert len(_visible(log)) == 4


def test_that_copy_takes_the_selection_or_everything(qtbot: QtBot, log: LogPanel, controls: Controls) -> None:
    controls.log.line_logged.emit(LogLine(text="one", level=Level.ERROR, detail=_TRACE))
    controls.log.line_logged.emit(LogLine(text="two\nlines"))
    copy = log.findChild(QToolButton, "log_copy")
    qtbot.mouseClick(copy, Qt.MouseButton.LeftButton)
    assert "ValueError: no" in QApplication.clipboard().text()
    log.view.selectAll()
    qtbot.mouseClick(copy, Qt.MouseButton.LeftButton)
    assert "\n" in QApplication.clipboard().text()
    cursor = log.view.textCursor()
    cursor.setPosition(2)
    cursor.setPosition(4, QTextCursor.MoveMode.KeepAnchor)
    log.view.setTextCursor(cursor)
    qtbot.mouseClick(copy, Qt.MouseButton.LeftButton)
    assert len(QApplication.clipboard().text()) == 2


def test_that_old_lines_make_room_and_the_log_outlives_a_run_until_it_is_cleared(
    qtbot: QtBot, log: LogPanel, controls: Controls
) -> None:
    controls.log.line_logged.emit(LogLine(text="one"))
    controls.time.run_shown.emit()
    assert len(_visible(log)) == 1
    qtbot.mouseClick(log.findChild(QToolButton, "log_clear"), Qt.MouseButton.LeftButton)
    assert log.empty_text
    controls.log.line_logged.emit(LogLine(text="two"))
    assert [text[-3:] for text in _visible(log)] == ["two"]
    log.view.setMaximumBlockCount(50)
    for index in range(120):
        controls.log.line_logged.emit(LogLine(text=f"line {index}", detail="more"))
    assert log.view.blockCount() == 50
    assert MOST_LINES == 5_000


def test_that_colours_follow_the_look(log: LogPanel, controls: Controls, theme: ThemeManager) -> None:
    controls.log.line_logged.emit(LogLine(text="bad", level=Level.ERROR))
    theme.set_mode("dark")
    formats = log.view.document().begin().layout().formats()
    assert theme.tokens.error in {found.format.foreground().color().name() for found in formats}


def test_that_a_low_log_has_one_scroll_bar(qtbot: QtBot, theme: ThemeManager) -> None:
    """As low as the Workbench makes it in a window of 1280 by 800."""
    log = Log()
    panel, area = LogPanel(log, theme), PanelArea()
    area.put(panel)
    for number in range(9):
        log.add(f"line {number}")
    show(qtbot, area, 268, 100)
    assert panel.view.verticalScrollBar().isVisible()
    assert area.verticalScrollBar().maximum() == 0
