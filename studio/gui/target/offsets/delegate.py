"""How cells of the offsets table are drawn and edited. A bad entry keeps its editor open, with the person's text."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QColor, QFocusEvent, QIcon, QImage, QKeyEvent, QPainter, QPalette, QPen
from PySide6.QtWidgets import (
    QAbstractItemDelegate,
    QLineEdit,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QWidget,
)

from studio.gui.target.offsets.columns import HEADERS, Column
from studio.gui.widgets.theme import ThemeManager

THUMBNAIL = 22
SWATCH = 5

Index = QModelIndex | QPersistentModelIndex
Enter = Callable[[int, Column, str], bool]
"""(row, column, text) → whether it was taken; if not, the person has been told why."""

_COMMIT_KEYS = {
    Qt.Key.Key_Return: 0,
    Qt.Key.Key_Enter: 0,
    Qt.Key.Key_Tab: 1,
    Qt.Key.Key_Backtab: -1,
}


class CellEditor(QLineEdit):
    """A line of text over one cell; remembers which, because a delegate is not told."""

    def __init__(self, row: int, column: Column, parent: QWidget) -> None:
        super().__init__(parent)
        self.row = row
        self.column = column
        self.setFrame(False)
        self.setAlignment(Qt.AlignmentFlag.AlignRight)
        self.setAutoFillBackground(True)
        self.setObjectName("cell_editor")
        self.setAccessibleName(HEADERS[column].name)


class OffsetsDelegate(QStyledItemDelegate):
    """Draws swatch and thumbnail, marks what can be edited, and asks `enter` before an editor closes."""

    tabbed = Signal(int)  # +1 or −1: committed by Tab or Shift+Tab, on to another cell
    reverted = Signal()  # the person gave the entry up

    def __init__(self, theme: ThemeManager, enter: Enter, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._enter = enter

    # -- drawing

    def initStyleOption(self, option: QStyleOptionViewItem, index: Index) -> None:
        super().initStyleOption(option, index)
        tokens = self._theme.tokens
        column = Column(index.column())
        if not column.editable:
            option.backgroundBrush = QBrush(QColor(tokens.window))
        if index.data() == "0.000" or not (column.editable or column is Column.CLASS):
            option.palette.setColor(QPalette.ColorRole.Text, QColor(tokens.muted))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        plain = QStyleOptionViewItem(option)
        plain.state &= ~QStyle.StateFlag.State_HasFocus
        if index.column() == Column.CLASS:
            self._paint_class(painter, plain, index)
        else:
            super().paint(painter, plain, index)
        if option.state & QStyle.StateFlag.State_HasFocus:
            tokens = self._theme.tokens
            selected = bool(option.state & QStyle.StateFlag.State_Selected)
            painter.save()
            painter.setPen(QPen(QColor(tokens.on_accent if selected else tokens.focus), 2))
            painter.drawRect(option.rect.adjusted(2, 2, -2, -2))
            painter.restore()

    def _paint_class(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Colour, example, name. By hand, because Qt would smooth the few pixels of a small example."""
        self.initStyleOption(option, index)
        name, image = option.text, index.data(Qt.ItemDataRole.DecorationRole)
        option.text, option.icon = "", QIcon()
        option.features &= ~QStyleOptionViewItem.ViewItemFeature.HasDecoration
        style = option.widget.style()
        style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, option.widget)
        cell, gap = option.rect, self._theme.tokens.spacing // 2
        painter.save()
        painter.fillRect(
            QRect(cell.left(), cell.top() + 1, SWATCH, cell.height() - 2),
            QColor(self._theme.tokens.class_colour(index.row())),
        )
        place = QRect(cell.left() + SWATCH + gap, cell.center().y() - THUMBNAIL // 2 + 1, THUMBNAIL, THUMBNAIL)
        if isinstance(image, QImage):
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, on=_is_large(image))
            painter.drawImage(_fitted(image.size(), place), image)
        words = cell.adjusted(place.right() - cell.left() + 1 + 2 * gap, 0, -gap, 0)
        selected = bool(option.state & QStyle.StateFlag.State_Selected)
        role = QPalette.ColorRole.HighlightedText if selected else QPalette.ColorRole.Text
        painter.setPen(option.palette.color(role))
        painter.setFont(option.font)
        text = option.fontMetrics.elidedText(name, Qt.TextElideMode.ElideRight, words.width())
        painter.drawText(words, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, text)
        painter.restore()

    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        return QSize(super().sizeHint(option, index).width(), THUMBNAIL + 4)

    # -- editing

    def createEditor(self, parent: QWidget, option: QStyleOptionViewItem, index: Index) -> QWidget:
        return CellEditor(index.row(), Column(index.column()), parent)

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
        if editor.isModified() and not self._enter(editor.row, editor.column, editor.text()):
            return False
        self._close(editor)
        return True

    def _close(self, editor: CellEditor) -> None:
        editor.setModified(False)
        self.closeEditor.emit(editor, QAbstractItemDelegate.EndEditHint.NoHint)


def _is_large(image: QImage) -> bool:
    return max(image.width(), image.height()) > 2 * THUMBNAIL


def _fitted(size: QSize, place: QRect) -> QRect:
    """The largest rectangle of that shape in the middle of `place`."""
    fitted = QRect(place.topLeft(), size.scaled(place.size(), Qt.AspectRatioMode.KeepAspectRatio))
    fitted.moveCenter(place.center())
    return fitted
