"""What dims a panel whose numbers belong to something else than the window is about, and says to what."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QWidget

from studio.gui.widgets.theme import ThemeManager

_COVER = 165
"""Of 255: what is below can be seen, and is not taken for what counts."""
_AIR = 4


class Veil(QWidget):
    """Over all of a widget; the mouse goes through it."""

    def __init__(self, theme: ThemeManager, below: QWidget) -> None:
        super().__init__(below)
        self._theme, self._below = theme, below
        self.words = ""
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        below.installEventFilter(self)
        self.hide()

    def show_words(self, words: str) -> None:
        """Whose the numbers below are; nothing lifts the veil."""
        self.words = words
        self.setAccessibleName(words)
        self.resize(self._below.size())
        self.setVisible(bool(words))
        self.raise_()
        self.update()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Stay as large as what is below."""
        if event.type() == QEvent.Type.Resize:
            self.resize(self._below.size())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        """Dim, and say whose it is in the lower corner."""
        tokens, painter = self._theme.tokens, QPainter(self)
        cover = QColor(tokens.window)
        cover.setAlpha(_COVER)
        painter.fillRect(event.rect(), cover)
        metrics = self.fontMetrics()
        text = metrics.elidedText(self.words, Qt.TextElideMode.ElideMiddle, self.width() - 4 * _AIR)
        box = metrics.boundingRect(text).adjusted(-_AIR, -_AIR, _AIR, _AIR)
        box.moveBottomRight(self.rect().bottomRight() - self.rect().topLeft())
        painter.fillRect(box, QColor(tokens.surface))
        painter.setPen(QColor(tokens.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)
