"""A number that came of the runs of a sweep, against one setting or across all of them.

Against one: a point a run with its interval, and the mean of each value; values that are no numbers stand side by side.
Across all: parallel coordinates, an axis for each setting and the number last, each from the least to the largest value
of the runs, and a line across them for each run.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Slot
from PySide6.QtGui import QColor, QPen

from studio.gui.plots.axis import sticky
from studio.gui.plots.plot import Plot, cosmetic_pen
from studio.gui.widgets.theme import ThemeManager, Tokens
from studio.number_text import compact

Floats = NDArray[np.float64]
_ROOM = 0.14
"""Above and below parallel axes, for their ends' values; of their height."""
_MOST_NAMES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinate:
    """A setting or a result.

    Attributes:
        values: of each run; None where it has none.
    """

    title: str
    values: tuple[Any, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Different values where they are no numbers, in the order of the runs; else empty."""
        known = [value for value in self.values if value is not None]
        numeric = all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)
        return () if numeric else tuple(dict.fromkeys(map(str, known)))

    def places(self) -> Floats:
        """The values as numbers, or else their places among the names; NaN where a run has none. Shape (n,)."""
        names = self.names
        numbers = [np.nan if v is None else names.index(str(v)) if names else float(v) for v in self.values]
        return np.array(numbers, dtype=np.float64)

    def heights(self) -> tuple[Floats, dict[float, str]]:
        """Where each run crosses a parallel axis, 0…1, shape (n,); and texts by the height they stand at."""
        places, names = self.places(), self.names
        known = places[np.isfinite(places)]
        if not len(known):
            return places, {}
        low, high = float(known.min()), float(known.max())
        heights = (places - low) / (high - low) if high > low else np.where(np.isfinite(places), 0.5, np.nan)
        shown = [low, high] if not names or len(names) > _MOST_NAMES else np.arange(len(names)).tolist()
        texts = {(v - low) / (high - low) if high > low else 0.5: names[int(v)] if names else compact(v) for v in shown}
        return heights, {height: text[:16] for height, text in texts.items()}

    def text(self, run: int) -> str:
        return str(self.values[run]) if self.names else compact(float(self.values[run]))


class SweepPlot(Plot):
    """Shows runs; those that are chosen stand out."""

    def __init__(self, theme: ThemeManager) -> None:
        self._titles: Sequence[str] = ()
        self._settings: Sequence[Coordinate] = ()
        self._result = Coordinate(title="result", values=())
        self._intervals = np.empty((0, 2))
        self._at = np.empty((0, 0))  # places of runs along the axes, shape (axes, n), or of points, shape (2, n)
        self._chosen: frozenset[int] = frozenset()
        self._items: list[Any] = []
        super().__init__(theme, "Results of the sweep", "setting", "result")
        self.view.setMouseEnabled(False, False)
        self.describe = self._describe
        self.reset_asked.connect(self.redraw)

    def show_runs(
        self, titles: Sequence[str], settings: Sequence[Coordinate], result: Coordinate, intervals: Floats
    ) -> None:
        """Draw the result against one setting, or across several.

        Args:
            intervals: ends of the 95 % interval of each result, shape (n, 2); the result itself where there is none.
        """
        self._titles, self._settings, self._result, self._intervals = titles, settings, result, intervals
        self.redraw()

    def choose(self, runs: Collection[int]) -> None:
        if frozenset(runs) != self._chosen:
            self._chosen = frozenset(runs)
            self.redraw()

    def restyle(self, tokens: Tokens) -> None:
        super().restyle(tokens)
        self.redraw()

    @Slot()
    def redraw(self) -> None:
        for item in self._items:
            self.removeItem(item)
        self._items = []
        across = len(self._settings) > 1
        labels = {"bottom": "" if across else self._settings[0].title if self._settings else "setting"}
        labels["left"] = "" if across else self._result.title
        if labels != self.labels:
            self.labels = labels
            super().restyle(self.tokens)
        self.getPlotItem().showAxis("left", not across)
        self.getPlotItem().showGrid(x=not across, y=not across, alpha=0.35)
        self.view.setMouseEnabled(not across, not across)
        if across:
            self._draw_across()
        elif self._settings:
            self._draw_against(self._settings[0])

    # -- against one setting

    def _draw_against(self, setting: Coordinate) -> None:
        values, y = setting.places(), self._result.places()
        self._at = np.array([_apart(values), y])
        known = np.flatnonzero(np.isfinite(self._at).all(axis=0))
        self.axes["bottom"].names = setting.names
        if not len(known):
            self.show_range((0.0, 1.0), (0.0, 1.0))
            return
        x, y, values, (low, high) = self._at[0, known], y[known], values[known], self._intervals[known].T
        sizes = [14 if int(run) in self._chosen else 8 for run in known]
        means = np.array([[place, y[values == place].mean()] for place in np.unique(values)])
        if len(means) > 1 and not setting.names:
            self._add(pg.PlotCurveItem(*means.T, pen=cosmetic_pen(self.tokens.muted)))
        colour = self.tokens.series_colour(0)
        self._add(pg.ErrorBarItem(x=x, y=y, top=high - y, bottom=y - low, beam=0, pen=cosmetic_pen(colour)))
        edge = QPen(QColor(self.tokens.surface), 0)
        self._add(pg.ScatterPlotItem(x, y, size=sizes, brush=QColor(colour), pen=edge))
        air = 0.08 * float(np.ptp(x)) or 0.5
        bottom, top = sticky(None, float(low.min()), float(high.max()))
        bottom = max(bottom, 0.0) if low.min() >= 0 else bottom
        self.show_range((float(x.min()) - air, float(x.max()) + air), (bottom, top))

    # -- across all settings

    def _draw_across(self) -> None:
        axes = (*self._settings, self._result)
        self._at = np.array([axis.heights()[0] for axis in axes])
        self.axes["bottom"].names = tuple(axis.title for axis in axes)
        for place, axis in enumerate(axes):
            ends = np.full(2, float(place)), np.array([0.0, 1.0])
            self._add(pg.PlotCurveItem(*ends, pen=cosmetic_pen(self.tokens.text, 1)))
            for height, text in axis.heights()[1].items():
                anchor = (0.5, 0.0 if height == 0 else 1.0) if height in (0.0, 1.0) else (-0.1, 0.5)
                label = pg.TextItem(text, color=self.tokens.text, anchor=anchor, fill=self.tokens.surface)
                font = label.textItem.font()
                font.setPointSizeF(self.tokens.font_small)
                label.setFont(font)
                label.setPos(place, height)
                label.setZValue(20)
                self._add(label)
        last = np.nan_to_num(self._at[-1], nan=1.0)
        best, worst = (np.array(QColor(name).getRgb()) for name in (self.tokens.accent, self.tokens.data_grey))
        for run in sorted(range(len(self._titles)), key=lambda run: (run in self._chosen, -last[run])):
            mixed = QColor(*((1 - last[run]) * best + last[run] * worst).astype(int).tolist())
            chosen = run in self._chosen
            colour = self.tokens.accent if chosen else self.tokens.border if self._chosen else mixed.name()
            pen = cosmetic_pen(colour, 2.5 if chosen else 1.5)
            self._add(pg.PlotCurveItem(np.arange(len(axes), dtype=float), self._at[:, run], pen=pen, connect="finite"))
        self.show_range((-0.5, len(axes) - 0.5), (-_ROOM, 1 + _ROOM))

    def _add(self, item: Any) -> None:
        self.addItem(item, ignoreBounds=True)
        self._items.append(item)

    def _describe(self, x: float, y: float) -> str:
        if not self._titles or not self._at.size:
            return ""
        (left, right), (bottom, top) = self.view.viewRange()
        if len(self._settings) > 1:
            axes = np.arange(len(self._at), dtype=float)
            apart = np.abs([np.interp(x, axes, heights) - y for heights in self._at.T])
        else:
            apart = np.hypot((self._at[0] - x) / (right - left), (self._at[1] - y) / (top - bottom))
        if np.isnan(apart).all():
            return ""
        run = int(np.nanargmin(apart))
        values = [each for each in (*self._settings, self._result) if each.values[run] is not None]
        low, high = self._intervals[run]
        interval = f" ({compact(low)} – {compact(high)})" if low < high else ""
        lines = [f"{escape(each.title)} {escape(each.text(run))}" for each in values]
        return f"<b>{escape(self._titles[run])}</b><br>" + "<br>".join(lines) + interval


def _apart(values: Floats) -> Floats:
    """Places along the axis, shape (n,), at which runs of one value stand a little beside each other."""
    apart = values.copy()
    places = np.unique(values[np.isfinite(values)])
    width = float(np.diff(places).min()) if len(places) > 1 else 1.0
    for place in places:
        alike = np.flatnonzero(values == place)
        half = min(0.25, 0.03 * (len(alike) - 1)) * width
        apart[alike] += np.linspace(-half, half, len(alike)) if len(alike) > 1 else 0.0
    return apart
