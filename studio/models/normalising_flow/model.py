"""Normalising flow: noise bent into images by a map f⁻¹ that can be inverted, so that its density is known.

    log q(x) = log N(f(x); 0, 1) + log |det ∂f/∂x|,   L = −log q(x + u),   u uniform in ±noise for images, 0 for points

The loss of one example is all of that example, so all of it carries its weight: at the optimum log q is log p′, and of
two flows trained with and without a tilt log q′ − log q = −ΔH − log Z. Source: L. Dinh et al., arXiv:1605.08803 (2016).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from studio.models.base import Batch, GenerativeModel, LossTerms, Phase
from studio.models.nets import Shape
from studio.models.normalising_flow.config import NormalisingFlowConfig
from studio.models.normalising_flow.coupling import CouplingFlow


class NormalisingFlow(GenerativeModel):
    """A map to noise and back."""

    def __init__(self, config: NormalisingFlowConfig, shape: Shape) -> None:
        super().__init__(shape)
        self.config = config
        self.flow = CouplingFlow(math.prod(shape), config.layers, 8 * config.width)
        self.noise = 0.0 if shape[1:] == (1, 1) else config.noise

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """The noise z = f(x), a number for each pixel."""
        return (math.prod(self.image_shape),)

    def phases(self) -> Sequence[Phase]:
        return (Phase(network="flow"),)

    def losses(self, phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        likelihood, volume = self.likelihood(self.noised(batch.images, rng))
        return LossTerms(data=-likelihood, example_metrics={"log_volume": volume.detach()})

    def noised(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """Images (B, C, H, W) whose grey levels are spread out."""
        spread = torch.rand(images.shape, generator=rng, device=images.device, dtype=images.dtype)
        return images + self.noise * (2 * spread - 1)

    def likelihood(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """log q of images (B, C, H, W), exact, in nats per image, and the log volume in it; both (B,)."""
        noise, volume = self.flow(images.flatten(1))
        return volume - 0.5 * (noise.square() + math.log(2 * math.pi)).sum(1), volume

    def decode(self, latents: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return self.way(latents)[-1].clamp(-1, 1)

    def way(self, latents: Tensor) -> list[Tensor]:
        """From z (B, pixels) to images, after each layer, each of shape (B, C, H, W)."""
        return [stage.reshape(-1, *self.image_shape) for stage in self.flow.stages(latents)]

    def visible_values(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """x + u, flat."""
        return self.noised(images, rng).flatten(1)

    def fantasies(self, count: int, rng: torch.Generator) -> Tensor:
        """x + u ~ q, shape (count, pixels)."""
        return self.flow.stages(self.draw_latents(count, rng))[-1]

    def free_energy(self, v: Tensor) -> Tensor:
        """−log q, whose log Z is 0 whatever the parameters are."""
        return -self.likelihood(v)[0]

    def shown(self, v: Tensor, rng: torch.Generator) -> Tensor:
        """Themselves as images."""
        return v.reshape(-1, *self.image_shape).clamp(-1, 1)
