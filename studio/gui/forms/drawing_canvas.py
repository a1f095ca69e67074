"""A square to draw classes on, by mouse or by keyboard."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import pairwise

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.data.planar.drawing import LEAST_WIDTH, MOST_CLASSES, MOST_PLACES, MOST_WIDTH, REACH, Stroke
from studio.gui.widgets.tooltip import KeyHelp, set_help
from studio.theme_tokens import Tokens, load_tokens

_GAP = 0.5
"""Distance of a stroke's places, in widths: its density is even to a thousandth then."""

_SHOWN = 2
"""Radius of a place as it is drawn, in widths: 86 % of its points lie within."""

_STEP = 0.1
_WIDTH_STEP = 0.05
_MOVES = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, 1), Qt.Key.Key_Down: (0, -1)}
Place = tuple[float, float]


class DrawingCanvas(QWidget):
    """Strokes on the plane; the brush is set from outside.

    Attributes:
        label: class of the brush, from 1.
        width_: σ of the brush.
        erasing: whether it takes away what it touches.
    """

    KEYS = KeyHelp(
        "On the drawing",
        (
            ("Move the pen", "Arrows"),
            ("Put a point", "Space"),
            ("Choose a class", "1 to 9"),
            ("Width of the pen", "+ and −"),
        ),
    )

    changed = Signal()
    label_asked = Signal(int)
    width_asked = Signal(float)

    def __init__(self, strokes: tuple[Stroke, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("drawing_canvas")
        set_help(
            self,
            "Drawing",
            "Drag to draw. By keyboard: arrows move the brush, space draws, 1 to 9 set its class, + and − its width.",
        )
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setMouseTracking(True)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.strokes = strokes
        self.label, self.width_, self.erasing = 1, 0.2, False
        self._past: list[tuple[Stroke, ...]] = []
        self._at: Place = (0.0, 0.0)
        self._drawing = False

    def sizeHint(self) -> QSize:
        return QSize(420, 420)

    @property
    def places(self) -> int:
        return sum(len(stroke.places) for stroke in self.strokes)

    @property
    def can_undo(self) -> bool:
        return bool(self._past)

    # -- what is done

    def undo(self) -> None:
        if self._past:
            self.strokes = self._past.pop()
            self._tell()

    def clear(self) -> None:
        if self.strokes:
            self._past.append(self.strokes)
            self.strokes = ()
            self._tell()

    def _begin(self, place: Place) -> None:
        self._past.append(self.strokes)
        if self.erasing:
            self._erase(place)
        elif self.places < MOST_PLACES:
            self.strokes = (*self.strokes, Stroke(label=self.label, width=self.width_, places=(_rounded(place),)))
        self._tell()

    def _go_on(self, place: Place) -> None:
        """Draw from the last place to this one."""
        if self.erasing:
            self._erase(place)
        elif self.strokes and self.strokes is not self._past[-1]:
            last = self.strokes[-1]
            room = MOST_PLACES - self.places
            places = last.places + tuple(_between(last.places[-1], place, _GAP * last.width))[:room]
            self.strokes = (*self.strokes[:-1], replace(last, places=places))
        self._tell()

    def _end(self) -> None:
        if self._past and self._past[-1] == self.strokes:
            self._past.pop()
            self._tell()

    def _erase(self, place: Place) -> None:
        reach = _SHOWN * self.width_
        left = (
            replace(stroke, places=tuple(each for each in stroke.places if math.dist(each, place) > reach))
            for stroke in self.strokes
        )
        self.strokes = tuple(stroke for stroke in left if stroke.places)

    def _tell(self) -> None:
        self.update()
        self.changed.emit()

    # -- mouse and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._at = self._place(event.position())
            self._drawing = True
            self._begin(self._at)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._at = self._place(event.position())
        if self._drawing:
            self._go_on(self._at)
        self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._drawing:
            self._drawing = False
            self._end()

    def wheelEvent(self, event: QWheelEvent) -> None:
        self.width_asked.emit(_next_width(self.width_, math.copysign(1, event.angleDelta().y())))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key, text = event.key(), event.text()
        if key in _MOVES:
            across, up = _MOVES[Qt.Key(key)]
            self._at = _inside((self._at[0] + _STEP * across, self._at[1] + _STEP * up))
            self.update()
        elif key == Qt.Key.Key_Space:
            self._begin(self._at)
            self._end()
        elif len(text) == 1 and text in "123456789"[:MOST_CLASSES]:
            self.label_asked.emit(int(text))
        elif text in ("+", "-", "−") and text:
            self.width_asked.emit(_next_width(self.width_, 1 if text == "+" else -1))
        else:
            super().keyPressEvent(event)

    # -- picture

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = load_tokens(dark=self.palette().window().color().lightness() < 128)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.fillRect(self._square, QColor(tokens.surface))
        painter.setPen(QPen(QColor(tokens.grid), 1))
        corner = self._square.center()
        painter.drawLine(QPointF(self._square.left(), corner.y()), QPointF(self._square.right(), corner.y()))
        painter.drawLine(QPointF(corner.x(), self._square.top()), QPointF(corner.x(), self._square.bottom()))
        painter.setPen(Qt.PenStyle.NoPen)
        for stroke in self.strokes:
            colour = _colour(tokens, stroke.label)
            colour.setAlphaF(0.35)
            painter.setBrush(colour)
            for place in stroke.places:
                self._circle(painter, place, stroke.width)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(tokens.text) if self.erasing else _colour(tokens, self.label), 1.5))
        self._circle(painter, self._at, self.width_)
        painter.setPen(QPen(QColor(tokens.focus if self.hasFocus() else tokens.border), 1))
        painter.drawRect(self._square.adjusted(0, 0, -1, -1))

    def _circle(self, painter: QPainter, place: Place, width: float) -> None:
        radius = _SHOWN * width * self._scale
        painter.drawEllipse(self._point(place), radius, radius)

    @property
    def _square(self) -> QRectF:
        side = min(self.width(), self.height())
        return QRectF((self.width() - side) / 2, (self.height() - side) / 2, side, side)

    @property
    def _scale(self) -> float:
        return self._square.width() / (2 * REACH)

    def _place(self, point: QPointF) -> Place:
        middle = self._square.center()
        return _inside(((point.x() - middle.x()) / self._scale, (middle.y() - point.y()) / self._scale))

    def _point(self, place: Place) -> QPointF:
        middle = self._square.center()
        return QPointF(middle.x() + place[0] * self._scale, middle.y() - place[1] * self._scale)


def _colour(tokens: Tokens, label: int) -> QColor:
    return QColor(tokens.class_colour(label - 1))


def _inside(place: Place) -> Place:
    return max(-REACH, min(REACH, place[0])), max(-REACH, min(REACH, place[1]))


def _rounded(place: Place) -> Place:
    """To what the configuration holds."""
    return round(place[0], 2), round(place[1], 2)


def _between(start: Place, end: Place, gap: float) -> list[Place]:
    """Places from after `start` towards `end`, `gap` apart."""
    steps = int(math.dist(start, end) / gap)
    share = gap / math.dist(start, end) if steps else 0.0
    found = [
        _rounded((start[0] + share * k * (end[0] - start[0]), start[1] + share * k * (end[1] - start[1])))
        for k in range(1, steps + 1)
    ]
    return [new for old, new in pairwise([start, *found]) if new != old]


def _next_width(width: float, direction: float) -> float:
    return round(max(LEAST_WIDTH, min(MOST_WIDTH, width + direction * _WIDTH_STEP)), 2)
