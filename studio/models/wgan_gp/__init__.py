"""Wasserstein GAN with gradient penalty. Free of torch until it is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.models.adversarial.metrics import GAP, SHARED, references
from studio.models.spec import ModelSpec
from studio.models.wgan_gp.config import WganGpConfig

if TYPE_CHECKING:
    from studio.models.base import GenerativeModel

_METRICS = {**GAP, **SHARED}


def _build(config: WganGpConfig, shape: tuple[int, int, int]) -> GenerativeModel:
    from studio.models.wgan_gp.model import WganGp

    return WganGp(config, shape)


SPEC = ModelSpec(
    title="WGAN-GP",
    summary="A critic estimates the Wasserstein distance between generated and target images, a generator shrinks it; "
    "a gradient penalty keeps the critic's slope at 1. Sharp images and steady training.",
    measured="Measured on MNIST with 30 % twos, five minutes on two cores: 28.9 % twos, shares off by 4.1 % in all, "
    "Fréchet distance 9.4.",
    config=WganGpConfig,
    build=_build,
    metrics=_METRICS,
    references=references(_METRICS),
)
