"""Settings of the generative adversarial network."""

from __future__ import annotations

from typing import Literal

from studio.models.adversarial.config import AdversarialConfig, AdversarialLoss
from studio.models.config import OptimiserConfig
from studio.settings import setting


class GanConfig(AdversarialConfig):
    """Settings of the generative adversarial network."""

    kind: Literal["gan"] = "gan"
    loss: AdversarialLoss = setting(
        AdversarialLoss.NON_SATURATING,
        "Loss",
        "Minimax: the generator makes log(1 − D(G(z))) small, whose slope vanishes while it is bad. Non-saturating: it "
        "makes −log D(G(z)) small instead. Hinge: scores beyond ±1 count no further.",
    )
    critic_optimiser: OptimiserConfig = setting(
        OptimiserConfig(learning_rate=5e-4, beta1=0.5, beta2=0.9), "Critic", "How the critic is trained."
    )
    generator_optimiser: OptimiserConfig = setting(
        OptimiserConfig(learning_rate=5e-4, beta1=0.5, beta2=0.9), "Generator", "How the generator is trained."
    )
