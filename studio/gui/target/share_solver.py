"""Offsets that give classes the shares a person asked for, whatever the other terms of the energy say. No Qt.

With the other terms fixed, a class's share is p′_c ∝ m_c·e^{−a_c}: a_c = s₀·ΔH_c/T is its offset as it counts, and
m_c = Σ_{x∈c} e^{−(ΔH(x) − a_c)} takes the place of its count.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from studio.errors import UserError
from studio.gui.state.view_state import TiltView
from studio.perturb.arrays import Floats
from studio.perturb.energy import class_masses
from studio.perturb.perturbation import (
    checked_offset,
    offset_for_share,
    offsets_for_shares,
    offsets_for_some_shares,
)

_FIELD = "perturbation.offsets"


def solve_share(view: TiltView, index: int, share: float) -> float:
    """ΔH of one class that gives it this share in 0…1 while all others keep their proportions.

    Raises:
        UserError: no offset does.
    """
    factor = _factor(view)
    solved = offset_for_share(_free_counts(view), view.perturbation.class_energies, index, share)
    return checked_offset(solved / factor)


def solve_shares(view: TiltView, shares: Mapping[int, float]) -> list[float]:
    """ΔH of every class so that some have a share each; the others keep their proportions among what is left.

    Raises:
        UserError: no offsets do.
    """
    factor = _factor(view)
    return [
        float(offset / factor)
        for offset in offsets_for_some_shares(_free_counts(view), view.perturbation.class_energies, shares)
    ]


def solve_balance(view: TiltView) -> list[float]:
    """ΔH of every class so that all have the same share.

    Raises:
        UserError: no offsets do.
    """
    factor = _factor(view)
    counts = _free_counts(view)
    return [float(offset / factor) + 0.0 for offset in offsets_for_shares(counts, np.ones(len(counts)))]


def _factor(view: TiltView) -> float:
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
