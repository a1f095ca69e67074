"""How much of its share a class may have from another that is judged as it is.

Where class k is judged nearly as class l is, few held-out examples tell by how much it differs, and least is known of
it where its share is thought to be 0. A part δ of π_l is k's as far as it explains what was judged: with the contrast
v_j = (C_jk − C_jl)/(C_jk + C_jl) of the two, and variances taken at the shares π′ after the exchange,

    |v·(q̂ − C π′)| ≤ 1.96 √(Σ_c π′_c² Var(v·Ĉ_c) + Var(v·q̂))

Source: inversion of a score test, A. Agresti, Categorical Data Analysis (2013), 16.6. No torch.
"""

from __future__ import annotations

import numpy as np

from studio.evaluation.confusion import Rates
from studio.evaluation.intervals import Z_95
from studio.perturb.arrays import Floats

OVERLAP = 0.5
"""Bhattacharyya coefficient Σ_j √(C_jk C_jl) of two classes, above which they are judged alike."""

_ADDED = 0.5
"""Examples judged right that are added to each class here: more would pass for evidence that a class is told apart."""

_PARTS = np.linspace(0, 1, 201)


def judged_alike(judge: Rates) -> np.ndarray[tuple[int, int], np.dtype[np.bool_]]:
    """Which of the K classes are judged nearly as which others, shape (K, K)."""
    root = np.sqrt(judge.rates[:, :-1])
    alike: np.ndarray[tuple[int, int], np.dtype[np.bool_]] = root.T @ root > OVERLAP
    np.fill_diagonal(alike, False)
    return alike


def exchanged(counts: Floats, judge: Rates, shares: Floats, low: Floats, high: Floats) -> tuple[Floats, Floats]:
    """95 % intervals of shares (K + 1,), as the counts, widened by what classes judged alike may have of each other."""
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
