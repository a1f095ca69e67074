"""Places along the scale s that the theory panel's plots mark: here, where an order fails, where ESS/n collapses."""

from __future__ import annotations

from collections.abc import Callable

from studio.gui.plots.reference_lines import Line
from studio.perturb.theory import Theory


def marks(theory: Theory, scale: float) -> dict[str, list[Line]]:
    """The lines of each plot."""
    here = Line(place=scale, title="s")
    return {
        "mean": [here, *_fails(theory.fails_at)],
        "energy": [here, *_fails(theory.free_energy_fails_at)],
        "ess": [here, *_line(theory.collapses_at, "collapse")],
    }


def _fails(at: Callable[[int], float | None]) -> list[Line]:
    return [line for order in (1, 2) for line in _line(at(order), f"order {order} fails")]


def _line(place: float | None, title: str) -> list[Line]:
    return [] if place is None else [Line(place=place, title=title)]
