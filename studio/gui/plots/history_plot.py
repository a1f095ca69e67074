"""Columns of the history against step: decimated to the screen, smoothed, linear or logarithmic, following or held."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import QRectF, QTimer, Slot
from PySide6.QtGui import QColor, QPen

from studio.gui.plots.axis import Line, Range, steps_shown, sticky
from studio.gui.plots.plot import Plot, cosmetic_pen
from studio.gui.plots.reference_lines import ReferenceLines
from studio.gui.state.envelope import Points
from studio.gui.state.history import History, HistoryView
from studio.gui.widgets.theme import ThemeManager, Tokens, mixed
from studio.models.diagnostic import Reference
from studio.number_text import compact, whole

_LATELY = 80  # points at the end of a curve of which every outlier counts
_NEAR = 6  # pixels within which a mark is under the mouse


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """One column of the history.

    Attributes:
        title, tip: what the legend and its tooltip say.
        colour: place in the theme's series colours, or where it is `of_class` in those of the classes.
        references: values to compare it with.
        column: where it is not of the name: of `other`.
        other: the history of another run that it is of; None of the one that is shown.
    """

    name: str
    title: str
    tip: str = ""
    colour: int = 0
    of_class: bool = False
    shown: bool = True
    references: tuple[Reference, ...] = ()
    column: str = ""
    other: History | None = None

    def value(self, view: HistoryView) -> float:
        """At the cursor of a view; NaN if there is none."""
        if self.other is None:
            return view.current(self.name)
        return replace(view, history=self.other).current(self.column)


@dataclass(slots=True)
class _Drawn:
    curve: Curve
    faint: Any
    line: Any
    shown: bool = True


class _Line(pg.PlotCurveItem):
    """A curve that fills the view, as far as Qt need know: asking data for bounds took a sixth of drawing them."""

    def __init__(self) -> None:
        super().__init__(skipFiniteCheck=True)
        self.setSegmentedLineMode("on")

    def viewTransformChanged(self) -> None:
        pg.GraphicsObject.viewTransformChanged(self)  # which the curve's own would leave out
        super().viewTransformChanged()

    def boundingRect(self) -> QRectF:
        return QRectF(self.viewRect())


class HistoryPlot(Plot):
    """Curves against step.

    Attributes:
        logarithmic: values on a logarithmic axis; those ≤ 0 are left out.
        span: steps shown while following; None shows all.
        following: ranges follow the data; else they stay as the person left them.
        limits: least and greatest value there can be, at which the axis ends.
    """

    def __init__(self, theme: ThemeManager, name: str, y_label: str) -> None:
        self._drawn: dict[str, _Drawn] = {}
        self._looked_at = HistoryView()
        self._y_range: Range | None = None
        self._drawing = False
        self.logarithmic = False
        self.limits: Range = (-np.inf, np.inf)
        self._window = 1
        self.span: int | None = None
        self.following = True
        self.references = ReferenceLines(vertical=False)
        super().__init__(theme, name, "step", y_label)
        self.getPlotItem().addItem(self.references, ignoreBounds=True)
        self.describe = self._describe
        self.show_range((0.0, 100.0), (0.0, 1.0))
        self.view.sigXRangeChanged.connect(self._on_range)
        self.view.sigResized.connect(self._on_resized)

    @property
    def window(self) -> int:
        """Points in the moving average."""
        return self._window

    @window.setter
    def window(self, points: int) -> None:
        self._window = points
        self.restyle(self.tokens)

    @property
    def curves(self) -> list[Curve]:
        return [drawn.curve for drawn in self._drawn.values()]

    def set_curves(self, curves: Sequence[Curve]) -> None:
        """Draw these columns from now on; those known already stay shown or hidden."""
        known, self._drawn = self._drawn, {}
        for curve in curves:
            self._drawn[curve.name] = drawn = known.pop(curve.name, None) or self._new(curve)
            drawn.curve = curve
        for gone in known.values():
            self.removeItem(gone.faint)
            self.removeItem(gone.line)
        self.restyle(self.tokens)

    def _new(self, curve: Curve) -> _Drawn:
        # Segments of solid colour are what Qt draws fastest: twice as fast as a path, five times as a translucent one.
        faint, line = _Line(), _Line()
        for depth, item in enumerate((faint, line)):
            item.setZValue(depth)  # no curve's noise hides another curve
            self.addItem(item, ignoreBounds=True)
        return _Drawn(curve=curve, faint=faint, line=line, shown=curve.shown)

    def set_shown(self, name: str, shown: bool) -> None:
        self._drawn[name].shown = shown
        self.redraw()

    def restyle(self, tokens: Tokens) -> None:
        super().restyle(tokens)
        self.references.restyle(tokens, self.font())
        for drawn in self._drawn.values():
            colour = QColor(tokens.series_colour(drawn.curve.colour, of_class=drawn.curve.of_class))
            # A line wider than a pixel costs thrice as much, so it is for the smoothed curve, which has fewer points.
            drawn.line.setPen(cosmetic_pen(colour, 1.0 if self._window == 1 else 1.5))
            drawn.faint.setPen(QPen(mixed(colour, QColor(tokens.surface), 0.35), 0))

    @property
    def _history(self) -> History:
        return self._looked_at.history

    def show_history(self, view: HistoryView) -> None:
        """Draw what is new; another history than before starts afresh."""
        if view.history is not self._history or len(view.history) < len(self._history):
            self._y_range = None
        self._looked_at = view
        self.redraw()

    def redraw(self) -> None:
        history = self._history
        self.set_logarithmic("left", self.logarithmic)
        others = [drawn.curve.other for drawn in self._drawn.values() if drawn.shown and drawn.curve.other is not None]
        x_range = self._x_range(max((float(each.steps[-1]) for each in (history, *others) if len(each)), default=0.0))
        extremes = [self._draw_curve(drawn, x_range) for drawn in self._drawn.values()]
        extremes += self._draw_references()
        self.marks.set_places(np.array([mark.step for mark in self._looked_at.marks], dtype=np.float64))
        at = self._looked_at.cursor
        self.cursor.set_places(np.array([] if at is None else [at], dtype=np.float64))
        if self.following:
            self._follow(x_range, [extreme for extreme in extremes if extreme is not None])

    def _x_range(self, last_step: float) -> Range:
        if self.following:
            return steps_shown(last_step, self.span)
        low, high = self.view.viewRange()[0]
        return float(low), float(high)

    def _draw_curve(self, drawn: _Drawn, x_range: Range) -> Range | None:
        """Draw one curve; returns its least and greatest value in view."""
        history = drawn.curve.other or self._history
        first = int(np.searchsorted(history.steps, x_range[0])) - 1
        last = int(np.searchsorted(history.steps, x_range[1], side="right")) + 1
        drawn.line.setVisible(drawn.shown)
        drawn.faint.setVisible(drawn.shown and self.window > 1)
        if not drawn.shown or not len(history):
            drawn.line.setData([], [])
            drawn.faint.setData([], [])
            return None
        buckets = int(np.clip(self.view.width(), 100, 2000))
        envelope = history.envelope(drawn.curve.column or drawn.curve.name)
        raw = self._scaled(envelope.view(first, last, buckets))
        line = raw
        if self.window > 1:
            line = self._scaled(envelope.smoothed(first, last, buckets // 2, self.window))
            drawn.faint.setData(raw.x, raw.y, skipFiniteCheck=True)
        seen = line.seen(*x_range)
        drawn.line.setData(seen.x, seen.y, skipFiniteCheck=True)
        if not len(line.y):
            return None
        low, high = float(line.y.min()), float(line.y.max())
        if line is not raw and len(raw.y):
            # Noise about a smoothed curve shall be seen, all of it lately; but old outliers need not squash the curve.
            middle, late = np.sort(raw.y), raw.y[-_LATELY:]
            rare = len(middle) * 3 // 100
            low = min(low, float(middle[rare]), float(late.min()))
            high = max(high, float(middle[-1 - rare]), float(late.max()))
        return low, high

    def _draw_references(self) -> list[Range]:
        """Draw the references of the curves that are shown; returns where they are."""
        shown = [drawn.curve for drawn in self._drawn.values() if drawn.shown]
        values = dict.fromkeys((mark.value, mark.title) for curve in shown for mark in curve.references)
        lines = [
            Line(place=float(np.log10(value)) if self.logarithmic else value, title=title)
            for value, title in values
            if value > 0 or not self.logarithmic
        ]
        self.references.set_lines(lines)
        return [(line.place, line.place) for line in lines]

    def _scaled(self, points: Points) -> Points:
        if not self.logarithmic:
            return points
        positive = points.y > 0
        return Points(points.x[positive], np.log10(points.y[positive]))

    def _follow(self, x_range: Range, extremes: list[Range]) -> None:
        if extremes:
            low, high = min(low for low, _ in extremes), max(high for _, high in extremes)
            least, most = np.log10(np.maximum(self.limits, 1e-300)) if self.logarithmic else self.limits
            low, high = sticky(self._y_range, low, high)
            self._y_range = max(low, float(least)), min(high, float(most))
        self._drawing = True
        self.show_range(x_range, self._y_range or (0.0, 1.0))
        self._drawing = False

    def forget_range(self) -> None:
        """Choose the range of values anew; for another scale."""
        self._y_range = None

    @property
    def left_out(self) -> list[str]:
        """Titles of curves that a logarithmic axis cannot show just now."""
        if not self.logarithmic:
            return []
        shown = (drawn.curve for drawn in self._drawn.values() if drawn.shown)
        return [curve.title for curve in shown if curve.value(self._looked_at) <= 0]

    @Slot()
    def _on_range(self) -> None:
        """The person looks elsewhere: other points are in view."""
        if not self._drawing and not self.following:
            QTimer.singleShot(0, self, self.redraw)

    @Slot()
    def _on_resized(self) -> None:
        """Another width takes another number of points."""
        QTimer.singleShot(0, self, self.redraw)

    def _describe(self, x: float, y: float) -> str:
        """The mark under the mouse, or else the values at the logged step nearest to it."""
        history = self._history
        reach = _NEAR * self.view.viewPixelSize()[0]
        marks = [mark for mark in self._looked_at.marks if abs(mark.step - x) <= reach]
        if marks:
            return "<br>".join(f"<b>step {whole(mark.step)}</b> {escape(mark.text)}" for mark in marks[-8:])
        step = _nearest(history.steps, x) if len(history) else x
        at = HistoryView(history=history, cursor=round(step))
        shown = (drawn.curve for drawn in self._drawn.values() if drawn.shown)
        values = (f"{escape(curve.title)} {compact(curve.value(at))}" for curve in shown)
        return "<br>".join([f"<b>step {whole(step)}</b>", *values])


def _nearest(steps: NDArray[np.float64], x: float) -> float:
    index = int(np.clip(np.searchsorted(steps, x), 0, len(steps) - 1))
    if index and abs(steps[index - 1] - x) < abs(steps[index] - x):
        index -= 1
    return float(steps[index])
