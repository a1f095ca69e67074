"""The density of a diffusion model on the plane: that of the noise, carried along its flow.

    q(cell) ≈ N(f(x); 0, 1)·area of f(cell)

f takes a point x at the least noise to noise x_T, along the way on which deterministic samples come out of it, and a
cell of the plane to a quadrangle. Going that way the steps are those of sampling with s > t, so f is as exact as
samples are. Source: Y. Song et al., arXiv:2011.13456 (2021), whose integral of a divergence the areas stand for.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from studio.models.diffusion.config import Sampler
from studio.models.diffusion.sampling import Guess, trajectory
from studio.models.diffusion.schedule import Schedule
from studio.models.plane_views import SIDE

_STEPS = 24
_LEAST = 1e-30
"""Of a mass: a flow that folds over leaves cells without any."""


def log_masses(guess: Guess, schedule: Schedule, like: Tensor) -> Tensor:
    """log q of each cell of `plane_views.grid`, up to a constant, shape (SIDE²,), by a guess (x_t, t) → x̂_0."""
    edge = torch.linspace(-1, 1, SIDE + 1, device=like.device, dtype=like.dtype)
    up, across = torch.meshgrid(edge, edge, indexing="ij")
    times = [*sorted(schedule.times(_STEPS))[1:], 0]  # the 0 ends the way
    start = schedule.signal[times[0]].item() * torch.stack((across.flatten(), up.flatten()), 1)[:, :, None, None]
    rng = torch.Generator(like.device)  # unused: the way is deterministic
    *_, last = trajectory(start, guess, schedule, times, Sampler.SECOND_ORDER, rng)
    knots = last.noisy.flatten(1).double().reshape(SIDE + 1, SIDE + 1, 2)
    return (_noise_density(knots) * _areas(knots)).clamp(min=_LEAST).log().flatten()


def _noise_density(knots: Tensor) -> Tensor:
    """Mean of N(x; 0, 1) over the corners of each cell of knots (rows + 1, columns + 1, 2), shape (rows, columns)."""
    density = (-0.5 * knots.square().sum(2)).exp() / (2 * math.pi)
    return (density[:-1, :-1] + density[1:, :-1] + density[:-1, 1:] + density[1:, 1:]) / 4


def _areas(knots: Tensor) -> Tensor:
    """Area of the quadrangle between the four corners of each cell, half the product of its diagonals."""
    first, second = knots[1:, 1:] - knots[:-1, :-1], knots[1:, :-1] - knots[:-1, 1:]
    return (first[..., 0] * second[..., 1] - first[..., 1] * second[..., 0]).abs() / 2
