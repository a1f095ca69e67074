"""A dock whose panel is made when it is first seen or asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from PySide6.QtCore import QTimer, Signal, Slot
from PySide6.QtWidgets import QDockWidget, QMainWindow, QWidget

from studio.gui.theme import ThemeManager
from studio.gui.workbench import Workbench


@dataclass(frozen=True, slots=True)
class Panel:
    """What is known of a panel before it is made: ``SomePanel`` of ``studio.gui.panels.some`` is the panel "some".

    Attributes:
        name: of the module, and of the widget.
        title: for the dock; the name with a capital unless it is given.
    """

    name: str
    title: str = ""

    def load(self) -> type[Any]:
        """The class, imported; it takes a workbench, a theme and a parent."""
        found: type[Any] = getattr(import_module(f"studio.gui.panels.{self.name}"), f"{self.name.capitalize()}Panel")
        return found


class PanelDock(QDockWidget):
    """Holds one panel.

    Args:
        panel: which.
        workbench: what it shows and steers.
        theme: how it looks.
        window: where it docks.
    """

    filled = Signal(QWidget)  # the panel, which was made just now

    def __init__(self, panel: Panel, workbench: Workbench, theme: ThemeManager, window: QMainWindow) -> None:
        super().__init__(panel.title or panel.name.capitalize(), window)
        self.setObjectName(f"dock_{panel.name}")
        self._of = (panel, workbench, theme)
        self.made = False
        self.visibilityChanged.connect(self._on_visibility)

    def make(self) -> None:
        """Make the panel, unless it is there."""
        if not self.made:
            self.made = True
            panel, workbench, theme = self._of
            self.setWidget(panel.load()(workbench, theme, self))
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
