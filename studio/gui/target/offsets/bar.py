"""The bar of a class: data grey, target an outline whose end can be dragged, generated filled, with whiskers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from studio.gui.state.tilt_view import TiltView
from studio.gui.widgets.theme import ThemeManager, outline_pens
from studio.gui.widgets.tooltip import set_help
from studio.theme_tokens import Tokens

HANDLE = 6
"""Radius of the handle in pixels; it takes hold a little beyond it."""

_LEFT, _RIGHT = 4, 14
_REACH = 4
_BEYOND = 1.04
"""How far bars go beyond the scale."""
_NICE = (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
_LEAST = 4
"""Pixels of the smallest share that is not 0: beside one of 90 % others would not be seen."""
_DATA, _GAP, _BAR = 0.16, 0.02, 0.42
"""Heights of the grey bar, of what is between the two, and of the outline, as parts of the row's."""


def scale_of(view: TiltView, classes: Sequence[int]) -> float:
    """The share at the right end, common to these classes: the largest of data, target and generated, rounded up."""
    rows = [view.dataset.shares, view.summary.target]
    if view.generated is not None:
        rows.append(view.generated.told_shares)
    largest = max(float(np.nanmax(shares[list(classes)], initial=0.0)) for shares in rows)
    decade = 10.0 ** math.floor(math.log10(max(largest, 1e-6)))
    return min(1.0, decade * next(nice for nice in _NICE if nice * decade >= largest - 1e-9))


@dataclass(frozen=True, slots=True)
class Scale:
    """Places in a bar's cell.

    Attributes:
        cell: in pixels.
        most: the share at the right end.
    """

    cell: QRect
    most: float

    def x(self, share: float) -> float:
        """Where a share ends."""
        return self.cell.left() + _LEFT + self._room * min(max(share, 0.0) / self.most, _BEYOND)

    def length(self, share: float) -> float:
        """Of a share's bar; a very small one is longer than it is, so as to be seen."""
        return max(self.x(share) - self.x(0.0), _LEAST) if share > 0 else 0.0

    def share(self, x: float) -> float:
        """The share that ends there; beyond the right end, too, for a drag that takes it there."""
        return min(max((x - self.cell.left() - _LEFT) / self._room * self.most, 0.0), 1.0)

    @property
    def _room(self) -> float:
        return max(1.0, self.cell.width() - _LEFT - _RIGHT)

    @property
    def data(self) -> tuple[float, float]:
        """Top and height of the grey bar."""
        height = self.cell.height()
        whole = (_DATA + _GAP + _BAR) * height
        return self.cell.top() + (height - whole) / 2, max(3.0, _DATA * height)

    @property
    def bar(self) -> tuple[float, float]:
        """Top and height of the outline."""
        top, height = self.data
        return top + height + _GAP * self.cell.height(), max(8.0, _BAR * self.cell.height())

    def handle(self, view: TiltView, index: int) -> QPointF:
        """The middle of a class's handle."""
        top, height = self.bar
        return QPointF(self.x(float(view.summary.target[index])), top + height / 2)

    def holds(self, view: TiltView, index: int, place: QPointF) -> bool:
        """Whether the handle is taken hold of there."""
        off = self.handle(view, index) - place
        return math.hypot(off.x(), off.y()) <= HANDLE + _REACH


def paint_bar(painter: QPainter, scale: Scale, view: TiltView, index: int, tokens: Tokens, *, handle: bool) -> None:
    """Draw the bar of a class.

    Args:
        handle: whether the outline's end shows that it can be dragged.
    """
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    left, (top, height) = scale.x(0.0), scale.bar
    data_top, data_height = scale.data
    wanted = float(view.summary.target[index])
    _fill(painter, QRectF(left, data_top, scale.length(view.dataset.shares[index]), data_height), tokens.data_grey)
    found = view.generated
    told = found is not None and index not in found.untold
    if found is not None and told:
        painter.setOpacity(0.4 if found.stale else 1.0)
        inside = QRectF(left, top, scale.length(float(found.shares[index])), height).adjusted(0, 1.5, 0, -1.5)
        _fill(painter, inside, tokens.class_colour(index))
        painter.setOpacity(1.0)
    for pen in outline_pens(tokens):
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(left, top, max(2.0, scale.length(wanted)), height), 2.5, 2.5)
        if found is not None and told and not found.stale:
            low, high = float(found.low[index]), float(found.high[index])
            cut = high > _BEYOND * scale.most
            _whiskers(painter, scale.x(low), scale.x(high), top + height / 2, cut=cut)
    if handle:
        painter.setPen(QPen(QColor(tokens.surface), 1.5))
        painter.setBrush(QColor(tokens.accent))
        painter.drawEllipse(scale.handle(view, index), HANDLE, HANDLE)
    painter.restore()


def _fill(painter: QPainter, area: QRectF, colour: str) -> None:
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(colour))
    painter.drawRoundedRect(area, 1.5, 1.5)


def _whiskers(painter: QPainter, low: float, high: float, middle: float, *, cut: bool = False) -> None:
    """In the outline's pen; one that goes on beyond the scale has no end."""
    painter.drawLine(QPointF(low, middle), QPointF(high, middle))
    for end in (low,) if cut else (low, high):
        painter.drawLine(QPointF(end, middle - 3.5), QPointF(end, middle + 3.5))


class BarLegend(QWidget):
    """What grey, outline and fill are."""

    def __init__(self, theme: ThemeManager) -> None:
        super().__init__()
        self.setObjectName("bar_legend")
        self._theme = theme
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        set_help(
            self,
            "Legend of the bars",
            "Grey is the data, the outline the target, the fill what the model generates, with its 95 % interval.",
        )

    def sizeHint(self) -> QSize:
        metrics = self.fontMetrics()
        words = sum(metrics.horizontalAdvance(name) for name in _PARTS)
        return QSize(words + len(_PARTS) * (_SAMPLE + _SPACE + _BETWEEN) - _BETWEEN + 2, metrics.height() + 4)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter, tokens = QPainter(self), self._theme.tokens
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left, middle = 1.0, self.height() / 2
        for name, sample in _PARTS.items():
            sample(painter, QRectF(left, middle - 4, _SAMPLE, 8), tokens)
            left += _SAMPLE + _SPACE
            painter.setPen(QColor(tokens.muted))
            width = self.fontMetrics().horizontalAdvance(name)
            painter.drawText(QRectF(left, 0, width + 2, self.height()), Qt.AlignmentFlag.AlignVCenter, name)
            left += width + _BETWEEN


def _data_sample(painter: QPainter, area: QRectF, tokens: Tokens) -> None:
    _fill(painter, area.adjusted(0, 2, 0, -2), tokens.data_grey)


def _target_sample(painter: QPainter, area: QRectF, tokens: Tokens) -> None:
    painter.setPen(QPen(QColor(tokens.target), 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(area, 2.5, 2.5)


def _generated_sample(painter: QPainter, area: QRectF, tokens: Tokens) -> None:
    _fill(painter, area, tokens.class_colour(2))
    painter.setPen(QPen(QColor(tokens.target), 1.5))
    _whiskers(painter, area.right() - 6, area.right(), area.center().y())


_PARTS: dict[str, Callable[[QPainter, QRectF, Tokens], None]] = {
    "data": _data_sample,
    "target": _target_sample,
    "generated": _generated_sample,
}
_SAMPLE, _SPACE, _BETWEEN = 14, 5, 8
