"""What shows that the studio was asked for, while the modules of its window are still being read.

So nothing is imported here but Qt and the look.
"""

from __future__ import annotations

import math
import sys
import time

from PySide6.QtCore import QRectF, QSettings, Qt
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QIcon, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QLabel, QWidget

from studio import __version__
from studio.gui.widgets.theme import ThemeManager, ThemeMode
from studio.paths import resources
from studio.theme_tokens import Tokens

_ICON, _GAP = 84, 28
_PATIENCE = 0.2
"""Seconds that a desktop may take to have room for it on the screen; then it goes on without."""


def make_application() -> QApplication:
    """The application, by its name and with its icon; the one there is if there is one."""
    app = QApplication.instance() or QApplication(sys.argv[:1])
    assert isinstance(app, QApplication)
    app.setApplicationName("Perturbation Studio")
    app.setApplicationVersion(__version__)
    app.setDesktopFileName("perturbation-studio")
    app.setWindowIcon(QIcon(_icon()))
    return app


def settings_of_person() -> QSettings:
    """What the studio remembers from one time to the next."""
    return QSettings("perturbation-studio", "studio")


def theme_of_person(settings: QSettings) -> ThemeManager:
    """The look that was chosen the last time."""
    try:
        return ThemeManager(ThemeMode(str(settings.value("theme", ThemeMode.SYSTEM))))
    except ValueError:
        return ThemeManager(ThemeMode.SYSTEM)


def show_splash() -> QWidget:
    """Show the studio's name, painted by the time that this returns; close it when the window is there.

    Not Qt's own splash screen, which waits a second to be on the screen before it is painted.
    """
    app = make_application()
    tokens = theme_of_person(settings_of_person()).tokens
    splash = QLabel(None, Qt.WindowType.SplashScreen | Qt.WindowType.FramelessWindowHint)
    splash.setObjectName("splash")
    splash.setAttribute(Qt.WidgetAttribute.WA_QuitOnClose, False)
    splash.setPixmap(picture(tokens, app.devicePixelRatio()))
    splash.adjustSize()
    splash.move(app.primaryScreen().availableGeometry().center() - splash.rect().center())
    splash.setAccessibleName("Perturbation Studio is opening")
    splash.show()
    deadline = time.monotonic() + _PATIENCE
    while not splash.windowHandle().isExposed() and time.monotonic() < deadline:
        app.processEvents()
    splash.repaint()
    app.processEvents()
    return splash


def picture(tokens: Tokens, ratio: float) -> QPixmap:
    """Icon, name and version in a frame that is as wide as they are.

    Args:
        ratio: pixels of the screen for each of Qt's.
    """
    title, note = QFont(), QFont()
    title.setPointSizeF(1.7 * tokens.font_body)
    title.setWeight(QFont.Weight.DemiBold)
    note.setPointSizeF(tokens.font_body)
    lines = (("Perturbation Studio", title, tokens.text), (f"{__version__} · opening…", note, tokens.muted))
    text_width = max(QFontMetricsF(font).horizontalAdvance(text) for text, font, _ in lines)
    width, height = math.ceil(3 * _GAP + _ICON + text_width), 2 * _GAP + _ICON
    pixmap = QPixmap(math.ceil(width * ratio), math.ceil(height * ratio))
    pixmap.setDevicePixelRatio(ratio)
    pixmap.fill(QColor(tokens.raised))
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    QSvgRenderer(_icon()).render(painter, QRectF(_GAP, _GAP, _ICON, _ICON))
    for place, (text, font, colour) in enumerate(lines):
        painter.setFont(font)
        painter.setPen(QColor(colour))
        box = QRectF(2 * _GAP + _ICON, _GAP + place * _ICON / 2, text_width + 1, _ICON / 2)
        painter.drawText(box, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, text)
    painter.setPen(QColor(tokens.border))
    painter.drawRect(QRectF(0.5, 0.5, width - 1, height - 1))
    painter.end()
    return pixmap


def _icon() -> str:
    return str(resources() / "icons" / "app.svg")
