"""Settings that all models of a critic and a generator share. Free of torch."""

from __future__ import annotations

from enum import StrEnum

from studio.models.config import Architecture, LatentModelConfig, OptimiserConfig
from studio.settings import Settings, setting


class AdversarialLoss(StrEnum):
    """What critic and generator make small."""

    NON_SATURATING = "non_saturating"
    MINIMAX = "minimax"
    HINGE = "hinge"


class Constraint(StrEnum):
    """Ways to keep a critic from becoming too steep."""

    NONE = "none"
    CLIP = "clip"
    GRADIENT_PENALTY = "gradient_penalty"
    SPECTRAL_NORM = "spectral_norm"
    SPECTRAL_PENALTY = "spectral_penalty"


class PenaltySides(StrEnum):
    """Which slopes the penalty minds: all that differ from 1, or only those above."""

    TWO = "two"
    ONE = "one"


class CriticNorm(StrEnum):
    """Normalisation within one example; a BatchNorm would ignore the weights."""

    NONE = "none"
    GROUP = "group"
    LAYER = "layer"


class LipschitzConfig(Settings):
    """How the critic's slope is bounded."""

    kind: Constraint = setting(
        Constraint.NONE,
        "Constraint",
        "Clip: every weight stays within ±c. Gradient penalty: pulls the slope to 1. Spectral norm: divides each layer "
        "by its largest singular value σ. Spectral penalty: adds the layers' σ² to the loss.",
    )
    clip: float = setting(
        0.01,
        "Clip at ±c",
        "Largest size of a critic's weight, for Clip. Smaller is flatter, and its gradients fainter.",
        log=True,
        gt=0,
        le=100,
    )
    penalty_weight: float = setting(
        10.0,
        "Gradient penalty λ",
        "Strength of the gradient penalty, for Gradient penalty. Larger keeps the slope closer to 1.",
        log=True,
        ge=0,
        le=1e4,
    )
    penalty_sides: PenaltySides = setting(
        PenaltySides.TWO,
        "Penalty sides",
        "For Gradient penalty. Two: penalise every slope that differs from 1. One: only slopes above 1.",
        advanced=True,
    )
    spectral_weight: float = setting(
        0.1,
        "Spectral penalty λ",
        "Strength of ½·λ·Σσ², for Spectral penalty. Larger makes the critic flatter.",
        log=True,
        ge=0,
        le=1e4,
    )


class NoiseConfig(Settings):
    """Noise that keeps the distributions of real and generated images overlapping."""

    std: float = setting(
        0.0,
        "Noise at first",
        "Standard deviation of the noise on every image that the critic sees, in units of half the grey scale; 0 adds "
        "none. More hides fine detail, but steadies the beginning.",
        step=0.05,
        decimals=3,
        ge=0,
        le=10,
    )
    steps: int = setting(
        2000,
        "Noise fades over",
        "Training steps after which the noise, falling linearly, is gone.",
        unit="steps",
        log=True,
        ge=1,
        le=10_000_000,
    )


class AdversarialConfig(LatentModelConfig):
    """Base of the settings of a critic and a generator."""

    architecture: Architecture = setting(
        Architecture.AUTO,
        "Critic network",
        "Kind of network. Auto takes an MLP for images of up to 16 pixels a side and a convolutional one above.",
    )
    generator_architecture: Architecture = setting(
        Architecture.AUTO,
        "Generator network",
        "Kind of network. Auto takes an MLP for images of up to 16 pixels a side and a convolutional one above.",
    )
    generator_batch_norm: bool = setting(
        True,
        "BatchNorm in the generator",
        "Normalise the generator's layers over its batch. Real examples never pass there, so no weight is ignored.",
    )
    critic_norm: CriticNorm = setting(
        CriticNorm.NONE,
        "Norm in the critic",
        "Normalise the critic's layers within each example: groups of about eight maps, or all of a layer. Never over "
        "the batch, which would ignore the weights.",
        advanced=True,
    )
    critic_steps: int = setting(
        1,
        "Critic steps",
        "Critic steps for each generator step (n_critic, or k). More give a better critic, but slower progress.",
        unit="steps",
        ge=1,
        le=100,
    )
    lipschitz: LipschitzConfig = setting(
        LipschitzConfig(), "Lipschitz constraint", "How the critic is kept from becoming too steep."
    )
    noise: NoiseConfig = setting(
        NoiseConfig(), "Instance noise", "Noise on the real and generated images that the critic sees, fading away."
    )
    critic_optimiser: OptimiserConfig = setting(
        OptimiserConfig(learning_rate=1e-3, beta1=0.0, beta2=0.9), "Critic", "How the critic is trained."
    )
    generator_optimiser: OptimiserConfig = setting(
        OptimiserConfig(learning_rate=1e-3, beta1=0.0, beta2=0.9), "Generator", "How the generator is trained."
    )
