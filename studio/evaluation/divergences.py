"""How far generated samples are from the tilted data: in the judge's features, and in class shares.

    Fréchet distance   |μ − μ′|² + tr(Σ + Σ′ − 2 (Σ^½ Σ′ Σ^½)^½)                    between Gaussian fits
    kernel distance    MMD² = ⟨k(x, x̃)⟩ + ⟨k(y, ỹ)⟩ − 2⟨k(x, y)⟩,  k(x, y) = (x·y/d + 1)³   unbiased, may fall below 0

The data's side carries the importance weights: moments are weighted, μ′ = Σ w x / Σ w, and pairs count w_i w_j. A floor
is the same figure for as many real examples, drawn with probability ∝ w: what a perfect model would score.

Sources: M. Heusel et al., arXiv:1706.08500 (2017); M. Bińkowski et al., arXiv:1801.01401 (2018). No torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

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


_REDRAWN = 2000


def total_variation(target: ArrayLike, generated: ArrayLike) -> float:
    """TV = ½ Σ_c |p′_c − q_c|, in 0…1, of shares (K,); NaN of unknown ones. Of which samples: see `committee`."""
    return float(np.minimum(1.0, np.abs(np.asarray(target) - np.asarray(generated)).sum() / 2))


def total_variation_floor(deviation: ArrayLike) -> float:
    """What TV comes to on average where shares that deviate by σ (K,) are right: ½ Σ_c σ_c √(2/π), 1 at most."""
    return min(1.0, float(np.sqrt(2 / np.pi) * np.asarray(deviation).sum() / 2))


def total_variation_interval(target: ArrayLike, generated: ArrayLike, deviation: ArrayLike) -> tuple[float, float]:
    """95 % interval of TV, lower and upper end in 0…1, from shares (K,) that scatter by σ (K,) about what was found.

    TV cannot be negative, so noise makes it larger: where it is no larger than in 97.5 % of the cases with right
    shares, the interval begins at 0; else at 2 TV − Q₀.₉₇₅ less that excess, with Q of redrawn shares (the reversed
    percentile). It ends at Q₀.₉₇₅. In simulation 90 % to 99 % of them hold the truth, for 200 to 10,000 samples.
    """
    p, q = np.asarray(target, dtype=np.float64), np.asarray(generated, dtype=np.float64)
    noise = np.random.default_rng(0).standard_normal((_REDRAWN, len(p))) * np.asarray(deviation)
    noise = (noise - noise.mean(axis=1, keepdims=True)) * np.sqrt(len(p) / (len(p) - 1))  # shares add up to 1
    found = total_variation(p, q)
    again = np.abs(q + noise - p).sum(axis=1) / 2
    low, high = np.quantile(again, [0.025, 0.975])
    end = min(1.0, max(2 * found - low, high))
    if found <= np.quantile(np.abs(noise).sum(axis=1) / 2, 0.975):
        return 0.0, end
    return max(0.0, 2 * found - high - (again.mean() - found)), end


def divergence(target: ArrayLike, generated: ArrayLike, count: int) -> float:
    """KL(target‖generated) = Σ_c p′_c log(p′_c/q_c), in nats, of shares (K,).

    Half an example is added to each class of the n generated, q_c ← (n q_c + ½)/(n + K/2), so that a class that they do
    not show makes it large and not infinite.
    """
    p, q = np.asarray(target, dtype=np.float64), np.asarray(generated, dtype=np.float64)
    q = (count * q + 0.5) / (count * q.sum() + len(q) / 2)
    present = p > 0
    return float(p[present] @ np.log(p[present] / q[present]))
