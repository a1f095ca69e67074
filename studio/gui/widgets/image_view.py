"""A picture that fits its view, or is zoomed in whole steps of pixels that one can count."""

from __future__ import annotations

import math
from collections.abc import Callable

from PySide6.QtCore import QEvent, QPoint, QRectF, Qt, Signal
from PySide6.QtGui import QHelpEvent, QImage, QKeyEvent, QPixmap, QResizeEvent, QTransform, QWheelEvent
from PySide6.QtWidgets import QFrame, QGraphicsPixmapItem, QGraphicsScene, QGraphicsView, QToolTip

from studio.gui.widgets.tooltip import KeyHelp

_LEAST, _MOST = 0.1, 64.0
_STEP = 1.25
_COUNTABLE = 4  # device pixels for a picture's pixel, from which it hardly matters that some have one more


class ImageView(QGraphicsView):
    """One picture, scrollable, with Ctrl+wheel, + and − to zoom and F to fit.

    Attributes:
        describe: (column, row in picture pixels) → tooltip.
        fitted: the picture is kept as large as fits.
    """

    KEYS = KeyHelp("In a picture", (("Zoom", "+ and −, Ctrl+wheel"), ("Fit", "F or Home"), ("Scroll", "Arrows")))

    viewed = Signal()  # the person zoomed or scrolled

    def __init__(self, name: str) -> None:
        super().__init__()
        self.describe: Callable[[int, int], str] = lambda column, row: ""
        self.fitted = True
        self.setAccessibleName(name)
        self.setAccessibleDescription("+, − and Ctrl+wheel zoom, arrows and dragging move, Home shows all of it.")
        self.setFrameShape(QFrame.Shape.StyledPanel)
        self.setDragMode(QGraphicsView.DragMode.ScrollHandDrag)
        self.setTransformationAnchor(QGraphicsView.ViewportAnchor.AnchorUnderMouse)
        self.setMinimumSize(60, 60)
        self._scene = QGraphicsScene(self)
        self._item = QGraphicsPixmapItem()
        self._scene.addItem(self._item)
        self.setScene(self._scene)
        for bar in (self.horizontalScrollBar(), self.verticalScrollBar()):
            bar.valueChanged.connect(self._on_scrolled)

    @property
    def zoom(self) -> float:
        """Screen pixels (device independent) per picture pixel."""
        return self.transform().m11()

    def set_picture(self, picture: QImage | None) -> None:
        """Show another picture at the same place and zoom."""
        before = self._item.pixmap().size()
        self._item.setPixmap(QPixmap() if picture is None else QPixmap.fromImage(picture))
        if self._item.pixmap().size() != before:
            self._scene.setSceneRect(QRectF(self._item.pixmap().rect()))
            if self.fitted:
                self.fit()

    def fit(self) -> None:
        self.fitted = True
        size, area = self._item.pixmap().size(), self.contentsRect().marginsRemoved(self.viewportMargins())
        if size.isEmpty() or area.isEmpty():
            return
        self._set_zoom(min(area.width() / size.width(), area.height() / size.height()))

    def zoom_by(self, factor: float) -> None:
        """Zoom in (factor > 1) or out, about the mouse if it is over the picture, else about the middle."""
        self.fitted = False
        ratio = self.devicePixelRatioF()
        now, wanted = self.zoom * ratio, max(_LEAST, self.zoom * factor) * ratio
        # Above 1 by whole numbers, so that every pixel has the same size.
        if factor > 1 and wanted > 1:
            wanted = max(math.floor(now) + 1, round(wanted))
        elif now > 1:
            wanted = max(1, min(math.ceil(now) - 1, round(wanted)))
        self._set_zoom(min(_MOST, wanted / ratio))
        self.viewed.emit()

    def _set_zoom(self, zoom: float) -> None:
        # Without smoothing, shrunk pictures would lose rows of pixels, and others have some that are twice as wide.
        scale = zoom * self.devicePixelRatioF()
        smooth = scale < _COUNTABLE and scale != round(scale)
        mode = Qt.TransformationMode.SmoothTransformation if smooth else Qt.TransformationMode.FastTransformation
        self._item.setTransformationMode(mode)
        bars = Qt.ScrollBarPolicy.ScrollBarAlwaysOff if self.fitted else Qt.ScrollBarPolicy.ScrollBarAsNeeded
        self.setHorizontalScrollBarPolicy(bars)
        self.setVerticalScrollBarPolicy(bars)
        self.setTransform(QTransform.fromScale(zoom, zoom))

    def follow(self, other: ImageView) -> None:
        """Take over another view's zoom and place."""
        self.fitted = other.fitted
        self._set_zoom(other.zoom)
        for mine, its in (
            (self.horizontalScrollBar(), other.horizontalScrollBar()),
            (self.verticalScrollBar(), other.verticalScrollBar()),
        ):
            mine.blockSignals(True)
            mine.setValue(its.value())
            mine.blockSignals(False)

    def _on_scrolled(self) -> None:
        if not self.fitted:
            self.viewed.emit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self.fitted:
            self.fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            self.zoom_by(_STEP if event.angleDelta().y() > 0 else 1 / _STEP)
            event.accept()
        else:
            super().wheelEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key
        if event.key() in (key.Key_Plus, key.Key_Equal):
            self.zoom_by(_STEP)
        elif event.key() == key.Key_Minus:
            self.zoom_by(1 / _STEP)
        elif event.key() in (key.Key_F, key.Key_Home):
            self.fit()
            self.viewed.emit()
        else:
            super().keyPressEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() != QEvent.Type.ToolTip or not isinstance(event, QHelpEvent):
            return super().viewportEvent(event)
        place = self.mapToScene(QPoint(event.pos()))
        inside = self._scene.sceneRect().contains(place)
        QToolTip.showText(event.globalPos(), self.describe(int(place.x()), int(place.y())) if inside else "", self)
        return True
