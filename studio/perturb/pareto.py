"""Whether importance weights may be trusted: the shape k̂ of a generalised Pareto law fitted to their largest.

    p(y|k, σ) = (1/σ)·(1 + k·y/σ)^{−1/k − 1},   y = w − w_M for the M = min(S/5, 3√S) largest of S weights

Moments of an order above 1/k do not exist, so that with k̂ above min(1 − 1/log₁₀ S, 0.7) means by these weights settle
too slowly to be trusted. The fit is Zhang's and Stephens', drawn a little towards k = ½.

Sources: A. Vehtari et al., JMLR 25, 72 (2024), arXiv:1507.02646; J. Zhang, M. Stephens, Technometrics 51, 316 (2009).
"""

from __future__ import annotations

import math

import numpy as np

from studio.perturb.arrays import Floats

_FEWEST = 5
_TOWARDS, _AS_MANY = 0.5, 10


def largest_trusted(count: int) -> float:
    """min(1 − 1/log₁₀ S, 0.7) for S weights."""
    return min(1 - 1 / math.log10(max(count, 2)), 0.7)


def pareto_k(log_weights: Floats) -> float | None:
    """k̂ of S weights, whose logarithms have shape (S,) and any constant; None where the largest hardly differ."""
    count = len(log_weights)
    tail = min(count // 5, int(3 * math.sqrt(count)))
    if tail < _FEWEST:
        return None
    ordered = np.sort(np.partition(log_weights, -tail - 1)[-tail - 1 :])
    weights = np.exp(ordered - ordered[-1])
    excess = weights[1:] - weights[0]
    excess = excess[excess > 1e-10]
    if len(excess) < _FEWEST or np.ptp(excess) < 1e-10:
        return None
    found = fitted_shape(excess)
    return (found * len(excess) + _TOWARDS * _AS_MANY) / (len(excess) + _AS_MANY)


def fitted_shape(excess: Floats) -> float:
    """k of a generalised Pareto law, from n positive numbers that follow it, shape (n,).

    The likelihood as a function of θ = −k/σ alone, for which k = ⟨log(1 − θ·y)⟩, is averaged over a grid.
    """
    y = np.sort(excess)
    count, grid = len(y), 30 + int(math.sqrt(len(y)))
    quarter = y[int(count / 4 + 0.5) - 1]
    theta = 1 / y[-1] + (1 - np.sqrt(grid / (np.arange(1, grid + 1) - 0.5))) / (3 * quarter)
    shape = np.log1p(-theta[:, None] * y).mean(1)
    likelihood = count * (np.log(-theta / shape) - shape - 1)
    weights = np.exp(likelihood - likelihood.max())
    best = float(theta @ weights / weights.sum())
    return float(np.log1p(-best * y).mean())
