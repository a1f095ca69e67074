"""Settings of the generative adversarial network."""

from __future__ import annotations

from typing import Literal

from studio.models.adversarial.config import AdversarialConfig, AdversarialLoss, NoiseConfig
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
    noise: NoiseConfig = setting(
        NoiseConfig(std=0.2, steps=6000),
        "Instance noise",
        "Noise on the real and generated images that the critic sees, fading away. Nothing else keeps the critic from "
        "becoming too steep.",
    )
