"""Settings of the normalising flow."""

from __future__ import annotations

from typing import Literal

from studio.models.config import ModelConfig, OptimiserConfig
from studio.settings import setting


class NormalisingFlowConfig(ModelConfig):
    """Settings of the normalising flow."""

    kind: Literal["normalising_flow"] = "normalising_flow"
    layers: int = setting(
        8,
        "Coupling layers",
        "Layers, in each of which one half of the numbers decides how the other is shifted and stretched. More can "
        "bend noise further, but are slower.",
        unit="layers",
        ge=1,
        le=64,
    )
    width: int = setting(
        16,
        "Width",
        "Each layer's perceptron has 8 times as many hidden units. Wider learns more, but slower.",
        step=8,
        ge=1,
        le=512,
    )
    noise: float = setting(
        0.05,
        "Noise on grey levels",
        "Half-width of the uniform noise that training adds to pixels, which are −1…1: without it the density of grey "
        "levels has no bound. Points get none.",
        decimals=3,
        step=0.01,
        ge=0.001,
        le=0.5,
    )
    flow_optimiser: OptimiserConfig = setting(OptimiserConfig(clip_norm=10.0), "Flow", "How the map is trained.")

    def latent_numbers(self, pixels: int) -> int:
        return pixels
