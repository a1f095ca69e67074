"""Examples on their way from a data set to a model: only those of a batch are ever in a model's form.

On the processor they stay where the set has them, in memory or in a file; a graphics card holds all of them as they are
stored, unless they would take more than half of what it has free. Batches come in few sizes: each is filled up to the
next of them by examples that weigh nothing, which leaves the weighted loss as it is.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from studio.data.example_set import ExampleSet, Places
from studio.data.scale import Scale, Values
from studio.perturb.arrays import Floats, Indices

_FIRST_STEPPED = 32
"""Up to here every size is one."""
_SHARE = 0.5


def padded_size(count: int) -> int:
    """The least size not below `count` ≥ 1 that is 16, 17, …, 32 times a power of two, or small.

    A tilted batch has another number of examples in every step, and oneDNN keeps a kernel of every convolution for each
    number it has met: a WGAN-GP grew by 200 MB within minutes, and was a tenth slower while it made them. An octave has
    sixteen sizes here, so that a batch grows by a sixteenth at most: with eight, steps took 2 to 5 % longer. Products
    of matrices are as fast for every size: models without convolutions take batches as they come.
    """
    if count <= _FIRST_STEPPED:
        return count
    step = 1 << ((count - 1).bit_length() - 5)
    return -(-count // step) * step


def padded(indices: Indices, weights: Floats) -> tuple[Indices, Floats]:
    """A batch's examples and weights (B,), B ≥ 1, filled up to `padded_size(B)` by the same anew with weight 0."""
    size = padded_size(len(indices))
    filled = np.zeros(size)
    filled[: len(weights)] = weights
    return np.resize(indices, size), filled


class Examples:
    """A data set, values as they are stored, as models on a device take it."""

    def __init__(self, data: ExampleSet, device: torch.device) -> None:
        self._data = data
        self._device = device
        self._there = _tensor(data.rows(slice(None))).to(device) if self._has_room() else None

    def read(self, places: Places) -> Tensor:
        """Some of them, in −1…1, float32, shape (n, C, H, W), a copy of its own."""
        if self._there is None:
            return for_models(self._data.rows(places), self._data.scale, self._device)
        where = places if isinstance(places, slice) else torch.from_numpy(places).to(self._device)
        return _converted(self._there[where], self._data.scale)

    def _has_room(self) -> bool:
        if self._device.type != "cuda":
            return self._device.type != "cpu"
        free, _ = torch.cuda.mem_get_info(self._device)
        size = self._data.rows(slice(0, 1)).nbytes * len(self._data)
        return size <= _SHARE * free


def for_models(values: Values, scale: Scale, device: torch.device) -> Tensor:
    """Stored values, shape (n, H, W, C), as models take them: a float32 copy in −1…1, shape (n, C, H, W)."""
    return _converted(_tensor(values).to(device), scale)


def _tensor(values: Values) -> Tensor:
    """Values (n, H, W, C) as they are, shape (n, C, H, W); torch does not take arrays that may not be written to."""
    return torch.from_numpy(values if values.flags.writeable else values.copy()).permute(0, 3, 1, 2)


def _converted(stored: Tensor, scale: Scale) -> Tensor:
    values = torch.empty(stored.shape, dtype=torch.float32, device=stored.device).copy_(stored)
    return values.mul_(1 / scale.half).sub_(scale.centre / scale.half)
