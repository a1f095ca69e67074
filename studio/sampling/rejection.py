"""Rejection: a draw x of the model is kept with probability W(x)/W_max.

Samples are independent, and none comes twice. Of a tilt by class W_max = max_c (m_c/q_c)·e^{−δH_c} is known, and a
share ⟨W⟩/W_max of the draws is kept. Source: J. von Neumann, NBS Appl. Math. Ser. 12, 36 (1951).
"""

from __future__ import annotations

import math

import numpy as np

from studio.data.scale import Values
from studio.errors import UserError
from studio.progress import Progress
from studio.sampling.base import Prediction, Tilted, joined
from studio.sampling.pool import Pool
from studio.sampling.tilt import Tilt

LEAST_ACCEPTED = 1e-3
"""Share of draws below which it is not begun."""

INDEPENDENT = 4.0
"""Of a sample that is independent of all others, over that of one that may be a copy."""


class Rejection:
    """Samples that are independent."""

    name = "reject"

    def predict(self, pool: Pool, tilt: Tilt, count: int) -> Prediction:
        """See `TiltedSampler`."""
        kept = acceptance(pool, tilt)
        if not kept:
            return Prediction(seconds=math.inf, says="", why_not="no bound on these weights is known")
        draws, one_in = count / kept, f"one draw in {1 / kept:,.3g}"
        why_not = f"it would keep {one_in} only" if kept < LEAST_ACCEPTED else pool.short_of(draws)
        return Prediction(
            seconds=draws * pool.seconds_per_draw,
            says=f"{one_in} is kept, and no sample comes twice",
            worth=INDEPENDENT,
            why_not=why_not,
        )

    def sample(self, pool: Pool, tilt: Tilt, count: int, rng: np.random.Generator, progress: Progress) -> Tilted:
        """See `TiltedSampler`."""
        pool.prepare(count, progress)
        own = pool.own
        ceiling = tilt.ceiling(own)
        if ceiling is None:
            raise UserError(
                "Rejection needs a bound on the weights",
                "The energy depends on more than the class, so no bound is known.",
                "Use resampling.",
            )
        expected = acceptance(pool, tilt)
        if expected < LEAST_ACCEPTED:
            raise _hopeless(expected, count, pool)
        kept: list[Values] = []
        draws = found = 0
        for drawn, chances in pool.blocks():
            progress.report("Keeping some of the draws", found / count)
            with np.errstate(divide="ignore"):
                taken = np.flatnonzero(np.log(chances) < tilt.log_weights(drawn, own) - ceiling)[: count - found]
            found += len(taken)
            draws += int(taken[-1]) + 1 if found == count else len(drawn)
            kept.append(drawn.values[taken])
            if found == count:
                break
        short = pool.short_of(draws)
        return Tilted(
            values=joined(kept),
            method=self.name,
            draws=draws,
            seconds=draws * pool.seconds_per_draw,
            effective=float(count),
            distinct=count,
            acceptance=count / draws,
            remarks=(f"{short[0].upper()}{short[1:]}",) if short else (),
        )


def acceptance(pool: Pool, tilt: Tilt) -> float:
    """⟨W⟩/W_max over the draws that are kept in the pool; 0 where no bound is known."""
    ceiling = tilt.ceiling(pool.own)
    if ceiling is None:
        return 0.0
    return float(np.exp(pool.log_weights(tilt) - ceiling).mean())


def _hopeless(expected: float, count: int, pool: Pool) -> UserError:
    every = 1 / max(expected, 1e-300)
    minutes = count * every * pool.seconds_per_draw / 60
    return UserError(
        "Rejection would throw nearly everything away",
        f"One draw in {every:,.3g} would be kept: {count:,} samples would take about {minutes:,.3g} minutes.",
        "Use resampling, which repeats some samples; ask for less of a tilt; or train it instead.",
    )
