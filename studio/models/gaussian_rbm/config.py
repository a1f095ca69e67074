"""Settings of the Gaussian–Bernoulli restricted Boltzmann machine."""

from __future__ import annotations

from typing import Literal

from studio.models.boltzmann.config import BoltzmannConfig
from studio.models.config import OptimiserConfig
from studio.settings import setting


class GaussianRbmConfig(BoltzmannConfig):
    """Settings of the Gaussian–Bernoulli restricted Boltzmann machine."""

    kind: Literal["gaussian_rbm"] = "gaussian_rbm"
    width: float = setting(
        0.5,
        "Pixel width σ",
        "Standard deviation of a pixel given the hidden units, at the start; pixels are between −1 and 1.",
        log=True,
        decimals=3,
        gt=0,
        le=10,
    )
    least_width: float = setting(
        0.1,
        "Least σ",
        "What σ never falls below; the narrower, the sharper the image, and the harder chains move.",
        log=True,
        decimals=3,
        advanced=True,
        gt=0,
        le=10,
    )
    machine_optimiser: OptimiserConfig = setting(
        OptimiserConfig(learning_rate=1e-3, beta1=0.0, half_after=2000),
        "Optimiser",
        "How the machine is trained. Lower the rate if the chains run away.",
    )
