"""What an autoencoder shows: images rebuilt, along which directions of its codes they vary, and its curve of points."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from studio.models.autoencoder.model import PlainAutoencoder
from studio.models.diagnostic import Diagnostic, Pictures
from studio.models.exportable import IMAGES, ExportableModel, latent_argument
from studio.models.latent_variable_views import reconstructions
from studio.models.plane import PlaneView
from studio.models.plane_views import anywhere, arrows, latent_net, repeated
from studio.models.views import ModelViews, Probe, to_pixels

_ROWS, _COLUMNS = 8, 9
_NEAR = 1e-2
"""A step by which slopes are found."""
_REBUILT = "x̂ = d(e(x))."
_PULL_TIP = "Where coding and rebuilding moves each sample. d(e(x)) − x."
_FLOW_TIP = "Where points from anywhere go when they are coded and rebuilt again and again. x ← d(e(x))."


class FromCodes(nn.Module):
    """d(m + L⁻¹·u), shape (B, C, H, W), of u (B, latent_size)."""

    def __init__(self, model: PlainAutoencoder) -> None:
        super().__init__()
        gaussian = model.autoencoder.gaussian
        self.decoder, self.mean = model.autoencoder.decoder, gaussian.mean
        self.register_buffer("spread", torch.linalg.inv(gaussian.factor().detach()).T.contiguous())

    def forward(self, latents: Tensor) -> Tensor:
        images: Tensor = self.decoder(self.mean + latents @ self.get_buffer("spread"))
        return images.clamp(-1, 1)


class PlainAutoencoderViews(ModelViews):
    """Of an encoder, a decoder and a Gaussian of codes."""

    def __init__(self, model: PlainAutoencoder) -> None:
        self._model = model

    def diagnostics(self, probe: Probe, rng: torch.Generator) -> tuple[Diagnostic, ...]:
        return reconstructions(self._model.reconstruct, _REBUILT, probe, rng), self._components()

    def _components(self) -> Pictures:
        """The middle of the codes moved along the directions in which images vary most there."""
        coder = self._model.autoencoder
        steps = torch.eye(self._model.config.latent_size).to(coder.gaussian.mean)
        middle = coder.decoder(coder.gaussian.mean[None])
        slopes = (coder.decoder(coder.gaussian.codes(_NEAR * steps)) - middle).flatten(1) / _NEAR
        directions, widths, _ = torch.linalg.svd(slopes, full_matrices=False)
        count = min(_ROWS, len(widths))
        along = directions.T[:count, None] * torch.linspace(-3, 3, _COLUMNS).to(steps)[:, None]
        return Pictures(
            name="latent_sweep",
            title="Latent sweep",
            tip="What directions of the codes mean: a row moves along one of them, those along which images vary most "
            "first, which of a linear autoencoder are the principal components. d(m + L⁻¹·u), u from −3 to 3.",
            images=to_pixels(self._model.decode(along.flatten(0, 1))),
            columns=_COLUMNS,
            rows=tuple(f"direction {place + 1}: standard deviation {widths[place]:.2f}" for place in range(count)),
        )

    def exportable(self) -> ExportableModel:
        return ExportableModel(
            title="decoder of the codes' Gaussian",
            network=FromCodes(self._model),
            takes={"latents": latent_argument(self._model.config.latent_size, "u")},
            gives={"images": IMAGES},
        )

    def on_plane(self, points: Tensor, labels: Tensor, rng: torch.Generator) -> tuple[PlaneView, ...]:
        model = self._model
        return (
            arrows("pull", "Pull on samples", _PULL_TIP, points, model.reconstruct(points, rng) - points),
            latent_net(model.config.latent_size, model.decode, points),
            repeated(_FLOW_TIP, lambda at: model.reconstruct(at, rng), anywhere(points, rng)),
        )
