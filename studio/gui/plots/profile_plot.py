"""Curves against something other than the step, and single means among them."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QColor, QPen

from studio.evaluation.evaluation import Mean
from studio.gui.plots.axis import Range, sticky
from studio.gui.plots.plot import Plot, cosmetic_pen
from studio.gui.widgets.theme import ThemeManager, Tokens
from studio.models.diagnostic import Profile
from studio.number_text import compact

_DOTTED_UP_TO = 40  # points that get a dot each


class ProfilePlot(Plot):
    """Draws one `Profile`; the series' colours are the theme's, in their order.

    Attributes:
        logarithmic: the vertical axis is; values ≤ 0 are left out.
        reached: further values that the vertical axis reaches to, by what shows them.
    """

    def __init__(self, theme: ThemeManager) -> None:
        self._lines: list[Any] = []
        self._shown: Profile | None = None
        self._hidden: frozenset[str] = frozenset()
        self._y_range: Range | None = None
        self.logarithmic = False
        self.reached: dict[object, tuple[float, ...]] = {}
        super().__init__(theme, "Profile", "", "")
        self.view.setMouseEnabled(False, False)
        self.describe = self._describe

    def show_profile(self, profile: Profile, hidden: frozenset[str] = frozenset()) -> None:
        if self._shown is None or profile.name != self._shown.name:
            self._y_range = None
        self._shown, self._hidden = profile, hidden
        self.setAccessibleName(profile.title)
        self.setAccessibleDescription(profile.tip)
        self.set_label("bottom", profile.axes[0])
        self.set_label("left", profile.axes[1])
        if self.axes["left"].logarithmic != self.logarithmic:
            self._y_range = None
        self.set_logarithmic("left", self.logarithmic)
        while len(self._lines) < len(profile.series):
            self._lines.append(pg.PlotDataItem(symbolSize=5, symbolPen=None))
            self.addItem(self._lines[-1], ignoreBounds=True)
            self.restyle(self.tokens)
        self._draw(profile)

    def forget(self) -> None:
        """What comes next has another range of values, though it has the same name."""
        self._y_range = None

    def restyle(self, tokens: Tokens) -> None:
        super().restyle(tokens)
        for place, line in enumerate(self._lines):
            colour = QColor(tokens.series_colour(place))
            line.setPen(cosmetic_pen(colour))
            line.setSymbolBrush(colour)

    def _draw(self, profile: Profile) -> None:
        at = np.asarray(profile.at, dtype=np.float64)
        names, seen = list(profile.series), []
        for place, line in enumerate(self._lines):
            shown = place < len(names) and names[place] not in self._hidden
            line.setVisible(shown)
            if not shown:
                continue
            values = np.asarray(profile.series[names[place]], dtype=np.float64)
            good = np.isfinite(values) & np.isfinite(at) & ((values > 0) | (not self.logarithmic))
            values = np.log10(values[good]) if self.logarithmic else values[good]
            dots = "o" if good.sum() <= _DOTTED_UP_TO else None
            line.setData(at[good], values, symbol=dots)
            seen.append(values)
        everything = np.concatenate([*seen, *map(np.array, self.reached.values())]) if seen else np.empty(0)
        if len(everything):
            least, most = float(everything.min()), float(everything.max())
            low, high = sticky(self._y_range, least, most)
            if "%" in profile.axes[1] and not self.logarithmic and least >= 0 and most <= 100:
                low, high = max(low, 0.0), min(high, 100.0)
            self._y_range = low, high
        finite = at[np.isfinite(at)]
        low, high = (float(finite.min()), float(finite.max())) if len(finite) else (0.0, 1.0)
        air = 0.02 * (high - low) or 0.5
        self.show_range((low - air, high + air), self._y_range or (0.0, 1.0))

    def _describe(self, x: float, y: float) -> str:
        shown = self._shown
        if shown is None or not len(shown.at):
            return ""
        index = int(np.nanargmin(np.abs(shown.at - x)))
        lines = [f"<b>{escape(shown.axes[0])} {compact(float(shown.at[index]), 3)}</b>"]
        lines += [f"{escape(name)}: {compact(float(values[index]), 3)}" for name, values in shown.series.items()]
        return "<br>".join(lines)


class MeanMark:
    """A mean with its standard error, as a point with a bar; the plot's axis reaches to it."""

    def __init__(self, plot: ProfilePlot, at: float) -> None:
        self._plot, self._at = plot, at
        self.point = pg.ScatterPlotItem(size=9)
        self._bar = pg.ErrorBarItem(beam=0.02)
        for item in (self._bar, self.point):
            plot.addItem(item, ignoreBounds=True)

    def show(self, mean: Mean | None) -> None:
        """Show this one; None shows nothing. The plot is drawn after it."""
        values = np.array([] if mean is None else [mean.value])
        errors = np.array([] if mean is None else [mean.error])
        at = np.full(len(values), self._at)
        self._plot.reached[self] = (*(values - errors).tolist(), *(values + errors).tolist())
        self.point.setData(at, values)
        self._bar.setData(x=at, y=values, height=2 * errors)

    def restyle(self, tokens: Tokens) -> None:
        self.point.setPen(QPen(QColor(tokens.text), 1.5))
        self.point.setBrush(QColor(tokens.surface))
        self._bar.setData(pen=QPen(QColor(tokens.text), 0))
