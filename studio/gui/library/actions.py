"""What can be done to the runs that are selected: one set of actions for the menu and the keyboard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtWidgets import QMenu, QWidget

from studio.gui.library.exports import RunExports
from studio.gui.widgets.buttons import menu_action
from studio.gui.widgets.tooltip import tooltip
from studio.library.compare import MOST_RUNS
from studio.library.export.formats import FORMATS

_SHOW = "Show its curves, samples and shares in the panels, with the time cursor."
_RESUME = "Go on with it from its last checkpoint, in its own folder."
_RENAME = "Call it something else; its folder keeps its name."
_COMPARE = "Show two to eight runs side by side: curves, samples, final numbers and what differs in them."
_SWEEP = "Show what came of all runs of the sweep that it belongs to, if to any."
_DUPLICATE = "Take its configuration over into the set-up, to be changed and started."
_OPEN = "Open the folder in the file manager."
_TRASH = "Move its folder to the system's trash, from which it can be brought back."


@dataclass(frozen=True, slots=True, kw_only=True)
class RunIntents:
    """What a person may want done to runs, each given by its folder's name, or several by theirs.

    Attributes:
        resumable: whether a run can be gone on with now.
        sweep_of: the sweep that a run belongs to; empty if to none.
    """

    show: Callable[[str], None]
    rename: Callable[[], None]
    compare: Callable[[list[str]], None]
    show_sweep: Callable[[str], None]
    duplicate: Callable[[str], None]
    resume: Callable[[str], None]
    resumable: Callable[[str], bool]
    open_folder: Callable[[str], None]
    trash: Callable[[list[str]], None]
    sweep_of: Callable[[str], str]


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
    keys: str
    tip: str
    act: Callable[[list[str]], None]
    least: int = 1
    most: int = 1
    able: Callable[[list[str]], bool] = lambda folders: True
    divided: bool = False


def actions_for(does: RunIntents) -> tuple[RunAction, ...]:
    """What can be done to runs, as entries of a menu."""

    def one(act: Callable[[str], None]) -> Callable[[list[str]], None]:
        return lambda runs: act(runs[0])

    return (
        RunAction("show", "&Look at it", "Return", _SHOW, one(does.show)),
        RunAction("resume", "R&esume", "", _RESUME, one(does.resume), able=lambda runs: does.resumable(runs[0])),
        RunAction("rename", "&Rename", "F2", _RENAME, lambda _: does.rename()),
        RunAction("compare", "&Compare…", "Ctrl+Shift+C", _COMPARE, does.compare, least=2, most=MOST_RUNS),
        RunAction(
            "sweep",
            "Results of its s&weep…",
            "",
            _SWEEP,
            one(does.show_sweep),
            able=lambda runs: bool(does.sweep_of(runs[0])),
        ),
        RunAction("duplicate", "Set up a run &like it", "", _DUPLICATE, one(does.duplicate)),
        RunAction("open", "&Open its folder", "", _OPEN, one(does.open_folder)),
        RunAction("trash", "Move to the &trash", "Del", _TRASH, does.trash, most=10_000, divided=True),
    )


def menu_of(
    actions: tuple[RunAction, ...], exports: RunExports, root: Path, folders: list[str], parent: QWidget
) -> QMenu:
    """A menu of what can be done to these runs; what cannot be is greyed.

    Args:
        exports: the forms that one run can be saved in are entries, too.
        folders: names of the runs' folders in it.
    """
    menu = QMenu(parent)
    menu.setObjectName("runs_menu")
    menu.setToolTipsVisible(True)
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
    menu.menuAction().setToolTip(tooltip("Its samples, metrics, model or all of it, for other programs and people."))
    for kind in FORMATS:
        if kind.begins_group:
            menu.addSeparator()
        act = lambda _=False, kind=kind: exports.ask(kind, root / folders[0])  # noqa: E731 - it is handed on
        menu_action(menu, f"runs_{kind.name}", kind.title, tooltip(kind.says), act)
    menu.addSeparator()
    tip = "Samples, weights and the model are by the moving average of the weights, or by the weights as they are."
    averaged = menu_action(menu, "runs_averaged", "By &averaged weights", tooltip(tip))
    averaged.setCheckable(True)
    averaged.setChecked(exports.averaged)
    averaged.toggled.connect(exports.set_averaged)
    return menu
