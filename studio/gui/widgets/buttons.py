"""Buttons, all made alike: named, explained, reachable by keyboard, and connected to what they do."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, Qt, SignalInstance
from PySide6.QtGui import QAction, QKeySequence, QUndoStack
from PySide6.QtWidgets import QMenu, QPushButton, QToolButton, QWidget

from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import set_help

UNDO, REDO = "Undo the last edit of the target (Ctrl+Z).", "Redo the edit that was undone (Ctrl+Shift+Z)."
Act = Callable[..., object] | SignalInstance


def push_button(name: str, text: str, tip: str, act: Act | None = None, *, title: str = "") -> QPushButton:
    """A button of a form or a dialog; `title` is for screen readers where it is not the text, without & and …."""
    button = QPushButton(text)
    button.setObjectName(name)
    set_help(button, title or text.replace("&", "").removesuffix("…"), tip)
    if act is not None:
        button.clicked.connect(act)
    return button


def tool_button(name: str, title: str, tip: str, act: Act | None = None) -> QToolButton:
    """A small button of a panel's own bar; its name is for tests and style."""
    button = QToolButton()
    button.setObjectName(name)
    button.setText(title)
    button.setProperty("kind", "action")
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    set_help(button, title, tip)
    if act is not None:
        button.clicked.connect(act)
    return button


def toggle_button(
    name: str, title: str, tip: str, act: Act | None = None, *, checked: bool = False, kind: str = "toggle"
) -> QToolButton:
    """A button that stays pressed until it is clicked again; `act` gets whether it is."""
    button = tool_button(name, title, tip)
    button.setProperty("kind", kind)
    button.setCheckable(True)
    button.setChecked(checked)
    if act is not None:
        button.toggled.connect(act)
    return button


def undo_buttons(theme: ThemeManager, stack: QUndoStack, before: str = "") -> tuple[QToolButton, QToolButton]:
    """Undo and redo of a stack, their names beginning so."""
    undo = icon_button(theme, "undo", f"{before}undo", "Undo", UNDO, stack.undo)
    redo = icon_button(theme, "redo", f"{before}redo", "Redo", REDO, stack.redo)
    undo.setEnabled(stack.canUndo())
    redo.setEnabled(stack.canRedo())
    stack.canUndoChanged.connect(undo.setEnabled)
    stack.canRedoChanged.connect(redo.setEnabled)
    return undo, redo


class Menu(QMenu):
    """A menu whose entries have tooltips. It closes where what it belongs to is switched off, as by a run that goes on:
    switched off with it, it would stay open and take neither clicks nor keys.
    """

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setToolTipsVisible(True)

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.EnabledChange and not self.isEnabled():
            self.close()


def menu_button(name: str, title: str, tip: str) -> tuple[QToolButton, QMenu]:
    """A button that opens a menu, whose entries have tooltips."""
    button = tool_button(name, title, tip)
    button.setProperty("menu", "true")
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    menu = Menu(button)
    button.setMenu(menu)
    return button, menu


def menu_action(menu: QMenu, name: str, title: str, tip: str, act: Act | None = None, *, keys: str = "") -> QAction:
    """An entry of a menu; a menu shows its tips where it is told to."""
    action = menu.addAction(title)
    action.setObjectName(name)
    action.setToolTip(tip)
    action.setShortcut(QKeySequence(keys))
    if act is not None:
        action.triggered.connect(act)
    return action


def icon_button(theme: ThemeManager, icon: str, name: str, title: str, tip: str, act: Act | None = None) -> QToolButton:
    """A button that shows an icon; its title is for screen readers."""
    button = tool_button(name, title, tip, act)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
    button.setProperty("kind", "icon")
    theme.bind_icon(button, icon)
    return button
