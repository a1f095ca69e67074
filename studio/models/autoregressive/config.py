"""Settings of the autoregressive model."""

from __future__ import annotations

from typing import Literal

from studio.models.config import ModelConfig, OptimiserConfig
from studio.settings import setting


class AutoregressiveConfig(ModelConfig):
    """Settings of the autoregressive model."""

    kind: Literal["autoregressive"] = "autoregressive"
    levels: int = setting(
        16,
        "Levels",
        "Grey levels of a pixel, or cells along each axis of the plane. More are finer, and harder to learn.",
        unit="levels",
        log=True,
        within=(2, 256),
    )
    width: int = setting(
        32,
        "Width",
        "Features at each pixel. More learn more, but slower.",
        unit="features",
        step=8,
        within=(4, 512),
    )
    blocks: int = setting(
        4,
        "Blocks",
        "Residual blocks; a pixel is told of those up to three further than their number away.",
        unit="blocks",
        within=(1, 32),
    )
    predictor_optimiser: OptimiserConfig = setting(
        OptimiserConfig(learning_rate=2e-3), "Predictor", "How the network is trained."
    )

    def latent_numbers(self, pixels: int) -> int:
        return pixels
