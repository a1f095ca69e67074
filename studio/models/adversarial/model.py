"""A critic that tells real images from generated ones, and a generator that it teaches.

    critic      L_D = ⟨w·r(D(x))⟩ + ⟨f(D(G(z)))⟩ + penalty
    generator   L_G = ⟨g(D(G(z)))⟩,   z ~ N(0, 1)

If classes are told, the generator takes one with z, and the critic is a projection: with φ its last features,

    D(x, c) = w·φ(x) + b + E_c·φ(x),   D(x) = w·φ(x) + b where the class is not told

Generated images have classes drawn from the shares p′_c; the critic is told as large a share of them as of examples.

r, f, g and the penalty are in `losses` and `lipschitz`; with n_critic = k this is Algorithm 1 of I. Goodfellow et al.,
arXiv:1406.2661 (2014). The first term alone is of real examples and carries their weights; as many images are generated
as examples are in the batch. Projection: T. Miyato, M. Koyama, arXiv:1802.05637 (2018).
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
from studio.models.base import Batch, LossTerms, Phase
from studio.models.conditional import Conditional, one_hot, take_labels
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


class _Told(nn.Module):
    """A critic of images (B, C, H, W) that is told their labels (B,), or none of them; its scores have shape (B, 1)."""

    def __init__(self, critic: nn.Module, labels: Tensor | None) -> None:
        super().__init__()
        self.critic, self.labels = critic, labels

    def forward(self, images: Tensor) -> Tensor:
        said: Tensor = self.critic(images)
        if self.labels is None:
            return said[:, :1]
        return said[:, :1] + (one_hot(self.labels, said.shape[1] - 1) * said[:, 1:]).sum(1, keepdim=True)


class Adversarial(Conditional):
    """Critic and generator of images of shape (C, H, W)."""

    takes_bfloat16 = True

    def __init__(self, config: AdversarialConfig, shape: Shape, classes: int = 0) -> None:
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
        self.critic = encoder(shape, 1 + classes, critic)
        self.generator = nn.Sequential(decoder(config.latent_size, shape, generator), nn.Tanh())
        if classes:
            take_labels(self.generator, classes)
        self.lipschitz = constrain(self.critic, config.lipschitz)
        self.memory = buffers_of(self)
        self.hear(classes, config.labels_dropped)

    def phases(self) -> Sequence[Phase]:
        return Phase(network="critic"), Phase(network="generator", every=self.config.critic_steps)

    def losses(self, phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        if phase.network == "critic":
            return self._critic_losses(batch, rng)
        fakes, labels = self._fakes(batch, rng)
        scores = self.scores(with_noise(fakes, noise_std(self.config.noise, batch.step), rng), labels)
        return LossTerms(model=self.loss.generator(scores).mean())

    @property
    def noise_shape(self) -> tuple[int, ...]:
        return (self.config.latent_size,)

    def images(self, noise: Tensor, labels: Tensor | None, rng: torch.Generator | None) -> Tensor:
        return in_chunks(self.generator, self.labelled(noise, labels))

    @torch.no_grad()
    def after_step(self, network: str) -> None:
        if network == "critic":
            self.lipschitz.after_step(self.critic)

    def _critic_losses(self, batch: Batch, rng: torch.Generator) -> LossTerms:
        with torch.no_grad():
            fakes, fake_labels = self._fakes(batch, rng)
        labels = self.told(batch, rng)
        noise = noise_std(self.config.noise, batch.step)
        images, fakes = (with_noise(found, noise, rng) for found in (batch.images, fakes))
        both = None if labels is None or fake_labels is None else torch.cat((labels, fake_labels))
        real, fake = self.scores(torch.cat((images, fakes)), both).chunk(2)
        penalty = self.lipschitz.penalty(self.critic_of(labels), images, fakes, rng)
        data, model = self.loss.real(real), self.loss.fake(fake).mean()
        metrics = {**self.loss.fake_metrics(fake.detach()), **penalty.metrics}
        if self.config.noise.std:
            metrics["instance_noise"] = fake.new_tensor(noise)
        return LossTerms(
            data=data if penalty.data is None else data + penalty.data,
            model=model if penalty.value is None else model + penalty.value,
            metrics=metrics,
            example_metrics=self.loss.example_metrics(real.detach(), fake.detach()),
        )

    def critic_of(self, labels: Tensor | None) -> nn.Module:
        """D(·, c) of labels (B,), or D where they are absent: images (B, C, H, W) → (B, 1)."""
        return _Told(self.critic, labels) if self.classes else self.critic

    def _fakes(self, batch: Batch, rng: torch.Generator) -> tuple[Tensor, Tensor | None]:
        """As many generated images as a batch has, and what the critic is told of their classes."""
        noise, labels = self.parted(self.draw_latents(len(batch), rng))
        fakes = self.generator(self.labelled(noise, labels)).to(batch.images.dtype)
        return fakes, None if labels is None else self.partly(labels, rng)

    def scores(self, images: Tensor, labels: Tensor | None = None) -> Tensor:
        """D(x) of images (B, C, H, W), shape (B,), or D(x, c) of labels (B,), too."""
        scores: Tensor = self.critic_of(labels)(images)
        return scores.squeeze(1).to(images.dtype)
