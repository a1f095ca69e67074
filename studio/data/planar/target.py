"""The target of a planar set, exactly: the data's densities, tilted by the energy at each place.

    p′(x, c) = p_c·p(x|c)·e^{−ΔH(x, c)}/Z,   Z = Σ_c p_c·⟨e^{−ΔH(x, c)}⟩_{p(x|c)}

ΔH(x, c) is what the energy says of a point at x with the label c. Where it depends on c alone, the target is the
mixture Σ_c p′_c·p(x|c). An energy that holds a column is known of the data's own points and nowhere else, so it has no
exact target.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from studio.data.planar.density import Array, log_mixture
from studio.data.planar.plane import Plane
from studio.errors import UserError
from studio.perturb.energy import ExampleEnergies
from studio.perturb.example_features import COLUMN, ExampleFeatures
from studio.perturb.perturbation import Perturbation, target_shares

_WIDER = 3.0
_WIDER_CELLS = 150


class _Places(ExampleFeatures):
    """Places of the plane, each with a class, in the role of examples."""

    def describe(self, index: int) -> str:
        x, y = self.values("x")[index], self.values("y")[index]
        return f"the place ({x:.3g}, {y:.3g}) in class “{self.class_names[int(self.labels[index])]}”"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlaneTarget:
    """What a model of a planar set should learn.

    Attributes:
        shares: of the classes, shape (K,): p′ where ΔH depends on the class alone, else the data's p.
        middle: what a clip is measured from, the median of ΔH over the data; None without terms and clip.
    """

    plane: Plane
    class_names: tuple[str, ...]
    shares: Array
    perturbation: Perturbation
    middle: float | None = None

    @classmethod
    def of(
        cls,
        plane: Plane,
        class_names: Sequence[str],
        counts: NDArray[np.int64],
        perturbation: Perturbation,
        energies: ExampleEnergies | None = None,
    ) -> PlaneTarget:
        """The target of a tilt, by examples per class, shape (K,), and energies of all the data if it is `by_example`.

        Raises UserError if the energy holds a column, so that it is not known off the data.
        """
        names = tuple(class_names)
        if not perturbation.by_example:
            shares = target_shares(counts, perturbation.class_energies)
            return cls(plane=plane, class_names=names, shares=shares, perturbation=perturbation)
        if any(name.startswith(COLUMN) for name in perturbation.energy.names):
            raise UserError(
                "The energy holds a column",
                "A column gives ΔH of the data's own points, not of the places between them.",
                "Use a formula in x and y, if there is one.",
                field="perturbation.terms",
            )
        assert energies is not None
        middle = float(np.median(energies.unclipped))
        return cls(
            plane=plane, class_names=names, shares=counts / counts.sum(), perturbation=perturbation, middle=middle
        )

    def on_grid(self, points: Array, classes: Array) -> Array:
        """p′(x) at points that fill the square evenly, shape (n,); arguments and errors as of `classes_on_grid`."""
        return np.asarray(self.classes_on_grid(points, classes).sum(1))

    def classes_on_grid(self, points: Array, classes: Array) -> Array:
        """p′(x, c) at points (n, 2) that fill the square evenly, of p(x|c) there, per area or per cell, both (n, K).

        Z is found by the midpoint rule over these points, relative to the same rule's ∫ p(x|c), so that an energy that
        depends on the class alone gives the mixture to rounding, however coarse the grid. Raises UserError if ΔH is not
        finite somewhere where a class has points.
        """
        if not self.perturbation.by_example:
            return np.asarray(classes * self.shares)
        totals = classes.sum(0)
        with np.errstate(divide="ignore"):
            logs = np.log(classes / totals) + np.log(self.shares)
        logs = logs - self._energies(points, np.isfinite(logs))
        masses = np.exp(logs - logs.max())
        return np.asarray(masses * totals / masses.sum())

    def cut_off(self) -> float:
        """Share of p′ that would lie beyond the square, where data and models end, in 0…1.

        It is that of the densities as formulas, which go on beyond the square, by the midpoint rule within three times
        its side; 0 where ΔH depends on the class alone. Raises UserError if ΔH is not finite where a class has points.
        """
        if not self.perturbation.by_example:
            return 0.0
        points, logs = _wide(self.plane)
        with np.errstate(divide="ignore"):
            logs = logs + np.log(self.shares)
        logs = logs - self._energies(points, np.isfinite(logs))
        masses = np.exp(logs - logs.max()).sum(1)
        beyond = (np.abs(points) >= self.plane.half).any(1)
        return float(masses[beyond].sum() / masses.sum())

    def classify(self, points: Array) -> NDArray[np.int64]:
        """The most probable class of points (n, 2) by Bayes, shape (n,); raises UserError where ΔH is not finite."""
        if not self.perturbation.by_example:
            return self.plane.classify(points, self.shares)
        within = np.isfinite(self.plane.log_class_densities(points)) & (self.shares > 0)
        energy = np.where(within, self._energies(points, within), np.inf)
        lowest = energy.min(1, keepdims=True)
        lowest[~np.isfinite(lowest)] = 0.0  # of no class: as the plane decides
        return self.plane.classify(points, self.shares * np.exp(lowest - energy))

    def class_probabilities(self, points: Array) -> Array:
        """p′(c|x) at points (n, 2), shape (n, K), the nearest class where all are 0; raises UserError as `classify`."""
        logs = self._log_joint(points)
        largest = logs.max(1, keepdims=True)
        lost = ~np.isfinite(largest[:, 0])
        masses = np.exp(logs - np.where(np.isfinite(largest), largest, 0.0))
        if lost.any():
            masses[lost] = np.eye(len(self.shares))[self.plane.classify(points[lost], self.shares)]
        return np.asarray(masses / masses.sum(1, keepdims=True))

    def log_density(self, points: Array) -> Array:
        """log p′ up to a constant of points (n, 2), shape (n,); −inf where it is 0; raises UserError as `classify`."""
        return log_mixture(self._log_joint(points), np.ones(len(self.shares)))

    def _log_joint(self, points: Array) -> Array:
        """log(p_c·p(x|c)) − ΔH(x, c) of points (n, 2), shape (n, K)."""
        with np.errstate(divide="ignore"):
            logs = self.plane.log_class_densities(points) + np.log(self.shares)
        return logs - self._energies(points, np.isfinite(logs)) if self.perturbation.by_example else logs

    def _energies(self, points: Array, within: NDArray[np.bool_]) -> Array:
        """ΔH(x, c) where `within` (n, K) says so, 0 elsewhere, shape (n, K)."""
        found = np.zeros(within.shape)
        rows, labels = np.nonzero(within)
        if not len(rows):
            return found
        places = _Places(points[rows], labels, self.class_names)
        energy = self.perturbation.energy.of_examples(self.perturbation.offsets, places, self.middle)
        found[rows, labels] = energy.energy
        return found


@lru_cache(maxsize=2)
def _wide(plane: Plane) -> tuple[Array, Array]:
    """Places (n, 2) that fill three times the square, and log p(x|c) at each, (n, K)."""
    points = _WIDER * plane.centres(_WIDER_CELLS)
    return points, plane.log_class_densities(points)
