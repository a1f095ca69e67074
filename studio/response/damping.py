"""How far training has come along each parameter: less far than to the optimum where the loss is nearly flat.

After T steps of Adam a loss ½·θᵀHθ − bᵀθ has gone from 0 towards H⁻¹b as far as

    τ·f(τD⁻¹H)·D⁻¹b,   f(x) = (1 − e^{−x})/x,   D = √⟨g²⟩ over batches,   τ = Σ_t η_t = η·n·log(1 + T/n)

for a rate that halves after n steps; D = 1 where steps are not scaled by gradients. Of averaged weights τ is averaged,
too. Within 6 % f(x) = (2a − 1)/(x + a) − (2a − 2)/(x + 2a) with a = 1.94, so that two solves do, and nothing is left to
choose:

    dθ/ds = (2a − 1)·(H + aD/τ)⁻¹·b − (2a − 2)·(H + 2aD/τ)⁻¹·b

Sources: D. Kingma, J. Ba, arXiv:1412.6980 (2014); early stopping as damping: A. Ali et al., arXiv:1810.10082 (2018).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils import parameters_to_vector

from studio.models.base import Batch, GenerativeModel
from studio.models.config import Optimiser, OptimiserConfig
from studio.models.reduce import weighted_loss
from studio.progress import Progress
from studio.response.curvature import flat

SHAPE = 1.94
"""a."""
_BATCHES = 64
_WINDOWS = 10
_LEAST = 1e-4
"""Of the mean of D: a parameter that no batch moves is not moved by a tilt either."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Damping:
    """D, shape (P,), and 1/τ."""

    metric: Tensor
    strength: float


def training_time(config: OptimiserConfig, steps: int, decay: float = 0.0) -> float:
    """τ, of weights averaged as θ̄ ← d·θ̄ + (1 − d)·θ with d = `decay`."""
    n, past = config.half_after, np.arange(min(steps, math.ceil(_WINDOWS / (1 - decay))))
    taken = steps - past
    weights = decay**past
    times = config.learning_rate * (n * np.log1p(taken / n) if n else taken)
    return float(weights @ times / weights.sum())


def damping(
    model: GenerativeModel,
    config: OptimiserConfig,
    steps: int,
    batch: Batch,
    size: int,
    decay: float,
    progress: Progress,
) -> Damping:
    """Of a model of one phase after so many steps; its own memory, such as chains, is moved on the way.

    Args:
        batch: all examples, with the weights they are trained by.
        size: examples in a batch.
        decay: of the average of the weights; 0 of weights as they are.
    """
    (phase,) = model.phases()
    rng = torch.Generator(batch.images.device).manual_seed(0)
    parameters = list(model.parameters())
    squares = torch.zeros_like(parameters_to_vector(parameters).detach())
    scaled = config.kind not in (Optimiser.SGD, Optimiser.MOMENTUM)
    for done in range(_BATCHES if scaled else 0):
        progress.report("Looking at the gradients of batches", done / _BATCHES)
        chosen = torch.randint(len(batch), (size,), generator=rng, device=batch.images.device)
        part = Batch(images=batch.images[chosen], weights=batch.weights[chosen], step=batch.step)
        loss = weighted_loss(model.losses(phase, part, rng), part.weights, size)
        squares += flat(torch.autograd.grad(loss, parameters)).square()
    metric = (squares / _BATCHES).sqrt() if scaled else torch.ones_like(squares)
    return Damping(
        metric=metric.clamp(min=_LEAST * float(metric.mean())), strength=1 / training_time(config, steps, decay)
    )
