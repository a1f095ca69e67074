"""A legend of buttons: colour, name, newest value; a click or the space bar hides and shows the curve."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPen, QPixmap
from PySide6.QtWidgets import QSizePolicy, QToolButton, QWidget

from studio.gui.plots.plot import Plot
from studio.gui.widgets.flow_layout import FlowLayout
from studio.gui.widgets.theme import ThemeManager, Tokens
from studio.gui.widgets.tooltip import set_help
from studio.number_text import FIGURE_SPACE

_SWATCH = 12


class Chip(QToolButton):
    """One entry of a legend; keeps its width whatever the value.

    Args:
        width: characters reserved for the value; 0 shows none.
    """

    def __init__(self, name: str, title: str, tip: str, width: int = 0) -> None:
        super().__init__()
        self.name, self.title, self.tip, self._width = name, title, tip, width
        self._value = ""
        self._compact = False
        self.setObjectName(f"show_{name}")
        self.setProperty("chip", True)
        self.setCheckable(True)
        self.setChecked(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.setIconSize(QSize(_SWATCH, _SWATCH))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        set_help(self, f"Show {title}", f"{tip} Click to hide or show it.".strip())
        self.set_value("")

    def set_value(self, value: str) -> None:
        self._value = value
        text = f"{self.title} {value}" if self._width and not self._compact else self.title
        text = text.replace("&", "&&")  # a single one underlines a letter
        if text != self.text():
            self.setText(text)

    def set_compact(self, on: bool) -> None:
        """Leave the value out."""
        self._compact = on
        self.set_value(self._value)
        self._fix_size()

    def _fix_size(self) -> None:
        """As wide as the longest value; without a fixed size each new value would lay out the panel anew."""
        figures = 0 if self._compact else self._width
        widest = self.fontMetrics().horizontalAdvance(f"{self.title} " + figures * FIGURE_SPACE)
        self.setFixedSize(widest + _SWATCH + 20, self.fontMetrics().height() + 8)

    def event(self, event: QEvent) -> bool:
        """Another font needs another size."""
        if event.type() in (QEvent.Type.Polish, QEvent.Type.FontChange, QEvent.Type.StyleChange):
            self._fix_size()
        return super().event(event)

    def set_colour(self, colour: str, surface: str) -> None:
        """Paint the swatch: filled while the curve is shown, else an outline."""
        icon = QIcon()
        for state, fill in ((QIcon.State.On, colour), (QIcon.State.Off, surface)):
            icon.addPixmap(_swatch(colour, fill), QIcon.Mode.Normal, state)
        self.setIcon(icon)


def is_cramped(panel: QWidget) -> bool:
    """Whether a panel is so small that its legend should show names only, and what is not essential should go."""
    return panel.height() < 180 or (panel.height() < 240 and panel.width() < 400)


class Legend(QWidget):
    """Chips in rows, below pictures of these plots, too."""

    toggled = Signal(str, bool)  # name, shown

    def __init__(self, theme: ThemeManager, *plots: Plot) -> None:
        super().__init__()
        self._theme = theme
        for plot in plots:
            plot.legend = self
        self.chips: dict[str, Chip] = {}
        self._colours: dict[str, tuple[int | str, bool]] = {}
        self._compact = False
        self._flow = FlowLayout(self, spacing=2)
        theme.changed.connect(self._restyle)

    def add(self, chip: Chip, colour: int | str, *, of_class: bool = False) -> Chip:
        """Append an entry, in one of the theme's series colours, that of a class or that of a token's name."""
        self.chips[chip.name] = chip
        self._colours[chip.name] = colour, of_class
        chip.set_compact(self._compact)
        self._flow.addWidget(chip)
        chip.toggled.connect(lambda shown, name=chip.name: self.toggled.emit(name, shown))
        self._restyle(self._theme.tokens)
        return chip

    @property
    def hidden(self) -> frozenset[str]:
        """Names of the curves that are switched off."""
        return frozenset(name for name, chip in self.chips.items() if not chip.isChecked())

    def set_compact(self, on: bool) -> None:
        if on != self._compact:
            self._compact = on
            for chip in self.chips.values():
                chip.set_compact(on)

    def clear(self) -> None:
        for chip in self.chips.values():
            self._flow.removeWidget(chip)
            chip.hide()
            chip.deleteLater()
        self.chips.clear()

    def _restyle(self, tokens: Tokens) -> None:
        for name, chip in self.chips.items():
            colour, of_class = self._colours[name]
            if isinstance(colour, str):
                found = str(getattr(tokens, colour))
            else:
                found = tokens.series_colour(colour, of_class=of_class)
            chip.set_colour(found, tokens.surface)


def _swatch(colour: str, fill: str) -> QPixmap:
    pixmap = QPixmap(4 * _SWATCH, 4 * _SWATCH)
    pixmap.fill(Qt.GlobalColor.transparent)
    painter = QPainter(pixmap)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.scale(4, 4)
    painter.setPen(QPen(QColor(colour), 1.6))
    painter.setBrush(QColor(fill))
    painter.drawRoundedRect(QRectF(1.2, 1.2, _SWATCH - 2.4, _SWATCH - 2.4), 2, 2)
    painter.end()
    return pixmap
