"""From noise to an image, along a falling sequence of times.

    x̂_0 = guess of the clean image from x_t,   ε̂ = (x_t − √ᾱ_t·x̂_0)/√(1 − ᾱ_t)
    DDIM           x_s = √ᾱ_s·x̂_0 + √(1 − ᾱ_s)·ε̂ = ρ·x_t + (√ᾱ_s − ρ·√ᾱ_t)·x̂_0,   ρ = √((1 − ᾱ_s)/(1 − ᾱ_t))
    second order   the same with x̂_0 + (x̂_0 − x̂_0′)·(λ_s − λ_t)/(2·(λ_t − λ_t′)) in place of x̂_0, where ′ is the step
                   before and λ = ½·log(ᾱ/(1 − ᾱ))
    ancestral      x_s ~ q(x_s|x_t, x̂_0)

Sources: J. Ho et al., arXiv:2006.11239; DDIM: J. Song et al., arXiv:2010.02502 (2020); second order (DPM-Solver++
2M): C. Lu et al., arXiv:2211.01095 (2022).
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
    """One point of the way: t, x_t and x̂_0, both of shape (B, C, H, W)."""

    time: int
    noisy: Tensor
    guess: Tensor


def trajectory(
    start: Tensor, guess: Guess, schedule: Schedule, times: Sequence[int], sampler: Sampler, rng: torch.Generator | None
) -> Iterator[Stage]:
    """Every stage from x_T ~ N(0, 1), shape (B, C, H, W), through times that fall from T to 0; the last guess is the
    sample.

    Ancestral noise comes from `rng`; the other samplers need none.
    """
    noisy = start
    before: Stage | None = None
    for later, earlier in pairwise(times):
        stage = Stage(later, noisy, guess(noisy, later))
        yield stage
        if earlier:
            noisy = stepped(stage, before, earlier, schedule, sampler, rng)
            before = stage


def stepped(
    stage: Stage, before: Stage | None, earlier: int, schedule: Schedule, sampler: Sampler, rng: torch.Generator | None
) -> Tensor:
    """x_s for s = `earlier` > 0."""
    if sampler is Sampler.ANCESTRAL:
        posterior = schedule.posterior(earlier, stage.time)
        fresh = torch.randn(stage.noisy.shape, generator=rng, device=stage.noisy.device, dtype=stage.noisy.dtype)
        return posterior.clean * stage.guess + posterior.noisy * stage.noisy + posterior.width * fresh
    guess = stage.guess
    if sampler is Sampler.SECOND_ORDER and before is not None:
        ahead = schedule.log_ratio(earlier) - schedule.log_ratio(stage.time)
        behind = schedule.log_ratio(stage.time) - schedule.log_ratio(before.time)
        guess = guess + (guess - before.guess) * (ahead / (2 * behind))
    shrink = (schedule.noise[earlier] / schedule.noise[stage.time]).item()
    return shrink * stage.noisy + (schedule.signal[earlier] - shrink * schedule.signal[stage.time]).item() * guess
