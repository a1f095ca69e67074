"""A balloon that says what is wrong with one cell, beside it; it stays until the cause is mended or left."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QPalette
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QWidget

from studio.errors import UserError

_WIDEST = 340
_GAP = 3


class CellMessage(QLabel):
    """Hidden until told what to say. Child of the widget that it may cover."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("cell_message")
        self.setProperty("role", "error")
        self.setFrameShape(QFrame.Shape.Box)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.ToolTipBase)
        self.setWordWrap(True)
        self.setMargin(6)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.hide()

    def show_error(self, error: UserError, cell: QRect) -> None:
        """Say it below `cell`, a rectangle in the parent's coordinates, or above where there is no room."""
        self.setText(str(error))
        parent = self.parentWidget()
        assert parent is not None
        frame = parent.rect()
        width = min(_WIDEST, frame.width() - 2 * _GAP)
        self.setFixedSize(width, self.heightForWidth(width))
        left = max(_GAP, min(cell.left(), frame.right() - width - _GAP))
        below, above = cell.bottom() + _GAP, cell.top() - self.height() - _GAP
        self.move(QPoint(left, below if below + self.height() <= frame.bottom() or above < 0 else above))
        self.show()
        self.raise_()
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self, self.text()))

    def clear_error(self) -> None:
        self.hide()
        self.clear()
