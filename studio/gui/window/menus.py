"""The window's menus, with the lessons and what the program says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QSettings
from PySide6.QtGui import QAction, QActionGroup, QKeySequence
from PySide6.QtWidgets import QMainWindow, QMenu, QMessageBox, QWidget

from studio import __version__
from studio.gui.live.plane.lesson_control import LessonControl
from studio.gui.live.plane.lessons import LESSONS
from studio.gui.state.undo import UndoStack
from studio.gui.widgets.theme import ThemeManager, ThemeMode
from studio.gui.window.config_files import ConfigFiles
from studio.gui.window.run_files import RunFiles
from studio.gui.window.shortcuts import shortcuts_dialog
from studio.gui.window.views import Views

if TYPE_CHECKING:
    from studio.gui.queue.panel import QueuePanel

_PANEL_KEYS = tuple(f"{held}+{digit}" for held in ("Alt", "Ctrl+Alt") for digit in "1234567890")
"""They go to the panels, in their order."""
_UNDOING = (("undo", QKeySequence.StandardKey.Undo), ("redo", QKeySequence.StandardKey.Redo))
_LOOKS = ((ThemeMode.SYSTEM, "As the &system"), (ThemeMode.LIGHT, "&Light"), (ThemeMode.DARK, "&Dark"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Menus:
    """What the menus of a window lead to.

    Attributes:
        run: what can be done with the run.
        jumps: ways to other steps of it.
    """

    window: QMainWindow
    views: Views
    theme: ThemeManager
    settings: QSettings
    files: ConfigFiles
    run_files: RunFiles
    run: Iterable[QAction]
    jumps: Iterable[QAction]
    stack: UndoStack
    lessons: LessonControl

    def fill(self) -> None:
        """Make all of them."""
        self._fill_file(self._menu("&File"))
        self._fill_edit(self._menu("&Edit"))
        run = self._menu("&Run")
        run.addActions(list(self.run))
        run.addSeparator()
        self.views.docks["queue"].filled.connect(lambda panel: cast("QueuePanel", panel).fill(run))
        self._fill_view(self._menu("&View"))
        go = self._menu("&Go")
        for keys, dock in zip(_PANEL_KEYS, self.views.docks.values(), strict=False):
            action = go.addAction(dock.windowTitle(), partial(self.views.go_to, dock.name))
            action.setShortcut(QKeySequence(keys))
        helping = self._menu("&Help")
        _fill_lessons(helping.addMenu("&Lessons"), self.files, self.lessons)
        helping.addAction("&Keyboard shortcuts", QKeySequence("F1"), partial(_show_shortcuts, self.window, self.views))
        helping.addAction("&About", partial(_show_about, self.window))

    def _menu(self, title: str) -> QMenu:
        menu = self.window.menuBar().addMenu(title)
        menu.setToolTipsVisible(True)
        return menu

    def _fill_file(self, menu: QMenu) -> None:
        self.files.fill(menu)
        menu.addSeparator()
        self.run_files.fill(menu)
        menu.addSeparator()
        menu.addAction("&Quit", QKeySequence.StandardKey.Quit, self.window.close)

    def _fill_edit(self, menu: QMenu) -> None:
        stack, window = self.stack, self.window
        made = {"undo": stack.createUndoAction(window, "&Undo"), "redo": stack.createRedoAction(window, "&Redo")}
        for name, keys in _UNDOING:
            made[name].setShortcuts(keys)
            made[name].setWhatsThis(name.capitalize())  # its text goes on with what it would undo
            self.theme.bind_icon(made[name], name)
            menu.addAction(made[name])

    def _fill_view(self, menu: QMenu) -> None:
        menu.addAction(self.views.workbench_action)
        menu.addSeparator()
        docks = menu.addMenu("&Panels")
        docks.setToolTipsVisible(True)
        docks.addActions([dock.toggleViewAction() for dock in self.views.docks.values()])
        docks.addSeparator()
        floating = docks.addAction("&Float or dock panel", QKeySequence("Ctrl+Shift+F"), self.views.float_panel)
        floating.setToolTip("Make the panel that has the keyboard a window of its own, or put it back.")
        docks.addAction("&Reset layout", self.views.reset_layout)
        times = menu.addMenu("T&ime")
        times.setToolTipsVisible(True)
        times.addActions(list(self.jumps))
        looks = menu.addMenu("&Theme")
        group = QActionGroup(looks)
        for mode, title in _LOOKS:
            action = QAction(title, group, checkable=True, checked=self.theme.mode is mode)
            action.triggered.connect(lambda _=False, mode=mode: self._set_theme(mode))
            looks.addAction(action)

    def _set_theme(self, mode: ThemeMode) -> None:
        self.theme.set_mode(mode)
        self.settings.setValue("theme", str(mode))


def _show_shortcuts(window: QMainWindow, views: Views) -> None:
    views.make_panels()  # their keys are among them
    shortcuts_dialog(window).open()


_ABOUT = """<h3>Perturbation Studio {version}</h3>
<p>Tilt the distribution that a generative model learns, and watch it happen.</p>
<p>Each example x is weighted by e<sup>−ΔH(x)</sup>, so the model learns p′(x) ∝ p(x)·e<sup>−ΔH(x)</sup> and not p(x).
Batches are filled until their weights add up to B_avg on average; what is left over is carried to the next.</p>
<p>MIT licence.</p>"""


def _show_about(window: QWidget) -> None:
    QMessageBox.about(window, "About Perturbation Studio", _ABOUT.format(version=__version__))


def _fill_lessons(menu: QMenu, files: ConfigFiles, lessons: LessonControl) -> None:
    menu.setToolTipsVisible(True)
    opening: dict[str, Callable[[], None]] = {}
    for lesson in LESSONS:
        take = partial(files.open, lesson.path, preset=True)
        opening[lesson.name] = partial(lessons.open, lesson, take)
        action = menu.addAction(lesson.title, partial(files.when_free, opening[lesson.name]))
        action.setToolTip(lesson.setting)
        action.setObjectName(f"lesson_{lesson.name}")
    lessons.open_asked.connect(lambda name: opening[name]() if name in opening else files.open_preset(name))
