"""Random numbers for the examples of a batch, each uniform by itself and all evenly spread together.

    u_j = (u + j/B) mod 1,   u ~ U(0, 1)

The mean of a function of them varies less than over independent ones: a batch sees low and high noise in each step.
Source: D. Kingma et al., arXiv:2107.00630 (2021), I.1.
"""

from __future__ import annotations

import torch
from torch import Tensor


def spread(like: Tensor, rng: torch.Generator) -> Tensor:
    """A number in [0, 1) for each entry of `like` (B, …), of its type and on its device, shape (B,)."""
    start = torch.rand((1,), generator=rng, device=like.device, dtype=like.dtype)
    places = torch.arange(len(like), device=like.device, dtype=like.dtype)
    return places.div_(len(like)).add_(start).remainder_(1)
