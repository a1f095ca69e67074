"""Examples on their way from a data set to a model: only those of a batch are ever in a model's form.

On the processor they stay where the set has them, in memory or in a file; a graphics card holds all of them as they are
stored, unless they would take more than half of what it has free.
"""

from __future__ import annotations

import torch
from torch import Tensor

from studio.data.example_set import ExampleSet, Places
from studio.data.scale import Scale, Values

_SHARE = 0.5


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
