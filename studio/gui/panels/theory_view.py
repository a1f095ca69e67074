"""What the theory panel says: titles, curves and words, from `studio.perturb.theory`. No Qt."""

from __future__ import annotations

import numpy as np

from studio.perturb.arrays import Floats
from studio.perturb.theory import COLLAPSED, Reweighted, Theory

SERIES = {
    "exact": ("Exact", "Mean of f over the tilted data, with its standard error. Σ w·f/Σ w, w = e^(−s·ΔH)."),
    "first": ("First order", "Prediction from how f goes with ΔH in the data. ⟨f⟩ − s·Cov(f, ΔH)."),
    "second": ("Second order", "The same with the next cumulant, ½·s²·⟨(f − ⟨f⟩)(ΔH − ⟨ΔH⟩)²⟩, added."),
}
PLOTS = {
    "mean": ("⟨f⟩", "Mean of f against the scale s of the tilt: exact and predicted."),
    "energy": ("−log Z", "Free energy of the tilt against its expansion. Z = ⟨e^(−s·ΔH)⟩ over the data."),
    "ess": ("ESS/n", "Share of the data that the weighted data is worth, by Kish. (Σw)²/(n·Σw²)."),
}


def curves(theory: Theory) -> dict[str, dict[str, Floats]]:
    """Values over the scales by plot and by the legend's text."""
    exact, moments = theory.exact, theory.moments
    at = exact.scales
    first, second = SERIES["first"][0], SERIES["second"][0]
    truth = SERIES["exact"][0]
    return {
        "mean": {truth: exact.mean, first: moments.first(at), second: moments.second(at)},
        "energy": {truth: exact.free_energy, first: moments.free_energy(at, 1), second: moments.free_energy(at, 2)},
        "ess": {truth: 100.0 * exact.efficiency},
    }


def exact_at(theory: Theory, scale: float) -> Reweighted:
    """Exact values at any scale s: between two computed ones they are as good as on a line."""
    exact, at = theory.exact, np.array([scale])
    found = {
        name: np.interp(at, exact.scales, getattr(exact, name))
        for name in ("mean", "error", "free_energy", "efficiency")
    }
    return Reweighted(scales=at, **found)


def words(theory: Theory, scale: float, efficiency: float) -> str:
    """How far the expansion and the data carry; `efficiency` is ESS/n at the scale s."""
    if theory.moments.variance == 0:
        return "ΔH is the same for all examples, so nothing is tilted: give a class another offset."
    orders = []
    for order, name in ((1, "First"), (2, "second")):
        fails = theory.fails_at(order)
        orders.append(f"{name} order holds " + ("to s = 2" if fails is None else f"below s = {fails:.2f}"))
    collapse = theory.collapses_at
    ess = f"ESS/n is {100 * efficiency:.3g} % at s = {scale:.2f}"
    end = "" if collapse is None else f", and below {100 * COLLAPSED:.0f} % from s = {collapse:.2f}"
    return f"{', '.join(orders)} (to within 5 % of the change). {ess}{end}."
