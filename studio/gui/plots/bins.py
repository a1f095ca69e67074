"""Equal bins: for importance weights over any number of decades, and for values of any kind, with round edges. No Qt.

Weights are binned in log₁₀ w, so that offsets of ±700 neither overflow nor vanish.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.gui.plots.axis import nice_above

Floats = NDArray[np.float64]
_BINS = 33
_VALUE_BINS, _MOST = 40, 400
_FEW = 8
"""Different values from which on a histogram may stand on them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bins:
    """Equal bins along an axis that shows w or log₁₀ w.

    Attributes:
        edges: on that axis, shape (m + 1,).
        logarithmic: the axis shows log₁₀ w.
    """

    edges: Floats
    logarithmic: bool

    def counts(self, log_weights: Floats, numbers: Floats | None = None) -> Floats:
        """How many of these weights fall into each bin, shape (m,).

        Args:
            log_weights: log₁₀ w, shape (n,).
            numbers: how many examples carry each, shape (n,); one each if absent.
        """
        found, _ = np.histogram(place(log_weights, self.logarithmic), bins=self.edges, weights=numbers)
        return found.astype(np.float64)

    def weight_range(self, index: int) -> tuple[float, float]:
        low, high = self.edges[index], self.edges[index + 1]
        with np.errstate(over="ignore", under="ignore"):
            return (float(10.0**low), float(10.0**high)) if self.logarithmic else (float(low), float(high))


def place(log_weights: Floats, logarithmic: bool) -> Floats:
    """Where weights stand on the axis: log₁₀ w, or w itself up to 10³⁰⁰."""
    if logarithmic:
        return log_weights
    with np.errstate(under="ignore"):
        found: Floats = np.power(10.0, np.clip(log_weights, -320.0, 300.0))
    return found


def make_bins(log_weights: Floats, *, logarithmic: bool) -> Bins:
    """Bins that cover these weights: around the one value when all are alike, else equal ones over their range.

    Args:
        log_weights: log₁₀ w of everything to be shown, shape (n,), finite, n ≥ 1.
    """
    values = place(log_weights, logarithmic)
    low, high = float(values.min()), float(values.max())
    middle = (low + high) / 2
    least = 0.2 if logarithmic else max(0.4 * abs(middle), 1e-12)
    width = max(high - low, least)
    # A bin and a half of air on both sides: extremes stand in the middle of their bins, and no bar touches the axis.
    step = width / (_BINS - 3)
    first = middle - width / 2 - 1.5 * step
    edges: Floats = first + step * np.arange(_BINS + 1, dtype=np.float64)
    return Bins(edges=edges, logarithmic=logarithmic)


def value_edges(values: Sequence[Floats], references: Sequence[float] = (), current: Floats | None = None) -> Floats:
    """Edges of bins over all values, shape (m + 1,), with room for the references; about each value where there are
    few, equally far apart.

    Args:
        values: of each series, finite, shape (n,); at least one value in all.
        references: places that the bins shall reach as well.
        current: edges in use, kept while they cover the values and the values fill a good part of them.
    """
    everything = np.concatenate(values)
    distinct = np.unique(everything)
    low, high = float(distinct[0]), float(distinct[-1])
    least, most = min(low, *references, high), max(high, *references, low)
    if current is not None and current[0] <= least and most <= current[-1]:
        step = float(current[1] - current[0])
        if (high - low) / step >= 0.3 * _VALUE_BINS or (most - least) / step >= 0.7 * _MOST:
            return current
    width = max(high - low, 1e-3 * max(abs(low), abs(high)), 1e-9)
    # References far from the values: wider bins, so that there are not too many of them.
    step, shift = nice_above(max(width / _VALUE_BINS, (most - least) / _MOST)), 0.0
    if _FEW <= len(distinct) <= _VALUE_BINS:
        apart = np.diff(distinct)
        places = apart / apart.min()
        if apart.min() > step and np.abs(places - places.round()).max() < 1e-3:  # a share of 64 pixels, say
            step, shift = float(apart.min()), low - apart.min() / 2  # finer bins would be empty between them
    first, last = np.floor((least - shift) / step) - 1, np.ceil((most - shift) / step) + 1
    edges: Floats = shift + step * np.arange(first, last + 1)
    return edges


def shares(values: Floats, edges: Floats) -> Floats:
    """Percentage of the values in each bin, shape (m,); all 0 if there are none."""
    counts, _ = np.histogram(values, bins=edges)
    found: Floats = 100.0 * counts / max(1, len(values))
    return found
