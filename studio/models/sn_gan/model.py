"""GAN with spectral normalisation.

    critic      ⟨w·max(0, 1 − D(x))⟩ + ⟨max(0, 1 + D(G(z)))⟩,   every layer W/σ(W)
    generator   −⟨D(G(z))⟩

Each layer stretches by at most 1, so D's slope is bounded whatever the step. Source: T. Miyato et al.,
arXiv:1802.05957 (2018).
"""

from __future__ import annotations

from studio.models.adversarial.losses import loss_of
from studio.models.adversarial.model import Adversarial
from studio.models.nets import Shape
from studio.models.sn_gan.config import SnGanConfig


class SnGan(Adversarial):
    """Critic of bounded slope and generator."""

    def __init__(self, config: SnGanConfig, shape: Shape) -> None:
        super().__init__(config, shape, loss_of(config.loss))
