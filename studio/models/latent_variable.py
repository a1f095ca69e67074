"""What models with an encoder and a decoder share: the importance-weighted log-likelihood and their pictures.

    log p(x) ≥ ⟨log (1/K)·Σ_k p(x, z_k)/q(z_k|x)⟩,   z_k ~ q(z|x)

K = 1 is the evidence bound; the right side grows with K and reaches log p(x) as K → ∞. Source: Y. Burda et al.,
arXiv:1509.00519 (2015).
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from studio.models.autoencoder_config import AutoencoderConfig
from studio.models.base import GenerativeModel, Phase, Probe
from studio.models.diagnostic import Diagnostic, Histogram, Pictures
from studio.models.exportable import IMAGES, ExportableModel, latent_argument
from studio.models.likelihoods import LOG_LEAST_WIDTH, GaussianPixels, PixelLikelihood
from studio.models.nets import Shape
from studio.models.pixels import to_array, to_pixels
from studio.models.plane import PlaneView
from studio.models.plane_views import anywhere, arrows, kernel_log_density, latent_net, log_density_field, repeated

_CHUNK = 500
_COLUMNS = 8
_JUDGED = 64
_SAMPLES = 16
_CENTRES = 1000
_DENSITY_TIP = (
    "What the decoder believes, its codes summed out by drawing. "
    f"log q(x) = log mean of N(x; μ(z), σ²) over {_CENTRES} codes z ~ p(z)."
)
_PULL_TIP = "Where coding and rebuilding moves each sample. (x̂ − x)/σ, x̂ the mean of p(x|z), z ~ q(z|x)."
_FLOW_TIP = (
    "Where points from anywhere go when they are coded and rebuilt again and again: towards what the model knows. "
    "x ← mean of p(x|z), z ~ q(z|x)."
)


class Autoencoder(nn.Module):
    """The trained part; a model adds what draws its codes.

    Attributes:
        decoder: z to what the likelihood takes.
        likelihood: p(x|z).
    """

    def __init__(self, network: nn.Module, likelihood: PixelLikelihood) -> None:
        super().__init__()
        self.decoder = network
        self.likelihood = likelihood


class MeanImage(nn.Module):
    """The mean of p(x|z), shape (B, C, H, W), for codes z, shape (B, latent_size)."""

    def __init__(self, autoencoder: Autoencoder) -> None:
        super().__init__()
        self.decoder, self.likelihood = autoencoder.decoder, autoencoder.likelihood

    def forward(self, codes: Tensor) -> Tensor:
        return self.likelihood.mean(self.decoder(codes))


class LatentVariableModel(GenerativeModel):
    """A model p(x, z) with an encoder q(z|x).

    Args:
        config: settings.
        shape: (C, H, W) of the examples.
        autoencoder: what is trained.
    """

    def __init__(self, config: AutoencoderConfig, shape: Shape, autoencoder: Autoencoder) -> None:
        super().__init__()
        self._config = config
        self._shape = shape
        self.autoencoder = autoencoder

    @property
    def image_shape(self) -> Shape:
        return self._shape

    def phases(self) -> Sequence[Phase]:
        return (Phase(network="autoencoder"),)

    @abstractmethod
    def log_ratio(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """log p(x, z) − log q(z|x) for one z ~ q(z|x) per image; images (B, C, H, W), result (B,), in nats."""

    @abstractmethod
    def reconstruct(self, images: Tensor, rng: torch.Generator) -> Tensor:
        """The mean image of p(x|z) for z ~ q(z|x), in −1…1; both of shape (B, C, H, W)."""

    @torch.no_grad()
    def importance_weighted_log_likelihood(self, images: Tensor, samples: int, rng: torch.Generator) -> Tensor:
        """log (1/K)·Σ_k p(x, z_k)/q(z_k|x): a lower bound of log p(x) on average, tight for large K.

        Args:
            images: x in −1…1, shape (B, C, H, W); memory grows neither with B nor with K.
            samples: K.
            rng: where z is drawn from.

        Returns:
            nats per image, shape (B,).
        """
        totals = []
        for chunk in images.split(_CHUNK):
            total = self.log_ratio(chunk, rng)
            for _ in range(samples - 1):
                total = torch.logaddexp(total, self.log_ratio(chunk, rng))
            totals.append(total - math.log(samples))
        return torch.cat(totals)

    @property
    def latent_shape(self) -> tuple[int, ...]:
        return (self._config.latent_size,)

    def codes(self, latents: Tensor) -> Tensor:
        """What the decoder takes, shape (n, latent_size), for latents (n, *latent_shape): the same, unless a model has
        a way of its own from one to the other.
        """
        return latents

    def decode(self, latents: Tensor, rng: torch.Generator | None = None) -> Tensor:
        return torch.cat([self._images(codes, rng) for codes in self.codes(latents).split(_CHUNK)])

    def _images(self, codes: Tensor, rng: torch.Generator | None) -> Tensor:
        """Images of codes (B, latent_size): the means of p(x|z) or, with `rng` and where so set, draws from it."""
        output = self.autoencoder.decoder(codes)
        likelihood = self.autoencoder.likelihood
        if rng is None or not self._config.draw_pixels:
            return likelihood.mean(output)
        return likelihood.draw(output, rng)

    def portable(self) -> ExportableModel:
        return ExportableModel(
            title="decoder, to the mean of p(x|z)",
            network=MeanImage(self.autoencoder),
            takes={"latents": latent_argument(self._config.latent_size)},
            gives={"images": IMAGES},
        )

    def on_plane(self, points: Tensor, rng: torch.Generator) -> tuple[PlaneView, ...]:
        decoder, likelihood = self.autoencoder.decoder, self.autoencoder.likelihood
        assert isinstance(likelihood, GaussianPixels)  # points have no other
        centres = decoder(self.codes(self.draw_latents(_CENTRES, rng)))
        log_width = likelihood.log_width.clamp(min=LOG_LEAST_WIDTH)
        return (
            log_density_field(kernel_log_density(centres, log_width), _DENSITY_TIP),
            arrows(
                "pull", "Pull on samples", _PULL_TIP, points, (self.reconstruct(points, rng) - points) / log_width.exp()
            ),
            latent_net(self._config.latent_size, decoder, points),
            repeated(_FLOW_TIP, lambda at: self.reconstruct(at, rng), anywhere(points, rng)),
        )

    def diagnostics(self, probe: Probe, rng: torch.Generator) -> tuple[Diagnostic, ...]:
        return self._reconstructions(probe, rng), self._log_likelihoods(probe, rng)

    def _reconstructions(self, probe: Probe, rng: torch.Generator) -> Pictures:
        images, rows = [], []
        for title, real in (("training", probe.seen), ("held-out", probe.held_out)):
            if len(real) >= _COLUMNS:
                shown = real[:: len(real) // _COLUMNS][:_COLUMNS]
                images += [shown, self.reconstruct(shown, rng)]
                rows += [f"{title} images", f"{title} images, rebuilt from their codes"]
        if not images:
            images, rows = [probe.seen, self.reconstruct(probe.seen, rng)], ["images", "rebuilt from their codes"]
        return Pictures(
            name="reconstructions",
            title="Reconstructions",
            tip="Real images and below each what the decoder makes of its code. Mean of p(x|z) for z ~ q(z|x).",
            images=to_pixels(torch.cat(images)),
            columns=len(images[0]),
            rows=tuple(rows),
        )

    def _log_likelihoods(self, probe: Probe, rng: torch.Generator) -> Histogram:
        sets = {"training": probe.seen[:_JUDGED], "held-out": probe.held_out[:_JUDGED]}
        return Histogram(
            name="log_likelihood",
            title="Log-likelihood",
            tip="How probable the model finds real images; a gap between training and held-out ones is overfitting. "
            f"log (1/K)·Σ p(x, z)/q(z|x) over K = {_SAMPLES} codes z ~ q(z|x), a lower bound of log p(x).",
            axis="log-likelihood / nats per image",
            series={
                title: to_array(self.importance_weighted_log_likelihood(images, _SAMPLES, rng))
                for title, images in sets.items()
                if len(images)
            },
        )
