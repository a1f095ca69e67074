"""Batches in few sizes: each is filled up to the next of them by examples that weigh nothing.

A tilted batch has another number of examples in every step, and oneDNN keeps a kernel of every convolution for each
number it has met: a WGAN-GP grew by 200 MB within minutes, and was a tenth slower while it made them. An octave has
sixteen sizes here, so that a batch grows by a sixteenth at most: with eight, steps took 2 to 5 % longer. A weight of 0
leaves the weighted loss as it is. Products of matrices are as fast for every size: models without convolutions take
batches as they come.
"""

from __future__ import annotations

import numpy as np

from studio.perturb.arrays import Floats
from studio.perturb.planner import Indices

_FIRST_STEPPED = 32
"""Up to here every size is one."""


def padded_size(count: int) -> int:
    """The least size not below `count` ≥ 1 that is 16, 17, …, 32 times a power of two, or small."""
    if count <= _FIRST_STEPPED:
        return count
    step = 1 << ((count - 1).bit_length() - 5)
    return -(-count // step) * step


def padded(indices: Indices, weights: Floats) -> tuple[Indices, Floats]:
    """A batch's examples and weights (B,), B ≥ 1, filled up to `padded_size(B)` by the same from the first on, weight
    0.
    """
    size = padded_size(len(indices))
    filled = np.zeros(size)
    filled[: len(weights)] = weights
    return np.resize(indices, size), filled
