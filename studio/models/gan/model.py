"""Generative adversarial network.

    critic      ⟨w·(−log D(x))⟩ + ⟨−log(1 − D(G(z)))⟩
    generator   ⟨log(1 − D(G(z)))⟩, or ⟨−log D(G(z))⟩

At the best critic D = p′/(p′ + q) the first is 2·log 2 − 2·JS(p′, q), so it tells the Jensen–Shannon divergence of
target p′ and generated q. Source: I. Goodfellow et al., arXiv:1406.2661 (2014).
"""

from __future__ import annotations

from studio.models.adversarial.losses import loss_of
from studio.models.adversarial.model import Adversarial
from studio.models.gan.config import GanConfig
from studio.models.nets import Shape


class Gan(Adversarial):
    """Critic and generator with a loss to choose."""

    def __init__(self, config: GanConfig, shape: Shape) -> None:
        super().__init__(config, shape, loss_of(config.loss))
