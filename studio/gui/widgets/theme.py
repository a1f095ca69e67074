"""Light and dark: follows the system or does as it is told, and tells every panel when it changes.

Fusion with palettes of our own, because asking Qt for a colour scheme has no effect on a bare X11 desktop, and one
small style sheet for what a palette cannot say (focus rings, tooltips, titles).
"""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Any

import shiboken6
from PySide6.QtCore import QByteArray, QObject, QRect, QRectF, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QFont, QGuiApplication, QIcon, QIconEngine, QPainter, QPalette, QPen, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QApplication, QToolTip

from studio.gui.widgets.stylesheet import stylesheet
from studio.paths import resources
from studio.theme_tokens import Tokens, load_tokens

__all__ = ["ThemeManager", "ThemeMode", "Tokens", "mixed", "outline_pens", "palette_of"]


class ThemeMode(StrEnum):
    """What the person asked for."""

    SYSTEM = "system"
    LIGHT = "light"
    DARK = "dark"


class ThemeManager(QObject):
    """The look in use. Panels read `tokens` and listen to `changed`."""

    changed = Signal(object)  # Tokens

    def __init__(self, mode: ThemeMode | str = ThemeMode.SYSTEM, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.mode = ThemeMode(mode)
        self._app: QApplication | None = None
        self._dressed = False
        self._bound: dict[Any, str] = {}
        self._icons: dict[tuple[str, str, str], QIcon] = {}  # a window has hundreds, most of them alike
        self._points = _system_points()
        self.tokens = load_tokens(dark=self._wants_dark(), points=self._points)
        hints = QGuiApplication.styleHints()
        if hints is not None:
            hints.colorSchemeChanged.connect(self._refresh)

    def set_mode(self, mode: ThemeMode | str) -> None:
        """Follow the system, or be light or dark whatever it says."""
        self.mode = ThemeMode(mode)
        self._refresh()

    def apply(self, app: QApplication) -> None:
        """Dress the application, now and whenever the look changes."""
        self.prepare(app)
        self._dress()

    def prepare(self, app: QApplication) -> None:
        """Set what widgets measure by when they are made; `dress` does the rest.

        Between the two a window is made in less time, by a fifth with its painting: under a style sheet, whatever is
        put into something else is polished anew, with all that is in it.
        """
        self._app = app
        app.setStyle("Fusion")
        font = app.font()
        font.setFeature(QFont.Tag("tnum"), 1)  # digits of one width, so that numbers do not jump
        app.setFont(font)

    def dress(self) -> None:
        """Put on palette and style sheet, unless they are or nothing is prepared."""
        if not self._dressed:
            self._dress()

    def icon(self, name: str, colour: str = "") -> QIcon:
        """One of ``resources/icons`` in the text colour, or in `colour` (``#rrggbb``); greyed when disabled."""
        kind = (name, colour or self.tokens.text, self.tokens.disabled)
        if kind not in self._icons:
            self._icons[kind] = QIcon(_Drawing(*kind))
        return self._icons[kind]

    def bind_icon(self, target: Any, name: str) -> None:
        """Give an action or a button an icon that keeps to the look; a later call for the same target replaces it."""
        if self._bound.get(target) == name:
            return
        self._bound[target] = name
        target.setProperty("iconName", name)
        target.setIcon(self.icon(name))

    def _wants_dark(self) -> bool:
        return _system_is_dark() if self.mode is ThemeMode.SYSTEM else self.mode is ThemeMode.DARK

    @Slot()
    def _refresh(self) -> None:
        tokens = load_tokens(dark=self._wants_dark(), points=self._points)
        if tokens == self.tokens:
            return
        self.tokens = tokens
        self._dress()
        self._bound = {target: name for target, name in self._bound.items() if shiboken6.isValid(target)}
        for target, name in self._bound.items():
            target.setIcon(self.icon(name))
        self.changed.emit(tokens)

    def _dress(self) -> None:
        if self._app is None:
            return
        self._dressed = True
        self._app.setStyleSheet("")  # to replace one sheet by another takes three times as long
        palette = palette_of(self.tokens)
        self._app.setPalette(palette)
        QToolTip.setPalette(palette)
        self._app.setStyleSheet(stylesheet(self.tokens))


def palette_of(tokens: Tokens) -> QPalette:
    """The tokens as Qt's own roles."""
    role = QPalette.ColorRole
    colours = {
        role.Window: tokens.window,
        role.WindowText: tokens.text,
        role.Base: tokens.surface,
        role.AlternateBase: tokens.window,
        role.Text: tokens.text,
        role.PlaceholderText: tokens.muted,
        role.Button: tokens.raised,
        role.ButtonText: tokens.text,
        role.BrightText: tokens.error,
        role.ToolTipBase: tokens.raised,
        role.ToolTipText: tokens.text,
        role.Highlight: tokens.accent,
        role.HighlightedText: tokens.on_accent,
        role.Accent: tokens.accent,
        role.Link: tokens.accent,
        role.LinkVisited: tokens.muted,
        role.Light: tokens.hover,
        role.Midlight: tokens.hover,
        role.Mid: tokens.border,
        role.Dark: tokens.border,
        role.Shadow: tokens.border,
    }
    palette = QPalette()
    for each, colour in colours.items():
        palette.setColor(each, QColor(colour))
    for each in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, each, QColor(tokens.disabled))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Base, QColor(tokens.window))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(tokens.border))
    palette.setColor(QPalette.ColorGroup.Disabled, role.HighlightedText, QColor(tokens.muted))
    return palette


def _system_is_dark() -> bool:
    """What the desktop says; light where it says nothing."""
    hints = QGuiApplication.styleHints()
    scheme = hints.colorScheme() if hints is not None else Qt.ColorScheme.Unknown
    if scheme is not Qt.ColorScheme.Unknown:
        return scheme is Qt.ColorScheme.Dark
    return os.environ.get("GTK_THEME", "").lower().replace(":", "-").endswith("-dark")


def _system_points() -> float:
    size = QGuiApplication.font().pointSizeF()
    return size if size > 0 else 10.0


class _Drawing(QIconEngine):
    """One of the icons, drawn when it is painted, so that it is sharp at every size and costs nothing unseen.

    Args:
        normal: its colour, ``#rrggbb``; `disabled`: the same, greyed.
    """

    def __init__(self, name: str, normal: str, disabled: str) -> None:
        super().__init__()
        self._source = (resources() / "icons" / f"{name}.svg").read_text(encoding="utf-8")
        self._of = (name, normal, disabled)

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        _, normal, disabled = self._of
        source = self._source.replace("currentColor", disabled if mode is QIcon.Mode.Disabled else normal)
        QSvgRenderer(QByteArray(source.encode())).render(painter, QRectF(rect))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        """On a clear ground, where Qt's own would be on whatever the memory holds; none for a button without room."""
        pixmap = QPixmap(size)
        if pixmap.isNull():
            return pixmap
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        self.paint(painter, pixmap.rect(), mode, state)
        painter.end()
        return pixmap

    def clone(self) -> QIconEngine:
        """For an icon that a picture is added to. None may be: PySide frees what this returns while Qt holds it."""
        return _Drawing(*self._of)


def outline_pens(tokens: Tokens) -> tuple[QPen, QPen]:
    """One to draw all with first, in the colour of what is below, and the pen itself."""
    return QPen(QColor(tokens.surface), 3.5), QPen(QColor(tokens.target), 1.5)


def mixed(colour: QColor, ground: QColor, share: float) -> QColor:
    """What a translucent colour would look like on its ground, but opaque."""
    pairs = ((colour.red(), ground.red()), (colour.green(), ground.green()), (colour.blue(), ground.blue()))
    return QColor(*(round(share * top + (1 - share) * below) for top, below in pairs))
