"""The window's menus, with the lessons and what the program says of itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, cast

from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMenu, QMessageBox, QWidget

from studio import __version__
from studio.gui.live.plane.lesson_control import LessonControl
from studio.gui.live.plane.lessons import LESSONS
from studio.gui.widgets.theme import ThemeMode
from studio.gui.window.config_files import ConfigFiles

if TYPE_CHECKING:
    from studio.gui.queue.panel import QueuePanel
    from studio.gui.window.main_window import MainWindow

PANEL_KEYS = tuple(f"{held}+{digit}" for held in ("Alt", "Ctrl+Alt") for digit in "1234567890")
"""They go to the panels, in their order."""
_UNDOING = (("undo", QKeySequence.StandardKey.Undo), ("redo", QKeySequence.StandardKey.Redo))
_LOOKS = ((ThemeMode.SYSTEM, "As the &system"), (ThemeMode.LIGHT, "&Light"), (ThemeMode.DARK, "&Dark"))


def fill_menus(window: MainWindow) -> None:
    """Make all of them."""
    _fill_file(window, _menu(window, "&File"))
    _fill_edit(window, _menu(window, "&Edit"))
    run = _menu(window, "&Run")
    run.addActions(window.actions_of_run.all())
    run.addSeparator()
    window.docks["queue"].filled.connect(lambda panel: cast("QueuePanel", panel).fill(run))
    _fill_view(window, _menu(window, "&View"))
    _fill_going(window, _menu(window, "&Go"))
    helping = _menu(window, "&Help")
    fill_lessons(helping.addMenu("&Lessons"), window.files, window.workbench.lessons)
    helping.addAction("&Keyboard shortcuts", QKeySequence("F1"), window.show_shortcuts)
    helping.addAction("&About", lambda: show_about(window))


def _menu(window: MainWindow, title: str) -> QMenu:
    menu = window.menuBar().addMenu(title)
    menu.setToolTipsVisible(True)
    return menu


def _fill_file(window: MainWindow, menu: QMenu) -> None:
    window.files.fill(menu)
    menu.addSeparator()
    window.run_files.fill(menu)
    menu.addSeparator()
    menu.addAction("&Quit", QKeySequence.StandardKey.Quit, window.close)


def _fill_edit(window: MainWindow, menu: QMenu) -> None:
    stack = window.workbench.setup.undo_stack
    made = {"undo": stack.createUndoAction(window, "&Undo"), "redo": stack.createRedoAction(window, "&Redo")}
    for name, keys in _UNDOING:
        made[name].setShortcuts(keys)
        made[name].setWhatsThis(name.capitalize())  # its text goes on with what it would undo
        window.theme.bind_icon(made[name], name)
        menu.addAction(made[name])


def _fill_going(window: MainWindow, menu: QMenu) -> None:
    for keys, dock in zip(PANEL_KEYS, window.docks.values(), strict=False):
        go = menu.addAction(f"Go to “{dock.windowTitle()}”", partial(window.go_to, dock.name))
        go.setShortcut(QKeySequence(keys))


def _fill_view(window: MainWindow, menu: QMenu) -> None:
    menu.addAction(window.workbench_action)
    menu.addSeparator()
    docks = menu.addMenu("&Panels")
    docks.setToolTipsVisible(True)
    docks.addActions([dock.toggleViewAction() for dock in window.docks.values()])
    docks.addSeparator()
    floating = docks.addAction("&Float or dock panel", QKeySequence("Ctrl+Shift+F"), window.float_panel)
    floating.setToolTip("Make the panel that has the keyboard a window of its own, or put it back.")
    docks.addAction("&Reset layout", window.reset_layout)
    times = menu.addMenu("T&ime")
    times.setToolTipsVisible(True)
    times.addActions(list(window.time_bar.jumps.values()))
    looks = menu.addMenu("&Theme")
    group = QActionGroup(looks)
    for mode, title in _LOOKS:
        action = QAction(title, group, checkable=True, checked=window.theme.mode is mode)
        action.triggered.connect(lambda _=False, mode=mode: window.set_theme(mode))
        looks.addAction(action)


_ABOUT = """<h3>Perturbation Studio {version}</h3>
<p>Tilt the distribution that a generative model learns, and watch it happen.</p>
<p>Each example x is weighted by e<sup>−ΔH(x)</sup>, so the model learns p′(x) ∝ p(x)·e<sup>−ΔH(x)</sup> and not p(x).
Batches are filled until their weights add up to B_avg on average; what is left over is carried to the next.</p>
<p>MIT licence.</p>"""


def show_about(window: QWidget) -> None:
    """What this program is."""
    QMessageBox.about(window, "About Perturbation Studio", _ABOUT.format(version=__version__))


def fill_lessons(menu: QMenu, files: ConfigFiles, lessons: LessonControl) -> None:
    """Add an entry for each lesson."""
    menu.setToolTipsVisible(True)
    opening: dict[str, Callable[[], None]] = {}
    for lesson in LESSONS:
        take = partial(files.open, lesson.path, preset=True)
        opening[lesson.name] = partial(lessons.open, lesson, take)
        action = menu.addAction(lesson.title, partial(files.when_free, opening[lesson.name]))
        action.setToolTip(lesson.setting)
        action.setObjectName(f"lesson_{lesson.name}")
    lessons.open_asked.connect(lambda name: opening[name]() if name in opening else files.open_preset(name))
