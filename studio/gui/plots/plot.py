"""A plot with axes that keep their width, marks, a readout under the mouse, keys, and a menu without surprises."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QPointF, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import (
    QColor,
    QContextMenuEvent,
    QFont,
    QGuiApplication,
    QHelpEvent,
    QImage,
    QKeyEvent,
    QPainter,
    QPen,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QGraphicsSceneResizeEvent, QToolTip, QWidget

from studio.gui.plots.axis import linear_ticks, log_label, log_ticks, number_label
from studio.gui.widgets.buttons import Menu
from studio.gui.widgets.live_panel import LivePanel
from studio.gui.widgets.theme import ThemeManager, Tokens
from studio.gui.widgets.tooltip import KeyHelp, rich, tooltip

_PIXELS_PER_TICK = {"left": 28, "bottom": 62}
_SPARSER = 1.6  # how much further apart ticks are on a card


def cosmetic_pen(colour: QColor | str, width: float = 1.5) -> QPen:
    """A pen of so many pixels, whatever the scale of the axes."""
    pen = QPen(QColor(colour), width)
    pen.setCosmetic(True)
    return pen


class Axis(pg.AxisItem):
    """An axis with few, round ticks; its data is log₁₀ of the values where `logarithmic`.

    Attributes:
        names: what stands at 0, 1, 2, … in place of numbers; empty for numbers.
        compact: few ticks, and no title.
        unit: stands behind each number, where no title says it.
    """

    def __init__(self, side: str) -> None:
        super().__init__(side)
        self.logarithmic = self.compact = False
        self.names: tuple[str, ...] = ()
        self.unit = ""
        self.enableAutoSIPrefix(False)
        self.setStyle(tickLength=-4, autoExpandTextSpace=False, hideOverlappingLabels=False)
        self.draw_anew()

    def draw_anew(self) -> None:
        """Its texts are drawn only when they change; of what is kept of a smaller size Qt would leave pieces."""
        self.setCacheMode(self.CacheMode.NoCache)
        self.setCacheMode(self.CacheMode.DeviceCoordinateCache)

    def boundingRect(self) -> QRectF:
        """Room for the labels at both ends, which pyqtgraph would leave out."""
        return super().boundingRect().adjusted(-30, -8, 30, 8)

    def tickValues(self, low: float, high: float, size: float) -> list[tuple[float, list[float]]]:
        """One level of ticks, as pyqtgraph wants them."""
        if self.names:
            return [(1.0, [float(place) for place in range(len(self.names)) if low <= place <= high])]
        apart = _PIXELS_PER_TICK[self.orientation] * (_SPARSER if self.compact else 1)
        most = max(2, int(size / apart))
        ticks = (log_ticks if self.logarithmic else linear_ticks)(low, high, most)
        return [(ticks[1] - ticks[0] if len(ticks) > 1 else 1.0, ticks)]

    def resizeEvent(self, event: QGraphicsSceneResizeEvent | None = None) -> None:
        """A title that is longer than the axis would be cut off, so it goes."""
        super().resizeEvent(event)
        if self.label is not None:  # as it is while the plot is taken apart
            length = self.size().height() if self.orientation == "left" else self.size().width()
            self.label.setOpacity(float(self.label.boundingRect().width() <= length))

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        if self.names:
            return [self.names[round(value)] for value in values]
        label = log_label if self.logarithmic else partial(number_label, step=spacing)
        return [f"{label(value)}{self.unit}" for value in values]


class MarkLines(pg.GraphicsObject):
    """Vertical lines over the whole height, one for each place; as one item, so that hundreds cost little."""

    def __init__(self) -> None:
        super().__init__()
        self.places: NDArray[np.float64] = np.empty(0)
        self.pen = QPen()

    def set_places(self, places: NDArray[np.float64]) -> None:
        if not np.array_equal(places, self.places):
            self.places = places
            self.update()

    def viewTransformChanged(self) -> None:
        super().viewTransformChanged()
        self.prepareGeometryChange()

    def boundingRect(self) -> QRectF:
        return QRectF(self.viewRect())

    def paint(self, painter: QPainter, *_: Any) -> None:
        """One line a pixel at most."""
        area = self.boundingRect()
        shown = self.places[(self.places >= area.left()) & (self.places <= area.right())]
        if not len(shown):
            return
        width = max(abs(self.pixelWidth()), 1e-300)
        painter.setPen(self.pen)
        for place in np.unique(np.round(shown / width)) * width:
            painter.drawLine(QPointF(place, area.top()), QPointF(place, area.bottom()))


class Plot(pg.PlotWidget):
    """A themed plot.

    Attributes:
        legend: beside it, which pictures of it have, too, where it is shown.
    """

    KEYS = KeyHelp("In a plot", (("Move", "Arrows"), ("Zoom", "+ and −"), ("Show everything", "Home")))

    moved = Signal()  # the person zoomed or panned
    reset_asked = Signal()  # the person asked to see everything

    def __init__(self, theme: ThemeManager, name: str, x_label: str, y_label: str) -> None:
        self.axes = {side: Axis(side) for side in ("left", "bottom")}
        super().__init__(axisItems=self.axes, enableMenu=False)
        self.labels = {"bottom": x_label, "left": y_label}
        self.describe: Callable[[float, float], str] = lambda x, y: ""
        self.legend: QWidget | None = None
        self.setAccessibleName(name)
        self.setObjectName(name)
        self.setMinimumSize(120, 80)
        # It fills all of its area, so that Qt need not draw what is below, up to the window, at every point of a curve.
        self.viewport().setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        item = self.getPlotItem()
        item.hideButtons()
        item.disableAutoRange()
        item.setContentsMargins(0, 8, 20, 5)
        self.view: Any = item.getViewBox()
        self.view.setDefaultPadding(0)
        self.view.sigRangeChangedManually.connect(self.moved)
        self.marks, self.cursor = MarkLines(), MarkLines()
        for lines, depth in ((self.marks, -5), (self.cursor, 15)):
            lines.setZValue(depth)
            item.addItem(lines, ignoreBounds=True)
        theme.changed.connect(self._on_theme)  # a slot that no subclass overrides, so that Qt ends it with the plot
        self.restyle(theme.tokens)

    @Slot(object)
    def _on_theme(self, tokens: Tokens) -> None:
        self.restyle(tokens)

    def restyle(self, tokens: Tokens) -> None:
        self.tokens = tokens
        self.setBackground(QColor(tokens.surface))
        font = QFont(self.font())
        font.setPointSizeF(tokens.font_small)
        for side, axis in self.axes.items():
            axis.setPen(QColor(tokens.border))
            axis.setTextPen(QColor(tokens.muted))
            axis.setTickFont(font)
            label = rich(self.labels[side])
            axis.setLabel(label, color=tokens.muted, **{"font-size": f"{tokens.font_small}pt"})
            axis.showLabel(bool(self.labels[side]) and not axis.compact)
            axis.unit = " %" if axis.compact and self.labels[side].endswith("(%)") else ""
        metrics = pg.QtGui.QFontMetrics(font)
        compact = self.axes["left"].compact
        room = metrics.horizontalAdvance("−0.00" if compact else "−0.00000") + (0 if compact else metrics.height())
        self.axes["left"].setWidth(room + 6)
        self.axes["bottom"].setHeight((2 if self.labels["bottom"] and not compact else 1) * metrics.height() + 9)
        self.getPlotItem().showGrid(x=True, y=True, alpha=0.35)
        self.marks.pen = QPen(QColor(tokens.accent), 0, Qt.PenStyle.DashLine)
        self.marks.update()
        self.cursor.pen = QPen(QColor(tokens.text), 0)
        self.cursor.update()

    def set_label(self, side: str, text: str) -> None:
        if self.labels[side] != text:
            self.labels[side] = text
            self.restyle(self.tokens)

    def set_compact(self, on: bool) -> None:
        """Few ticks and no titles of axes, for a small card."""
        for axis in self.axes.values():
            axis.compact = on
        self.restyle(self.tokens)

    def set_logarithmic(self, side: str, on: bool) -> None:
        """Whether what is drawn along that axis is log₁₀ of the values."""
        axis = self.axes[side]
        if axis.logarithmic != on:
            axis.logarithmic = on
            axis.picture = None
            axis.update()

    def show_range(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        """Set both ranges; does nothing if they are so already."""
        shown_x, shown_y = self.view.viewRange()
        if tuple(shown_x) != x or tuple(shown_y) != y:
            self.view.setRange(xRange=x, yRange=y, padding=0, disableAutoRange=True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for axis in self.axes.values():
            axis.draw_anew()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() != QEvent.Type.ToolTip or not isinstance(event, QHelpEvent):
            return bool(super().viewportEvent(event))
        place = self.mapToScene(event.pos())
        if self.view.sceneBoundingRect().contains(place):
            point = self.view.mapSceneToView(place)
            text = self.describe(point.x(), point.y())
        else:
            text = tooltip(self.accessibleDescription()) if self.accessibleDescription() else ""
        if text:
            QToolTip.showText(event.globalPos(), text, self)
        else:
            QToolTip.hideText()
        return True

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key
        shifts = {key.Key_Left: (-1, 0), key.Key_Right: (1, 0), key.Key_Up: (0, 1), key.Key_Down: (0, -1)}
        zooms = {key.Key_Plus: 0.8, key.Key_Equal: 0.8, key.Key_Minus: 1.25}
        pressed = Qt.Key(event.key())
        if pressed == key.Key_Home:
            self.reset_asked.emit()
        elif pressed in shifts:
            across, up = shifts[pressed]
            area = self.view.viewRect()
            self.view.translateBy(x=across * area.width() / 10, y=up * area.height() / 10)
            self.moved.emit()
        elif pressed in zooms:
            self.view.scaleBy(x=zooms[pressed])
            self.moved.emit()
        else:
            event.ignore()

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        menu = Menu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Show everything").triggered.connect(self.reset_asked)
        menu.addAction("Copy as picture").triggered.connect(self.copy_picture)
        menu.popup(event.globalPos())

    def caption(self) -> str:
        """Whose numbers it shows, as the panel around it knows, or else the title of its window."""
        above = self.parentWidget()
        while above is not None:
            if isinstance(above, LivePanel) and (words := above.caption()):
                return words
            above = above.parentWidget()
        return QWidget.window(self).windowTitle()  # some plots call something else their window

    @Slot()
    def copy_picture(self) -> None:
        """Copy it with its legend and caption below; the caption is the description of a file made of it, too."""
        parts = [QWidget.grab(self)]
        if self.legend is not None and not self.legend.isHidden():
            parts.append(self.legend.grab())
        QGuiApplication.clipboard().setImage(self._captioned(parts, self.caption()))

    def _captioned(self, parts: Sequence[QPixmap], caption: str) -> QImage:
        sizes, air = [part.deviceIndependentSize().toSize() for part in parts], self.tokens.spacing
        size = QSize(max(each.width() for each in sizes), sum(each.height() for each in sizes))
        flags = Qt.AlignmentFlag.AlignLeft | Qt.TextFlag.TextWordWrap
        room = QRect(air, size.height(), size.width() - 2 * air, 10_000)
        text = self.fontMetrics().boundingRect(room, flags, caption)
        high = size.height() + (text.height() + air if caption else 0)
        ratio = parts[0].devicePixelRatio()
        image = QImage(QSize(size.width(), high) * ratio, QImage.Format.Format_RGB32)
        image.setDevicePixelRatio(ratio)
        image.fill(QColor(self.tokens.surface))
        image.setText("Description", caption)
        painter = QPainter(image)
        painter.setFont(self.font())
        top = 0
        for part, each in zip(parts, sizes, strict=True):
            painter.drawPixmap(0, top, part)
            top += each.height()
        painter.setPen(QColor(self.tokens.text))
        painter.drawText(room, flags, caption)
        painter.end()
        return image
