"""What an autoregressive model shows: its exact log-likelihoods, images completed, its density on the plane."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from studio.models.autoregressive.model import Autoregressive
from studio.models.diagnostic import Diagnostic, Histogram, Pictures
from studio.models.exportable import ExportableModel, image_argument
from studio.models.plane import PlaneView
from studio.models.plane_views import PARTICLES, flow, grid, latent_net, log_density_field
from studio.models.views import ModelViews, Probe, to_array, to_pixels

_JUDGED = 256
_COLUMNS = 8
_FLOW_TIP = (
    "How evenly spread noise becomes samples, x₁ first and then x₂. x₁ = F₁⁻¹(Φ(z₁)), x₂ = F₂⁻¹(Φ(z₂)|x₁), F the "
    "distribution function."
)


class Forecast(nn.Module):
    """log q of each level of each number given those before it, (B, levels, C, H, W), of images (B, C, H, W)."""

    def __init__(self, model: Autoregressive) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor) -> Tensor:
        model = self.model
        logits = model.predictor(model.values(model.levels(model.grid(images))))
        channels, _, columns = model.image_shape
        return logits.log_softmax(1).unflatten(3, (columns, channels)).permute(0, 1, 4, 2, 3)


class AutoregressiveViews(ModelViews):
    """Of a predictor."""

    def __init__(self, model: Autoregressive) -> None:
        self._model = model

    def diagnostics(self, probe: Probe, rng: torch.Generator) -> tuple[Diagnostic, ...]:
        series = {
            title: to_array(self._model.likelihood(images[:_JUDGED]))
            for title, images in (("training", probe.seen), ("held-out", probe.held_out))
            if len(images)
        }
        histogram = Histogram(
            name="log_likelihood",
            title="Log-likelihood",
            tip="How probable the model takes each real image to be, as its levels; held-out ones below those of "
            "training are overfitting. log q(x) = Σ_i log q(x_i|x_1 … x_{i−1}).",
            axis="log q(x) (nats)",
            series=series,
        )
        return histogram, self._completions(probe, rng)

    def _completions(self, probe: Probe, rng: torch.Generator) -> Pictures:
        real = probe.seen[:: max(1, len(probe.seen) // _COLUMNS)][:_COLUMNS]
        rows = real.shape[2] // 2
        drawn = [self._model.completed(real, self._model.draw_latents(len(real), rng), rows) for _ in range(3)]
        return Pictures(
            name="completions",
            title="Completions",
            tip="Real images, and what the model makes of upper halves. x_i ~ q(x_i|x_1 … x_{i−1}) from the middle on.",
            images=to_pixels(torch.cat((real, *drawn))),
            columns=len(real),
            rows=("training images", *("upper half, completed" for _ in drawn)),
        )

    def exportable(self) -> ExportableModel:
        return ExportableModel(
            title="predictor",
            network=Forecast(self._model),
            takes={"images": image_argument(self._model.image_shape)},
            gives={
                "log_probabilities": "log q of each level given the pixels before, float32, shape (B, levels, C, H, W)"
            },
        )

    def on_plane(self, points: Tensor, labels: Tensor, rng: torch.Generator) -> tuple[PlaneView, ...]:
        tip = "How densely samples lie, exactly. log q(x) = log q(x₁) + log q(x₂|x₁), even within each cell."
        model = self._model
        latents = model.draw_latents(PARTICLES, rng)
        start, end = 2 * torch.special.ndtr(latents) - 1, model.decode(latents)
        halfway = torch.cat((end[:, :1], start[:, 1:]), 1)
        return (
            log_density_field(model.likelihood(grid(points)), tip),
            latent_net(2, self._of_flat, points),
            flow(_FLOW_TIP, [start, halfway, end]),
        )

    def _of_flat(self, latents: Tensor) -> Tensor:
        return self._model.decode(latents.unflatten(1, (2, 1, 1)))
