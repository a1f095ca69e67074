"""Settings of the variational autoencoder."""

from __future__ import annotations

from typing import Literal

from studio.models.autoencoder_config import AutoencoderConfig
from studio.settings import setting


class VaeConfig(AutoencoderConfig):
    """Settings of the variational autoencoder."""

    kind: Literal["vae"] = "vae"
    latent_size: int = setting(
        12,
        "Latent size",
        "Numbers in the code z of an image. More rebuild it better, but make fresh samples harder.",
        step=4,
        within=(1, 1024),
    )
