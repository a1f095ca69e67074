"""Someone who has never seen the window, and presses everything: clicks, keys, wheels, sizes, by a seed.

Whatever comes up is answered: menus by one of their entries or Escape, questions by one of their buttons, dialogs that
would choose a file by Cancel. The studio is never quit, and no path is typed, so that nothing is written elsewhere.
"""

from __future__ import annotations

import random
from collections import Counter, deque
from collections.abc import Callable

from PySide6.QtCore import QObject, QPoint, QPointF, Qt, QTimer, Signal
from PySide6.QtGui import QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import (
    QAbstractButton,
    QAbstractItemView,
    QAbstractSlider,
    QAbstractSpinBox,
    QApplication,
    QComboBox,
    QDialog,
    QDockWidget,
    QFileDialog,
    QLineEdit,
    QMenu,
    QMessageBox,
    QTabBar,
    QTableView,
    QWidget,
)

from studio.gui.window.main_window import MainWindow

Key = Qt.Key
Modifier = Qt.KeyboardModifier
Button = Qt.MouseButton
_NONE, _CTRL, _SHIFT, _ALT = (
    Modifier.NoModifier, Modifier.ControlModifier, Modifier.ShiftModifier, Modifier.AltModifier,
)  # fmt: skip
_PLAIN_KEYS = (
    Key.Key_Tab, Key.Key_Backtab, Key.Key_Up, Key.Key_Down, Key.Key_Left, Key.Key_Right, Key.Key_Return, Key.Key_Space,
    Key.Key_Escape, Key.Key_Home, Key.Key_End, Key.Key_PageUp, Key.Key_PageDown, Key.Key_Delete, Key.Key_Backspace,
    Key.Key_F2, Key.Key_F5, Key.Key_F6, Key.Key_F7, Key.Key_F8, Key.Key_F9, Key.Key_Menu,
)  # fmt: skip
_CHORDS = (
    (Key.Key_Z, _CTRL), (Key.Key_Z, _CTRL | _SHIFT), (Key.Key_A, _CTRL), (Key.Key_C, _CTRL), (Key.Key_V, _CTRL),
    (Key.Key_E, _CTRL), (Key.Key_S, _CTRL), (Key.Key_O, _CTRL), (Key.Key_S, _CTRL | _SHIFT), (Key.Key_F5, _SHIFT),
    (Key.Key_B, _CTRL | _SHIFT), (Key.Key_Left, _ALT), (Key.Key_Right, _ALT), (Key.Key_End, _ALT), (Key.Key_Home, _ALT),
    (Key.Key_Down, _SHIFT), (Key.Key_F1, _NONE),
)  # fmt: skip
_DIGITS = tuple(Key(Key.Key_0 + digit) for digit in range(10))
_TEXTS = ("0", "7", "1.5", "-2", "30", "1e3", "-0.05", "0,5", "x", "nan", "slant", "2*ink", "where(ink>3,1,0)", "%")
_HANDLES = (
    QAbstractButton, QComboBox, QLineEdit, QAbstractSpinBox, QAbstractSlider, QAbstractItemView, QTabBar,
)  # fmt: skip
_LEFT_ALONE = ("&Quit",)
_REMEMBERED = 40


class Monkey(QObject):
    """Sends one event after the other while the event loop turns.

    Args:
        window: where it plays.
        seed: of all that it does.
    """

    finished = Signal()
    acted = Signal()  # an event has had its effect

    def __init__(self, window: MainWindow, seed: int) -> None:
        super().__init__(window)
        self.window = window
        self.counts: Counter[str] = Counter()
        self.last: deque[str] = deque(maxlen=_REMEMBERED)
        self._chance = random.Random(seed)
        self._left = 0
        self._acting = False
        self._kinds: dict[Callable[[], None], int] = {
            self._click_anywhere: 20,
            self._click_something: 30,
            self._open_menu: 4,
            self._press_key: 20,
            self._press_chord: 6,
            self._go_to_panel: 8,
            self._type: 10,
            self._enter: 10,
            self._turn_wheel: 5,
            self._drag: 3,
            self._resize: 2,
        }

    @property
    def sent(self) -> int:
        return self.counts.total()

    def play(self, events: int) -> None:
        """Send so many; `finished` comes after the last."""
        self._left = events
        self._next()

    def _next(self) -> None:
        # A timer of its own for each event: one does not fire again while what it began waits in a loop of its own.
        QTimer.singleShot(1, self, self._tick)

    def close_all(self) -> None:
        """Close whatever has come up over the window."""
        popup = QApplication.activePopupWidget()
        if popup is not None:
            popup.close()
        for widget in QApplication.topLevelWidgets():
            if widget.isVisible() and widget is not self.window and isinstance(widget, QDialog):
                widget.reject()
            elif widget.isVisible() and widget.objectName() == "compare_window":
                widget.close()

    def _tick(self) -> None:
        popup, dialog = QApplication.activePopupWidget(), QApplication.activeModalWidget()
        if self._left <= 0:
            self.close_all()
            if not self._acting:
                self.finished.emit()
                return
        self._next()
        if self._left > 0 and (popup is not None or dialog is not None):
            # Also while an act waits for just this: a question is answered inside the click that raised it.
            self._left -= 1
            self._answer(popup, dialog)
            self.acted.emit()
            return
        if self._acting or self._left <= 0:
            return
        self._left -= 1
        self._acting = True
        try:
            (act,) = self._chance.choices(list(self._kinds), list(self._kinds.values()))
            act()
        finally:
            self._acting = False
        self.acted.emit()

    def _note(self, kind: str, what: object) -> None:
        self.counts[kind] += 1
        self.last.append(f"{kind}: {what}")

    # -- what comes up

    def _answer(self, popup: QWidget | None, dialog: QWidget | None) -> None:
        if isinstance(popup, QMenu) and popup.objectName() == "qt_edit_menu" and not popup.isEnabled():
            self._note("dead menu closed", popup.title())  # Qt's own of a field that was switched off: deaf to keys
            popup.close()
        elif isinstance(popup, QMenu):
            self._choose(popup)
        elif popup is not None:
            key = self._chance.choice((Key.Key_Escape, Key.Key_Return, Key.Key_Down, Key.Key_Up, Key.Key_End))
            self._note("key in a list", key.name)
            _key_in(popup, key)
            if key is Key.Key_Escape and popup.isVisible():
                popup.close()
        elif isinstance(dialog, QFileDialog):
            self._note("file dialog cancelled", dialog.windowTitle())
            dialog.reject()
        elif isinstance(dialog, QMessageBox):
            button = self._chance.choice(dialog.buttons())
            self._note("question answered", f"{dialog.text()}: {button.text()}")
            button.click()
        elif dialog is not None:
            self._play_in(dialog)

    def _choose(self, menu: QMenu) -> None:
        actions = [
            each for each in menu.actions()
            if each.isEnabled() and each.isVisible() and not each.isSeparator() and each.text() not in _LEFT_ALONE
        ]  # fmt: skip
        if not actions or self._chance.random() < 0.3:
            self._note("menu closed", menu.title())
            _key_in(menu, Key.Key_Escape)
            return
        action = self._chance.choice(actions)
        self._note("menu", action.text())
        menu.setActiveAction(action)
        _key_in(menu, Key.Key_Return)

    def _play_in(self, dialog: QWidget) -> None:
        """Something in a dialog of the studio's own, or its end."""
        if self._chance.random() < 0.2:
            self._note("dialog closed", dialog.windowTitle())
            dialog.close()
            return
        widgets = [each for each in dialog.findChildren(QWidget) if each.isVisible() and each.isEnabled()]
        if widgets:
            widget = self._chance.choice(widgets)
            self._note("click in a dialog", _name(widget))
            QTest.mouseClick(widget, Button.LeftButton, _NONE, self._place_in(widget))

    # -- the mouse

    def _click_anywhere(self) -> None:
        place = self._place_in(self.window)
        widget = self.window.childAt(place) or self.window
        self._click(widget, widget.mapFrom(self.window, place))

    def _click_something(self) -> None:
        widget = self._something()
        if widget is not None:
            target = widget.viewport() if isinstance(widget, QAbstractItemView) else widget
            self._click(target, self._place_in(target))

    def _open_menu(self) -> None:
        bar = self.window.menuBar()
        action = self._chance.choice(bar.actions())
        self._note("menu opened", action.text())
        QTest.mouseClick(bar, Button.LeftButton, _NONE, bar.actionGeometry(action).center())

    def _click(self, widget: QWidget, place: QPoint) -> None:
        """Through the window system, so that menus of the right button come up as they do for a person."""
        top = QWidget.window(widget)  # a plot has another `window`
        window = top.windowHandle()
        if window is None or not widget.isVisible():
            return
        right = 0.3 if isinstance(widget.parent(), QAbstractItemView) else 0.1
        button = Button.RightButton if self._chance.random() < right else Button.LeftButton
        modifier = self._chance.choices((_NONE, _SHIFT, _CTRL), (18, 1, 1))[0]
        there = widget.mapTo(top, place)
        if not top.rect().contains(there):
            return
        double = self._chance.random() < 0.06
        self._note("double click" if double else "click", _name(widget))
        (QTest.mouseDClick if double else QTest.mouseClick)(window, button, modifier, there)

    def _drag(self) -> None:
        widget = self._something() or self.window
        start, end = self._place_in(widget), self._place_in(widget)
        self._note("drag", _name(widget))
        QTest.mousePress(widget, Button.LeftButton, _NONE, start)
        for place in (QPoint((start + end) / 2), end):
            QTest.mouseMove(widget, place)
        QTest.mouseRelease(widget, Button.LeftButton, _NONE, end)

    def _turn_wheel(self) -> None:
        place = self._place_in(self.window)
        widget = self.window.childAt(place)
        if widget is None:
            return
        self._note("wheel", _name(widget))
        here, turns = QPointF(widget.mapFrom(self.window, place)), self._chance.choice((-360, -120, 120, 360))
        modifier = self._chance.choice((_NONE, _NONE, _CTRL, _SHIFT))
        there = QPointF(self.window.mapToGlobal(place))
        phase = Qt.ScrollPhase.NoScrollPhase
        event = QWheelEvent(here, there, QPoint(), QPoint(0, turns), Button.NoButton, modifier, phase, False)
        QApplication.sendEvent(widget, event)

    def _resize(self) -> None:
        width, height = self._chance.randrange(700, 1700), self._chance.randrange(500, 1100)
        self._note("resize", (width, height))
        self.window.resize(width, height)

    # -- the keyboard

    def _press_key(self) -> None:
        self._press(self._chance.choice(_PLAIN_KEYS), self._chance.choices((_NONE, _SHIFT), (9, 1))[0])

    def _press_chord(self) -> None:
        self._press(*self._chance.choice(_CHORDS))

    def _go_to_panel(self) -> None:
        held = _ALT | _CTRL if self._chance.random() < 0.45 else _ALT
        self._press(self._chance.choice(_DIGITS), held)

    def _type(self) -> None:
        text = self._chance.choice(_TEXTS)
        self._note("typing", f"{text!r} into {_name(self._focus())}")
        for letter in text:  # each may take the keyboard elsewhere
            target = self._focus()
            if target.objectName() != "path":
                QTest.keyClicks(target, letter)

    def _enter(self) -> None:
        """A whole number or text in place of what stands in a field or a cell, then Enter."""
        widget = self._something((QLineEdit, QAbstractSpinBox, QTableView))
        if widget is None or widget.objectName() == "path":
            return
        text = self._chance.choice(_TEXTS)
        self._note("entry", f"{text!r} into {_name(widget)}")
        if isinstance(widget, QTableView):
            model = widget.model()
            place = (
                self._chance.randrange(max(1, model.rowCount())),
                self._chance.randrange(max(1, model.columnCount())),
            )
            widget.setCurrentIndex(model.index(*place))
            widget.setFocus()
        else:
            widget.setFocus()
            QTest.keyClick(widget, Key.Key_A, _CTRL)
        for letter in text:
            QTest.keyClicks(self._focus(), letter)
        QTest.keyClick(self._focus(), Key.Key_Return)

    def _press(self, key: Key, modifier: Modifier) -> None:
        target = self._focus()
        pastes = key is Key.Key_V and isinstance(target, QLineEdit)
        if target.objectName() != "path" and not pastes:
            self._note("key", f"{modifier.name} {key.name} at {_name(target)}")
            QTest.keyClick(target, key, modifier)

    # -- where

    def _focus(self) -> QWidget:
        """What keys go to. Without a display the list of a box that was closed may keep the keyboard: not that."""
        for found in (QApplication.focusWidget(), self.window.focusWidget()):
            if found is not None and found.isEnabled() and found.isVisible():
                return found
        return self.window

    def _place_in(self, widget: QWidget) -> QPoint:
        return QPoint(self._chance.randrange(max(1, widget.width())), self._chance.randrange(max(1, widget.height())))

    def _something(self, kinds: tuple[type[QWidget], ...] = _HANDLES) -> QWidget | None:
        """A control that can be seen: of a panel, of the bars, or of another window."""
        others = [each for each in QApplication.topLevelWidgets() if each.isVisible() and not each.isModal()]
        part: QWidget = self.window
        if len(others) > 1 and self._chance.random() < 0.2:
            part = self._chance.choice(others)
        elif self._chance.random() < 0.8:
            part = self._chance.choice([each for each in self.window.docks.values() if _seen(each)] or [self.window])
        found = [each for each in part.findChildren(QWidget) if isinstance(each, kinds)]
        found = [each for each in found if each.isEnabled() and _seen(each)]
        if not found:
            return None
        return self._chance.choice(found)


def _key_in(popup: QWidget, key: Key) -> None:
    """Through the window system: what a key chooses may switch off its own list, which then refuses the release."""
    QTest.keyClick(popup.windowHandle(), key)


def _seen(widget: QWidget) -> bool:
    return widget.isVisible() and not widget.visibleRegion().isEmpty()


def _name(widget: QWidget) -> str:
    """Which widget it is, for a person who reads what happened."""
    parent: QWidget | None = widget
    while parent is not None and not isinstance(parent, QDockWidget):
        parent = parent.parentWidget()
    where = parent.objectName() if parent is not None else "window"
    own = widget.objectName() or (widget.text() if isinstance(widget, QAbstractButton) else "")
    return f"{type(widget).__name__} {own!r} in {where}"
