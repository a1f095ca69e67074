"""Hierarchical variational autoencoder with a Markov chain of codes z_1 … z_L.

    p(x, z) = p(z_L)·Π_{l<L} p(z_l|z_{l+1})·p(x|z_1),   p(z_L) = N(0, 1)
    q(z|x)  = q(z_1|x)·Π_{l<L} q(z_{l+1}|z_l)
    −ELBO   = −log p(x|z_1) + β·Σ_l KL_l
    KL_l    = log q(z_l|z_{l−1}) − log p(z_l|z_{l+1}) with z_0 = x,   KL_L = KL(q(z_L|z_{L−1}) ‖ N(0, 1)) in closed form

Below the top KL_l is an estimate from the codes that were drawn, since z_{l+1} depends on z_l; its mean alone may be
negative, the sum over l may not. All of it is of one real example, so all of it carries that example's weight.
Sources: D. J. Rezende et al., arXiv:1401.4082 (2014); Y. Burda et al., arXiv:1509.00519 (2015); C. K. Sønderby et al.,
arXiv:1602.02282 (2016).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple

import torch
from torch import Tensor, nn

from studio.models.base import Batch, LossTerms, Phase, Said
from studio.models.gaussians import Normal, kl_to_standard_normal, standard_log_density
from studio.models.hierarchical_vae.config import HierarchicalVaeConfig
from studio.models.latent_variable import Autoencoder, LatentVariableModel
from studio.models.likelihoods import pixel_likelihood
from studio.models.nets import Shape, Style, decoder, encoder

_LOG_VARIANCE_RANGE = (-10.0, 5.0)
"""Of a code given its neighbour: a code that is told exactly would be worth any number of nats."""


class ConditionalNormal(nn.Module):
    """N(μ(c), σ²(c)) of a code, given the condition c that `network` takes, with μ and log σ² side by side."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, condition: Tensor) -> Normal:
        """c, shape (B, …), to the distribution of codes of shape (B, n)."""
        mean, log_variance = self.network(condition).chunk(2, dim=1)
        return Normal(mean, log_variance.clamp(*_LOG_VARIANCE_RANGE))


class Ladder(Autoencoder):
    """The trained part, whose decoder takes z_1: up by q(z_1|x), q(z_2|z_1), …; down by p(z_1|z_2), p(z_2|z_3), …."""

    def __init__(self, config: HierarchicalVaeConfig, sizes: Sequence[int], shape: Shape) -> None:
        architecture, width = config.architecture, config.width
        leaky = Style(architecture=architecture, width=width, activation=partial(nn.LeakyReLU, 0.2))
        bottom = encoder(shape, 2 * sizes[0], leaky)
        up = [_perceptron(below, 2 * above, 8 * width) for below, above in pairwise(sizes)]
        down = [_perceptron(above, 2 * below, 8 * width) for below, above in pairwise(sizes)]
        style = Style(architecture=architecture, width=width)
        super().__init__(decoder(sizes[0], shape, style), pixel_likelihood(config.likelihood))
        self.up = nn.ModuleList(ConditionalNormal(network) for network in (bottom, *up))
        self.down = nn.ModuleList(ConditionalNormal(network) for network in down)


def descended(down: nn.ModuleList, sizes: Sequence[int], noise: Tensor) -> Tensor:
    """z_1 of shape (B, size of the lowest layer), for the ε of all layers, the topmost first, side by side."""
    code, *lower = noise.split(list(reversed(sizes)), dim=1)
    for step, own in zip(reversed(down), lower, strict=True):
        code = step(code).at(own)
    return code


class Climb(NamedTuple):
    """Codes z_1 … z_L drawn for some images, each of shape (B, size of its layer), and what they were drawn from."""

    codes: tuple[Tensor, ...]
    posteriors: tuple[Normal, ...]


class HierarchicalVae(LatentVariableModel):
    """Encoders up the ladder and decoders down, trained together."""

    autoencoder: Ladder

    def __init__(self, config: HierarchicalVaeConfig, shape: Shape) -> None:
        sizes = config.code_sizes
        super().__init__(config, shape, Ladder(config, sizes, shape))
        self.sizes = sizes

    def losses(self, phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        climb = self.encode(batch.images, rng)
        output = self.autoencoder.decoder(climb.codes[0])
        reconstruction = self.autoencoder.likelihood.negative_log(output, batch.images)
        layers = self.layer_kl(climb)
        metrics = {"reconstruction": reconstruction, **{f"kl_{i}": kl for i, kl in enumerate(layers, start=1)}}
        return LossTerms(
            data=reconstruction + self.config.beta * torch.stack(layers).sum(0),
            example_metrics={name: value.detach() for name, value in metrics.items()},
        )

    def encode(self, images: Tensor, rng: torch.Generator) -> Climb:
        """z_1 … z_L ~ q(z|x) for images (B, C, H, W)."""
        codes: list[Tensor] = []
        posteriors: list[Normal] = []
        condition = images
        for step in self.autoencoder.up:
            posteriors.append(step(condition))
            condition = posteriors[-1].draw(rng)
            codes.append(condition)
        return Climb(tuple(codes), tuple(posteriors))

    def layer_kl(self, climb: Climb) -> list[Tensor]:
        """KL_1 … KL_L, in nats, each of shape (B,)."""
        codes, posteriors = climb
        below_top = [
            posterior.log_density(code) - prior.log_density(code)
            for code, posterior, prior in zip(codes, posteriors, self._priors(codes), strict=False)
        ]
        return [*below_top, kl_to_standard_normal(*posteriors[-1]).sum(1)]

    def _priors(self, codes: Sequence[Tensor]) -> list[Normal]:
        """p(z_l|z_{l+1}) below the top."""
        return [step(above) for step, above in zip(self.autoencoder.down, codes[1:], strict=True)]

    def say(self, images: Tensor, rng: torch.Generator) -> Said:
        """For each layer below the top z_l − μ_p, log σ_p² and log σ_q²; then q of the top, and as of a VAE.

        By these KL_l = ½·Σ((z_l − μ_p)²/σ_p² + log σ_p² − log σ_q² − ε²), which is convex in each of them.
        """
        codes, posteriors = self.encode(images, rng)
        likelihood, top = self.autoencoder.likelihood, posteriors[-1]
        below = list(zip(codes, posteriors, self._priors(codes), strict=False))
        squares = [((code - q.mean).square() * (-q.log_variance).exp()).detach() for code, q, _ in below]
        layers = [each for code, q, p in below for each in (code - p.mean, p.log_variance, q.log_variance)]

        def loss(outputs: tuple[Tensor, ...]) -> Tensor:
            *layers, mean, log_variance, output = outputs[: 3 * len(below) + 3]
            kl = kl_to_standard_normal(mean, log_variance).sum(1)
            for apart, of_p, of_q, square in zip(layers[::3], layers[1::3], layers[2::3], squares, strict=True):
                kl = kl + 0.5 * (apart.square() * (-of_p).exp() + of_p - of_q - square).sum(1)
            width = outputs[3 * len(below) + 3 :]
            return likelihood.negative_log(output, images, *width) + self.config.beta * kl

        return Said((*layers, *top, self.autoencoder.decoder(codes[0]), *likelihood.parameters()), loss)

    def log_ratio(self, images: Tensor, rng: torch.Generator) -> Tensor:
        climb = self.encode(images, rng)
        output = self.autoencoder.decoder(climb.codes[0])
        below_top = torch.stack(self.layer_kl(climb)[:-1]).sum(0)
        top = climb.posteriors[-1].log_density(climb.codes[-1]) - standard_log_density(climb.codes[-1])
        return -self.autoencoder.likelihood.negative_log(output, images) - below_top - top

    def reconstruct(self, images: Tensor, rng: torch.Generator) -> Tensor:
        codes = self.encode(images, rng).codes
        return self.autoencoder.likelihood.mean(self.autoencoder.decoder(codes[0]))

    @property
    def latent_shape(self) -> tuple[int, ...]:
        """The topmost code and, for each layer below, the noise that its code is drawn with, one behind the other."""
        return (sum(self.sizes),)

    def codes(self, latents: Tensor) -> Tensor:
        return descended(self.autoencoder.down, self.sizes, latents)


def _perceptron(inputs: int, outputs: int, hidden: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Linear(inputs, hidden), nn.SiLU(), nn.Linear(hidden, hidden), nn.SiLU(), nn.Linear(hidden, outputs)
    )
