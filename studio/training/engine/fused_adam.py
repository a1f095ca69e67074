"""A step of torch's own fused Adam without what torch does around it in Python.

`torch.optim.Adam.step` sorts its tensors by device and type, asks each for its state, looks for hooks anew and counts
the step once for each parameter, which a small network's step notices. The kernel and its tensors are torch's, so that
every bit is. They are torch's own affair: a version that has them no more takes its steps by its rule.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

AVAILABLE = hasattr(torch, "_fused_adam_") and hasattr(torch, "_fused_adamw_")
"""Whether this version of torch has the kernels by these names."""


class FusedAdam:
    """Steps parameters that torch's rule has stepped before: what the rule has accumulated must be there.

    Args:
        rule: fused, without AMSGrad; its rates count as they are at each step.
        parameters: all of the rule, of one type and on one device.
    """

    def __init__(self, rule: torch.optim.Adam, parameters: Sequence[nn.Parameter]) -> None:
        (self._group,) = rule.param_groups
        kept = [rule.state[parameter] for parameter in parameters]
        self._parameters: list[Tensor] = list(parameters)
        self._means = [entries["exp_avg"] for entries in kept]
        self._squares = [entries["exp_avg_sq"] for entries in kept]
        self._taken = kept[0]["step"]
        for entries in kept:
            entries["step"] = self._taken  # all were stepped together
        self._steps = [self._taken] * len(kept)
        decoupled = isinstance(rule, torch.optim.AdamW)
        self._kernel = torch._fused_adamw_ if decoupled else torch._fused_adam_

    @torch.no_grad()
    def step(self, gradients: Sequence[Tensor]) -> None:
        """Take one step by gradients, one for each parameter, of its shape and memory order."""
        group = self._group
        self._taken.add_(1)
        self._kernel(
            self._parameters,
            list(gradients),
            self._means,
            self._squares,
            [],
            self._steps,
            lr=group["lr"],
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            amsgrad=False,
            maximize=False,
        )
