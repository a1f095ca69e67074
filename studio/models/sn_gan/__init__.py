"""GAN with spectral normalisation. Free of torch until it is built."""

from __future__ import annotations

from typing import TYPE_CHECKING

from studio.models.adversarial.metrics import GAP, PROBABILITIES, SHARED, references
from studio.models.sn_gan.config import SnGanConfig
from studio.models.spec import ModelSpec

if TYPE_CHECKING:
    from studio.models.base import GenerativeModel

_METRICS = {**GAP, **PROBABILITIES, **SHARED}


def _build(config: SnGanConfig, shape: tuple[int, int, int]) -> GenerativeModel:
    from studio.models.sn_gan.model import SnGan

    return SnGan(config, shape)


SPEC = ModelSpec(
    title="SN-GAN",
    summary="A GAN in whose critic every layer is divided by its largest stretch, which bounds the slope at little "
    "cost. Sharp images soonest.",
    measured="Measured on MNIST with 30 % twos, five minutes on two cores: 29.6 % twos, shares off by 3.5 % in all, "
    "Fréchet distance 11.",
    config=SnGanConfig,
    build=_build,
    metrics=_METRICS,
    references=references(_METRICS),
)
