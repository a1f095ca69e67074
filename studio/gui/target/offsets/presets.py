"""Tilts at the press of a button, as offsets per class. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass

from studio.gui.state.tilt_view import TiltView
from studio.gui.target.share_solver import solve_balance

SUPPRESSED = 20.0
"""ΔH of the classes that "Only these" leaves out: e^−20 is two in a thousand million."""

Rows = Collection[int]


@dataclass(frozen=True, slots=True)
class Preset:
    """One button.

    Attributes:
        name: object name of its button.
        title: text on the button and of the undo step.
        offsets: (tilt, selected classes) → ΔH per class, length K; None for no tilt at all, whatever tilts.
        needs_rows: works on the selected classes.
    """

    name: str
    title: str
    help: str
    offsets: Callable[[TiltView, Rows], list[float]] | None
    needs_rows: bool = False


def balance(view: TiltView, rows: Rows) -> list[float]:
    """All target shares equal."""
    return solve_balance(view)


def only_these(view: TiltView, rows: Rows) -> list[float]:
    """The rows as they are in the data, the others all but gone."""
    return [0.0 if row in rows else SUPPRESSED for row in range(len(view.perturbation.offsets))]


def invert(view: TiltView, rows: Rows) -> list[float]:
    """What was made likely becomes unlikely, and the other way round."""
    return [0.0 - offset for offset in view.perturbation.offsets]


_ZERO = "No tilt: set every offset to 0 and switch every term off. The target is the data as it is."
_BALANCE = "Make all target shares equal, however many examples each class has; locked classes keep theirs."
_ONLY = (
    f"Keep the selected classes: their offset becomes 0, that of all others +{SUPPRESSED:g}, which leaves them about "
    "e^−20 = two in a thousand million."
)
PRESETS = (
    Preset("preset_zero", "Zero", _ZERO, None),
    Preset("preset_balance", "Balance", _BALANCE, balance),
    Preset("preset_only", "Only these", _ONLY, only_these, needs_rows=True),
    Preset("preset_invert", "Invert", "Invert every offset: ΔH becomes −ΔH.", invert),
)
