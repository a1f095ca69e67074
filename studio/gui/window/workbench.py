"""The Workbench: every panel as a dock, where a person wants it."""

from __future__ import annotations

from PySide6.QtCore import QByteArray, QChildEvent, QEvent, Qt
from PySide6.QtWidgets import QMainWindow, QTabBar, QWidget

from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import set_help
from studio.gui.window.controls import Controls
from studio.gui.window.panel_dock import PanelDock
from studio.gui.window.panels import PANELS, PLACES

_SPLITS = (
    ("left", "middle", Qt.Orientation.Horizontal),
    ("middle", "right_top", Qt.Orientation.Horizontal),
    ("left", "left_bottom", Qt.Orientation.Vertical),
    ("right_top", "right_bottom", Qt.Orientation.Vertical),
)
_WIDTHS = (("left", 270), ("middle", 490), ("right_top", 520))
_HEIGHTS = (("left", 470), ("left_bottom", 150), ("right_top", 320), ("right_bottom", 300))
"""At 1280×800 the table in the middle shows ten classes."""
_VERSION = 7


class Workbench(QMainWindow):
    """A window within the window, for its docks alone; nothing is laid out before it is first shown."""

    def __init__(self, controls: Controls, theme: ThemeManager, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowFlags(Qt.WindowType.Widget)
        self.setObjectName("docks")
        self.setDockNestingEnabled(True)
        self.setDockOptions(self.dockOptions() | QMainWindow.DockOption.GroupedDragging)
        self.docks = {panel.name: PanelDock(panel, controls, theme, self) for panel in PANELS}
        self._floating: list[PanelDock] = []
        self._laid_out = self._in_sight = False
        self._state = QByteArray()

    def enter(self, state: QByteArray) -> None:
        """It comes into sight.

        Args:
            state: its layout when it was last left, in another session.
        """
        self._in_sight = True
        if not self._laid_out:
            self._laid_out = True
            for panels in PLACES.values():
                self.docks[panels[0].name].make()
            self.arrange()
            self.restoreState(state, _VERSION)
        for dock in self._floating:
            dock.show()
        self._floating = []

    def leave(self) -> None:
        """It goes out of sight, and with it the panels that float."""
        self._state = self.state()
        self._in_sight = False
        self._floating = [dock for dock in self.docks.values() if dock.isFloating() and dock.isVisible()]
        for dock in self._floating:
            dock.hide()

    def state(self) -> QByteArray:
        """The layout, to be remembered; empty where it was never shown."""
        return self.saveState(_VERSION) if self._in_sight else self._state

    def arrange(self) -> None:
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

    def reset(self) -> None:
        """Put every dock where it belongs at first, now or when they next come into sight."""
        self._laid_out, self._floating, self._state = False, [], QByteArray()
        if self._in_sight:
            self.enter(self._state)

    def bring_forward(self, name: str) -> None:
        """Show a panel before those of its place."""
        dock = self.docks[name]
        dock.show()
        dock.raise_()
        dock.activateWindow()

    def childEvent(self, event: QChildEvent) -> None:
        """Name the tab bars that Qt makes for panels of one place."""
        super().childEvent(event)
        child = event.child()
        if event.type() == QEvent.Type.ChildPolished and isinstance(child, QTabBar):
            set_help(child, "Panels of this place", "Which panel is in front; arrows go to the next.")
