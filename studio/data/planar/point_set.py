"""A labelled set of points of the plane: float32, stored as images of one pixel with two channels, x₁ and x₂."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.data.example_set import ExampleSet
from studio.data.planar.plane import Plane
from studio.data.scale import Scale, Values
from studio.errors import UserError

_SIDE = 32  # pixels of a point's picture
_SHEET = 128  # pixels of the picture of many
_FEW = 40  # points of a picture of spots
_INK = 40  # brightness that one point adds to many


@dataclass(frozen=True, slots=True, kw_only=True)
class PointSet(ExampleSet):
    """A frozen, labelled set of points in the plane's own units, float32, shape (N, 1, 1, 2), read-only.

    `ground` has the square they lie in, and the densities they were drawn from. Raises UserError if the arrays do not
    fit together, or a point lies outside the square.
    """

    points: NDArray[np.float32]
    ground: Plane

    def __post_init__(self) -> None:
        fits = self.points.dtype == np.float32 and self.points.shape[1:] == (1, 1, 2)
        if not fits or not bool((np.abs(self.points) <= self.ground.half).all()):
            raise UserError(
                "The points have the wrong form",
                f"{self.name}: {self.points.dtype} {self.points.shape} instead of float32 (N, 1, 1, 2) within "
                f"±{self.ground.half:g}.",
            )
        self._check_values()
        ExampleSet.__post_init__(self)  # super() does not know a class with slots

    @property
    def values(self) -> NDArray[np.float32]:
        return self.points

    @property
    def scale(self) -> Scale:
        return self.ground.scale

    @property
    def plane(self) -> Plane:
        return self.ground

    @property
    def noun(self) -> str:
        return "points"

    @property
    def form(self) -> str:
        return f"within ±{self.ground.half:g}"

    def pictures(self, values: Values) -> NDArray[np.uint8]:
        """Each point as a spot in a square of its own."""
        canvas = np.zeros((len(values), _SIDE, _SIDE, 1), np.uint8)
        rows, columns = self._pixels(values, _SIDE)
        each = np.arange(len(values))
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                row, column = np.clip(rows + down, 0, _SIDE - 1), np.clip(columns + right, 0, _SIDE - 1)
                canvas[each, row, column, 0] = 255
        return canvas

    def overview(self, values: Values) -> NDArray[np.uint8]:
        """All points in one square, brighter where there are more; a few of them as spots, so as to be seen."""
        numbers = values[np.isfinite(values).all(axis=(1, 2, 3))]
        if 0 < len(numbers) <= _FEW:
            spots: NDArray[np.uint8] = self.pictures(numbers).max(axis=0)
            return spots.repeat(_SHEET // _SIDE, axis=0).repeat(_SHEET // _SIDE, axis=1)[None]
        return self._density_picture(values, _SHEET, _INK)[None]

    def thumbnails(self) -> NDArray[np.uint8]:
        """All points of each class in a square."""
        return np.stack(
            [self._density_picture(self.points[self.labels == label], _SIDE, 60) for label in range(len(self.counts))]
        )

    def _density_picture(self, values: Values, side: int, ink: int) -> NDArray[np.uint8]:
        numbers = np.isfinite(values).all(axis=(1, 2, 3))  # a model that has diverged makes none
        rows, columns = self._pixels(values[numbers], side)
        found = np.bincount(rows * side + columns, minlength=side**2).reshape(side, side, 1)
        return np.where(found > 0, np.minimum(80 + ink * found, 255), 0).astype(np.uint8)

    def _pixels(self, values: Values, side: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Row, from the top, and column of each point in a picture."""
        x, y = (np.asarray(values, np.float64).reshape(-1, 2) / self.ground.half).T
        columns, rows = (((place + 1) / 2 * side).astype(np.int64).clip(0, side - 1) for place in (x, -y))
        return rows, columns

    def _identity(self) -> Sequence[object]:
        return *ExampleSet._identity(self), self.ground.half  # super() does not know a class with slots
