"""A value that a plot compares with. Needs no pyqtgraph, so what says where lines are does not load it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line.

    Attributes:
        place: on the axis as drawn, so log₁₀ of the value where the axis is logarithmic.
        title: its name; several at one place share a line.
    """

    place: float
    title: str
