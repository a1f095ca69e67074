"""What an axis shows: its range, its ticks with what stands beside them, and lines across it. Loads no Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass

from studio.number_text import power

Range = tuple[float, float]

_NICE = (1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A value that a plot compares with, drawn across it.

    Attributes:
        place: on the axis as drawn, so log₁₀ of the value where the axis is logarithmic.
        title: its name; several at one place share a line.
    """

    place: float
    title: str


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


def linear_ticks(low: float, high: float, most: int) -> list[float]:
    """About `most` round values in low…high; never fewer than two, as one alone gives no scale."""
    if not high > low:
        return []
    raw = (high - low) / max(1, most)
    scale = 10.0 ** math.floor(math.log10(raw))
    steps = [nice * scale for nice in (0.2, 0.5, 1, 2, 5, 10)]
    widest = next(place for place, step in enumerate(steps) if step >= raw * (1 - 1e-9))
    return next((ticks for step in steps[widest::-1] if len(ticks := _multiples(step, low, high)) > 1), [])


def _multiples(step: float, low: float, high: float) -> list[float]:
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return [index * step for index in range(first, last + 1)]


def log_ticks(low: float, high: float, most: int) -> list[float]:
    """log₁₀ of round values between 10^low and 10^high: decades, or 1–2–5, or as on a linear axis; two at least."""
    decades = high - low
    if decades > most / 2:
        wanted = math.ceil(decades / max(1, most))
        every = next((nice for nice in (1, 2, 3, 5, 10, 20, 50, 100, 200) if nice >= wanted), wanted)
        for step in (every, 1):
            if len(ticks := _multiples(float(step), low, high)) > 1:
                return ticks
    if decades > 0.9 and math.floor(high) - math.ceil(low) >= 0:
        fine = [d + math.log10(m) for d in range(math.floor(low), math.ceil(high) + 1) for m in (1, 2, 5)]
        seen = [value for value in fine if low <= value <= high]
        return seen[:: max(1, (len(seen) - 1) // max(1, most - 1))] if len(seen) > 1.5 * most else seen
    if abs(low) > 300 or abs(high) > 300:
        return linear_ticks(low, high, most)
    return [math.log10(value) for value in linear_ticks(10.0**low, 10.0**high, most) if value > 0]


def number_label(value: float, step: float) -> str:
    """A tick's text, with as many decimals as the step between ticks needs: 12,000 · 0.25 · 3·10⁻⁷."""
    if value == 0 or abs(value) < step * 1e-6:
        return "0"
    if not 1e-4 <= abs(value) < 1e7:
        return _power_label(value)
    decimals = max(0, -math.floor(math.log10(step) + 1e-9)) if step < 1 else 0
    return f"{value:,.{decimals}f}".replace("-", "−")


def log_label(logarithm: float) -> str:
    """The text of the tick at 10^logarithm: 0.01 · 2 · 500 · 10⁶."""
    if -4 < logarithm < 5:
        return f"{10.0**logarithm:,.3g}" if logarithm < 3 else f"{10.0**logarithm:,.0f}"
    exponent = math.floor(logarithm + 1e-9)
    mantissa = 10.0 ** (logarithm - exponent)
    return power(exponent) if abs(mantissa - 1) < 1e-6 else f"{mantissa:.3g}·{power(exponent)}"


def _power_label(value: float) -> str:
    exponent = math.floor(math.log10(abs(value)) + 1e-9)
    return f"{value / 10.0**exponent:.3g}·{power(exponent)}".replace("-", "−")
