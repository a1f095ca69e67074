"""The menu of the runs that are selected."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import QMenu, QWidget

from studio.gui.library.exports import RunExports
from studio.gui.widgets.buttons import Menu, menu_action
from studio.gui.widgets.tooltip import tooltip
from studio.library.export.formats import FORMATS


@dataclass(frozen=True, slots=True)
class RunAction:
    """One entry of the menu.

    Attributes:
        act: given the folders' names.
        least, most: runs that it takes.
        able: whether it can be done to these runs.
        keys: shown beside it; the table itself may understand them already.
        divided: the menu of exports and a line stand above it.
    """

    name: str
    title: str
    tip: str
    act: Callable[[list[str]], None]
    keys: str = ""
    least: int = 1
    most: int = 1
    able: Callable[[list[str]], bool] = lambda folders: True
    divided: bool = False


def menu_of(
    actions: tuple[RunAction, ...], exports: RunExports, root: Path, folders: list[str], parent: QWidget
) -> QMenu:
    """A menu of what can be done to the runs in these folders of `root`; what cannot be is greyed."""
    menu = Menu(parent)
    menu.setObjectName("runs_menu")
    for each in actions:
        if each.divided:
            menu.addMenu(_save_menu(exports, root, folders, menu))
            menu.addSeparator()
        act = lambda _=False, each=each: each.act(folders)  # noqa: E731 - it is handed on
        action = menu_action(menu, f"runs_{each.name}", each.title, tooltip(each.tip), act, keys=each.keys)
        action.setEnabled(each.least <= len(folders) <= each.most and each.able(folders))
        action.setShortcutVisibleInContextMenu(True)
    return menu


def _save_menu(exports: RunExports, root: Path, folders: list[str], parent: QWidget) -> QMenu:
    menu = QMenu("E&xport", parent)
    menu.setObjectName("runs_save")
    menu.setToolTipsVisible(True)
    menu.setEnabled(len(folders) == 1)
    menu.menuAction().setToolTip(tooltip("Its samples, metrics, model or all of it, for other programs or people."))
    for kind in FORMATS:
        if kind.begins_group:
            menu.addSeparator()
        act = lambda _=False, kind=kind: exports.ask(kind, root / folders[0])  # noqa: E731 - it is handed on
        menu_action(menu, f"runs_{kind.name}", kind.title, tooltip(kind.says), act)
    menu.addSeparator()
    tip = "Export samples, weights and model by the moving average of the weights, or by the weights as they are."
    averaged = menu_action(menu, "runs_averaged", "By &averaged weights", tooltip(tip))
    averaged.setCheckable(True)
    averaged.setChecked(exports.averaged)
    averaged.toggled.connect(exports.set_averaged)
    return menu
