"""What a model shows of itself on a plane that is its whole world: fields, arrows, warped nets and flows. No torch.

A model whose examples are points (2, 1, 1) fills these; coordinates are the model's own, −1…1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.models.diagnostic import Shown


@dataclass(frozen=True, slots=True, kw_only=True)
class Field(Shown):
    """A number at each place of a square grid, from the lower left along x₁, shape (side, side), in a `unit` or none.

    Of a `density` they are log-densities in nats, of one on the square −1…1 that integrates to 1.
    """

    unit: str
    values: NDArray[np.float64]
    density: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrows(Shown):
    """A direction and size, `along`, at each of some points, `at`, both of shape (n, 2)."""

    at: NDArray[np.float64]
    along: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Net(Shown):
    """Lines through points in rows and columns, shape (rows, columns, 2)."""

    knots: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow(Shown):
    """The ways of some particles, for the window to have them run along, at even times, shape (particles, times, 2)."""

    knots: NDArray[np.float64]


PlaneView = Field | Arrows | Net | Flow
