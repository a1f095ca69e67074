"""95 % intervals of shares that are weighted sums of counts, by the score: Wilson's, for more than one kind of count.

An estimate is off a share t by D = Σ_c b_c X_c, a sum of independent counts X_c whose mean is 0 where t is the truth.
If it is, the likeliest means of the counts are X_c/(1 + λ b_c), with the λ for which Σ_c b_c X_c/(1 + λ b_c) = 0. Then

    D = λ V,    V = Σ_c b_c² X_c / (1 + λ b_c)

with V the variance of D, and t is within the interval if D² ≤ z² V at λ = z²/D. It is so, too, where |D| ≤ z² |b_c| of
any count that is to explain D: even one of 0 may have had a mean above 0. For one binomial this is Wilson's interval,
for two of them that of Miettinen and Nurminen.

Sources: E. Wilson, JASA 22, 209 (1927); O. Miettinen, M. Nurminen, Statistics in Medicine 4, 213 (1985). No torch.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from studio.perturb.arrays import Floats

Z_95 = 1.959963984540054
"""Two-sided 95 % quantile of the normal distribution."""

_Z = 2.05
"""In place of 1.96, for what a score of few counts misses: see `tests.benchmarks.coverage`."""

_HALVINGS = 26


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Two effective counts for each estimate, of what raises D (first) and lowers it; arrays of shape (2, ..., E).

    They are Σ b² X, what one count moves D by, Σ b² X / Σ b X with its sign, and the greatest |b|, of counts of 0, too.
    """

    variance: Floats
    step: Floats
    largest: Floats

    @classmethod
    def of(cls, first: Floats, second: Floats, largest: Floats) -> Counts:
        """Effective counts of Σ |b| X, Σ b² X and the greatest |b|, shape (2, ..., E) each."""
        step = np.divide(second, first, out=np.zeros_like(second), where=first > 0)
        np.negative(step[1], out=step[1])
        return cls(variance=np.maximum(second, 0), step=step, largest=np.maximum(largest, 0))

    def times(self, factor: Floats) -> Counts:
        """The same with b multiplied by `factor`, not negative, shape (E,) or (2, E)."""
        return Counts(
            variance=factor**2 * self.variance[:, None],
            step=factor * self.step[:, None],
            largest=factor * self.largest[:, None],
        )


def wilson(share: ArrayLike, count: ArrayLike) -> tuple[Floats, Floats]:
    """Lower and upper end, shape (K,), of Wilson's 95 % score interval of a binomial share in 0…1, shape (K,).

    `count` is that of trials, positive, shape (K,) or one number; need not be whole.
    """
    p, n = np.asarray(share, dtype=np.float64), np.asarray(count, dtype=np.float64)
    z2 = Z_95**2 / n
    centre = (p + z2 / 2) / (1 + z2)
    half = np.sqrt(z2 * p * (1 - p) + z2**2 / 4) / (1 + z2)
    return np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)


def score_interval(
    found: Floats, counts_at: Callable[[Floats], tuple[Counts, ...]], extra: Floats
) -> tuple[Floats, Floats]:
    """95 % intervals, lower and upper ends, of estimates `found` in 0…1, all of shape (E,).

    `counts_at` gives the counts behind D = found − t where the shares are t, shape (2, E); so they have (2, 2, E).
    `extra` is the variance of each estimate that is no count's, shape (E,).
    """
    inside, outside = np.stack([found, found]), np.stack([np.zeros_like(found), np.ones_like(found)])
    trial = outside
    for _ in range(_HALVINGS):
        held = _held(found - trial, counts_at(trial), extra)
        inside, outside = np.where(held, trial, inside), np.where(held, outside, trial)
        trial = (inside + outside) / 2
    low, high = inside
    return low, high


def _held(off: Floats, counts: tuple[Counts, ...], extra: Floats) -> NDArray[np.bool_]:
    """Whether shares that are D off lie within their intervals, shape (2, E)."""
    held = off == 0
    pull = _Z**2 / np.where(held, 1.0, off)
    variance = np.broadcast_to(extra, off.shape)
    for each in counts:
        variance = variance + (each.variance / np.maximum(1 + pull * each.step, 1e-12)).sum(axis=0)
        # What lowers D may have done so too rarely by chance where D is above 0, and what raises it where it is below.
        held = held | (np.abs(off) <= _Z**2 * np.where(off > 0, each.largest[1], each.largest[0]))
    return held | (off**2 <= _Z**2 * variance)
