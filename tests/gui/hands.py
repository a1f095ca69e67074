"""What a person does with the window: clicks, keys, and answers to what it asks."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

from PySide6.QtCore import QPoint, QPointF, Qt, QTimer
from PySide6.QtGui import QAction, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractSpinBox,
    QApplication,
    QCheckBox,
    QComboBox,
    QLineEdit,
    QMenu,
    QMessageBox,
    QPlainTextEdit,
    QTableView,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from studio.gui.state.run_view import RunPhase
from studio.gui.target.offsets.columns import Column
from studio.gui.target.offsets.edits import OffsetsEdits
from studio.gui.target.target_control import TargetControl
from studio.gui.window.main_window import MainWindow

PATIENCE_MS = 110_000
"""The first run of a process imports torch, which takes a minute on a machine that is busy enough."""
Button = Qt.MouseButton
Key: TypeAlias = Qt.Key
Modifier: TypeAlias = Qt.KeyboardModifier
NONE = Modifier.NoModifier


def find(parent: QWidget, kind: type[Any], name: str) -> Any:
    """The child of that name, which is there."""
    found = parent.findChild(kind, name)
    assert found is not None, name
    return found


def panel_of(window: MainWindow, name: str) -> Any:
    """The panel of that name, which is made if it is not yet."""
    return window.docks[name].widget()


def click(qtbot: QtBot, parent: QWidget, name: str) -> None:
    """Click the button of that name."""
    qtbot.mouseClick(find(parent, QAbstractButton, name), Button.LeftButton)


def ask_share(target: TargetControl, index: int, share: float) -> None:
    """Enter the share of a class, in 0…1, into the table of offsets."""
    OffsetsEdits(target).enter(Column.TARGET, {index: f"{100 * share:g}"})


def write(qtbot: QtBot, line: QLineEdit | QPlainTextEdit | QAbstractSpinBox, text: str) -> None:
    """Type in place of what stands there."""
    line.setFocus()
    line.selectAll()
    qtbot.keyClicks(line, text)


def enter(qtbot: QtBot, line: QLineEdit | QAbstractSpinBox, text: str) -> None:
    write(qtbot, line, text)
    qtbot.keyClick(line, Key.Key_Return)


def wheel(widget: QWidget, notches: int, held: Modifier = NONE, place: QPoint | None = None) -> None:
    """Turn the wheel over a place of a widget, else over its middle, upwards if positive."""
    here, turned = QPointF(place or widget.rect().center()), QPoint(0, 120 * notches)
    phase = Qt.ScrollPhase.NoScrollPhase
    event = QWheelEvent(here, widget.mapToGlobal(here), QPoint(), turned, Button.NoButton, held, phase, False)
    QApplication.sendEvent(widget, event)


def choose(qtbot: QtBot, combo: QComboBox, value: object) -> None:
    """Walk there with the arrow keys, which choose as they go."""
    combo.setFocus()
    wanted = combo.findData(value)
    assert wanted >= 0
    while combo.currentIndex() != wanted:
        before = combo.currentIndex()
        qtbot.keyClick(combo, Key.Key_Down if before < wanted else Key.Key_Up)
        assert combo.currentIndex() != before


class Hands:
    """At one window."""

    def __init__(self, qtbot: QtBot, window: MainWindow) -> None:
        self.qtbot, self.window, self.bench = qtbot, window, window.controls

    def find(self, kind: type[Any], name: str) -> Any:
        return find(self.window, kind, name)

    def key(self, key: Key, modifier: Modifier = Modifier.NoModifier) -> None:
        self.qtbot.keyClick(QApplication.focusWidget() or self.window, key, modifier)

    def focus(self) -> QWidget:
        """What has the keyboard."""
        widget = QApplication.focusWidget()
        assert widget is not None
        return widget

    def choose(self, name: str, value: str) -> None:
        choose(self.qtbot, self.find(QComboBox, name), value)

    def cell(self, row: int, column: Column) -> tuple[QWidget, QPoint]:
        table = self.find(QTableView, "offsets_table")
        index = table.model().index(row, column)
        table.scrollTo(index)
        return table.viewport(), table.visualRect(index).center()

    def enter(self, row: int, column: Column, text: str) -> None:
        """Click a cell of the offsets table and type into it."""
        viewport, place = self.cell(row, column)
        self.qtbot.mouseClick(viewport, Button.LeftButton, Modifier.NoModifier, place)
        table = self.find(QTableView, "offsets_table")
        self.qtbot.keyClick(table, text[0])
        (editor,) = [line for line in table.findChildren(QLineEdit, "cell_editor") if line.isVisible()]
        self.qtbot.keyClicks(editor, text[1:])
        self.qtbot.keyClick(editor, Key.Key_Return)

    def file_menu(self, title: str) -> QMenu:
        """A part of the file menu, which is opened and closed again."""
        bar = self.window.menuBar()
        self.qtbot.mouseClick(bar, Button.LeftButton, pos=bar.actionGeometry(bar.actions()[0]).center())
        (part,) = [menu for menu in self.window.findChildren(QMenu) if menu.title() == title]
        opened = QApplication.activePopupWidget()
        assert isinstance(opened, QMenu)
        opened.close()
        return part

    def preset(self, name: str) -> QAction:
        self.file_menu("&Presets")
        action = self.find(QAction, f"preset_{name}")
        assert isinstance(action, QAction)
        return action

    def press(self, control: str) -> None:
        """Click a control of the run."""
        self.qtbot.mouseClick(self.find(QToolButton, f"run_{control}_button"), Button.LeftButton)

    def wait(self, ready: Any) -> None:
        self.qtbot.waitUntil(ready, timeout=PATIENCE_MS)

    def wait_for(self, phase: RunPhase) -> None:
        self.wait(lambda: self.bench.runs.run.phase is phase)

    def train(self, steps: int = 3) -> None:
        """Press Start and see the first steps."""
        self.press("start")
        self.wait(lambda: self.bench.runs.run.step >= steps or not self.bench.runs.run.phase.active)
        assert self.bench.runs.run.phase is RunPhase.RUNNING

    def pause(self) -> None:
        self.press("pause")
        self.wait_for(RunPhase.PAUSED)

    def end(self) -> None:
        self.press("stop")
        self.wait(lambda: not self.bench.starter.blocked)

    def trained(self, steps: int = 3) -> Path:
        """The folder of a run that was trained and stopped."""
        self.train(steps)
        self.end()
        folder = self.bench.runs.run.folder
        assert folder is not None
        return folder

    @contextmanager
    def answering(self, button: str, check: str = "") -> Iterator[list[str]]:
        """Press a button of the box that comes up, a check box before it; collects what each box said."""
        said: list[str] = []
        timer = QTimer(interval=10)

        def answer() -> None:
            box = QApplication.activeModalWidget()
            if not isinstance(box, QMessageBox) or not box.isVisible():
                return
            if check:
                find(box, QCheckBox, check).setChecked(True)
            said.append(f"{box.text()} {box.informativeText()}".strip())
            (wanted,) = [each for each in box.buttons() if each.text().replace("&", "") == button]
            self.qtbot.mouseClick(wanted, Button.LeftButton)

        timer.timeout.connect(answer)
        timer.start()
        yield said
        timer.stop()
