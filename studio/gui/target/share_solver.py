"""Offsets that give classes the shares a person asked for, whatever the other terms of the energy say. No Qt.

With the other terms fixed, a class's share is p′_c ∝ m_c·e^{−a_c}: a_c = s₀·ΔH_c/T is its offset as it counts, and
m_c = Σ_{x∈c} e^{−(ΔH(x) − a_c)} takes the place of its count.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from studio.errors import UserError
from studio.gui.state.tilt_view import TiltView
from studio.perturb.arrays import Floats
from studio.perturb.energy import class_masses
from studio.perturb.perturbation import checked_offset, offsets_for_some_shares

_FIELD = "perturbation.offsets"
_ROUNDING, _SLACK = 0.02, 5e-4
"""How far the shares of all classes may miss 100 % and still count as rounded: those typed, or beside locked ones."""
_LEAST_LEFT = 1e-6


def solve_shares(view: TiltView, shares: Mapping[int, float]) -> list[float]:
    """ΔH of every class so that some have a share each and locked ones keep theirs; the other offsets stay.

    Raises:
        UserError: no offsets do.
    """
    return _solved(view, view.perturbation.offsets, shares)


def solve_offsets(view: TiltView, offsets: Mapping[int, float]) -> list[float]:
    """ΔH of every class where some are set and locked ones keep their share.

    Raises:
        UserError: no offsets do.
    """
    whole = list(view.perturbation.offsets)
    for index, offset in offsets.items():
        whole[index] = offset
    if not view.locked - offsets.keys():
        return whole
    if len(view.locked | offsets.keys()) == len(whole) and len(offsets) == 1:
        raise UserError(
            "All other classes are locked",
            "Their shares stay, and so does what is left for this one.",
            "Unlock a class.",
            field=_FIELD,
        )
    return _solved(view, whole, {}, edited=offsets.keys())


def _solved(
    view: TiltView, offsets: Sequence[float], shares: Mapping[int, float], *, edited: Collection[int] = ()
) -> list[float]:
    kept = {index: float(view.summary.target[index]) for index in view.locked if index not in edited} | dict(shares)
    _check_sum(view, shares, kept)
    factor = _factor(view)
    solved = offsets_for_some_shares(_free_counts(view), factor * np.asarray(offsets), kept)
    whole = len(kept) == len(offsets)
    return [
        checked_offset(float(solved[index] / factor)) if whole or index in kept else offset
        for index, offset in enumerate(offsets)
    ]


def _check_sum(view: TiltView, shares: Mapping[int, float], kept: Mapping[int, float]) -> None:
    """The shares wanted and those of locked classes must leave something for the others, or make 100 %."""
    total, locked = sum(kept.values()), sum(share for index, share in kept.items() if index not in shares)
    every = len(kept) == len(view.dataset.counts)
    if abs(total - 1) <= (_SLACK if locked else _ROUNDING) if every else total < 1 - _LEAST_LEFT:
        return
    title = f"The target shares add up to {100 * total:.4g} %"
    if locked:
        left = f"Locked classes keep {100 * locked:.4g} %; "
        rule = f"{left}the others must make {100 * (1 - locked):.4g} %." if every else f"{left}some must be left over."
        raise UserError(title, rule, "Unlock a class, or take another share.", field=_FIELD)
    rule = "Those of all classes must make 100 %." if every else "Together they must stay below 100 %."
    raise UserError(title, rule, "" if every else "The other classes keep a share, too.", field=_FIELD)


def solve_balance(view: TiltView) -> list[float]:
    """ΔH of every class so that all have the same share, but for those that are locked.

    Raises:
        UserError: no offsets do.
    """
    classes = range(len(view.dataset.counts))
    left = 1 - sum(float(view.summary.target[index]) for index in view.locked)
    free = [index for index in classes if index not in view.locked]
    return [offset + 0.0 for offset in solve_shares(view, {index: left / len(free) for index in free})]


def _factor(view: TiltView) -> float:
    if view.uncounted:
        hint = "Enter an offset ΔH, or wait." if view.fault is None else "Enter an offset ΔH, or mend the terms."
        raise UserError("The share that an offset gives is not known", view.why_uncounted, hint, field=_FIELD)
    factor = view.perturbation.energy.offset_factor
    if factor == 0:
        raise UserError(
            "The class offsets do not count",
            "They are switched off or scaled to 0, so no offset gives a share.",
            "Switch them on in the panel “Energy”.",
            field=_FIELD,
        )
    if view.perturbation.energy.clip is not None:
        raise UserError(
            "A share cannot be solved for while ΔH is clipped",
            "The clip changes the target that an offset gives.",
            "Enter offsets ΔH, or take the clip out in the panel “Energy”.",
            field=_FIELD,
        )
    return factor


def _free_counts(view: TiltView) -> Floats:
    """m_c up to a common factor, shape (K,); the counts where nothing but offsets tilts."""
    counts = view.dataset.counts.astype(np.float64)
    if view.energies is None:
        return counts
    with np.errstate(divide="ignore"):
        logs = np.log(class_masses(view.energies.energy, view.dataset.labels, len(counts)))
    logs += view.perturbation.class_energies
    masses: Floats = np.exp(logs - logs.max())
    if not masses.all():
        raise UserError(
            "A class is all but gone",
            "The terms leave it less than e^−700 of the largest one.",
            "Weaken them, or enter an offset ΔH.",
            field=_FIELD,
        )
    return masses
