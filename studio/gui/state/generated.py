"""Class shares of what a run generates, and whose they are. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.evaluation.arrival import Sighting
from studio.training.messages.events import Evaluated


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Generated:
    """What a judge made of the samples of one step.

    Attributes:
        shares, low, high: of the recognisable samples per class, and the 95 % interval, shape (K,).
        step: training steps taken when the samples were drawn.
        revision: of the target that was in force then.
        seen: this evaluation and the last ones before it, the oldest first.
        note: whose they are where they do not answer the target beside them, such as "of step 9,140, of the target
            before"; empty where they do.
        at_once: they were sampled for this target without training.
    """

    shares: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    step: int
    revision: int
    seen: tuple[Sighting, ...] = ()
    note: str = ""
    at_once: bool = False

    @classmethod
    def at_once_of(cls, seen: Sighting) -> Generated:
        """Those of samples that were made for a target at once, by the weights of a step."""
        return cls(
            shares=seen.share, low=seen.low, high=seen.high, step=seen.step, revision=0, seen=(seen,), at_once=True
        )

    @classmethod
    def of(cls, evaluated: Evaluated, note: str, seen: tuple[Sighting, ...] = ()) -> Generated:
        """The shares of an evaluation; "unsure" is no class."""
        shares = evaluated.evaluation.shares
        return cls(
            shares=shares.corrected[:-1],
            low=shares.low[:-1],
            high=shares.high[:-1],
            step=evaluated.step,
            revision=evaluated.revision,
            seen=seen,
            note=note,
        )

    @property
    def untold(self) -> frozenset[int]:
        """Classes of which the judge cannot say anything by themselves."""
        return self.seen[-1].untold if self.seen else frozenset()

    @property
    def stale(self) -> bool:
        """Whether they are another's, or of another target, than what is shown beside them."""
        return bool(self.note)
