"""Settings of the variational autoencoder."""

from __future__ import annotations

from typing import Literal

from studio.models.config import AutoencoderConfig, LabelSettings, code_size
from studio.settings import setting


class VaeConfig(LabelSettings, AutoencoderConfig):
    """Settings of the variational autoencoder."""

    kind: Literal["vae"] = "vae"
    latent_size: int = code_size()
    importance_samples: int = setting(
        1,
        "Importance samples",
        "Codes K drawn for each image. 1 maximises the evidence bound; more a tighter one, log of the mean of "
        "p(x, z)/q(z|x) over K codes (IWAE), at K times the decoder's cost.",
        log=True,
        within=(1, 1000),
    )
