"""The same curve of several runs over one axis: decimated, smoothed, linear or logarithmic; seeds as mean and band."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QTimer, Slot
from PySide6.QtGui import QColor

from studio.gui.plots.axis import sticky
from studio.gui.plots.plot import Plot, cosmetic_pen
from studio.gui.state.envelope import Envelope, Points
from studio.gui.widgets.theme import ThemeManager, Tokens
from studio.number_text import compact, whole

Floats = NDArray[np.float64]


_DOTTED_UP_TO = 60
"""So many points of a run are seen as such."""
_GRID = 400
"""Places along the axis at which a mean of runs is taken."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedCurve:
    """What is drawn as one curve.

    Attributes:
        members: places along the axis and values of each run; the mean of several is drawn, in the band from the
            least to the largest.
        colour: place in the theme's series colours.
    """

    title: str
    members: Sequence[tuple[Floats, Floats]]
    colour: int


class _Member:
    """A run's values, known ones alone."""

    def __init__(self, x: Floats, y: Floats) -> None:
        known = np.isfinite(x) & np.isfinite(y)
        self.x, self.y = x[known], y[known]
        self.envelope = Envelope()
        self.envelope.update(self.x, self.y)


@dataclass(slots=True)
class _Line:
    curve: ComparedCurve
    members: list[_Member]
    item: Any
    ends: tuple[Any, Any]
    band: Any
    dots: Any
    shown: bool = True


class ComparePlot(Plot):
    """One curve for each run, or for runs of several seeds.

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

    def set_curves(self, axis: str, title: str, curves: Sequence[ComparedCurve]) -> None:
        """Draw these; one without any values keeps its colour."""
        for line in self._lines:
            for item in (line.item, *line.ends, line.band, line.dots):
                self.removeItem(item)
        self._lines = [self._line(curve) for curve in curves]
        self.labels = {"bottom": axis, "left": title}
        self.restyle(self.tokens)
        self.show_all()

    def _line(self, curve: ComparedCurve) -> _Line:
        item, low, high = (pg.PlotCurveItem(skipFiniteCheck=True, pen=None) for _ in range(3))
        item.setSegmentedLineMode("on")
        band, dots = pg.FillBetweenItem(low, high), pg.ScatterPlotItem(size=5, pen=None)
        for each in (band, low, high, item, dots):
            self.addItem(each, ignoreBounds=True)
        members = [_Member(x, y) for x, y in curve.members]
        return _Line(curve=curve, members=members, item=item, ends=(low, high), band=band, dots=dots)

    def caption(self) -> str:
        """The runs in their order, as far as they are shown."""
        return " · ".join(line.curve.title for line in self._lines if line.shown)

    def set_shown(self, place: int, shown: bool) -> None:
        self._lines[place].shown = shown
        self.redraw()

    def restyle(self, tokens: Tokens) -> None:
        super().restyle(tokens)
        for line in self._lines:
            colour = QColor(tokens.series_colour(line.curve.colour))
            line.item.setPen(cosmetic_pen(colour))
            line.dots.setBrush(colour)
            colour.setAlphaF(0.25)
            line.band.setBrush(colour)

    @Slot()
    def show_all(self) -> None:
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
        self.set_logarithmic("left", self.logarithmic)
        ends = [float(each.x[-1]) for line in self._lines if line.shown for each in line.members if len(each.x)]
        low, high = (0.0, max(ends, default=1.0)) if self._following else self.view.viewRange()[0]
        drawn = [values for line in self._lines for values in self._draw(line, low, high)]
        values = np.concatenate(drawn) if drawn else np.empty(0)
        if self._following:
            y_range = sticky(None, float(values.min()), float(values.max())) if len(values) else (0.0, 1.0)
            self.show_range((low, max(high, low + 1e-9)), y_range)

    def _draw(self, line: _Line, low: float, high: float) -> Sequence[Floats]:
        """Draw a curve; returns the values that are to be in view."""
        known, view = [each for each in line.members if line.shown and len(each.x)], (low, high)
        drawn: tuple[Points, ...] = (Points(np.empty(0), np.empty(0)),) * 3
        if len(known) > 1:
            low, high = (max(low, *(each.x[0] for each in known)), min(high, *(each.x[-1] for each in known)))
            if low <= high:  # elsewhere not all of them are known
                x = np.linspace(low, high, _GRID if low < high else 1)
                of_each = [self._points(each, low, high, alone=False) for each in known]
                rows = np.array([np.interp(x, each.x, each.y) for each in of_each])
                drawn = tuple(Points(x, y) for y in (rows.mean(axis=0), rows.min(axis=0), rows.max(axis=0)))
        elif known:
            drawn = (self._points(known[0], low, high, alone=True), *drawn[1:])
        if self.logarithmic:
            drawn = tuple(_logarithms(points, by=drawn[1] if len(known) > 1 else points) for points in drawn)
        for item, points in zip((line.item, *line.ends), drawn, strict=True):
            seen = points.seen(*view)
            item.setData(seen.x, seen.y, skipFiniteCheck=True)
        dotted = len(known) == 1 and self.window == 1 and len(drawn[0].x) <= _DOTTED_UP_TO
        line.dots.setData(*((drawn[0].x, drawn[0].y) if dotted else ()))
        return [points.y for points in drawn]

    def _points(self, member: _Member, low: float, high: float, *, alone: bool) -> Points:
        """Those of a run that are in view; what a mean is taken of are its values, and not the extremes of some."""
        if self.window == 1 and not alone:
            return Points(member.x, member.y)
        buckets = int(np.clip(self.view.width(), 100, 2000))
        first = int(np.searchsorted(member.x, low)) - 1
        last = int(np.searchsorted(member.x, high, side="right")) + 1
        if self.window > 1:
            return member.envelope.smoothed(first, last, buckets, self.window)
        return member.envelope.view(first, last, buckets)

    def _describe(self, x: float, y: float) -> str:
        """The values of the curves that are drawn at this place: of seeds, where all of them are."""
        lines = [f"<b>{whole(x)}</b>"]
        for line in self._lines:
            members = [each for each in line.members if line.shown and len(each.x)]
            values = [float(np.interp(x, each.x, each.y)) for each in members]
            if values and all(each.x[0] <= x <= each.x[-1] for each in members):
                spread = f" ({compact(min(values))} – {compact(max(values))})" if len(values) > 1 else ""
                lines.append(f"{escape(line.curve.title)} {compact(float(np.mean(values)))}{spread}")
        return "<br>".join(lines)


def _logarithms(points: Points, *, by: Points) -> Points:
    """Those at places where `by` is above 0."""
    positive = by.y > 0
    return Points(points.x[positive], np.log10(points.y[positive]))
