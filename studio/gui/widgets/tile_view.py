"""A picture of images in rows, each of which can be picked: by click, Ctrl+click and keyboard; picked ones are framed,
favourites have a mark.
"""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QPoint, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QPainter, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QApplication

from studio.gui.widgets.image_view import ImageView
from studio.gui.widgets.pictures import GAP, columns_for, columns_of
from studio.gui.widgets.theme import ThemeManager, Tokens
from studio.gui.widgets.tooltip import KeyHelp

_MOVES = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
_FRAME, _MARK = 2.0, 9.0  # screen pixels


class TileView(ImageView):
    """A mosaic.

    Attributes:
        picked: places of the images that are picked, in the order of picking.
        current: place that the keyboard is at.
        columns: images in a row.
        pinned: places of the favourites.
    """

    KEYS = KeyHelp(
        "In the samples",
        (
            ("Go to the next sample", "Arrows"),
            ("Pick it, with others", "Space, Ctrl+click"),
            ("Let go of what is picked", "Esc"),
            ("Zoom", "+ and −, Ctrl+wheel"),
            ("Fit", "F or Home"),
        ),
    )

    picks_changed = Signal(object)  # tuple[int, ...], by the person
    current_changed = Signal(int)
    resized = Signal()

    def __init__(self, name: str, theme: ThemeManager) -> None:
        super().__init__(name)
        self.name = name
        self.picked: tuple[int, ...] = ()
        self.current = 0
        self.columns = 1
        self.pinned: frozenset[int] = frozenset()
        self._count, self._height, self._width = 0, 1, 1
        self._pressed: QPoint | None = None
        self._tokens = theme.tokens
        theme.changed.connect(self._restyle)

    def set_tiles(self, count: int, height: int, width: int) -> None:
        """The picture shows so many images of this size."""
        self._count, self._height, self._width = count, height, width
        self.columns = columns_of(count)
        self.current = min(self.current, max(0, count - 1))
        self.show_picks(tuple(place for place in self.picked if place < count))

    def show_picks(self, picked: tuple[int, ...]) -> None:
        """Frame these; tells nobody."""
        self.picked = picked
        self._say()

    def show_pins(self, pinned: Collection[int]) -> None:
        self.pinned = frozenset(pinned)
        self._say()

    def place_at(self, column: int, row: int) -> int | None:
        """Which image is at a picture's pixel."""
        across = self.columns
        place = row // (self._height + GAP) * across + min(across - 1, column // (self._width + GAP))
        return place if 0 <= place < self._count and column >= 0 and row >= 0 else None

    def rect_of(self, place: int) -> QRectF:
        """Where an image is, in picture pixels."""
        row, column = divmod(place, self.columns)
        return QRectF(column * (self._width + GAP), row * (self._height + GAP), self._width, self._height)

    def pick(self, place: int, *, more: bool) -> None:
        """Pick an image, or let it go; with `more` beside those that are picked."""
        kept = self.picked if more else ()
        others = tuple(each for each in kept if each != place)
        here = place in self.picked and (more or self.picked == (place,))
        self.show_picks(others if here else (*others, place))
        self.picks_changed.emit(self.picked)

    def drop_picks(self) -> None:
        if self.picked:
            self.show_picks(())
            self.picks_changed.emit(())

    def _go(self, place: int) -> None:
        self.current = place
        self.ensureVisible(self.rect_of(place), 1, 1)
        self._say()
        self.current_changed.emit(place)

    def _say(self) -> None:
        """Draw anew, and tell screen readers where the keyboard is."""
        picked = f"picked as number {self.picked.index(self.current) + 1}" if self.current in self.picked else ""
        said = [f"Sample {self.current + 1} of {self._count}", picked, "pinned" if self.current in self.pinned else ""]
        self.setAccessibleDescription(", ".join(part for part in said if part))
        self.viewport().update()

    def fill(self, room: QSize) -> None:
        """Break the rows so that the images are largest in this room; whoever has the picture draws it anew."""
        self.columns = columns_for(self._count, QSize(self._width, self._height), room)

    # -- events

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.resized.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        self._pressed = event.position().toPoint() if event.button() is Qt.MouseButton.LeftButton else None
        super().mousePressEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """The end of a click picks the image below it."""
        super().mouseReleaseEvent(event)
        began, self._pressed = self._pressed, None
        ended = event.position().toPoint()
        if began is None or (ended - began).manhattanLength() >= QApplication.startDragDistance():
            return
        at = self.mapToScene(ended)
        place = self.place_at(int(at.x()), int(at.y())) if self.sceneRect().contains(at) else None
        if place is None:
            self.drop_picks()
            return
        self._go(place)
        self.pick(place, more=bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        move = _MOVES.get(Qt.Key(event.key()))
        if move is not None and self._count:
            place = self.current + move[0] + self.columns * move[1]
            if 0 <= place < self._count:
                self._go(place)
        elif event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._count:
            self.pick(self.current, more=True)
        elif event.key() == Qt.Key.Key_Escape and self.picked:
            self.drop_picks()
        else:
            super().keyPressEvent(event)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self._say()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._say()

    def drawForeground(self, painter: QPainter, rect: QRectF | object) -> None:
        """Frames and marks, as thick on the screen at every zoom."""
        zoom = self.zoom or 1.0
        painter.setBrush(Qt.BrushStyle.NoBrush)
        inset = _FRAME / zoom / 2
        for place in self.picked:
            self._frame(painter, place, QPen(QColor(self._tokens.accent), _FRAME / zoom), inset)
        if self.hasFocus() and self._count:
            pen = QPen(QColor(self._tokens.focus), _FRAME / zoom, Qt.PenStyle.DotLine)
            self._frame(painter, self.current, pen, -inset)
        side = min(_MARK / zoom, 0.4 * min(self._width, self._height))
        painter.setPen(QPen(QColor(self._tokens.surface), 1 / zoom))
        painter.setBrush(QColor(self._tokens.series_colour(1)))
        for place in self.pinned:
            if place < self._count:
                corner = self.rect_of(place).topRight()
                across, down = QPointF(-side, 0), QPointF(0, side)
                painter.drawPolygon(QPolygonF([corner, corner + across, corner + down]))

    def _frame(self, painter: QPainter, place: int, pen: QPen, inset: float) -> None:
        painter.setPen(pen)
        painter.drawRect(self.rect_of(place).adjusted(inset, inset, -inset, -inset))

    def _restyle(self, tokens: Tokens) -> None:
        self._tokens = tokens
        self.viewport().update()
