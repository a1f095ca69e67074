"""What a person enters into the offsets table, read and handed to the target; all or nothing. No widgets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from studio.errors import UserError
from studio.gui.state.tilt_view import TiltView
from studio.gui.target.offsets.columns import Column
from studio.gui.target.offsets.presets import Preset
from studio.gui.target.share_solver import solve_offsets, solve_shares
from studio.gui.target.target_control import TargetControl
from studio.gui.widgets.number_entry import NotANumber, parse_number, parse_percent, shown_number
from studio.perturb.perturbation import LARGEST_OFFSET

_STEP = {Column.OFFSET: 0.1, Column.TARGET: 0.01}
"""One notch of the wheel: 0.1 in ΔH, one percentage point of share."""
_FINE = 0.1
_LEAST_DRAGGED = 0.001
_FIELD = "perturbation.offsets"


class OffsetsEdits:
    """Edits of the tilt in view. Every method raises UserError before anything is changed."""

    def __init__(self, target: TargetControl) -> None:
        self._target = target

    @property
    def view(self) -> TiltView | None:
        return self._target.tilt

    def enter(self, column: Column, texts: Mapping[int, str]) -> None:
        """Set cells of one column, by row, to what was typed or pasted."""
        view = self.view
        if view is None or not texts:
            return
        read = parse_share if column is Column.TARGET else parse_offset
        several = len(set(texts.values())) > 1
        values = {}
        for row, text in texts.items():
            try:
                values[row] = read(text)
            except UserError as error:
                where = f"{view.dataset.class_names[row]}: " if several else ""
                raise UserError(where + error.title, error.message, error.hint, field=error.field) from error
        self._set(view, column, values)

    def nudge(self, column: Column, rows: Sequence[int], steps: float, *, fine: bool) -> None:
        """Move cells of one column by steps of the wheel."""
        view = self.view
        if view is None or not rows:
            return
        step = _STEP[column] * (_FINE if fine else 1.0) * steps
        if column is Column.OFFSET:
            old = view.perturbation.offsets
            moved = {row: max(-LARGEST_OFFSET, min(LARGEST_OFFSET, round(old[row] + step, 9))) for row in rows}
        else:
            moved = {row: _moved_share(float(view.summary.target[row]), step) for row in rows}
        self._set(view, column, moved)

    def reset(self, rows: Sequence[int]) -> None:
        view = self.view
        if view is not None and rows:
            self._set(view, Column.OFFSET, dict.fromkeys(rows, 0.0))

    def apply(self, preset: Preset, rows: Sequence[int]) -> None:
        view = self.view
        if view is None:
            return
        if preset.offsets is None:
            self._target.switch_off(preset.title)
        else:
            self._target.set_offsets(preset.offsets(view, rows), preset.title)

    def drag(self, index: int, share: float) -> None:
        """Show what a share would make of the target."""
        view = self.view
        if view is None:
            return
        kept = sum(float(view.summary.target[each]) for each in view.locked if each != index)
        most = (1 - kept) * (1 - _LEAST_DRAGGED)
        self._target.look_ahead(solve_shares(view, {index: max(_LEAST_DRAGGED, min(most, round(share, 3)))}))

    def drop(self, index: int, *, kept: bool) -> None:
        """Have what was dragged count, in one step, or give it up."""
        view = self.view
        if view is not None and kept:
            name = view.dataset.class_names[index]
            self._target.set_offsets(view.perturbation.offsets, f"Share of {name}", apart=True)
        else:
            self._target.look_back()

    def _set(self, view: TiltView, column: Column, values: Mapping[int, float]) -> None:
        share = column is Column.TARGET
        offsets = solve_shares(view, values) if share else solve_offsets(view, values)
        what = "Share" if share else "ΔH"
        several = f"{len(values)} classes"
        whose = several if len(values) > 1 else view.dataset.class_names[next(iter(values))]
        self._target.set_offsets(offsets, f"{what} of {whose}")


def parse_offset(text: str) -> float:
    """ΔH as typed.

    Raises:
        UserError: it is no finite number within ±700.
    """
    try:
        value = parse_number(text)
    except NotANumber as error:
        hint = "Shares in per cent go into the column “Share p′”." if "%" in text else "Example: −1.36."
        raise UserError(str(error), "An offset ΔH is a plain number.", hint, field=_FIELD) from error
    if abs(value) > LARGEST_OFFSET:
        raise UserError(
            f"{shown_number(value)} is too large an offset",
            f"ΔH must lie between −{LARGEST_OFFSET:g} and {LARGEST_OFFSET:g}; ±5 is already a strong tilt.",
            field=_FIELD,
        )
    return value


def parse_share(text: str) -> float:
    """A target share in 0…1, typed in per cent.

    Raises:
        UserError: it is no number strictly between 0 % and 100 %.
    """
    try:
        share = parse_percent(text)
    except NotANumber as error:
        hint = "Example: 30 or 30 %."
        raise UserError(str(error), "A target share is a number in per cent.", hint, field=_FIELD) from error
    if not 0 < share < 1:
        raise UserError(
            f"{shown_number(100 * share)} % is not a possible target share",
            "It must lie above 0 % and below 100 %, because no finite offset removes a class altogether.",
            "Use a small share such as 0.001 %, or “Only these”." if share <= 0 else "Use “Only these”.",
            field=_FIELD,
        )
    return share


def _moved_share(share: float, step: float) -> float:
    """A step along, or half-way where the step would leave 0…1."""
    moved = round(share + step, 9)
    if moved <= 0:
        return share / 2
    return moved if moved < 1 else (1 + share) / 2
