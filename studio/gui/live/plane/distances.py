"""Curves of how far generated points are from the exact target: JS, KL and W₁."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
from PySide6.QtCore import Slot
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QWidget

from studio.evaluation.plane_divergence import rank_correlation
from studio.gui.plots.history_plot import Curve, HistoryPlot
from studio.gui.plots.legend import Chip, Legend
from studio.gui.state.history import History, HistoryView
from studio.gui.timeline.time_cursor import TimeCursor
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import column_of
from studio.gui.widgets.theme import ThemeManager
from studio.models.diagnostic import Reference
from studio.number_text import compact, fixed

_CURVES = (
    Curve(
        name="plane_js",
        title="JS / nats",
        tip="How far generated points are from the target; 0 when alike, log 2 when they nowhere meet. "
        "½·KL(p′ ‖ m) + ½·KL(q ‖ m), m = (p′ + q)/2, over 24×24 cells, less the bias of counting.",
        colour=0,
        references=(Reference(value=math.log(2), title="log 2"),),
    ),
    Curve(
        name="plane_w1",
        title="W₁ / units",
        tip="How far points must be moved on average to become the target's, in the plane's units. "
        "Exact least mean distance between 300 generated and 300 target points.",
        colour=1,
    ),
    Curve(
        name="plane_w1_floor",
        title="W₁ floor",
        tip="What W₁ says of two draws of the target itself; it cannot fall below this but by chance. "
        "Mean of W₁ between pairs of 300 points of p′.",
        colour=4,
    ),
    Curve(
        name="plane_gap",
        title="Critic gap / units",
        tip="What a Wasserstein critic takes for W₁: at most W₁ while its slope is at most 1, and any multiple of it "
        "else. ⟨D⟩ over 2,000 target points − ⟨D⟩ over 2,000 generated ones, per unit of the plane.",
        colour=5,
    ),
    Curve(
        name="plane_kl",
        title="KL / nats",
        tip="How surprised the target is by generated points; large when they lie where it has none. "
        "KL(q ‖ 0.999·p′ + 0.001·even) over 24×24 cells, less the bias of counting.",
        colour=3,
        shown=False,
    ),
    Curve(
        name="plane_tv",
        title="Share error TV",
        tip="How far the class shares of generated points are from the target's, in 0…1. "
        "½·Σ_c |⟨p′(c|x)⟩_q − p′_c| over 2,000 points, of which chance alone leaves 0.01 to 0.03.",
        colour=2,
        shown=False,
    ),
)
_BEFORE = "How far samples are from p′ is drawn here once you press Start."
_UNKNOWN = "No distances from p′ and no contours of it, for p′ is not known exactly. "
_CUT = (
    "The tilt moves about {:.2g} % of p′ out of the square, where data and models end; p′ and the distances are of "
    "what is left. A weaker tilt stays inside."
)
_RANKS_TIP = (
    "Whether the critic's gap is large when samples are far from the target and small when they are near; 1 always, 0 "
    "says nothing. Spearman's ρ of the gap with W₁ and with JS, over the looks up to this step, at most the last 1,000."
)
_LEAST_LOOKS, _LOOKS = 10, 1000
_NOTABLE = 0.001  # of p′: less cannot be seen
_LOW = 330  # pixels of height below which the legend shows names only


class PlaneDistances(QWidget):
    """A small plot of its own, with a legend."""

    def __init__(self, time: TimeCursor, theme: ThemeManager) -> None:
        super().__init__()
        self.plot = HistoryPlot(theme, "Distances from the target against step", "distance from p′")
        self.plot.setAccessibleDescription("JS, KL and Wasserstein distance of generated points from the exact target.")
        self.plot.set_curves(_CURVES)
        self.plot.window = 1
        self.legend = Legend(theme, self.plot)
        for curve in _CURVES:
            chip = self.legend.add(Chip(curve.name, curve.title, curve.tip, width=6), curve.colour)
            chip.setChecked(curve.shown)
        self.legend.toggled.connect(self.plot.set_shown)
        self._unknown, self._cut = "", 0.0
        self._none = History()
        self._history = HistoryView(history=self._none)
        self.before = plain_label(_BEFORE, role="muted", wraps=True)
        self.ranks = plain_label(role="muted", title="Rank correlations of the critic gap", tip=_RANKS_TIP, wraps=True)
        column_of(self.before, (self.plot, 1), self.legend, self.ranks, inside=self, spacing=2)
        self._show_ranks()
        self.plot.reset_asked.connect(self._follow)
        self.plot.moved.connect(self._hold)
        time.history_shown.connect(self.show_history)

    @Slot(object)
    def show_history(self, view: HistoryView) -> None:
        if "plane_js" not in view.history.names:  # of a run on images, beside which a plane is set up
            view = replace(view, history=self._none, marks=())
        self._history = view
        self._show_text()
        for name, chip in self.legend.chips.items():
            chip.set_value(compact(view.current(name), 3))
        self._show_ranks()
        self.plot.show_history(view)

    def _show_ranks(self) -> None:
        """How well the gap tells of W₁ and of JS, up to the step that is looked at; nothing without a critic."""
        history, cursor = self._history.history, self._history.cursor
        known = len(history) if cursor is None else int(np.searchsorted(history.steps, cursor, side="right"))
        gap, w1, js = (history.column(name)[:known] for name in ("plane_gap", "plane_w1", "plane_js"))
        looks = np.flatnonzero(np.isfinite(gap) & (np.diff(w1, prepend=np.nan) != 0))[-_LOOKS:]
        has_gap = "plane_gap" in history.names
        self.legend.chips["plane_gap"].setVisible(has_gap)
        self.ranks.setVisible(has_gap and len(looks) >= _LEAST_LOOKS)
        of_w1, of_js = (rank_correlation(gap[looks], each[looks]) for each in (w1, js))
        self.ranks.setText(
            f"Critic gap by rank: ρ {fixed(of_w1, 2)} with W₁, {fixed(of_js, 2)} with JS ({len(looks)} looks)"
        )

    def show_target(self, unknown: str, cut: float) -> None:
        """Say what is wrong with the target as it is edited.

        Args:
            unknown: why there are no distances from it; empty if there are.
            cut: share of it that lies beyond the square, in 0…1.
        """
        self._unknown, self._cut = unknown, cut
        self._show_text()

    def _show_text(self) -> None:
        cut = _CUT.format(100 * self._cut) if self._cut > _NOTABLE else ""
        self.before.setText(_UNKNOWN + self._unknown if self._unknown else cut or _BEFORE)
        self.before.setVisible(bool(self._unknown or cut) or not len(self._history.history))
        history = self._history.history  # of a run whose p′ may have been known before
        drawn = not self._unknown or any(np.isfinite(history.column(curve.name)).any() for curve in _CURVES)
        for widget in (self.plot, self.legend):
            widget.setVisible(drawn)

    def hasHeightForWidth(self) -> bool:
        """No: the legend wraps, but the plot gives way to it, so that the plane beside or above keeps its share."""
        return False

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A low plot has no room for the newest values."""
        super().resizeEvent(event)
        self.legend.set_compact(self.height() < _LOW)

    @Slot(bool)
    def set_logarithmic(self, on: bool) -> None:
        self.plot.logarithmic = on
        self.plot.forget_range()
        self._follow()

    @Slot()
    def _follow(self) -> None:
        self.plot.following = True
        self.plot.forget_range()
        self.plot.redraw()

    @Slot()
    def _hold(self) -> None:
        self.plot.following = False
