"""Variational autoencoder.

    −ELBO(x) = −log p(x|z) + β·KL(q(z|x) ‖ N(0, 1)),   z = μ(x) + σ(x)·ε,   ε ~ N(0, 1)
    KL       = ½·Σ_i (μ_i² + σ_i² − 1 − log σ_i²)

and with K > 1 codes for each image the tighter bound of the importance-weighted autoencoder, by draws alone:

    −log (1/K)·Σ_k p(x|z_k)·(p(z_k)/q(z_k|x))^β

All of it is of one real example, so all of it carries that example's weight.
Sources: D. P. Kingma, M. Welling, arXiv:1312.6114 (2013); β: I. Higgins et al., ICLR (2017); K: Y. Burda et al.,
arXiv:1509.00519 (2015).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from studio.models.base import Batch, LossTerms, Phase
from studio.models.conditional import Conditional, take_labels
from studio.models.gaussians import Normal, kl_to_standard_normal, standard_log_density
from studio.models.latent_variable import Autoencoder, LatentVariableModel
from studio.models.likelihoods import pixel_likelihood
from studio.models.nets import Shape, Style, decoder, encoder
from studio.models.tangent import Said
from studio.models.vae.config import VaeConfig


class Codec(Autoencoder):
    """The trained part: encoder, decoder and, unless Bernoulli, the width of a pixel."""

    def __init__(self, config: VaeConfig, shape: Shape) -> None:
        style = Style(architecture=config.architecture, width=config.width, activation=nn.SiLU, dense_layer=True)
        code = encoder(shape, 2 * config.latent_size, style)  # first, so that weights are drawn in that order
        super().__init__(decoder(config.latent_size, shape, style), pixel_likelihood(config.likelihood))
        self.encoder = code


class Vae(Conditional, LatentVariableModel):
    """Encoder and decoder, trained together; a label is told to the decoder alone, since the encoder sees the image."""

    config: VaeConfig
    autoencoder: Codec

    def __init__(self, config: VaeConfig, shape: Shape, classes: int = 0) -> None:
        super().__init__(config, shape, Codec(config, shape))
        self.hear(classes, config.labels_dropped)
        if classes:
            take_labels(self.autoencoder.decoder, classes)

    @property
    def noise_shape(self) -> tuple[int, ...]:
        return (self.config.latent_size,)

    def codes(self, latents: Tensor) -> Tensor:
        return self.labelled(*self.parted(latents))

    def output(self, codes: Tensor) -> Tensor:
        return super().output(self.labelled(codes, None))

    def images(self, noise: Tensor, labels: Tensor | None, rng: torch.Generator | None) -> Tensor:
        return self.decoded(self.labelled(noise, labels), rng)

    def losses(self, phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        outputs = self._outputs(batch.images, rng, self.told(batch, rng))
        reconstruction, divergence = self._terms(batch.images, *outputs)
        terms = reconstruction + self.config.beta * divergence
        return LossTerms(
            data=math.log(terms.shape[1]) - (-terms).logsumexp(1),
            example_metrics={"reconstruction": reconstruction.mean(1).detach(), "kl": divergence.mean(1).detach()},
        )

    def say(self, images: Tensor, rng: torch.Generator) -> Said:
        """The code's distribution, what the decoder makes of draws, and the width of a pixel if it is learned.

        What share each draw has in the bound is held: its slope is the same, and bends as that of one draw does.
        """
        outputs, noise = self._outputs(images, rng)

        def loss(outputs: tuple[Tensor, ...]) -> Tensor:
            reconstruction, divergence = self._terms(images, outputs, noise)
            terms = reconstruction + self.config.beta * divergence
            return ((-terms).softmax(1).detach() * terms).sum(1)

        return Said(outputs, loss)

    def _outputs(
        self, images: Tensor, rng: torch.Generator, labels: Tensor | None = None
    ) -> tuple[tuple[Tensor, ...], Tensor]:
        """What the networks say of images, K codes of each drawn, and the noise ε of these (B·K, latent_size)."""
        code, count = self.encode(images), self.config.importance_samples
        size = (count * len(images), *code.mean.shape[1:])
        noise = torch.randn(size, generator=rng, device=images.device, dtype=code.mean.dtype)
        told = None if labels is None else labels.repeat_interleave(count)
        output = self.autoencoder.decoder(self.labelled(code.repeated(count).at(noise), told))
        return (*code, output, *self.autoencoder.likelihood.parameters()), noise

    def _terms(self, images: Tensor, outputs: tuple[Tensor, ...], noise: Tensor) -> tuple[Tensor, Tensor]:
        """−log p(x|z) and log q(z|x)/p(z), in the mean over z if there is but one, for each of the K codes, (B, K)."""
        mean, log_variance, output, *width = outputs
        code, count = Normal(mean, log_variance), self.config.importance_samples
        reconstruction = self.autoencoder.likelihood.negative_log(output, images.repeat_interleave(count, 0), *width)
        if count == 1:
            divergence = kl_to_standard_normal(*code).sum(1)
        else:
            many = code.repeated(count)
            latents = many.at(noise)
            divergence = many.log_density(latents) - standard_log_density(latents)
        return reconstruction.view(-1, count), divergence.view(-1, count)

    def encode(self, images: Tensor) -> Normal:
        """q(z|x) for images (B, C, H, W); mean and log-variance have shape (B, latent_size)."""
        mean, log_variance = self.autoencoder.encoder(images).chunk(2, dim=1)
        return Normal(mean, log_variance)

    def log_ratio(self, images: Tensor, rng: torch.Generator) -> Tensor:
        code = self.encode(images)
        latents = code.draw(rng)
        likelihood = self.mixed(lambda labels: self._log_likelihood(latents, labels, images))
        return standard_log_density(latents) - code.log_density(latents) + likelihood

    def reconstruct(self, images: Tensor, rng: torch.Generator) -> Tensor:
        latents, mean = self.encode(images).draw(rng), self.autoencoder.likelihood.mean
        if not self.listens:
            return mean(self.output(latents))
        told = [(share + self._log_likelihood(latents, label, images), label) for label, share in self.classes_told()]
        posterior = torch.stack([each for each, _ in told]).softmax(0)[..., None, None, None]
        means = [mean(self.autoencoder.decoder(self.labelled(latents, label))) for _, label in told]
        return (posterior * torch.stack(means)).sum(0)

    def _log_likelihood(self, latents: Tensor, labels: Tensor | None, images: Tensor) -> Tensor:
        """log p(x|z, c), shape (B,)."""
        output = self.autoencoder.decoder(self.labelled(latents, labels))
        return -self.autoencoder.likelihood.negative_log(output, images)
