"""Densities on the plane that can be both evaluated and drawn from: what a class of a planar set is made of.

    blobs   p(x) = Σ_m a_m·N(x; c_m, σ²)                         one to many round Gaussians
    curve   p(x) = ∫₀¹ N(x; c(u), σ²) du                         a curve with noise, by Gauss–Legendre quadrature
    half    p(x) = 2·N(x; 0, σ²) on one side of the line x₁ = 0  half of a round Gaussian
    boxes   p(x) = 1/Σ_m area_m within any box                   even over rectangles that do not overlap

The quadrature's error falls faster than any power of the number of nodes once they lie closer than σ.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_NODES = 400
_CHUNK = 4096


class Density(ABC):
    """A probability density on the plane."""

    @abstractmethod
    def log_density(self, points: Array) -> Array:
        """log p(x) of points (n, 2), shape (n,); −inf where p is 0."""

    @abstractmethod
    def draw(self, count: int, rng: np.random.Generator) -> Array:
        """Points x ~ p, shape (count, 2)."""


@dataclass(frozen=True, slots=True)
class Blobs(Density):
    """A mixture of round Gaussians: centres c, shape (M, 2), σ of all or each, shares a, shape (M,), summing to 1."""

    centres: Array
    width: float | Array
    shares: Array

    def log_density(self, points: Array) -> Array:
        logs = np.log(self.shares) - np.log(2 * math.pi * np.square(self.width))
        found = []
        for start in range(0, len(points), _CHUNK):  # thousands of points times hundreds of nodes at a time
            across, up = (points[start : start + _CHUNK, [axis]] - self.centres[:, axis] for axis in (0, 1))
            found.append(_log_sum(logs - (across**2 + up**2) / (2 * np.square(self.width))))
        return np.concatenate(found) if found else np.empty(0)

    def draw(self, count: int, rng: np.random.Generator) -> Array:
        chosen = rng.choice(len(self.centres), count, p=self.shares)
        widths = np.broadcast_to(self.width, len(self.centres))[chosen, None]
        return self.centres[chosen] + widths * rng.standard_normal((count, 2))


def blob(x: float, y: float, width: float) -> Blobs:
    """One round Gaussian."""
    return Blobs(np.array([[x, y]]), width, np.ones(1))


@dataclass(frozen=True, slots=True)
class Curve(Density):
    """A curve that is run through evenly in u, from 0…1, shape (n,), to points (n, 2), with round noise of width σ."""

    path: Callable[[Array], Array]
    width: float

    def log_density(self, points: Array) -> Array:
        nodes, shares = _quadrature()
        return Blobs(self.path(nodes), self.width, shares).log_density(points)

    def draw(self, count: int, rng: np.random.Generator) -> Array:
        return self.path(rng.random(count)) + self.width * rng.standard_normal((count, 2))


@dataclass(frozen=True, slots=True)
class Half(Density):
    """One side of a round Gaussian of width σ about the origin: −1 for x₁ < 0, +1 for x₁ ≥ 0."""

    side: int
    width: float

    def log_density(self, points: Array) -> Array:
        whole = blob(0, 0, self.width).log_density(points)
        within = (points[:, 0] < 0) if self.side < 0 else (points[:, 0] >= 0)
        return np.where(within, math.log(2) + whole, -np.inf)

    def draw(self, count: int, rng: np.random.Generator) -> Array:
        points = self.width * rng.standard_normal((count, 2))
        points[:, 0] = self.side * np.abs(points[:, 0])
        return points


@dataclass(frozen=True, slots=True)
class Boxes(Density):
    """Even over rectangles that do not overlap, by their corners, each of shape (M, 2)."""

    low: Array
    high: Array

    def log_density(self, points: Array) -> Array:
        within = np.asarray(((points[:, None] >= self.low) & (points[:, None] < self.high)).all(2))
        return np.where(within.any(1), -math.log(self._areas().sum()), -np.inf)

    def draw(self, count: int, rng: np.random.Generator) -> Array:
        areas = self._areas()
        chosen = rng.choice(len(areas), count, p=areas / areas.sum())
        return self.low[chosen] + (self.high - self.low)[chosen] * rng.random((count, 2))

    def _areas(self) -> Array:
        return np.asarray((self.high - self.low).prod(1))


@cache
def _quadrature() -> tuple[Array, Array]:
    """Nodes in 0…1 and shares of the Gauss–Legendre rule; finding them takes a while."""
    nodes, shares = np.polynomial.legendre.leggauss(_NODES)
    return (nodes + 1) / 2, shares / 2


def _log_sum(logs: Array) -> Array:
    """log Σ_m exp(logs), shape (n,) for (n, M); −inf where every term is."""
    top = logs.max(1)
    safe = np.where(np.isfinite(top), top, 0.0)
    with np.errstate(divide="ignore"):
        return np.asarray(safe + np.log(np.exp(logs - safe[:, None]).sum(1)))


def log_mixture(log_densities: Array, shares: Array) -> Array:
    """log Σ_c a_c·p_c(x), shape (n,), of log p_c(x), shape (n, K), and shares a, shape (K,); −inf where that is 0."""
    with np.errstate(divide="ignore"):
        return _log_sum(log_densities + np.log(shares))
