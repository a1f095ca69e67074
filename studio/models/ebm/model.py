"""Energy-based model p(x) ∝ exp(−E(x)), its negative phase by Langevin dynamics from a replay buffer.

    data_j = E(x_j) + α·E(x_j)²,     model = −⟨E(x⁻)⟩ + α·⟨E(x⁻)²⟩

Samples x⁻ start from the buffer, a few of them from noise, move by Langevin dynamics, and go back to the buffer. The
buffer is memory: it belongs to the model and carries no weights. Source: Y. Du, I. Mordatch, arXiv:1903.08689 (2019).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor, nn

from studio.errors import UserError
from studio.models.base import Batch, GenerativeModel, LossTerms, Phase, chosen_in_turn
from studio.models.config import Architecture
from studio.models.ebm.config import EbmConfig
from studio.models.nets import FromImage, Shape, is_convolutional

_CHUNK = 500
_CHECK_EVERY = 50
_RUNAWAY = 1e3
"""Energies of this size are far beyond what the penalty leaves to a model that is well (below 10)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Langevin:
    """A way to move, by steps s and noise σ; |∂E/∂x_i| is followed up to a limit, 0 for none, within ±bound.

        x ← x − s·clip(∇E(x)) + σ·ξ,   ξ ~ N(0, 1)

    It samples exp(−E/T) with T = σ²/(2s), up to an error of the order of s: for E = ½k·x² the variance is exactly
    (T/k)/(1 − s·k/2). Source: G. Roberts, R. Tweedie, Bernoulli 2 (1996).
    """

    step_size: float
    noise: float
    slope_limit: float = 0.0
    bound: float = 1.0

    def run(self, energy: Callable[[Tensor], Tensor], start: Tensor, steps: int, rng: torch.Generator) -> Tensor:
        """Images (B, C, H, W) after so many steps from `start`, detached; the energy takes them to E, shape (B,)."""
        images = start.detach()
        for _ in range(steps):
            images = images.requires_grad_()
            with torch.enable_grad():
                (slope,) = torch.autograd.grad(energy(images).sum(), images)
            if self.slope_limit:
                slope = slope.clamp(-self.slope_limit, self.slope_limit)
            noise = torch.randn(images.shape, generator=rng, device=images.device, dtype=images.dtype)
            images = images.detach() - self.step_size * slope + self.noise * noise
            images.clamp_(-self.bound, self.bound)
        return images


class Energy(nn.Module):
    """E(x), shape (B,), for images (B, C, H, W): smooth, so that its slope leads somewhere everywhere.

    MLP            two hidden layers of 8·width units; for images of up to 16 pixels a side
    convolutional  5×5, then 3×3 layers of stride 2 with width, 2·width, 4·width, 4·width channels, then two linear ones
    """

    def __init__(self, shape: Shape, *, architecture: Architecture, width: int) -> None:
        super().__init__()
        build = _convolutions if is_convolutional(shape, architecture) else _perceptron
        self.layers = build(shape, width)

    def forward(self, images: Tensor) -> Tensor:
        energy: Tensor = self.layers(images)
        return energy.squeeze(1).to(images.dtype)


def _perceptron(shape: Shape, width: int) -> nn.Sequential:
    pixels, hidden = shape[0] * shape[1] * shape[2], 8 * width
    return nn.Sequential(
        nn.Flatten(), nn.Linear(pixels, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, 1)
    )


def _convolutions(shape: Shape, width: int) -> nn.Sequential:
    channels = (width, 2 * width, 4 * width, 4 * width)
    layers: list[nn.Module] = [FromImage(shape[0], width, 5, stride=2, padding=2), nn.SiLU()]
    for fan_in, fan_out in pairwise(channels):
        layers += [nn.Conv2d(fan_in, fan_out, 3, stride=2, padding=1), nn.SiLU()]
    with torch.no_grad():
        features = nn.Sequential(*layers, nn.Flatten())(torch.zeros(1, *shape)).shape[1]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(features, 4 * width), nn.SiLU(), nn.Linear(4 * width, 1))


class Ebm(GenerativeModel):
    """Energy and replay buffer of samples, half precision, shape (N, C, H, W)."""

    memory = ("buffer",)
    takes_bfloat16 = True
    buffer: Tensor

    def __init__(self, config: EbmConfig, shape: Shape) -> None:
        super().__init__(shape)
        self.config = config
        self.energy = Energy(shape, architecture=config.architecture, width=config.width)
        self.langevin = Langevin(step_size=config.step_size, noise=config.noise, slope_limit=config.slope_limit)
        buffer = torch.empty(config.buffer_size, *shape).uniform_(-1, 1)
        self.register_buffer("buffer", buffer.half())

    def phases(self) -> Sequence[Phase]:
        return (Phase(network="energy"),)

    def losses(self, phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        real = batch.images
        real = real + self.config.data_noise * torch.randn(
            real.shape, generator=rng, device=real.device, dtype=real.dtype
        )
        sampled = self._negatives(len(batch), real.dtype, rng)
        positive, negative = self.energy(torch.cat((real, sampled))).chunk(2)
        if batch.step % _CHECK_EVERY == 0:
            _refuse_runaway(positive.detach(), negative.detach())
        alpha = self.config.energy_penalty
        return LossTerms(
            data=positive + alpha * positive.square(),
            model=-negative.mean() + alpha * negative.square().mean(),
            metrics={"energy_sampled": negative.detach().mean()},
            example_metrics={"energy_real": positive.detach(), "energy_gap": (positive - negative.mean()).detach()},
        )

    @torch.no_grad()
    def _negatives(self, count: int, dtype: torch.dtype, rng: torch.Generator) -> Tensor:
        """Samples for the negative phase, shape (count, C, H, W), which also go back to the buffer."""
        device = self.buffer.device
        places = torch.randint(len(self.buffer), (count,), generator=rng, device=device)
        start = self.buffer[places].to(dtype)
        fresh = torch.rand(count, 1, 1, 1, generator=rng, device=device) < self.config.restart_rate
        start = torch.where(fresh, self.noise_images(count, rng), start)
        sampled = self.langevin.run(self.energy, start, self.config.langevin_steps, rng)
        self.buffer[places] = sampled.to(self.buffer.dtype)
        return sampled

    def noise_images(self, count: int, rng: torch.Generator) -> Tensor:
        """U(−1, 1), shape (count, C, H, W)."""
        return 2 * torch.rand(count, *self.image_shape, generator=rng, device=self.buffer.device, dtype=self._dtype) - 1

    @property
    def independent_samples(self) -> int:
        """Those of the buffer: some Langevin steps leave an image what it is (99 % keep their class over 20)."""
        return len(self.buffer)

    def sample_parts(self, counts: Iterable[int], rng: torch.Generator) -> Iterator[Tensor]:
        """Images of the buffer chosen by `rng`, some Langevin steps further."""
        for chosen in chosen_in_turn(len(self.buffer), counts, rng):
            yield self.moved(self.buffer[chosen].to(self._dtype), self.config.sample_steps, rng)

    def chain_states(self, count: int, rng: torch.Generator) -> Tensor:
        """As many samples, shape (count, C, H, W)."""
        return self.sample(count, rng)

    def chain_moves(self, states: Tensor, rng: torch.Generator) -> Tensor:
        """A Langevin step further; that of so short a step stays with the energy as it is trained."""
        return self.moved(states, 1, rng)

    def chain_images(self, states: Tensor) -> Tensor:
        return states

    def visible_values(self, images: Tensor, rng: torch.Generator) -> Tensor:
        return images

    def fantasies(self, count: int, rng: torch.Generator) -> Tensor:
        return self.sample(count, rng)

    def free_energy(self, v: Tensor) -> Tensor:
        """E, whose temperature is left out: it drops out of how the distribution follows a tilt."""
        return self.energy(v)

    def shown(self, v: Tensor, rng: torch.Generator) -> Tensor:
        return v

    def moved(self, start: Tensor, steps: int, rng: torch.Generator) -> Tensor:
        """Langevin dynamics a few hundred images at a time, without slopes of the weights."""
        chunks = [self.langevin.run(self.energy, part, steps, rng) for part in start.split(_CHUNK)]
        return torch.cat(chunks)

    @property
    def _dtype(self) -> torch.dtype:
        return next(self.energy.parameters()).dtype


def _refuse_runaway(positive: Tensor, negative: Tensor) -> None:
    """Raises UserError if energies have left all bounds; the run's last good state was well."""
    largest = torch.cat((positive, negative)).abs().max().item()
    if not largest < _RUNAWAY:
        raise UserError(
            "Langevin training has diverged",
            f"An energy has reached {largest:.3g}.",
            "Go back to the last good state; lower the learning rate or the step size, or raise the energy penalty.",
            field="model.step_size",
        )
