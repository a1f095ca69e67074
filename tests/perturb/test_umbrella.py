"""Umbrella sampling against closed forms."""

import numpy as np
import pytest

from studio.perturb.umbrella import Umbrella, predicted_gain

RARE = 0.001


def sample(tilted: float, count: int, rng: np.random.Generator) -> Umbrella:
    """The share of a class of 0.1 %, from samples among which it is tilted to another."""
    f = (rng.random(count) < tilted).astype(float)
    outside, inside = np.log((1 - RARE) / (1 - tilted)), np.log(RARE / tilted)
    return Umbrella.of(f, outside + f * (inside - outside) + 300)


@pytest.mark.parametrize("tilted", [0.1, 0.5, 0.9])
def test_that_the_variance_of_a_rare_class_falls_by_the_factor_of_theory(tilted: float) -> None:
    rng, count = np.random.default_rng(0), 1000
    found = [sample(tilted, count, rng) for _ in range(800)]
    gain = tilted * (1 - tilted) / (RARE * (1 - RARE))
    means = np.array([each.mean for each in found])
    plain = rng.binomial(count, RARE, 800) / count
    assert means.mean() == pytest.approx(RARE, rel=0.02)
    # Each of the two variances of 800 means is known to 5 %.
    assert plain.var() / means.var() == pytest.approx(gain, rel=0.25)
    assert np.mean([each.error**2 for each in found]) == pytest.approx(means.var(), rel=0.15)
    assert np.mean([each.gain for each in found]) == pytest.approx(gain, rel=0.1)


def test_that_the_gain_is_known_before_anything_is_sampled() -> None:
    f, p = np.array([0.0, 1.0]), np.array([999.0, 1.0])
    for tilted in (0.001, 0.1, 0.5, 0.9):
        energy = -np.log(np.array([(1 - tilted) / (1 - RARE), tilted / RARE])) + 500
        assert predicted_gain(f, energy, p) == pytest.approx(tilted * (1 - tilted) / (RARE * (1 - RARE)))
    assert predicted_gain(f, [0.0, 0.0], p) == pytest.approx(1)


def test_that_a_gaussian_is_recovered_from_a_shifted_one() -> None:
    x = np.random.default_rng(0).standard_normal(50_000) - 0.5  # N(0, 1) under ΔH = x/2
    found = Umbrella.of(x**2, x / 2)
    assert found.mean == pytest.approx(1, abs=4 * found.error)
    assert found.efficiency == pytest.approx(np.exp(-0.25), abs=0.02)


def test_that_no_tilt_is_the_plain_mean() -> None:
    f = np.random.default_rng(0).random(100)
    found = Umbrella.of(f, np.zeros(100))
    assert found.mean == pytest.approx(f.mean())
    assert found.error == pytest.approx(f.std() / 10) == found.plain_error
    assert found.gain == pytest.approx(1)
    assert found.efficiency == pytest.approx(1)
