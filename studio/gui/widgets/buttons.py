"""Small buttons of a panel's own bar, all of one kind: named, explained, reachable by keyboard."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QToolButton

from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import set_help


def tool_button(name: str, title: str, tip: str) -> QToolButton:
    """A button with a text, which does something.

    Args:
        name: of the object, for tests and style.
        title: what it shows.
        tip: what it does.
    """
    button = QToolButton()
    button.setObjectName(name)
    button.setText(title)
    button.setProperty("kind", "action")
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    set_help(button, title, tip)
    return button


def toggle_button(name: str, title: str, tip: str, *, checked: bool = False) -> QToolButton:
    """A button that stays pressed until it is clicked again."""
    button = tool_button(name, title, tip)
    button.setProperty("kind", "toggle")
    button.setCheckable(True)
    button.setChecked(checked)
    return button


def choice_button(name: str, title: str, tip: str, *, checked: bool = False) -> QToolButton:
    """One of several buttons of which one is pressed."""
    button = toggle_button(name, title, tip, checked=checked)
    button.setProperty("kind", "choice")
    return button


def icon_button(theme: ThemeManager, icon: str, name: str, title: str, tip: str) -> QToolButton:
    """A button that shows an icon; its title is for screen readers."""
    button = tool_button(name, title, tip)
    button.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
    button.setProperty("kind", "icon")
    theme.bind_icon(button, icon)
    return button
