"""Wasserstein GAN with gradient penalty.

    critic      ⟨w·(−D(x))⟩ + ⟨D(G(z))⟩ + λ·⟨(‖∇D(x̂)‖ − 1)²⟩,   x̂ = u·x + (1 − u)·G(z),   u ~ U(0, 1)
    generator   −⟨D(G(z))⟩

The best critic has slope 1 almost everywhere between the two distributions. Sources: M. Arjovsky et al.,
arXiv:1701.07875; I. Gulrajani et al., arXiv:1704.00028 (2017).
"""

from __future__ import annotations

from studio.models.adversarial.losses import Wasserstein
from studio.models.adversarial.model import Adversarial
from studio.models.nets import Shape
from studio.models.wgan_gp.config import WganGpConfig


class WganGp(Adversarial):
    """Critic of slope 1 and generator."""

    def __init__(self, config: WganGpConfig, shape: Shape) -> None:
        super().__init__(config, shape, Wasserstein())
