"""Settings of the restricted Boltzmann machines: what both share, then each one's own. Free of torch."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from studio.models.config import ModelConfig, OptimiserConfig
from studio.settings import setting


class NegativePhase(StrEnum):
    """Where the chains of the negative phase begin: at the example itself, or where they stopped last time."""

    CONTRASTIVE = "cd"
    PERSISTENT = "pcd"


class BoltzmannConfig(ModelConfig):
    """Base of the settings of restricted Boltzmann machines."""

    hidden_units: int = setting(
        256,
        "Hidden units",
        "Features the machine can switch on. More describe more, but slower. Up to 20, likelihoods are exact.",
        unit="units",
        step=16,
        within=(1, 8192),
    )
    negative_phase: NegativePhase = setting(
        NegativePhase.PERSISTENT,
        "Negative phase",
        "Pcd: chains that live on from step to step, which learns the shares of the classes. Cd: short chains from "
        "each example, which learns good filters fast, but not how probable a class is.",
    )
    gibbs_steps: int = setting(
        1,
        "Gibbs steps k",
        "Sweeps of the chains in each training step (CD-k, PCD-k). More follow the model better, but slower.",
        unit="sweeps",
        within=(1, 1000),
    )
    chains: int = setting(
        512,
        "Chains",
        "Chains that live on. More give a steadier gradient and more independent samples, but slower.",
        unit="chains",
        step=64,
        within=(1, 65536),
    )
    temperatures: int = setting(
        1,
        "Temperatures",
        "Temperatures at which the chains run and exchange places (parallel tempering); 1 is plain Gibbs sampling. "
        "More lead chains from one class to another where they stick, but cost as many times the chains.",
        step=1,
        within=(1, 100),
    )
    hottest: float = setting(
        0.0,
        "Hottest β",
        "Inverse temperature at the hot end; 0 makes all pixels independent. Nearer 1 exchanges more often.",
        step=0.05,
        decimals=2,
        ge=0,
        lt=1,
    )
    centring: float = setting(
        0.01,
        "Centring",
        "How fast the offsets follow the mean activities (centred gradient). 0 leaves the gradient uncentred.",
        log=True,
        decimals=4,
        within=(0, 1),
    )
    sample_steps: int = setting(
        20,
        "Sampling sweeps",
        "Gibbs sweeps from the chains to a sample. More show better what the model itself believes.",
        unit="sweeps",
        within=(1, 100_000),
    )
    draw_pixels: bool = setting(
        False,
        "Draw pixels",
        "Samples show pixels drawn as the machine has them. Off: their mean given the hidden units, free of noise.",
    )
    machine_optimiser: OptimiserConfig = setting(
        OptimiserConfig(learning_rate=5e-3, beta1=0.0, half_after=1000),
        "Optimiser",
        "How the machine is trained. A falling rate lets the chains catch up; a constant one drives the shares away.",
    )


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
        gt=0,
        le=10,
    )
    machine_optimiser: OptimiserConfig = setting(
        OptimiserConfig(learning_rate=1e-3, beta1=0.0, half_after=2000),
        "Optimiser",
        "How the machine is trained. Lower the rate if the chains run away.",
    )
