"""The gradient flow of KL on the plane, where its way or its rest is known."""

from __future__ import annotations

import numpy as np

from studio.data.catalog import dataset_spec
from studio.data.planar.density import blob
from studio.data.planar.langevin import gradient_flow
from studio.data.planar.point_set import PointSet
from studio.data.planar.target import PlaneTarget
from studio.perturb.perturbation import Perturbation
from tests.data.test_planar import loaded

RNG = np.random.default_rng


def exact_target(data: PointSet, perturbation: Perturbation) -> PlaneTarget:
    assert data.plane is not None
    return PlaneTarget.of(data.plane, data.class_names, data.counts, perturbation)


def test_that_particles_come_to_a_gaussian_as_ornstein_and_uhlenbeck_say() -> None:
    """mean μ + (x₀ − μ)·e^(−t/σ²) and variance σ²·(1 − e^(−2t/σ²)) of particles from one place."""
    centre, width, start = np.array([0.3, -1.0]), 0.8, np.array([2.0, 2.0])
    ways = gradient_flow(blob(0.3, -1.0, width).log_density, np.tile(start, (1000, 1)), RNG(0))
    for place in (3, 15):
        time = 0.004 * 10 * place
        left = np.exp(-time / width**2)
        np.testing.assert_allclose(ways[:, place].mean(0), centre + left * (start - centre), atol=0.1)
        np.testing.assert_allclose(ways[:, place].var(0), width**2 * (1 - left**2), rtol=0.15)


def test_that_a_tilted_mixture_stays_what_it_is() -> None:
    """Its moments: drawn from p′, particles still have them after a time of 1."""
    data = loaded(dataset_spec("planar_mixture"))
    target = exact_target(data, Perturbation(offsets=(0.0, 0.5, -2.5)))
    drawn = target.plane.draw_mixture(700, target.shares, RNG(1))
    last = gradient_flow(target.log_density, drawn, RNG(2))[:, -1]
    centres = np.array([[-2.0, -1], [2, -1], [0, 2]])
    mean = target.shares @ centres
    spread = (centres - mean).T @ np.diag(target.shares) @ (centres - mean) + 0.25 * np.eye(2)
    np.testing.assert_allclose(last.mean(0), mean, atol=0.15)
    np.testing.assert_allclose(np.cov(last.T), spread, atol=0.25)


def test_that_particles_stay_within_a_density_that_ends() -> None:
    data = loaded(dataset_spec("planar_checkerboard"))
    target = exact_target(data, Perturbation.zero(4))
    drawn = target.plane.draw_mixture(50, target.shares, RNG(1))
    ways = gradient_flow(target.log_density, drawn, RNG(2), steps=50)
    assert np.isfinite(target.log_density(ways.reshape(-1, 2))).all()
