"""Ranges of axes that stand still while numbers change. No Qt."""

from __future__ import annotations

import math

Range = tuple[float, float]

_NICE = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


def nice_above(value: float) -> float:
    """The least round number that is not below a positive value."""
    scale = 10.0 ** math.floor(math.log10(value))
    return next(nice * scale for nice in _NICE if nice * scale >= value * (1 - 1e-12))


def steps_shown(last: float, span: int | None) -> Range:
    """The range of steps: everything up to a round number, or the last `span` steps, moved on in eighths."""
    if span is None:
        return 0.0, nice_above(max(last, 100.0))
    stride = span / 8
    end = max(float(span), math.ceil(last / stride) * stride)
    return end - span, end


def sticky(current: Range | None, low: float, high: float) -> Range:
    """The range of values: as it is while the data fills a good part of it, else the data's with some air."""
    if current is not None:
        width = current[1] - current[0]
        if current[0] <= low and high <= current[1] and (high - low) >= 0.45 * width:
            return current
    air = 0.12 * (high - low) or 0.1 * abs(high) or 1.0
    return low - air, high + air
