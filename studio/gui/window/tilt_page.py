"""The Tilt view: the table, the samples, three curves; whatever else there is takes the right side for a while."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

from PySide6.QtCore import QByteArray, QSettings, Qt, Slot
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QApplication, QFrame, QScrollArea, QSplitter, QStackedWidget, QTabBar, QWidget

from studio.gui.widgets.layouts import column_of
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import KeyHelp, set_help
from studio.gui.window.card import Card
from studio.gui.window.panel_dock import PanelArea, PanelDock

TABS = {"samples": "Samples", "plane": "Plane", "examples": "Examples", "diagnostics": "Inside"}
CURVES = {"share_error": "Share error", "batch": "Batch", "weights": "Weights"}
"""The cards of curves at first, from left to right."""
_MORE_CURVES = {"losses": "Losses", "gradients": "Gradients", "planners": "Planners", "corrections": "Held shares"}
_SIZES = {"columns": [508, 744], "rows": [440, 200], "curves": [1000, 1000, 1000]}
"""At first, in proportion."""
_LEAST_HEIGHT, _LEAST_CURVES = 360, 130  # pixels
_GROW = ("grow", "Enlarge", "Give this the whole right side. A double click does so, too; Esc brings it back.")
_SHRINK = ("close", "Back", "Back to the samples and the curves (Esc).")
_FOLD = ("close", "Close", "Fold the set-up away (Esc).")


class TiltPage(QScrollArea):
    """Cards that borrow the panels of the docks; a window too small for them scrolls."""

    KEYS = KeyHelp("On the page", (("Back from a large card or the set-up", "Esc"),))

    def __init__(self, docks: Mapping[str, PanelDock], theme: ThemeManager, settings: QSettings, parent: QWidget):
        super().__init__(parent)
        self.setObjectName("tilt_page")
        self.setProperty("role", "bare")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.setWidgetResizable(True)
        self._docks, self._theme, self._settings = docks, theme, settings
        self._shown = False
        self.left = QStackedWidget()
        self.table = Card("card_table", theme, _FOLD)
        self.setup = Card("card_setup", theme, _FOLD)
        self.grown = Card("card_grown", theme, _SHRINK)
        self._of_card = self._remembered()
        self.cards = {name: self._curve_card(name) for name in CURVES}
        self._lay_out(theme.tokens.spacing)

    # -- building

    def _curve_card(self, place: str) -> Card:
        card = Card(f"card_{place}", self._theme, _GROW, compact=True)
        card.offer(CURVES | _MORE_CURVES)
        card.name_it((CURVES | _MORE_CURVES)[self._of_card[place]])
        card.asked.connect(lambda: self.grow(self._of_card[place]))
        card.chosen.connect(lambda name: self._choose(place, name))
        return card

    def _lay_out(self, spacing: int) -> None:
        self.table.button.hide()
        self.setup.asked.connect(self.fold)
        self.grown.asked.connect(self.shrink)
        for card in (self.table, self.setup):
            self.left.addWidget(card)
        self.right = QStackedWidget()
        self.curves = QSplitter(Qt.Orientation.Horizontal)
        self.curves.setMinimumHeight(_LEAST_CURVES)
        for card in self.cards.values():
            self.curves.addWidget(card)
        self.rows = QSplitter(Qt.Orientation.Vertical)
        self.rows.addWidget(self._pictures())
        self.rows.addWidget(self.curves)
        self.right.addWidget(self.rows)
        self.right.addWidget(self.grown)
        self.columns = QSplitter(Qt.Orientation.Horizontal)
        self.columns.addWidget(self.left)
        self.columns.addWidget(self.right)
        self.splitters = {"columns": self.columns, "rows": self.rows, "curves": self.curves}
        for name, splitter in self.splitters.items():
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(spacing)
            splitter.setSizes(_SIZES[name])
            for place, size in enumerate(_SIZES[name]):
                splitter.setStretchFactor(place, size)
            state = self._settings.value(f"page_{name}")
            if isinstance(state, QByteArray):
                splitter.restoreState(state)
        content = QWidget()
        content.setMinimumHeight(_LEAST_HEIGHT)
        column_of(self.columns, inside=content, margins=spacing)
        self.setWidget(content)

    def _pictures(self) -> QFrame:
        card = QFrame()
        card.setProperty("role", "card")
        self.tabs, self.pages = QTabBar(), QStackedWidget()
        self.tabs.setObjectName("tilt_tabs")
        self.tabs.setDrawBase(False)
        self.tabs.setProperty("role", "flat")
        self.tabs.setExpanding(False)
        set_help(self.tabs, "What is seen of the model", "Arrows go to the next.")
        self.areas = {name: PanelArea() for name in TABS}
        self._in_tab: dict[str, PanelDock] = {}
        for name, title in TABS.items():
            self.tabs.addTab(title)
            self.pages.addWidget(self.areas[name])
        self.tabs.currentChanged.connect(self._on_tab)
        half = self._theme.tokens.spacing // 2
        column_of(self.tabs, (self.pages, 1), inside=card, margins=half, spacing=half)
        return card

    def remember(self) -> None:
        """Keep the sizes for another session."""
        for name, splitter in self.splitters.items():
            self._settings.setValue(f"page_{name}", splitter.saveState())

    def reset(self) -> None:
        """Sizes and cards as they were at first."""
        self.shrink()
        for name, splitter in self.splitters.items():
            splitter.setSizes(_SIZES[name])
        for place in CURVES:
            self._choose(place, place)

    # -- borrowing

    def enter(self) -> Sequence[Callable[[], None]]:
        """Take the panels that are seen first; returns what makes those that may come a little later."""
        self._shown = True
        self.table.take(self._docks["offsets"])
        self.table.name_it("What it should make")
        self._on_tab(self.tabs.currentIndex())
        later = []
        for place, name in self._of_card.items():
            if self._docks[name].made:
                self._fill(place)
            else:
                later.append(partial(self._fill, place))
        return later

    def leave(self) -> None:
        """Give all back to the docks."""
        self.shrink()
        self.fold()
        self._shown = False
        for card in (self.table, self.setup, *self.cards.values()):
            card.give_back()
        for dock in self._in_tab.values():
            dock.take_back()
        self._in_tab.clear()

    def _fill(self, place: str) -> None:
        name = self._of_card[place]
        if self._shown and not self._docks[name].lent:
            self.cards[place].take(self._docks[name])
            self.cards[place].name_it((CURVES | _MORE_CURVES)[name])

    @Slot(int)
    def _on_tab(self, index: int) -> None:
        name = list(TABS)[index]
        if self._shown and name not in self._in_tab:
            self._in_tab[name] = self._docks[name]
            self._docks[name].lend(self.areas[name])
        self.pages.setCurrentIndex(index)

    # -- what is in front

    def show_panel(self, name: str) -> None:
        """Bring a panel into sight."""
        if name == "setup":
            self.unfold()
        elif name == "offsets":
            self.fold()
        elif name in TABS:
            self.shrink()
            self.tabs.setCurrentIndex(list(TABS).index(name))
        elif name in self._of_card.values() and self.grown.dock is None:
            pass  # it is among the cards
        else:
            self.grow(name)

    def grow(self, name: str) -> None:
        """Give a panel the whole right side."""
        self.shrink()
        for card in self.cards.values():
            if card.dock is self._docks[name]:
                card.give_back()
        self.grown.take(self._docks[name])
        self.grown.name_it((CURVES | _MORE_CURVES).get(name, self._docks[name].windowTitle()))
        self.right.setCurrentWidget(self.grown)

    @Slot()
    def shrink(self) -> None:
        """Back to the samples and the curves."""
        if self.grown.dock is not None:
            focus = QApplication.focusWidget()
            within = focus is not None and self.grown.isAncestorOf(focus)
            self.grown.give_back()
            self.right.setCurrentIndex(0)
            if within:
                self._docks["offsets"].focus()
            for place in self.cards:
                self._fill(place)

    @Slot()
    def unfold(self) -> None:
        """Show the set-up in place of the table."""
        self.setup.take(self._docks["setup"])
        self.setup.name_it("Set-up")
        self.left.setCurrentWidget(self.setup)

    @Slot()
    def fold(self) -> None:
        self.left.setCurrentWidget(self.table)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Esc goes back where the keyboard is, unless what has it has a use for the key."""
        focus, unfolded = QApplication.focusWidget(), self.left.currentWidget() is self.setup
        if event.key() != Qt.Key.Key_Escape:
            super().keyPressEvent(event)
        elif self.grown.dock is not None and not (unfolded and focus is not None and self.setup.isAncestorOf(focus)):
            self.shrink()
        elif unfolded:
            self.fold()
        else:
            event.ignore()

    # -- which curves

    def _remembered(self) -> dict[str, str]:
        """Which panel each card has."""
        found = {place: str(self._settings.value(f"card_{place}", place)) for place in CURVES}
        whole = set(found.values()) <= set(CURVES | _MORE_CURVES) and len(set(found.values())) == len(found)
        return found if whole else {place: place for place in CURVES}

    def _choose(self, place: str, name: str) -> None:
        """Have another panel on a card; if another card has it, they swap."""
        before = self._of_card[place]
        changed = [place, *(other for other, its in self._of_card.items() if its == name)]
        for other in changed:
            self.cards[other].give_back()
            self._of_card[other] = before
        self._of_card[place] = name
        for other in changed:
            self._settings.setValue(f"card_{other}", self._of_card[other])
            self._fill(other)
