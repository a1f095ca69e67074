"""What tells the person something: boxes in front of the window, a balloon beside a cell, a notification."""

from __future__ import annotations

from PySide6.QtCore import QPoint, QRect, Qt, QTimer
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QPalette
from PySide6.QtWidgets import QApplication, QFrame, QMessageBox, QSizePolicy, QSystemTrayIcon, QWidget

from studio.errors import UserError
from studio.gui.widgets.labels import WrappedLabel
from studio.number_text import unbroken

_WIDEST, _GAP = 340, 3  # of a balloon, and from its cell; in pixels


def error_box(error: UserError, window: QWidget) -> QMessageBox:
    """What happened, and what to do next; the caller says whether to wait for it (`exec`) or not (`open`)."""
    box = QMessageBox(QMessageBox.Icon.Warning, error.title, error.title, QMessageBox.StandardButton.Ok, window)
    box.setObjectName("error_box")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(unbroken("\n\n".join(part for part in (error.message, error.hint) if part)))
    box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    return box


def agrees(question: str, text: str, yes: str, no: str, window: QWidget) -> bool:
    """Whether the person answers yes; Return and Esc say no."""
    box = QMessageBox(QMessageBox.Icon.Question, question, question, parent=window)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(text)
    agree = box.addButton(yes, QMessageBox.ButtonRole.AcceptRole)
    box.setDefaultButton(box.addButton(no, QMessageBox.ButtonRole.RejectRole))
    box.exec()
    return box.clickedButton() is agree


class CellMessage(WrappedLabel):
    """Hidden until told what to say. Child of the widget that it may cover."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent=parent)
        self.setObjectName("cell_message")
        self.setProperty("role", "error")
        self.setFrameShape(QFrame.Shape.Box)
        self.setAutoFillBackground(True)
        self.setBackgroundRole(QPalette.ColorRole.ToolTipBase)
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


_SHOWN = 15_000
"""Milliseconds for which the icon that it belongs to stays in the tray."""


def notify(title: str, text: str, window: QWidget) -> None:
    """Tell, unless the person has the window before them.

    Where the desktop has a tray that shows messages, it is one of these; everywhere, the window asks for attention.

    Args:
        window: it is raised by a click.
    """
    if window.isActiveWindow():
        return
    QApplication.alert(window)
    if not (QSystemTrayIcon.isSystemTrayAvailable() and QSystemTrayIcon.supportsMessages()):
        return
    icon = QSystemTrayIcon(window.windowIcon(), window)
    icon.setToolTip(title)
    icon.messageClicked.connect(window.raise_)
    icon.messageClicked.connect(window.activateWindow)
    icon.show()
    icon.showMessage(title, text, window.windowIcon(), _SHOWN)
    QTimer.singleShot(_SHOWN, icon, icon.hide)
    QTimer.singleShot(_SHOWN, icon, icon.deleteLater)
