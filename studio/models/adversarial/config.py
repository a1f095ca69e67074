"""Settings of the models of a critic and a generator: what all share, then each one's own. Free of torch."""

from __future__ import annotations

from enum import StrEnum
from typing import ClassVar, Literal

from studio.models.config import Architecture, LabelSettings, LatentModelConfig, Optimiser, OptimiserConfig
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
    PARAMETER_PENALTY = "parameter_penalty"


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
        "Clip: every weight stays within ±c. Gradient penalty: pulls the slope to 1. Spectral norm: divides each "
        "layer's weight by its largest singular value σ. Spectral penalty: adds the weights' σ² to the loss. Both take "
        "a convolution's kernel as a matrix: the convolution itself may stretch by more, up to twice as much for a "
        "kernel of 4 and a stride of 2. Parameter penalty: of an MLP, adds ‖∇_θ D(x)‖² at real examples, each by its "
        "weight.",
    )
    clip: float = setting(
        0.01,
        "Clip at ±c",
        "Largest size of a critic's weight, for Clip. Smaller is flatter, and its gradients fainter.",
        log=True,
        when={"kind": [Constraint.CLIP]},
        gt=0,
        le=100,
    )
    penalty_weight: float = setting(
        10.0,
        "Gradient penalty λ",
        "Strength of the gradient penalty, for Gradient penalty. Larger keeps the slope closer to 1.",
        log=True,
        when={"kind": [Constraint.GRADIENT_PENALTY]},
        within=(0, 1e4),
    )
    penalty_sides: PenaltySides = setting(
        PenaltySides.TWO,
        "Penalty sides",
        "For Gradient penalty. Two: penalise every slope that differs from 1. One: only slopes above 1.",
        when={"kind": [Constraint.GRADIENT_PENALTY]},
    )
    spectral_weight: float = setting(
        0.1,
        "Spectral penalty λ",
        "Strength of ½·λ·Σσ², for Spectral penalty. Larger makes the critic flatter.",
        log=True,
        when={"kind": [Constraint.SPECTRAL_PENALTY]},
        within=(0, 1e4),
    )

    parameter_weight: float = setting(
        1e-3,
        "Parameter penalty λ",
        "Strength of λ·‖∇_θ D(x)‖², for Parameter penalty. Larger makes the critic flatter in its parameters, and so "
        "in x. On the 8×8 digits 0.001 brought a GAN's share error TV from 0.058 to 0.041; a step took a third longer.",
        log=True,
        decimals=5,
        when={"kind": [Constraint.PARAMETER_PENALTY]},
        within=(0, 1),
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
        within=(0, 10),
    )
    steps: int = setting(
        2000,
        "Noise fades over",
        "Training steps after which the noise, falling linearly, is gone.",
        when={"std": []},
        unit="steps",
        log=True,
        within=(1, 10_000_000),
    )


class AdversarialConfig(LabelSettings, LatentModelConfig):
    """Base of the settings of a critic and a generator."""

    UNWEIGHTED: ClassVar[tuple[str, ...]] = ("generator",)

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
    )
    critic_steps: int = setting(
        1,
        "Critic steps",
        "Critic steps for each generator step (n_critic, or k). More give a better critic, but slower progress.",
        unit="steps",
        within=(1, 100),
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

    @property
    def objective(self) -> AdversarialLoss | None:
        """The loss that was chosen; None for the Wasserstein distance, where there is nothing to choose."""
        return None


class WganGpConfig(AdversarialConfig):
    """Settings of the Wasserstein GAN with gradient penalty."""

    kind: Literal["wgan_gp"] = "wgan_gp"
    lipschitz: LipschitzConfig = setting(
        LipschitzConfig(kind=Constraint.GRADIENT_PENALTY),
        "Lipschitz constraint",
        "How the critic is kept from becoming too steep.",
    )


class SnGanConfig(AdversarialConfig):
    """Settings of the GAN with spectral normalisation."""

    kind: Literal["sn_gan"] = "sn_gan"
    loss: AdversarialLoss = setting(
        AdversarialLoss.HINGE,
        "Loss",
        "Hinge: scores beyond ±1 count no further. Non-saturating: the generator makes −log D(G(z)) small. "
        "Minimax: it makes log(1 − D(G(z))) small, whose slope vanishes while it is bad.",
    )
    lipschitz: LipschitzConfig = setting(
        LipschitzConfig(kind=Constraint.SPECTRAL_NORM),
        "Lipschitz constraint",
        "How the critic is kept from becoming too steep.",
    )
    critic_optimiser: OptimiserConfig = setting(
        OptimiserConfig(learning_rate=2e-3, beta1=0.0, beta2=0.9), "Critic", "How the critic is trained."
    )

    @property
    def objective(self) -> AdversarialLoss:
        return self.loss


class GanConfig(AdversarialConfig):
    """Settings of the generative adversarial network."""

    kind: Literal["gan"] = "gan"
    loss: AdversarialLoss = setting(
        AdversarialLoss.NON_SATURATING,
        "Loss",
        "Minimax: the generator makes log(1 − D(G(z))) small, whose slope vanishes while it is bad. Non-saturating: it "
        "makes −log D(G(z)) small instead. Hinge: scores beyond ±1 count no further.",
    )
    noise: NoiseConfig = setting(
        NoiseConfig(std=0.2, steps=6000),
        "Instance noise",
        "Noise on the real and generated images that the critic sees, fading away. Nothing else keeps the critic from "
        "becoming too steep.",
    )

    @property
    def objective(self) -> AdversarialLoss:
        return self.loss


_RMSPROP = OptimiserConfig(kind=Optimiser.RMSPROP, learning_rate=5e-5, beta2=0.99)


class WganConfig(AdversarialConfig):
    """Settings of the Wasserstein GAN with clipped weights; the paper's are the defaults."""

    kind: Literal["wgan"] = "wgan"
    critic_steps: int = setting(
        5,
        "Critic steps",
        "Critic steps for each generator step (n_critic). More give a better distance estimate, but slower progress.",
        unit="steps",
        within=(1, 100),
    )
    lipschitz: LipschitzConfig = setting(
        LipschitzConfig(kind=Constraint.CLIP), "Lipschitz constraint", "How the critic is kept from becoming too steep."
    )
    critic_optimiser: OptimiserConfig = setting(_RMSPROP, "Critic", "How the critic is trained.")
    generator_optimiser: OptimiserConfig = setting(_RMSPROP, "Generator", "How the generator is trained.")
