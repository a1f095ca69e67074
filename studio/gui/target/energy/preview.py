"""What the energy makes of the data: a feature before and after, the weights, and the examples it favours."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import QSignalBlocker, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QPen, QPixmap, QResizeEvent
from PySide6.QtWidgets import QComboBox, QSizePolicy, QWidget

from studio.data.example_set import ExampleSet
from studio.gui.plots.histogram_plot import HistogramPlot
from studio.gui.plots.legend import Chip, Legend
from studio.gui.state.tilt_view import TiltView
from studio.gui.target.terms import WEIGHT, Observable, before_and_after, extremes, weight_histogram
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import column_of, row_of
from studio.gui.widgets.pictures import mosaic
from studio.gui.widgets.theme import ThemeManager, Tokens
from studio.gui.widgets.tooltip import named, set_help
from studio.perturb.arrays import Floats
from studio.perturb.example_features import ExampleFeatures

_SHOWN = 6
_PLOT_LEAST = 100
_WEIGHT_TITLE = "Weight w"
_TIPS = {
    "Data": "Share of the data set's examples with each value, all counted alike.",
    "Target": "Share of the target with each value: every example counted by its weight w = e^−ΔH.",
}


class EnergyPreview(QWidget):
    """A histogram to choose, beside the most and least favoured examples."""

    wanted = Signal(str)  # name of what is to be measured, so that it can be shown

    def __init__(self, theme: ThemeManager) -> None:
        super().__init__()
        self._observables: dict[str, Observable] = {}
        self._tilt: TiltView | None = None
        self._measured: ExampleFeatures | None = None
        tip = "What is shown of data and target: a feature, what a term reads of a judge or a file, or the weights."
        self.choice = named(QComboBox(), "energy_histogram", "Histogram", tip)
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.choice.activated.connect(self.draw)
        self.plot = _BeforeAndAfter(theme)
        self.plot.setMinimumHeight(_PLOT_LEAST)
        self.plot.set_label("left", "share (%)")
        self.plot.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Ignored)
        self.legend = Legend(theme, self.plot)
        for colour, (name, tip) in zip(("data_grey", "target"), _TIPS.items(), strict=True):
            self.legend.add(Chip(name, name, tip), colour)
        self.legend.toggled.connect(self.draw)
        self.most = _Strip("Most favoured", "The examples with the lowest ΔH, the lowest first: they count most.")
        self.least = _Strip("Least favoured", "The examples with the highest ΔH, the highest first: they count least.")
        spacing = theme.tokens.spacing
        top = row_of(self.choice, (self.legend, 1))
        left = column_of(top, (self.plot, 1), spacing=0)
        right = column_of((self.most, 1), (self.least, 1), spacing=spacing // 2)
        row_of((left, 3), (right, 2), inside=self, spacing=spacing)

    # -- state in

    def offer(self, observables: tuple[Observable, ...]) -> None:
        """What can be shown of the data and the target."""
        offered = {each.name: each for each in observables}
        if offered == self._observables:
            return
        self._observables, chosen = offered, self.choice.currentData()
        with QSignalBlocker(self.choice):
            self.choice.clear()
            for each in observables:
                self.choice.addItem(each.title, each.name)
            self.choice.addItem(_WEIGHT_TITLE, WEIGHT)
            self.choice.setCurrentIndex(max(0, self.choice.findData(chosen)))

    def choose(self, name: str) -> None:
        """Show this, as its term is being edited."""
        place = self.choice.findData(name)
        if place >= 0 and place != self.choice.currentIndex():
            self.choice.setCurrentIndex(place)
            self.draw()

    def show_tilt(self, tilt: TiltView, measured: ExampleFeatures, examples: ExampleSet) -> None:
        self._tilt, self._measured = tilt, measured
        energy = tilt.example_energies
        found = extremes(energy, _SHOWN)
        flat = bool(np.ptp(energy) == 0)
        self.most.show_images(None if flat else examples.overview(examples.values[found.most]))
        self.least.show_images(None if flat else examples.overview(examples.values[found.least]))
        self.draw()

    @Slot()
    def draw(self) -> None:
        tilt, measured, name = self._tilt, self._measured, self.choice.currentData()
        if tilt is None or measured is None or name is None:
            return
        logs = self._log_weights(tilt.trained if name == WEIGHT else tilt)
        hidden = self.legend.hidden
        self.legend.chips["Target"].setEnabled(name != WEIGHT)
        if name == WEIGHT:
            self.plot.show_histogram(weight_histogram(logs), hidden - {"Data"})
        elif measured.missing([name]):
            self.wanted.emit(name)
        else:
            weights = np.exp(logs - logs.max())
            self.plot.show_histogram(before_and_after(self._observables[name], measured.values(name), weights), hidden)

    @staticmethod
    def _log_weights(tilt: TiltView) -> Floats:
        labels, counts = tilt.dataset.labels, tilt.dataset.counts
        return tilt.perturbation.example_log_weights(labels, counts, tilt.energies)


class _BeforeAndAfter(HistogramPlot):
    """Data grey and filled, target outlined, as everywhere."""

    def restyle(self, tokens: Tokens) -> None:
        super().restyle(tokens)
        for bars, colour, opacity in zip(self._bars, (tokens.data_grey, tokens.target), (0.5, 0.0), strict=False):
            fill = QColor(colour)
            pen = QPen(fill, 0 if opacity else 2)
            pen.setCosmetic(True)  # in pixels, whatever the axes say
            bars.setPen(pen)
            fill.setAlphaF(opacity)
            bars.setBrush(fill)


class _Strip(QWidget):
    """A title, and images below it as large as there is room for."""

    def __init__(self, title: str, tip: str) -> None:
        super().__init__()
        self._images: NDArray[np.uint8] | None = None
        self._title = plain_label(title, role="small")
        self.picture = plain_label(name=title.lower().replace(" ", "_"))
        self.picture.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop)
        self.picture.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
        for widget in (self._title, self.picture):
            set_help(widget, title, tip)
        column_of(self._title, (self.picture, 1), inside=self, spacing=0)

    def show_images(self, images: NDArray[np.uint8] | None) -> None:
        """Show these, or that all are alike."""
        self._images = images
        self._draw()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._draw()

    def _edge(self, columns: int, room: QSize) -> float:
        assert self._images is not None
        rows = -(-len(self._images) // columns)
        return min(room.width() / columns, room.height() / rows)

    def _draw(self) -> None:
        if self._images is None:
            self.picture.setText("All alike")
            return
        room: QSize = self.picture.size() * self.devicePixelRatioF()
        across = max(range(1, len(self._images) + 1), key=lambda columns: self._edge(columns, room))
        whole = mosaic(self._images, across)
        scaled = whole.scaled(room, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.FastTransformation)
        scaled.setDevicePixelRatio(self.devicePixelRatioF())
        self.picture.setPixmap(QPixmap.fromImage(scaled))
