"""Exact models of the plane: what they draw has the density that they were trained for, and their classes are known."""

from dataclasses import dataclass

import numpy as np
import pytest

from studio.data.planar.density import blob
from studio.data.planar.plane import Plane
from studio.data.scale import Values
from studio.perturb.arrays import Floats
from studio.perturb.example_features import ExampleFeatures
from studio.perturb.perturbation import Perturbation, target_shares
from studio.sampling.pool import Pool
from studio.sampling.tilt import Drawn

NAMES = ("left", "middle", "right")
COUNTS = np.array([600, 300, 100])
PLANE = Plane(half=6.0, classes=(blob(-1.5, 0, 0.8), blob(0, 0.5, 0.8), blob(1.5, 0, 0.8)))


def look(values: Values) -> Drawn:
    """At points, by the exact classifier of the data."""
    points = values.reshape(-1, 2)
    joint = np.exp(PLANE.log_class_densities(points.astype(np.float64))) * COUNTS
    return Drawn(
        values=values,
        probabilities=joint / joint.sum(1, keepdims=True),
        measured=ExampleFeatures(points, np.zeros(len(points), np.int64), NAMES),
    )


@dataclass(frozen=True)
class Mixture:
    """Overlapping blobs; a pool of draws of the target that it was "trained" for."""

    trained: Perturbation
    shares: Floats | None = None  # that it makes, if not those of its target

    @property
    def meant(self) -> Floats:
        return target_shares(COUNTS, self.trained.class_energies)

    def pool(self, seed: int = 0) -> Pool:
        rng = np.random.default_rng(seed)

        def draw(count: int) -> Drawn:
            points = rng.permutation(PLANE.draw_mixture(count, self.meant if self.shares is None else self.shares, rng))
            return look(points.astype(np.float32).reshape(-1, 1, 1, 2))

        return Pool(draw, prior=COUNTS / COUNTS.sum(), meant=self.meant, seed=seed)


@pytest.fixture
def untilted() -> Mixture:
    return Mixture(trained=Perturbation.zero(3))
