"""Importance weights as a histogram: in the last batches, and over the data set."""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np
import pyqtgraph as pg
from numpy.typing import NDArray
from PySide6.QtCore import Qt, Slot
from PySide6.QtGui import QColor, QPen
from PySide6.QtWidgets import QWidget

from studio.gui.plots.axis import nice_above
from studio.gui.plots.bins import Bins, make_bins
from studio.gui.plots.legend import Chip, Legend
from studio.gui.plots.plot import Plot
from studio.gui.state.tilt_view import TiltView
from studio.gui.target.target_control import TargetControl
from studio.gui.timeline.time_cursor import TimeCursor
from studio.gui.widgets.buttons import toggle_button
from studio.gui.widgets.flow_layout import flow_bar
from studio.gui.widgets.layouts import fill
from studio.gui.widgets.live_panel import LivePanel
from studio.gui.widgets.theme import ThemeManager, Tokens
from studio.number_text import compact, percent
from studio.training.messages.snapshot import Snapshot
from studio.training.storage.frames import Frame

Floats = NDArray[np.float64]

_EMPTY = (
    "Which importance weights examples carry.\n"
    "Choose a data set to see its weights; press Start to add those of batches."
)
_TITLES = {"dataset": "Data set", "recent": "Last batches"}
_TIPS = {
    "dataset": "Share of the data set's examples with each weight, under the target as edited, in its gauge; where "
    "shares are held, under the ΔH that is applied.",
    "recent": "Share of the examples in the last batches with each weight, as trained. The planner's own w.",
}
_LEAST_LOG = -700.0
"""log₁₀ of the smallest weight that is told apart from 0; two offsets of 700 reach e^−1400."""
_LEAST_PERCENT = 1e-3  # bottom of a logarithmic share axis where there is nothing smaller


class _Bars(pg.BarGraphItem):
    """Bars without an outline; how many pixels one takes is asked eight times a drawing."""

    def pixelPadding(self) -> float:
        return 0.0


class WeightsPanel(LivePanel):
    """Histogram of importance weights."""

    NAME, TITLE = "weights", "Weights"

    def __init__(
        self, target: TargetControl, time: TimeCursor, theme: ThemeManager, parent: QWidget | None = None
    ) -> None:
        self._bars: dict[str, Any] = {}
        super().__init__(theme, parent)
        self._target = target
        self._tilt: TiltView | None = None
        self._recent: Floats = np.empty(0)  # log₁₀ w of the last batches
        self._recent_source: Floats | None = None
        self._of_others = False  # those batches are of another target than the data set's weights
        self._revision: int | None = None  # of their target, where a step on disk is looked at
        self._classes: tuple[Floats, Floats] = (np.empty(0), np.empty(0))  # log₁₀ w and number of examples
        self._bins: Bins | None = None
        self._shares: dict[str, Floats] = {}
        self._top = 0.0
        self.plot = Plot(theme, "Importance weights", "weight w", "share of examples (%)")
        self.plot.setAccessibleDescription(
            "Histogram of importance weights, over the data set and in the last batches."
        )
        self.plot.view.setMouseEnabled(False, False)
        self.plot.describe = self._describe
        self.plot.reset_asked.connect(self.request_draw)
        for name in _TITLES:
            self._bars[name] = _Bars(x0=[], x1=[], height=[])
            self.plot.addItem(self._bars[name], ignoreBounds=True)
        self.legend = Legend(theme, self.plot)
        for name, colour in (("dataset", "data_grey"), ("recent", 0)):
            self.legend.add(Chip(name, _TITLES[name], _TIPS[name]), colour)
        self.legend.toggled.connect(self.request_draw)
        self._bar = self._controls()
        fill(self.body, self._bar, (self.plot, 1), self.legend)
        self.restyle(theme.tokens)
        self.show_empty(_EMPTY)
        target.changed.connect(self.take_tilt)
        time.snapshot_shown.connect(self.take_snapshot)
        time.frame_shown.connect(self.take_frame)
        time.pictures_gone.connect(self.reset)
        self.take_tilt(target.tilt)

    def _controls(self) -> QWidget:
        tip = "Show weights on a logarithmic scale, where equal steps of ΔH are equal distances."
        self.log_weight = toggle_button("weights_log_weight", "Log weight", tip, self._on_scale, checked=True)
        tip = "Show shares on a logarithmic scale, so that rare weights can be seen."
        self.log_count = toggle_button("weights_log_share", "Log share", tip, self._on_scale)
        return flow_bar(self.log_weight, self.log_count, spacing=self.theme.tokens.spacing)

    def set_compact(self, on: bool) -> None:
        """A card shows the plot alone."""
        self.plot.set_compact(on)
        self._bar.setVisible(not on)
        self.legend.setVisible(not on)

    @Slot(object)
    def take_tilt(self, tilt: TiltView | None) -> None:
        self._tilt = tilt
        self._bins = None
        if tilt is None or tilt.uncounted:
            self._classes = (np.empty(0), np.empty(0))
        else:
            logs, counts = tilt.trained.weight_groups
            self._classes = (np.maximum(logs / np.log(10.0), _LEAST_LOG), counts)
        self.request_draw()

    @Slot(object)
    def take_snapshot(self, snapshot: Snapshot) -> None:
        if snapshot.recent_weights is not self._recent_source:
            self._recent_source, self._revision = snapshot.recent_weights, None
            self.request_draw()

    @Slot(object)
    def take_frame(self, frame: Frame) -> None:
        self._recent_source, self._revision = frame.weights, frame.revision
        self.request_draw()

    @Slot(str)
    def show_owner(self, words: str) -> None:
        """Beside an edited set-up the data set's weights are of that; the batches', which are not, are left out."""
        self._of_others = bool(words)
        self.request_draw()

    @Slot()
    def reset(self) -> None:
        self._recent, self._recent_source = np.empty(0), None
        self.request_draw()

    def draw(self) -> None:
        if self._recent_source is not None:
            usable = self._recent_source[np.isfinite(self._recent_source) & (self._recent_source > 0)]
            before = self._revision is not None and not self._target.data.is_target(self._revision)
            self._recent = np.log10(usable[:0] if self._of_others or before else usable)
        everything = np.concatenate([self._classes[0], _ends(self._recent)])
        if not len(everything):
            self.show_empty(self._target.data.missing or _EMPTY)
            return
        self.show_body()
        logarithmic = self.log_weight.isChecked()
        if self._bins is None or self._bins.logarithmic != logarithmic or not _covers(self._bins, everything):
            self._bins = make_bins(everything, logarithmic=logarithmic)
        self._shares = {
            "dataset": _percent(self._bins.counts(*self._classes)),
            "recent": _percent(self._bins.counts(self._recent)),
        }
        self._show(self._bins)
        worth = 0.0 if self._tilt is None else 100 * self._tilt.trained.summary.efficiency
        self.set_figures("" if self._tilt is None or self._tilt.uncounted else f"ESS/n\u00a0{compact(worth, 2)}\u00a0%")

    def _show(self, bins: Bins) -> None:
        raw = self._tilt is not None and self._tilt.perturbation.gauge.value == "raw"
        self.plot.set_label("bottom", "weight w = e^−ΔH" if raw else "weight w = e^−ΔH/⟨e^−ΔH⟩")
        self.plot.set_logarithmic("bottom", bins.logarithmic)
        self.plot.set_logarithmic("left", self.log_count.isChecked())
        low, high = self._height_range()
        width = bins.edges[1] - bins.edges[0]
        # The data's bars are wide and stand behind, the batches' are narrow and stand before them.
        for name, inset in (("dataset", 0.02), ("recent", 0.26)):
            shown = self.legend.chips[name].isChecked()
            heights = self._on_axis(self._shares[name], low)
            some = heights > low
            self._bars[name].setVisible(shown and bool(some.any()))
            self._bars[name].setOpts(
                x0=bins.edges[:-1][some] + inset * width,
                x1=bins.edges[1:][some] - inset * width,
                y0=np.full(int(some.sum()), low),
                y1=heights[some],
                height=None,
            )
        self.plot.show_range((float(bins.edges[0]), float(bins.edges[-1])), (low, high))

    def _on_axis(self, shares: Floats, low: float) -> Floats:
        if not self.log_count.isChecked():
            return shares
        return np.where(shares > 0, np.log10(np.maximum(shares, 1e-12)), low)

    def _height_range(self) -> tuple[float, float]:
        """From nothing to a round number; it only shrinks when the bars would look lost."""
        everything = np.concatenate(list(self._shares.values()))
        highest = max(float(everything.max()), 1e-6)
        if not highest <= self._top <= 2.2 * highest:
            self._top = min(nice_above(1.04 * highest), 104.0)
        if not self.log_count.isChecked():
            return 0.0, self._top
        least = min(float(everything[everything > 0].min()), 1.0)
        bottom = np.floor(np.log10(max(least, _LEAST_PERCENT)) - 1e-9)
        return float(bottom), float(np.log10(self._top) + 0.05)

    def _describe(self, x: float, y: float) -> str:
        bins = self._bins
        if bins is None or not bins.edges[0] <= x < bins.edges[-1]:
            return ""
        index = int((x - bins.edges[0]) / (bins.edges[1] - bins.edges[0]))
        if not any(shares[index] for shares in self._shares.values()):
            return ""
        low, high = bins.weight_range(index)
        lines = [f"<b>weight {compact(low, 3)} to {compact(high, 3)}</b>"]
        lines += [f"{_TITLES[name]}: {percent(float(shares[index]) / 100)}" for name, shares in self._shares.items()]
        return "<br>".join(lines + self._classes_in(low, high))

    def _classes_in(self, low: float, high: float) -> list[str]:
        if self._tilt is None or self._tilt.energies is not None or self._tilt.uncounted:
            return []
        with np.errstate(over="ignore", under="ignore"):
            weights = np.exp(self._tilt.trained.perturbation.class_log_weights(self._tilt.dataset.counts))
        names = [name for name, w in zip(self._tilt.dataset.class_names, weights, strict=True) if low <= w <= high]
        more = f" and {len(names) - 8} more" if len(names) > 8 else ""
        return [f"Classes: {escape(', '.join(names[:8]))}{more}"] if names else []

    def restyle(self, tokens: Tokens) -> None:
        for (name, bars), colour in zip(self._bars.items(), (tokens.data_grey, tokens.series_colour(0)), strict=True):
            fill = QColor(colour)
            fill.setAlphaF(0.6 if name == "dataset" else 1.0)
            bars.setOpts(brush=fill, pen=QPen(Qt.PenStyle.NoPen))

    @Slot()
    def _on_scale(self) -> None:
        self._bins, self._top = None, 0.0
        self.request_draw()


def _percent(counts: Floats) -> Floats:
    total = counts.sum()
    return 100.0 * counts / total if total else counts


def _ends(values: Floats) -> Floats:
    return np.array([values.min(), values.max()]) if len(values) else values


def _covers(bins: Bins, log_weights: Floats) -> bool:
    values = log_weights if bins.logarithmic else np.power(10.0, np.clip(log_weights, -320.0, 300.0))
    return bool(values.min() >= bins.edges[0] and values.max() <= bins.edges[-1])
