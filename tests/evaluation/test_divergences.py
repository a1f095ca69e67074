"""Distances against closed forms of Gaussians, scipy, scikit-learn and the reference judge."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
from scipy.linalg import sqrtm
from sklearn.metrics.pairwise import polynomial_kernel
from sklearn.neighbors import NearestNeighbors

from studio.evaluation.divergences import (
    Moments,
    drawn_by_weight,
    frechet_distance,
    frechet_floor,
    kernel_distance,
    moments,
)
from studio.evaluation.neighbours import likeness, nearest

REFERENCE = Path(__file__).resolve().parents[3] / "shared" / "judge" / "judge.py"


def cloud(count: int, size: int = 6, *, shift: float = 0.0, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    mix = np.random.default_rng(99).normal(size=(size, size)) / 2
    return (rng.normal(size=(count, size)) @ mix + shift).astype(np.float32)


def test_that_the_frechet_distance_of_gaussians_is_the_closed_form() -> None:
    """Of commuting covariances: |μ − μ′|² + Σ (σ − σ′)²."""
    one = Moments(mean=np.array([0.0, 1.0]), covariance=np.diag([4.0, 9.0]))
    other = Moments(mean=np.array([3.0, 1.0]), covariance=np.diag([1.0, 16.0]))
    assert frechet_distance(one, other) == pytest.approx(9 + 1 + 1)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-9)


def test_that_the_frechet_distance_is_scipys_matrix_square_root() -> None:
    a, b = moments(cloud(400)), moments(cloud(300, shift=0.4, seed=1) * np.float32(1.3))
    root = sqrtm(a.covariance @ b.covariance).real
    expected = ((a.mean - b.mean) ** 2).sum() + np.trace(a.covariance + b.covariance - 2 * root)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-6)


@pytest.mark.skipif(not REFERENCE.is_file(), reason="the reference judge is not beside this checkout")
def test_that_the_weighted_frechet_distance_is_the_reference_judges() -> None:
    import torch

    spec = importlib.util.spec_from_file_location("reference_judge", REFERENCE)
    assert spec is not None
    judge = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(judge)
    x, y, weights = cloud(300), cloud(500, shift=0.2, seed=2), np.random.default_rng(0).gamma(1.0, size=500)
    expected = judge.frechet(
        judge.moments(torch.from_numpy(x), torch.ones(300)),
        judge.moments(torch.from_numpy(y), torch.from_numpy(weights)),
    )
    assert frechet_distance(moments(x), moments(y, weights)) == pytest.approx(expected, abs=1e-3)


def test_that_weighted_moments_are_those_of_repeated_examples() -> None:
    x, repeats = cloud(50), np.random.default_rng(0).integers(1, 5, 50)
    weighted, repeated = moments(x, repeats.astype(float)), moments(np.repeat(x, repeats, axis=0))
    np.testing.assert_allclose(weighted.mean, repeated.mean)
    np.testing.assert_allclose(weighted.covariance, repeated.covariance)


def test_that_the_tilted_gaussian_is_a_shifted_one() -> None:
    """N(0, 1) under ΔH = λx is N(−λ, 1), so tilted samples fit it and plain ones are λ² away."""
    x = np.random.default_rng(0).normal(size=(200_000, 1)).astype(np.float32)
    fit = moments(x, np.exp(-0.5 * x[:, 0].astype(float)))
    assert frechet_distance(fit, Moments(mean=np.array([-0.5]), covariance=np.eye(1))) == pytest.approx(0, abs=2e-4)
    assert frechet_distance(fit, moments(x)) == pytest.approx(0.25, abs=0.01)


def test_that_the_kernel_distance_is_scikit_learns_kernel_averaged() -> None:
    x, y = cloud(60), cloud(80, shift=0.3, seed=1)
    within = [polynomial_kernel(z, degree=3, coef0=1) for z in (x, y)]
    means = [(kernel.sum() - np.trace(kernel)) / (len(kernel) * (len(kernel) - 1)) for kernel in within]
    expected = sum(means) - 2 * polynomial_kernel(x, y, degree=3, coef0=1).mean()
    assert kernel_distance(x, y) == pytest.approx(expected, rel=1e-4)


def test_that_the_kernel_distance_of_equal_laws_is_0_on_average_even_with_repeated_draws() -> None:
    data = cloud(40)
    weights = np.random.default_rng(5).gamma(0.7, size=40)
    rng, found = np.random.default_rng(1), []
    pairs = np.array([(data.astype(float) @ data.T / 6 + 1) ** 3])[0]
    p = weights / weights.sum()
    off = np.outer(p, p)
    np.fill_diagonal(off, 0)
    expected = (off * pairs).sum() / off.sum()  # the mean over pairs of two different examples
    for _ in range(200):
        drawn = drawn_by_weight(weights, 50, rng)
        same = drawn[:, None] == drawn
        kernel = (data[drawn].astype(float) @ data[drawn].T / 6 + 1) ** 3
        found.append(kernel[~same].mean())
    assert np.mean(found) == pytest.approx(expected, rel=0.03)
    x, y = cloud(1000, seed=3), cloud(1000, seed=4)
    assert abs(kernel_distance(x, y)) < 0.02 * abs(kernel_distance(x, y + 1))


def test_that_the_floor_is_what_as_many_samples_of_the_same_gaussian_score() -> None:
    """For n samples of N(0, 1) in d dimensions it falls as 1/n."""
    data, rng = cloud(20_000), np.random.default_rng(0)
    weights = np.ones(len(data))
    fit = moments(data)
    few, many = (frechet_floor(data, weights, fit, count, rng, repeats=8) for count in (200, 2000))
    assert 0 < many < few
    assert few / many == pytest.approx(10, rel=0.5)


def test_that_draws_follow_the_weights() -> None:
    weights = np.array([1.0, 0.0, 3.0, 6.0])
    share = np.bincount(drawn_by_weight(weights, 100_000, np.random.default_rng(0)), minlength=4) / 100_000
    np.testing.assert_allclose(share, weights / 10, atol=0.01)


def test_that_likeness_is_that_of_scikit_learns_neighbours() -> None:
    generated, real, k = cloud(120, shift=0.2, seed=1), cloud(150), 5
    real_balls, generated_balls = (
        NearestNeighbors(n_neighbors=k + 1).fit(points).kneighbors(points)[0][:, k] for points in (real, generated)
    )
    between = np.linalg.norm(generated[:, None].astype(float) - real[None], axis=2)
    held = between <= real_balls
    found = likeness(generated, real, neighbours=k)
    assert found.precision == pytest.approx(held.any(axis=1).mean())
    assert found.recall == pytest.approx((between <= generated_balls[:, None]).any(axis=0).mean())
    assert found.density == pytest.approx(held.sum() / (k * len(generated)))
    assert found.coverage == pytest.approx((between.min(axis=0) <= real_balls).mean())


def test_that_a_collapsed_model_is_precise_and_covers_little() -> None:
    real = cloud(400)
    found = likeness(real[:1] + cloud(200, seed=8) * np.float32(0.01), real)
    assert found.precision > 0.95
    assert found.recall < 0.05
    assert found.coverage < 0.05


def test_that_the_nearest_example_is_scikit_learns_and_a_copy_has_distance_0() -> None:
    data, samples = cloud(500), cloud(40, seed=2)
    samples[7] = data[123]
    indices, distances = nearest(samples, data)
    expected, places = NearestNeighbors(n_neighbors=1).fit(data).kneighbors(samples)
    assert indices.tolist() == places[:, 0].tolist()
    np.testing.assert_allclose(distances, expected[:, 0], atol=2e-3)
    assert indices[7] == 123
    _, others = nearest(data[:5], data, own=np.arange(5))
    assert others.min() > 0.01
