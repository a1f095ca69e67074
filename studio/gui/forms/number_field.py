"""The editor of a number: steps, unit, bounds, and any spelling of it."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QAbstractSpinBox, QSizePolicy, QWidget

from studio.gui.forms.fields import NARROWEST, Field
from studio.gui.widgets.number_entry import NotANumber, parse_number


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """Numbers that a field takes; the ends are included unless they are marked open."""

    lowest: float = -math.inf
    highest: float = math.inf
    open_below: bool = False
    open_above: bool = False

    def __contains__(self, value: float) -> bool:
        above = value > self.lowest if self.open_below else value >= self.lowest
        below = value < self.highest if self.open_above else value <= self.highest
        return above and below


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberStyle:
    """How a number is stepped and shown.

    Attributes:
        integer: whole numbers only.
        step: what one step adds, or with `log` the factor; 0 leaves it to the editor.
        log: steps multiply.
        unit: shown behind the number.
    """

    integer: bool = False
    step: float = 0.0
    log: bool = False
    unit: str = ""


class NumberField(QAbstractSpinBox, Field):
    """A whole or real number with its unit; takes any spelling of it and keeps what it cannot read."""

    edited = Signal()
    finished = Signal()

    def __init__(self, style: NumberStyle, bounds: Range, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._style, self._bounds = style, bounds
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(self.fontMetrics().horizontalAdvance("0" * NARROWEST) + 28)
        self.lineEdit().textEdited.connect(self.edited)
        self.editingFinished.connect(self._finish)

    def raw(self) -> Any:
        try:
            value = parse_number(self._bare_text())
        except NotANumber:
            return self._bare_text()
        return int(value) if self._style.integer and value.is_integer() else value

    def fault(self) -> str:
        try:
            parse_number(self._bare_text())
        except NotANumber as error:
            return f"{error}."
        return ""

    def _bare_text(self) -> str:
        text, unit = self.lineEdit().text().strip(), self._style.unit
        return text.removesuffix(unit).removesuffix(_singular(unit)).strip()

    def show_value(self, value: Any) -> None:
        if self.raw() != value:
            self.lineEdit().setText(self._text(float(value)))

    def _text(self, value: float) -> str:
        return with_unit(value, self._style)

    @Slot()
    def _finish(self) -> None:
        if not self.fault():
            self.lineEdit().setText(self._text(float(self.raw())))
        self.finished.emit()

    def stepBy(self, steps: int) -> None:
        value = self.raw()
        if isinstance(value, str):
            return
        for _ in range(abs(steps)):
            value = self._stepped(float(value), 1 if steps > 0 else -1)
        self.lineEdit().setText(self._text(value))
        self.edited.emit()
        self.finished.emit()

    def _stepped(self, value: float, direction: int) -> float:
        style, bounds = self._style, self._bounds
        if style.log:
            moved = _times(value, direction, style.step, bounds)
        else:
            moved = round(value + direction * (style.step or (1.0 if style.integer else 0.1)), 9)
        if moved in bounds:
            return moved
        end = bounds.highest if direction > 0 else bounds.lowest
        return end if end in bounds and math.isfinite(end) else value

    def stepEnabled(self) -> QAbstractSpinBox.StepEnabledFlag:
        value = self.raw()
        none = QAbstractSpinBox.StepEnabledFlag.StepNone
        if isinstance(value, str):
            return none
        up = QAbstractSpinBox.StepEnabledFlag.StepUpEnabled if value < self._bounds.highest else none
        down = QAbstractSpinBox.StepEnabledFlag.StepDownEnabled if value > self._bounds.lowest else none
        return up | down

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


def with_unit(value: float, style: NumberStyle) -> str:
    """A number as its editor shows it, with its unit."""
    return f"{shown(value, style)} {_singular(style.unit) if value == 1 else style.unit}".rstrip()


def _singular(unit: str) -> str:
    """“step” for “steps”; abbreviations such as “s” and “px” stay."""
    return unit.removesuffix("s") if len(unit) > 3 else unit


def shown(value: float, style: NumberStyle) -> str:
    """A number as its editor shows it; what spans decades is written 1e-3 below a hundredth."""
    text = f"{value:.10g}"
    small_or_large = value != 0 and (abs(value) < 0.01 or abs(value) >= 1e5)
    if style.log and "e" not in text and small_or_large:
        mantissa, exponent = f"{value:.9e}".split("e")
        text = f"{mantissa.rstrip('0').rstrip('.')}e{exponent}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        return f"{mantissa}e{int(exponent)}"
    return text


def _times(value: float, direction: int, factor: float, bounds: Range) -> float:
    """One step along 1, 2, 5, 10, … or by a factor; 0 is left for a millionth."""
    if value <= 0:
        return 1e-6 if direction > 0 else value
    if factor > 1:
        return float(f"{value * factor**direction:.6g}")
    exponent = math.floor(math.log10(value) + 1e-9)
    ladder = [float(f"{mantissa}e{exponent + shift}") for shift in (-1, 0, 1) for mantissa in (1, 2, 5)]
    if direction > 0:
        return next(rung for rung in ladder if rung > value * (1 + 1e-9))
    if value <= 1e-6 and 0.0 in bounds:
        return 0.0
    return next(rung for rung in reversed(ladder) if rung < value * (1 - 1e-9))
