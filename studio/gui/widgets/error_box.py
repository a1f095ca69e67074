"""Boxes in front of the window: an error that has no field to stand beside, and a question."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from studio.errors import UserError


def error_box(error: UserError, window: QWidget) -> QMessageBox:
    """What happened, and what to do next; the caller says whether to wait for it (`exec`) or not (`open`)."""
    box = QMessageBox(QMessageBox.Icon.Warning, error.title, error.title, QMessageBox.StandardButton.Ok, window)
    box.setObjectName("error_box")
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText("\n\n".join(part for part in (error.message, error.hint) if part))
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
