"""Flow matching: a velocity that carries noise to images.

    x_t = α_t·x + σ_t·z,   t ~ U(0, 1),   z ~ N(0, 1),   of an image x
    rectified   α = t,   σ = 1 − t
    cosine      α = sin(πt/2),   σ = cos(πt/2)
    L   = mean over pixels of (v(x_t, t) − (α̇_t·x + σ̇_t·z))²

The loss of one example, for the t and z drawn for it, is all of that real example, so all of it carries its weight:
the minimum under weights e^{−ΔH(x)} is the velocity of p′ (energy-weighted flow matching). A sample is noise carried
from t = 0 to 1 by dx/dt = v(x, t); the density goes with it, d log q/dt = −∇·v.
Sources: Y. Lipman et al., arXiv:2210.02747 (2022); rectified: X. Liu et al., arXiv:2209.03003 (2022); cosine: M.
Albergo, E. Vanden-Eijnden, arXiv:2209.15571 (2022); weights: S. Zhang et al., arXiv:2503.04975 (2025).
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from functools import partial
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor

from studio.models.base import Batch, LossTerms, Phase, Said
from studio.models.conditional import Conditional, in_parts
from studio.models.diffusion.denoisers import denoiser
from studio.models.diffusion.schedule import faded, spread
from studio.models.flow_matching.config import FlowMatchingConfig, FlowPath, Solver
from studio.models.nets import Shape

_DENSITY_STEPS = 24


class Mixture(NamedTuple):
    """α_t and σ_t, and their derivatives by t, each of the shape of t."""

    alpha: Tensor
    sigma: Tensor
    alpha_rate: Tensor
    sigma_rate: Tensor

    def image(self, mixed: Tensor, velocity: Tensor) -> Tensor:
        """x of x_t and of its velocity dx_t/dt = α̇·x + σ̇·z."""
        found: Tensor = (self.sigma_rate * mixed - self.sigma * velocity) / (
            self.sigma_rate * self.alpha - self.sigma * self.alpha_rate
        )
        return found


def mixture(path: FlowPath, times: Tensor) -> Mixture:
    """How much of the image and of the noise there is at t in 0…1."""
    if path is FlowPath.RECTIFIED:
        one = times.new_ones(times.shape)
        return Mixture(times, 1 - times, one, -one)
    angle = math.pi / 2 * times
    sine, cosine = angle.sin(), angle.cos()
    return Mixture(sine, cosine, math.pi / 2 * cosine, -math.pi / 2 * sine)


class Stage(NamedTuple):
    """One point of a sample's way: t, x_t and the velocity there, both of shape (B, C, H, W)."""

    time: float
    image: Tensor
    velocity: Tensor


class FlowMatching(Conditional):
    """A velocity and the path that it was learned on."""

    takes_bfloat16 = True

    def __init__(self, config: FlowMatchingConfig, shape: Shape, classes: int = 0) -> None:
        super().__init__(shape)
        self.config = config
        self.velocity = denoiser(shape, architecture=config.architecture, width=config.width, classes=classes)
        self.hear(classes, config.labels_dropped, config.guidance)

    @property
    def noise_shape(self) -> tuple[int, ...]:
        """The noise z, which decides the image."""
        return self.image_shape

    def phases(self) -> Sequence[Phase]:
        return (Phase(network="velocity"),)

    def losses(self, phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        labels = self.told(batch, rng)
        times = spread(batch.images, rng)
        data = self.matching_loss(batch.images, times, rng, labels)
        return LossTerms(data=data, tilt=faded(self.config.weights_fade, 1 - times))

    def say(self, images: Tensor, rng: torch.Generator) -> Said:
        """The velocity at times and with noise drawn by `rng`."""
        return self._said_at(images, spread(images, rng), rng)

    def matching_loss(
        self, images: Tensor, times: Tensor, rng: torch.Generator, labels: Tensor | None = None
    ) -> Tensor:
        """L of `images` (B, C, H, W) at `times` (B,) in 0…1, per pixel, shape (B,)."""
        said = self._said_at(images, times, rng, labels)
        return said.loss(said.outputs)

    def _said_at(self, images: Tensor, times: Tensor, rng: torch.Generator, labels: Tensor | None = None) -> Said:
        noise = torch.randn(images.shape, generator=rng, device=images.device, dtype=images.dtype)
        mix = self.mixture(times)
        said = self.velocity_at(mix.alpha * images + mix.sigma * noise, times, labels)
        aim = mix.alpha_rate * images + mix.sigma_rate * noise
        return Said((said,), lambda outputs: F.mse_loss(outputs[0], aim, reduction="none").mean((1, 2, 3)))

    def mixture(self, times: Tensor) -> Mixture:
        """α, σ and their rates at `times` (B,), each of shape (B, 1, 1, 1)."""
        return mixture(self.config.path, times.view(-1, 1, 1, 1))

    def velocity_at(self, images: Tensor, times: Tensor, labels: Tensor | None = None) -> Tensor:
        """v of x_t (B, C, H, W) at `times` in 0…1, (B,) or one (1,) for all."""
        said: Tensor = self.velocity(images, times, *(() if labels is None else (labels,)))
        return said.to(images.dtype)

    def images(self, noise: Tensor, labels: Tensor | None, rng: torch.Generator | None) -> Tensor:
        images = []
        for start, told in in_parts(noise, labels):
            *_, (_, image, _) = self.way(start, told)
            images.append(image)
        return torch.cat(images).clamp(-1, 1)

    def way(self, start: Tensor, labels: Tensor | None = None) -> Iterator[Stage]:
        """Every stage from z = `start`, shape (B, C, H, W), to the sample, which is the image of the last one."""
        image, steps = start, self.config.sampling_steps
        for step in range(steps):
            velocity = self.guided_velocity(image, step / steps, labels)
            yield Stage(step / steps, image, velocity)
            ahead = image + velocity / steps
            if self.config.solver is Solver.HEUN:
                velocity = (velocity + self.guided_velocity(ahead, (step + 1) / steps, labels)) / 2
                ahead = image + velocity / steps
            image = ahead
        yield Stage(1.0, image, velocity)

    def guided_velocity(self, images: Tensor, time: float, labels: Tensor | None) -> Tensor:
        """v of x_t at one time, guided to their class."""
        return self.guided(partial(self.velocity_at, images, images.new_full((1,), time)), labels)

    def log_density(self, points: Tensor) -> Tensor:
        """log q of `points` (n, C, H, W), by d = C·H·W calls of the network's gradient in each step: for a few numbers.

        log q(x) = log N(z; 0, 1) − ∫ ∇·v dt along the way back to z, in the midpoint rule with exact ∇·v; shape (n,).
        """
        return self.mixed(lambda labels: self._log_density(points, labels))

    def _log_density(self, points: Tensor, labels: Tensor | None) -> Tensor:
        image, spread_out = points, points.new_zeros(len(points))
        length = 1 / _DENSITY_STEPS
        for step in reversed(range(_DENSITY_STEPS)):
            middle = image - length / 2 * self.guided_velocity(image, (step + 1) * length, labels)
            velocity, divergence = self._with_divergence(middle, (step + 0.5) * length, labels)
            image, spread_out = image - length * velocity, spread_out + length * divergence
        return -0.5 * (image.flatten(1).square() + math.log(2 * math.pi)).sum(1) - spread_out

    def _with_divergence(self, images: Tensor, time: float, labels: Tensor | None) -> tuple[Tensor, Tensor]:
        """v (n, C, H, W) and ∇·v (n,)."""
        with torch.enable_grad():
            places = images.detach().requires_grad_()
            velocity = self.guided_velocity(places, time, labels)
            numbers = velocity.flatten(1).unbind(1)
            slopes = [torch.autograd.grad(each.sum(), places, retain_graph=True)[0].flatten(1) for each in numbers]
        return velocity.detach(), torch.stack([slope[:, place] for place, slope in enumerate(slopes)]).sum(0)
