"""From noise to an image, along a falling sequence of times.

    x̂_0 = guess of the clean image from x_t,   ε̂ = (x_t − √ᾱ_t·x̂_0)/√(1 − ᾱ_t)
    DDIM        x_s = √ᾱ_s·x̂_0 + √(1 − ᾱ_s)·ε̂
    ancestral   x_s ~ q(x_s|x_t, x̂_0)

Sources: J. Ho et al., arXiv:2006.11239 (2020); DDIM: J. Song et al., arXiv:2010.02502 (2020).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor

from studio.models.diffusion.config import Sampler
from studio.models.diffusion.schedule import Schedule

Guess = Callable[[Tensor, int], Tensor]
"""(x_t, t) → x̂_0, both of shape (B, C, H, W)."""


class Stage(NamedTuple):
    """One point of the way.

    Attributes:
        time: t.
        noisy: x_t, shape (B, C, H, W).
        guess: x̂_0, of that shape.
    """

    time: int
    noisy: Tensor
    guess: Tensor


def trajectory(
    start: Tensor, guess: Guess, schedule: Schedule, times: Sequence[int], sampler: Sampler, rng: torch.Generator
) -> Iterator[Stage]:
    """Every stage from `start` on; the last guess is the sample.

    Args:
        start: x_T ~ N(0, 1), shape (B, C, H, W).
        guess: the denoiser's guess of the clean image.
        schedule: the noise levels.
        times: falling from T to 0.
        sampler: how to step.
        rng: of the ancestral noise.
    """
    noisy = start
    for later, earlier in pairwise(times):
        clean = guess(noisy, later)
        yield Stage(later, noisy, clean)
        if earlier:
            noisy = _step(noisy, clean, schedule, (earlier, later), sampler, rng)


def _step(
    noisy: Tensor,
    clean: Tensor,
    schedule: Schedule,
    times: tuple[int, int],
    sampler: Sampler,
    rng: torch.Generator,
) -> Tensor:
    """x_s from x_t = `noisy` and x̂_0 = `clean`, for `times` = (s, t)."""
    if sampler is Sampler.ANCESTRAL:
        posterior = schedule.posterior(*times)
        fresh = torch.randn(noisy.shape, generator=rng, device=noisy.device, dtype=noisy.dtype)
        return posterior.clean * clean + posterior.noisy * noisy + posterior.width * fresh
    signal, noise = schedule.signal.tolist(), schedule.noise.tolist()
    earlier, later = times
    direction = (noisy - signal[later] * clean) / noise[later]
    return signal[earlier] * clean + noise[earlier] * direction
