"""Equal bins for any values, with round edges that stand still while the values change a little. No Qt."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from studio.gui.plots.ranges import nice_above

Floats = NDArray[np.float64]
_BINS = 40
_MOST = 400


def value_edges(values: Sequence[Floats], references: Sequence[float] = (), current: Floats | None = None) -> Floats:
    """Edges of bins over all values, shape (m + 1,), with room for the references.

    Args:
        values: of each series, finite, shape (n,); at least one value in all.
        references: places that the bins shall reach as well.
        current: edges in use, kept while they cover the values and the values fill a good part of them.
    """
    everything = np.concatenate(values)
    low, high = float(everything.min()), float(everything.max())
    least, most = min(low, *references, high), max(high, *references, low)
    if current is not None and current[0] <= least and most <= current[-1]:
        step = float(current[1] - current[0])
        if (high - low) / step >= 0.3 * _BINS or (most - least) / step >= 0.7 * _MOST:
            return current
    width = max(high - low, 1e-3 * max(abs(low), abs(high)), 1e-9)
    # References far from the values: wider bins, so that there are not too many of them.
    step = nice_above(max(width / _BINS, (most - least) / _MOST))
    first, last = np.floor(least / step) - 1, np.ceil(most / step) + 1
    edges: Floats = step * np.arange(first, last + 1)
    return edges


def shares(values: Floats, edges: Floats) -> Floats:
    """Percentage of the values in each bin, shape (m,); all 0 if there are none."""
    counts, _ = np.histogram(values, bins=edges)
    found: Floats = 100.0 * counts / max(1, len(values))
    return found
