"""Class shares of generated samples: as judged, and corrected for what the judge confuses.

The judge sorts n samples into K classes and a last one, "unsure". With confusion rates C_jk = P(judged j | truly k),
known from m_k held-out examples of each class, and true shares π, the judged shares are q = C π. So

    π̂ = C⁻¹ q̂                                                        (black-box shift estimation)
    Var π̂ = C⁻¹ [ (diag q − q qᵀ)/n + Σ_k π_k² (diag C_k − C_k C_kᵀ)/m_k ] C⁻ᵀ     (delta method)

over the K classes; the second term is what is not known of the confusion itself. Samples that are clear members of no
class are a class of their own, judged "unsure" always: its share is 1 − Σ_k π̂_k, the excess over what real data gives.
Estimates outside the simplex are projected onto it. An interval is Wilson's with the number of clear-cut samples that
would have the same variance, n_eff = π(1 − π)/Var π̂, or π̂ ± 1.96 σ where that reaches further. In simulation 94 % of
them or more hold the truth, with small shares, few held-out examples and 20 % confusion, too.

Sources: Z. Lipton et al., "Detecting and correcting for label shift with black box predictors", arXiv:1802.03916
(2018); E. Wilson, JASA 22, 209 (1927); for n_eff, L. Kish, Survey Sampling (1965). No torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""

_PRIOR = 0.5
"""Examples added to each column of the confusion matrix, spread evenly: what was not seen may still happen."""

_WORST_CONDITION = 1e6
_REDRAWN = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Shares of n samples; arrays of shape (K + 1,), the last entry is "unsure".

    Attributes:
        count: n.
        raw, raw_low, raw_high: as judged, and Wilson's 95 % interval.
        corrected, low, high: for what the judge confuses, and its 95 % interval.
        deviation: standard deviation of `corrected`.
    """

    count: int
    raw: Floats
    raw_low: Floats
    raw_high: Floats
    corrected: Floats
    low: Floats
    high: Floats
    deviation: Floats


def wilson(share: ArrayLike, count: ArrayLike) -> tuple[Floats, Floats]:
    """Wilson's 95 % score interval of a binomial share.

    Args:
        share: observed, in 0…1, shape (K,).
        count: trials, positive, shape (K,) or one number; need not be whole.

    Returns:
        lower and upper ends, shape (K,).
    """
    p, n = np.asarray(share, dtype=np.float64), np.asarray(count, dtype=np.float64)
    z2 = Z_95**2 / n
    centre = (p + z2 / 2) / (1 + z2)
    half = np.sqrt(z2 * p * (1 - p) + z2**2 / 4) / (1 + z2)
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def estimate(judged: ArrayLike, confusion: ArrayLike) -> Shares:
    """Shares and intervals of judged samples.

    Args:
        judged: samples by judged class, counts of shape (K + 1,), "unsure" last; at least one.
        confusion: held-out examples by judged class (rows) and true class (columns), counts of shape (K + 1, K).
    """
    counts, table = np.asarray(judged, dtype=np.float64), np.asarray(confusion, dtype=np.float64)
    number = float(counts.sum())
    raw = counts / number
    raw_low, raw_high = wilson(raw, number)
    known = table.sum(axis=0) + _PRIOR
    rates = (table + _PRIOR / len(table)) / known
    if np.linalg.cond(rates[:-1]) > _WORST_CONDITION:  # a judge that tells nothing apart says nothing of shares
        nothing, everything = np.zeros_like(raw), np.ones_like(raw)
        corrected, low, high, deviation = raw, nothing, everything, everything / 2
    else:
        corrected, low, high, deviation = _corrected(counts, rates, known)
    return Shares(
        count=int(number),
        raw=raw,
        raw_low=raw_low,
        raw_high=raw_high,
        corrected=corrected,
        low=low,
        high=high,
        deviation=deviation,
    )


def _corrected(counts: Floats, rates: Floats, known: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """π̂ on the simplex, the ends of its intervals, and its standard deviation, shape (K + 1,) each.

    Args:
        counts: n_j, shape (K + 1,).
        rates: C, shape (K + 1, K).
        known: m_k, shape (K,).
    """
    number = counts.sum()
    inverse: Floats = np.linalg.inv(rates[:-1]).astype(np.float64)
    solved = _with_rest(inverse @ (counts[:-1] / number))
    corrected = _on_simplex(solved)
    # The variance is taken at shares drawn a little towards even, or a class never seen would be known for certain.
    smooth = (counts + Z_95**2 / 2 / len(counts)) / (number + Z_95**2 / 2)
    shares = _on_simplex(_with_rest(inverse @ smooth[:-1]))
    covariance = _covariance(shares, rates, known, inverse, number)
    total = covariance.sum()
    deviation = np.sqrt(np.maximum([*np.diag(covariance), total], 1e-300))
    near = (corrected * number + Z_95**2 / 2) / (number + Z_95**2)
    effective = np.minimum(near * (1 - near) / deviation**2, number)
    low, high = wilson(corrected, effective)
    # Wilson's interval of a share above 0 excludes 0, which a correction's noise does not: near 0, the wider one holds.
    low, high = np.minimum(low, solved - Z_95 * deviation), np.maximum(high, solved + Z_95 * deviation)
    return corrected, np.clip(low, 0, 1), np.clip(high, 0, 1), deviation


def _covariance(shares: Floats, rates: Floats, known: Floats, inverse: Floats, number: float) -> Floats:
    """Var π̂ over the K classes, shape (K, K)."""
    seen = rates[:-1]
    judged = seen @ shares[:-1]
    sampling = (np.diag(judged) - np.outer(judged, judged)) / number
    doubt = shares[:-1] ** 2 / known
    confusion = np.diag(seen @ doubt) - (seen * doubt) @ seen.T
    covariance: Floats = inverse @ (sampling + confusion) @ inverse.T
    return covariance


def _with_rest(shares: Floats) -> Floats:
    """`shares` and what is left to 1."""
    return np.append(shares, 1 - shares.sum())


def _on_simplex(shares: Floats) -> Floats:
    """The nearest point with no negative entry and sum 1 (W. Wang, M. Carreira-Perpiñán, arXiv:1309.1541)."""
    falling = np.sort(shares)[::-1]
    excess = (np.cumsum(falling) - 1) / np.arange(1, len(shares) + 1)
    last = np.flatnonzero(falling > excess)[-1]
    return np.maximum(shares - excess[last], 0)


def total_variation(target: ArrayLike, generated: ArrayLike) -> float:
    """TV = ½ Σ_c |p′_c − q_c|, in 0…1.

    Args:
        target, generated: shares, shape (K,).
    """
    return float(np.abs(np.asarray(target) - np.asarray(generated)).sum() / 2)


def total_variation_floor(deviation: ArrayLike) -> float:
    """What TV comes to on average where the shares are exactly right: ½ Σ_c σ_c √(2/π).

    Args:
        deviation: σ, standard deviation of each share, shape (K,).
    """
    return float(np.sqrt(2 / np.pi) * np.asarray(deviation).sum() / 2)


def total_variation_interval(target: ArrayLike, generated: ArrayLike, deviation: ArrayLike) -> tuple[float, float]:
    """95 % interval of TV, from shares that scatter by σ about what was found.

    TV cannot be negative, so noise makes it larger: where it is no larger than in 97.5 % of the cases with right
    shares, the interval begins at 0; else at 2 TV − Q₀.₉₇₅ less that excess, with Q of redrawn shares (the reversed
    percentile). It ends at Q₀.₉₇₅. In simulation 90 % to 99 % of them hold the truth, for 200 to 10,000 samples.

    Args:
        target, generated: shares, shape (K,).
        deviation: σ, standard deviation of each generated share, shape (K,).

    Returns:
        lower and upper end, in 0…1.
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
    """KL(target‖generated) = Σ_c p′_c log(p′_c/q_c), in nats.

    Half an example is added to each class of the generated, q_c ← (n q_c + ½)/(n + K/2), so that a class that n samples
    do not show makes it large and not infinite.

    Args:
        target, generated: shares, shape (K,).
        count: n, samples behind `generated`.
    """
    p, q = np.asarray(target, dtype=np.float64), np.asarray(generated, dtype=np.float64)
    q = (count * q + 0.5) / (count * q.sum() + len(q) / 2)
    present = p > 0
    return float(p[present] @ np.log(p[present] / q[present]))
