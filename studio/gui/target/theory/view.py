"""What the theory panel says: titles, curves, marks and words, from `studio.perturb.theory`. No Qt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from studio.evaluation.evaluation import Evaluation, Mean
from studio.gui.plots.axis import Line
from studio.gui.state.dataset_view import DatasetView
from studio.gui.state.tilt_view import TiltView
from studio.gui.target.terms import Observable
from studio.number_text import compact, percent_words
from studio.perturb.arrays import Floats
from studio.perturb.example_features import ExampleFeatures
from studio.perturb.features import measure
from studio.perturb.free_energy import Ladder
from studio.perturb.theory import COLLAPSED, Reweighted, Theory
from studio.training.messages.snapshot import PlaneFrame

CLASS = "class:"
"""Begins the name of a class's share; what follows is its number."""

_DRAWS = 1000
"""From which −log Z is estimated."""
_NORMAL = 1.96
"""Standard errors in half of a 95 % interval."""


def formula_of(name: str) -> str:
    """f of a class's share, or of a feature, as a formula."""
    return f"label == {name.removeprefix(CLASS)}" if name.startswith(CLASS) else name


def unit_of(name: str) -> float:
    """Of the plot, in which shares are per cent."""
    return 100.0 if name.startswith(CLASS) else 1.0


def with_error(found: Mean, unit: str) -> str:
    """⟨f⟩ ± its standard error."""
    return f"{compact(found.value, 3)} ± {compact(found.error, 2)}{unit}"


def of_evaluation(name: str, found: Evaluation, class_names: Sequence[str]) -> Mean | None:
    """⟨f⟩ of the samples that were judged: the corrected share of one of these classes in per cent, if the judge tells
    them apart, or a feature's mean.
    """
    if not name.startswith(CLASS):
        return found.features.get(name)
    if found.class_names != class_names:
        return None
    place = int(name.removeprefix(CLASS))
    shares = found.shares
    error = float(shares.high[place] - shares.low[place]) / (2 * _NORMAL)
    return Mean(value=100 * float(shares.corrected[place]), error=100 * error)


def of_points(name: str, frame: PlaneFrame) -> Mean | None:
    """⟨f⟩ of a model's points on the plane: the share of those that are most probably of a class, or a coordinate."""
    if not name.startswith(CLASS):
        return mean_of(measure(frame.points, [name])[name])
    return mean_of(100.0 * (frame.labels == int(name.removeprefix(CLASS))))


def mean_of(values: NDArray[np.float64]) -> Mean | None:
    """Their mean and its standard error; None of fewer than two."""
    if len(values) < 2:
        return None
    return Mean(value=float(values.mean()), error=float(values.std(ddof=1) / np.sqrt(len(values))))


DATA = ("Data", "Mean of f over the data as they are, with its standard error: no tilt. ⟨f⟩.")
SERIES = {
    "exact": ("Exact", "Mean of f over the tilted data, with its standard error. Σ w·f/Σ w, w = e^(−s·ΔH)."),
    "first": ("First order", "Prediction from how f goes with ΔH in the data, with its error. ⟨f⟩ − s·Cov(f, ΔH)."),
    "second": (
        "Second order",
        "The same with the next cumulant, ½·s²·⟨(f − ⟨f⟩)(ΔH − ⟨ΔH⟩)²⟩, added, with its error.",
    ),
    "model": (
        "Model",
        "What the model would generate, to first order from s₀, where it was trained. ⟨f⟩ + (s − s₀)·d⟨f⟩/ds.",
    ),
}
PLOTS = {
    "mean": ("⟨f⟩", "Mean of f against the scale s of the tilt: exact and predicted."),
    "energy": ("−log Z", "Free energy of the tilt against its expansion. Z = ⟨e^(−s·ΔH)⟩ over the data."),
    "ess": ("ESS/n", "Share of the data that the weighted data is worth, by Kish. (Σw)²/(n·Σw²)."),
}


def means(dataset: DatasetView, observables: Sequence[Observable]) -> tuple[Observable, ...]:
    """Everything whose mean can be predicted: each class's share, and the mean of what else is known of examples."""
    names = dataset.class_names if dataset.labelled else ()
    shares = (
        Observable(name=f"{CLASS}{place}", title=f"Share of {name}", axis=f"share of {name} (%)", tip="")
        for place, name in enumerate(names)
    )
    return (*shares, *(replace(each, axis=f"mean {each.axis[:1].lower()}{each.axis[1:]}") for each in observables))


def theory_of(tilt: TiltView, measured: ExampleFeatures, name: str) -> Theory:
    """Prediction and truth for a class's share in per cent, named `CLASS` and its number, or for a measured feature.

    Raises:
        UserError: a value is not finite.
    """
    dataset = tilt.dataset
    if not name.startswith(CLASS):
        return Theory.of(measured.values(name), tilt.example_energies)
    index = int(name.removeprefix(CLASS))
    if tilt.energies is not None:
        return Theory.of(100.0 * (dataset.labels == index), tilt.example_energies)
    kinds = np.arange(len(dataset.counts))
    return Theory.of(100.0 * (kinds == index), tilt.perturbation.class_energies, counts=dataset.counts)


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


def numbers(theory: Theory, scale: float) -> dict[str, Mean]:
    """⟨f⟩ at the scale s with its error: in the data, reweighted, and by each order of the expansion."""
    exact, moments = exact_at(theory, scale), theory.moments

    def error(values: Floats) -> float:
        return float(np.interp(scale, theory.exact.scales, values))

    return {
        "data": Mean(value=moments.mean, error=float(theory.first_error[0])),
        "exact": Mean(value=float(exact.mean[0]), error=float(exact.error[0])),
        "first": Mean(value=float(moments.first(scale)), error=error(theory.first_error)),
        "second": Mean(value=float(moments.second(scale)), error=error(theory.second_error)),
    }


def free_energy_words(theory: Theory, scale: float) -> str:
    """−log Z at the scale s, and what the expansion makes of it."""
    exact = float(exact_at(theory, scale).free_energy[0])
    orders = []
    for order, name in ((1, "first"), (2, "second")):
        fails = theory.free_energy_fails_at(order)
        holds = "" if fails is None else f", wrong by over 0.05 from s = {fails:.2f}"
        orders.append(f"{name} order {compact(float(theory.moments.free_energy(scale, order)), 3)}{holds}")
    return f"−log Z = {compact(exact, 3)} nats at s = {scale:.2f} ({'; '.join(orders)})."


def ladder_words(theory: Theory, scale: float) -> str:
    """What draws give of −log Z at the scale s > 0: of the data alone, and of tilts between."""
    rng, counts = np.random.default_rng(0), theory.counts
    drawn = rng.choice(theory.energy, _DRAWS, p=counts / counts.sum())
    once = Reweighted.of(np.zeros(_DRAWS), drawn, [scale])
    plain, error = float(once.free_energy[0]), float(np.sqrt((1 / once.efficiency[0] - 1) / _DRAWS))
    ladder = Ladder.drawn(theory.energy, scale, _DRAWS, rng, counts)
    return (
        f"{_DRAWS:,} draws of the data would give it as {compact(plain, 3)} ± {compact(error, 2)}; as many of "
        f"{len(ladder.scales)} tilts from 0 to s, whose neighbours overlap by half or more, "
        f"{compact(ladder.free_energy, 3)} ± {compact(ladder.error, 2)} (BAR)."
    )


def words(theory: Theory, scale: float, efficiency: float) -> str:
    """How far the expansion and the data carry; `efficiency` is ESS/n at the scale s."""
    if theory.moments.variance == 0:
        return "ΔH is the same for all examples, so nothing is tilted: give a class another offset, or add a term."
    orders = []
    for order, name in ((1, "First"), (2, "second")):
        fails = theory.fails_at(order)
        orders.append(f"{name} order holds " + ("to s = 2" if fails is None else f"below s = {fails:.2f}"))
    collapse = theory.collapses_at
    ess = f"ESS/n is {percent_words(efficiency)} at s = {scale:.2f}"
    end = "" if collapse is None else f", and below {100 * COLLAPSED:.0f} % from s = {collapse:.2f}"
    return f"{', '.join(orders)} (to within 5 % of the change). {ess}{end}."


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
