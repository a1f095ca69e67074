"""Class shares of generated samples: as judged, and corrected for what the judge confuses.

The judge sorts n samples into K classes and a last one, "unsure". With confusion rates C_jk = P(judged j | truly k),
known from m_k held-out examples of each class, and true shares π, the judged shares are C π, which
`studio.evaluation.correction` turns back. Samples that are clear members of no class are a class of their own, judged
"unsure" always: their share is the excess over what real data gives.

A class of which hardly an example was held out is hardly corrected, and classes that cannot be told apart have a share
together, divided as they are judged; both are named. How often intervals hold the truth, and how wide they are, is
measured by `tests.benchmarks.coverage`. No torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from studio.evaluation.confusion import Rates
from studio.evaluation.correction import correct, intervals, judged_alike, unbiased
from studio.evaluation.intervals import Z_95, wilson
from studio.perturb.arrays import Floats

FEW = 5
"""Fewer held-out examples of a class, in number or in effect, say too little of how it is judged."""

_MUCH_BETTER = 0.25
"""Variance of a sum over the least of its parts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Together:
    """Two classes or more that cannot be told apart, in label order, with their share and its 95 % interval."""

    classes: tuple[int, ...]
    share: float
    low: float
    high: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Shares:
    """Shares of n samples; arrays of shape (K + 1,), the last entry is "unsure".

    Attributes:
        count: n.
        raw, raw_low, raw_high: as judged, and Wilson's 95 % interval.
        corrected, low, high: for what the judge confuses, and its 95 % interval.
        deviation: standard deviation of `corrected`.
        uncorrected: classes of which too few examples were held out to correct for how they are judged.
        together: classes that cannot be told apart.
    """

    count: int
    raw: Floats
    raw_low: Floats
    raw_high: Floats
    corrected: Floats
    low: Floats
    high: Floats
    deviation: Floats
    uncorrected: tuple[int, ...] = ()
    together: tuple[Together, ...] = ()


def estimate(judged: ArrayLike, confusion: ArrayLike) -> Shares:
    """Shares and intervals of judged samples, counts by judged class (K + 1,), "unsure" last, more than 0.

    `confusion` has held-out examples by judged class (rows) and true class, shape (K + 1, K); no count need be whole.
    """
    counts, table = np.asarray(judged, dtype=np.float64), np.asarray(confusion, dtype=np.float64)
    number = float(counts.sum())
    raw_low, raw_high = wilson(counts / number, number)
    judge = Rates.of(table)
    corrected = correct(counts, judge)
    estimates = unbiased(counts, judge, corrected)
    low, high = intervals(counts, judge, corrected, estimates)
    alike = _alike(corrected, estimates.covariance, judge)
    together = tuple(_together(group, counts, table) for group in alike)
    for group in together:
        members = list(group.classes)
        corrected[members] = _divided(corrected[members].sum(), counts[members])
        low[members] = np.minimum(low[members], corrected[members])
        high[members] = np.maximum(np.minimum(high[members], group.high), corrected[members])
    return Shares(
        count=int(number),
        raw=counts / number,
        raw_low=raw_low,
        raw_high=raw_high,
        corrected=corrected,
        low=low,
        high=high,
        deviation=np.clip(
            np.sqrt(np.maximum(np.diag(estimates.covariance), 0)), (high - low) / 2 / Z_95, (high - low) / 2
        ),
        uncorrected=tuple(np.flatnonzero(table.sum(axis=0) < FEW).tolist()),
        together=together,
    )


def _alike(shares: Floats, covariance: Floats, judge: Rates) -> list[tuple[int, ...]]:
    """Classes that cannot be told apart.

    They are linked by being judged alike, and by shares so uncertain that any division of two of them is within its
    interval; the sum of all that are linked is known much better than any of them.
    """
    shares, covariance = shares[:-1], covariance[:-1, :-1]
    variance = np.maximum(np.diag(covariance), 0)
    undivided = 2 * Z_95 * np.sqrt(np.minimum(variance[:, None], variance)) > shares[:, None] + shares
    linked = undivided & judged_alike(judge)
    group = np.arange(len(shares))
    for one, other in np.argwhere(np.triu(linked, 1)):
        group[group == group[other]] = group[one]
    found = [np.flatnonzero(group == each) for each in np.unique(group)]
    return [
        tuple(members.tolist())
        for members in found
        if len(members) > 1 and covariance[np.ix_(members, members)].sum() < _MUCH_BETTER * variance[members].min()
    ]


def _divided(share: float, judged: Floats) -> Floats:
    """The share of classes that cannot be told apart, divided as they are judged, for nothing better is known."""
    divided: Floats = share * judged / judged.sum() if judged.any() else np.full(len(judged), share / len(judged))
    return divided


def _together(classes: tuple[int, ...], counts: Floats, table: Floats) -> Together:
    """Their share by a judge that does not tell them apart."""
    rest = [each for each in range(len(counts)) if each not in classes]
    merged = np.vstack([table[list(classes)].sum(axis=0), table[rest]])
    merged = np.column_stack([merged[:, list(classes)].sum(axis=1), merged[:, rest[:-1]]])
    judged, judge = np.append(counts[list(classes)].sum(), counts[rest]), Rates.of(merged)
    shares = correct(judged, judge)
    low, high = intervals(judged, judge, shares, unbiased(judged, judge, shares))
    return Together(classes=classes, share=float(shares[0]), low=float(low[0]), high=float(high[0]))
