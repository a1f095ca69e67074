"""A thermostat of class shares: class offsets that follow how far generated shares are off the target's.

A learner that is trained towards p′ under the correction a, which is added to ΔH, generates q. A look at it measures q̂
and says which correction would have made it right,

    x_c = a_c + clip(u_c, ±s),    u_c = log(q̂_c/p′_c) − median_k log(q̂_k/p′_k),

the median over the classes that the judge can tell, so that what is right in itself stays right in proportion. The
looks t = 1, 2, … are averaged,

    δ ← δ + η_t·(x − δ),    v ← (1 − η_t)·(v + η_t·(x − δ)²),    η_t = 2/(t + 1),

whatever was applied meanwhile: where a = δ this is Robbins' and Monro's δ ← δ + η_t·u, and v is how the looks scatter.
With η ∝ 1/t their errors average out, δ converges for any response q ∝ p′^γ with γ > ¼, and as x counts in proportion
to t, what a learner had wrong that had hardly begun is soon forgotten. The mean has the standard error σ of

    σ² = v·f/(1 − f)·t/(t − 2),    f = Σt²/(Σt)² = ⅔·(2t + 1)/(t·(t + 1)),

v being for each class at least what it is for all of them, as counts scatter, and the last factor the variance of
Student's law, for v is known from t looks only: two say nothing. Within z·σ of δ the correction stays as it is. That
dead band shrinks as 1/√t and leaves a learner alone that is right, or still on its way, so that its looks differ.
Beyond, a_c ← clip(δ_c, ±b).

An error that all looks share, as that of a judge who is wrong, averages out in no mean: who finds a class 5 % too often
has it settle 5 % too low. And x is of a learner that has followed a: one that takes many looks to do so is led too far
before δ comes back.

The target itself stays what was asked for.

Sources: H. Robbins, S. Monro, Ann. Math. Statist. 22, 400 (1951); D. West, Commun. ACM 22, 532 (1979), for v.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from studio.perturb.arrays import Floats
from studio.perturb.perturbation import LARGEST_OFFSET, Perturbation

LARGEST_MOVE = 0.5
"""s, in nats: no look asks for more than e^½ times the weight."""

_SURE = 2.5
"""z: every look asks anew whether the mean is off, so that two standard errors would too often be chance."""

_NOTHING = 1e-12
"""A share that stands in for 0 in a logarithm, far below what a look may ask for."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thermostat:
    """Where it stands.

    Attributes:
        correction: a, applied − asked ΔH per class, in nats, length K.
        mean, spread: δ in nats and v in nats², length K.
        looks: t.
    """

    correction: tuple[float, ...]
    mean: tuple[float, ...]
    spread: tuple[float, ...]
    looks: int = 0

    @classmethod
    def at_rest(cls, classes: int) -> Thermostat:
        """One that has corrected nothing."""
        return cls.begun((0.0,) * classes)

    @classmethod
    def begun(cls, correction: tuple[float, ...]) -> Thermostat:
        """One that has not looked yet under this correction."""
        nothing = (0.0,) * len(correction)
        return cls(correction=correction, mean=nothing, spread=nothing)

    def anew(self) -> Thermostat:
        """Towards another target: what was corrected stays, for a learner is off by much the same; all else is new."""
        return Thermostat.begun(self.correction)

    def after(self, target: ArrayLike, share: ArrayLike, *, known: NDArray[np.bool_], most: float) -> Thermostat:
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
        old, mean, spread = (np.asarray(each) for each in (self.correction, self.mean, self.spread))
        looks = self.looks + 1
        gain = 2 / (looks + 1)
        asked = old + np.where(told, np.clip(gap - np.median(gap[told]), -LARGEST_MOVE, LARGEST_MOVE), 0.0)
        off = asked - mean
        mean, spread = mean + gain * off, (1 - gain) * (spread + gain * off**2)
        moving = told & (np.abs(mean - old) > _SURE * _errors(spread, wanted, told, looks))
        moved = np.where(moving, np.clip(mean, -most, most), old)
        return Thermostat(
            correction=tuple(moved.tolist()), mean=tuple(mean.tolist()), spread=tuple(spread.tolist()), looks=looks
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
    part = 2 / 3 * (2 * looks + 1) / (looks * (looks + 1))
    counts = np.where(told, (1 - wanted) / np.maximum(wanted, _NOTHING), 1.0)  # variance of a count's logarithm, × n
    common = np.mean(spread[told] / np.maximum(counts[told], _NOTHING)) * counts
    return np.asarray(np.sqrt(np.maximum(spread, common) * part / (1 - part) * looks / (looks - 2)))
