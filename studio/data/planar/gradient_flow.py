"""Particles on the way to a density by the gradient flow of KL(q ‖ p′) in the Wasserstein distance.

    x ← x + h·∇log p′(x) + √(2h)·ξ,   ξ ~ N(0, 1)

is overdamped Langevin dynamics; its density follows ∂q/∂t = ∇·(q·∇log(q/p′)), the steepest descent of KL(q ‖ p′), and
comes to rest at p′. The best critic of a GAN is log(p′/q), so that it pulls samples the same way: −∇log(q/p′).

Source: R. Jordan, D. Kinderlehrer, F. Otto, SIAM J. Math. Anal. 29, 1 (1998).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from studio.data.planar.density import Array

_STEP, _EVERY = 0.004, 10
_APART = 1e-6
"""Over which log p′ is differentiated."""
_AT_AND_BESIDE = _APART * np.array([[0.0, 0], [1, 0], [0, 1]])


def gradient_flow(
    log_density: Callable[[Array], Array], start: Array, rng: np.random.Generator, *, steps: int = 150
) -> Array:
    """Where particles are after each tenth of so many steps of length h, from `start` (n, 2), shape (n, times, 2).

    A particle does not leave where p′ is; where it is not, it has no slope. `log_density` takes points (m, 2) to log p′
    but for a constant, shape (m,), −inf where p′ is 0.
    """
    points, ways = start, [start]
    slope, within = _score(log_density, points)
    for number in range(1, steps + 1):
        moved = points + _STEP * slope + np.sqrt(2 * _STEP) * rng.standard_normal(points.shape)
        next_slope, inside = _score(log_density, moved)
        stays = within & ~inside
        points, slope = (np.where(stays[:, None], *each) for each in ((points, moved), (slope, next_slope)))
        within |= inside
        if number % _EVERY == 0:
            ways.append(points)
    return np.stack(ways, 1)


def _score(log_density: Callable[[Array], Array], points: Array) -> tuple[Array, NDArray[np.bool_]]:
    """∇log p′ of points (n, 2), 0 where p′ is 0 or ends, and whether it is anything, shape (n,)."""
    logs = log_density((points[:, None] + _AT_AND_BESIDE).reshape(-1, 2)).reshape(-1, 3)
    known = np.isfinite(logs)
    here, beside = np.split(np.where(known.all(1, keepdims=True), logs, 0.0), (1,), axis=1)
    return (beside - here) / _APART, known[:, 0]
