"""What came of samples that were made for a target at once: images by judges who took no part, points exactly.

Of points x that follow p′, the class c has the share ⟨p′(c|x)⟩, with the standard error of a mean; JS is that of
`studio.evaluation.plane_divergence`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from studio.data.example_set import ExampleSet
from studio.data.planar.plane import Plane
from studio.data.planar.target import PlaneTarget
from studio.data.scale import Values
from studio.evaluation.arrival import Sighting
from studio.evaluation.arrival_words import at_once_words
from studio.evaluation.intervals import Z_95
from studio.evaluation.plane_divergence import cell_counts, js_divergence
from studio.perturb.arrays import Floats
from studio.perturb.example_features import ExampleFeatures
from studio.perturb.perturbation import Perturbation
from studio.training.messages.snapshot import PlaneFrame

if TYPE_CHECKING:
    from studio.evaluation.evaluation import Evaluation

CELLS, _FINE = 24, 8
"""Cells along a side of the square, and finer ones within each over which a density is summed."""
_AGREED = 0.9
_CLEAR = 0.02
"""Share of real images that judges take for no class, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredImages:
    """What judges who did not weigh see in samples.

    Attributes:
        evaluation: against the target that was asked for.
        agreement: share of the samples that the judge who weighed takes for the same class as they do; NaN where none
            weighed, or by other classes.
        asked: the class that is tilted most.
    """

    evaluation: Evaluation
    agreement: float
    asked: int

    def sighting(self, step: int) -> Sighting:
        """The shares, of weights of this step."""
        return Sighting.of(step, self.evaluation)

    @property
    def doubtful(self) -> bool:
        """Whether a share is much less sure than its interval among what is recognised says."""
        return self.agreement < _AGREED or self.unrecognised > 1 - _AGREED

    @property
    def unrecognised(self) -> float:
        """Share of the samples that these judges take for no class."""
        return float(self.evaluation.shares.corrected[-1])

    @property
    def words(self) -> str:
        """How sure of it one may be, in a clause."""
        unclear = f", {100 * self.unrecognised:.0f} % are no clear class" if self.unrecognised > _CLEAR else ""
        return f"two judges agree on {100 * self.agreement:.0f} %{unclear}"

    @property
    def remark(self) -> str:
        """The same with what they find of the class that is tilted most, a sentence without a full stop."""
        seen = at_once_words(self.evaluation.class_names[self.asked], self.sighting(0), self.asked)
        agreed = "" if np.isnan(self.agreement) else f"take {100 * self.agreement:.0f} % for the same class, "
        return (
            f"Judges who did not weigh {agreed}do not recognise {100 * self.unrecognised:.0f} %, and find of the rest: "
            f"{seen[0].lower()}{seen[1:-1]}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasuredPoints:
    """What points are, by densities that are known exactly; the divergence is JS from p′ in nats."""

    seen: Sighting
    divergence: float
    doubtful: bool = False

    def sighting(self, step: int) -> Sighting:
        """As of images; the step is known already."""
        return self.seen

    @property
    def words(self) -> str:
        """How near they are, in a clause."""
        return f"JS {max(self.divergence, 0.0):.3f} nats from p′"


def target_on_plane(examples: ExampleSet, measured: ExampleFeatures, wanted: Perturbation) -> PlaneTarget:
    """The target of points, exactly; raises UserError if it is not known off the data."""
    assert examples.plane is not None
    energies = wanted.example_energies(measured) if wanted.by_example else None
    return PlaneTarget.of(examples.plane, examples.class_names, examples.counts, wanted, energies)


def fine_cells(plane: Plane) -> tuple[Floats, Floats]:
    """Centres of the fine cells, shape (fine cells, 2), and ∫ p(x|c) over each by the midpoint rule, scaled to add up
    to 1, shape (fine cells, K).
    """
    centres = plane.centres(CELLS * _FINE)
    density = np.exp(plane.log_class_densities(centres))
    return centres, density / density.sum(0)


def coarse(fine: Floats) -> Floats:
    """The mass of each cell by that of its fine ones, shape (`CELLS`, `CELLS`)."""
    return np.asarray(fine.reshape(CELLS, _FINE, CELLS, _FINE).sum((1, 3)))


def placed(values: Values, target: PlaneTarget, step: int) -> PlaneFrame:
    """Points as the data set stores them, shape (n, 2, 1, 1), by weights of a step."""
    points = np.asarray(values, np.float64).reshape(len(values), -1)
    return PlaneFrame(step=step, points=points, labels=target.classify(points), views=())


def measured_points(values: Values, target: PlaneTarget, data: np.ndarray, step: int) -> MeasuredPoints:
    """Compare points, as the data set stores them, with a target, and with class shares of the data, shape (K,).

    `step` is that of the weights. Raises UserError if ΔH is not finite at one of them.
    """
    points, plane = np.asarray(values, np.float64).reshape(len(values), -1), target.plane
    by_point = target.class_probabilities(points)
    joint = target.classes_on_grid(*fine_cells(plane))
    cells = coarse(joint.sum(1))
    share, half = by_point.mean(0), Z_95 * by_point.std(0) / np.sqrt(len(points))
    seen = Sighting(
        step=step,
        data=data,
        target=joint.sum(0) / joint.sum(),
        share=share,
        low=share - half,
        high=share + half,
        count=len(points),
    )
    counts = cell_counts(points, plane.half, CELLS)
    return MeasuredPoints(seen=seen, divergence=float(js_divergence(cells / cells.sum(), counts)))
