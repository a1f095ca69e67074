"""The main window: composition only. The strip, the page or the Workbench, the time bar, and what it remembers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QByteArray, QSettings, Qt, QTimer, Slot
from PySide6.QtGui import QAction, QCloseEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QFrame, QMainWindow, QStackedWidget, QWidget

from studio.gui.live.plane.lessons import Lesson
from studio.gui.run.run_actions import RunActions
from studio.gui.run.stop_question import may_quit
from studio.gui.state.view_state import DatasetView, RunView
from studio.gui.timeline.time_bar import TimeBar
from studio.gui.widgets.layouts import column_of, scrolled
from studio.gui.widgets.messages import agrees
from studio.gui.widgets.tab_order import focus_first, reveal
from studio.gui.widgets.theme import ThemeManager, ThemeMode
from studio.gui.widgets.tooltip import tooltip
from studio.gui.window.banner import Banner
from studio.gui.window.config_files import ConfigFiles
from studio.gui.window.dock_area import DockArea
from studio.gui.window.menus import fill_menus
from studio.gui.window.panel_dock import one_after_another
from studio.gui.window.run_files import RunFiles
from studio.gui.window.shortcuts import shortcuts_dialog
from studio.gui.window.status import StudioStatusBar
from studio.gui.window.strip import BenchRow, Strip
from studio.gui.window.tilt_page import TiltPage
from studio.gui.window.trouble import RunErrorDialogs
from studio.gui.window.workbench import Workbench

if TYPE_CHECKING:
    from studio.gui.library.panel import RunsPanel
    from studio.gui.queue.panel import QueuePanel
    from studio.gui.setup.panel import SetupPanel
    from studio.gui.target.energy.panel import EnergyPanel
    from studio.gui.target.offsets.panel import OffsetsPanel

_FIRST_SIZE = (1280, 800)
_TITLE_BAR = 40
"""Pixels that a desktop may put above a window."""


class MainWindow(QMainWindow):
    """The studio's window; `settings` remembers views, layout, theme and recent files."""

    def __init__(self, workbench: Workbench, theme: ThemeManager, settings: QSettings) -> None:
        super().__init__()
        self.setObjectName("main_window")
        self.setWindowTitle("Perturbation Studio")
        self.workbench, self.theme, self._settings = workbench, theme, settings
        self.asks = False  # before it closes on a run that trains; only a person can answer
        self.files = ConfigFiles(workbench.setup, workbench.runs, workbench.starter, workbench.log, settings, self)
        self.files.path_changed.connect(self._show_title)
        self.actions_of_run = RunActions(workbench.setup, workbench.runs, workbench.starter, theme, self)
        self.actions_of_run.start_requested.connect(self.start)
        self.actions_of_run.evaluate_requested.connect(workbench.evaluations.evaluate)
        workbench.evaluations.shown_changed.connect(
            lambda view: self.actions_of_run.offer_evaluation(view.possible and not view.doing, view.tip)
        )
        self.run_files = RunFiles(workbench.setup, workbench.subjects, workbench.runs, workbench.starter, self)
        self.actions_of_run.continue_requested.connect(self.run_files.go_on)
        workbench.subjects.subject_changed.connect(self.actions_of_run.take_subject)
        workbench.subjects.subject_changed.connect(self._show_title)
        self.trouble = RunErrorDialogs(workbench.runs, self.actions_of_run, self)
        self._planar = self._training = self._tabled = False
        self._later: Sequence[Callable[[], None]] = ()
        self._late = QTimer(self, singleShot=True)  # panels that are made late are told what the others know
        self._late.timeout.connect(workbench.time.tell_again)
        self.workbench_action = QAction("&Workbench", self, checkable=True, shortcut=QKeySequence("F4"))
        tip = "Every panel as a dock, to be put where you want it; again for the page. (F4)"
        self.workbench_action.setToolTip(tooltip(tip))
        self.workbench_action.toggled.connect(self._show_view)
        self.dock_area = DockArea(workbench, theme, self)
        self.docks = self.dock_area.docks
        self.page = TiltPage(self.docks, theme, settings, self)
        self._compose()
        fill_menus(self)
        self.docks["queue"].filled.connect(self._on_queue)
        self.docks["runs"].filled.connect(self._on_runs)
        self.docks["setup"].filled.connect(self._on_setup)
        self.docks["offsets"].filled.connect(self._on_table)
        for dock in self.docks.values():
            dock.filled.connect(self._late.start)
        workbench.lessons.changed.connect(self._show_lesson)
        workbench.lessons.start_asked.connect(self.start)
        workbench.data.dataset_changed.connect(self._show_world)
        workbench.runs.run_changed.connect(self._on_run)
        theme.dress()  # before anything is measured
        self.resize(*_FIRST_SIZE)
        self._restore()

    # -- composition

    def _compose(self) -> None:
        workbench = self.workbench
        self.banner = banner = Banner(workbench.subjects, self.theme)
        banner.resume_asked.connect(self.run_files.resume)
        banner.like_asked.connect(self.run_files.set_up_like)
        self.strip = Strip(workbench, self.actions_of_run, self.workbench_action, banner, self.theme)
        self.strip.change.clicked.connect(lambda: self.go_to("setup"))
        self.bench_row = BenchRow(workbench, self.actions_of_run, self.theme)
        self.time_bar = TimeBar(workbench.time, self.theme)
        benches = scrolled(self.dock_area, frame=QFrame.Shape.StyledPanel)
        benches.setProperty("role", "bare")
        benches.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        benches.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        benches.setWidget(self.dock_area)
        self.views = QStackedWidget()
        for view in (self.page, benches):
            self.views.addWidget(view)
        content = QWidget()
        parts = (self.strip, self.bench_row, (self.views, 1), self.time_bar)
        column_of(*parts, inside=content, margins=(0, 0, 0, self.theme.tokens.spacing // 2), spacing=0)
        self.setCentralWidget(content)
        tasks = (workbench.tasks, workbench.looking, workbench.once.tasks)
        self.setStatusBar(StudioStatusBar(workbench.runs, workbench.log, tasks, self.theme, self))

    def make_panels(self) -> None:
        """Make every panel that is not made yet."""
        for make in (*self._later, *(dock.make for dock in self.docks.values())):
            make()

    def make_between_events(self, then: Callable[[], None]) -> None:
        """Make what is seen, or may soon be, and is not made yet, so that the window stays awake; then call `then`.

        Log and queue listen before anybody looks at them, and the queue fills a menu.
        """
        seen = [dock.make for dock in self.docks.values()] if self.workbench_action.isChecked() else self._later
        one_after_another([*seen, self.docks["log"].make, then, self.docks["queue"].make], self)

    # -- views

    @Slot(bool)
    def _show_view(self, workbench: bool) -> None:
        focus = self.focusWidget()
        if workbench:
            self.page.leave()
            state = self._settings.value("docks")
            self.dock_area.enter(state if isinstance(state, QByteArray) else QByteArray())
        else:
            self.dock_area.leave()
            self._later = self.page.enter()
        self.views.setCurrentIndex(int(workbench))
        self.bench_row.setVisible(workbench)
        self._settings.setValue("workbench", workbench)
        if self._planar:  # once Qt has laid the docks out
            QTimer.singleShot(0, self, lambda: self.show_panel("plane"))
        if focus is not None and focus.isVisible():
            focus.setFocus()  # it went along, and had to let go on the way
        else:
            focus_first(self.docks["offsets"].widget(), self.docks["offsets"].first)
        if self.isVisible() and not workbench:
            one_after_another(self._later, self)

    def show_panel(self, name: str) -> None:
        """Bring a panel into sight, wherever it is."""
        if self.workbench_action.isChecked():
            self.dock_area.bring_forward(name)
        else:
            self.page.show_panel(name)

    def go_to(self, name: str) -> None:
        """Bring a panel into sight and put the keyboard into it."""
        self.show_panel(name)
        focus_first(self.docks[name].widget(), self.docks[name].first)

    def reset_layout(self) -> None:
        """Give both views and the set-up the layout that they had at first."""
        self.make_panels()  # Qt ends the process if a dock is taken out empty while another one floats
        self.page.reset()
        self._settings.remove("docks")
        self.dock_area.reset()
        cast("SetupPanel", self.docks["setup"].widget()).folds.show(())

    @Slot()
    def float_panel(self) -> None:
        """Make the panel that has the keyboard a window of its own, or put it back."""
        focus = QApplication.focusWidget()
        for dock in self.docks.values():
            if focus is not None and dock.isAncestorOf(focus):
                dock.setFloating(not dock.isFloating())
                dock.activateWindow()
                focus.setFocus()
                where = "a window of its own" if dock.isFloating() else "in its place again"
                self.workbench.log.add(f"“{dock.windowTitle()}” is {where} (Ctrl+Shift+F)")
                return
        if not self.workbench_action.isChecked():
            self.workbench.log.add("A panel floats in the Workbench alone (F4)")

    def _on_queue(self, panel: QWidget) -> None:
        cast("QueuePanel", panel).wanted.connect(lambda: self.show_panel("queue"))

    def _on_runs(self, panel: QWidget) -> None:
        runs = cast("RunsPanel", panel)
        runs.resume_asked.connect(self.run_files.resume)
        runs.like_asked.connect(self.run_files.set_up_like)

    def _on_setup(self, panel: QWidget) -> None:
        """Remember which of its sections are open."""
        folds = cast("SetupPanel", panel).folds
        folds.show(str(self._settings.value("folds", "")).split())
        folds.changed.connect(lambda: self._settings.setValue("folds", " ".join(sorted(folds.open))))

    def _on_table(self, panel: QWidget) -> None:
        """Remember its columns, and lead from its terms to where they are edited."""
        table = cast("OffsetsPanel", panel)
        table.columns = str(self._settings.value("table_columns", ""))
        table.columns_chosen.connect(lambda names: self._settings.setValue("table_columns", names))
        table.term_asked.connect(self._edit_term)

    @Slot(int)
    def _edit_term(self, place: int) -> None:
        self.show_panel("energy")
        cast("EnergyPanel", self.docks["energy"].widget()).edit_term(place)

    # -- behaviour

    @Slot()
    def start(self) -> None:
        """Start a run; asks first if that would lose results."""
        if not self.workbench.runs.run.unsaved or self._may_lose("Start again?", "Start again"):
            self.workbench.starter.start()

    def _may_lose(self, question: str, yes: str) -> bool:
        text = "The results of the last run could not be saved completely: its samples and curves would be gone."
        return agrees(question, text, yes, "Keep them", self)

    @Slot(object)
    def _show_world(self, dataset: DatasetView | None) -> None:
        """Bring the plane to the front for points, the samples for images; only when one replaces the other."""
        table, focus = self.docks["offsets"], self.focusWidget()
        if dataset is not None and not self._tabled:
            self._tabled = True
            if focus is not None and table.widget().isAncestorOf(focus):  # before there was data, the table had none
                focus_first(table.widget(), table.first)
        planar = dataset.plane is not None if dataset is not None else self._planar
        if planar != self._planar:
            self._planar = planar
            self.show_panel("plane" if planar else "samples")

    @Slot(object)
    def _on_run(self, run: RunView) -> None:
        """The set-up folds away when training starts."""
        if run.phase.active and not self._training:
            self.page.fold()
        self._training = run.phase.active

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

    def set_theme(self, mode: ThemeMode) -> None:
        """Look another way, and remember it."""
        self.theme.set_mode(mode)
        self._settings.setValue("theme", str(mode))

    @Slot(object)
    def _show_lesson(self, lesson: Lesson | None) -> None:
        if lesson is not None:
            self.docks["plane"].make()
            self.show_panel("plane")

    @Slot()
    def show_shortcuts(self) -> None:
        self.make_panels()  # their keys are among them
        shortcuts_dialog(self).open()

    @Slot()
    def _show_title(self) -> None:
        """The run that the window is about, or the file that is set up."""
        name = self.workbench.subjects.subject.title or (self.files.path.name if self.files.path is not None else "")
        self.setWindowTitle(f"{name} – Perturbation Studio" if name else "Perturbation Studio")

    # -- what it remembers

    def _restore(self) -> None:
        workbench = bool(self._settings.value("workbench", False, type=bool))
        self.workbench_action.setChecked(workbench)
        if not workbench:
            self._show_view(False)
        geometry = self._settings.value("geometry")
        restored = isinstance(geometry, QByteArray) and self.restoreGeometry(geometry)
        room, bar = self.screen().availableSize(), 0 if restored else _TITLE_BAR
        if room.width() < self.width() or room.height() < self.height() + bar:  # of another screen
            self.setWindowState(Qt.WindowState.WindowMaximized)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Stop the run in good order, save it, and remember the layout."""
        if self.asks and not may_quit(self.workbench.runs, self._settings, self):
            event.ignore()
            return
        self._settings.setValue("geometry", self.saveGeometry())
        self._settings.setValue("docks", self.dock_area.state())
        self.page.remember()
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
