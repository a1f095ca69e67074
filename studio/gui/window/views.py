"""The two views of the panels, the page and the Workbench: which one is seen, and what brings a panel into sight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, cast

from PySide6.QtCore import QByteArray, QSettings, Qt, QTimer, Slot
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QApplication, QFrame, QStackedWidget, QWidget

from studio.gui.live.plane.lessons import Lesson
from studio.gui.state.dataset_view import DatasetView
from studio.gui.state.run_view import RunView
from studio.gui.widgets.layouts import scrolled
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import tooltip
from studio.gui.window.controls import Controls
from studio.gui.window.panel_dock import one_after_another
from studio.gui.window.tilt_page import TiltPage
from studio.gui.window.workbench import Workbench

if TYPE_CHECKING:
    from studio.gui.queue.panel import QueuePanel
    from studio.gui.setup.panel import SetupPanel
    from studio.gui.target.energy.panel import EnergyPanel
    from studio.gui.target.offsets.panel import OffsetsPanel

_TIP = "Every panel as a dock, to be put where you want it; again for the page. (F4)"


class Views(QStackedWidget):
    """Has every panel, and remembers how both views were left."""

    def __init__(self, controls: Controls, theme: ThemeManager, settings: QSettings, window: QWidget) -> None:
        super().__init__(window)
        self._log, self._settings = controls.log, settings
        self._planar = self._training = self._tabled = False
        self._later: Sequence[Callable[[], None]] = ()
        self.workbench_action = QAction("&Workbench", window, checkable=True, shortcut=QKeySequence("F4"))
        self.workbench_action.setToolTip(tooltip(_TIP))
        self.workbench_action.toggled.connect(self._show_view)
        self.workbench = Workbench(controls, theme, self)
        self.docks = self.workbench.docks
        self.page = TiltPage(self.docks, theme, settings, self)
        benches = scrolled(self.workbench, frame=QFrame.Shape.StyledPanel)
        benches.setProperty("role", "bare")
        benches.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.addWidget(self.page)
        self.addWidget(benches)
        self._connect(controls)

    def _connect(self, controls: Controls) -> None:
        late = QTimer(self, singleShot=True)  # panels that are made late are told what the others know
        late.timeout.connect(controls.time.tell_again)
        for dock in self.docks.values():
            dock.filled.connect(late.start)
        self.docks["queue"].filled.connect(self._on_queue)
        self.docks["setup"].filled.connect(self._on_setup)
        self.docks["offsets"].filled.connect(self._on_table)
        controls.lessons.changed.connect(self._show_lesson)
        controls.data.dataset_changed.connect(self._show_world)
        controls.runs.run_changed.connect(self._on_run)

    def make_panels(self) -> None:
        for make in (*self._later, *(dock.make for dock in self.docks.values())):
            make()

    def make_between_events(self, then: Callable[[], None]) -> None:
        """Make what is seen, or may soon be, and is not made yet, so that the window stays awake; then call `then`.

        Log and queue listen before anybody looks at them, and the queue fills a menu.
        """
        seen = [dock.make for dock in self.docks.values()] if self.workbench_action.isChecked() else self._later
        one_after_another([*seen, self.docks["log"].make, then, self.docks["queue"].make], self)

    # -- which is seen

    def restore(self) -> None:
        """Show the view that was seen last."""
        as_docks = bool(self._settings.value("workbench", False, type=bool))
        self.workbench_action.setChecked(as_docks)
        if not as_docks:
            self._show_view(False)

    def remember(self) -> None:
        """Keep the layout of both for another session."""
        self._settings.setValue("docks", self.workbench.state())
        self.page.remember()

    @Slot(bool)
    def _show_view(self, as_docks: bool) -> None:
        focus = self.window().focusWidget()
        if as_docks:
            self.page.leave()
            state = self._settings.value("docks")
            self.workbench.enter(state if isinstance(state, QByteArray) else QByteArray())
        else:
            self.workbench.leave()
            self._later = self.page.enter()
        self.setCurrentIndex(int(as_docks))
        self._settings.setValue("workbench", as_docks)
        if self._planar:  # once Qt has laid the docks out
            QTimer.singleShot(0, self, lambda: self.show_panel("plane"))
        if focus is not None and focus.isVisible():
            focus.setFocus()  # it went along, and had to let go on the way
        else:
            self.docks["offsets"].focus()
        if self.isVisible() and not as_docks:
            one_after_another(self._later, self)

    def reset_layout(self) -> None:
        """Give both views and the set-up the layout that they had at first."""
        self.make_panels()  # Qt ends the process if a dock is taken out empty while another one floats
        self.page.reset()
        self._settings.remove("docks")
        self.workbench.reset()
        cast("SetupPanel", self.docks["setup"].widget()).folds.show(())

    # -- one panel

    def show_panel(self, name: str) -> None:
        """Bring a panel into sight, wherever it is."""
        if self.workbench_action.isChecked():
            self.workbench.bring_forward(name)
        else:
            self.page.show_panel(name)

    def go_to(self, name: str) -> None:
        """Bring a panel into sight and put the keyboard into it."""
        self.show_panel(name)
        self.docks[name].focus()

    def is_behind(self, widget: QWidget) -> bool:
        """Whether a widget is in a panel behind another one, which to Qt is visible."""
        return any(dock.visibleRegion().isEmpty() for dock in self.docks.values() if dock.isAncestorOf(widget))

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
                self._log.add(f"“{dock.windowTitle()}” is {where} (Ctrl+Shift+F)")
                return
        if not self.workbench_action.isChecked():
            self._log.add("A panel floats in the Workbench alone (F4)")

    def hide_floating(self) -> None:
        for dock in self.docks.values():
            if dock.isFloating():
                dock.hide()

    def _on_queue(self, panel: QWidget) -> None:
        cast("QueuePanel", panel).wanted.connect(lambda: self.show_panel("queue"))

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

    # -- what goes on

    @Slot(object)
    def _show_world(self, dataset: DatasetView | None) -> None:
        """Bring the plane to the front for points, the samples for images; only when one replaces the other."""
        table, focus = self.docks["offsets"], self.window().focusWidget()
        if dataset is not None and not self._tabled:
            self._tabled = True
            if focus is not None and table.widget().isAncestorOf(focus):  # before there was data, the table had none
                table.focus()
        planar = dataset.plane is not None if dataset is not None else self._planar
        if planar != self._planar:
            self._planar = planar
            self.show_panel("plane" if planar else "samples")

    @Slot(object)
    def _show_lesson(self, lesson: Lesson | None) -> None:
        if lesson is not None:
            self.docks["plane"].make()
            self.show_panel("plane")

    @Slot(object)
    def _on_run(self, run: RunView) -> None:
        """The set-up folds away when training starts."""
        if run.phase.active and not self._training:
            self.page.fold()
        self._training = run.phase.active
