"""Distances of points from a known density: pairs of Gaussians and shifted sets, whose answers are known."""

import math

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm, spearmanr

from studio.evaluation.plane_divergence import (
    EVEN,
    cell_counts,
    js_divergence,
    kl_divergence,
    rank_correlation,
    w1_distance,
    w1_floor,
)

HALF, SIDE = 5.0, 24
Array = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def gaussian_masses(shift: float) -> Array:
    """Masses of N((shift, 0), 1) in the cells, exactly; rows along x₂."""
    edges = np.linspace(-HALF, HALF, SIDE + 1)
    edges[0], edges[-1] = -np.inf, np.inf
    return np.outer(np.diff(norm.cdf(edges)), np.diff(norm.cdf(edges, shift)))


def draws(shift: float, count: int, seed: int) -> Array:
    return np.random.default_rng(seed).standard_normal((count, 2)) + np.array([shift, 0])


def counted(shift: float, count: int, seed: int) -> Array:
    return cell_counts(draws(shift, count, seed), HALF, SIDE)


def js_of_gaussians(shift: float) -> float:
    """JS(N(0, 1), N(shift, 1)) along x₁, by quadrature: x₂ adds nothing."""

    def integrand(x: float) -> float:
        p, q = (math.exp(-(offset**2) / 2) / math.sqrt(2 * math.pi) for offset in (x, x - shift))
        return 0.5 * sum(a * math.log(2 * a / (p + q)) for a in (p, q) if a > 0)

    return float(quad(integrand, -12, 12 + shift)[0])


@pytest.mark.parametrize("shift", [0.5, 1.0, 2.0])
def test_that_js_of_two_gaussians_is_the_integral(shift: float) -> None:
    found = [float(js_divergence(gaussian_masses(0), counted(shift, 2_000, seed))) for seed in range(30)]
    assert np.mean(found) == pytest.approx(js_of_gaussians(shift), abs=0.005)


@pytest.mark.parametrize("shift", [0.5, 1.0])
def test_that_kl_of_two_gaussians_is_half_the_squared_shift(shift: float) -> None:
    """KL(N(μ, 1) ‖ N(0, 1)) = ½μ²; the count leaves about 0.01 too much, far out the even part takes more away."""
    found = [float(kl_divergence(gaussian_masses(0), counted(shift, 2_000, seed))) for seed in range(30)]
    assert np.mean(found) == pytest.approx(shift**2 / 2, abs=0.02)


def test_that_no_difference_is_no_divergence_however_few_points_there_are() -> None:
    """Plain counts would say about (cells in use)/8N: 0.03 for 500 points."""
    for divergence in (js_divergence, kl_divergence):
        found = [float(divergence(gaussian_masses(0), counted(0, 1_000, seed))) for seed in range(40)]
        assert abs(np.mean(found)) < 0.02
        plain = [
            float(divergence(gaussian_masses(0), 1e9 * counted(0, 1_000, seed))) for seed in range(10)
        ]  # as if the shares were exact: the jackknife then has nothing to remove
        assert np.mean(plain) > 2 * abs(np.mean(found))


def test_that_sets_that_nowhere_meet_have_js_log_2_and_the_largest_kl() -> None:
    target = np.zeros((8, 8))
    target[0, 0] = 1
    counts = np.zeros((8, 8))
    counts[7, 7] = 500
    assert float(js_divergence(target, counts)) == pytest.approx(math.log(2))
    assert float(kl_divergence(target, counts)) == pytest.approx(math.log(64 / EVEN))


def test_that_every_point_is_counted_even_beyond_the_square() -> None:
    points = np.array([[0, 0], [9, 9], [-9, 0.1], [HALF, -HALF], [-HALF, HALF]])
    counts = cell_counts(points, HALF, SIDE)
    assert counts.sum() == len(points)
    assert counts[-1, -1] == counts[0, -1] == counts[-1, 0] == 1


def test_that_w1_of_a_shifted_set_is_the_shift() -> None:
    points = draws(0, 200, 0)
    assert w1_distance(points, points + np.array([0.3, -0.4])) == pytest.approx(0.5)
    assert w1_distance(points, points[::-1]) == pytest.approx(0)


def test_that_w1_of_far_gaussians_is_their_distance() -> None:
    assert w1_distance(draws(0, 300, 1), draws(4, 300, 2)) == pytest.approx(4, abs=0.15)


def test_that_the_floor_is_what_two_draws_of_one_density_give() -> None:
    rng = np.random.default_rng(3)
    floor = w1_floor(lambda count: rng.standard_normal((count, 2)), 200)
    assert floor == pytest.approx(w1_distance(draws(0, 200, 4), draws(0, 200, 5)), rel=0.3)


def test_that_the_rank_correlation_is_spearmans() -> None:
    rng = np.random.default_rng(0)
    first = rng.standard_normal(50)
    second = np.exp(first) + rng.random(50)
    assert rank_correlation(first, second) == pytest.approx(spearmanr(first, second).statistic)
    assert rank_correlation(first, -(first**3)) == pytest.approx(-1)
    assert math.isnan(rank_correlation(first[:1], second[:1]))
