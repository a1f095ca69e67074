"""Judged shares corrected for what the judge confuses: a linear estimate, on the simplex.

Judged shares are q = C π with the judge's rates C. With q̂ the raw shares, T = diag τ² for how far off them each share
may be, and Σ what q̂ − C q̂ scatters by,

    R = Σ + C T Cᵀ,    π̂ = q̂ + T Cᵀ R⁻¹ (q̂ − C q̂),    P = T − T Cᵀ R⁻¹ C T

which is C⁻¹ q̂ (black-box shift estimation) where samples and held-out examples tell more than τ, and stays at the raw
shares in what they do not tell. For the shares shown, T is of the size of what the judge displaces, and Σ what is added
to the scatter of q̂, which no correction takes away: what is less certain than it is large is not corrected. They are
the nearest to π̂ on the simplex in the metric of their covariance.

Intervals need an estimate that is unbiased: w_k q̂ with w_k = R⁻¹ C_k/(C_kᵀ R⁻¹ C_k) is so in its own share whatever
τ, less what the others add, Σ_{l≠k} w_k C_l π_l, of which Γ_k = Σ_{l≠k} (w_k C_l)² τ_l² is not known. τ is here as
large as all that the judge may take for the class, so that w_k is the row of C⁻¹ but where C is nearly singular.

Sources: Z. Lipton et al., arXiv:1802.03916 (2018); C. Henderson, Biometrics 31, 423 (1975), for estimates of both
kinds; L. Portugal, J. Júdice, L. Vicente, Mathematics of Computation 63, 625 (1994), for the projection. No torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from studio.evaluation.confusion import Rates, sampling_covariance
from studio.evaluation.intervals import Z_95, Counts, score_interval
from studio.perturb.arrays import Floats

_DISPLACED = 0.5
"""τ² over the square of what the judge displaces, at which correcting by few examples did least harm in simulation."""

_LEAST = 0.01
"""τ² over the variance of the raw share, at least, so that R⁻¹ exists where the judge displaces nothing."""

_FREE = 10.0
"""Standard deviations of noise that τ exceeds for an interval, so that it holds back no share that the samples tell."""

_EXCHANGES = 50

OVERLAP = 0.5
"""Bhattacharyya coefficient Σ_j √(C_jk C_jl) of two classes, above which they are judged alike."""

_ADDED = 0.5
"""Examples judged right that are added to each class here: more would pass for evidence that a class is told apart."""

_PARTS = np.linspace(0, 1, 201)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unbiased:
    """Shares found of K classes and of none of them, w_k q̂ less what the others add, (K + 1,); none is projected.

    `weights` are w_k as rows and `covariance` P, both of shape (K + 1, K + 1); `extra` is Γ, shape (K + 1,).
    """

    weights: Floats
    found: Floats
    extra: Floats
    covariance: Floats


def correct(counts: Floats, judge: Rates) -> Floats:
    """Corrected shares of judged counts, shape (K + 1,) both."""
    raw, rates = counts / counts.sum(), judge.rates
    even = _drawn_to_even(raw, counts)
    seen = rates @ even
    sampling, doubt = sampling_covariance(seen, counts.sum()), judge.doubt(even)
    free = _free_as_displaced(seen, even, rates, doubt) + _LEAST * np.diag(np.diag(sampling))
    change = np.eye(len(raw)) - rates
    shown = rates @ free
    gain = np.linalg.solve(doubt + change @ sampling @ change.T + shown @ rates.T, shown).T
    return _on_simplex(raw + gain @ (raw - rates @ raw), sampling + free - gain @ shown)


def _free_as_displaced(seen: Floats, shares: Floats, rates: Floats, doubt: Floats) -> Floats:
    """T for the shares shown: each class by itself, and all together as the judge displaces them if it surely does."""
    each = seen + shares - 2 * np.diag(rates) * shares  # others judged as the class, and the class judged as others
    change = seen - shares
    certain = max(0.0, 1 - Z_95**2 * float(np.trace(doubt)) / max(float(change @ change), 1e-300))
    free: Floats = np.diag(_DISPLACED * each**2) + certain * np.outer(change, change)
    return free


def unbiased(counts: Floats, judge: Rates, shares: Floats) -> Unbiased:
    """Estimates for intervals, of judged counts, shape (K + 1,); noise is taken at corrected shares, shape (K + 1,)."""
    raw, rates = counts / counts.sum(), judge.rates
    even = _drawn_to_even(shares, counts)
    noise = judge.doubt(even) + sampling_covariance(rates @ even, counts.sum())
    # Of class k may be whatever is judged as k is, in proportion to the class that is judged so most often.
    reach = (rates / rates.max(axis=1, keepdims=True)).T @ raw
    free = reach**2 + _FREE**2 * np.diag(noise)
    solved = np.linalg.solve(noise + (rates * free) @ rates.T, rates)
    weights = (solved / np.einsum("jk,jk->k", rates, solved)).T
    others = weights @ rates
    np.fill_diagonal(others, 0)
    return Unbiased(
        weights=weights,
        found=weights @ raw - others @ raw,
        extra=others**2 @ free,
        covariance=np.diag(free) - (solved * free).T @ (rates * free),
    )


def _drawn_to_even(shares: Floats, counts: Floats) -> Floats:
    """Shares drawn a little towards even, for a variance: of a class never seen nothing would be known for certain."""
    return (shares * counts.sum() + Z_95**2 / 2 / len(shares)) / (counts.sum() + Z_95**2 / 2)


def _on_simplex(shares: Floats, covariance: Floats) -> Floats:
    """The nearest shares that are not negative, in the metric of their covariance; their sum stays.

    Exchanges which are 0 until those have nothing to gain from a positive share and the others are positive.
    """
    none = shares < 0
    nearest = shares
    for _ in range(_EXCHANGES):
        gain = np.zeros_like(shares)
        gain[none] = np.linalg.solve(covariance[np.ix_(none, none)], -shares[none])
        nearest = np.where(none, 0, shares + covariance @ gain)
        exchanged = (none & (gain > 0)) | (~none & (nearest < 0))
        if (exchanged == none).all():
            break
        none = exchanged
    nearest = np.maximum(nearest, 0)
    return nearest / nearest.sum()


def intervals(counts: Floats, judge: Rates, shares: Floats, estimates: Unbiased) -> tuple[Floats, Floats]:
    """95 % intervals, which hold the corrected `shares`: lower and upper ends, shape (K + 1,) each."""
    sampled, even = _Sampled(estimates.weights, counts), _drawn_to_even(shares, counts)
    others, own = _held_out_of_others(estimates.weights, judge, even), _held_out(estimates.weights, judge)

    def counts_at(truth: Floats) -> tuple[Counts, ...]:
        return sampled.counts_at(truth), others.times((1 - truth) / (1 - even)), own.times(truth)

    low, high = score_interval(np.clip(estimates.found, 0, 1), counts_at, estimates.extra)
    return exchanged(counts, judge, shares, np.minimum(low, shares), np.maximum(high, shares))


class _Sampled:
    """Judged samples, of which one judged j moves D by (w_kj − t)/n."""

    def __init__(self, weights: Floats, counts: Floats) -> None:
        self._number = counts.sum()
        order = np.argsort(weights, axis=1)
        self._sorted = np.take_along_axis(weights, order, axis=1)
        self._rows = np.arange(len(counts))
        raw = (counts / self._number)[order]
        moments = np.empty((2, 3, len(raw), len(raw) + 1))  # above and below each place; of order 0, 1, 2
        moments[0, ..., -1] = moments[1, ..., 0] = 0
        for power in range(3):
            each = raw * self._sorted**power
            moments[0, power, :, :-1] = each[:, ::-1].cumsum(axis=1)[:, ::-1]
            moments[1, power, :, 1:] = each.cumsum(axis=1)
        self._moments = moments

    def counts_at(self, truth: Floats) -> Counts:
        """Where the shares are t, shape (2, K + 1)."""
        place = (self._sorted <= truth[..., None]).sum(axis=2)
        mass, first, second = self._moments[:, :, self._rows, place].swapaxes(0, 1)
        off = first - truth * mass
        np.negative(off[1], out=off[1])
        return Counts.of(
            off,
            (second - 2 * truth * first + truth**2 * mass) / self._number,
            np.stack([self._sorted[:, -1] - truth, truth - self._sorted[:, 0]]) / self._number,
        )


def _held_out_of_others(weights: Floats, judge: Rates, shares: Floats) -> Counts:
    """Held-out examples of the classes l ≠ k, of which one judged j moves D by −π_l w_kj/m_l."""
    rates = np.where(np.isinf(judge.known), 0, judge.rates)
    furthest = shares / (judge.known + Z_95**2)
    most = np.sort(furthest)[::-1]
    other = np.where(furthest == most[0], most[1], most[0])
    parts = np.maximum([-weights, weights], 0)

    def total(power: Floats, each: Floats) -> Floats:
        found: Floats = power @ (rates @ each) - np.einsum("skj,jk->sk", power, rates) * each
        return np.maximum(found, 0)

    return Counts.of(total(parts, shares), total(parts**2, shares**2 / judge.behind), parts.max(axis=2) * other)


def _held_out(weights: Floats, judge: Rates) -> Counts:
    """Held-out examples of the class k itself, of which one judged j moves D by −t (w_kj − 1)/m_k; here for t = 1."""
    rates = np.where(np.isinf(judge.known), 0, judge.rates)
    parts = np.maximum([1 - weights, weights - 1], 0)
    first, second = (np.einsum("skj,jk->sk", power, rates) for power in (parts, parts**2))
    return Counts.of(first, second / judge.behind, parts.max(axis=2) / (judge.known + Z_95**2))


def judged_alike(judge: Rates) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Which of the K classes are judged nearly as which others, shape (K, K)."""
    root = np.sqrt(judge.rates[:, :-1])
    alike: np.ndarray[tuple[int, int], np.dtype[np.bool_]] = root.T @ root > OVERLAP
    np.fill_diagonal(alike, False)
    return alike


def exchanged(counts: Floats, judge: Rates, shares: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """95 % intervals of shares (K + 1,), as the counts, widened by what classes judged alike may have of each other.

    Where class k is judged nearly as class l is, few held-out examples tell by how much it differs, and least is known
    of it where its share is thought to be 0. A part δ of π_l is k's as far as it explains what was judged: with the
    contrast v_j = (C_jk − C_jl)/(C_jk + C_jl) of the two, and variances taken at the shares π′ after the exchange,

        |v·(q̂ − C π′)| ≤ 1.96 √(Σ_c π′_c² Var(v·Ĉ_c) + Var(v·q̂))

    Source: inversion of a score test, A. Agresti, Categorical Data Analysis (2013), 16.6.
    """
    low, high = low.copy(), high.copy()
    alike, judge = judged_alike(judge), judge.adding(_ADDED)
    for taker, giver in np.argwhere(alike):
        if shares[giver] > 0 and (high[taker] < shares[taker] + shares[giver] or low[giver] > 0):
            most = _most(taker, giver, counts, judge, shares)
            low[giver] = min(low[giver], shares[giver] - most)
            high[taker] = max(high[taker], shares[taker] + most)
    return low, high


def _most(taker: int, giver: int, counts: Floats, judge: Rates, shares: Floats) -> float:
    """The greatest δ that explains what was judged; 0 if none does."""
    number, rates = counts.sum(), judge.rates
    one, other = rates[:, taker], rates[:, giver]
    both = one + other
    contrast = np.divide(one - other, both, out=np.zeros_like(both), where=both > 0)
    means, squares = contrast @ rates, contrast**2 @ rates
    moved = np.tile(shares, (len(_PARTS), 1))
    moved[:, taker] += _PARTS * shares[giver]
    moved[:, giver] -= _PARTS * shares[giver]
    expected = moved @ means
    variance = moved**2 @ ((squares - means**2) / judge.behind) + (moved @ squares - expected**2) / number
    explains = np.abs(contrast @ counts / number - expected) <= Z_95 * np.sqrt(np.maximum(variance, 0))
    return float(_PARTS[explains].max(initial=0) * shares[giver])
