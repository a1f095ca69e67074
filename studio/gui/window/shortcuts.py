"""Every key of the window, taken from its menus, its panels and their widgets at the moment it is asked for."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from itertools import combinations, pairwise

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QAction, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractButton,
    QDialog,
    QDialogButtonBox,
    QLabel,
    QMainWindow,
    QMenu,
    QScrollArea,
    QWidget,
)

from studio.gui.widgets.layouts import column_of, resize_to_fit
from studio.gui.widgets.live_panel import LivePanel
from studio.gui.widgets.tooltip import KeyHelp, set_help

_COLUMNS, _HEAD = (3, 2, 1), 1.2
"""How many there may be, the most that the screen has room for, and lines that the head of a group takes."""
_BESIDE = 80
"""Pixels for what is beside the text: margins and a scroll bar."""
_MOST = QSize(1240, 750)
"""Pixels, for a screen of 1280×800."""
Keys = dict[str, str]
"""What is done → by which keys."""


def keys_of(window: QMainWindow) -> dict[str, Keys]:
    """By group: the menus, then what needs the keyboard to be somewhere."""
    groups: dict[str, Keys] = {}
    for top in window.menuBar().actions():
        menu = top.menu()
        if isinstance(menu, QMenu):
            groups[_plain(top.text())] = {_title(each): _keys(each) for each in _leaves(menu) if _keys(each)}
    for widget in window.findChildren(QWidget):
        help_of = getattr(widget, "KEYS", None)
        if isinstance(help_of, KeyHelp):
            groups.setdefault(help_of.where, {}).update(help_of.keys)
        if isinstance(widget, QAbstractButton) and not widget.shortcut().isEmpty():
            keys = widget.shortcut().toString(QKeySequence.SequenceFormat.NativeText)
            groups.setdefault(_panel_of(widget), {})[widget.accessibleName() or _plain(widget.text())] = keys
    for shortcut in window.findChildren(QShortcut):
        if shortcut.whatsThis():
            keys = shortcut.key().toString(QKeySequence.SequenceFormat.NativeText)
            groups.setdefault(_panel_of(shortcut.parent()), {})[shortcut.whatsThis()] = keys
    return {where: keys for where, keys in groups.items() if keys}


def shortcuts_dialog(window: QMainWindow) -> QDialog:
    """The list, in columns; to be opened."""
    dialog = QDialog(window)
    dialog.setObjectName("shortcuts")
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.setWindowTitle("Keyboard shortcuts")
    groups, room, text = keys_of(window), window.screen().availableSize().width() - _BESIDE, QLabel()
    text.setTextFormat(Qt.TextFormat.RichText)
    for columns in _COLUMNS:
        text.setText(_table(groups, columns))
        if text.sizeHint().width() <= room:
            break
    text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    set_help(text, "Keyboard shortcuts", "Every key of the window.")
    scroll = QScrollArea()
    scroll.setWidget(text)
    buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close)
    buttons.rejected.connect(dialog.reject)
    column = column_of((scroll, 1), buttons, inside=dialog, margins=None)
    frame = 9 * column.contentsMargins().left()
    resize_to_fit(dialog, (text.sizeHint() + QSize(frame, frame + buttons.sizeHint().height())).boundedTo(_MOST))
    return dialog


def _table(groups: dict[str, Keys], number: int) -> str:
    """The groups in so many columns, the highest of which is as low as can be."""
    heights = [len(keys) + _HEAD for keys in groups.values()]
    ends = min(
        combinations(range(1, len(heights)), number - 1),
        key=lambda at: max(sum(heights[first:last]) for first, last in pairwise((0, *at, len(heights)))),
    )
    columns = [""]
    for place, (where, keys) in enumerate(groups.items()):
        if place in ends:
            columns.append("")
        rows = "".join(
            f"<tr><td style='padding-right:8px'>{escape(title)}</td><td><b>{escape(each)}</b></td></tr>"
            for title, each in keys.items()
        )
        columns[-1] += f"<h4 style='margin: 3px 0 0'>{escape(where)}</h4><table>{rows}</table>"
    cells = "".join(f"<td style='padding-right:16px; vertical-align:top'>{each}</td>" for each in columns)
    return f"<table><tr>{cells}</tr></table>"


def _leaves(menu: QMenu) -> Iterator[QAction]:
    for action in menu.actions():
        below = action.menu()
        if isinstance(below, QMenu):
            yield from _leaves(below)
        else:
            yield action


def _title(action: QAction) -> str:
    return _plain(action.whatsThis() or action.text())


def _plain(text: str) -> str:
    return text.replace("&", "").rstrip("…")


def _keys(action: QAction) -> str:
    return action.shortcut().toString(QKeySequence.SequenceFormat.NativeText)


def _panel_of(child: object) -> str:
    """The title of the panel that a widget or a shortcut is in."""
    at = child
    while isinstance(at, QWidget):
        if isinstance(at, LivePanel):
            return at.TITLE
        at = at.parentWidget()
    return "Elsewhere"
