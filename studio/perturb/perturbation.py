"""Energy offsets → log importance weights → target shares, and back.

With class shares p_c and offsets ΔH_c the target is p′_c = p_c·e^{−ΔH_c}/Z, Z = Σ_c p_c·e^{−ΔH_c}. An example of class
c carries the importance weight

    normalised gauge   w_c = e^{−ΔH_c}/Z   (mean 1 over the data; adding a constant to every offset changes nothing)
    raw gauge          w_c = e^{−ΔH_c}

All of it is computed in logs, so offsets of ±700 neither overflow nor become NaN.
Source: "Perturbation Theory in Machine Learning", pbement.com, 18 Feb 2024.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import ArrayLike, NDArray

from studio.errors import UserError
from studio.perturb.arrays import Floats as Floats
from studio.perturb.energy import Energy, ExampleEnergies
from studio.perturb.example_features import ExampleFeatures

LARGEST_OFFSET = 700.0
"""Largest |ΔH| taken: e^700 is about the largest number that float64 holds."""


class Gauge(StrEnum):
    """How weights are normalised."""

    NORMALISED = "normalised"
    RAW = "raw"


def checked_offset(value: float) -> float:
    """`value` as an offset; raises UserError if it is not a finite number within ±700."""
    if not np.isfinite(value) or abs(value) > LARGEST_OFFSET:
        raise UserError(
            f"{value:g} is not a usable offset",
            f"An energy offset ΔH is a finite number between −{LARGEST_OFFSET:g} and {LARGEST_OFFSET:g}.",
            "e^700 is about the largest number a computer holds; ±5 is already a strong tilt.",
            field="perturbation.offsets",
        )
    return float(value)


def log_mean_weight(counts: ArrayLike, offsets: ArrayLike) -> float:
    """log⟨e^{−ΔH}⟩_p = log Z over the data, of examples and ΔH per class, shapes (K,); not all are empty."""
    lowest, log_relative = _relative_log_mean(counts, np.asarray(offsets, dtype=np.float64))
    return log_relative - lowest


def _relative_log_mean(counts: ArrayLike, energy: Floats) -> tuple[float, float]:
    """The lowest energy E₀ of a class that is present, and log⟨e^{E₀−ΔH}⟩, whose terms are at most 1."""
    number = np.asarray(counts, dtype=np.float64)
    present = number > 0
    lowest = energy[present].min()
    return float(lowest), float(np.log(number[present] @ np.exp(lowest - energy[present]) / number.sum()))


def class_log_weights(counts: ArrayLike, offsets: ArrayLike, gauge: Gauge = Gauge.NORMALISED) -> Floats:
    """log w per class, of examples and ΔH per class, all (K,); equal offsets give exactly 0 in the normalised gauge."""
    energy = np.asarray(offsets, dtype=np.float64)
    if gauge is Gauge.RAW:
        return -energy
    lowest, log_relative = _relative_log_mean(counts, energy)
    # The lowest energy is taken off first, so that equal offsets give exactly 0 and not a rounding of it.
    logs: Floats = (lowest - energy) - log_relative
    return logs


def target_shares(counts: ArrayLike, offsets: ArrayLike) -> Floats:
    """p′_c = p_c·e^{−ΔH_c}/Z, shape (K,); sums to 1."""
    number = np.asarray(counts, dtype=np.float64)
    mass = number * np.exp(class_log_weights(counts, offsets))
    shares: Floats = mass / mass.sum()
    return shares


def offsets_for_shares(counts: ArrayLike, shares: ArrayLike) -> Floats:
    """ΔH_c = −log(p′_c/p_c), in the gauge Σ_c p_c·e^{−ΔH_c} = 1, of positive examples and wanted shares per class (K,).

    Shares are normalised here. Raises UserError if one is not positive and finite.
    """
    number = np.asarray(counts, dtype=np.float64)
    wanted = np.asarray(shares, dtype=np.float64)
    if not (np.isfinite(wanted).all() and (wanted > 0).all()):
        raise UserError(
            "A target share must lie above 0 % and below 100 %",
            "No finite offset removes a class altogether.",
            "Use a small share such as 0.001 %.",
            field="perturbation.offsets",
        )
    offsets: Floats = np.log(number / number.sum()) - np.log(wanted / wanted.sum())
    return offsets


def offsets_for_some_shares(counts: ArrayLike, offsets: ArrayLike, shares: Mapping[int, float]) -> Floats:
    """Offsets (K,) that give the classes in `shares` a share each; the others keep theirs, and so their proportions.

    With F = Σ n_k·e^{−ΔH_k} of the other classes and S the sum of the shares wanted, p′_c = n_c·e^{−ΔH_c}·(1 − S)/F is
    solved for ΔH_c. Examples per class and ΔH as they are have shape (K,). Shares sum to less than 1, or to 1 if they
    name every class; raises UserError if one is not positive, or nothing is left for the other classes.
    """
    number = np.asarray(counts, dtype=np.float64)
    chosen = np.array(sorted(shares), dtype=np.int64)
    wanted = np.array([shares[index] for index in chosen.tolist()], dtype=np.float64)
    others = np.setdiff1d(np.arange(len(number)), chosen)
    if not len(others):
        return offsets_for_shares(number, wanted)
    total = float(wanted.sum())
    if len(chosen) > 1 and total >= 1 and ((wanted > 0) & (wanted < 1)).all():
        raise UserError(
            f"The target shares add up to {100 * total:.6g} %",
            "The other classes keep their proportions, so something must be left for them.",
            "Ask for less than 100 % together, or for “only these” classes.",
            field="perturbation.offsets",
        )
    if not ((wanted > 0).all() and total < 1):
        raise UserError(
            "A target share must lie above 0 % and below 100 %",
            "No finite offset removes a class altogether.",
            "Use a small share such as 0.001 %, or “only these” for a set of classes.",
            field="perturbation.offsets",
        )
    moved = np.array(offsets, dtype=np.float64)
    log_others = log_mean_weight(number[others], moved[others]) + np.log(number[others].sum())
    moved[chosen] = np.log(number[chosen]) - log_others - np.log(wanted) + np.log1p(-total)
    return moved


@dataclass(frozen=True, slots=True, kw_only=True)
class Perturbation:
    """An immutable target: one energy offset per class, within ±700, further terms, and the gauge of its weights.

    `revision` counts the edits of a run, so that curves and panels can tell which target a number belongs to.
    """

    offsets: tuple[float, ...]
    energy: Energy = field(default_factory=Energy)
    gauge: Gauge = Gauge.NORMALISED
    revision: int = 0

    def __post_init__(self) -> None:
        for offset in self.offsets:
            checked_offset(offset)

    @classmethod
    def zero(cls, classes: int) -> Perturbation:
        """The unperturbed target of `classes` classes."""
        return cls(offsets=(0.0,) * classes)

    @property
    def by_example(self) -> bool:
        """Whether examples of one class may differ in weight."""
        return self.energy.by_example

    @property
    def class_energies(self) -> Floats:
        """ΔH per class, shape (K,), of a target that is not by example: s₀·offset/T."""
        return self.energy.offset_factor * np.asarray(self.offsets, dtype=np.float64)

    def class_log_weights(self, counts: ArrayLike) -> Floats:
        """log w per class, shape (K,), of a target that is not by example."""
        return class_log_weights(counts, self.class_energies, self.gauge)

    def example_energies(self, measured: ExampleFeatures) -> ExampleEnergies:
        """ΔH of every example; raises UserError if the data lack what a term needs, or an energy is not finite."""
        return self.energy.of_examples(self.offsets, measured)

    def example_log_weights(
        self, labels: NDArray[np.int64], counts: ArrayLike, energies: ExampleEnergies | None = None
    ) -> Floats:
        """log w per example, shape (N,), by the class of each, shape (N,), and examples per class, shape (K,).

        Its energies are needed if the target is `by_example`.
        """
        if energies is None:
            assert not self.by_example
            return self.class_log_weights(counts)[labels]
        return class_log_weights(np.ones(len(energies.energy)), energies.energy, self.gauge)
