"""Exponential moving average of a model's weights: θ̄ ← d·θ̄ + (1 − d)·θ.

Averaged weights give steadier samples. The decay starts small, d_t = min(d, (1 + t)/(10 + t)), so that the untrained
weights are forgotten at once. A long memory looks at the weights in every sixteenth step only, with the product of the
decays in between: reading and writing every weight once more took a thirtieth of a VAE's step. Floating-point buffers
(running statistics) are averaged too: they belong to the weights. What is no weight (chains, replay buffers, counters)
is the trained model's own, taken over whenever somebody looks: nobody sees it as it was when somebody else looked.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping

import torch
from torch import Tensor

from studio.models.base import GenerativeModel

_STRIDE, _EVERY_STEP_UNTIL = 16, 800
_LONG = 0.99
"""Least decay, a memory of a hundred steps, beside which sixteen are short."""


class WeightAverage:
    """Follows a model with a copy of averaged weights, by a decay d in 0…1 with 1 excluded; 0 does not average."""

    def __init__(self, trained: GenerativeModel, decay: float) -> None:
        self._model = copy.deepcopy(trained).eval().requires_grad_(False)
        self._decay = decay
        self._stride = _STRIDE if decay >= _LONG else 1
        self._updates = 0
        self._averaged, self._source = _floats(self._model), _floats(trained)
        self._memory = [
            (self._model.get_buffer(name), original)
            for name, original in trained.named_buffers()
            if name in trained.memory or not original.is_floating_point()
        ]

    @property
    def model(self) -> GenerativeModel:
        """The averaged model as of now, in eval mode and without gradients; to be asked for anew at each use."""
        with torch.no_grad():
            for copy_, original in self._memory:
                copy_.copy_(original)
        return self._model

    @torch.no_grad()
    def update(self) -> None:
        """Count a step, and take the trained weights in where it is due."""
        self._updates += 1
        stride = self._stride if self._updates > _EVERY_STEP_UNTIL else 1
        if self._updates % stride == 0:
            decay = math.prod(
                min(self._decay, (1 + t) / (10 + t)) for t in range(self._updates - stride, self._updates)
            )
            torch._foreach_lerp_(self._averaged, self._source, 1 - decay)

    @property
    def updates(self) -> int:
        return self._updates

    def restore(self, weights: Mapping[str, Tensor], updates: int) -> None:
        """Take up an average kept before: its model's state, and its updates."""
        self._model.load_state_dict(weights)
        self._updates = updates


def _floats(model: GenerativeModel) -> list[Tensor]:
    named = (*model.named_parameters(), *model.named_buffers())
    return [tensor.detach() for name, tensor in named if tensor.is_floating_point() and name not in model.memory]
