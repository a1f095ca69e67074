"""A thermostat of class shares: class offsets that follow how far generated shares are off the target's.

A learner that is trained towards p′ generates q. With q̂ measured, the correction δ that is added to each ΔH follows

    δ_c ← clip(δ_c + η_c·clip(u_c, ±s), ±b),    u_c = log(q̂_c/p′_c) − log(q̂_R/p′_R),    η_c = 2/(t_c + 1)

for every class whose 95 % interval misses its target, and did so on the same side at the look before, both since its
last move, by less than twice as much; t_c counts the moves of the class. One look alone misses by chance now and then,
and a gap that halves from look to look is of a learner that is still on its way. R are the classes that stay as they
are, because their interval holds the target or because the judge cannot tell them: q̂_R and p′_R are their shares
together, and where there are none the second logarithm is 0. What is right in itself thus stays right in proportion,
and a constant factor of the learner on some classes is found in one move.

η ∝ 1/t makes δ converge for any noise of q̂ and any response q ∝ p′^γ with γ > ¼; with 2/(t + 1), the mean of what was
found weighs late moves in proportion to t, so that those of a learner that has hardly begun are soon forgotten.
The target itself stays what was asked for.

Source: H. Robbins, S. Monro, Ann. Math. Statist. 22, 400 (1951).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from studio.perturb.arrays import Floats
from studio.perturb.perturbation import LARGEST_OFFSET, Perturbation

LARGEST_MOVE = 0.5
"""s, in nats: no class is given more than e^½ times the weight at once."""

_STALLED = 0.5
"""Less of a gap that is left from one look to the next is left alone."""

_NOTHING = 1e-12
"""A share that stands in for 0 in a logarithm, far below what moves are bounded by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thermostat:
    """Where it stands.

    Attributes:
        correction: δ, applied − asked ΔH per class, in nats, length K.
        moves: t per class, length K.
        missed: log(q̂/p′) per class where the last look since its last move missed its target; else 0.
    """

    correction: tuple[float, ...]
    moves: tuple[int, ...]
    missed: tuple[float, ...]

    @classmethod
    def at_rest(cls, classes: int) -> Thermostat:
        """One that has corrected nothing."""
        return cls(correction=(0.0,) * classes, moves=(0,) * classes, missed=(0.0,) * classes)

    def anew(self) -> Thermostat:
        """Towards another target: what was corrected stays, for a learner is off by much the same; all else is new."""
        return replace(Thermostat.at_rest(len(self.moves)), correction=self.correction)

    def after(
        self,
        target: ArrayLike,
        share: ArrayLike,
        low: ArrayLike,
        high: ArrayLike,
        *,
        known: NDArray[np.bool_],
        most: float,
    ) -> Thermostat:
        """Once shares have been measured.

        Args:
            target: p′ per class, shape (K,).
            share, low, high: q̂ of a model trained under this correction, and its 95 % interval, shape (K,).
            known: whether the share of each class can be told, shape (K,).
            most: b, in nats.
        """
        wanted, found = np.asarray(target, dtype=np.float64), np.asarray(share, dtype=np.float64)
        misses = (wanted < np.asarray(low)) | (wanted > np.asarray(high))
        gap, before = _log_ratio(found, wanted), np.asarray(self.missed)
        gap_seen = np.where(misses & known & (wanted > 0), gap, 0.0)
        moving = (gap_seen * before > 0) & (np.abs(gap_seen) >= _STALLED * np.abs(before))
        off = np.clip(gap - _staying(found, wanted, ~moving), -LARGEST_MOVE, LARGEST_MOVE)
        moves = np.asarray(self.moves) + moving
        old = np.asarray(self.correction)
        moved = np.where(moving, np.clip(old + 2 / (moves + 1) * off, -most, most), old)
        missed = np.where(moving, 0.0, gap_seen)
        return Thermostat(correction=tuple(moved.tolist()), moves=tuple(moves.tolist()), missed=tuple(missed.tolist()))

    def applied(self, asked: Perturbation) -> Perturbation:
        """The target that examples are weighted by; the asked one itself where nothing is corrected.

        Only class offsets differ. Where they do not count, nothing can be corrected.
        """
        factor = asked.energy.offset_factor
        if not any(self.correction) or factor == 0:
            return asked
        offsets = np.asarray(asked.offsets) + np.asarray(self.correction) / factor
        return replace(asked, offsets=tuple(np.clip(offsets, -LARGEST_OFFSET, LARGEST_OFFSET).tolist()))


def _log_ratio(found: Floats, wanted: Floats) -> Floats:
    return np.asarray(np.log(np.maximum(found, _NOTHING)) - np.log(np.maximum(wanted, _NOTHING)))


def _staying(found: Floats, wanted: Floats, staying: NDArray[np.bool_]) -> Floats:
    """log(q̂_R/p′_R); 0 where no class stays."""
    if not wanted[staying].any():
        return np.zeros(())
    return _log_ratio(found[staying].sum(), wanted[staying].sum())
