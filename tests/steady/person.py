"""Someone who works with the window for hours: one click or a few keys at a time, always the same round."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QLineEdit,
    QSlider,
    QTableView,
    QToolButton,
    QWidget,
)

from studio.gui.target.offsets.columns import Column
from studio.gui.widgets.theme import ThemeMode
from studio.gui.window.main_window import MainWindow

Key = Qt.Key
Modifier = Qt.KeyboardModifier
_MOST_TERMS = 3
_PANEL_KEYS = [(held, digit) for held in ("alt", "ctrl") for digit in range(10)]
_CHOICES = ("diagnostics_choice", "energy_histogram", "theory_observable", "log_filter", "losses_view")


class Person:
    """Edits, looks around, asks for samples, evaluations and comparisons.

    Args:
        window: where.
        seed: of what is typed.
    """

    def __init__(self, window: MainWindow, seed: int = 0) -> None:
        self.window, self.bench = window, window.controls
        self.done = 0
        self._chance = random.Random(seed)
        self._panel = 0
        often = [self.look_on, self.tilt, self.look_on, self.share, self.look_on, self.undo, self.look_on, self.redo]
        often += [self.look_on, self.choose, self.look_on, self.sample, self.look_on, self.term, self.pick_term]
        often += [self.look_on, self.slope, self.look_on, self.back_in_time, self.look_on, self.follow, self.resize]
        seldom = [self.evaluate, self.compare, self.call_off, self.look, self.pause, self.step, self.step, self.pause]
        self._round: list[Callable[[], None]] = [*often, *seldom[:3], *often, *seldom[3:]]

    def act(self) -> None:
        """Do the next thing; what is in the way, such as a message, is closed first."""
        popup, dialog = QApplication.activePopupWidget(), QApplication.activeModalWidget()
        act = self._round[self.done % len(self._round)]
        if dialog is not None:
            dialog.close()
        elif popup is not None and act.__func__ is not Person.pick_term:  # type: ignore[attr-defined]
            popup.close()
        self.done += 1
        act()

    # -- the round

    def look_on(self) -> None:
        """Go to the next panel with its keys."""
        names = list(self.window.docks)
        self._go_to(names[self._panel % len(names)])
        self._panel += 1

    def tilt(self) -> None:
        self._enter(Column.OFFSET, f"{self._chance.uniform(-1.5, 1.5):.2f}")

    def share(self) -> None:
        self._enter(Column.TARGET, f"{self._chance.uniform(5, 30):.1f}")

    def undo(self) -> None:
        self._key(Key.Key_Z, Modifier.ControlModifier)

    def redo(self) -> None:
        self._key(Key.Key_Z, Modifier.ControlModifier | Modifier.ShiftModifier)

    def sample(self) -> None:
        self._key(Key.Key_F9)

    def choose(self) -> None:
        """Turn one of the boxes that choose what a panel shows."""
        combo = self.window.findChild(QComboBox, self._chance.choice(_CHOICES))
        if combo is not None and combo.isVisible():
            combo.setFocus()
            QTest.keyClick(combo, self._chance.choice((Key.Key_Up, Key.Key_Down)))

    def term(self) -> None:
        """Open the menu of terms, or take a term away when there are enough."""
        self._go_to("energy")
        rows = self._panel_of("energy").rows
        if len(rows) >= _MOST_TERMS:
            self._click(rows[-1].findChild(QAbstractButton, "term_remove"))
        else:
            self._click(self._find(QAbstractButton, "energy_add"))

    def pick_term(self) -> None:
        """Choose the first kind of term, and a feature."""
        for key in (Key.Key_Down, Key.Key_Right, *[Key.Key_Down] * self._chance.randrange(4), Key.Key_Return):
            popup = QApplication.activePopupWidget()
            if popup is not None:
                QTest.keyClick(popup.windowHandle(), key)

    def slope(self) -> None:
        """Type another slope of the first term."""
        rows = self._panel_of("energy").rows
        self._go_to("energy")
        field = rows[0].findChild(QLineEdit, "term_slope") if rows else None
        if field is not None and field.isVisible():
            field.setFocus()
            field.selectAll()
            QTest.keyClicks(field, f"{self._chance.uniform(-0.05, 0.05):.3f}")
            QTest.keyClick(field, Key.Key_Return)

    def back_in_time(self) -> None:
        slider = self._find(QSlider, "time_slider")
        if slider.isEnabled():
            slider.setFocus()
            QTest.keyClick(slider, Key.Key_PageDown if self._chance.random() < 0.7 else Key.Key_Home)

    def follow(self) -> None:
        self._key(Key.Key_End, Modifier.AltModifier)

    def resize(self) -> None:
        """Drag the window's corner."""
        self.window.resize(self._chance.randrange(1100, 1400), self._chance.randrange(740, 900))

    def look(self) -> None:
        self.window.theme.set_mode(self._chance.choice((ThemeMode.LIGHT, ThemeMode.DARK)))

    def evaluate(self) -> None:
        self._key(Key.Key_E, Modifier.ControlModifier)

    def compare(self) -> None:
        self._go_to("planners")
        self._click(self._find(QAbstractButton, "planners_compare"))

    def call_off(self) -> None:
        self._click(self._find(QAbstractButton, "planners_cancel"))

    def pause(self) -> None:
        """Pause, or go on."""
        self._press("pause")

    def step(self) -> None:
        self._press("step")

    # -- hands

    def _find(self, kind: type[Any], name: str) -> Any:
        found = self.window.findChild(kind, name)
        assert found is not None, name
        return found

    def _panel_of(self, name: str) -> Any:
        return self.window.docks[name].widget()

    def _go_to(self, name: str) -> None:
        held, digit = _PANEL_KEYS[list(self.window.docks).index(name)]
        modifier = Modifier.AltModifier
        if held == "ctrl":
            modifier |= Modifier.ControlModifier
        self._key(Key(Key.Key_0 + (digit + 1) % 10), modifier)

    def _key(self, key: Key, modifier: Modifier = Modifier.NoModifier) -> None:
        QTest.keyClick(QApplication.focusWidget() or self.window, key, modifier)

    def _click(self, widget: QWidget | None) -> None:
        if widget is not None and widget.isVisible() and widget.isEnabled():
            QTest.mouseClick(widget, Qt.MouseButton.LeftButton)

    def _press(self, control: str) -> None:
        self._click(self._find(QToolButton, f"run_{control}_button"))

    def _enter(self, column: Column, text: str) -> None:
        """Click a cell of the offsets table and type into it."""
        self._go_to("offsets")
        table = self._find(QTableView, "offsets_table")
        index = table.model().index(self._chance.randrange(table.model().rowCount()), column)
        table.scrollTo(index)
        QTest.mouseClick(
            table.viewport(), Qt.MouseButton.LeftButton, Modifier.NoModifier, table.visualRect(index).center()
        )
        QTest.keyClicks(table, text[0])
        for editor in table.findChildren(QLineEdit, "cell_editor"):
            if editor.isVisible():
                QTest.keyClicks(editor, text[1:])
                QTest.keyClick(editor, Key.Key_Return)
                return
