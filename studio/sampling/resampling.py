"""Sampling/importance resampling: n of a pool of S draws by their weights W(x), some of them several times.

The pool grows until (ΣW)²/ΣW² ≥ n, or to a bound. It is exact as S → ∞; whether the weights allow it at all the tail
of their distribution tells, see `studio.perturb.pareto`.

Source: D. Rubin, in Bayesian Statistics 3 (1988).
"""

from __future__ import annotations

import numpy as np

from studio.data.scale import Values
from studio.perturb.arrays import Floats
from studio.perturb.pareto import largest_trusted, pareto_k
from studio.progress import Progress
from studio.sampling.base import Prediction, Tilted, effective_size, joined, systematic
from studio.sampling.pool import KEPT, Pool
from studio.sampling.tilt import Tilt

_MOST_DRAWS = 30
"""For each sample."""
_MOST_BYTES = 10**9


class Resampling:
    """Samples of which some come several times."""

    name = "resample"

    def predict(self, pool: Pool, tilt: Tilt, count: int) -> Prediction:
        """See `TiltedSampler`."""
        logs = pool.log_weights(tilt)
        draws = count * len(logs) / effective_size(np.exp(logs - logs.max()))
        shape = pareto_k(logs)
        doubtful = shape is not None and shape > largest_trusted(len(logs))
        return Prediction(
            seconds=draws * pool.seconds_per_draw,
            says=f"{draws:,.0f} draws tell as much as {count:,} independent samples",
            why_not=f"its weights are not to be trusted (k̂ = {shape:.2f})" if doubtful else pool.short_of(draws),
        )

    def sample(self, pool: Pool, tilt: Tilt, count: int, rng: np.random.Generator, progress: Progress) -> Tilted:
        """See `TiltedSampler`."""
        pool.prepare(count, progress)
        own, most = pool.own, max(KEPT, _MOST_DRAWS * count)
        values: list[Values] = []
        logs: list[Floats] = []
        draws, effective = 0, 0.0
        for drawn, _ in pool.blocks():
            values.append(drawn.values)
            logs.append(tilt.log_weights(drawn, own))
            draws += len(drawn)
            all_logs = np.concatenate(logs)
            weights = np.exp(all_logs - all_logs.max())
            effective = effective_size(weights)
            progress.report("Growing the pool", min(1.0, max(effective / count, draws / most)))
            if (
                (effective >= count and draws >= len(pool))
                or draws >= most
                or draws * drawn.values[0].nbytes > _MOST_BYTES
            ):
                break
        chosen = systematic(weights, count, rng)
        short = effective < count
        remark = f"The {draws:,} draws tell no more than {effective:,.0f} independent samples would"
        return Tilted(
            values=joined(values)[chosen],
            method=self.name,
            draws=draws,
            seconds=draws * pool.seconds_per_draw,
            effective=min(effective, float(count)),
            distinct=len(np.unique(chosen)),
            pareto_k=pareto_k(all_logs),
            most_k=largest_trusted(draws),
            remarks=(remark,) if short else (),
        )
