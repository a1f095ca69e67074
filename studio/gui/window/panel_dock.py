"""Where a panel is: in its dock, or on the page, which borrows it. It is made when it is first seen or asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QSize, Qt, QTimer, Signal, Slot
from PySide6.QtWidgets import (
    QBoxLayout,
    QDockWidget,
    QFrame,
    QMainWindow,
    QScrollArea,
    QStackedLayout,
    QVBoxLayout,
    QWidget,
)

from studio.gui.widgets.tab_order import focus_first
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls
from studio.gui.window.panels import Panel

_LEAST = (60, 40)
"""Pixels that a panel may be squeezed to; what has no room then scrolls."""


class PanelArea(QScrollArea):
    """Room for one panel, which scrolls where there is too little, so that no panel takes room from others."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "bare")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the panel has it
        self.setWidgetResizable(True)
        self.setMinimumSize(*_LEAST)
        room = QWidget()
        self._fill = _Fill(self, room)
        self.setWidget(room)
        for each in (room, self.viewport()):
            each.setAutoFillBackground(False)  # it stands on the dock, or on a card

    def put(self, panel: QWidget) -> None:
        self._fill.addWidget(panel)
        panel.show()


class _Fill(QVBoxLayout):
    """Gives a panel all there is, and at least what the page that it shows needs: whose rows of buttons break where it
    is narrow, so that a scroll area by itself would ask for the height that the page prefers.
    """

    def __init__(self, area: QScrollArea, room: QWidget) -> None:
        super().__init__(room)
        self.setContentsMargins(0, 0, 0, 0)
        self._area, self._room = area, room

    def hasHeightForWidth(self) -> bool:
        return False

    def minimumSize(self) -> QSize:
        panel = self._room.findChild(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly)
        if panel is None:
            return QSize()
        pages = panel.layout()
        page = (pages.currentWidget() if isinstance(pages, QStackedLayout) else None) or panel
        least, inside = page.minimumSizeHint().expandedTo(page.minimumSize()), page.layout()
        if isinstance(inside, QBoxLayout) and inside.hasHeightForWidth():
            width = max(least.width(), self._area.viewport().width())
            least.setHeight(max(least.height(), inside.minimumHeightForWidth(width)))
        return least


class PanelDock(QDockWidget):
    """Has one panel."""

    filled = Signal(QWidget)  # the panel, which was made just now

    def __init__(self, panel: Panel, controls: Controls, theme: ThemeManager, docks: QMainWindow) -> None:
        super().__init__(panel.title, docks)
        self.setObjectName(f"dock_{panel.name}")
        self.name = panel.name
        self._of = (panel, controls, theme)
        self._panel: QWidget | None = None
        self._area = PanelArea(self)
        self.setWidget(self._area)
        self.visibilityChanged.connect(self._on_visibility)

    @property
    def made(self) -> bool:
        return self._panel is not None

    def make(self) -> None:
        """Make the panel, unless it is there."""
        self.widget()

    def widget(self) -> QWidget:
        """The panel, wherever it is."""
        if self._panel is None:
            panel, controls, theme = self._of
            self._panel = panel.make(controls, theme, self)
            self._area.put(self._panel)
            self.filled.emit(self._panel)
        return self._panel

    def focus(self) -> None:
        """Put the keyboard into the panel, which can be seen."""
        focus_first(self.widget(), self._of[0].first)

    def lend(self, area: PanelArea) -> None:
        """Put the panel somewhere else."""
        area.put(self.widget())

    def take_back(self) -> None:
        """Have it in the dock again."""
        self._area.put(self.widget())

    @property
    def lent(self) -> bool:
        """Whether the panel is somewhere else."""
        return self._panel is not None and not self.isAncestorOf(self._panel)

    @Slot(bool)
    def _on_visibility(self, visible: bool) -> None:
        if visible and not self.made:
            QTimer.singleShot(0, self, self.make)  # once Qt has laid the docks out


def one_after_another(tasks: Sequence[Callable[[], None]], parent: QWidget) -> None:
    """Do what takes its time between the events of the window, so that it stays awake."""
    if tasks:
        tasks[0]()
        QTimer.singleShot(0, parent, lambda: one_after_another(tasks[1:], parent))
