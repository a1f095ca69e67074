"""The plane of a planar set: its square, and what is known exactly on it.

    p(x) = Σ_c p_c·p(x|c)

is the data's density, with the shares of its classes; `PlaneTarget` knows the target's.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from studio.data.planar.density import Array, Density, log_mixture
from studio.data.scale import Scale


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plane:
    """A square about the origin and the density p(x|c) of each class on it.

    `half` is half of its side; models see points divided by it, in −1…1. The densities have less than 10⁻⁶ beyond it.
    """

    half: float
    classes: tuple[Density, ...]

    @property
    def scale(self) -> Scale:
        return Scale(centre=0.0, half=self.half, whole=False)

    def log_class_densities(self, points: Array) -> Array:
        """log p(x|c) of points (n, 2), shape (n, K)."""
        return np.stack([density.log_density(points) for density in self.classes], 1)

    def log_density(self, points: Array, shares: Array) -> Array:
        """log Σ_c a_c·p(x|c) of points (n, 2) for class shares a (K,), shape (n,)."""
        return log_mixture(self.log_class_densities(points), shares)

    def draw(self, label: int, count: int, rng: np.random.Generator) -> Array:
        """Points of one class within the square, shape (count, 2)."""
        points = self.classes[label].draw(count, rng)
        while len(outside := np.flatnonzero((np.abs(points) >= self.half).any(1))):
            points[outside] = self.classes[label].draw(len(outside), rng)
        return points

    def draw_mixture(self, count: int, shares: Array, rng: np.random.Generator) -> Array:
        """Points of Σ_c a_c·p(x|c), shape (count, 2)."""
        labels = np.sort(rng.choice(len(self.classes), count, p=shares / np.sum(shares)))
        counts = np.bincount(labels, minlength=len(self.classes))
        return np.concatenate([self.draw(label, int(number), rng) for label, number in enumerate(counts)])

    def draw_cells(self, count: int, masses: Array, rng: np.random.Generator) -> Array:
        """Points of a density given by its mass in each cell of `centres`, (side²,), even within one; (count, 2)."""
        side = math.isqrt(len(masses))
        chosen = self.centres(side)[rng.choice(len(masses), count, p=masses)]
        return np.asarray(chosen + (rng.random((count, 2)) - 0.5) * (2 * self.half / side))

    def classify(self, points: Array, shares: Array) -> NDArray[np.int64]:
        """The most probable class of points (n, 2) under shares (K,), or (n, K) of each point's own (Bayes), (n,)."""
        with np.errstate(divide="ignore"):
            posterior = self.log_class_densities(points) + np.log(shares)
        found: NDArray[np.int64] = posterior.argmax(1)
        lost = ~np.isfinite(posterior.max(1))
        if lost.any():  # where every density is 0 the class whose points are nearest
            found[lost] = self._nearest(points[lost])
        return found

    def centres(self, side: int) -> Array:
        """Centres of side×side cells that fill the square, from the lower left along x₁, shape (side², 2)."""
        at = ((np.arange(side) + 0.5) / side * 2 - 1) * self.half
        across, up = np.meshgrid(at, at)
        return np.stack((across.ravel(), up.ravel()), 1)

    def _nearest(self, points: Array) -> NDArray[np.int64]:
        found = _landmarks(self)
        gaps = ((points[:, None, None] - found) ** 2).sum(3).min(2)
        return np.asarray(gaps.argmin(1), dtype=np.int64)


@lru_cache(maxsize=4)
def _landmarks(plane: Plane) -> Array:
    """Some points of each class, shape (K, 64, 2)."""
    rng = np.random.default_rng(0)
    return np.stack([plane.draw(label, 64, rng) for label in range(len(plane.classes))])
