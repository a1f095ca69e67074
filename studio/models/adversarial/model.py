"""A critic that tells real images from generated ones, and a generator that it teaches.

    critic      L_D = ⟨w·r(D(x))⟩ + ⟨f(D(G(z)))⟩ + penalty
    generator   L_G = ⟨g(D(G(z)))⟩,   z ~ N(0, 1)

r, f, g and the penalty are in `losses` and `lipschitz`; with n_critic = k this is Algorithm 1 of I. Goodfellow et al.,
arXiv:1406.2661 (2014). The first term alone is of real examples and carries their weights; as many images are generated
as examples are in the batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import torch
from torch import Tensor, nn

from studio.models.adversarial.config import AdversarialConfig, NoiseConfig
from studio.models.adversarial.lipschitz import constrain
from studio.models.adversarial.losses import loss_of
from studio.models.adversarial.spectral import buffers_of
from studio.models.base import Batch, GenerativeModel, LossTerms, Phase
from studio.models.nets import Norm, Shape, Style, decoder, encoder, in_chunks


def noise_std(config: NoiseConfig, step: int) -> float:
    """σ_t = σ₀·max(0, 1 − t/N), of instance noise x + σ_t·ε on everything the critic sees, at training step t, from 0.

    Real and generated images on thin sheets hardly overlap, so a critic tells them apart perfectly and its slope says
    nothing; blurred by the same noise they overlap, and the noise fades as they approach.
    Sources: C. K. Sønderby et al., arXiv:1610.04490 (2016); M. Arjovsky, L. Bottou, arXiv:1701.04862 (2017).
    """
    return config.std * max(0.0, 1 - step / config.steps)


def with_noise(images: Tensor, std: float, rng: torch.Generator) -> Tensor:
    """`images` (B, C, H, W) with independent noise of standard deviation `std`; as they are, undrawn, where it is 0."""
    if not std:
        return images
    return images + std * torch.randn(images.shape, generator=rng, device=images.device, dtype=images.dtype)


class Adversarial(GenerativeModel):
    """Critic and generator of images of shape (C, H, W)."""

    takes_bfloat16 = True

    def __init__(self, config: AdversarialConfig, shape: Shape) -> None:
        super().__init__(shape)
        self.config = config
        self.loss = loss_of(config.objective)
        critic = Style(
            architecture=config.architecture,
            width=config.width,
            norm=Norm(config.critic_norm.value),
            activation=partial(nn.LeakyReLU, 0.2),
        )
        norm = Norm.BATCH if config.generator_batch_norm else Norm.NONE
        generator = Style(architecture=config.generator_architecture, width=config.width, norm=norm)
        self.critic = encoder(shape, 1, critic)
        self.generator = nn.Sequential(decoder(config.latent_size, shape, generator), nn.Tanh())
        self.lipschitz = constrain(self.critic, config.lipschitz)
        self.memory = buffers_of(self)

    def phases(self) -> Sequence[Phase]:
        return Phase(network="critic"), Phase(network="generator", every=self.config.critic_steps)

    def losses(self, phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        if phase.network == "critic":
            return self._critic_losses(batch, rng)
        fakes = self.generator(self.draw_latents(len(batch), rng)).to(batch.images.dtype)
        scores = self.scores(with_noise(fakes, noise_std(self.config.noise, batch.step), rng))
        return LossTerms(model=self.loss.generator(scores).mean())

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self.config.latent_size,)

    def decode(self, latents: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return in_chunks(self.generator, latents)

    @torch.no_grad()
    def after_step(self, network: str) -> None:
        if network == "critic":
            self.lipschitz.after_step(self.critic)

    def _critic_losses(self, batch: Batch, rng: torch.Generator) -> LossTerms:
        with torch.no_grad():
            fakes = self.generator(self.draw_latents(len(batch), rng)).to(batch.images.dtype)
        noise = noise_std(self.config.noise, batch.step)
        images, fakes = (with_noise(found, noise, rng) for found in (batch.images, fakes))
        real, fake = self.scores(torch.cat((images, fakes))).chunk(2)
        penalty = self.lipschitz.penalty(self.critic, images, fakes, rng)
        model = self.loss.fake(fake).mean()
        metrics = {**self.loss.fake_metrics(fake.detach()), **penalty.metrics}
        if self.config.noise.std:
            metrics["instance_noise"] = fake.new_tensor(noise)
        return LossTerms(
            data=self.loss.real(real),
            model=model if penalty.value is None else model + penalty.value,
            metrics=metrics,
            example_metrics=self.loss.example_metrics(real.detach(), fake.detach()),
        )

    def scores(self, images: Tensor) -> Tensor:
        """D(x) of images (B, C, H, W), shape (B,)."""
        scores: Tensor = self.critic(images)
        return scores.squeeze(1).to(images.dtype)
