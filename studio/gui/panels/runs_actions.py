"""What can be done to the runs that are selected: one set of actions for the menu and the keyboard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from studio.gui.tooltip import tooltip


@dataclass(frozen=True, slots=True, kw_only=True)
class RunAction:
    """One entry of the menu.

    Attributes:
        act: given the folders' names.
        least, most: runs that it takes.
        keys: shown beside it; the table itself may understand them already.
        divided: a line stands above it.
    """

    name: str
    title: str
    tip: str
    act: Callable[[list[str]], None]
    least: int = 1
    most: int = 1
    keys: str = ""
    divided: bool = False


def menu_of(actions: tuple[RunAction, ...], folders: list[str], parent: QWidget) -> QMenu:
    """A menu of what can be done to these runs; what cannot be is greyed."""
    menu = QMenu(parent)
    menu.setObjectName("runs_menu")
    menu.setToolTipsVisible(True)
    for each in actions:
        if each.divided:
            menu.addSeparator()
        action = QAction(each.title, menu)
        action.setObjectName(f"runs_{each.name}")
        action.setToolTip(tooltip(each.tip))
        action.setEnabled(each.least <= len(folders) <= each.most)
        if each.keys:
            action.setShortcut(QKeySequence(each.keys))
            action.setShortcutVisibleInContextMenu(True)
        action.triggered.connect(lambda _=False, each=each: each.act(folders))
        menu.addAction(action)
    return menu
