"""Steering: a population of images on their way from noise, led by what their guesses of the clean image would weigh.

    x_T ~ N(0, 1),   x_s ~ p(x_s|x_t),   w ← w·G_s(x_s)/G_t(x_t),   G_t(x) = W(x̂_0(x))^{ᾱ_t},   G_0 = W

The potentials G_t, weak where the guess is vague, only say where it is worth to go on: their product is W(x_0) whatever
they are, so that the weighted images follow p(x)·W(x) of the chain that draws noise, exactly as their number grows.

Sources: L. Wu et al., arXiv:2306.17775 (2023); R. Singhal et al., arXiv:2501.06848 (2025); M. Skreta et al.,
arXiv:2503.02819 (2025).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from studio.progress import Progress
from studio.sampling.base import Tilted
from studio.sampling.particles import LEAST, Population, Weights, finished
from studio.sampling.pool import Pool
from studio.sampling.tilt import Tilt

_CHUNK = 250


@runtime_checkable
class Denoises(Protocol):
    """Begins with noise x_T and draws each x_s from the one before; the last guess of the clean image is the sample."""

    def denoising_times(self) -> Sequence[int]:
        """t from T down to 0, at least two."""

    def signal_share(self, time: int) -> float:
        """How much of the variance at t is the image's, ᾱ_t in 0…1."""

    def guess_at(self, noisy: Tensor, time: int) -> Tensor:
        """x̂_0 of x_t, both of shape (n, C, H, W)."""

    def less_noisy(self, noisy: Tensor, guess: Tensor, time: int, earlier: int, rng: torch.Generator) -> Tensor:
        """x_s ~ p(x_s|x_t) for s = `earlier` > 0 and t = `time`, with x̂_0 = `guess`; all of shape (n, C, H, W)."""


@dataclass(frozen=True, kw_only=True)
class Steering(Population):
    """Along the chain of a model that denoises images of `shape` (C, H, W).

    The chain has more steps than that of a draw, and images are looked at after each.
    """

    dearer = 2.5
    led = "images are led from noise all the way"
    model: Denoises
    shape: tuple[int, int, int]
    name: str = "steer"

    @torch.no_grad()
    def sample(self, pool: Pool, tilt: Tilt, count: int, rng: np.random.Generator, progress: Progress) -> Tilted:
        """See `TiltedSampler`."""
        pool.prepare(count, progress)
        begun = time.perf_counter()
        noise = torch.Generator(self.device).manual_seed(int(rng.integers(2**62)))
        noisy = torch.randn(max(count, LEAST), *self.shape, generator=noise, device=self.device)
        times = self.model.denoising_times()
        weights, before = Weights(len(noisy), rng), np.zeros(len(noisy))
        for place, (later, earlier) in enumerate(pairwise(times)):
            guess = self._guess(noisy, later, progress, place / (len(times) - 1))
            power = self.model.signal_share(later) if earlier else 1.0
            values = self.scale.stored(guess.clamp(-1, 1).float().cpu().numpy())
            potential = power * tilt.log_weights(self.look(values), pool.own)
            weights.multiply(potential - before)
            before = potential
            if not earlier:
                break
            chosen = weights.chosen()
            if chosen is not None:
                where = torch.from_numpy(chosen).to(self.device)
                noisy, guess, before = noisy[where], guess[where], before[chosen]
            noisy = self.model.less_noisy(noisy, guess, later, earlier, noise)
        return finished(self.name, values, weights, count, time.perf_counter() - begun, rng)

    def _guess(self, noisy: Tensor, later: int, progress: Progress, done: float) -> Tensor:
        parts = []
        for part in noisy.split(_CHUNK):
            progress.report("Steering from noise to images", done)
            parts.append(self.model.guess_at(part, later))
        return torch.cat(parts)
