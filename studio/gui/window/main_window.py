"""The main window: composition only. Docks, toolbar, menus, and the layout that it remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QByteArray, QChildEvent, QEvent, QSettings, QSize, Qt, Slot
from PySide6.QtGui import QAction, QActionGroup, QCloseEvent, QKeySequence
from PySide6.QtWidgets import (
    QApplication,
    QMainWindow,
    QMenu,
    QMessageBox,
    QTabBar,
    QToolBar,
    QToolButton,
    QWidget,
)

from studio.gui.live.plane.lessons import Lesson
from studio.gui.run.run_actions import RunActions
from studio.gui.state.view_state import DatasetView
from studio.gui.timeline.time_bar import TimeBar
from studio.gui.widgets.tab_order import go_to, reveal
from studio.gui.widgets.theme import ThemeManager, ThemeMode
from studio.gui.widgets.tooltip import set_help
from studio.gui.window.about import show_about
from studio.gui.window.banner import Banner
from studio.gui.window.config_files import ConfigFiles
from studio.gui.window.lesson_menu import fill_lessons
from studio.gui.window.panel_dock import PanelDock
from studio.gui.window.panels import PANELS, PLACES
from studio.gui.window.quit_question import may_quit
from studio.gui.window.run_files import RunFiles
from studio.gui.window.shortcuts import shortcuts_dialog
from studio.gui.window.status import RunFigures, StudioStatusBar
from studio.gui.window.trouble import RunErrorDialogs
from studio.gui.window.workbench import Workbench

if TYPE_CHECKING:
    from studio.gui.queue.panel import QueuePanel

_SPLITS = (
    ("left", "middle_top", Qt.Orientation.Horizontal),
    ("middle_top", "right_top", Qt.Orientation.Horizontal),
    ("middle_top", "middle_bottom", Qt.Orientation.Vertical),
    ("right_top", "right_middle", Qt.Orientation.Vertical),
    ("right_middle", "right_bottom", Qt.Orientation.Vertical),
)
_WIDTHS = (("left", 290), ("middle_top", 560), ("right_top", 430))
_IMAGE_HEIGHTS = (288, 442)
_HEIGHTS = (
    ("middle_top", _IMAGE_HEIGHTS[0]),
    ("middle_bottom", _IMAGE_HEIGHTS[1]),
    ("right_top", 290),
    ("right_middle", 290),
    ("right_bottom", 150),
)
_PLANE_HEIGHTS = (500, 230)
"""Of the middle while it shows a plane, which wants to be a square beside its curves; few classes leave room for it."""
_PANEL_KEYS = tuple(f"{held}+{digit}" for held in ("Alt", "Ctrl+Alt") for digit in "1234567890")
"""They go to the panels, in their order."""
_MENU_ONLY = ("run_continue", "run_evaluate", "run_save", "run_elsewhere", "run_restore")
_FIRST_SIZE = (1280, 800)
_TITLE_BAR = 40
"""Pixels that a desktop may put above a window."""
_LAYOUT_VERSION = 5


class MainWindow(QMainWindow):
    """The studio's window.

    Args:
        workbench: has what it shows and steers.
        theme: how it looks.
        settings: where it remembers layout, theme and recent files.
    """

    def __init__(self, workbench: Workbench, theme: ThemeManager, settings: QSettings) -> None:
        super().__init__()
        self.setObjectName("main_window")
        self.setWindowTitle("Perturbation Studio")
        self.setDockNestingEnabled(True)
        self.setDockOptions(self.dockOptions() | QMainWindow.DockOption.GroupedDragging)
        self.workbench = workbench
        self.theme = theme
        self._settings = settings
        self.asks = False  # before it closes on a run that trains; only a person can answer
        self.files = ConfigFiles(workbench.setup, workbench.runs, workbench.log, settings, self)
        self.files.path_changed.connect(self._show_title)
        self.actions_of_run = RunActions(workbench.setup, workbench.runs, workbench.starter, theme, self)
        self.actions_of_run.start_requested.connect(self.start)
        self.actions_of_run.evaluate_requested.connect(workbench.evaluations.evaluate)
        self.run_files = RunFiles(workbench.setup, workbench.subjects, workbench.starter, self)
        self.actions_of_run.continue_requested.connect(self.run_files.go_on)
        workbench.subjects.subject_changed.connect(self.actions_of_run.take_subject)
        self.banner = self._make_banner()
        self.trouble = RunErrorDialogs(workbench.runs, self.actions_of_run, self)
        self._planar = False
        workbench.lessons.changed.connect(self._show_lesson)
        workbench.setup.dataset_changed.connect(self._show_world)
        self.docks = self._make_docks()
        self._make_toolbar()
        self._place_banner()
        self._make_time_bar()
        self._make_menus()
        self.setStatusBar(
            StudioStatusBar(workbench.runs, workbench.log, (workbench.tasks, workbench.looking), theme, self)
        )
        theme.dress()  # before docks are measured
        self.resize(*_FIRST_SIZE)
        self._arrange()
        self._restore()

    # -- composition

    def _make_docks(self) -> dict[str, PanelDock]:
        """Every dock, and the panels that are in front at first; the others need not keep the first paint waiting."""
        docks = {panel.name: PanelDock(panel, self.workbench, self.theme, self) for panel in PANELS}
        for panels in PLACES.values():
            docks[panels[0].name].make()
        return docks

    def make_panels(self) -> None:
        """Make the panels that are not made yet."""
        for dock in self.docks.values():
            dock.make()

    def _arrange(self) -> None:
        """Put every dock where it belongs at first."""
        first = {place: self.docks[panels[0].name] for place, panels in PLACES.items()}
        for dock in self.docks.values():
            dock.setFloating(False)  # with others removed before it, Qt would end the process
        for dock in self.docks.values():
            self.removeDockWidget(dock)  # or Qt leaves tab bars of the layouts in between on the window
        self.addDockWidget(Qt.DockWidgetArea.LeftDockWidgetArea, first["left"])
        for before, after, direction in _SPLITS:
            self.splitDockWidget(first[before], first[after], direction)
        for place, panels in PLACES.items():
            for panel in panels[1:]:
                self.tabifyDockWidget(first[place], self.docks[panel.name])
            first[place].raise_()
        for dock in self.docks.values():
            dock.show()
        for sizes, direction in ((_WIDTHS, Qt.Orientation.Horizontal), (_HEIGHTS, Qt.Orientation.Vertical)):
            self.resizeDocks([first[place] for place, _ in sizes], [size for _, size in sizes], direction)

    @Slot()
    def _reset_layout(self) -> None:
        self.make_panels()  # Qt ends the process if a dock is taken out empty while another one floats
        self._arrange()

    def _make_toolbar(self) -> None:
        bar = QToolBar("Run", self)
        bar.setObjectName("toolbar")
        bar.setMovable(False)
        bar.setIconSize(QSize(20, 20))
        bar.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        for action in self.actions_of_run.all():
            if action.objectName() not in _MENU_ONLY:
                bar.addAction(action)
        for button in bar.findChildren(QToolButton):
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            if button.objectName() == "qt_toolbar_ext_button":
                set_help(button, "More", "What this bar has no room for.")
        bar.addSeparator()
        bar.addWidget(RunFigures(self.workbench.runs, self.theme, bar))
        bar.toggleViewAction().setEnabled(False)
        self.addToolBar(bar)
        self._run_bar = bar
        self.actions_of_run.keep_widths(bar)

    def _make_banner(self) -> Banner:
        banner = Banner(self.workbench.subjects, self.theme, self)
        banner.resume_asked.connect(self.run_files.resume)
        banner.like_asked.connect(self.run_files.set_up_like)
        return banner

    def _place_banner(self) -> None:
        bar = QToolBar("Subject", self)
        bar.setObjectName("subject_toolbar")
        bar.setMovable(False)
        bar.addWidget(self.banner)
        bar.toggleViewAction().setEnabled(False)
        self.addToolBarBreak()
        self.addToolBar(bar)

    def _make_time_bar(self) -> None:
        bar = QToolBar("Time", self)
        bar.setObjectName("time_toolbar")
        bar.setMovable(False)
        self.time_bar = TimeBar(self.workbench.time, self.theme, bar)
        bar.addWidget(self.time_bar)
        bar.toggleViewAction().setEnabled(False)
        self.addToolBar(Qt.ToolBarArea.BottomToolBarArea, bar)

    def _make_menus(self) -> None:
        file_menu = self._menu("&File")
        self.files.fill(file_menu)
        file_menu.addSeparator()
        self.run_files.fill(file_menu)
        file_menu.addSeparator()
        file_menu.addAction("&Quit", QKeySequence.StandardKey.Quit, self.close)
        edit_menu = self._menu("&Edit")
        undo = self.workbench.setup.undo_stack.createUndoAction(self, "&Undo")
        redo = self.workbench.setup.undo_stack.createRedoAction(self, "&Redo")
        for action, icon, keys in (
            (undo, "undo", QKeySequence.StandardKey.Undo),
            (redo, "redo", QKeySequence.StandardKey.Redo),
        ):
            action.setShortcuts(keys)
            action.setWhatsThis(icon.capitalize())  # its text goes on with what it would undo
            self.theme.bind_icon(action, icon)
            edit_menu.addAction(action)
        run_menu = self._menu("&Run")
        run_menu.addActions(self.actions_of_run.all())
        run_menu.addSeparator()
        self.docks["queue"].filled.connect(lambda panel: cast("QueuePanel", panel).fill(run_menu))
        self._fill_view_menu(self._menu("&View"))
        help_menu = self._menu("&Help")
        fill_lessons(help_menu.addMenu("&Lessons"), self.files, self.workbench.lessons)
        help_menu.addAction("&Keyboard shortcuts", QKeySequence("F1"), self._show_shortcuts)
        help_menu.addAction("&About", lambda: show_about(self))

    def _menu(self, title: str) -> QMenu:
        menu = self.menuBar().addMenu(title)
        menu.setToolTipsVisible(True)
        return menu

    def _fill_view_menu(self, menu: QMenu) -> None:
        for keys, dock in zip(_PANEL_KEYS, self.docks.values(), strict=False):
            action = dock.toggleViewAction()
            menu.addAction(action)
            go = QAction(f"Go to “{dock.windowTitle()}”", self)
            go.setShortcut(QKeySequence(keys))
            go.triggered.connect(lambda _=False, dock=dock: go_to(dock))
            self.addAction(go)
            action.setToolTip(f"Show or hide this panel; {keys} goes to it")
        menu.addSeparator()
        times = menu.addMenu("T&ime")
        times.setToolTipsVisible(True)
        times.addActions(list(self.time_bar.jumps.values()))
        looks = menu.addMenu("&Theme")
        group = QActionGroup(looks)
        for mode, title in (
            (ThemeMode.SYSTEM, "As the &system"),
            (ThemeMode.LIGHT, "&Light"),
            (ThemeMode.DARK, "&Dark"),
        ):
            action = QAction(title, group, checkable=True, checked=self.theme.mode is mode)
            action.triggered.connect(lambda _=False, mode=mode: self._set_theme(mode))
            looks.addAction(action)
        floating = menu.addAction("&Float or dock panel", QKeySequence("Ctrl+Shift+F"), self._float_panel)
        floating.setToolTip("Make the panel that has the keyboard a window of its own, or put it back.")
        menu.addAction("&Reset layout", self._reset_layout)

    # -- behaviour

    @Slot()
    def start(self) -> None:
        """Start a run; asks first if that would lose results."""
        if self.workbench.runs.run.unsaved and not self._may_lose("Start again?", "Start again"):
            return
        self.workbench.starter.start()

    def _may_lose(self, title: str, yes: str) -> bool:
        box = QMessageBox(QMessageBox.Icon.Question, title, title, parent=self)
        box.setInformativeText(
            "The results of the last run could not be saved completely: its samples and curves would be gone."
        )
        box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
        keep = box.addButton("Keep them", QMessageBox.ButtonRole.RejectRole)
        box.setDefaultButton(keep)
        box.exec()
        return box.clickedButton() is not keep

    @Slot(object)
    def _show_world(self, dataset: DatasetView | None) -> None:
        """Bring the plane to the front for points, the samples for images; only when one replaces the other."""
        planar = dataset is not None and dataset.plane is not None
        if planar != self._planar:
            self._planar = planar
            self.docks["plane" if planar else "samples"].raise_()
            heights = _PLANE_HEIGHTS if planar else _IMAGE_HEIGHTS
            self.resizeDocks([self.docks["samples"], self.docks["offsets"]], heights, Qt.Orientation.Vertical)

    def changeEvent(self, event: QEvent) -> None:
        """Measure the toolbar anew where a style makes its buttons wider."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.StyleChange:
            self.actions_of_run.keep_widths(self._run_bar)

    def childEvent(self, event: QChildEvent) -> None:
        """Name the tab bars that Qt makes for panels of one place."""
        super().childEvent(event)
        child = event.child()
        if event.type() == QEvent.Type.ChildPolished and isinstance(child, QTabBar):
            set_help(child, "Panels of this place", "Which panel is in front; arrows go to the next.")

    def focusNextPrevChild(self, ahead: bool) -> bool:
        """Tab passes over panels behind others, which to Qt are visible, and scrolls to what it reaches."""
        start = self.focusWidget()
        while super().focusNextPrevChild(ahead):
            reached = self.focusWidget()
            if reached is start or not self._is_behind(reached):
                reveal(reached)
                return True
        return False

    def _is_behind(self, widget: QWidget) -> bool:
        return any(dock.visibleRegion().isEmpty() for dock in self.docks.values() if dock.isAncestorOf(widget))

    @Slot()
    def _float_panel(self) -> None:
        focus = QApplication.focusWidget()
        for dock in self.docks.values():
            if focus is not None and dock.isAncestorOf(focus):
                dock.setFloating(not dock.isFloating())
                dock.activateWindow()
                focus.setFocus()

    def _set_theme(self, mode: ThemeMode) -> None:
        self.theme.set_mode(mode)
        self._settings.setValue("theme", str(mode))

    @Slot(object)
    def _show_lesson(self, lesson: Lesson | None) -> None:
        if lesson is not None:
            self.docks["plane"].widget()  # made if it is not yet
            self.docks["plane"].raise_()

    @Slot()
    def _show_shortcuts(self) -> None:
        self.make_panels()  # their keys are among them
        shortcuts_dialog(self).open()

    @Slot(object)
    def _show_title(self, path: object) -> None:
        self.setWindowTitle(f"{path.name} – Perturbation Studio" if hasattr(path, "name") else "Perturbation Studio")

    def _restore(self) -> None:
        geometry, state = self._settings.value("geometry"), self._settings.value("state")
        if isinstance(geometry, QByteArray) and isinstance(state, QByteArray):
            self.restoreGeometry(geometry)
            self.restoreState(state, _LAYOUT_VERSION)
            return
        room = self.screen().availableSize()
        width, height = _FIRST_SIZE
        if room.width() < width or room.height() < height + _TITLE_BAR:
            self.setWindowState(Qt.WindowState.WindowMaximized)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop the run in good order, save it, and remember the layout."""
        if self.asks and not may_quit(self.workbench.runs, self._settings, self):
            event.ignore()
            return
        self._settings.setValue("geometry", self.saveGeometry())
        self._settings.setValue("state", self.saveState(_LAYOUT_VERSION))
        self.trouble.silent = True
        self.workbench.shutdown()
        run = self.workbench.runs.run
        if run.unsaved and not run.phase.active and not self._may_lose("Close the studio?", "Close"):
            self.trouble.silent = False
            event.ignore()
            return
        for dock in self.docks.values():
            if dock.isFloating():
                dock.hide()
        super().closeEvent(event)
