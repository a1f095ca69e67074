"""Bernoulli–Bernoulli restricted Boltzmann machine: images of black and white pixels, p = (x + 1)/2 of being white.

E(v, h) = −b·v − c·h − vᵀWh,   v ∈ {0, 1}^D,  h ∈ {0, 1}^H      (centred; see `studio.models.boltzmann.energy`)
"""

from __future__ import annotations

import torch
from torch import Tensor

from studio.models.boltzmann.energy import BernoulliMachine, bernoulli
from studio.models.boltzmann.model import BoltzmannModel
from studio.models.nets import Shape
from studio.models.rbm.config import Binarisation, RbmConfig


class Rbm(BoltzmannModel):
    """Machine of binary pixels and binary hidden units."""

    def __init__(self, config: RbmConfig, shape: Shape) -> None:
        super().__init__(config, shape, BernoulliMachine(shape[0] * shape[1] * shape[2], config.hidden_units))
        self._binarisation = config.binarisation

    def visible_values(self, images: Tensor, rng: torch.Generator) -> Tensor:
        mean = self.mean_values(images)
        return bernoulli(mean, rng) if self._binarisation is Binarisation.STOCHASTIC else mean

    def mean_values(self, images: Tensor) -> Tensor:
        brightness = (images.flatten(1) + 1) / 2
        black_or_white = self._binarisation is Binarisation.THRESHOLD
        return (brightness >= 0.5).to(brightness.dtype) if black_or_white else brightness

    def images(self, v: Tensor) -> Tensor:
        return (2 * v - 1).unflatten(1, self._shape)
