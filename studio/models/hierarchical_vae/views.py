"""What a hierarchical VAE shows beside what all models with an encoder do: what its topmost code decides."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from studio.models.diagnostic import Diagnostic, Pictures
from studio.models.exportable import IMAGES, ExportableModel, latent_argument
from studio.models.hierarchical_vae.model import HierarchicalVae, Ladder, descended
from studio.models.latent_variable_views import LatentVariableViews, MeanImage
from studio.models.views import Probe, to_pixels

_ROWS = 6
_COLUMNS = 8


class Descent(MeanImage):
    """The mean of p(x|z_1), shape (B, C, H, W), for what all codes are drawn from, the topmost first, side by side.

    z_L = ε_L,   z_l = μ(z_{l+1}) + σ(z_{l+1})·ε_l
    """

    def __init__(self, ladder: Ladder, sizes: Sequence[int]) -> None:
        super().__init__(ladder)
        self.down = ladder.down
        self._sizes = tuple(sizes)

    def forward(self, noise: Tensor) -> Tensor:
        """ε of shape (B, sum of the sizes)."""
        return super().forward(descended(self.down, self._sizes, noise))


class HierarchicalVaeViews(LatentVariableViews):
    """Of a ladder of codes."""

    _model: HierarchicalVae

    def exportable(self) -> ExportableModel:
        return ExportableModel(
            title="decoders of all layers, to the mean of p(x|z_1)",
            network=Descent(self._model.autoencoder, self._model.sizes),
            takes={"latents": latent_argument(sum(self._model.sizes), "ε of all layers, the topmost first,")},
            gives={"images": IMAGES},
        )

    def diagnostics(self, probe: Probe, rng: torch.Generator) -> tuple[Diagnostic, ...]:
        return (*super().diagnostics(probe, rng), self._redraws(probe, rng))

    def _descend(self, top: Tensor, rng: torch.Generator) -> Tensor:
        """z_1 ~ p(z_1|z_2)… for codes z_L = `top`, shape (B, size of the topmost layer)."""
        code = top
        for step in reversed(self._model.autoencoder.down):
            code = step(code).draw(rng)
        return code

    def _redraws(self, probe: Probe, rng: torch.Generator) -> Pictures:
        """A real image in front; behind it samples that share its topmost code."""
        real = probe.seen[:: max(1, len(probe.seen) // _ROWS)][:_ROWS]
        top = self._model.encode(real, rng).codes[-1].repeat_interleave(_COLUMNS - 1, 0)
        drawn = self._model.autoencoder.likelihood.mean(self._model.autoencoder.decoder(self._descend(top, rng)))
        rows = torch.cat((real[:, None], drawn.unflatten(0, (len(real), _COLUMNS - 1))), 1)
        return Pictures(
            name="top_code",
            title="What the topmost code decides",
            tip="A real image in front, behind it samples that share its topmost code: what they have in common is "
            "decided there. z_L ~ q(z_L|x), the lower codes drawn anew from p(z_l|z_{l+1}).",
            images=to_pixels(rows.flatten(0, 1)),
            columns=_COLUMNS,
        )
