"""Settings of the Wasserstein GAN with clipped weights."""

from __future__ import annotations

from typing import Literal

from studio.models.adversarial.config import AdversarialConfig, Constraint, LipschitzConfig
from studio.models.config import Optimiser, OptimiserConfig
from studio.settings import setting

_RMSPROP = OptimiserConfig(kind=Optimiser.RMSPROP, learning_rate=5e-5, beta2=0.99)


class WganConfig(AdversarialConfig):
    """Settings of the Wasserstein GAN with clipped weights; the paper's are the defaults."""

    kind: Literal["wgan"] = "wgan"
    critic_steps: int = setting(
        5,
        "Critic steps",
        "Critic steps for each generator step (n_critic). More give a better distance estimate, but slower progress.",
        unit="steps",
        ge=1,
        le=100,
    )
    lipschitz: LipschitzConfig = setting(
        LipschitzConfig(kind=Constraint.CLIP),
        "Lipschitz constraint",
        "How the critic is kept from becoming too steep.",
    )
    critic_optimiser: OptimiserConfig = setting(_RMSPROP, "Critic", "How the critic is trained.")
    generator_optimiser: OptimiserConfig = setting(_RMSPROP, "Generator", "How the generator is trained.")
