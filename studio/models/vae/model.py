"""Variational autoencoder.

    −ELBO(x) = −log p(x|z) + β·KL(q(z|x) ‖ N(0, 1)),   z = μ(x) + σ(x)·ε,   ε ~ N(0, 1)
    KL       = ½·Σ_i (μ_i² + σ_i² − 1 − log σ_i²)

and with K > 1 codes for each image the tighter bound of the importance-weighted autoencoder, by draws alone:

    −log (1/K)·Σ_k p(x|z_k)·(p(z_k)/q(z_k|x))^β

A conditional model sums out the class of an example to which it is not told, L_c being the loss with class c:

    −log Σ_c π_c·e^{−L_c} = Σ_c q_c·(L_c − log π_c + log q_c),   q_c ∝ π_c·e^{−L_c}

This is the bound M2 of semi-supervised learning, with the model's own posterior, which makes it tightest, in place of a
network q(c|x). Such an example takes a pass of the decoder for each class, by the same codes.

All of it is of one real example, so all of it carries that example's weight.
Sources: D. P. Kingma, M. Welling, arXiv:1312.6114 (2013); β: I. Higgins et al., ICLR (2017); K: Y. Burda et al.,
arXiv:1509.00519 (2015); M2: D. P. Kingma et al., arXiv:1406.5298 (2014).
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from studio.models.base import Batch, LossTerms, Phase, Said
from studio.models.conditional import Conditional, take_labels
from studio.models.gaussians import Normal, kl_to_standard_normal, standard_log_density
from studio.models.latent_variable import Autoencoder, LatentVariableModel
from studio.models.likelihoods import pixel_likelihood
from studio.models.nets import Shape, Style, decoder, encoder
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

    def output(self, codes: Tensor, labels: Tensor | None = None) -> Tensor:
        """What p(x|z, c) takes, of codes (B, latent_size) and labels (1,); of the class at u = 0 if absent."""
        if labels is None:
            _, labels = self.parted(codes.new_zeros((1, *self.latent_shape)))
        return super().output(self.labelled(codes, labels))

    def images(self, noise: Tensor, labels: Tensor | None, rng: torch.Generator | None) -> Tensor:
        return self.decoded(self.labelled(noise, labels), rng)

    def losses(self, phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        told = self.told(batch, rng)
        code, noise = self._coded(batch.images, rng)
        if told is not None and self.listens:
            return self._summed_out(batch.images, code, noise, self.possible(told))
        reconstruction, divergence = self._terms(batch.images, self._outputs(code, noise), noise)
        return LossTerms(
            data=self._loss(reconstruction, divergence),
            example_metrics={"reconstruction": reconstruction.mean(1).detach(), "kl": divergence.mean(1).detach()},
        )

    def _summed_out(self, images: Tensor, code: Normal, noise: Tensor, prior: Tensor) -> LossTerms:
        """Over the classes of images, which are of each by π_c, shape (B, K)."""
        rows, labels = prior.nonzero(as_tuple=True)
        code, noise = Normal(*(each[rows] for each in code)), noise[rows]
        reconstruction, divergence = self._terms(images[rows], self._outputs(code, noise, labels), noise)
        loss = self._loss(reconstruction, divergence)
        joint = prior.log().index_put((rows, labels), prior[rows, labels].log() - loss)
        posterior = joint.detach().softmax(1)[rows, labels]

        def mean(terms: Tensor) -> Tensor:
            return torch.zeros_like(prior).index_put((rows, labels), posterior * terms.mean(1).detach()).sum(1)

        return LossTerms(
            data=-joint.logsumexp(1), example_metrics={"reconstruction": mean(reconstruction), "kl": mean(divergence)}
        )

    def _loss(self, reconstruction: Tensor, divergence: Tensor) -> Tensor:
        """Of each image, shape (B,), from the terms of its K codes, shape (B, K)."""
        terms = reconstruction + self.config.beta * divergence
        return math.log(terms.shape[1]) - (-terms).logsumexp(1)

    def say(self, images: Tensor, rng: torch.Generator) -> Said:
        """The code's distribution, what the decoder makes of draws, and the width of a pixel if it is learned.

        What share each draw has in the bound is held: its slope is the same, and bends as that of one draw does.
        """
        code, noise = self._coded(images, rng)
        outputs = self._outputs(code, noise)

        def loss(outputs: tuple[Tensor, ...]) -> Tensor:
            reconstruction, divergence = self._terms(images, outputs, noise)
            terms = reconstruction + self.config.beta * divergence
            return ((-terms).softmax(1).detach() * terms).sum(1)

        return Said(outputs, loss)

    def _coded(self, images: Tensor, rng: torch.Generator) -> tuple[Normal, Tensor]:
        """q(z|x) of images, and the noise ε of K codes of each (B, K, latent_size)."""
        code = self.encode(images)
        size = (len(images), self.config.importance_samples, self.config.latent_size)
        return code, torch.randn(size, generator=rng, device=images.device, dtype=code.mean.dtype)

    def _outputs(self, code: Normal, noise: Tensor, labels: Tensor | None = None) -> tuple[Tensor, ...]:
        """What the networks say of images whose codes are drawn by that noise, told these labels (B,)."""
        count = noise.shape[1]
        told = None if labels is None else labels.repeat_interleave(count)
        codes = code.repeated(count).at(noise.flatten(0, 1))
        output = self.autoencoder.decoder(self.labelled(codes, told))
        return (*code, output, *self.autoencoder.likelihood.parameters())

    def _terms(self, images: Tensor, outputs: tuple[Tensor, ...], noise: Tensor) -> tuple[Tensor, Tensor]:
        """−log p(x|z) and log q(z|x)/p(z), in the mean over z if there is but one, for each of the K codes, (B, K)."""
        mean, log_variance, output, *width = outputs
        code, count = Normal(mean, log_variance), noise.shape[1]
        reconstruction = self.autoencoder.likelihood.negative_log(output, images.repeat_interleave(count, 0), *width)
        if count == 1:
            divergence = kl_to_standard_normal(*code).sum(1)
        else:
            many = code.repeated(count)
            latents = many.at(noise.flatten(0, 1))
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
        labels, posterior = self.posterior(latents, images)
        means = torch.stack([mean(self.output(latents, label)) for label in labels.split(1)])
        return (posterior[..., None, None, None] * means).sum(0)

    def posterior(self, latents: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
        """The classes that samples are of, shape (K,), and p(c|x, z) for codes and images of (B, …), shape (K, B)."""
        labels, log_shares = zip(*self.classes_told(), strict=True)
        joint = [
            share + self._log_likelihood(latents, label, images)
            for label, share in zip(labels, log_shares, strict=True)
        ]
        return torch.cat(labels), torch.stack(joint).softmax(0)

    def _log_likelihood(self, latents: Tensor, labels: Tensor | None, images: Tensor) -> Tensor:
        """log p(x|z, c), shape (B,)."""
        return -self.autoencoder.likelihood.negative_log(self.output(latents, labels), images)
