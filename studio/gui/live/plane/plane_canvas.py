"""The plane as a plot: heat map, contours of the target, data, samples, arrows, nets and flows, one over the other."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QColor, QHideEvent, QKeyEvent, QShowEvent

from studio.data.planar.plane import Plane
from studio.gui.live.plane.plane_items import (
    Array,
    Dots,
    HeatMap,
    Segments,
    arrow_ends,
    contour_ends,
    net_ends,
    particle_tails,
)
from studio.gui.plots.plot import Plot, cosmetic_pen
from studio.gui.widgets.theme import ThemeManager, Tokens, mixed
from studio.gui.widgets.tooltip import KeyHelp
from studio.models.plane import Arrows, Flow, Net, PlaneView
from studio.training.messages.snapshot import PlaneFrame

_LAYER_OF: dict[type[PlaneView], str] = {Arrows: "arrows", Net: "net", Flow: "flow"}
"""Layers that a model's views are drawn in."""
_MOST_DATA = 1500
_EACH = 3  # of the samples that gets an arrow
_LEVELS = (0.5, 0.1, 0.02)
"""Contours, as shares of the highest density."""
_AIR = 1.04
_FLOW_INTERVAL, _ROUND_SECONDS = 80, 3.0
"""Milliseconds between two looks at the particles of a flow, and how long each is on its way."""


class PlaneCanvas(Plot):
    """Draws one plane.

    Attributes:
        hidden: layers that are not drawn.
        shown_by_model: layers for which the frame that is drawn has something.
    """

    KEYS = KeyHelp(
        "In the plane",
        (
            ("Show or hide a layer", "D, S, C, P, N, F, G"),
            ("Heat map", "H"),
            ("At once, as trained", "A"),
            ("Move, zoom, show everything", "Arrows, + and −, Home"),
        ),
    )

    letter_pressed = Signal(str)

    def __init__(self, theme: ThemeManager) -> None:
        self.hidden: set[str] = set()
        self.shown_by_model: frozenset[str] = frozenset()
        self._plane: Plane | None = None
        self._half = 1.0
        self._frame: PlaneFrame | None = None
        self._contours: Array = np.empty((0, 2))
        self._data: tuple[Array, NDArray[np.int64]] = (np.empty((0, 2)), np.empty(0, np.int64))
        self._classes = 0
        self._items: tuple[Any, ...] = ()
        self._knots: Array | None = None
        self._target_knots: Array | None = None
        self._heat: Array | None = None
        super().__init__(theme, "Plane", "x₁", "x₂")
        self.setAccessibleDescription(
            "Data and generated points by the colours of their classes. Drag or arrows move, wheel or + and − zoom, "
            "Home shows everything."
        )
        self.view.setAspectLocked(True)
        self.reset_asked.connect(self.show_all)
        self._beat = QTimer(self, interval=_FLOW_INTERVAL)
        self._beat.timeout.connect(self._draw_flow)

    def show_plane(self, plane: Plane, points: Array, labels: NDArray[np.int64], classes: int) -> None:
        """Begin with a data set's plane and its points (n, 2)."""
        self._plane, self._half, self._classes = plane, plane.half, classes
        self._frame = self._heat = self._target_knots = None
        step = max(1, len(points) // _MOST_DATA)
        self._data = (points[::step], labels[::step])
        for old in self._items:
            self.removeItem(old)
        half = plane.half
        self.heat, self.real, self.fake = HeatMap(half), Dots(half, 2.5), Dots(half, 5.0, 1.0)
        self.contour_lines, self.net_lines, self.arrow_lines, self.tails, self.target_tails = (
            Segments() for _ in range(5)
        )
        lines = (self.net_lines, self.fake, self.target_tails, self.tails, self.arrow_lines)
        self._items = (self.heat, self.real, self.contour_lines, *lines)
        self._stack()
        self.restyle(self.tokens)
        self.show_all()

    def _stack(self) -> None:
        for depth, item in enumerate(self._items):
            item.setZValue(depth - 20)
            self.addItem(item, ignoreBounds=True)

    def show_all(self) -> None:
        edge = _AIR * self._half
        self.view.setRange(xRange=(-edge, edge), yRange=(-edge, edge), padding=0, disableAutoRange=True)

    def show_target(self, density: Array | None) -> None:
        """Draw contours of a density, shape (side, side), rows upwards; None draws none."""
        self._contours = np.empty((0, 2))
        if density is not None:
            top = float(density.max())
            self._contours = contour_ends(density, tuple(top * level for level in _LEVELS), self._half)
        self._draw_contours()

    def show_target_flow(self, knots: Array | None) -> None:
        """Draw particles of ways (particles, times, 2) beside the model's own; None draws none."""
        self._target_knots = knots
        self._keep_beat()
        self._draw_flow()

    def show_heat(self, values: Array | None) -> None:
        """Draw values 0…1, shape (side, side), rows upwards, as a heat map; None draws none."""
        self._heat = values
        if self._plane is not None:
            ground, strong = QColor(self.tokens.surface), QColor(self.tokens.accent)
            self.heat.set_values(values, ground, mixed(strong, ground, 0.75))

    def show_frame(self, frame: PlaneFrame | None) -> None:
        self._frame = frame
        self.redraw()

    def set_hidden(self, layer: str, hidden: bool) -> None:
        (self.hidden.add if hidden else self.hidden.discard)(layer)
        if self._plane is not None:
            self.restyle(self.tokens)

    def redraw(self) -> None:
        if self._plane is None:
            return
        frame, ground = self._frame, QColor(self.tokens.surface)
        nothing = np.empty((0, 2))
        points, labels = (frame.points, frame.labels) if frame is not None else (nothing, np.empty(0, np.int64))
        if "samples" in self.hidden:
            points, labels = points[:0], labels[:0]
        self.fake.set_points(points, labels, self._class_colours(), ground)
        views: tuple[PlaneView, ...] = frame.views if frame is not None else ()
        by_layer = {_LAYER_OF[type(view)]: view for view in views if type(view) in _LAYER_OF}
        self.shown_by_model = frozenset(by_layer)
        shown = {layer: view for layer, view in by_layer.items() if layer not in self.hidden}
        arrows, net, flow = (shown.get(layer) for layer in _LAYER_OF.values())
        arrow_lines = net_lines = nothing
        if isinstance(arrows, Arrows):
            arrow_lines = arrow_ends(arrows.at[::_EACH] * self._half, arrows.along[::_EACH], self._half)
        if isinstance(net, Net):
            net_lines = net_ends(net.knots * self._half)
        self.arrow_lines.set_ends(arrow_lines)
        self.net_lines.set_ends(net_lines)
        self._knots = flow.knots * self._half if isinstance(flow, Flow) else None
        self._keep_beat()
        self._draw_flow()

    def _keep_beat(self) -> None:
        """Have particles move while there are some that can be seen; frames move them, too, and put beats off."""
        if (self._knots is None and self._target_knots is None) or not self.isVisible():
            self._beat.stop()
        else:
            self._beat.start()

    @Slot()
    def _draw_flow(self) -> None:
        at = time.monotonic() / _ROUND_SECONDS
        if self._plane is None:
            return
        for tails, knots in ((self.tails, self._knots), (self.target_tails, self._target_knots)):
            tails.set_ends(np.empty((0, 2)) if knots is None else particle_tails(knots, at))

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._keep_beat()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self._keep_beat()

    def restyle(self, tokens: Tokens) -> None:
        super().restyle(tokens)
        if self._plane is None:
            return
        ground = QColor(tokens.surface)
        for lines, colour, width in (
            (self.contour_lines, tokens.muted, 1.0),
            (self.net_lines, tokens.series_colour(1), 1.0),
            (self.arrow_lines, tokens.text, 1.0),
            (self.tails, tokens.series_colour(3), 2.5),
            (self.target_tails, tokens.series_colour(2), 2.5),
        ):
            lines.setPen(cosmetic_pen(colour, width))
        faint = [mixed(colour, ground, 0.55) for colour in self._class_colours()]
        points, labels = self._data
        shown = slice(0) if "data" in self.hidden else slice(None)
        self.real.set_points(points[shown], labels[shown], faint, ground)
        self._draw_contours()
        self.show_heat(self._heat)
        self.redraw()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """A letter is a layer's; the rest is any plot's."""
        if event.text().isalpha() and event.modifiers() == Qt.KeyboardModifier.NoModifier:
            self.letter_pressed.emit(event.text().lower())
        else:
            super().keyPressEvent(event)

    def _draw_contours(self) -> None:
        if self._plane is not None:
            self.contour_lines.set_ends(self._contours[: 0 if "contours" in self.hidden else None])

    def _class_colours(self) -> list[QColor]:
        return [QColor(self.tokens.class_colour(label)) for label in range(self._classes)]
