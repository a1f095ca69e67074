"""What a model shows of itself on a plane that is its whole world: fields, arrows, warped nets and flows. No torch.

A model whose examples are points (2, 1, 1) fills these; coordinates are the model's own, −1…1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """A number at each place of a square grid.

    Attributes:
        name: snake_case, unique within the model.
        title: what it is called.
        tip: one sentence what it is, a second with the formula.
        unit: of the values, for the readout; empty for a pure number.
        values: from the lower left along x₁, shape (side, side).
        density: the values are log-densities in nats, of a density on the square −1…1 that integrates to 1.
    """

    name: str
    title: str
    tip: str
    unit: str
    values: NDArray[np.float64]
    density: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrows:
    """A direction at each of some points.

    Attributes:
        name, title, tip: as for a field.
        at: where they begin, shape (n, 2).
        along: direction and size, shape (n, 2).
    """

    name: str
    title: str
    tip: str
    at: NDArray[np.float64]
    along: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Net:
    """Lines through points in rows and columns.

    Attributes:
        name, title, tip: as for a field.
        knots: shape (rows, columns, 2).
    """

    name: str
    title: str
    tip: str
    knots: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """The ways of some particles, for the window to have them run along.

    Attributes:
        name, title, tip: as for a field.
        knots: where each is at times that are evenly spaced, shape (particles, times, 2).
    """

    name: str
    title: str
    tip: str
    knots: NDArray[np.float64]


PlaneView = Field | Arrows | Net | Flow
