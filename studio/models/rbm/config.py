"""Settings of the Bernoulli–Bernoulli restricted Boltzmann machine."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from studio.models.boltzmann.config import BoltzmannConfig
from studio.settings import setting


class Binarisation(StrEnum):
    """How a grey pixel becomes black or white."""

    STOCHASTIC = "stochastic"
    THRESHOLD = "threshold"
    NONE = "none"


class RbmConfig(BoltzmannConfig):
    """Settings of the Bernoulli–Bernoulli restricted Boltzmann machine."""

    kind: Literal["rbm"] = "rbm"
    binarisation: Binarisation = setting(
        Binarisation.STOCHASTIC,
        "Binarisation",
        "Stochastic: each pixel is drawn black or white with its brightness as the probability, anew in each step. "
        "Threshold: white from half brightness up. None: the brightness itself is the pixel's value.",
    )
