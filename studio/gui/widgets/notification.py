"""A notification of the desktop, for who is not looking at the window."""

from __future__ import annotations

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QSystemTrayIcon, QWidget

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
