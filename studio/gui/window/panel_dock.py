"""A dock whose panel is made when it is first seen or asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.panels import Panel
from studio.gui.window.workbench import Workbench


class PanelDock(QDockWidget):
    """Holds one panel.

    Args:
        panel: which.
        workbench: has what it shows and steers.
        theme: how it looks.
        window: where it docks.
    """

    filled = Signal(QWidget)  # the panel, which was made just now

    def __init__(self, panel: Panel, workbench: Workbench, theme: ThemeManager, window: QMainWindow) -> None:
        super().__init__(panel.title, window)
        self.setObjectName(f"dock_{panel.name}")
        self._of = (panel, workbench, theme)
        self.made = False
        self.visibilityChanged.connect(self._on_visibility)

    def make(self) -> None:
        """Make the panel, unless it is there."""
        if not self.made:
            self.made = True
            panel, workbench, theme = self._of
            self.setWidget(panel.make(workbench, theme, self))
            self.filled.emit(super().widget())

    def widget(self) -> QWidget:
        """The panel."""
        self.make()
        return super().widget()

    @Slot(bool)
    def _on_visibility(self, visible: bool) -> None:
        if visible and not self.made:
            QTimer.singleShot(0, self, self.make)  # once Qt has laid the docks out


def make_between_events(docks: Iterable[PanelDock], done: Callable[[], None]) -> None:
    """Make the panels that are not made yet one at a time, so that the window stays awake; then call `done`."""
    waiting = [dock for dock in docks if not dock.made]
    if not waiting:
        done()
        return
    waiting[0].make()
    QTimer.singleShot(0, waiting[0], lambda: make_between_events(waiting, done))
