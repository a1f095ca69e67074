"""Settings of the Wasserstein GAN with gradient penalty."""

from __future__ import annotations

from typing import Literal

from studio.models.adversarial.config import AdversarialConfig, Constraint, LipschitzConfig
from studio.settings import setting


class WganGpConfig(AdversarialConfig):
    """Settings of the Wasserstein GAN with gradient penalty."""

    kind: Literal["wgan_gp"] = "wgan_gp"
    lipschitz: LipschitzConfig = setting(
        LipschitzConfig(kind=Constraint.GRADIENT_PENALTY),
        "Lipschitz constraint",
        "How the critic is kept from becoming too steep.",
    )
