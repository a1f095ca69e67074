"""Settings of the autoencoder."""

from __future__ import annotations

from typing import Literal

from studio.models.config import LatentModelConfig, OptimiserConfig, code_size
from studio.settings import setting


class PlainAutoencoderConfig(LatentModelConfig):
    """Settings of the autoencoder, whose codes are no draws."""

    kind: Literal["autoencoder"] = "autoencoder"
    latent_size: int = code_size()
    linear: bool = setting(
        False,
        "Linear",
        "Encoder and decoder are a matrix each, whatever architecture and width say: principal component analysis "
        "(PCA) of the weighted data.",
    )
    autoencoder_optimiser: OptimiserConfig = setting(
        OptimiserConfig(learning_rate=2e-3), "Optimiser", "How encoder, decoder and the Gaussian of codes are trained."
    )
