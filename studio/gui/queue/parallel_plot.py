"""Parallel coordinates: an axis for each setting and each result, and a line across them for each run.

Every axis has a scale of its own, from the least to the largest value of the runs; values that are no numbers stand at
equal distances. Lines are coloured by the last axis, from the accent for the least to grey for the largest, so that the
best runs can be followed back to their settings.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtGui import QColor, QPen

from studio.gui.plots.plot import Plot
from studio.gui.widgets.number_format import compact
from studio.gui.widgets.theme import ThemeManager, Tokens

Floats = NDArray[np.float64]
_ROOM = 0.14
"""Above and below the axes, for their ends' values; of their height."""

_MOST_NAMES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Coordinate:
    """One axis.

    Attributes:
        values: of each run; None where it has none.
    """

    title: str
    values: tuple[Any, ...]

    @property
    def numeric(self) -> bool:
        """Whether the values are numbers."""
        known = [value for value in self.values if value is not None]
        return all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)

    def places(self) -> tuple[Floats, dict[float, str]]:
        """Where each run crosses it, 0…1, NaN where it does not, shape (n,); and texts by the height they stand at."""
        if self.numeric:
            numbers = np.array([np.nan if value is None else float(value) for value in self.values])
            known = numbers[np.isfinite(numbers)]
            if not len(known):
                return numbers, {}
            low, high = float(known.min()), float(known.max())
            if low == high:
                return np.where(np.isfinite(numbers), 0.5, np.nan), {0.5: compact(low)}
            return (numbers - low) / (high - low), {0.0: compact(low), 1.0: compact(high)}
        names = list(dict.fromkeys(str(value) for value in self.values if value is not None))
        heights = np.linspace(0, 1, len(names)) if len(names) > 1 else np.array([0.5])
        where = dict(zip(names, heights.tolist(), strict=True))
        places = np.array([np.nan if value is None else where[str(value)] for value in self.values])
        shown = where if len(names) <= _MOST_NAMES else {names[0]: 0.0, names[-1]: 1.0}
        return places, {height: name[:16] for name, height in shown.items()}


class ParallelPlot(Plot):
    """Shows runs across axes; runs that are chosen stand out."""

    def __init__(self, theme: ThemeManager) -> None:
        self._coordinates: Sequence[Coordinate] = ()
        self._titles: Sequence[str] = ()
        self._places = np.empty((0, 0))
        self._chosen: frozenset[int] = frozenset()
        self._items: list[Any] = []
        super().__init__(theme, "Parallel coordinates", "", "")
        self.getPlotItem().hideAxis("left")
        self.getPlotItem().showGrid(x=False, y=False)
        self.view.setMouseEnabled(x=False, y=False)
        self.describe = self._describe

    def set_runs(self, titles: Sequence[str], coordinates: Sequence[Coordinate]) -> None:
        """Draw these runs across these axes."""
        self._titles, self._coordinates = titles, coordinates
        found = [coordinate.places()[0] for coordinate in coordinates]
        self._places = np.array(found).reshape(len(coordinates), len(titles))
        self.axes["bottom"].names = tuple(coordinate.title for coordinate in coordinates)
        self._draw()
        self.show_range((-0.5, max(len(coordinates) - 0.5, 0.5)), (-_ROOM, 1 + _ROOM))

    def choose(self, runs: Collection[int]) -> None:
        """Let these runs stand out; all are alike if there are none."""
        if frozenset(runs) != self._chosen:
            self._chosen = frozenset(runs)
            self._draw()

    def restyle(self, tokens: Tokens) -> None:
        """Take up another look."""
        super().restyle(tokens)
        self.getPlotItem().showGrid(x=False, y=False)
        self._draw()

    def _draw(self) -> None:
        for item in self._items:
            self.removeItem(item)
        self._items = []
        if not self._places.size:
            return
        for place, coordinate in enumerate(self._coordinates):
            self._draw_axis(place, coordinate)
        last = self._places[-1]
        order = sorted(
            range(len(self._titles)), key=lambda run: (run in self._chosen, -np.nan_to_num(last[run], nan=2))
        )
        for run in order:
            self._add(pg.PlotCurveItem(*self._line(run), pen=self._pen(run), connect="finite"))

    def _line(self, run: int) -> tuple[Floats, Floats]:
        return np.arange(len(self._coordinates), dtype=float), self._places[:, run]

    def _draw_axis(self, place: int, coordinate: Coordinate) -> None:
        pen = QPen(QColor(self.tokens.text), 1)
        pen.setCosmetic(True)
        self._add(pg.PlotCurveItem(np.full(2, float(place)), np.array([0.0, 1.0]), pen=pen))
        for height, text in coordinate.places()[1].items():
            anchor = (0.5, 0.0 if height == 0 else 1.0) if height in (0.0, 1.0) else (-0.1, 0.5)
            label = pg.TextItem(text, color=QColor(self.tokens.text), anchor=anchor, fill=QColor(self.tokens.surface))
            font = label.textItem.font()
            font.setPointSizeF(self.tokens.font_small)
            label.setFont(font)
            label.setPos(place, height)
            label.setZValue(20)
            self._add(label)

    def _add(self, item: Any) -> None:
        self.addItem(item, ignoreBounds=True)
        self._items.append(item)

    def _pen(self, run: int) -> QPen:
        height = self._places[-1, run]
        best, worst = QColor(self.tokens.accent), QColor(self.tokens.data_grey)
        share = 1.0 if np.isnan(height) else float(height)
        colour = QColor.fromRgbF(
            *(
                (1 - share) * least + share * largest
                for least, largest in (
                    (best.redF(), worst.redF()),
                    (best.greenF(), worst.greenF()),
                    (best.blueF(), worst.blueF()),
                )
            )
        )
        if self._chosen:
            colour = QColor(self.tokens.accent) if run in self._chosen else QColor(self.tokens.border)
        pen = QPen(colour, 2.5 if run in self._chosen else 1.5)
        pen.setCosmetic(True)
        return pen

    def _describe(self, x: float, y: float) -> str:
        """The run whose line is nearest to the mouse."""
        if not self._places.size or not -0.5 <= x <= len(self._coordinates) - 0.5:
            return ""
        axes = np.arange(len(self._coordinates), dtype=float)
        heights = np.array([np.interp(x, axes, self._places[:, run]) for run in range(len(self._titles))])
        if np.isnan(heights).all():
            return ""
        run = int(np.nanargmin(np.abs(heights - y)))
        values = [
            f"{escape(each.title)} {escape(_text(each.values[run]))}"
            for each in self._coordinates
            if each.values[run] is not None
        ]
        return f"<b>{escape(self._titles[run])}</b><br>" + "<br>".join(values)


def _text(value: Any) -> str:
    return compact(float(value)) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)
