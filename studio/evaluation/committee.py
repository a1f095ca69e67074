"""Shares by a committee of judges: of what can be recognised, with intervals as wide as its members are apart.

How often a judge confuses sharp examples of the data says nothing of blurred samples; how differently judges see these
very samples does. With corrected shares π of the committee, "unsure" among them as u, and π_m, u_m of each of its M
members,

    r = π/(1 − u),     r_m = π_m/(1 − u_m),     s² = Σ_m (r_m − r)²/(M − 1)
    r ± √(h² + t² ½(s² + s₀²) (1 + 1/M))

is where a judge that is not of the committee finds the share r of a class among the samples that it recognises, with
95 % probability: h is half the interval of one judge, t the 97.5 % quantile of Student's law. Few members may agree, or
differ, by chance: s₀² is r (1 − r) times what s² is to that on average over classes, and counts as much as s² itself.
The two have 2 (M − 1) degrees of freedom; of two classes s₀ is s, and they have M − 1. How often such judges do find it
there is told by `tests.benchmarks.outsiders`. Of all samples the class has between r (1 − u) and r (1 − u) + u: what is
unsure may be anything.

The **total variation** that the studio states is everywhere that of the recognisable,

    TV = ½ Σ_c |p′_c − r_c|

over the K classes, with p′ the target's shares of the same; that much of the recognisable would have to change class.

Sources: for the prediction of another judge, J. Higgins, S. Thompson, D. Spiegelhalter, J. R. Stat. Soc. A 172, 137
(2009); for variances drawn to what they have in common, G. Smyth, Stat. Appl. Genet. Mol. Biol. 3, 3 (2004). No torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from studio.evaluation.shares import Shares
from studio.perturb.arrays import Floats

TOTAL_VARIATION = (
    "Total variation: how many of the samples that can be recognised would have to change class. TV = ½ Σ |p′ − q| "
    "over the classes, with p′ and q the target’s and the samples’ shares among the recognisable."
)
"""What TV is, for tooltips."""

_STUDENT = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447)
"""97.5 % quantiles with 1, 2, … degrees of freedom."""


def recognisable(shares: Floats) -> Floats:
    """Shares (K + 1,), any unit, "unsure" last, as those among what is recognised, shape (K,); NaN where nothing is."""
    total = shares[:-1].sum()
    return shares[:-1] / total if total > 0 else np.full(len(shares) - 1, np.nan)


def by_committee(committee: Shares, members: Sequence[Shares]) -> Shares:
    """Shares among the recognisable, by a committee and each of its two or more members; raw ones stay as they are.

    Corrected shares of the K classes and "unsure" go in, adding up to 1, and come out of the classes among the
    recognisable, adding up to 1, and last of "unsure" among all samples. Where hardly a sample is recognised, nothing
    is known of the classes: even shares, 0 to 1.
    """
    found, others = _conditioned(committee), [_conditioned(member) for member in members]
    apart = np.array([other.corrected - found.corrected for other in others])
    variance = (apart**2).sum(axis=0) / (len(members) - 1)
    binomial = found.corrected[:-1] * (1 - found.corrected[:-1])
    freedom = (len(members) - 1) * (2 if len(binomial) > 2 else 1)
    shared = binomial * variance[:-1].sum() / max(binomial.sum(), 1e-9)
    variance = np.append((variance[:-1] + shared) / 2, variance[-1]) * (1 + 1 / len(members))
    wider = np.append(np.full(len(shared), _student(freedom)), _student(len(members) - 1)) ** 2 * variance
    return replace(
        found,
        low=np.clip(found.corrected - np.sqrt((found.corrected - found.low) ** 2 + wider), 0, 1),
        high=np.clip(found.corrected + np.sqrt((found.high - found.corrected) ** 2 + wider), 0, 1),
        deviation=np.sqrt(found.deviation**2 + variance),
    )


def _student(freedom: int) -> float:
    return _STUDENT[min(freedom, len(_STUDENT)) - 1]


def _conditioned(shares: Shares) -> Shares:
    """Of the classes among what is recognised."""
    known = float(shares.corrected[:-1].sum())
    nothing = known * shares.count < 1
    groups = () if nothing else shares.together

    def of_known(values: Floats, unknown: float) -> Floats:
        return np.append(np.where(nothing, unknown, np.minimum(values[:-1] / max(known, 1e-9), 1)), values[-1])

    return replace(
        shares,
        corrected=of_known(shares.corrected, 1 / (len(shares.corrected) - 1)),
        low=of_known(shares.low, 0.0),
        high=of_known(shares.high, 1.0),
        deviation=of_known(shares.deviation, 0.5),
        together=tuple(
            replace(group, **{name: min(1.0, getattr(group, name) / known) for name in ("share", "low", "high")})
            for group in groups
        ),
    )
