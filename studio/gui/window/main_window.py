"""The main window: composition only. The toolbar, the views of the panels, the time bar, and what it remembers."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QByteArray, QSettings, Qt, Signal, Slot
from PySide6.QtGui import QCloseEvent, QPaintEvent
from PySide6.QtWidgets import QMainWindow, QWidget

from studio.gui.run.run_actions import RunActions
from studio.gui.run.stop_question import may_quit
from studio.gui.timeline.follower import Follower
from studio.gui.timeline.time_bar import TimeBar
from studio.gui.widgets.layouts import column_of
from studio.gui.widgets.messages import agrees
from studio.gui.widgets.tab_order import reveal
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.banner import Banner
from studio.gui.window.config_files import ConfigFiles
from studio.gui.window.controls import Controls
from studio.gui.window.menus import Menus
from studio.gui.window.run_errors import RunErrorDialogs
from studio.gui.window.run_files import RunFiles
from studio.gui.window.status import StudioStatusBar
from studio.gui.window.toolbar import BenchRow, Toolbar
from studio.gui.window.views import Views

if TYPE_CHECKING:
    from studio.gui.library.panel import RunsPanel

_FIRST_SIZE = (1280, 800)
_TITLE_BAR = 40
"""Pixels that a desktop may put above a window."""


class MainWindow(QMainWindow):
    """The studio's window; `settings` remembers views, layout, theme and recent files."""

    painted = Signal()  # for the first time

    def __init__(self, controls: Controls, theme: ThemeManager, settings: QSettings) -> None:
        super().__init__()
        self.setObjectName("main_window")
        self.setWindowTitle("Perturbation Studio")
        self.controls, self.theme, self._settings = controls, theme, settings
        self._on_screen = False
        self.asks = False  # before it closes on a run that trains; only a person can answer
        self.files = ConfigFiles(controls.setup, controls.runs, controls.starter, controls.log, settings, self)
        self.run_files = RunFiles(controls.setup, controls.subjects, controls.runs, controls.starter, self)
        self.actions_of_run = RunActions(controls.setup, controls.runs, controls.starter, theme, self)
        self.trouble = RunErrorDialogs(controls.runs, self.actions_of_run, self)
        self.views = Views(controls, theme, settings, self)
        self.docks = self.views.docks
        self._compose()
        self._connect()
        theme.dress()  # before anything is measured
        self.resize(*_FIRST_SIZE)
        self._restore()

    # -- composition

    def _compose(self) -> None:
        controls, theme, views = self.controls, self.theme, self.views
        self.banner = Banner(controls.subjects, theme)
        self.toolbar = Toolbar(controls, self.actions_of_run, views.workbench_action, self.banner, theme)
        self.bench_row = BenchRow(controls, self.actions_of_run, theme)
        self.time_bar = TimeBar(controls.time, controls.starter, theme)
        content = QWidget()
        parts = (self.toolbar, self.bench_row, (views, 1), self.time_bar)
        column_of(*parts, inside=content, margins=(0, 0, 0, theme.tokens.spacing // 2), spacing=0)
        self.setCentralWidget(content)
        tasks = (controls.tasks, controls.looking, controls.once.tasks)
        self.status = StudioStatusBar(controls.runs, controls.time, controls.log, tasks, theme, self)
        self.setStatusBar(self.status)
        Menus(
            window=self,
            views=views,
            theme=theme,
            settings=self._settings,
            files=self.files,
            run_files=self.run_files,
            run=self.actions_of_run.all(),
            jumps=self.time_bar.jumps.values(),
            stack=controls.setup.undo_stack,
            lessons=controls.lessons,
        ).fill()

    def _connect(self) -> None:
        controls, actions = self.controls, self.actions_of_run
        self.files.path_changed.connect(self._show_title)
        actions.start_requested.connect(self.start)
        actions.resume_requested.connect(self.run_files.resume_subject)
        actions.evaluate_requested.connect(controls.evaluations.evaluate)
        controls.evaluations.shown_changed.connect(
            lambda view: actions.offer_evaluation(view.possible and not view.doing, view.tip)
        )
        controls.subjects.subject_changed.connect(actions.take_subject)
        controls.subjects.subject_changed.connect(self._show_title)
        controls.lessons.start_asked.connect(self.start)
        Follower(controls.looking, controls.time, controls.overlays, self)
        self.banner.resume_asked.connect(self.run_files.resume)
        self.banner.like_asked.connect(self.run_files.set_up_like)
        self.toolbar.change.clicked.connect(lambda: self.views.go_to("setup"))
        self.views.workbench_action.toggled.connect(self.bench_row.setVisible)
        self.views.workbench_action.toggled.connect(self.status.pace.setHidden)  # the row above says it
        self.docks["runs"].filled.connect(self._on_runs)

    def _on_runs(self, panel: QWidget) -> None:
        runs = cast("RunsPanel", panel)
        runs.resume_asked.connect(self.run_files.resume)
        runs.like_asked.connect(self.run_files.set_up_like)

    # -- behaviour

    @Slot()
    def start(self) -> None:
        """Start a run; asks first if that would lose results."""
        if not self.controls.runs.run.unsaved or self._may_lose("Start again?", "Start again"):
            self.controls.starter.start()

    def _may_lose(self, question: str, yes: str) -> bool:
        text = "The results of the last run could not be saved completely: its samples and curves would be gone."
        return agrees(question, text, yes, "Keep them", self)

    def focusNextPrevChild(self, ahead: bool) -> bool:
        """Tab passes over panels behind others and scrolls to what it reaches."""
        start = self.focusWidget()
        while super().focusNextPrevChild(ahead):
            reached = self.focusWidget() or self  # what was committed on the way may have switched it off
            if reached is start or not self.views.is_behind(reached):
                reveal(reached)
                return True
        return False

    @Slot()
    def _show_title(self) -> None:
        """The run that the window is about, or the file that is set up."""
        name = self.controls.subjects.subject.title or (self.files.path.name if self.files.path is not None else "")
        self.setWindowTitle(f"{name} – Perturbation Studio" if name else "Perturbation Studio")

    # -- what it remembers

    def _restore(self) -> None:
        self.views.restore()
        self.bench_row.setVisible(self.views.workbench_action.isChecked())
        self.status.pace.setHidden(self.views.workbench_action.isChecked())
        geometry = self._settings.value("geometry")
        restored = isinstance(geometry, QByteArray) and self.restoreGeometry(geometry)
        room, bar = self.screen().availableSize(), 0 if restored else _TITLE_BAR
        if room.width() < self.width() or room.height() < self.height() + bar:  # of another screen
            self.setWindowState(Qt.WindowState.WindowMaximized)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._on_screen:
            self._on_screen = True
            self.painted.emit()

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop the run in good order, save it, and remember the layout."""
        if self.asks and not may_quit(self.controls.runs, self._settings, self):
            event.ignore()
            return
        self._settings.setValue("geometry", self.saveGeometry())
        self.views.remember()
        self.trouble.silent = True
        self.controls.shutdown()
        run = self.controls.runs.run
        if run.unsaved and not run.phase.active and not self._may_lose("Close the studio?", "Close"):
            self.trouble.silent = False
            event.ignore()
            return
        self.views.hide_floating()
        super().closeEvent(event)
