"""torch's optimisers without torch's compiler, which nothing here uses.

An optimiser loads it when it is made, and calls it in every step, to have its methods left alone: two seconds of
processor time, 160 MB and nine hundred modules; and its calls in every step, with torch's own hooks, cost up to 7 %
of it (a GAN on the plane). So they are marked here as torch itself marks them once that is done,
and a step is the method that torch wraps. Whoever exports a network loads the compiler then.
"""

from __future__ import annotations

import inspect

import torch
from torch.optim import Optimizer


def _leave_methods_alone() -> None:
    for method in vars(Optimizer).values():
        plain = getattr(method, "__wrapped__", None)
        if plain is not None:
            setattr(plain, "__dynamo_disable", plain)


_leave_methods_alone()


@torch.no_grad()
def take_step(rule: Optimizer) -> None:
    """Take the step of `rule` along its parameters' gradients, without the hooks that it may have."""
    inspect.unwrap(type(rule).step)(rule)
