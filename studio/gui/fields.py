"""Editors of one setting each: numbers, choices, switches, texts, paths. They know a field's bounds, not its form.

The wheel turns only the editor that has the focus, so that scrolling a panel changes nothing.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import (
    QAbstractSpinBox,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QHBoxLayout,
    QLineEdit,
    QPushButton,
    QSizePolicy,
    QWidget,
)

from studio.gui.number_entry import NotANumber, parse_number

_NARROWEST = 8
"""Characters that an editor shows at least."""


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


class Field:
    """What a form asks of an editor. A mix-in: each is also a QWidget with the signals below."""

    edited: Any  # Signal(): the person changed it
    finished: Any  # Signal(): the person is done with it

    def raw(self) -> Any:
        """What stands there, for pydantic to judge; the text itself where it is no number."""
        raise NotImplementedError

    def fault(self) -> str:
        """What keeps the editor from reading what stands there; empty if nothing does."""
        return ""

    def show_value(self, value: Any) -> None:
        """Show a value; an editor that shows it already keeps its text and cursor."""
        raise NotImplementedError


class NumberField(QAbstractSpinBox, Field):
    """A whole or real number with its unit; takes any spelling of it and keeps what it cannot read."""

    edited = Signal()
    finished = Signal()

    def __init__(self, style: NumberStyle, bounds: Range, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._style = style
        self._bounds = bounds
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMinimumWidth(self.fontMetrics().horizontalAdvance("0" * _NARROWEST) + 28)
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
        """What was typed, without the unit."""
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


class ChoiceField(QComboBox, Field):
    """One of a few values, each with a readable title."""

    edited = Signal()
    finished = Signal()

    def __init__(self, choices: list[tuple[Any, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(_NARROWEST)
        for value, title in choices:
            self.addItem(title, value)
        self.activated.connect(self._chosen)

    def raw(self) -> Any:
        return self.currentData()

    def show_value(self, value: Any) -> None:
        for place in range(self.count()):
            if self.itemData(place) == value:
                self.setCurrentIndex(place)
                return

    @Slot()
    def _chosen(self) -> None:
        self.edited.emit()
        self.finished.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class SwitchField(QCheckBox, Field):
    """On or off."""

    edited = Signal()
    finished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.clicked.connect(self._switched)

    def raw(self) -> bool:
        return self.isChecked()

    def show_value(self, value: Any) -> None:
        self.setChecked(bool(value))

    @Slot()
    def _switched(self) -> None:
        self.edited.emit()
        self.finished.emit()


class TextField(QLineEdit, Field):
    """A line of text."""

    edited = Signal()
    finished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.textEdited.connect(self.edited)
        self.editingFinished.connect(self.finished)

    def raw(self) -> str:
        return self.text()

    def show_value(self, value: Any) -> None:
        if self.text() != value:
            self.setText(str(value))


class PathField(QWidget, Field):
    """A file or folder, typed or browsed for; a path is given on only when it is complete."""

    edited = Signal()
    finished = Signal()

    def __init__(self, *, folder: bool, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folder = folder
        self._title = title
        self.line = TextField()
        self.line.setObjectName("path")
        self.line.setAccessibleName(title)
        self.browse = QPushButton("Browse…")
        self.browse.setObjectName("browse")
        self.browse.setAccessibleName(f"Browse for {title}")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.line, 1)
        row.addWidget(self.browse)
        self.setFocusProxy(self.line)
        self.line.finished.connect(self._done)
        self.browse.clicked.connect(self._browse)
        self._given = ""

    def raw(self) -> str:
        return self.line.text()

    def show_value(self, value: Any) -> None:
        self._given = str(value)
        self.line.show_value(self._given)

    @Slot()
    def _done(self) -> None:
        if self.line.text() != self._given:
            self._given = self.line.text()
            self.edited.emit()
        self.finished.emit()

    @Slot()
    def _browse(self) -> None:
        if self._folder:
            chosen = QFileDialog.getExistingDirectory(self, self._title, self.line.text())
        else:
            chosen, _ = QFileDialog.getOpenFileName(self, self._title, self.line.text())
        if chosen:
            self.line.setText(chosen)
            self._done()
