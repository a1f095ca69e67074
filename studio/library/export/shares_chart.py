"""Class shares as SVG: data grey, target outlined, generated filled in the class's colour with its 95 % interval."""

from __future__ import annotations

from html import escape

import numpy as np

from studio.evaluation.evaluation import Evaluation
from studio.names import shortened
from studio.theme_tokens import load_tokens

MOST_CLASSES = 16
_WIDTH, _ROW, _TOP = 640, 26, 22
_LEFT, _RIGHT = 110, 150
_NICE = (0.01, 0.02, 0.05, 0.1, 0.2, 0.25, 0.5, 1.0)
_NAME = 14
"""Letters of a class's name that there is room for."""


def shown_classes(found: Evaluation) -> list[int]:
    """The classes that there is room for, in their order: those whose generated share is farthest from the target."""
    apart = np.abs(found.shares.corrected[:-1] - found.target[:-1])
    farthest = np.argsort(-np.nan_to_num(apart), kind="stable")[:MOST_CLASSES]
    return sorted(farthest.tolist())


def shares_svg(found: Evaluation) -> str:
    """A row a class, on one scale that begins at 0."""
    classes, tokens = shown_classes(found), load_tokens(dark=False)
    shares = found.shares
    drawn = np.stack([found.data, found.target, shares.corrected, shares.high])[:, classes]
    most = float(np.nanmax(drawn, initial=0.01))
    top = next((nice for nice in _NICE if nice >= most), 1.0)
    scale = (_WIDTH - _LEFT - _RIGHT) / top
    rows = ""
    for place, index in enumerate(classes):
        y, middle = _TOP + place * _ROW, _TOP + place * _ROW + 15
        values = (found.data, found.target, shares.corrected, shares.low, shares.high)
        data, target, made, low, high = (float(np.nan_to_num(each[index])) for each in values)
        name, colour = escape(shortened(found.class_names[index], _NAME)), tokens.class_colour(index)
        rows += (
            f'<text x="{_LEFT - 8}" y="{middle + 4}" text-anchor="end">{name}</text>'
            f'<rect class="data" x="{_LEFT}" y="{y + 2}" width="{data * scale:.1f}" height="5"/>'
            f'<rect fill="{colour}" x="{_LEFT}" y="{y + 9}" width="{made * scale:.1f}" height="12"/>'
            f'<rect class="target" x="{_LEFT}" y="{y + 9}" width="{target * scale:.1f}" height="12"/>'
            f'<path class="interval" d="M{_LEFT + low * scale:.1f} {middle}H{_LEFT + high * scale:.1f}"/>'
            f'<text x="{_WIDTH - _RIGHT + 12}" y="{middle + 4}">{100 * made:.1f} of {100 * target:.1f} %</text>'
        )
    foot = _TOP + len(classes) * _ROW + 2
    ticks = "".join(
        f'<path class="grid" d="M{_LEFT + part * top * scale:.1f} {_TOP}V{foot}"/>'
        f'<text x="{_LEFT + part * top * scale:.1f}" y="{foot + 14}" text-anchor="middle">{100 * part * top:g} %</text>'
        for part in (0.0, 0.5, 1.0)
    )
    return (
        f'<svg viewBox="0 0 {_WIDTH} {foot + 18}" role="img" aria-label="Shares by class: data, target and generated">'
        f"{_legend()}{ticks}{rows}</svg>"
    )


def _legend() -> str:
    return (
        f'<rect class="data" x="{_LEFT}" y="4" width="18" height="8"/><text x="{_LEFT + 24}" y="12">data</text>'
        f'<rect class="target" x="{_LEFT + 80}" y="3" width="18" height="10"/>'
        f'<text x="{_LEFT + 104}" y="12">target</text>'
        f'<rect class="made" x="{_LEFT + 170}" y="3" width="18" height="10"/>'
        f'<text x="{_LEFT + 194}" y="12">generated, with 95 % interval</text>'
    )
