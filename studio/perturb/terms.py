"""The terms of an energy: each gives every example a number t(x, y), which the energy scales and adds up.

linear      slope·f                              f a feature, in its own unit
quadratic   ½·((f − centre)/width)²              the target is multiplied by a Gaussian of that width
window      0 within low…high, height outside    e^{−height} times as much of what lies outside
formula     any formula over features, label (the number of a class, or compared with its name) and log_odds
column      a number per example from elsewhere, such as a file
judge       slope·log(q/(1 − q))                 q the probability that a classifier gives a class
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from studio.errors import UserError
from studio.perturb.arrays import Floats
from studio.perturb.example_features import COLUMN, ExampleFeatures
from studio.perturb.features import FEATURES
from studio.perturb.formula import LABEL, Formula, class_of_variable, parse_formula

FORMULA_NAMES = tuple(feature.name for feature in FEATURES)
"""What a formula may name before it is known which data it meets."""


def judged(data: str, of: str | int) -> str:
    """Name of the column of a judge's log-odds of a class, by name or number; `data` trained it, or these if empty."""
    return f"{COLUMN}judge:{json.dumps([data, of])}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Term(ABC):
    """One row of the energy; a negative scale turns preference into avoidance."""

    kind: ClassVar[str] = ""
    scale: float = 1.0
    enabled: bool = True

    @property
    def active(self) -> bool:
        return self.enabled and self.scale != 0

    @property
    @abstractmethod
    def title(self) -> str:
        """What messages call it."""

    @property
    @abstractmethod
    def names(self) -> tuple[str, ...]:
        """The values it needs of each example."""

    @property
    def sources(self) -> dict[str, str]:
        """The values that messages may show, by what they are called there."""
        return {name: name for name in self.names if not name.startswith(COLUMN)}

    @abstractmethod
    def energy(self, measured: ExampleFeatures) -> Floats:
        """t of every example, unscaled, shape (N,); may be not finite. Raises UserError if it cannot be had."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FeatureTerm(Term):
    """Base of the terms in one feature."""

    feature: str

    @property
    def title(self) -> str:
        return f"the {self.kind} term in {self.feature}"

    @property
    def names(self) -> tuple[str, ...]:
        return (self.feature,)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinearTerm(FeatureTerm):
    """slope·f; a positive slope favours small values."""

    kind: ClassVar[str] = "linear"
    slope: float = 1.0

    def energy(self, measured: ExampleFeatures) -> Floats:
        return self.slope * measured.values(self.feature)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuadraticTerm(FeatureTerm):
    """½·((f − centre)/width)²; favours values near the centre."""

    kind: ClassVar[str] = "quadratic"
    centre: float = 0.0
    width: float = 1.0

    def energy(self, measured: ExampleFeatures) -> Floats:
        return 0.5 * ((measured.values(self.feature) - self.centre) / self.width) ** 2


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowTerm(FeatureTerm):
    """0 where low ≤ f ≤ high, and height elsewhere."""

    kind: ClassVar[str] = "window"
    low: float = 0.0
    high: float = 1.0
    height: float = 3.0

    def energy(self, measured: ExampleFeatures) -> Floats:
        values = measured.values(self.feature)
        return np.where((values >= self.low) & (values <= self.high), 0.0, self.height)


@dataclass(frozen=True, slots=True, kw_only=True)
class FormulaTerm(Term):
    """A formula over features, ``label`` and ``log_odds``; raises FormulaError if it is none.

    `data` names the data that the judge was trained on whose log-odds it takes; empty for the data themselves.
    """

    kind: ClassVar[str] = "formula"
    text: str
    data: str = ""

    def __post_init__(self) -> None:
        self.formula()

    def formula(self) -> Formula:
        return parse_formula(self.text, FORMULA_NAMES)

    @property
    def title(self) -> str:
        return f"the formula {self.text.strip()[:60]}"

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(source for source in self.sources.values() if source != LABEL)

    @property
    def sources(self) -> dict[str, str]:
        """Every variable, with what it is read from."""
        return {name: self._source(name) for name in self.formula().variables}

    def _source(self, variable: str) -> str:
        of = class_of_variable(variable)
        return variable if of is None else judged(self.data, of)

    def energy(self, measured: ExampleFeatures) -> Floats:
        names = [feature.name for feature in measured.features]
        formula = parse_formula(self.text, names, measured.class_names)
        values = {name: measured.values(source) for name, source in self.sources.items()}
        return formula.evaluate(values, len(measured))


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnTerm(Term):
    """A number per example from elsewhere; what loads columns knows the source, such as ``csv:/data/energies.csv``."""

    kind: ClassVar[str] = "column"
    source: str

    @property
    def title(self) -> str:
        return f"the column of {self.source.partition(':')[2] or self.source}"

    @property
    def names(self) -> tuple[str, ...]:
        return (COLUMN + self.source,)

    def energy(self, measured: ExampleFeatures) -> Floats:
        return measured.values(COLUMN + self.source)


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgeTerm(Term):
    """slope·log-odds, in nats, of a class by a judge; a negative slope favours what looks like that class.

    `data` names the data that the judge was trained on; empty for the data themselves.
    """

    kind: ClassVar[str] = "judge"
    of: str
    data: str = ""
    slope: float = -0.1

    @property
    def title(self) -> str:
        return f"the judge’s log-odds of “{self.of}”"

    @property
    def names(self) -> tuple[str, ...]:
        return (judged(self.data, self.of),)

    def energy(self, measured: ExampleFeatures) -> Floats:
        return self.slope * measured.values(self.names[0])


TERMS = {term.kind: term for term in (LinearTerm, QuadraticTerm, WindowTerm, FormulaTerm, ColumnTerm, JudgeTerm)}


def checked_energy(term: Term, measured: ExampleFeatures) -> Floats:
    """scale·t of every example, finite, shape (N,); raises UserError, with the first at fault, if it cannot be had."""
    with np.errstate(all="ignore"):
        energy: Floats = term.scale * term.energy(measured)
    bad = ~np.isfinite(energy)
    if bad.any():
        first = int(np.argmax(bad))
        known = ", ".join(f"{name} = {measured.values(at)[first]:.6g}" for name, at in term.sources.items())
        raise UserError(
            "An energy is not a finite number",
            f"{term.title} gives {_spoken(float(energy[first]))} for {measured.describe(first)}"
            f"{f', where {known}' if known else ''}; {int(bad.sum()):,} of {len(measured):,} examples are so.",
            "Keep its values in bounds, as with where(condition, a, b), clip(a, low, high) or max(a, 1e-6).",
            field="perturbation.terms",
        )
    return energy


def _spoken(value: float) -> str:
    return "no number" if np.isnan(value) else "∞" if value > 0 else "−∞"
