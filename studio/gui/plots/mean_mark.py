"""One mean with its standard error as a point of a plot."""

from __future__ import annotations

import numpy as np
import pyqtgraph as pg
from PySide6.QtGui import QColor, QPen

from studio.evaluation.report import Mean
from studio.gui.plots.profile_plot import ProfilePlot
from studio.gui.widgets.theme import Tokens


class MeanMark:
    """A point with an error bar; the plot's axis reaches to it."""

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
