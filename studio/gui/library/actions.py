"""What can be done to the runs that are selected: one set of actions for the menu and the keyboard."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QMenu, QWidget

from studio.gui.library.exports import RunExports
from studio.gui.widgets.tooltip import tooltip
from studio.library.compare import MOST_RUNS
from studio.library.export.formats import FORMATS


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


@dataclass(frozen=True, slots=True, kw_only=True)
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
    least: int = 1
    most: int = 1
    able: Callable[[list[str]], bool] = lambda folders: True
    keys: str = ""
    divided: bool = False


def actions_for(intents: RunIntents) -> tuple[RunAction, ...]:
    """What can be done to runs, as entries of a menu."""
    return (
        RunAction(
            name="show",
            title="&Look at it",
            tip="Show its curves, samples and shares in the panels, with the time cursor.",
            act=lambda folders: intents.show(folders[0]),
            keys="Return",
        ),
        RunAction(
            name="resume",
            title="R&esume",
            tip="Go on with it from its last checkpoint, in its own folder.",
            act=lambda folders: intents.resume(folders[0]),
            able=lambda folders: intents.resumable(folders[0]),
        ),
        RunAction(
            name="rename",
            title="&Rename",
            tip="Call it something else; its folder keeps its name.",
            act=lambda _: intents.rename(),
            keys="F2",
        ),
        RunAction(
            name="compare",
            title="&Compare…",
            tip="Show two to eight runs side by side: curves, samples, final numbers and what differs in them.",
            act=intents.compare,
            least=2,
            most=MOST_RUNS,
            keys="Ctrl+Shift+C",
        ),
        RunAction(
            name="sweep",
            title="Results of its s&weep…",
            tip="Show what came of all runs of the sweep that it belongs to, if to any.",
            act=lambda folders: intents.show_sweep(folders[0]),
            able=lambda folders: bool(intents.sweep_of(folders[0])),
        ),
        RunAction(
            name="duplicate",
            title="Set up a run &like it",
            tip="Take its configuration over into the set-up, to be changed and started.",
            act=lambda folders: intents.duplicate(folders[0]),
        ),
        RunAction(
            name="open",
            title="&Open its folder",
            tip="Open the folder in the file manager.",
            act=lambda folders: intents.open_folder(folders[0]),
        ),
        RunAction(
            name="trash",
            title="Move to the &trash",
            tip="Move its folder to the system's trash, from which it can be brought back.",
            act=intents.trash,
            most=10_000,
            keys="Del",
            divided=True,
        ),
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
        action = QAction(each.title, menu)
        action.setObjectName(f"runs_{each.name}")
        action.setToolTip(tooltip(each.tip))
        action.setEnabled(each.least <= len(folders) <= each.most and each.able(folders))
        if each.keys:
            action.setShortcut(QKeySequence(each.keys))
            action.setShortcutVisibleInContextMenu(True)
        action.triggered.connect(lambda _=False, each=each: each.act(folders))
        menu.addAction(action)
    return menu


def _save_menu(exports: RunExports, root: Path, folders: list[str], parent: QWidget) -> QMenu:
    """The forms that one run can be saved in."""
    menu = QMenu("E&xport", parent)
    menu.setObjectName("runs_save")
    menu.setToolTipsVisible(True)
    menu.setEnabled(len(folders) == 1)
    menu.menuAction().setToolTip(tooltip("Its samples, metrics, model or all of it, for other programs and people."))
    for kind in FORMATS:
        if kind.begins_group:
            menu.addSeparator()
        action = menu.addAction(kind.title)
        action.setObjectName(f"runs_{kind.name}")
        action.setToolTip(tooltip(kind.says))
        action.triggered.connect(lambda _=False, kind=kind: exports.ask(kind, root / folders[0]))
    menu.addSeparator()
    averaged = menu.addAction("By &averaged weights")
    averaged.setObjectName("runs_averaged")
    averaged.setToolTip(
        tooltip(
            "Samples, weights and the model are by the moving average of the weights, or by the weights as they are."
        )
    )
    averaged.setCheckable(True)
    averaged.setChecked(exports.averaged)
    averaged.toggled.connect(exports.set_averaged)
    return menu
