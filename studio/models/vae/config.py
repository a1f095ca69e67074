"""Settings of the variational autoencoder."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from studio.models.config import LatentModelConfig, OptimiserConfig
from studio.settings import setting


class Likelihood(StrEnum):
    """p(x|z): how a pixel may differ from the decoder's mean."""

    BERNOULLI = "bernoulli"
    GAUSSIAN = "gaussian"


class VaeConfig(LatentModelConfig):
    """Settings of the variational autoencoder."""

    kind: Literal["vae"] = "vae"
    latent_size: int = setting(
        12,
        "Latent size",
        "Numbers in the code z of an image. More rebuild it better, but make fresh samples harder.",
        step=4,
        ge=1,
        le=1024,
    )
    likelihood: Likelihood = setting(
        Likelihood.BERNOULLI,
        "Likelihood",
        "Bernoulli takes a pixel's brightness as a probability: best for black-and-white drawings. Gaussian, with a "
        "learned width, suits photographs.",
    )
    beta: float = setting(
        1.0,
        "β",
        "Weight of the KL term. Above 1 codes are simpler and images smoother; below 1 they are rebuilt more closely.",
        log=True,
        ge=0,
        le=1000,
    )
    autoencoder_optimiser: OptimiserConfig = setting(
        OptimiserConfig(learning_rate=2e-3), "Optimiser", "How encoder and decoder are trained."
    )
