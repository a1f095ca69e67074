"""A number that came of runs against a setting that they differ in: points, their intervals, the mean of each value.

Values of a setting that are no numbers stand side by side in the order of the runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Slot
from PySide6.QtGui import QColor, QPen

from studio.gui.plots.plot import Plot
from studio.gui.plots.ranges import sticky
from studio.gui.widgets.number_format import compact
from studio.gui.widgets.theme import ThemeManager, Tokens

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Dot:
    """A run in the plot.

    Attributes:
        x: its value of the setting: a number or a text.
        y: the number that came of it.
        low, high: its 95 % interval; the number itself where there is none.
    """

    title: str
    x: Any
    y: float
    low: float
    high: float


class SettingPlot(Plot):
    """Shows dots; none at first."""

    def __init__(self, theme: ThemeManager) -> None:
        self._dots: Sequence[Dot] = ()
        self._x = np.empty(0)
        self._bars = pg.ErrorBarItem(beam=0)
        self._means = pg.PlotCurveItem(skipFiniteCheck=True)
        self._points = pg.ScatterPlotItem(size=8)
        super().__init__(theme, "Results against a setting", "setting", "result")
        for item in (self._means, self._bars, self._points):
            self.addItem(item, ignoreBounds=True)
        self.describe = self._describe
        self.reset_asked.connect(self.show_all)
        self.restyle(theme.tokens)

    def set_dots(self, x_label: str, y_label: str, dots: Sequence[Dot]) -> None:
        """Draw these runs."""
        self._dots = dots
        numeric = all(isinstance(dot.x, int | float) and not isinstance(dot.x, bool) for dot in dots)
        names = [] if numeric else list(dict.fromkeys(str(dot.x) for dot in dots))
        self._x = np.array([dot.x if numeric else names.index(str(dot.x)) for dot in dots], dtype=float)
        self.axes["bottom"].names = tuple(names)
        self.set_label("bottom", x_label)
        self.set_label("left", y_label)
        values = self._x
        self._x = _apart(values)
        y = np.array([dot.y for dot in dots])
        low, high = np.array([dot.low for dot in dots]), np.array([dot.high for dot in dots])
        self._bars.setData(x=self._x, y=y, top=high - y, bottom=y - low)
        self._points.setData(self._x, y)
        places = np.unique(values)
        means = np.array([y[values == place].mean() for place in places])
        self._means.setData(places, means) if len(places) > 1 and numeric else self._means.setData([], [])
        self.show_all()

    @Slot()
    def show_all(self) -> None:
        """Show every dot with its interval."""
        if not len(self._dots):
            self.show_range((0.0, 1.0), (0.0, 1.0))
            return
        low, high = float(self._x.min()), float(self._x.max())
        air = 0.08 * (high - low) or 0.5
        bottom, top = sticky(None, min(dot.low for dot in self._dots), max(dot.high for dot in self._dots))
        least = min(dot.low for dot in self._dots)
        self.show_range((low - air, high + air), (max(bottom, 0.0) if least >= 0 else bottom, top))

    def restyle(self, tokens: Tokens) -> None:
        """Take up another look."""
        super().restyle(tokens)
        for item, colour, width in ((self._bars, tokens.series_colour(0), 1.5), (self._means, tokens.muted, 1.5)):
            pen = QPen(QColor(colour), width)
            pen.setCosmetic(True)
            item.setData(pen=pen) if item is self._bars else item.setPen(pen)
        self._points.setBrush(QColor(tokens.series_colour(0)))
        self._points.setPen(QPen(QColor(tokens.surface), 0))

    def _describe(self, x: float, y: float) -> str:
        """The run nearest to the mouse."""
        if not len(self._dots):
            return ""
        (left, right), (bottom, top) = self.view.viewRange()
        values = np.array([dot.y for dot in self._dots])
        across, up = (self._x - x) / (right - left), (values - y) / (top - bottom)
        nearest = int(np.argmin(across**2 + up**2))
        dot = self._dots[nearest]
        interval = f" ({compact(dot.low)} – {compact(dot.high)})" if dot.low < dot.high else ""
        return f"<b>{escape(dot.title)}</b><br>{compact(dot.y)}{interval}"


def _apart(values: Floats) -> Floats:
    """Places along the axis, shape (n,), at which runs of one value stand a little beside each other."""
    apart = values.copy()
    places = np.unique(values)
    width = float(np.diff(places).min()) if len(places) > 1 else 1.0
    for place in places:
        alike = np.flatnonzero(values == place)
        half = min(0.25, 0.03 * (len(alike) - 1)) * width
        apart[alike] += np.linspace(-half, half, len(alike)) if len(alike) > 1 else 0.0
    return apart
