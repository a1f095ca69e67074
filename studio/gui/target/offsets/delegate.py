"""How cells of the offsets table are drawn and edited. A bad entry keeps its editor open, with the person's text."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QFont, QImage, QKeyEvent, QPainter, QPen, QWheelEvent
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QAbstractItemView,
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from studio.evaluation.arrival import Answer
from studio.gui.state.tilt_view import TiltView
from studio.gui.target.offsets.bar import Scale, paint_bar
from studio.gui.target.offsets.columns import HEADERS, SIGNS, Column, applied_text, cell_text
from studio.gui.target.offsets.table_model import OffsetsModel
from studio.gui.widgets.theme import ThemeManager, mixed
from studio.theme_tokens import Tokens

THUMBNAIL = 22
"""Least height of an example in pixels; it grows with its row."""
_LARGEST, _AIR, _PART = 56, 8, 0.08  # pixels, and of the width of the table, whose bars need it
SWATCH = 5

Index = QModelIndex | QPersistentModelIndex
Enter = Callable[[int, Column, str], bool]
"""(class, column, text) → whether it was taken; if not, the person has been told why."""

_COMMIT_KEYS = {Qt.Key.Key_Return: 0, Qt.Key.Key_Enter: 0, Qt.Key.Key_Tab: 1, Qt.Key.Key_Backtab: -1}
_NOTCH = 120
_PADDING = 6
_CURRENT, _SELECTED = 0.1, 0.24
"""How much of the accent there is in the row that a person is in, and in what is selected."""
_STATUS_COLOURS = {Answer.ARRIVED: "ok", Answer.STALLED: "warning"}
_UNKNOWN = "not told apart"


def thumbnail_size(height: int, width: int) -> int:
    """Pixels of an example in a row of that height and width."""
    return max(THUMBNAIL, min(_LARGEST, height - _AIR, int(_PART * width)))


class CellEditor(QLineEdit):
    """A line of text over one cell; remembers which, because a delegate is not told."""

    turned = Signal(int, bool)  # notches of the wheel, fine

    def __init__(self, index: int, column: Column, parent: QWidget) -> None:
        super().__init__(parent)
        self.index, self.column = index, column
        self._turned = 0
        self.setFrame(False)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setAutoFillBackground(True)
        self.setObjectName("cell_editor")
        self.setAccessibleName(HEADERS[column].name)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Turn the value; anywhere else the wheel scrolls, so that scrolling edits nothing."""
        event.accept()
        self._turned += event.angleDelta().y()
        notches = int(self._turned / _NOTCH)
        self._turned -= notches * _NOTCH
        if notches:
            self.turned.emit(notches, bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))


class OffsetsDelegate(QStyledItemDelegate):
    """Draws swatch, thumbnail, bar, lock and answer, and asks `enter` before an editor closes.

    Attributes:
        hovered: the row under the mouse, −1 for none.
    """

    tabbed = Signal(int)  # +1 or −1: committed by Tab or Shift+Tab, on to another cell
    reverted = Signal()  # the person gave the entry up
    turned = Signal(int, bool)  # the wheel over an open editor: notches, fine

    def __init__(self, theme: ThemeManager, enter: Enter, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme, self._enter = theme, enter
        self.hovered = -1

    # -- drawing

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """All by hand: the style would ask the model seven things a cell, and smooth the few pixels of an example."""
        model, column, tokens = _model(index), Column(index.column()), self._theme.tokens
        view, here = model.view, _is_current(option, index)
        if view is None:
            return
        place, marked = model.classes[index.row()], not view.fixed and (here or index.row() == self.hovered)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        painter.save()
        if here or selected:  # which the view has filled with the system's own colour
            share = _SELECTED if selected and column.editable else _CURRENT
            painter.fillRect(option.rect, mixed(QColor(tokens.accent), QColor(tokens.surface), share))
        match column:
            case Column.CLASS:
                self._paint_class(painter, option, index, place)
            case Column.BAR:
                self._paint_bar(painter, option.rect, model, place, marked=marked)
            case Column.LOCK:
                if place in view.locked or marked:
                    _paint_lock(painter, option.rect, tokens, closed=place in view.locked)
            case Column.STATUS:
                found = model.arrival(place).answer
                painter.setPen(QColor(getattr(tokens, _STATUS_COLOURS.get(found, "muted"))))
                painter.drawText(option.rect, Qt.AlignmentFlag.AlignCenter, SIGNS[found])
            case _:
                self._paint_text(painter, option, view, place, column)
        if option.state & QStyle.StateFlag.State_HasFocus:
            painter.setRenderHint(QPainter.RenderHint.Antialiasing)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(tokens.focus), 2))
            painter.drawRoundedRect(QRectF(option.rect).adjusted(1.5, 2, -1.5, -2), tokens.radius, tokens.radius)
        painter.restore()

    def _paint_text(
        self, painter: QPainter, option: QStyleOptionViewItem, view: TiltView, place: int, column: Column
    ) -> None:
        tilted = view.perturbation.offsets[place] != 0
        strong = column is Column.TARGET or (column is Column.OFFSET and tilted)
        font = QFont(option.font)
        font.setBold(tilted and column.editable)
        painter.setFont(font)
        painter.setPen(QColor(self._theme.tokens.text if strong else self._theme.tokens.muted))
        area = option.rect.adjusted(_PADDING, 0, -_PADDING, 0)
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        applied, line = applied_text(view, place) if column is Column.OFFSET else "", painter.fontMetrics().height()
        if applied and area.height() >= 2 * line:
            painter.drawText(area.translated(0, -line // 2), right, cell_text(view, place, column))
            font.setBold(False)
            font.setPixelSize(line * 3 // 4)
            painter.setFont(font)
            painter.setPen(QColor(self._theme.tokens.muted))
            painter.drawText(area.translated(0, line // 2), right, f"→ {applied}")
        else:
            painter.drawText(area, right, cell_text(view, place, column))

    def _paint_bar(self, painter: QPainter, cell: QRect, model: OffsetsModel, place: int, *, marked: bool) -> None:
        assert model.view is not None
        scale, found = Scale(cell, model.scale), model.view.generated
        paint_bar(painter, scale, model.view, place, self._theme.tokens, handle=marked)
        left = scale.x(max(float(model.view.summary.target[place]), float(model.view.dataset.shares[place]))) + 12
        room = cell.right() - left
        if found is not None and place in found.untold and painter.fontMetrics().horizontalAdvance(_UNKNOWN) < room:
            painter.setPen(QColor(self._theme.tokens.muted))
            painter.drawText(QRectF(left, cell.top(), room, cell.height()), Qt.AlignmentFlag.AlignVCenter, _UNKNOWN)

    def _paint_class(self, painter: QPainter, option: QStyleOptionViewItem, index: Index, place: int) -> None:
        cell, gap = option.rect, self._theme.tokens.spacing // 2
        colour = QColor(self._theme.tokens.class_colour(place))
        painter.fillRect(QRect(cell.left(), cell.top() + 2, SWATCH, cell.height() - 4), colour)
        size = thumbnail_size(cell.height(), option.widget.width())
        area = QRect(cell.left() + SWATCH + gap, cell.center().y() - size // 2 + 1, size, size)
        image = index.data(Qt.ItemDataRole.DecorationRole)
        if isinstance(image, QImage):
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, on=_is_large(image))
            painter.drawImage(_fitted(image.size(), area), image)
        words = cell.adjusted(area.right() - cell.left() + 1 + 2 * gap, 0, -gap, 0)
        font = QFont(option.font)
        font.setBold(True)
        painter.setFont(font)
        painter.setPen(QColor(self._theme.tokens.text))
        text = painter.fontMetrics().elidedText(index.data(), Qt.TextElideMode.ElideMiddle, words.width())
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(super().sizeHint(option, index).width(), THUMBNAIL + 4)

    # -- editing

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        editor = CellEditor(index.data(OffsetsModel.CLASS), Column(index.column()), parent)
        editor.turned.connect(lambda notches, fine: self._turn(editor, notches, fine))
        return editor

    def setEditorData(self, editor: QWidget, index: Index) -> None:
        assert isinstance(editor, CellEditor)
        # Numbers change under an open editor while a run is under way; what the person has typed stays.
        if not editor.isModified():
            editor.setText(index.data(Qt.ItemDataRole.EditRole).removesuffix("%"))
            editor.selectAll()

    def setModelData(self, editor: QWidget, model: object, index: Index) -> None:
        """Nothing: an entry has been made by then."""

    def eventFilter(self, editor: QObject, event: QEvent) -> bool:
        if not isinstance(editor, CellEditor):
            return super().eventFilter(editor, event)
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            return self._key_pressed(editor, event)
        if event.type() == QEvent.Type.FocusOut and isinstance(event, QFocusEvent):
            left = event.reason() not in (Qt.FocusReason.PopupFocusReason, Qt.FocusReason.ActiveWindowFocusReason)
            if left:
                self.settle(editor)
            return False
        return super().eventFilter(editor, event)

    def _key_pressed(self, editor: CellEditor, event: QKeyEvent) -> bool:
        if event.key() == Qt.Key.Key_Escape:
            self._close(editor)
            self.reverted.emit()
            return True
        direction = _COMMIT_KEYS.get(Qt.Key(event.key()))
        if direction is None:
            return False
        if self.settle(editor) and direction:
            self.tabbed.emit(direction)
        return True

    def settle(self, editor: CellEditor) -> bool:
        """Hand the entry over and close; False if it was refused. One that was not touched changes nothing."""
        if editor.isModified() and not self._enter(editor.index, editor.column, editor.text()):
            return False
        self._close(editor)
        return True

    def _turn(self, editor: CellEditor, notches: int, fine: bool) -> None:
        """What was typed counts first; the editor stays, and shows what becomes of it."""
        if not editor.isModified() or self._enter(editor.index, editor.column, editor.text()):
            editor.setModified(False)
            self.turned.emit(notches, fine)

    def _close(self, editor: CellEditor) -> None:
        editor.setModified(False)
        self.closeEditor.emit(editor, QAbstractItemDelegate.EndEditHint.NoHint)


def _model(index: Index) -> OffsetsModel:
    model = index.model()
    assert isinstance(model, OffsetsModel)
    return model


def _is_current(option: QStyleOptionViewItem, index: Index) -> bool:
    """Whether the person is in this row."""
    view = option.widget
    return isinstance(view, QAbstractItemView) and view.currentIndex().row() == index.row()


def _paint_lock(painter: QPainter, cell: QRect, tokens: Tokens, *, closed: bool) -> None:
    """A padlock; an open one is faint, for it only says that it can be closed."""
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    colour = QColor(tokens.text if closed else tokens.disabled)
    middle = QRectF(cell).center()
    painter.setPen(QPen(colour, 1.6))
    left, turn = middle.x() - 3 + (0 if closed else 5), middle.y() - 6
    painter.drawArc(QRectF(left, turn, 6, 8), 0, 180 * 16)
    painter.setBrush(colour)
    painter.drawRoundedRect(QRectF(middle.x() - 4.5, middle.y() - 1, 9, 7), 1.5, 1.5)


def _is_large(image: QImage) -> bool:
    return max(image.width(), image.height()) > 2 * THUMBNAIL


def _fitted(size: QSize, place: QRect) -> QRect:
    """The largest rectangle of that shape in the middle of `place`."""
    fitted = QRect(place.topLeft(), size.scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio))
    fitted.moveCenter(place.center())
    return fitted
