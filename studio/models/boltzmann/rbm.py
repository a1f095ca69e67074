"""The two restricted Boltzmann machines: what an image is to their visible units, and back.

    Bernoulli   E(v, h) = −b·v − c·h − vᵀWh,            v ∈ {0, 1}^D, p = (x + 1)/2 of being white
    Gaussian    E(v, h) = ½‖v − b‖²/σ² − c·h − vᵀWh/σ,  p(v|h) = N(b + σ·Wh, σ²), one learned σ for all pixels

with h ∈ {0, 1}^H; centred, see `studio.models.boltzmann.energy`. Sources: G. Hinton, R. Salakhutdinov, Science 313
(2006); K. Cho, A. Ilin, T. Raiko, ICANN (2011).
"""

from __future__ import annotations

import torch
from torch import Tensor

from studio.models.boltzmann.config import Binarisation, GaussianRbmConfig, RbmConfig
from studio.models.boltzmann.energy import BernoulliMachine, GaussianMachine, bernoulli
from studio.models.boltzmann.model import BoltzmannModel
from studio.models.nets import Shape


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
