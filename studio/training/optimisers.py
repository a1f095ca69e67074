"""From an optimiser's settings to torch's own."""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

import torch
from torch import nn

from studio.models.config import Optimiser, OptimiserConfig


def build_optimiser(config: OptimiserConfig, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The optimiser of one network.

    Args:
        config: update rule and rates.
        parameters: what it updates.
    """
    rate = config.learning_rate
    match config.kind:
        case Optimiser.ADAM:
            return torch.optim.Adam(parameters, lr=rate, betas=(config.beta1, config.beta2), fused=True)
        case Optimiser.RMSPROP:
            return torch.optim.RMSprop(parameters, lr=rate, alpha=config.beta2, momentum=config.beta1)
        case Optimiser.SGD:
            return torch.optim.SGD(parameters, lr=rate, momentum=config.beta1)
        case _:
            assert_never(config.kind)
