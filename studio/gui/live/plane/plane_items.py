"""What is drawn on the plane: a heat map, points by class and lines; the geometry of arrows, nets, flows, contours."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPen

Array = NDArray[np.float64]

_HEAD = 0.3  # of an arrow's length
_LONGEST = 0.16  # of an arrow, of the half side of the square
_TAIL, _TAIL_TIMES = 4, 2.0  # pieces of a particle's tail, and how many times of its flow they go back
_GOLDEN = (5**0.5 - 1) / 2  # of a round between one particle and the next: they never bunch together


class HeatMap(pg.GraphicsObject):
    """Values on a square grid, from the ground's colour to another, interpolated between the cells."""

    def __init__(self, half: float) -> None:
        super().__init__()
        self._half = half
        self._picture = QImage()
        self.setZValue(-20)

    def set_values(self, values: Array | None, low: QColor, high: QColor) -> None:
        """Draw values 0…1, shape (side, side), rows upwards; None draws nothing."""
        self._picture = QImage()
        if values is not None:
            ends = np.array([[colour.red(), colour.green(), colour.blue()] for colour in (low, high)], np.float64)
            share = np.clip(np.nan_to_num(values[::-1]), 0, 1)[..., None]
            pixels = np.full((*values.shape, 4), 255, np.uint8)
            pixels[..., :3] = (ends[0] + share * (ends[1] - ends[0])).round()
            side = len(values)
            self._picture = QImage(pixels.data, side, side, 4 * side, QImage.Format.Format_RGBA8888).copy()
        self.update()

    def boundingRect(self) -> QRectF:
        return QRectF(-self._half, -self._half, 2 * self._half, 2 * self._half)

    def paint(self, painter: QPainter, *_: Any) -> None:
        """The picture over the square; the plot's vertical axis points up, a picture's down."""
        if self._picture.isNull():
            return
        painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform)
        painter.scale(1, -1)
        painter.drawImage(self.boundingRect(), self._picture)


class Dots(pg.GraphicsObject):
    """Points in the colours of their classes; as one item, so that hundreds move many times a second.

    Args:
        size: of a point, in pixels.
        rim: pixels of the ground's colour about each.
    """

    def __init__(self, half: float, size: float, rim: float = 0.0) -> None:
        super().__init__()
        self._half, self._size, self._rim = half, size, rim
        self._parts: list[tuple[QColor, Any]] = []
        self._ground = QColor()

    def set_points(self, points: Array, labels: NDArray[np.int64], colours: list[QColor], ground: QColor) -> None:
        """Draw points (n, 2) of classes `labels` (n,) in `colours`, one for each class."""
        self._ground = ground
        self._parts = []
        for label, colour in enumerate(colours):
            own = points[labels == label]
            if len(own):
                self._parts.append((colour, pg.functions.arrayToQPolygonF(own[:, 0].copy(), own[:, 1].copy())))
        self.update()

    def boundingRect(self) -> QRectF:
        """The square and a little more, for points at its edge."""
        edge = 1.05 * self._half
        return QRectF(-edge, -edge, 2 * edge, 2 * edge)

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Rims first, so that none covers another point."""
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._rim:
            for _colour, polygon in self._parts:
                painter.setPen(_round_pen(self._ground, self._size + 2 * self._rim))
                painter.drawPoints(polygon)
        for colour, polygon in self._parts:
            painter.setPen(_round_pen(colour, self._size))
            painter.drawPoints(polygon)


def _round_pen(colour: QColor, width: float) -> QPen:
    pen = QPen(colour, width)
    pen.setCosmetic(True)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    return pen


class Segments(pg.PlotCurveItem):
    """Separate straight lines, given as pairs of ends."""

    def set_ends(self, ends: Array) -> None:
        """Draw lines between ends (2·n, 2), each even one and the next."""
        self.setData(ends[:, 0], ends[:, 1], connect="pairs", skipFiniteCheck=True)


def arrow_ends(at: Array, along: Array, half: float) -> Array:
    """Shaft and head of each arrow as pairs of ends, shape (6·n, 2).

    A size s is drawn L·s/(1 + s) long, L a sixth of the half side: 1, the slope of a Wasserstein critic, is half of the
    longest, and what has vanished is not seen.

    Args:
        at: where they begin, shape (n, 2).
        along: direction and size, shape (n, 2).
    """
    size = np.linalg.norm(along, axis=1, keepdims=True)
    shaft = _LONGEST * half * along / (1 + size)
    tip = at + shaft
    turns = (np.array([[np.cos(a), np.sin(a)], [-np.sin(a), np.cos(a)]]) for a in (2.6, -2.6))
    barbs = [_HEAD * (shaft @ turn) for turn in turns]
    return np.stack((at, tip, tip, tip + barbs[0], tip, tip + barbs[1]), 1).reshape(-1, 2)


def net_ends(knots: Array) -> Array:
    """The lines of a net of knots, shape (rows, columns, 2), as pairs of ends, shape (2·n, 2)."""
    along = np.stack((knots[:, :-1], knots[:, 1:]), 2).reshape(-1, 2)
    across = np.stack((knots[:-1], knots[1:]), 2).reshape(-1, 2)
    return np.concatenate((along, across))


def particle_tails(knots: Array, at: float) -> Array:
    """Particles of a flow on their ways at one moment of an endless round, as pairs of ends, shape (2·n, 2).

    They set off one after the other, so that there are some on every part of the way, and each draws a tail behind it,
    of `_TAIL` pieces of which the last ends at the particle.

    Args:
        knots: where each is at times that are evenly spaced, shape (particles, times, 2).
        at: rounds since the beginning; only its fraction counts.
    """
    number, times = knots.shape[:2]
    start = at + np.arange(number) * _GOLDEN
    head = (start % 1) * (times - 1)
    moments = np.clip(head[:, None] - _TAIL_TIMES * np.linspace(1, 0, _TAIL + 1), 0, times - 1)
    before = np.minimum(moments.astype(np.int64), times - 2)
    share, each = (moments - before)[..., None], np.arange(number)[:, None]
    places = (1 - share) * knots[each, before] + share * knots[each, before + 1]
    return np.stack((places[:, :-1], places[:, 1:]), 2).reshape(-1, 2)


def contour_ends(values: Array, levels: tuple[float, ...], half: float) -> Array:
    """Lines on which values at the centres of cells are at one of the levels, as pairs of ends, shape (2·n, 2).

    Each square between four centres is cut into two triangles, of which a line crosses two edges or none.

    Args:
        values: shape (side, side), rows upwards.
    """
    side = len(values)
    at = ((np.arange(side) + 0.5) / side * 2 - 1) * half
    across, up = np.meshgrid(at, at)
    knots = np.stack((across, up, values), 2)
    low_left, low_right, top_left, top_right = knots[:-1, :-1], knots[:-1, 1:], knots[1:, :-1], knots[1:, 1:]
    halves = [np.stack((first, low_right, top_left), 2).reshape(-1, 3, 3) for first in (low_left, top_right)]
    triangles = np.concatenate(halves)
    found = [np.empty((0, 2))]
    for level in levels:
        above = triangles[..., 2] > level
        cut = triangles[(above.sum(1) % 3) != 0]
        if not len(cut):
            continue
        above = cut[..., 2] > level
        # The corner that is alone on its side; the line leaves through the two edges that meet there.
        alone = np.where(above.sum(1) == 1, above.argmax(1), (~above).argmax(1))
        each = np.arange(len(cut))
        corner = cut[each, alone]
        ends = []
        for step in (1, 2):
            other = cut[each, (alone + step) % 3]
            share = (level - corner[:, 2]) / (other[:, 2] - corner[:, 2])
            ends.append(corner[:, :2] + share[:, None] * (other - corner)[:, :2])
        found.append(np.stack(ends, 1).reshape(-1, 2))
    return np.concatenate(found)
