"""Values to compare with: dashed lines across a plot, each with its name at the end; one item however many."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPen

from studio.gui.plots.axis import Line
from studio.gui.widgets.theme import Tokens

_AIR = 3.0  # pixels between a line and its name
_TRIES = 5


class ReferenceLines(pg.GraphicsObject):
    """Lines at places along one axis.

    Args:
        vertical: lines go up, at places along the horizontal axis; else across.
    """

    def __init__(self, *, vertical: bool) -> None:
        super().__init__()
        self._vertical = vertical
        self.lines: tuple[Line, ...] = ()
        self._pen, self._text, self._ground, self._font = QPen(), QColor(), QColor(), QFont()
        self.setZValue(20)

    def set_lines(self, lines: Sequence[Line]) -> None:
        if tuple(lines) != self.lines:
            self.lines = tuple(lines)
            self.update()

    def restyle(self, tokens: Tokens, font: QFont) -> None:
        """Take up another look; `font` is the plot's own."""
        self._pen = QPen(QColor(tokens.text), 0, Qt.PenStyle.DotLine)
        self._text, self._ground = QColor(tokens.text), QColor(tokens.surface)
        self._ground.setAlphaF(0.8)
        self._font = QFont(font)
        self._font.setPointSizeF(tokens.font_small)
        self.update()

    def viewTransformChanged(self) -> None:
        super().viewTransformChanged()
        self.prepareGeometryChange()

    def boundingRect(self) -> QRectF:
        return QRectF(self.viewRect())

    def paint(self, painter: QPainter, *_: Any) -> None:
        """Lines and names, in pixels, so that the names are not stretched with the axes."""
        area, to_pixels = self.boundingRect(), painter.transform()
        painter.save()
        painter.resetTransform()
        painter.setFont(self._font)
        taken: list[QRectF] = []
        for line in self.lines:
            ends = self._ends(line.place, area)
            if ends is not None:
                painter.setPen(self._pen)
                first, last = to_pixels.map(ends[0]), to_pixels.map(ends[1])
                painter.drawLine(first, last)
                self._name(painter, line.title, last, to_pixels.mapRect(area), taken)
        painter.restore()

    def _ends(self, place: float, area: QRectF) -> tuple[QPointF, QPointF] | None:
        """From where to where, the end with the name last; None out of view."""
        if self._vertical:
            inside = area.left() <= place <= area.right()
            return (QPointF(place, area.top()), QPointF(place, area.bottom())) if inside else None
        inside = area.top() <= place <= area.bottom()
        return (QPointF(area.left(), place), QPointF(area.right(), place)) if inside else None

    def _name(self, painter: QPainter, title: str, end: QPointF, area: QRectF, taken: list[QRectF]) -> None:
        """Write a name beside the end of its line, within the plot and clear of other names; else leave it out."""
        metrics = QFontMetricsF(self._font)
        size = QSizeF(metrics.horizontalAdvance(title) + 2 * _AIR, metrics.height())
        for box in self._boxes(size, end, area):
            if area.contains(box) and not any(box.intersects(other) for other in taken):
                taken.append(box)
                painter.fillRect(box, self._ground)
                painter.setPen(self._text)
                painter.drawText(box, Qt.AlignmentFlag.AlignCenter, title)
                return

    def _boxes(self, size: QSizeF, end: QPointF, area: QRectF) -> Iterator[QRectF]:
        """Where a name may stand, the best place first: right or left of its line, above or below it."""
        if self._vertical:
            for down in range(_TRIES):
                for left in (end.x() + 1, end.x() - size.width() - 1):
                    yield QRectF(QPointF(left, area.top() + down * size.height()), size)
        else:
            for back in range(1, _TRIES):
                for top in (end.y() - size.height() - 1, end.y() + 1):
                    yield QRectF(QPointF(area.right() - back * (size.width() + 1), top), size)
