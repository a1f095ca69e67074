"""What models with an encoder and a decoder share: the importance-weighted log-likelihood and their pictures.

    log p(x) ≥ ⟨log (1/K)·Σ_k p(x, z_k)/q(z_k|x)⟩,   z_k ~ q(z|x)

K = 1 is the evidence bound; the right side grows with K and reaches log p(x) as K → ∞. Source: Y. Burda et al.,
arXiv:1509.00519 (2015).
"""

from __future__ import annotations

import math
from abc import abstractmethod

import torch
from torch import Tensor

from studio.models.base import GenerativeModel, Probe
from studio.models.diagnostic import Diagnostic, Histogram, Pictures
from studio.models.pixels import to_array, to_pixels
from studio.models.plane import PlaneView
from studio.models.plane_views import grid, kernel_log_density, latent_net, log_density_field

_CHUNK = 500
_COLUMNS = 8
_JUDGED = 64
_SAMPLES = 16
_CENTRES = 500
_DENSITY_TIP = (
    "What the decoder believes, its codes summed out by drawing. "
    f"log q(x) = log mean of N(x; μ(z), σ²) over {_CENTRES} codes z ~ p(z)."
)


class LatentVariableModel(GenerativeModel):
    """A model p(x, z) with an encoder q(z|x)."""

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
    @abstractmethod
    def latent_size(self) -> int:
        """Numbers in the code from which an example is decoded."""

    @abstractmethod
    def decode(self, codes: Tensor) -> Tensor:
        """The means of p(x|z) for codes (n, latent_size), unclipped, shape (n, C, H, W)."""

    @abstractmethod
    def draw_codes(self, count: int, rng: torch.Generator) -> Tensor:
        """Codes z ~ p(z), shape (count, latent_size)."""

    @property
    @abstractmethod
    def log_width(self) -> Tensor:
        """log σ of the Gaussian p(x|z) that points have, scalar."""

    def on_plane(self, points: Tensor, rng: torch.Generator) -> tuple[PlaneView, ...]:
        centres = self.decode(self.draw_codes(_CENTRES, rng))
        return (
            log_density_field(kernel_log_density(centres, self.log_width, grid(points)), _DENSITY_TIP),
            latent_net(self.latent_size, self.decode, points),
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
