"""Rows of images with the name of each row beside it, however the picture is zoomed and scrolled."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, QRectF, Qt, Slot
from PySide6.QtGui import QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QWidget

from studio.gui.widgets.image_view import ImageView
from studio.gui.widgets.pictures import GAP, mosaic
from studio.gui.widgets.tooltip import tooltip
from studio.models.diagnostic import Pictures
from studio.number_text import whole

_AIR = 6
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_WIDEST = 0.35  # of the view, for the names
_LEAST_WIDTH = 240  # pixels of view below which the tooltips alone say the names


class PictureRows(ImageView):
    """Shows one `Pictures`."""

    def __init__(self) -> None:
        self._shown: Pictures | None = None
        super().__init__("Pictures")
        self.picture = QImage()
        self._names = _Names(self)
        self.describe = self._describe
        self.verticalScrollBar().valueChanged.connect(self._move_names)

    def show_pictures(self, shown: Pictures) -> None:
        """Draw these images; the same place and zoom if they are of the same size as before."""
        self._shown = shown
        self.setAccessibleName(shown.title)
        self.setAccessibleDescription(shown.tip)
        self.picture = mosaic(shown.images, shown.columns) if len(shown.images) else QImage()
        self._make_room()
        self.set_picture(self.picture)
        self._names.update()

    @property
    def rows(self) -> tuple[str, ...]:
        return self._shown.rows if self._shown is not None else ()

    def row_place(self, row: int) -> tuple[float, float]:
        """Top and bottom of a row in the view; in pixels."""
        assert self._shown is not None
        height = self._shown.images.shape[1]
        top = self.mapFromScene(QPointF(0, row * (height + GAP))).y()
        return float(top), float(self.mapFromScene(QPointF(0, row * (height + GAP) + height)).y())

    def _make_room(self) -> None:
        """Leave a margin for the names, if there are any and there is room."""
        metrics = self._names.fontMetrics()
        widest = max((metrics.horizontalAdvance(name) for name in self.rows), default=0)
        room = min(widest + 2 * _AIR, int(_WIDEST * self.width())) if widest and self.width() >= _LEAST_WIDTH else 0
        if room != self.viewportMargins().left():
            self.setViewportMargins(room, 0, 0, 0)
            if self.fitted:
                self.fit()
        frame = self.contentsRect()
        self._names.setGeometry(frame.left(), frame.top(), room, frame.height())

    def resizeEvent(self, event: QResizeEvent) -> None:
        self._make_room()
        super().resizeEvent(event)
        self._names.update()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() in (QEvent.Type.FontChange, QEvent.Type.StyleChange) and self._shown is not None:
            self._make_room()

    @Slot()
    def _move_names(self) -> None:
        self._names.update()

    def _describe(self, x: int, y: int) -> str:
        shown = self._shown
        if shown is None or not len(shown.images):
            return ""
        number, height, width = shown.images.shape[:3]
        row, column = y // (height + GAP), min(shown.columns - 1, x // (width + GAP))
        if row * shown.columns + column >= number:
            return ""
        name = f"{self.rows[row]}. " if row < len(self.rows) else ""
        return tooltip(f"{name}Row {whole(row + 1)}, image {whole(column + 1)} of {whole(shown.columns)}. {shown.tip}")


class _Names(QWidget):
    """The names of the rows, in the margin of the view."""

    def __init__(self, view: PictureRows) -> None:
        super().__init__(view)
        self._view = view
        self.setObjectName("row_names")
        self.setProperty("role", "small")
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)

    def paintEvent(self, event: QPaintEvent) -> None:
        """Each name beside the middle of its row; those that have no room are left to the tooltips."""
        if self.width() <= 2 * _AIR:
            return
        painter, metrics = QPainter(self), self.fontMetrics()
        painter.fillRect(self.rect(), self.palette().base())
        painter.setPen(self.palette().text().color())
        below = float("-inf")
        for row, name in enumerate(self._view.rows):
            top, bottom = self._view.row_place(row)
            lines = 2 if bottom - top >= 2 * metrics.height() else 1
            height = lines * metrics.height()
            box = QRectF(_AIR, (top + bottom - height) / 2, self.width() - 2 * _AIR, height)
            if box.top() < below:
                continue
            below = box.bottom()
            if metrics.horizontalAdvance(name) <= box.width() or lines == 1:
                name = metrics.elidedText(name, Qt.TextElideMode.ElideRight, int(box.width()))
            painter.drawText(box, _RIGHT | Qt.TextFlag.TextWordWrap, name)
        painter.end()
