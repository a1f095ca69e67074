"""Gaussian–Bernoulli restricted Boltzmann machine: pixels of any value around a mean that the hidden units choose.

    E(v, h) = ½‖v − b‖²/σ² − c·h − vᵀWh/σ,   p(v|h) = N(b + σ·Wh, σ²)    (centred; see `studio.models.boltzmann.energy`)

σ is one learned number for all pixels. Sources: G. Hinton, R. Salakhutdinov, Science 313 (2006); K. Cho, A. Ilin,
T. Raiko, ICANN (2011).
"""

from __future__ import annotations

import torch
from torch import Tensor

from studio.models.boltzmann.energy import GaussianMachine
from studio.models.boltzmann.model import BoltzmannModel
from studio.models.gaussian_rbm.config import GaussianRbmConfig
from studio.models.nets import Shape


class GaussianRbm(BoltzmannModel):
    """Machine of real-valued pixels and binary hidden units."""

    def __init__(self, config: GaussianRbmConfig, shape: Shape) -> None:
        machine = GaussianMachine(
            shape[0] * shape[1] * shape[2],
            config.hidden_units,
            width=max(config.width, config.least_width),
            least_width=config.least_width,
        )
        super().__init__(config, shape, machine)

    def visible_values(self, images: Tensor, rng: torch.Generator) -> Tensor:
        return self.mean_values(images)

    def mean_values(self, images: Tensor) -> Tensor:
        return images.flatten(1)

    def images(self, v: Tensor) -> Tensor:
        return v.unflatten(1, self._shape)
