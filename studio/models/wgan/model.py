"""Wasserstein GAN with clipped weights.

    critic      ⟨w·(−D(x))⟩ + ⟨D(G(z))⟩,   then every weight of D into ±c
    generator   −⟨D(G(z))⟩

sup_D ⟨D(x)⟩ − ⟨D(G(z))⟩ over critics of slope at most K is K times the Wasserstein distance; weights within ±c bound
the slope by some K. Source: M. Arjovsky et al., arXiv:1701.07875 (2017).
"""

from __future__ import annotations

from studio.models.adversarial.losses import Wasserstein
from studio.models.adversarial.model import Adversarial
from studio.models.nets import Shape
from studio.models.wgan.config import WganConfig


class Wgan(Adversarial):
    """Critic of clipped weights and generator."""

    def __init__(self, config: WganConfig, shape: Shape) -> None:
        super().__init__(config, shape, Wasserstein())
