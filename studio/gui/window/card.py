"""A card of the page: a panel in a frame, with a head that says what it is and may offer others."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from PySide6.QtCore import QEvent, QObject, Qt, Signal, Slot
from PySide6.QtGui import QMouseEvent, QResizeEvent, QTextDocumentFragment
from PySide6.QtWidgets import QAbstractScrollArea, QFrame, QLabel, QSizePolicy, QToolButton

from studio.gui.widgets.buttons import Menu, icon_button
from studio.gui.widgets.layouts import column_of, row_of
from studio.gui.widgets.live_panel import LivePanel
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import set_help
from studio.gui.window.panel_dock import PanelArea, PanelDock


class Figures(QLabel):
    """As many of a panel's newest values, the first of them first, as there is room for; the tooltip has all."""

    def __init__(self) -> None:
        super().__init__()
        self._lines = [""]
        self.setTextFormat(Qt.TextFormat.RichText)
        self.setProperty("role", "small")
        self.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    @Slot(str)
    def show_lines(self, text: str) -> None:
        """Show rich text, a value a line."""
        self._lines = text.split("\n")
        self.setToolTip(" ".join(self._lines))
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        plain = [QTextDocumentFragment.fromHtml(line).toPlainText() for line in self._lines]
        number = len(plain)
        while number and self.fontMetrics().horizontalAdvance(" ".join(plain[:number])) > self.width():
            number -= 1
        self.setText(" ".join(self._lines[:number]))


class Card(QFrame):
    """Room for one panel at a time, which it borrows from its dock.

    Args:
        button: icon, title and tooltip of the button in its head.
        compact: it is small, so that its panel shows what matters most.

    Attributes:
        dock: whose panel it has; None while it is empty.
    """

    asked = Signal()  # its button, or a double click
    chosen = Signal(str)  # another panel, by the menu of its head

    def __init__(self, name: str, theme: ThemeManager, button: tuple[str, str, str], *, compact: bool = False) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setProperty("role", "card")
        self.dock: PanelDock | None = None
        self._compact = compact
        self.area = PanelArea(self)
        icon, title, tip = button
        self.button = icon_button(theme, icon, f"{name}_button", title, tip, self.asked)
        self.title = QToolButton()
        self.title.setObjectName(f"{name}_title")
        self.title.setProperty("head", True)
        self.title.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.title.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)  # a title, until there is a choice
        self.title.setAutoRaise(True)
        self.figures = Figures()
        head = row_of(self.title, (self.figures, 1), self.button)
        column_of(head, (self.area, 1), inside=self, margins=theme.tokens.spacing // 2, spacing=0)

    def offer(self, titles: Mapping[str, str]) -> None:
        """Let another panel be chosen by the head."""
        menu = Menu(self.title)
        for name, title in titles.items():
            menu.addAction(title, partial(self.chosen.emit, name))
        self.title.setMenu(menu)
        self.title.setProperty("menu", True)
        self.title.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        self.title.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.title.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents, False)

    def name_it(self, title: str) -> None:
        self.title.setText(title)
        set_help(self.title, title, "What this card shows. Choose another." if self.title.menu() else title)

    def take(self, dock: PanelDock) -> None:
        if self.dock is not dock:
            self.give_back()
            self.dock = dock
            dock.lend(self.area)
            panel = dock.widget()
            if isinstance(panel, LivePanel):
                panel.set_compact(self._compact)
                panel.figures_changed.connect(self.figures.show_lines)
                self.figures.show_lines(panel.figures)
            for view in self._views():
                view.viewport().installEventFilter(self)  # a plot keeps its clicks to itself

    def give_back(self) -> None:
        dock, self.dock = self.dock, None
        if dock is not None:
            for view in self._views():
                view.viewport().removeEventFilter(self)
            panel = dock.widget()
            if isinstance(panel, LivePanel):
                panel.set_compact(False)
                panel.figures_changed.disconnect(self.figures.show_lines)
            self.figures.show_lines("")
            dock.take_back()

    def _views(self) -> list[QAbstractScrollArea]:
        """Where a double click is meant for the card; a large one's panel has its own use for it."""
        return [*self.area.findChildren(QAbstractScrollArea), self.area] if self._compact else []

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.asked.emit()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """A double click in a small panel, too."""
        if event.type() == QEvent.Type.MouseButtonDblClick:
            self.asked.emit()
            return True
        return False
