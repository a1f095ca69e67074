"""What the live panels share: drawn only while it can be seen, dressed by the theme, and never just blank."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QStackedLayout, QWidget

from studio.gui.widgets.labels import WrappedLabel
from studio.gui.widgets.layouts import column_of
from studio.gui.widgets.theme import ThemeManager, Tokens
from studio.gui.widgets.tooltip import tooltip

_COVER = 165
"""Of 255: what is below can be seen, and is not taken for what counts."""
_AIR = 4


class Veil(QWidget):
    """Dims a panel whose numbers belong to something else than the window is about, and says to what."""

    def __init__(self, theme: ThemeManager, below: QWidget) -> None:
        super().__init__(below)
        self._theme, self._below = theme, below
        self.words = ""
        self.room = self.fontMetrics().height() + 2 * _AIR  # that the words take above what is below
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
        if event.type() == QEvent.Type.Resize:
            self.resize(self._below.size())
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, painter = self._theme.tokens, QPainter(self)
        cover = QColor(tokens.window)
        cover.setAlpha(_COVER)
        painter.fillRect(event.rect(), cover)
        metrics = self.fontMetrics()
        text = metrics.elidedText(self.words, Qt.TextElideMode.ElideMiddle, self.width() - 4 * _AIR)
        box = metrics.boundingRect(text).adjusted(-_AIR, -_AIR, _AIR, _AIR)
        box.moveTopRight(self.rect().topRight())
        painter.fillRect(box, QColor(tokens.surface))
        painter.setPen(QColor(tokens.text))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, text)


class _EmptyPage(WrappedLabel):
    """What will appear and, on its last line, what to do to get it; that alone where there is no room for all."""

    def __init__(self, margin: int) -> None:
        super().__init__()
        self.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.whole = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setProperty("role", "muted")
        self.setMargin(margin)
        self.setMinimumSize(80, 40)

    def show_text(self, text: str) -> None:
        self.whole = text
        self.setText(text)
        if self.heightForWidth(self.width()) > self.height():
            self.setText(text.splitlines()[-1] if text else "")
        self.setToolTip(tooltip(*text.splitlines()) if self.text() != text else "")

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.show_text(self.whole)


class LivePanel(QWidget):
    """A panel that follows a run.

    A subclass adds its widgets to `body`, calls `request_draw` when there is news, and draws in `draw`. It calls
    `show_empty` with what will appear and what to do to get it, and `show_body` when there is something.

    Attributes:
        what_next: what to do now for something to come of a run, given what comes then.
        figures: its newest values, as rich text, a line each, for the head of a card.
        caption: whose numbers it shows, for below a picture of them: run, step and target.
    """

    figures_changed = Signal(str)

    NAME = ""
    TITLE = ""
    OF_RUN = False
    """All that it shows is of the run that is shown."""
    OF_STEP = False
    """What it shows of a run is of one step."""
    OF_IMAGES = False
    """A run of points never has any."""

    def __init__(self, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(self.NAME)
        self.setAccessibleName(self.TITLE)
        self.theme = theme
        self.figures = ""
        self.caption: Callable[[], str] = lambda: ""
        self.what_next: Callable[[str], str] = "Press Start to train; {}".format
        self._awaited = "", ""  # what will appear, and what comes of a run
        self._stale = False
        self._empty = _EmptyPage(theme.tokens.spacing)
        content, half = QWidget(), theme.tokens.spacing // 2
        self.body = column_of(inside=content, margins=half, spacing=half)
        self._stack = QStackedLayout(self)
        self._stack.addWidget(self._empty)
        self._stack.addWidget(content)
        self.veil, self._owner = Veil(theme, self), ""
        theme.changed.connect(self._on_theme)

    def draw(self) -> None:
        """Bring the widgets up to date; called only while they can be seen."""

    def restyle(self, tokens: Tokens) -> None:
        """Take up another look."""

    def set_compact(self, on: bool) -> None:
        """Show what matters most, without controls and legend, as on a small card; or all again."""

    def set_figures(self, text: str) -> None:
        text = "" if self._owner else text  # no veil is over the head
        if text != self.figures:
            self.figures = text
            self.figures_changed.emit(text)

    @Slot(str)
    def show_owner(self, words: str) -> None:
        """Say whose the numbers are where they are not what the window is about; empty where they are."""
        owner = words if self.OF_RUN else ""
        if owner != self._owner:
            self._owner = owner
            self.set_figures(self.figures)
            self._show_page(self._stack.currentIndex())
            self.request_draw()

    def request_draw(self) -> None:
        """Draw now, or as soon as the panel can be seen."""
        if self.on_screen():
            self._stale = False
            self.draw()
        else:
            self._stale = True

    def on_screen(self) -> bool:
        """Whether anything of it can be seen; a dock behind another tab is visible to Qt, but has no region."""
        return self.isVisible() and not self.window().isMinimized() and not self.visibleRegion().isEmpty()

    def show_empty(self, text: str, coming: str = "") -> None:
        """Say what will appear here and what to do to get it, or else what of it is `coming` once a run trains."""
        self._awaited = text, coming
        self.tell_next()
        self._show_page(0)
        self.set_figures("")

    @Slot()
    def tell_next(self) -> None:
        """Say what to do now: the window is about something else, or that has gone on."""
        text, coming = self._awaited
        words = f"{text}\n{self.what_next(coming)}" if coming else text
        if words != self._empty.whole:
            self._empty.show_text(words)

    def show_body(self) -> None:
        self._show_page(1)

    def _show_page(self, index: int) -> None:
        self._stack.setCurrentIndex(index)
        words = self._owner if index else ""  # what will appear is nobody's
        margins = self.body.contentsMargins()
        margins.setTop(margins.bottom() + (self.veil.room if words else 0))  # the words cover nothing
        self.body.setContentsMargins(margins)
        self.veil.show_words(words)  # the stack has raised its page

    @property
    def empty_text(self) -> str:
        """What stands in place of the widgets; empty while they are shown."""
        return self._empty.whole if self._stack.currentIndex() == 0 else ""

    def paintEvent(self, event: QPaintEvent) -> None:
        """Coming into sight: catch up."""
        super().paintEvent(event)
        self._catch_up_soon()

    def changeEvent(self, event: QEvent) -> None:
        """Catch up when the window is restored."""
        super().changeEvent(event)
        self._catch_up_soon()

    def _catch_up_soon(self) -> None:
        if getattr(self, "_stale", False):
            QTimer.singleShot(0, self, self._catch_up)

    @Slot()
    def _catch_up(self) -> None:
        if self._stale:
            self.request_draw()

    @Slot(object)
    def _on_theme(self, tokens: Tokens) -> None:
        self.restyle(tokens)
        self.request_draw()
