"""Which method: by what each is predicted to cost, from the draws that tell what the model makes.

Rejection takes n·W_max/⟨W⟩ draws and resampling n·⟨W²⟩/⟨W⟩², which is never more; but its samples come several times,
so it must be several times cheaper to be chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from studio.progress import Progress
from studio.sampling.base import TiltedSampler, effective_size
from studio.sampling.pool import Pool
from studio.sampling.rejection import LEAST_ACCEPTED, Rejection, acceptance
from studio.sampling.resampling import Resampling
from studio.sampling.tilt import Tilt

_WORTH = 4.0
"""Times the cost at which samples that are independent are still preferred to copies."""


class Method(StrEnum):
    """How to sample another target than the model's."""

    AUTO = "auto"
    REJECT = "reject"
    RESAMPLE = "resample"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """What was chosen.

    Attributes:
        sampler: the method.
        why: a sentence without a full stop; empty where the person chose.
    """

    sampler: TiltedSampler
    why: str = ""


def choose(method: Method, pool: Pool, tilt: Tilt, count: int, progress: Progress) -> Choice:
    """The method for `count` samples; draws a few hundred first, unless the person chose."""
    match method:
        case Method.REJECT:
            return Choice(sampler=Rejection())
        case Method.RESAMPLE:
            return Choice(sampler=Resampling())
        case Method.AUTO:
            pool.prepare(count, progress)
            return _cheapest(pool, tilt, count)


def _cheapest(pool: Pool, tilt: Tilt, count: int) -> Choice:
    logs = pool.log_weights(tilt)
    resampled = count * len(logs) / effective_size(np.exp(logs - logs.max()))
    kept = acceptance(pool, tilt)
    if not kept:
        return Choice(sampler=Resampling(), why="Resampling, for no bound on these weights is known to reject by")
    rejected = count / kept
    if kept < LEAST_ACCEPTED or rejected > _WORTH * resampled:
        why = f"Resampling, for rejection would keep one draw in {1 / kept:,.3g} only"
        return Choice(sampler=Resampling(), why=why)
    if pool.independent is not None and rejected > pool.independent:
        why = (
            f"Resampling, for the model has {pool.independent:,} independent draws and rejection needs {rejected:,.0f}"
        )
        return Choice(sampler=Resampling(), why=why)
    took = rejected * pool.seconds_per_draw
    why = (
        f"Rejection, for one draw in {1 / kept:.3g} is kept, which takes about {took:.2g} s, and no sample comes twice"
    )
    return Choice(sampler=Rejection(), why=why)
