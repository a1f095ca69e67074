"""What a tilt costs, known before training: effective sample size, Z, and the theory's own predictions.

    Kish effective sample size   ESS = (Σw)²/Σw²,   ESS/n near 0 = little of the data counts
    linear response              ⟨f⟩′ − ⟨f⟩ ≈ −Cov(f, ΔH)
    second order                 … + ½·⟨(f − ⟨f⟩)(ΔH − ⟨ΔH⟩)²⟩

Sources: L. Kish, Survey Sampling (1965); R. Zwanzig, J. Chem. Phys. 22, 1420 (1954).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike

from studio.number_text import percent_words
from studio.perturb.arrays import Indices
from studio.perturb.energy import ClipEffect, ExampleEnergies, class_masses
from studio.perturb.pareto import largest_trusted, pareto_k
from studio.perturb.perturbation import Floats, Perturbation, log_mean_weight, target_shares


def effective_sample_size(log_weights: ArrayLike, counts: ArrayLike | None = None) -> float:
    """Kish's ESS = (Σw)²/Σw², in examples, of log w (n,), any gauge, each carried by so many examples (n,) or one."""
    logs = np.asarray(log_weights, dtype=np.float64)
    number = np.ones_like(logs) if counts is None else np.asarray(counts, dtype=np.float64)
    present = number > 0
    if not present.any() or logs[present].max() == -np.inf:
        return 0.0
    weights = np.exp(logs - logs[present].max()) * present
    return float((number @ weights) ** 2 / (number @ weights**2))


def examples_worth(weights: Floats, labels: Indices, classes: int) -> Floats:
    """How many examples each of K classes is learned from, shape (K,): Σw or, where it is less, (Σw)²/Σw².

    Args:
        weights: of the examples that are learned from, shape (n,); of mean 1 over the data.
        labels: their classes, shape (n,).
    """
    total, squares = (np.bincount(labels, each, classes) for each in (weights, weights**2))
    kish = np.divide(total**2, squares, out=np.zeros_like(total), where=squares > 0)
    return np.asarray(np.minimum(total, kish))


class Strength(StrEnum):
    """The plain verdict on a tilt."""

    NONE = "none"
    GENTLE = "gentle"
    STRONG = "strong"
    TOO_STRONG = "too strong"


_GENTLE, _STRONG = 0.5, 0.1
"""Least ESS/n called gentle and strong: at ½ the variance of a mean doubles, at 0.1 it is tenfold."""

_PART = 0.1
_FEW, _OFTEN = 100, 2.0
_NEARLY = 0.99
_FRACTIONS = ((1 / 4, "a quarter"), (1 / 3, "a third"), (1 / 2, "half"), (2 / 3, "two thirds"), (1.0, "all"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Carriers:
    """The heaviest examples that together carry a tenth of all weight, and all that weigh as much as the last of them.

    `share` is that of the weight that they carry, `weight` the mean of theirs over that of all.
    """

    number: int
    share: float
    weight: float

    @property
    def few(self) -> bool:
        """Whether the model meets so few so often that it may copy them."""
        return self.number < _FEW and self.weight >= _OFTEN

    def words(self, noun: str = "examples") -> str:
        """What they carry."""
        words = percent_words(self.share)
        part = next((word for value, word in _FRACTIONS if abs(self.share - value) < 0.005), words)
        who = f"{self.number:,} {noun} carry" if self.number != 1 else f"A single one of the {noun} carries"
        return f"{who} {part} of it"


def carriers(log_weights: Floats, counts: Floats) -> Carriers:
    """Who carries the weight, of log w, shape (n,), any gauge, each that of so many examples, shape (n,)."""
    present = counts > 0
    logs, number = log_weights[present], counts[present]
    mass = number * np.exp(logs - logs.max())
    order = np.argsort(-logs, kind="stable")
    carried = np.cumsum(mass[order])
    last = order[np.searchsorted(carried, _PART * (1 - 1e-9) * carried[-1])]
    heavy = logs >= logs[last] - 1e-9
    share, many = float(mass[heavy].sum() / carried[-1]), float(number[heavy].sum())
    return Carriers(number=round(many), share=share, weight=share * float(number.sum()) / many)


@dataclass(frozen=True, slots=True, kw_only=True)
class TiltSummary:
    """What the tilt does to the data, before any training.

    Attributes:
        target: p′ per class, shape (K,).
        weights: mean w per class in the perturbation's gauge, shape (K,); may be inf in the raw gauge.
        mean_raw_weight: ⟨e^{−ΔH}⟩ = Z over the data; may be inf.
        largest_weight: max w of an example, in that gauge; may be inf in the raw one.
        outweighed_every: steps, on average, from one example that outweighs a batch to the next, by weight
            N·⟨w⟩/(B_avg·#{i: w_i > B_avg}); None if none does.
        efficiency: ESS/n over the data, in 0…1.
        examples_per_batch: expected number of examples whose weights add up to B_avg.
        strength: the verdict.
        carriers: the heaviest examples.
        clip: what a clip does to the target; None without one.
        tail: Pareto k̂ of weights that differ from example to example; None where they do not.
        trusted: no heavier tail than that of weights by whose means one may go.
    """

    target: Floats
    weights: Floats
    mean_raw_weight: float
    largest_weight: float
    outweighed_every: float | None
    efficiency: float
    examples_per_batch: float
    strength: Strength
    carriers: Carriers
    clip: ClipEffect | None = None
    tail: float | None = None
    trusted: bool = True

    @property
    def reason(self) -> str:
        """The verdict in words, with its numbers."""
        worth = percent_words(self.efficiency)
        effective = f"The weighted data is worth {worth} of its examples (Kish's effective sample size)."
        if self.strength is Strength.NONE:
            return "All offsets are equal, so the target is the data as it is."
        if self.carriers.few:
            less = ", or use smaller offsets" if self.strength is Strength.TOO_STRONG else ""
            return f"{effective} {self.carriers.words()}: expect copies{less}."
        if self.strength is Strength.GENTLE:
            return f"{effective} Gradients stay about as steady as without a tilt."
        alone = f" {self.carriers.words()}, as if there were no others." if self.carriers.share > _NEARLY else ""
        return f"{effective}{alone} Gradients are noisier: a larger B_avg or a longer run makes up for it."


def summarise(perturbation: Perturbation, counts: ArrayLike, average_size: float) -> TiltSummary:
    """Judge a tilt that is not by example over data of so many examples per class, shape (K,), by batches of B_avg."""
    energy, number = perturbation.class_energies, np.asarray(counts, dtype=np.float64)
    logs = perturbation.class_log_weights(number)
    with np.errstate(over="ignore"):
        return _summary(energy, logs, number, average_size, target_shares(number, energy), np.exp(logs))


def summarise_examples(
    perturbation: Perturbation, energies: ExampleEnergies, labels: ArrayLike, average_size: float
) -> TiltSummary:
    """Judge a tilt by example over a data set with these N energies and classes, shape (N,), by batches of B_avg."""
    energy, classes = energies.energy, len(perturbation.offsets)
    ones = np.ones(len(energy))
    logs = perturbation.example_log_weights(np.asarray(labels), ones, energies)
    masses = class_masses(energy, labels, classes)
    counts = np.bincount(np.asarray(labels), minlength=classes)
    with np.errstate(over="ignore", divide="ignore"):
        # Σe^{−ΔH} over the class and its count, in logs: the highest weight alone may overflow in the raw gauge.
        weights = np.exp(np.log(masses / counts) + logs.max())
        found = _summary(energy, logs, ones, average_size, masses / masses.sum(), weights, energies.clip_effect)
    tail = pareto_k(logs)
    return replace(found, tail=tail, trusted=tail is None or tail <= largest_trusted(len(logs)))


def _summary(
    energy: Floats,
    logs: Floats,
    counts: Floats,
    average_size: float,
    target: Floats,
    weights: Floats,
    clip: ClipEffect | None = None,
) -> TiltSummary:
    """Of ΔH and log w per kind of example and how many there are of each, shapes (n,)."""
    efficiency = effective_sample_size(logs, counts) / float(counts.sum())
    log_mean = log_mean_weight(counts, -logs)
    heaviest = carriers(logs, counts)
    return TiltSummary(
        target=target,
        weights=weights,
        mean_raw_weight=float(np.exp(log_mean_weight(counts, energy))),
        largest_weight=float(np.exp(logs[counts > 0].max())),
        outweighed_every=_outweighed_every(logs, counts, log_mean, average_size),
        efficiency=efficiency,
        examples_per_batch=float(average_size * np.exp(-log_mean)),
        strength=_verdict(logs, efficiency, heaviest),
        carriers=heaviest,
        clip=clip,
    )


def _outweighed_every(logs: Floats, counts: Floats, log_mean: float, average_size: float) -> float | None:
    """Of log w per kind of example and how many carry each, shapes (n,), and log⟨w⟩."""
    log_size = np.log(average_size)
    heavy = float(counts[logs > log_size].sum())
    return float(counts.sum()) * float(np.exp(log_mean - log_size)) / heavy if heavy else None


def _verdict(logs: Floats, efficiency: float, heaviest: Carriers) -> Strength:
    """Too strong is what leaves few examples; many of equal weight are a smaller data set."""
    if np.ptp(logs) == 0:
        return Strength.NONE
    if efficiency >= _GENTLE:
        return Strength.GENTLE
    return Strength.TOO_STRONG if efficiency < _STRONG and heaviest.few else Strength.STRONG
