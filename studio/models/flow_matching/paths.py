"""From noise z at t = 0 to an image x at t = 1: x_t = α_t·x + σ_t·z.

rectified   α = t,   σ = 1 − t                X. Liu et al., arXiv:2209.03003 (2022)
cosine      α = sin(πt/2),   σ = cos(πt/2)    M. Albergo, E. Vanden-Eijnden, arXiv:2209.15571 (2022)
"""

from __future__ import annotations

import math
from typing import NamedTuple

from torch import Tensor

from studio.models.flow_matching.config import FlowPath


class Mixture(NamedTuple):
    """α_t and σ_t, and their derivatives by t, each of the shape of t."""

    alpha: Tensor
    sigma: Tensor
    alpha_rate: Tensor
    sigma_rate: Tensor

    def image(self, mixed: Tensor, velocity: Tensor) -> Tensor:
        """x of x_t and of its velocity dx_t/dt = α̇·x + σ̇·z."""
        found: Tensor = (self.sigma_rate * mixed - self.sigma * velocity) / (
            self.sigma_rate * self.alpha - self.sigma * self.alpha_rate
        )
        return found


def mixture(path: FlowPath, times: Tensor) -> Mixture:
    """How much of the image and of the noise there is at t in 0…1."""
    if path is FlowPath.RECTIFIED:
        one = times.new_ones(times.shape)
        return Mixture(times, 1 - times, one, -one)
    angle = math.pi / 2 * times
    sine, cosine = angle.sin(), angle.cos()
    return Mixture(sine, cosine, math.pi / 2 * cosine, -math.pi / 2 * sine)
