"""Fields, arrows, nets and flows of models on the plane, from functions of points and latents."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from studio.models.plane import Arrows, Field, Flow, Net

SIDE = 40
"""Cells along each side of a field's grid."""

PARTICLES = 32
"""How many a flow has."""

_KNOTS = 15
_TIMES = 12
_STRIDE = 0.06
"""The longest step of a particle down a slope, in halves of the square's side."""


def grid(like: Tensor) -> Tensor:
    """Centres of SIDE×SIDE cells of −1…1, from the lower left along x₁, as images (SIDE², 2, 1, 1) of `like`'s type."""
    at = (torch.arange(SIDE, device=like.device, dtype=like.dtype) + 0.5) / SIDE * 2 - 1
    up, across = torch.meshgrid(at, at, indexing="ij")
    return torch.stack((across.flatten(), up.flatten()), 1)[:, :, None, None]


def field(name: str, title: str, tip: str, values: Tensor, unit: str = "") -> Field:
    """A field of values at `grid`, shape (SIDE²,)."""
    return Field(name=name, title=title, tip=tip, unit=unit, values=_square(values))


def log_density_field(log_density: Tensor, tip: str) -> Field:
    """log q at `grid`, shape (SIDE²,), up to a constant: normalised on the grid, since nothing lies beyond it."""
    cell = (2 / SIDE) ** 2
    log_density = log_density.double()
    total = log_density.logsumexp(0) + math.log(cell)
    return Field(
        name="model_density",
        title="Model's density",
        tip=tip,
        unit="nats",
        values=_square(log_density - total),
        density=True,
    )


def slope_arrows(name: str, title: str, tip: str, potential: Callable[[Tensor], Tensor], at: Tensor) -> Arrows:
    """−∇ of a potential, images (n, 2, 1, 1) → (n,), at some points: where each would go to make it small."""
    return arrows(name, title, tip, at, -_slope(potential, at))


def arrows(name: str, title: str, tip: str, at: Tensor, along: Tensor) -> Arrows:
    """Arrows at some points; both images (n, 2, 1, 1)."""
    return Arrows(name=name, title=title, tip=tip, at=_points(at), along=_points(along))


def flow(tip: str, stages: Sequence[Tensor]) -> Flow:
    """Particles at one time after the other, images (n, 2, 1, 1) each."""
    knots = np.stack([_points(stage) for stage in stages], 1)
    return Flow(name="flow", title="Flow", tip=tip, knots=knots)


def descent(tip: str, potential: Callable[[Tensor], Tensor], start: Tensor) -> Flow:
    """Particles that go down a potential, images (n, 2, 1, 1) → (n,), from `start`: x ← x − h·∇/(1 + ‖∇‖)."""
    stages = [start]
    for _ in range(_TIMES):
        slope = _slope(potential, stages[-1])
        size = slope.flatten(1).norm(dim=1)[:, None, None, None]
        stages.append((stages[-1] - _STRIDE * slope / (1 + size)).clamp(-1, 1))
    return flow(tip, stages)


def repeated(tip: str, move: Callable[[Tensor], Tensor], start: Tensor) -> Flow:
    """Particles that are moved, images (n, 2, 1, 1) to the same, again and again from `start`."""
    stages = [start]
    for _ in range(_TIMES):
        stages.append(move(stages[-1]))
    return flow(tip, stages)


def anywhere(like: Tensor, rng: torch.Generator) -> Tensor:
    """Where particles begin that may be anywhere: even over the square, shape (PARTICLES, 2, 1, 1)."""
    return 2 * torch.rand(PARTICLES, 2, 1, 1, generator=rng, device=like.device, dtype=like.dtype) - 1


def latent_net(latent_size: int, generate: Callable[[Tensor], Tensor], like: Tensor) -> Net:
    """Where z (n, latent_size) → (n, 2, 1, 1) takes a net of equal steps of probability in z₁ and z₂, other z at 0."""
    levels = (torch.arange(_KNOTS, device=like.device, dtype=torch.float64) + 0.5) / _KNOTS
    at = math.sqrt(2) * torch.special.erfinv(2 * levels - 1)
    second, first = torch.meshgrid(at, at, indexing="ij")
    latents = torch.zeros(_KNOTS**2, latent_size, device=like.device, dtype=like.dtype)
    latents[:, 0] = first.flatten().to(like.dtype)
    if latent_size > 1:
        latents[:, 1] = second.flatten().to(like.dtype)
    return Net(
        name="latent_net",
        title="Latent net",
        tip="Where the generator takes a net of latents: small meshes are where it puts many points. "
        "G(z) at equal steps of probability of z₁ and z₂, the other z at 0: of one class, if it is told classes.",
        knots=_points(generate(latents)).reshape(_KNOTS, _KNOTS, 2),
    )


def kernel_log_density(centres: Tensor, log_width: Tensor) -> Tensor:
    """log of the mean of N(x; c, σ²) over `centres` (m, 2, 1, 1) at `grid`, shape (SIDE²,); at least about −700.

    A round Gaussian is a product over x₁ and x₂, so that a sum of m of them on a grid is one product of two matrices.
    """
    along = grid(centres.double())[:SIDE, 0, 0, 0]
    across, up = (
        (-0.5 * (along - centres[:, axis].double().flatten(1)).square() * (-2 * log_width).exp()).exp()
        for axis in range(2)
    )
    mean = (up.T @ across).flatten() / len(centres)
    return mean.clamp(min=torch.finfo(mean.dtype).tiny).log() - 2 * log_width - math.log(2 * math.pi)


def _slope(potential: Callable[[Tensor], Tensor], at: Tensor) -> Tensor:
    """∇ of a potential, images (n, 2, 1, 1) → (n,), at some points."""
    with torch.enable_grad():
        places = at.detach().requires_grad_()
        return torch.autograd.grad(potential(places).sum(), places)[0]


def _points(images: Tensor) -> NDArray[np.float64]:
    found: NDArray[np.float64] = images.detach().flatten(1).double().cpu().numpy()
    return found


def _square(values: Tensor) -> NDArray[np.float64]:
    found: NDArray[np.float64] = values.detach().double().cpu().numpy().reshape(SIDE, SIDE)
    return found
