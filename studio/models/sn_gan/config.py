"""Settings of the GAN with spectral normalisation."""

from __future__ import annotations

from typing import Literal

from studio.models.adversarial.config import AdversarialConfig, AdversarialLoss, Constraint, LipschitzConfig
from studio.models.config import OptimiserConfig
from studio.settings import setting


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
