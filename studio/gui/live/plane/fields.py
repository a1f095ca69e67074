"""Fields on the plane that a heat map can show: the exact densities and the model's own."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.data.planar.gradient_flow import gradient_flow
from studio.data.planar.plane import Plane
from studio.data.planar.target import PlaneTarget
from studio.errors import UserError
from studio.gui.state.dataset_view import DatasetView
from studio.gui.state.tilt_view import TiltView
from studio.models.plane import Field
from studio.perturb.perturbation import Perturbation

Array = NDArray[np.float64]

SIDE = 80
"""Cells along each side of the grid of the exact densities."""

_PARTICLES = 32

_EXACT_TIPS = {
    "p": "How densely the data lie, exactly as they were drawn. p(x) = Σ_c p_c·p(x|c).",
    "target": "How densely points should lie after the tilt, exactly. p′(x) = Σ_c p_c·p(x|c)·e^(−ΔH(x, c))/Z.",
}
_EXACT_TITLES = {"p": "Data's density p", "target": "Target's density p′"}


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownField:
    """A field as the heat map takes it.

    Attributes:
        name, title, tip, unit: as for a model's field.
        values: in `unit`, shape (side, side), rows upwards.
    """

    name: str
    title: str
    tip: str
    unit: str
    values: Array

    @property
    def span(self) -> tuple[float, float]:
        return float(self.values.min()), float(self.values.max())

    @property
    def scaled(self) -> Array:
        """Values between 0 and 1."""
        low, high = self.span
        return np.asarray((self.values - low) / (high - low) if high > low else np.zeros_like(self.values))

    def at(self, x: float, y: float, half: float) -> float | None:
        """The value in the cell of a place; None beyond the square ±half."""
        side = len(self.values)
        column, row = (int((place / half + 1) / 2 * side // 1) for place in (x, y))
        return float(self.values[row, column]) if 0 <= row < side and 0 <= column < side else None


class ExactFields:
    """The exact densities of one plane, computed once for all targets."""

    def __init__(self, plane: Plane) -> None:
        self._centres = plane.centres(SIDE)
        self._classes = np.exp(plane.log_class_densities(self._centres))

    def field(self, name: str, shares: Array) -> ShownField:
        """Σ_c a_c·p(x|c) for class shares a (K,); `name` is "p" or "target"."""
        return self._shown(name, self._classes @ shares)

    def target(self, target: PlaneTarget) -> ShownField:
        """p′.

        Raises:
            UserError: ΔH is not finite somewhere where a class has points.
        """
        return self._shown("target", target.on_grid(self._centres, self._classes))

    def _shown(self, name: str, values: Array) -> ShownField:
        return ShownField(
            name=name,
            title=_EXACT_TITLES[name],
            tip=_EXACT_TIPS[name],
            unit="per area",
            values=values.reshape(SIDE, SIDE),
        )


def model_field(field: Field, half: float) -> ShownField:
    """A model's field; a log-density becomes a density in the plane's own units."""
    values = field.values
    if field.density:
        values = np.exp(values - 2 * math.log(half))
    unit = "per area" if field.density else field.unit
    return ShownField(name=field.name, title=field.title, tip=field.tip, unit=unit, values=values)


def plane_target(dataset: DatasetView, tilt: TiltView | None) -> PlaneTarget:
    """p′ of a tilt, p without one; raises UserError if it is not known exactly."""
    if tilt is not None and tilt.uncounted:
        raise tilt.fault or UserError(tilt.why_uncounted.rstrip("."))
    assert dataset.plane is not None
    target, energies = Perturbation.zero(len(dataset.counts)), None
    if tilt is not None:
        target, energies = tilt.perturbation, tilt.energies
    return PlaneTarget.of(dataset.plane, dataset.class_names, dataset.counts, target, energies)


def target_flow(target: PlaneTarget) -> Array:
    """The ways of particles by the gradient flow to p′, from even places of the square, shape (particles, times, 2).

    Raises:
        UserError: ΔH is not finite where one comes by.
    """
    rng, half = np.random.default_rng(0), target.plane.half
    return gradient_flow(target.log_density, rng.uniform(-half, half, (_PARTICLES, 2)), rng)
