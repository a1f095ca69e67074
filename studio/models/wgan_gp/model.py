"""Wasserstein GAN with gradient penalty.

    critic      L_D = ⟨w·(−D(x))⟩ + ⟨D(G(z))⟩ + λ·⟨(‖∇D(x̂)‖ − 1)²⟩,   x̂ = u·x + (1 − u)·G(z),   u ~ U(0, 1)
    generator   L_G = −⟨D(G(z))⟩

The first term alone is of real examples and carries their weights. One-sided: max(0, ‖∇D‖ − 1)².
Sources: M. Arjovsky et al., arXiv:1701.07875; I. Gulrajani et al., arXiv:1704.00028 (2017).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from studio.models.base import Batch, GenerativeModel, LossTerms, Phase
from studio.models.nets import Norm, Shape, Style, decoder, encoder, in_chunks
from studio.models.wgan_gp.config import PenaltySides, WganGpConfig

_EPSILON = 1e-12
"""Inside the root of ‖∇D‖² + ε, whose slope would otherwise be infinite at ∇D = 0."""


class WganGp(GenerativeModel):
    """Critic and generator."""

    def __init__(self, config: WganGpConfig, shape: Shape) -> None:
        super().__init__()
        self._config = config
        self._shape = shape
        critic = Style(architecture=config.architecture, width=config.width, activation=partial(nn.LeakyReLU, 0.2))
        norm = Norm.BATCH if config.generator_batch_norm else Norm.NONE
        generator = Style(architecture=config.architecture, width=config.width, norm=norm)
        self.critic = encoder(shape, 1, critic)
        self.generator = nn.Sequential(decoder(config.latent_size, shape, generator), nn.Tanh())

    @property
    def image_shape(self) -> Shape:
        return self._shape

    def phases(self) -> Sequence[Phase]:
        return Phase(network="critic"), Phase(network="generator", every=self._config.critic_steps)

    def losses(self, phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        if phase.network == "critic":
            return self._critic_losses(batch.images, rng)
        score = self._score(self.generator(self._latents(batch.images, len(batch), rng)))
        loss = -score.mean()
        return LossTerms(model=loss, metrics={"generator_loss": loss.detach()})

    def sample(self, count: int, rng: torch.Generator) -> Tensor:
        return in_chunks(self.generator, self._latents(next(self.parameters()), count, rng))

    def _critic_losses(self, images: Tensor, rng: torch.Generator) -> LossTerms:
        with torch.no_grad():
            fakes = self.generator(self._latents(images, len(images), rng))
        real, fake = self._score(torch.cat((images, fakes))).chunk(2)
        norm = gradient_norm(self.critic, interpolates(images, fakes, rng))
        penalty = gradient_penalty(norm, self._config.penalty_sides)
        metrics = {"gradient_norm": norm.detach().mean(), "gradient_penalty": penalty.detach()}
        return LossTerms(
            data=-real,
            model=fake.mean() + self._config.penalty_weight * penalty,
            metrics=metrics,
            example_metrics={"critic_gap": (real - fake.mean()).detach()},
        )

    def _score(self, images: Tensor) -> Tensor:
        """D(x) of images (B, C, H, W), shape (B,)."""
        score: Tensor = self.critic(images)
        return score.squeeze(1)

    def _latents(self, like: Tensor, count: int, rng: torch.Generator) -> Tensor:
        """z ~ N(0, 1), shape (count, latent_size), with the device and type of `like`."""
        return torch.randn(count, self._config.latent_size, generator=rng, device=like.device, dtype=like.dtype)


def interpolates(real: Tensor, fake: Tensor, rng: torch.Generator) -> Tensor:
    """x̂ = u·x + (1 − u)·x′ with one u ~ U(0, 1) per pair; all of shape (B, C, H, W)."""
    share = torch.rand(len(real), 1, 1, 1, generator=rng, device=real.device, dtype=real.dtype)
    return torch.lerp(fake, real, share)


def gradient_norm(critic: nn.Module, images: Tensor) -> Tensor:
    """√(‖∇D(x)‖² + ε) at each of `images` (B, C, H, W), shape (B,); can be differentiated again."""
    images = images.detach().requires_grad_()
    (slope,) = torch.autograd.grad(critic(images).sum(), images, create_graph=True)
    return (slope.flatten(1).square().sum(1) + _EPSILON).sqrt()


def gradient_penalty(norm: Tensor, sides: PenaltySides) -> Tensor:
    """⟨(‖∇D‖ − 1)²⟩ of `norm`, shape (B,); one-sided ⟨max(0, ‖∇D‖ − 1)²⟩."""
    excess = norm - 1
    if sides is PenaltySides.ONE:
        excess = excess.clamp(min=0)
    return excess.square().mean()
