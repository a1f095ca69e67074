"""What a normalising flow shows: its exact log-likelihoods, its map of the plane and the way of points through it."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from studio.models.diagnostic import Diagnostic, Histogram
from studio.models.exportable import IMAGES, ExportableModel, latent_argument
from studio.models.normalising_flow.model import NormalisingFlow
from studio.models.plane import PlaneView
from studio.models.plane_views import PARTICLES, flow, grid, latent_net, log_density_field
from studio.models.views import ModelViews, Probe, to_array

_JUDGED = 256


class FromNoise(nn.Module):
    """Images in −1…1, shape (B, C, H, W), of noise (B, pixels)."""

    def __init__(self, model: NormalisingFlow) -> None:
        super().__init__()
        self.model = model

    def forward(self, latents: Tensor) -> Tensor:
        return self.model.decode(latents)


class NormalisingFlowViews(ModelViews):
    """Of a map to noise and back."""

    def __init__(self, model: NormalisingFlow) -> None:
        self._model = model

    def diagnostics(self, probe: Probe, rng: torch.Generator) -> tuple[Diagnostic, ...]:
        series = {
            title: to_array(self._model.likelihood(self._model.noised(images[:_JUDGED], rng))[0])
            for title, images in (("training", probe.seen), ("held-out", probe.held_out))
            if len(images)
        }
        return (
            Histogram(
                name="log_likelihood",
                title="Log-likelihood",
                tip="How probable the model takes each real image to be; held-out ones below those of training are "
                "overfitting. log q(x) = log N(f(x); 0, 1) + log |det ∂f/∂x|.",
                axis="log q(x) (nats)",
                series=series,
            ),
        )

    def exportable(self) -> ExportableModel:
        (pixels,) = self._model.latent_shape
        return ExportableModel(
            title="flow, from noise to images",
            network=FromNoise(self._model),
            takes={"latents": latent_argument(pixels)},
            gives={"images": IMAGES},
        )

    def on_plane(self, points: Tensor, labels: Tensor, rng: torch.Generator) -> tuple[PlaneView, ...]:
        model = self._model
        log_density, _ = model.likelihood(grid(points))
        return (
            log_density_field(
                log_density, "How densely samples lie, exactly. log q(x) = log N(f(x); 0, 1) + log |det ∂f/∂x|."
            ),
            latent_net(2, model.decode, points),
            flow(
                "How particles go from noise through the layers to where samples are.",
                model.way(model.draw_latents(PARTICLES, rng)),
            ),
        )
