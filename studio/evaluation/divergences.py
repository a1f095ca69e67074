"""How far generated samples are from the tilted data, in the judge's features.

    Fréchet distance   |μ − μ′|² + tr(Σ + Σ′ − 2 (Σ^½ Σ′ Σ^½)^½)                    between Gaussian fits
    kernel distance    MMD² = ⟨k(x, x̃)⟩ + ⟨k(y, ỹ)⟩ − 2⟨k(x, y)⟩,  k(x, y) = (x·y/d + 1)³   unbiased, may fall below 0

The data's side carries the importance weights: moments are weighted, μ′ = Σ w x / Σ w, and pairs count w_i w_j. A floor
is the same figure for as many real examples, drawn with probability ∝ w: what a perfect model would score.

Sources: M. Heusel et al., arXiv:1706.08500 (2017); M. Bińkowski et al., arXiv:1801.01401 (2018). No torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.perturb.arrays import Floats, Indices

Features = NDArray[np.float32]

_MOST_PAIRED = 2000
"""Examples a side in a kernel distance: its cost grows with the square."""

_SLICE = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Moments:
    """A Gaussian fit: μ, shape (d,), and Σ, shape (d, d)."""

    mean: Floats
    covariance: Floats


def moments(features: Features, weights: Floats | None = None) -> Moments:
    """Mean and covariance of features (n, d), n ≥ 1, normalised by Σw of weights (n,), or even ones if absent."""
    share = np.full(len(features), 1.0) if weights is None else weights.astype(np.float64)
    share = share / share.sum()
    mean = np.zeros(features.shape[1])
    for start in range(0, len(features), _SLICE):
        mean += share[start : start + _SLICE] @ features[start : start + _SLICE].astype(np.float64)
    covariance = np.zeros((len(mean), len(mean)))
    for start in range(0, len(features), _SLICE):
        off = features[start : start + _SLICE] - mean
        covariance += (off * share[start : start + _SLICE, None]).T @ off
    return Moments(mean=mean, covariance=covariance)


def frechet_distance(one: Moments, other: Moments) -> float:
    """Squared Fréchet (2-Wasserstein) distance of two Gaussians."""
    values, vectors = np.linalg.eigh(one.covariance)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    cross = np.linalg.eigvalsh(root @ other.covariance @ root)
    shift = float(((one.mean - other.mean) ** 2).sum())
    spread = np.trace(one.covariance) + np.trace(other.covariance) - 2 * np.sqrt(np.maximum(cross, 0)).sum()
    return max(0.0, shift + float(spread))


def kernel_distance(generated: Features, real: Features, drawn: Indices | None = None) -> float:
    """Unbiased MMD² with the kernel (x·y/d + 1)³ of features, shapes (n, d) and (m, d), n, m ≥ 2; the first 2,000 of
    each count.

    `drawn` tells which example each row of `real` is, shape (m,), where examples may have been drawn twice: a pair of
    one and the same is left out, as it is from a sum over i ≠ j.
    """
    x, y = generated[:_MOST_PAIRED].astype(np.float64), real[:_MOST_PAIRED].astype(np.float64)
    which = np.arange(len(y)) if drawn is None else drawn[:_MOST_PAIRED]
    same = which[:, None] == which
    within = _kernel(y, y)
    if same.all():
        return float("nan")
    real_pairs = float(within[~same].mean())
    generated_pairs = _kernel(x, x)
    np.fill_diagonal(generated_pairs, 0)
    number = len(x)
    return float(generated_pairs.sum() / (number * (number - 1)) + real_pairs - 2 * _kernel(x, y).mean())


def _kernel(x: Floats, y: Floats) -> Floats:
    values: Floats = (x @ y.T / x.shape[1] + 1) ** 3
    return values


def drawn_by_weight(weights: Floats, count: int, rng: np.random.Generator) -> Indices:
    """Indices of `count` examples drawn with probability ∝ w, with replacement, shape (count,)."""
    cumulative = np.cumsum(weights)
    return np.searchsorted(cumulative, rng.random(count) * cumulative[-1], side="right").astype(np.int64)


def frechet_floor(
    features: Features, weights: Floats, fit: Moments, count: int, rng: np.random.Generator, repeats: int = 4
) -> float:
    """Mean Fréchet distance to `fit`, the moments of features (N, d) by w (N,), of so many of them, drawn by w."""
    draws = (drawn_by_weight(weights, count, rng) for _ in range(repeats))
    return float(np.mean([frechet_distance(moments(features[draw]), fit) for draw in draws]))
