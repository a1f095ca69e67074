"""Holding class shares: class offsets that follow how far generated shares are off the target's.

A learner that is trained towards p′ under the correction a, which is added to ΔH, generates q. A look at it measures q̂
and says which correction would have made it right,

    x_c = a_c + clip(u_c, ±s),    u_c = log(q̂_c/p′_c) − median_k log(q̂_k/p′_k),

the median over the classes that the judge can tell, so that what is right in itself stays right in proportion. The
looks t = 1, 2, … are averaged,

    δ ← δ + η_t·(x − δ),    v ← (1 − η_t)·(v + η_t·(x − δ)²),    η_t = 3/(t + 2),

whatever was applied meanwhile: where a = δ this is Robbins' and Monro's δ ← δ + η_t·u, and v is how the looks scatter.
With η ∝ 1/t their errors average out, δ converges for any response q ∝ p′^γ with γ > ⅙, and as x counts in proportion
to t·(t + 1), what a learner had wrong that had hardly begun is soon forgotten, and so is what was seen of one that had
not followed yet. The mean has the standard error σ of

    σ² = v·f/(1 − f)·t/(t − 2),    f = Σ(t·(t + 1))²/(Σt·(t + 1))² = ⅗·(3t² + 6t + 1)/(t·(t + 1)·(t + 2)),

v being for each class at least what it is for all of them, as counts scatter, and the last factor the variance of
Student's law, for v is known from t looks only: two say nothing. Applied is, with d = δ − a₀ from where it began,

    a = clip(a₀ + d·max(0, 1 − (z·σ/d)²), ±b),

Breiman's non-negative garrote: nothing where d is within z·σ, and nearly all of it once it is several times as large.
σ shrinks as 1/√t. A learner that is right is left alone, and so is one still on its way, whose looks differ.

An error that all looks share, as that of a judge who is wrong, averages out in no mean: who finds a class 5 % too often
has it settle 5 % too low. And x is of a learner that has followed a: one that takes many looks to do so is led too far
before δ comes back.

The target itself stays what was asked for.

Sources: H. Robbins, S. Monro, Ann. Math. Statist. 22, 400 (1951); D. West, Commun. ACM 22, 532 (1979), for v;
L. Breiman, Technometrics 37, 373 (1995).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from studio.perturb.arrays import Floats
from studio.perturb.perturbation import LARGEST_OFFSET, Perturbation

LARGEST_MOVE = 0.5
"""s, in nats: no look asks for more than e^½ times the weight."""

_SURE = 1.5
"""z: of what is off by as little, nothing is corrected; of twice as much, three quarters."""

_NOTHING = 1e-12
"""A share that stands in for 0 in a logarithm, far below what a look may ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """Where it stands.

    Attributes:
        start: a₀, length K.
        correction: a, applied − asked ΔH per class, in nats, length K.
        mean, spread: δ in nats and v in nats², length K.
        looks: t.
    """

    start: tuple[float, ...]
    correction: tuple[float, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    looks: int = 0

    @classmethod
    def at_rest(cls, classes: int) -> Hold:
        """One that has corrected nothing."""
        return cls.begun((0.0,) * classes)

    @classmethod
    def begun(cls, correction: tuple[float, ...]) -> Hold:
        """One that has not looked yet under this correction."""
        nothing = (0.0,) * len(correction)
        return cls(start=correction, correction=correction, mean=nothing, spread=nothing)

    def anew(self) -> Hold:
        """Towards another target: what was corrected stays, for a learner is off by much the same; all else is new."""
        return Hold.begun(self.correction)

    def after(self, target: ArrayLike, share: ArrayLike, *, known: NDArray[np.bool_], most: float) -> Hold:
        """Once shares have been measured.

        Args:
            target: p′ per class, shape (K,).
            share: q̂ of a model trained under this correction, shape (K,).
            known: whether the share of each class can be told, shape (K,).
            most: b, in nats.
        """
        wanted, found = np.asarray(target, dtype=np.float64), np.asarray(share, dtype=np.float64)
        told = known & (wanted > 0)
        if not told.any():
            return self
        gap = np.log(np.maximum(found, _NOTHING)) - np.log(np.maximum(wanted, _NOTHING))
        start, old, mean, spread = map(np.asarray, (self.start, self.correction, self.mean, self.spread))
        looks = self.looks + 1
        gain = 3 / (looks + 2)
        asked = old + np.where(told, np.clip(gap - np.median(gap[told]), -LARGEST_MOVE, LARGEST_MOVE), 0.0)
        off = asked - mean
        mean, spread = mean + gain * off, (1 - gain) * (spread + gain * off**2)
        away, unsure = mean - start, _SURE * _errors(spread, wanted, told, looks)
        sure = np.where(np.abs(away) > unsure, away - unsure**2 / np.where(away, away, 1.0), 0.0)
        moved = np.where(told, np.clip(start + sure, -most, most), old)
        return replace(
            self,
            correction=tuple(moved.tolist()),
            mean=tuple(mean.tolist()),
            spread=tuple(spread.tolist()),
            looks=looks,
        )

    def applied(self, asked: Perturbation) -> Perturbation:
        """The target that examples are weighted by; the asked one itself where nothing is corrected.

        Only class offsets differ. Where they do not count, nothing can be corrected.
        """
        factor = asked.energy.offset_factor
        if not any(self.correction) or factor == 0:
            return asked
        offsets = np.asarray(asked.offsets) + np.asarray(self.correction) / factor
        return replace(asked, offsets=tuple(np.clip(offsets, -LARGEST_OFFSET, LARGEST_OFFSET).tolist()))


def _errors(spread: Floats, wanted: Floats, told: NDArray[np.bool_], looks: int) -> Floats:
    """σ of each class that is told, shape (K,)."""
    if looks <= 2:
        return np.full(len(wanted), np.inf)
    part = 3 / 5 * (3 * looks**2 + 6 * looks + 1) / (looks * (looks + 1) * (looks + 2))
    counts = np.where(told, (1 - wanted) / np.maximum(wanted, _NOTHING), 1.0)  # variance of a count's logarithm, × n
    common = np.mean(spread[told] / np.maximum(counts[told], _NOTHING)) * counts
    return np.asarray(np.sqrt(np.maximum(spread, common) * part / (1 - part) * looks / (looks - 2)))
