"""A growing curve at the resolution of the screen: least and greatest value per bucket, whatever the curve's length.

Level k of a pyramid holds the extremes of each 4^k points; a view takes the coarsest level that is still finer than the
screen. Appending costs O(1) a point, a view O(pixels). The moving average comes from running sums,

    mean of the last m values before i = (S_i − S_{i−m}) / (N_i − N_{i−m}),

with N the count of finite values, so another m costs nothing but the view. No Qt.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
_FACTOR = 4


@dataclass(frozen=True, slots=True)
class Points:
    """A polyline: x and y, finite, shape (m,) each."""

    x: Floats
    y: Floats

    def seen(self, low: float, high: float) -> Points:
        """In a plot from low to high: a single one is a dash, as a line through it alone is nothing."""
        half = (high - low) / 100
        return Points(self.x + np.array([-half, half]), np.repeat(self.y, 2)) if len(self.x) == 1 else self


class _Growing:
    """An array of float64 that grows by doubling."""

    def __init__(self) -> None:
        self._store: Floats = np.empty(256)
        self.size = 0

    @property
    def values(self) -> Floats:
        return self._store[: self.size]

    def extend(self, values: Floats) -> None:
        end = self.size + len(values)
        if end > len(self._store):
            grown = np.empty(max(end + end // 8, 2 * len(self._store)))
            grown[: self.size] = self.values
            self._store = grown
        self._store[self.size : end] = values
        self.size = end


@dataclass(slots=True)
class _Level:
    low: _Growing
    high: _Growing


class Envelope:
    """The pyramid of one column; feed it with `update`."""

    def __init__(self) -> None:
        self._steps: Floats = np.empty(0)
        self._column: Floats = np.empty(0)
        self._levels: list[_Level] = []
        self._sums: _Growing | None = None
        self._counts: _Growing | None = None

    def update(self, steps: Floats, column: Floats) -> None:
        """Take in what was appended since the last call.

        Args:
            steps: x of every point, ascending, shape (n,).
            column: y of every point, shape (n,); NaN where there is none.
        """
        self._steps, self._column = steps, column
        low = high = column
        number = 0
        while len(low) // _FACTOR >= 64:
            if number == len(self._levels):
                self._levels.append(_Level(_Growing(), _Growing()))
            level = self._levels[number]
            done, total = level.low.size, len(low) // _FACTOR
            if total == done:
                break  # nor have the levels above this one anything to take in
            fresh = slice(done * _FACTOR, total * _FACTOR)
            level.low.extend(_quarter(np.fmin, low[fresh]))
            level.high.extend(_quarter(np.fmax, high[fresh]))
            low, high, number = level.low.values, level.high.values, number + 1

    def prepare(self) -> None:
        """Bring the running sums up to date as well, which a moving average needs."""
        self._running()

    def view(self, first: int, last: int, buckets: int) -> Points:
        """Points first…last (excluded), as at most about 2·buckets + 3 points that touch every extreme."""
        first, last = max(0, first), min(last, len(self._column))
        if last - first <= 2 * buckets:
            return _finite(self._steps[first:last], self._column[first:last])
        number, size, low, high = 0, 1, self._column, self._column
        while number < len(self._levels) and (last - first) / (size * _FACTOR) > buckets:
            level = self._levels[number]
            number, size, low, high = number + 1, size * _FACTOR, level.low.values, level.high.values
        # Groups start at multiples of their size, so that they stand still while points come in.
        group = max(1, math.ceil((last - first) / size / buckets))
        start = first // (size * group) * group
        starts = np.arange(start, max(start + 1, last // size), group)
        end = min(len(low), last // size)
        starts = starts[starts < end]
        lows = np.fmin.reduceat(low[:end], starts) if len(starts) else np.empty(0)
        highs = np.fmax.reduceat(high[:end], starts) if len(starts) else np.empty(0)
        x = np.repeat(self._steps[np.minimum(starts * size, len(self._steps) - 1)], 2)
        y = _there_and_back(lows, highs, starts // group)
        tail = self._column[end * size : last]
        if len(tail):
            x = np.append(x, self._steps[[end * size, end * size]])
            y = np.append(y, [np.fmin.reduce(tail), np.fmax.reduce(tail)])
        return _finite(np.append(x, self._steps[last - 1]), np.append(y, self._column[last - 1]))

    def smoothed(self, first: int, last: int, buckets: int, window: int) -> Points:
        """The mean of the last `window` finite values at about `buckets` places of first…last (excluded)."""
        sums, counts = self._running()
        first, last = max(0, first), min(last, len(self._column))
        if last <= first:
            return Points(np.empty(0), np.empty(0))
        stride = 1 << max(0, int(np.ceil(np.log2(max(1.0, (last - first) / buckets)))))
        at = np.append(np.arange(-(-first // stride) * stride, last - 1, stride), last - 1)
        before = np.maximum(at + 1 - window, 0)
        number = counts[at + 1] - counts[before]
        mean = (sums[at + 1] - sums[before]) / np.maximum(number, 1)
        return _finite(self._steps[at], np.where(number > 0, mean, np.nan))

    def _running(self) -> tuple[Floats, Floats]:
        """S and N, each of shape (n + 1,), brought up to date."""
        if self._sums is None or self._counts is None:
            self._sums, self._counts = _Growing(), _Growing()
            self._sums.extend(np.zeros(1))
            self._counts.extend(np.zeros(1))
        fresh = self._column[self._sums.size - 1 :]
        if len(fresh):
            finite = np.isfinite(fresh)
            self._sums.extend(self._sums.values[-1] + np.cumsum(np.where(finite, fresh, 0.0)))
            self._counts.extend(self._counts.values[-1] + np.cumsum(finite, dtype=np.float64))
        return self._sums.values, self._counts.values


def _quarter(extreme: np.ufunc, values: Floats) -> Floats:
    """Extreme of each four values, shape (n/4,)."""
    pairs = extreme(values[0::2], values[1::2])
    reduced: Floats = extreme(pairs[0::2], pairs[1::2])
    return reduced


def _there_and_back(lows: Floats, highs: Floats, numbers: NDArray[np.int64]) -> Floats:
    """Up in one bucket, down in the next, shape (2n,): a line that returned to the least value each time would be drawn
    over the same pixels twice, and long strokes are most of what a noisy curve costs.
    """
    pairs = np.column_stack([lows, highs])
    down = numbers % 2 == 1
    pairs[down] = pairs[down, ::-1]
    return pairs.ravel()


def _finite(x: Floats, y: Floats) -> Points:
    mask = np.isfinite(y)
    return Points(x, y) if mask.all() else Points(x[mask], y[mask])
