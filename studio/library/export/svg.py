"""A curve as SVG, drawn as least and greatest value per bucket, so that a million points are a few hundred."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from studio.number_text import compact
from studio.perturb.arrays import Floats

_WIDTH, _HEIGHT = 320, 150
_LEFT, _RIGHT, _TOP, _BOTTOM = 66, 10, 8, 22
_BUCKETS = 300


def curve_svg(title: str, x: Floats, y: Floats, marks: Sequence[float] = ()) -> str:
    """A plot of one curve, with a title for screen readers and dashed lines at the marks.

    `x`, ascending, and `y` have shape (n,); points that are not finite are left out.
    """
    known = np.isfinite(x) & np.isfinite(y)
    x, y = decimated(x[known], y[known])
    if not len(x):
        return ""
    x_range = (0.0, max(float(x[-1]), 1.0))
    if len(x) == 1:  # a line through it alone would be nothing
        x, y = x + np.array([-0.01, 0.01]) * x_range[1], np.repeat(y, 2)
    low, high = float(y.min()), float(y.max())
    air = 0.05 * (high - low) or max(abs(high), 1.0) * 0.05
    y_range = (low - air, high + air)
    places = " ".join(f"{_x(a, x_range):.1f},{_y(b, y_range):.1f}" for a, b in zip(x, y, strict=True))
    lines = "".join(
        f'<line class="mark" x1="{_x(mark, x_range):.1f}" x2="{_x(mark, x_range):.1f}" y1="{_TOP}" '
        f'y2="{_HEIGHT - _BOTTOM}"/>'
        for mark in marks
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title, quote=True)}">'
        f"{_frame(x_range, (low, high), y_range)}{lines}<polyline class='curve' points='{places}'/></svg>"
    )


def decimated(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Points that touch every extreme of each bucket, in order; all of them where they are few."""
    if len(x) <= 2 * _BUCKETS:
        return x, y
    starts = np.linspace(0, len(x), _BUCKETS, endpoint=False).astype(int)
    lows, highs = np.minimum.reduceat(y, starts), np.maximum.reduceat(y, starts)
    return np.append(np.repeat(x[starts], 2), x[-1]), np.append(np.column_stack([lows, highs]).ravel(), y[-1])


def _frame(x_range: tuple[float, float], ends: tuple[float, float], y_range: tuple[float, float]) -> str:
    """The axes, with the ends of each."""
    foot, right = _HEIGHT - _BOTTOM, _WIDTH - _RIGHT
    labels = "".join(
        f'<text x="{_LEFT - 6}" y="{_y(value, y_range) + 4:.1f}" text-anchor="end">{compact(value, 3)}</text>'
        for value in dict.fromkeys(ends)
    )
    return (
        f'<path class="axis" d="M{_LEFT} {_TOP}V{foot}H{right}"/>{labels}'
        f'<text x="{_LEFT}" y="{_HEIGHT - 6}">0</text>'
        f'<text x="{right}" y="{_HEIGHT - 6}" text-anchor="end">step {x_range[1]:,.0f}</text>'
    )


def _x(value: float, span: tuple[float, float]) -> float:
    return _LEFT + (_WIDTH - _LEFT - _RIGHT) * (value - span[0]) / (span[1] - span[0])


def _y(value: float, span: tuple[float, float]) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _TOP - _BOTTOM) * (value - span[0]) / (span[1] - span[0])
