"""Wasserstein GAN with gradient penalty. Free of torch until it is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.models.spec import ModelSpec
from studio.models.wgan_gp.config import WganGpConfig

if TYPE_CHECKING:
    from studio.models.base import GenerativeModel


def _build(config: WganGpConfig, shape: tuple[int, int, int]) -> GenerativeModel:
    from studio.models.wgan_gp.model import WganGp

    return WganGp(config, shape)


SPEC = ModelSpec(
    title="WGAN-GP",
    summary="A critic estimates the Wasserstein distance between generated and target images, a generator shrinks it; "
    "a gradient penalty keeps the critic's slope at 1. Sharp images and steady training.",
    config=WganGpConfig,
    build=_build,
    metrics={
        "critic_gap": (
            "Critic gap",
            "Estimated distance of target and generated images; falls as they improve. Weighted D(x) − mean D(G(z)).",
        ),
        "gradient_norm": (
            "Critic slope",
            "How steep the critic is between real and generated images; the penalty pulls it to 1. Mean of ‖∇D(x̂)‖.",
        ),
        "gradient_penalty": ("Gradient penalty", "How far the critic's slope strays from 1. Mean of (‖∇D(x̂)‖ − 1)²."),
        "generator_loss": ("Generator loss", "What the generator makes small. −mean D(G(z))."),
    },
)
