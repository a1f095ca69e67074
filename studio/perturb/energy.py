"""The whole energy: class offsets and terms, added up, divided by a temperature, and clipped.

    ΔH(x, y) = clip_c((s₀·ΔH_y + Σ_k s_k·t_k(x, y))/T)

A clip c keeps ΔH within ±c of its median over the data, so that no example weighs more than e^c times as much as the
median one. Being measured from the median, it is the same whatever constant is added to ΔH. It makes another target
than the energy asks for, and `ClipEffect` says by how much.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from studio.errors import UserError
from studio.perturb.arrays import Floats
from studio.perturb.example_features import ExampleFeatures
from studio.perturb.terms import Term, checked_energy

LARGEST_ENERGY = 1e12
"""Largest |ΔH| of an example: beyond it, differences between examples would be lost in rounding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Energy:
    """How a ΔH is put together, besides the class offsets themselves.

    The sum is divided by the temperature, above 1 for a weaker tilt, and clipped if there is a clip > 0;
    `offsets_scale` is s₀, the factor on the class offsets.
    """

    terms: tuple[Term, ...] = ()
    temperature: float = 1.0
    clip: float | None = None
    offsets_scale: float = 1.0
    offsets_enabled: bool = True

    @property
    def by_example(self) -> bool:
        """Whether ΔH depends on more than the class's own offset."""
        return self.clip is not None or any(term.active for term in self.terms)

    @property
    def offset_factor(self) -> float:
        """What an offset is multiplied by: s₀/T, or 0 when they are switched off."""
        return self.offsets_scale / self.temperature if self.offsets_enabled else 0.0

    @property
    def names(self) -> tuple[str, ...]:
        """The values that active terms need of each example."""
        return tuple(dict.fromkeys(name for term in self.terms if term.active for name in term.names))

    def of_examples(
        self, offsets: ArrayLike, measured: ExampleFeatures, middle: float | None = None
    ) -> ExampleEnergies:
        """ΔH of every example of a data set, or of places that are judged like it, by offsets per class, shape (K,).

        A clip is measured from `middle`, by default the median of these examples. Raises UserError, with the term's
        field, if the data lack what a term needs, or an energy is not finite or beyond ±10¹².
        """
        total = self.offset_factor * np.asarray(offsets, dtype=np.float64)[measured.labels]
        for place, term in enumerate(self.terms):
            if term.active:
                total = total + _at(place, term, measured) / self.temperature
        _check_size(total, measured)
        if self.clip is None:
            return ExampleEnergies(energy=total, unclipped=total)
        if middle is None:
            middle = float(np.median(total))
        return ExampleEnergies(energy=middle + np.clip(total - middle, -self.clip, self.clip), unclipped=total)


def _at(place: int, term: Term, measured: ExampleFeatures) -> Floats:
    """A term's energy; a fault is located at its row."""
    try:
        return checked_energy(term, measured)
    except UserError as error:
        error.field = f"perturbation.terms.{place}"
        raise


def _check_size(energy: Floats, measured: ExampleFeatures) -> None:
    largest = int(np.argmax(np.abs(energy)))
    if not abs(energy[largest]) <= LARGEST_ENERGY:
        raise UserError(
            "An energy is too large",
            f"ΔH = {energy[largest]:.3g} for {measured.describe(largest)}; at most ±{LARGEST_ENERGY:g} is taken.",
            "Lower a scale, or raise the temperature.",
            field="perturbation.terms",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClipEffect:
    """What a clip does to the target: the share of examples whose ΔH is changed, and ½·Σ|w_i/Σw − w′_i/Σw′|, in 0…1."""

    clipped: float
    variation: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ExampleEnergies:
    """ΔH of every example of a data set, finite, and what it would be without the clip, both of shape (N,)."""

    energy: Floats
    unclipped: Floats

    def of(self, indices: NDArray[np.int64]) -> ExampleEnergies:
        energy = self.energy[indices]
        same = self.unclipped is self.energy
        return ExampleEnergies(energy=energy, unclipped=energy if same else self.unclipped[indices])

    @property
    def clip_effect(self) -> ClipEffect | None:
        """What the clip does; None if there is none."""
        if self.energy is self.unclipped:
            return None
        variation = 0.5 * np.abs(_probability(self.unclipped) - _probability(self.energy)).sum()
        return ClipEffect(clipped=float(np.mean(self.energy != self.unclipped)), variation=float(variation))


def _probability(energy: Floats) -> Floats:
    weights = np.exp(energy.min() - energy)
    return np.asarray(weights / weights.sum())


def class_masses(energy: Floats, labels: ArrayLike, classes: int) -> Floats:
    """Σ e^{E₀ − ΔH} over each class's examples, shape (K,), with E₀ the lowest ΔH (N,), so that none overflows."""
    masses = np.bincount(np.asarray(labels), weights=np.exp(energy.min() - energy), minlength=classes)
    return np.asarray(masses, dtype=np.float64)
