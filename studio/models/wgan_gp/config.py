"""Settings of the Wasserstein GAN with gradient penalty."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

from studio.models.config import LatentModelConfig, OptimiserConfig
from studio.settings import setting


class PenaltySides(StrEnum):
    """Which slopes the penalty minds: all that differ from 1, or only those above."""

    TWO = "two"
    ONE = "one"


class WganGpConfig(LatentModelConfig):
    """Settings of the Wasserstein GAN with gradient penalty."""

    kind: Literal["wgan_gp"] = "wgan_gp"
    generator_batch_norm: bool = setting(
        True,
        "BatchNorm in the generator",
        "Normalise the generator's layers over its batch. Real examples never pass there, so no weight is ignored.",
    )
    critic_steps: int = setting(
        1,
        "Critic steps",
        "Critic steps for each generator step (n_critic). More give a better distance estimate, but slower progress.",
        unit="steps",
        ge=1,
        le=100,
    )
    penalty_weight: float = setting(
        10.0, "Gradient penalty λ", "Strength of the gradient penalty.", log=True, advanced=True, ge=0, le=1e4
    )
    penalty_sides: PenaltySides = setting(
        PenaltySides.TWO,
        "Penalty sides",
        "Two: penalise every slope that differs from 1. One: only slopes above 1.",
        advanced=True,
    )
    critic_optimiser: OptimiserConfig = setting(
        OptimiserConfig(learning_rate=1e-3, beta1=0.0, beta2=0.9), "Critic", "How the critic is trained."
    )
    generator_optimiser: OptimiserConfig = setting(
        OptimiserConfig(learning_rate=1e-3, beta1=0.0, beta2=0.9), "Generator", "How the generator is trained."
    )
