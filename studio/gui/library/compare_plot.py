"""The same curve of several runs over one axis: decimated to the screen, smoothed, linear or logarithmic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QColor, QPen

from studio.gui.plots.plot import Plot
from studio.gui.plots.ranges import sticky
from studio.gui.state.envelope import Envelope, Points
from studio.gui.widgets.number_format import compact, whole
from studio.gui.widgets.theme import ThemeManager, Tokens

Floats = NDArray[np.float64]


@dataclass(slots=True)
class _Line:
    title: str
    x: Floats
    y: Floats
    item: Any
    envelope: Envelope = field(default_factory=Envelope)
    shown: bool = True


class ComparePlot(Plot):
    """One curve per run, in the theme's series colours.

    Attributes:
        window: points in the moving average.
        logarithmic: values on a logarithmic axis; those ≤ 0 are left out.
    """

    def __init__(self, theme: ThemeManager, name: str) -> None:
        self._lines: list[_Line] = []
        self.window = 1
        self.logarithmic = False
        self._following = True
        super().__init__(theme, name, "step", "value")
        self.describe = self._describe
        self.moved.connect(self._hold)
        self.reset_asked.connect(self.show_all)
        self.view.sigXRangeChanged.connect(lambda: QTimer.singleShot(0, self, self._redraw_held))
        self.view.sigResized.connect(lambda: QTimer.singleShot(0, self, self.redraw))

    def set_curves(self, axis: str, curves: Sequence[tuple[str, Floats, Floats]]) -> None:
        """Draw these: title, places along the axis and values of each run; a run without any keeps its colour."""
        for line in self._lines:
            self.removeItem(line.item)
        self._lines = [self._line(title, x, y) for title, x, y in curves]
        self.set_label("bottom", axis)
        self.restyle(self.tokens)
        self.show_all()

    def _line(self, title: str, x: Floats, y: Floats) -> _Line:
        item = pg.PlotCurveItem(skipFiniteCheck=True)
        item.setSegmentedLineMode("on")
        self.addItem(item, ignoreBounds=True)
        known = np.isfinite(x) & np.isfinite(y) if len(x) else np.zeros(0, bool)
        line = _Line(title=title, x=x[known], y=y[: len(x)][known], item=item)
        line.envelope.update(line.x, line.y)
        return line

    def set_shown(self, place: int, shown: bool) -> None:
        """Show or hide one run's curve."""
        self._lines[place].shown = shown
        self.redraw()

    def restyle(self, tokens: Tokens) -> None:
        """Take up another look."""
        super().restyle(tokens)
        for place, line in enumerate(self._lines):
            pen = QPen(QColor(tokens.series_colour(place)), 1.5)
            pen.setCosmetic(True)
            line.item.setPen(pen)

    @Slot()
    def show_all(self) -> None:
        """Show every point."""
        self._following = True
        self.redraw()

    @Slot()
    def _hold(self) -> None:
        self._following = False

    @Slot()
    def _redraw_held(self) -> None:
        if not self._following:
            self.redraw()

    def redraw(self) -> None:
        """Draw what is in view."""
        self.set_logarithmic("left", self.logarithmic)
        ends = [float(line.x[-1]) for line in self._lines if line.shown and len(line.x)]
        low, high = (0.0, max(ends, default=1.0)) if self._following else self.view.viewRange()[0]
        drawn = [self._draw(line, low, high) for line in self._lines]
        values = np.concatenate([points.y for points in drawn]) if drawn else np.empty(0)
        if self._following:
            if len(values):
                y_range = sticky(None, float(values.min()), float(values.max()))
            else:
                y_range = (0.0, 1.0)
            self.show_range((low, max(high, low + 1e-9)), y_range)

    def _draw(self, line: _Line, low: float, high: float) -> Points:
        points = Points(np.empty(0), np.empty(0))
        if line.shown and len(line.x):
            buckets = int(np.clip(self.view.width(), 100, 2000))
            first = int(np.searchsorted(line.x, low)) - 1
            last = int(np.searchsorted(line.x, high, side="right")) + 1
            if self.window > 1:
                points = line.envelope.smoothed(first, last, buckets, self.window)
            else:
                points = line.envelope.view(first, last, buckets)
            if self.logarithmic:
                positive = points.y > 0
                points = Points(points.x[positive], np.log10(points.y[positive]))
        line.item.setData(points.x, points.y, skipFiniteCheck=True)
        return points

    def _describe(self, x: float, y: float) -> str:
        """The values of all runs at the place under the mouse."""
        lines = [f"<b>{whole(x)}</b>"]
        for line in self._lines:
            if line.shown and len(line.x):
                index = int(np.clip(np.searchsorted(line.x, x), 0, len(line.x) - 1))
                lines.append(f"{escape(line.title)} {compact(float(line.y[index]))}")
        return "<br>".join(lines)
