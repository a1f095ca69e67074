"""Settings of the hierarchical variational autoencoder."""

from __future__ import annotations

from typing import Literal

from studio.models.config import AutoencoderConfig, OptimiserConfig
from studio.settings import setting

MOST_LAYERS = 5


class HierarchicalVaeConfig(AutoencoderConfig):
    """Settings of the hierarchical variational autoencoder."""

    kind: Literal["hierarchical_vae"] = "hierarchical_vae"
    latent_size: int = setting(
        32,
        "Latent size",
        "Numbers in the lowest code z₁; each code above has half as many as the one below. More rebuild it better.",
        step=4,
        within=(1, 1024),
    )
    layers: int = setting(
        2,
        "Layers",
        "Random codes, one above the other. Higher ones say what lower ones have in common, but are learned slowly.",
        unit="layers",
        within=(2, MOST_LAYERS),
    )
    autoencoder_optimiser: OptimiserConfig = setting(
        OptimiserConfig(learning_rate=1e-3, clip_norm=100.0),
        "Optimiser",
        "How encoders and decoders are trained. A larger rate was seen to lose everything after some thousand steps.",
    )

    @property
    def code_sizes(self) -> list[int]:
        """Numbers in each code, the lowest first."""
        return [max(1, self.latent_size >> layer) for layer in range(self.layers)]

    def latent_numbers(self, pixels: int) -> int:
        return sum(self.code_sizes)
