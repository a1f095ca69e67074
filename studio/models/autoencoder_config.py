"""Settings that autoencoders share, variational ones and the plain one. Free of torch."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from studio.errors import UserError
from studio.models.config import LatentModelConfig, OptimiserConfig
from studio.settings import setting


class Likelihood(StrEnum):
    """p(x|z): how a pixel may differ from what the decoder says."""

    BERNOULLI = "bernoulli"
    GAUSSIAN = "gaussian"
    DISCRETISED_LOGISTIC = "discretised_logistic"


def code_size() -> Any:
    """The setting of a model whose images have one code each."""
    return setting(
        12,
        "Latent size",
        "Numbers in the code z of an image. More rebuild it better, but make fresh samples harder.",
        step=4,
        within=(1, 1024),
    )


class AutoencoderConfig(LatentModelConfig):
    """Settings of an encoder and a decoder that are trained together on the evidence bound."""

    likelihood: Likelihood = setting(
        Likelihood.BERNOULLI,
        "Likelihood",
        "Bernoulli takes a pixel's brightness as a probability: best for black-and-white drawings. Gaussian and "
        "discretised logistic, each with a learned width, suit photographs; the latter knows the 256 grey levels.",
    )
    draw_pixels: bool = setting(
        False,
        "Draw pixels",
        "Draw each pixel of a sample from p(x|z), noise and all, as the model has it. Off, a sample is the mean of "
        "p(x|z), which looks cleaner.",
    )
    beta: float = setting(
        1.0,
        "β",
        "Weight of the KL term. Above 1 codes are simpler and images smoother; below 1 they are rebuilt more closely.",
        log=True,
        within=(0, 1000),
    )
    autoencoder_optimiser: OptimiserConfig = setting(
        OptimiserConfig(learning_rate=2e-3), "Optimiser", "How encoder and decoder are trained."
    )


def fault_on_points(config: AutoencoderConfig) -> UserError | None:
    """Why these settings cannot learn points of the plane; None if they can."""
    if config.likelihood is Likelihood.GAUSSIAN:
        return None
    return UserError(
        "This likelihood is for pixels, not for points",
        "Bernoulli takes a value as the probability of white, the discretised logistic counts 256 grey levels.",
        "Choose the Gaussian likelihood.",
        field="model.likelihood",
    )
