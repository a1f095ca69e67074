"""Terms as the panel speaks of them: titles, first values that fit the data, and what a target makes of them. No Qt."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from studio.gui.state.tilt_view import TiltView
from studio.models.diagnostic import Histogram, Reference
from studio.number_text import plain
from studio.perturb.arrays import Floats
from studio.perturb.energy import class_masses
from studio.perturb.example_features import ExampleFeatures
from studio.perturb.features import Feature
from studio.perturb.formula_text import quoted
from studio.perturb.perturbation import target_shares
from studio.training.config.energy import (
    ColumnTermConfig,
    FeatureTermConfig,
    FormulaTermConfig,
    JudgeTermConfig,
    LinearTermConfig,
    QuadraticTermConfig,
    TermConfig,
    WindowTermConfig,
)

KINDS: tuple[tuple[type[TermConfig], str, str], ...] = (
    (LinearTermConfig, "Linear", "Favours small or large values of a feature f. ΔH = slope·f."),
    (QuadraticTermConfig, "Quadratic", "Favours values of a feature f near a centre. ΔH = ½·((f − centre)/width)²."),
    (WindowTermConfig, "Window", "Favours values of a feature within a window. ΔH = 0 inside, height outside."),
    (FormulaTermConfig, "Formula", "Any ΔH of features, label and log_odds, such as where(slant > 10, 1, 0)."),
    (ColumnTermConfig, "CSV column", "ΔH of each example from a CSV file: its number or file name, and a number."),
    (JudgeTermConfig, "Judge", "Favours what a classifier takes for a class. ΔH = slope·log(q/(1 − q))."),
)
"""Each kind of term, its title and its help, in the menu's order."""

WEIGHT = "weight"
_GENTLE = 0.5
"""Strength of a fresh linear term: half a unit of ΔH for one standard deviation."""


def kind_title(term: TermConfig) -> str:
    """What a term's row is called."""
    return next(title for kind, title, _ in KINDS if type(term) is kind)


def term_title(term: TermConfig) -> str:
    """What an edit of it is called."""
    if isinstance(term, JudgeTermConfig):
        return f"judge’s log-odds of {term.of}"
    return f"{kind_title(term).lower()} in {term.feature}" if isinstance(term, FeatureTermConfig) else kind_title(term)


_SIGNS: dict[type[TermConfig], str] = {JudgeTermConfig: "⚖", ColumnTermConfig: "▤"}


def term_sign(term: TermConfig) -> str:
    """Of what kind a term is, as one character."""
    return _SIGNS.get(type(term), "ƒ")


def term_words(term: TermConfig) -> str:
    """What a term adds to ΔH, as a formula."""
    match term:
        case FormulaTermConfig():
            words = term.text
        case LinearTermConfig():
            words = f"{plain(term.slope)}·{term.feature}"
        case QuadraticTermConfig():
            words = f"½·(({term.feature} − {plain(term.centre)})/{plain(term.width)})²"
        case WindowTermConfig():
            words = f"{plain(term.height)} outside {term.feature} {plain(term.low)}…{plain(term.high)}"
        case JudgeTermConfig():
            words = f"{plain(term.slope)}·log-odds of {term.of}"
        case ColumnTermConfig():
            words = Path(term.path).name
        case _:
            words = kind_title(term)
    return f"{plain(term.scale)} × ({words})" if term.scale != 1 else words


def shares_without(view: TiltView, measured: ExampleFeatures, place: int) -> Floats:
    """The target's class shares if one of its terms were off, shape (K,).

    Args:
        view: with the energies of its examples.
        measured: these examples.
    """
    energy = view.perturbation.energy
    terms = tuple(replace(term, enabled=False) if at == place else term for at, term in enumerate(energy.terms))
    other = replace(view.perturbation, energy=replace(energy, terms=terms))
    if not other.by_example:
        return target_shares(view.dataset.counts, other.class_energies)
    masses = class_masses(other.example_energies(measured).energy, measured.labels, len(view.dataset.counts))
    return np.asarray(masses / masses.sum())


def fresh_term(seed: TermConfig, values: Floats) -> TermConfig:
    """The same term with numbers that fit what is measured: gentle, about the middle of the data.

    Args:
        seed: the kind of term, with its feature, or the judge's class.
        values: of the feature, or the class's log-odds, shape (N,).
    """
    spread = _rounded(float(np.std(values))) or 1.0
    low, middle, high = (_rounded(float(value), 3) for value in np.quantile(values, [0.25, 0.5, 0.75]))
    match seed:
        case JudgeTermConfig():
            return seed.model_copy(update={"slope": -_rounded(_GENTLE / spread)})
        case LinearTermConfig():
            return seed.model_copy(update={"slope": _rounded(_GENTLE / spread)})
        case QuadraticTermConfig():
            return seed.model_copy(update={"centre": middle, "width": 2 * spread})
        case WindowTermConfig():
            return seed.model_copy(update={"low": low, "high": max(low, high), "height": 1.0})
        case _:
            return seed


def _rounded(value: float, digits: int = 2) -> float:
    return float(f"{value:.{digits}g}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observable:
    """A number of every example that can be shown: a feature, or what a term reads from a judge or a file.

    Attributes:
        name: by which its values are known.
        axis: with its unit.
    """

    name: str
    title: str
    axis: str
    tip: str

    @property
    def unit(self) -> str:
        """What follows a number: what the axis has in brackets at its end."""
        return f" {self.axis.rpartition(' (')[2][:-1]}" if self.axis.endswith(")") else ""


def observables(features: Sequence[Feature], terms: Sequence[TermConfig]) -> tuple[Observable, ...]:
    """The features, and the columns that these terms read, each once."""
    found = [
        Observable(name=each.name, title=each.title, axis=each.axis, tip=f"{each.help} {each.formula}")
        for each in features
    ]
    found += [column for column in map(_column, terms) if column is not None]
    return tuple({each.name: each for each in found}.values())


def _column(term: TermConfig) -> Observable | None:
    """What a term reads that is no feature."""
    if isinstance(term, JudgeTermConfig):
        title = f"Judge: {term.of} ({term.data})" if term.data else f"Judge: {term.of}"
        tip = f"The judge’s log-odds of “{term.of}”. log(q/(1 − q)), q its probability of the class."
        return Observable(name=observed(term), title=title, axis=f"log-odds of {term.of} (nats)", tip=tip)
    if isinstance(term, ColumnTermConfig):
        file = Path(term.path).name
        tip = "ΔH of each example as the file has it."
        return Observable(name=observed(term), title=f"CSV: {file}", axis=f"ΔH from {file}", tip=tip)
    return None


def observed(term: TermConfig) -> str:
    """Name of the one number that a term reads of each example; empty for a formula."""
    return "" if isinstance(term, FormulaTermConfig) else term.resolve().names[0]


def before_and_after(observable: Observable, values: Floats, weights: Floats) -> Histogram:
    """How a number is distributed in the data and in the target.

    Args:
        values: of every example, shape (N,).
        weights: w of every example, shape (N,), finite.
    """
    return Histogram(
        name=observable.name,
        title=f"{observable.title} before and after",
        tip=observable.tip,
        axis=observable.axis,
        series={"Data": values, "Target": resampled(values, weights)},
    )


def weight_histogram(log_weights: Floats) -> Histogram:
    """How weights are distributed over the data.

    Args:
        log_weights: log w of every example, shape (N,).
    """
    return Histogram(
        name=WEIGHT,
        title="Weights of the data",
        tip="How much examples count in the target. w = e^−ΔH, normalised.",
        axis="log₁₀ of the weight w",
        series={"Data": np.maximum(log_weights / np.log(10.0), -30.0)},
        references=(Reference(value=-1.0, title="a tenth"), Reference(value=1.0, title="tenfold")),
    )


def resampled(values: Floats, weights: Floats) -> Floats:
    """As many values as there are, each as often as its weight says: systematic resampling, so without noise.

    Args:
        values: shape (N,).
        weights: shape (N,), not all zero.
    """
    cumulative = np.cumsum(weights)
    places = (np.arange(len(values)) + 0.5) / len(values) * cumulative[-1]
    return values[np.minimum(np.searchsorted(cumulative, places, side="right"), len(values) - 1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Extremes:
    """The examples that the target favours most and least, the first of each the most extreme.

    Attributes:
        most, least: indices, shape (n,).
    """

    most: NDArray[np.int64]
    least: NDArray[np.int64]


def extremes(energy: Floats, count: int) -> Extremes:
    """The `count` examples of lowest and of highest ΔH, or all if there are fewer."""
    count = min(count, len(energy))
    lowest = np.argpartition(energy, count - 1)[:count]
    highest = np.argpartition(energy, len(energy) - count)[-count:]
    return Extremes(
        most=lowest[np.argsort(energy[lowest], kind="stable")],
        least=highest[np.argsort(-energy[highest], kind="stable")],
    )


def label_help(class_names: tuple[str, ...]) -> str:
    """Which number ``label`` and ``log_odds`` have for which class."""
    shown = ", ".join(f"{index} {name}" for index, name in enumerate(class_names[:12]) if name != str(index))
    more = "…" if len(class_names) > 12 else ""
    numbers = f": {shown}{more}" if shown else ""
    example = quoted(class_names[-1][:40])
    return (
        f"label is the class’s number, and label == {example} compares it with a class by name; log_odds(2) or "
        f"log_odds({example}) is what a judge says of a class{numbers}."
    )


def changed_value(before: TermConfig, after: TermConfig) -> str:
    """Title of the first setting that differs; empty if none does."""
    fields: Mapping[str, object] = dict(before)
    for name, info in type(after).model_fields.items():
        if fields.get(name) != getattr(after, name):
            return info.title or name
    return ""
