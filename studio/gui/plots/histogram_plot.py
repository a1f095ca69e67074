"""How values of several series are distributed, over shared bins, with lines to compare them with."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QPen

from studio.gui.plots.axis import Line, nice_above
from studio.gui.plots.bins import shares, value_edges
from studio.gui.plots.plot import Plot
from studio.gui.plots.reference_lines import ReferenceLines
from studio.gui.widgets.theme import ThemeManager, Tokens
from studio.models.diagnostic import Histogram
from studio.number_text import compact, percent, whole

Floats = NDArray[np.float64]
_LEAST_PERCENT = 0.01  # bottom of a logarithmic axis


class HistogramPlot(Plot):
    """Draws one `Histogram`; the series' colours are the theme's, in their order.

    Attributes:
        logarithmic: the share axis is.
    """

    def __init__(self, theme: ThemeManager) -> None:
        self._bars: list[Any] = []
        self._shown: Histogram | None = None
        self._hidden: frozenset[str] = frozenset()
        self._edges: Floats | None = None
        self._shares: dict[str, Floats] = {}
        self._top = 0.0
        self.logarithmic = False
        self.references = ReferenceLines(vertical=True)
        super().__init__(theme, "Histogram", "value", "share of values (%)")
        self.addItem(self.references, ignoreBounds=True)
        self.view.setMouseEnabled(False, False)
        self.describe = self._describe

    def show_histogram(self, histogram: Histogram, hidden: frozenset[str] = frozenset()) -> None:
        """Draw these values; series that are hidden still count for the bins, so that nothing jumps."""
        if self._shown is None or histogram.name != self._shown.name:
            self._edges, self._top = None, 0.0
        self._shown, self._hidden = histogram, hidden
        self.setAccessibleName(histogram.title)
        self.setAccessibleDescription(histogram.tip)
        self.set_label("bottom", histogram.axis)
        finite = {name: _finite(values) for name, values in histogram.series.items()}
        self._shares = {}
        if any(len(values) for values in finite.values()):
            places = [line.value for line in histogram.references if np.isfinite(line.value)]
            self._edges = value_edges(list(finite.values()), places, self._edges)
            self._shares = {name: shares(values, self._edges) for name, values in finite.items()}
        self.references.set_lines([Line(place=line.value, title=line.title) for line in histogram.references])
        self._draw()

    def restyle(self, tokens: Tokens) -> None:
        super().restyle(tokens)
        self.references.restyle(tokens, self.font())
        for place, bars in enumerate(self._bars):
            colour = QColor(tokens.series_colour(place))
            bars.setPen(QPen(colour, 0))
            fill = QColor(colour)
            fill.setAlphaF(0.35)
            bars.setBrush(fill)

    def _draw(self) -> None:
        self.set_logarithmic("left", self.logarithmic)
        while len(self._bars) < len(self._shares):
            self._bars.append(pg.PlotCurveItem(skipFiniteCheck=True))
            self.addItem(self._bars[-1], ignoreBounds=True)
            self.restyle(self.tokens)
        low, high = self._height_range()
        names = list(self._shares)
        for place, bars in enumerate(self._bars):
            seen = place < len(names) and names[place] not in self._hidden
            bars.setVisible(seen)
            if seen and self._edges is not None:
                heights = self._on_axis(self._shares[names[place]], low)
                bars.setData(self._edges, heights, stepMode="center", fillLevel=low)
        if self._edges is not None:
            self.show_range((float(self._edges[0]), float(self._edges[-1])), (low, high))

    def _on_axis(self, heights: Floats, low: float) -> Floats:
        if not self.logarithmic:
            return heights
        return np.where(heights > 0, np.log10(np.maximum(heights, 1e-12)), low)

    def _height_range(self) -> tuple[float, float]:
        """From nothing to a round number; it shrinks only when the bars would look lost."""
        highest = max((float(heights.max()) for heights in self._shares.values()), default=1.0)
        highest = max(highest, 1e-6)
        if not highest <= self._top <= 2.2 * highest:
            self._top = min(nice_above(1.04 * highest), 104.0)
        if not self.logarithmic:
            return 0.0, self._top
        return float(np.log10(_LEAST_PERCENT)), float(np.log10(max(self._top, 10 * _LEAST_PERCENT)) + 0.05)

    def _describe(self, x: float, y: float) -> str:
        shown, edges = self._shown, self._edges
        if shown is None or edges is None or not edges[0] <= x < edges[-1]:
            return ""
        index = min(int((x - edges[0]) / (edges[1] - edges[0])), len(edges) - 2)
        low, high = compact(float(edges[index]), 3), compact(float(edges[index + 1]), 3)
        lines = [f"<b>{escape(shown.axis)} {low} to {high}</b>"]
        for name, heights in self._shares.items():
            count = len(shown.series[name])
            lines.append(f"{escape(name)}: {percent(float(heights[index]) / 100)} of {whole(count)}")
        return "<br>".join(lines)


def _finite(values: Floats) -> Floats:
    flat = np.asarray(values, dtype=np.float64).ravel()
    return flat[np.isfinite(flat)]
