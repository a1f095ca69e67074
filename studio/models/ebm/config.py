"""Settings of the energy-based model."""

from __future__ import annotations

from typing import Literal

from studio.models.config import Architecture, ModelConfig, OptimiserConfig
from studio.settings import setting


class EbmConfig(ModelConfig):
    """Settings of the energy-based model trained by Langevin dynamics from a replay buffer."""

    kind: Literal["ebm"] = "ebm"
    architecture: Architecture = setting(
        Architecture.AUTO,
        "Architecture",
        "Kind of network. Auto takes an MLP for images of up to 16 pixels a side and convolutions above.",
    )
    width: int = setting(
        16,
        "Width",
        "Channels of the finest convolution; an MLP has 8 times as many hidden units. Wider learns more, but slower.",
        unit="channels",
        step=8,
        within=(4, 512),
    )
    langevin_steps: int = setting(
        10,
        "Langevin steps",
        "Steps from a replayed image to a sample, in each training step. More sample better, but slower: the buffer "
        "goes on where it stopped, so few are enough.",
        unit="steps",
        step=5,
        within=(1, 1000),
    )
    step_size: float = setting(
        10.0,
        "Step size",
        "How far a Langevin step goes down the energy's slope. Too large diverges.",
        log=True,
        gt=0,
        le=1e4,
    )
    noise: float = setting(
        0.005,
        "Noise",
        "Noise added in each Langevin step; pixels are between −1 and 1. √(2 · step size) samples exp(−E) itself, less "
        "samples a colder one.",
        log=True,
        decimals=4,
        within=(0, 10),
    )
    data_noise: float = setting(
        0.005,
        "Noise on examples",
        "Noise added to real images, so that the energy is smooth around them.",
        log=True,
        decimals=4,
        within=(0, 10),
    )
    slope_limit: float = setting(
        0.03,
        "Slope limit",
        "Largest slope of the energy, per pixel, that a Langevin step follows (gradient clipping). 0 limits nothing.",
        log=True,
        decimals=4,
        within=(0, 1e6),
    )
    buffer_size: int = setting(
        4096,
        "Replay buffer",
        "Samples kept, from which the next ones start. More are more varied, but each is older.",
        unit="images",
        step=512,
        within=(1, 1_000_000),
    )
    restart_rate: float = setting(
        0.05,
        "Re-initialisation rate",
        "Share of samples that start from noise instead of the buffer.",
        step=0.01,
        decimals=3,
        within=(0, 1),
    )
    energy_penalty: float = setting(
        0.1,
        "Energy penalty α",
        "Weight of the squared energies, α·(E(x)² + E(x⁻)²). Without it energies drift away and Langevin diverges.",
        log=True,
        decimals=3,
        within=(0, 1000),
    )
    sample_steps: int = setting(
        20,
        "Sampling steps",
        "Langevin steps from the replay buffer to a shown sample.",
        unit="steps",
        step=10,
        within=(0, 100_000),
    )
    energy_optimiser: OptimiserConfig = setting(
        OptimiserConfig(learning_rate=1e-3, beta1=0.0, beta2=0.999, half_after=1000),
        "Optimiser",
        "How the energy is trained. A falling rate lets the samples catch up; a constant one can lose them.",
    )
