"""Bars of class shares: data grey, generated filled in the class's colour with its interval, target outlined."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QHelpEvent, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from studio.evaluation.evaluation import Evaluation
from studio.evaluation.record import with_unsure
from studio.gui.plots.axis import number_label
from studio.gui.widgets.theme import Tokens, outline_pens
from studio.gui.widgets.tooltip import KeyHelp, set_help, tooltip
from studio.number_text import percent

_LEAST_ROOM = 20
"""Pixels of width for each class."""

_LEAST = 4
"""Pixels of height of the smallest share that is not 0."""

_TOP, _LEFT = 8, 46
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_NICE = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """What to draw; arrays of shape (K,).

    Attributes:
        names: of the classes, "unsure" last.
        data, target, generated, low, high: shares in 0…1.
        of_all: least and greatest share of each class among all samples, "unsure" among them, shape (K − 1, 2) or none.
    """

    names: tuple[str, ...]
    data: NDArray[np.float64]
    target: NDArray[np.float64]
    generated: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    of_all: NDArray[np.float64]

    @classmethod
    def of(cls, found: Evaluation, *, raw: bool = False) -> Bars:
        """Of an evaluation, corrected for what the judge confuses unless they are to be raw."""
        shares, (least, most) = found.shares, found.bounds
        return cls(
            names=with_unsure(found.class_names),
            data=found.data,
            target=found.target,
            generated=shares.raw if raw else shares.corrected,
            low=shares.raw_low if raw else shares.low,
            high=shares.raw_high if raw else shares.high,
            of_all=np.empty((0, 2)) if raw else np.stack([least, most], axis=1),
        )

    @property
    def scale(self) -> float:
        """A share that all of it is below."""
        return max(0.05, 1.05 * max(float(np.max(values)) for values in (self.data, self.target, self.high)))

    def describe(self, index: int) -> str:
        shares = (self.data, self.target, self.generated, self.low, self.high)
        data, target, generated, low, high = (percent(float(each[index])) for each in shares)
        return (
            f"“{self.names[index]}”: data {data}, target {target}, generated {generated}; "
            f"95 % interval {low} … {high}.{self._bounds(index)}"
        )

    def _bounds(self, index: int) -> str:
        """What it comes to where the unsure may be anything."""
        if not len(self.of_all):
            return ""
        if index == len(self.of_all):
            return " That is of all samples; the classes are among the others."
        least, most = (percent(float(each)) for each in self.of_all[index])
        return f" Of all samples, the unsure among them, {least} … {most}."


class SharesBars(QWidget):
    """A group of bars per class; a click or the arrow keys choose one.

    Attributes:
        scale: the share at the top, at least; that of others that it is compared with.
    """

    KEYS = KeyHelp("In the bars of shares", (("Choose a class", "Left and Right, Home, End"),))

    chosen = Signal(int)

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self.setObjectName("shares_bars")
        set_help(self, "Class shares", "Data, target and generated share of each class; arrows show samples of one.")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.tokens = tokens
        self.bars: Bars | None = None
        self.current = -1
        self.scale = 0.0

    def show_bars(self, bars: Bars) -> None:
        self.bars = bars
        self.current = min(self.current, len(bars.names) - 1)
        self.setMinimumSize(self.minimumSizeHint())
        self.setAccessibleDescription(" ".join(bars.describe(index) for index in range(len(bars.names))))
        self.update()

    def choose(self, index: int) -> None:
        self.current = index
        self.update()
        self.chosen.emit(index)

    def minimumSizeHint(self) -> QSize:
        number = len(self.bars.names) if self.bars is not None else 1
        return QSize(_LEFT + (number - 1) * _LEAST_ROOM + self._last_room(_LEAST_ROOM), 60)

    def sizeHint(self) -> QSize:
        return self.minimumSizeHint()

    # -- geometry

    def _room(self) -> float:
        """Width of each class but the last."""
        assert self.bars is not None
        number, width = len(self.bars.names), self.width() - _LEFT
        last = self._last_room(int(width / number))
        return (width - last) / (number - 1)

    def _last_room(self, least: int) -> int:
        """Width of the last, whose name says what it is and is never cut off."""
        name = self.bars.names[-1] if self.bars is not None else ""
        return max(least, self.fontMetrics().horizontalAdvance(name) + 6)

    def _span(self, index: int) -> tuple[float, float]:
        """Left end and width of a class."""
        assert self.bars is not None
        room = self._room()
        left = _LEFT + index * room
        return left, room if index < len(self.bars.names) - 1 else self.width() - left

    def _bottom(self) -> float:
        return float(self.height() - self.fontMetrics().height() - 6)

    def _scale(self) -> float:
        assert self.bars is not None
        return max(self.scale, self.bars.scale)

    def class_at(self, x: float) -> int:
        """The class drawn at this place; −1 where there is none."""
        if self.bars is None or x < _LEFT:
            return -1
        return min(len(self.bars.names) - 1, int((x - _LEFT) / self._room()))

    # -- drawing

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(self.tokens.surface))
        if self.bars is not None:
            self._paint_grid(painter)
            for index in range(len(self.bars.names)):
                self._paint_class(painter, index)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self.tokens.focus), 1))
            painter.drawRect(self.rect().adjusted(0, 0, -1, -1))

    def _paint_grid(self, painter: QPainter) -> None:
        scale, bottom = self._scale(), self._bottom()
        most = max(2, int((bottom - _TOP) / 32))
        step = next((nice for nice in _NICE if scale / nice <= most), 1.0)
        for tick in np.arange(0, scale, step):
            y = bottom - (bottom - _TOP) * tick / scale
            painter.setPen(QColor(self.tokens.grid))
            painter.drawLine(QPointF(_LEFT, y), QPointF(self.width(), y))
            painter.setPen(QColor(self.tokens.muted))
            label = f"{number_label(100 * tick, 100 * step)} %"
            painter.drawText(QRectF(0, y - 10, _LEFT - 5, 20), _RIGHT, label)

    def _paint_class(self, painter: QPainter, index: int) -> None:
        assert self.bars is not None
        bars, bottom, scale = self.bars, self._bottom(), self._scale()
        left, room = self._span(index)

        def height(share: float) -> float:
            return (bottom - _TOP) * share / scale

        def bar(share: float) -> float:
            return max(height(share), _LEAST) if share > 0 else 0.0

        if index == self.current:
            painter.fillRect(QRectF(left, _TOP, room, self.height() - _TOP), QColor(self.tokens.hover))
        width = min(0.38 * room, 26.0)
        middle = left + room / 2
        data = bar(float(bars.data[index]))
        painter.fillRect(QRectF(middle - width, bottom - data, width, data), QColor(self.tokens.data_grey))
        made = bar(float(bars.generated[index]))
        last = index == len(bars.names) - 1
        colour = QColor(self.tokens.muted if last else self.tokens.class_colour(index))
        painter.fillRect(QRectF(middle, bottom - made, width, made), colour)
        wanted = bar(float(bars.target[index]))
        low, high = (bottom - height(float(ends[index])) for ends in (bars.low, bars.high))
        for pen in outline_pens(self.tokens):
            painter.setPen(pen)
            painter.drawRect(QRectF(middle, bottom - wanted, width, wanted))
            painter.drawLine(QPointF(middle + width / 2, low), QPointF(middle + width / 2, high))
            for end in (low, high):
                painter.drawLine(QPointF(middle + width / 2 - 3, end), QPointF(middle + width / 2 + 3, end))
        painter.setPen(QColor(self.tokens.text))
        metrics = self.fontMetrics()
        name = metrics.elidedText(bars.names[index], Qt.TextElideMode.ElideRight, int(room))
        painter.drawText(QRectF(left, bottom + 3, room, metrics.height()), Qt.AlignmentFlag.AlignCenter, name)

    # -- hands

    def mousePressEvent(self, event: QMouseEvent) -> None:
        index = self.class_at(event.position().x())
        if index >= 0:
            self.choose(index)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        number = len(self.bars.names) if self.bars is not None else 0
        places = {
            Qt.Key.Key_Left: max(0, self.current - 1),
            Qt.Key.Key_Right: min(number - 1, self.current + 1),
            Qt.Key.Key_Home: 0,
            Qt.Key.Key_End: number - 1,
        }
        place = places.get(Qt.Key(event.key()))
        if place is None or not number:
            super().keyPressEvent(event)
        else:
            self.choose(place)

    def event(self, event: QEvent) -> bool:
        if not isinstance(event, QHelpEvent) or event.type() is not QEvent.Type.ToolTip:
            return super().event(event)
        index = self.class_at(event.pos().x())
        text = tooltip(f"{self.bars.describe(index)} Click to see such samples.") if self.bars and index >= 0 else ""
        QToolTip.showText(event.globalPos(), text, self)
        return True
