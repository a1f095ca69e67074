"""What a model with an encoder shows of itself: reconstructions, likelihoods, and what its decoder believes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from studio.models.diagnostic import Diagnostic, Histogram, Pictures
from studio.models.exportable import IMAGES, ExportableModel, latent_argument
from studio.models.latent_variable import Autoencoder, LatentVariableModel
from studio.models.likelihoods import LOG_LEAST_WIDTH, GaussianPixels
from studio.models.plane import PlaneView
from studio.models.plane_views import anywhere, arrows, kernel_log_density, latent_net, log_density_field, repeated
from studio.models.views import ModelViews, Probe, to_array, to_pixels

_COLUMNS = 8
_JUDGED = 64
_SAMPLES = 16
_CENTRES = 1000
_DENSITY_TIP = (
    "What the decoder believes, its codes summed out by drawing. "
    f"log q(x) = log mean of N(x; μ(z), σ²) over {_CENTRES} codes z ~ p(z)."
)
_REBUILT = "Mean of p(x|z) for z ~ q(z|x)."
_PULL_TIP = "Where coding and rebuilding moves each sample. (x̂ − x)/σ, x̂ the mean of p(x|z), z ~ q(z|x)."
_FLOW_TIP = (
    "Where points from anywhere go when they are coded and rebuilt again and again: towards what the model knows. "
    "x ← mean of p(x|z), z ~ q(z|x)."
)


class MeanImage(nn.Module):
    """The mean of p(x|z), shape (B, C, H, W), for codes z, shape (B, latent_size)."""

    def __init__(self, autoencoder: Autoencoder) -> None:
        super().__init__()
        self.decoder, self.likelihood = autoencoder.decoder, autoencoder.likelihood

    def forward(self, codes: Tensor) -> Tensor:
        return self.likelihood.mean(self.decoder(codes))


class LatentVariableViews(ModelViews):
    """Of a model p(x, z) with an encoder q(z|x)."""

    def __init__(self, model: LatentVariableModel) -> None:
        self._model = model

    def exportable(self) -> ExportableModel:
        return ExportableModel(
            title="decoder, to the mean of p(x|z)",
            network=MeanImage(self._model.autoencoder),
            takes={"latents": latent_argument(self._model.config.latent_size)},
            gives={"images": IMAGES},
        )

    def on_plane(self, points: Tensor, labels: Tensor, rng: torch.Generator) -> tuple[PlaneView, ...]:
        decoder, likelihood = self._model.autoencoder.decoder, self._model.autoencoder.likelihood
        assert isinstance(likelihood, GaussianPixels)  # points have no other
        centres = decoder(self._model.codes(self._model.draw_latents(_CENTRES, rng)))
        log_width = likelihood.log_width.clamp(min=LOG_LEAST_WIDTH)
        pull = (self._model.reconstruct(points, rng) - points) / log_width.exp()
        return (
            log_density_field(kernel_log_density(centres, log_width), _DENSITY_TIP),
            arrows("pull", "Pull on samples", _PULL_TIP, points, pull),
            latent_net(self._model.config.latent_size, self._model.output, points),
            repeated(_FLOW_TIP, lambda at: self._model.reconstruct(at, rng), anywhere(points, rng)),
        )

    def diagnostics(self, probe: Probe, rng: torch.Generator) -> tuple[Diagnostic, ...]:
        return reconstructions(self._model.reconstruct, _REBUILT, probe, rng), self._log_likelihoods(probe, rng)

    def _log_likelihoods(self, probe: Probe, rng: torch.Generator) -> Histogram:
        sets = {"training": probe.seen[:_JUDGED], "held-out": probe.held_out[:_JUDGED]}
        return Histogram(
            name="log_likelihood",
            title="Log-likelihood",
            tip="How probable the model finds real images; a gap between training and held-out ones is overfitting. "
            f"log (1/K)·Σ p(x, z)/q(z|x) over K = {_SAMPLES} codes z ~ q(z|x), a lower bound of log p(x).",
            axis="log-likelihood / nats per image",
            series={
                title: to_array(self._model.importance_weighted_log_likelihood(images, _SAMPLES, rng))
                for title, images in sets.items()
                if len(images)
            },
        )


def reconstructions(
    rebuild: Callable[[Tensor, torch.Generator], Tensor], formula: str, probe: Probe, rng: torch.Generator
) -> Pictures:
    """Real images and what becomes of them, both (B, C, H, W)."""
    images, rows = [], []
    for title, real in (("training", probe.seen), ("held-out", probe.held_out)):
        if len(real) >= _COLUMNS:
            shown = real[:: len(real) // _COLUMNS][:_COLUMNS]
            images += [shown, rebuild(shown, rng)]
            rows += [f"{title} images", f"{title} images, rebuilt from their codes"]
    if not images:
        images, rows = [probe.seen, rebuild(probe.seen, rng)], ["images", "rebuilt from their codes"]
    return Pictures(
        name="reconstructions",
        title="Reconstructions",
        tip=f"Real images and below each what the decoder makes of its code. {formula}",
        images=to_pixels(torch.cat(images)),
        columns=len(images[0]),
        rows=tuple(rows),
    )
