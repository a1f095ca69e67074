"""A population of weighted particles on its way to another target: what steering and chains have in common.

Weights are multiplied by what each step adds, and particles resampled by them once their effective number falls below
half; from then on all weigh alike. Source: P. Del Moral, A. Doucet, A. Jasra, J. R. Stat. Soc. B 68, 411 (2006).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch

from studio.data.scale import Scale, Values
from studio.perturb.arrays import Floats, Indices
from studio.sampling.base import Look, Prediction, Tilted, effective_size, systematic
from studio.sampling.pool import Pool
from studio.sampling.tilt import Tilt

LEAST = 64
"""Particles, even where fewer samples are wanted: one alone could not be chosen from."""

_RESAMPLED_BELOW = 0.5


@dataclass(frozen=True, kw_only=True)
class Population:
    """Sequential Monte Carlo of a model on `device`: `look` looks at its images, stored by `scale`.

    A particle is `dearer` than a draw so many times; `led` says where particles are led.
    """

    dearer: ClassVar[float]
    led: ClassVar[str]
    scale: Scale
    look: Look
    device: torch.device

    def predict(self, pool: Pool, tilt: Tilt, count: int) -> Prediction:
        """See `TiltedSampler`."""
        number = max(count, LEAST)
        return Prediction(seconds=self.dearer * number * pool.seconds_per_draw, says=f"{number:,} {self.led}")


class Weights:
    """Of so many particles, resampled by `rng`."""

    def __init__(self, count: int, rng: np.random.Generator) -> None:
        self.logs: Floats = np.zeros(count)
        self._rng = rng

    @property
    def normalised(self) -> Floats:
        """Of mean 1, shape (n,)."""
        weights = np.exp(self.logs - self.logs.max())
        return np.asarray(weights / weights.mean())

    @property
    def effective(self) -> float:
        return effective_size(self.normalised)

    def multiply(self, logs: Floats) -> None:
        """By what a step adds to their logarithms, shape (n,)."""
        self.logs = self.logs + logs

    def chosen(self) -> Indices | None:
        """The particles to go on with if it is time to resample, shape (n,); None if it is not."""
        if self.effective >= _RESAMPLED_BELOW * len(self.logs):
            return None
        places = systematic(self.normalised, len(self.logs), self._rng)
        self.logs = np.zeros(len(self.logs))
        return places


def finished(
    method: str, values: Values, weights: Weights, count: int, seconds: float, rng: np.random.Generator
) -> Tilted:
    """`count` of the particles with their weights; chosen by these, if there are more of them.

    Their effective number says what they are worth: weights that were resampled on the way have no tail of their own.
    """
    found = Tilted(
        values=values,
        method=method,
        draws=len(values),
        seconds=seconds,
        effective=min(weights.effective, float(count)),
        distinct=len(np.unique(values.reshape(len(values), -1), axis=0)),
        weights=weights.normalised,
    )
    return found if len(values) == count else found.alike(rng, count)
