"""The bar of the time cursor: which run is shown, a slider over its steps with its marks, and ways to jump."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRect, Qt, Signal, Slot
from PySide6.QtGui import QAction, QColor, QHelpEvent, QKeySequence, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import (
    QSizePolicy,
    QSlider,
    QSpinBox,
    QStyle,
    QStyleOptionSlider,
    QToolButton,
    QToolTip,
    QWidget,
)

from studio.gui.run.run_starter import RunStarter
from studio.gui.state.history import TimeView
from studio.gui.timeline.time_cursor import TimeCursor
from studio.gui.widgets.buttons import icon_button, toggle_button
from studio.gui.widgets.labels import Elided
from studio.gui.widgets.layouts import row_of
from studio.gui.widgets.theme import ThemeManager, Tokens
from studio.gui.widgets.tooltip import named, tooltip
from studio.training.messages.marks import Mark, MarkKind

_EMPTY = "No run is shown"
_TIP = (
    "The step that samples, weights, shares and curves show. A click goes there, arrows and Page keys move it, Home "
    "and End jump; lines mark edits, resumes and warnings."
)
_LEAVE = "Leave this old run: back to the run that trains, or to the set-up."
_MOST = 2**31 - 1
_NEAR = 4  # pixels within which a mark is under the mouse


class TimeBar(QWidget):
    """Shows the time cursor and moves it."""

    def __init__(
        self, time: TimeCursor, starter: RunStarter, theme: ThemeManager, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setObjectName("time_bar")
        self._time, self._starter = time, starter
        self._shown, self._at_end = TimeView(), True
        self.title = Elided("time_title")
        self.title.setMinimumWidth(120)
        tip = "Go to the mark before the cursor."
        self.back = icon_button(theme, "mark_back", "time_back", "Mark before", tip, lambda: time.to_mark(-1))
        tip = "Go to the next mark after the cursor."
        self.next = icon_button(theme, "mark_next", "time_next", "Next mark", tip, lambda: time.to_mark(1))
        self.slider = MarkedSlider(theme)
        self.slider.moved_to.connect(self._time.seek)
        self.step = self._step_field()
        tip = "Show the newest step, and keep up with the run while it is under way."
        self.follow = toggle_button("time_follow", "Follow", tip)
        self.follow.clicked.connect(self._time.follow)
        parts = ((self.title, 1), self.back, (self.slider, 3), self.next, self.step, self.follow)
        air = theme.tokens.spacing
        row_of(*parts, inside=self, margins=(air, 0, air, 0), spacing=air // 2)
        self.jumps = {
            "back": self._jump("Go to the mark &before", "Alt+Left", self.back),
            "next": self._jump("Go to the next &mark", "Alt+Right", self.next),
            "follow": self._jump("&Follow the newest step", "Alt+End", self.follow),
            "leave": self._action("&Leave the old run", "Alt+Home", _LEAVE),
        }
        self.jumps["leave"].triggered.connect(self._time.leave)  # whose button is beside the run's name
        self._time.changed.connect(self._show)
        starter.changed.connect(self._refresh)
        self._show(self._time.view)

    def _jump(self, title: str, keys: str, button: QToolButton) -> QAction:
        """What a button does, for a menu and the keyboard."""
        action = self._action(title, keys, button.toolTip())
        action.triggered.connect(button.click)
        button.setToolTip(tooltip(f"{button.accessibleDescription()} ({keys})"))
        return action

    def _action(self, title: str, keys: str, tip: str) -> QAction:
        action = QAction(title, self)
        action.setShortcut(QKeySequence(keys))
        action.setToolTip(tip)
        return action

    def _step_field(self) -> QSpinBox:
        tip = "The step that all panels show; type another to go there."
        field = named(QSpinBox(prefix="step "), "time_step", "Step at the cursor", tip)
        field.setKeyboardTracking(False)
        field.setGroupSeparatorShown(True)
        field.setMinimumWidth(field.fontMetrics().horizontalAdvance("step 00,000,000") + 28)
        field.valueChanged.connect(self._time.seek)
        return field

    @Slot()
    def _refresh(self) -> None:
        self._show(self._time.view)

    @Slot(object)
    def _show(self, view: TimeView) -> None:
        there = bool(view.title)
        text = view.title if there else _EMPTY if self._starter.blocked else f"{_EMPTY}: press Start"
        if text != self.title.text() or view.live != self._shown.live:
            self.title.show_text(text if view.live or not there else f"Looking at {text}", "" if there else "muted")
        was_at_end, self._at_end = self._at_end, view.following or (not view.live and view.step >= view.last)
        grows = self._at_end and was_at_end and view.title == self._shown.title
        self._shown = view
        self.slider.show_view(view)
        self.step.blockSignals(True)
        self.step.setRange(0, min(view.last, _MOST))
        if not (self.step.hasFocus() and grows):  # a step may be being typed
            self.step.setValue(min(view.step, _MOST))
        self.step.blockSignals(False)
        self.follow.setChecked(there and self._at_end)
        steps = [mark.step for mark in view.marks]
        self.back.setEnabled(any(step < view.step for step in steps))
        self.next.setEnabled(any(step > view.step for step in steps))
        for widget in (self.slider, self.step, self.follow):
            widget.setEnabled(there)
        possible = (self.back.isEnabled(), self.next.isEnabled(), there, not view.live)
        for action, can in zip(self.jumps.values(), possible, strict=True):
            action.setEnabled(can)


class MarkedSlider(QSlider):
    """A slider over steps that shows marks as lines in the colour of their kind."""

    moved_to = Signal(int)  # the person moved it to this step

    def __init__(self, theme: ThemeManager) -> None:
        super().__init__(Qt.Orientation.Horizontal)
        named(self, "time_slider", "Time cursor", _TIP)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumSize(160, 22)
        self.marks: tuple[Mark, ...] = ()
        self._tokens = theme.tokens
        theme.changed.connect(self._restyle)
        self.valueChanged.connect(self.moved_to)

    def show_view(self, view: TimeView) -> None:
        """Show where the cursor is; moves nothing."""
        last = min(view.last, _MOST)
        self.blockSignals(True)
        self.setRange(0, max(1, last))
        self.setSingleStep(max(1, last // 200))
        self.setPageStep(max(1, last // 20))
        if not self.isSliderDown():
            self.setValue(min(view.step, _MOST))
        self.blockSignals(False)
        if view.marks != self.marks:
            self.marks = view.marks
            self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The marks behind the handle."""
        painter = QPainter(self)
        for mark in self.marks:
            painter.setPen(QPen(QColor(self._colour(mark.kind)), 2))
            x = self._place(mark.step)
            painter.drawLine(QPointF(x, 1), QPointF(x, self.height() - 1))
        painter.end()
        super().paintEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """A click beside the handle brings it there, from where it can be dragged on."""
        place = event.position().toPoint()
        if event.button() is Qt.MouseButton.LeftButton and not self._handle().contains(place):
            room = self._handle().width()
            left = place.x() - room // 2
            self.setValue(QStyle.sliderValueFromPosition(0, self.maximum(), left, self.width() - room))
        if self._handle().contains(place):  # few steps lie far apart; Qt would take the handle a page on
            super().mousePressEvent(event)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            near = [mark for mark in self.marks if abs(self._place(mark.step) - event.pos().x()) <= _NEAR]
            if near:
                text = "\n".join(f"Step {mark.step:,}: {mark.text}" for mark in near[-8:])
                QToolTip.showText(event.globalPos(), tooltip(text), self)
                return True
        return super().event(event)

    def _colour(self, kind: MarkKind) -> str:
        return self._tokens.warning if kind is MarkKind.WARNING else self._tokens.accent

    def _place(self, step: int) -> float:
        """Where a step is, in pixels."""
        handle = self._handle().width()
        return handle / 2 + (self.width() - handle) * step / max(1, self.maximum())

    def _handle(self) -> QRect:
        option = QStyleOptionSlider()
        self.initStyleOption(option)
        parts = QStyle.ComplexControl.CC_Slider, option, QStyle.SubControl.SC_SliderHandle
        return self.style().subControlRect(*parts, self)

    def _restyle(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self.update()
