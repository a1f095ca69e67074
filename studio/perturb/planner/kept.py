"""A planner's place as plain arrays by name, for files; what comes back from one is checked before it is believed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from studio.perturb.perturbation import Floats

Kept = Mapping[str, NDArray[np.generic]]
"""Arrays by name: int64 or float64, of one dimension; a number has shape (1,)."""


def kept_indices(kept: Kept, name: str, below: int, count: int | None = None) -> NDArray[np.int64]:
    """Whole numbers in 0…below − 1, shape (count,) or (n,), copied; raises ValueError if they are something else."""
    values = _array(kept, name, np.int64, count)
    if len(values) and not 0 <= values.min() <= values.max() < below:
        raise ValueError(f"{name} reaches beyond 0…{below - 1}")
    return values.astype(np.int64)


def kept_amounts(kept: Kept, name: str, most: float, count: int, *, least: float = 0.0) -> Floats:
    """Numbers in least…most, up to rounding below, shape (count,), copied; raises ValueError if they are others."""
    values = _array(kept, name, np.float64, count)
    if count and not least - 1e-6 <= values.min() <= values.max() <= most:  # nor NaN
        raise ValueError(f"{name} reaches beyond {least:g}…{most:g}")
    return values.astype(np.float64)


def kept_count(kept: Kept, name: str, below: int = 2**62) -> int:
    """One whole number in 0…below; raises ValueError if it is missing or something else."""
    return int(kept_indices(kept, name, below, 1)[0])


def number(value: float) -> NDArray[np.generic]:
    """A number as an array, shape (1,)."""
    return np.array([value], dtype=np.int64 if isinstance(value, int) else np.float64)


def _array(kept: Kept, name: str, kind: type[np.generic], count: int | None) -> NDArray[np.generic]:
    values = kept.get(name)
    if values is None or values.dtype != kind or values.ndim != 1 or count not in (None, len(values)):
        raise ValueError(f"{name} is missing, or has another type or length")
    return values
