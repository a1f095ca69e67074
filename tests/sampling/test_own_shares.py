"""Which classes a model makes, by a classifier that learned from data with other shares."""

import numpy as np
import pytest
from numpy.typing import NDArray

from studio.perturb.arrays import Floats
from studio.sampling.own_shares import OwnShares, mixture_shares

PRIOR = np.array([0.6, 0.3, 0.1])


def seen(shares: Floats, count: int, seed: int = 0) -> tuple[Floats, NDArray[np.int64]]:
    """p(c|x) of draws with these class shares by the exact classifier of the data, and their classes."""
    rng = np.random.default_rng(seed)
    classes = rng.choice(3, count, p=shares)
    x = 1.5 * classes + rng.standard_normal(count)
    joint = np.exp(-0.5 * (x[:, None] - 1.5 * np.arange(3)) ** 2) * PRIOR
    return joint / joint.sum(1, keepdims=True), classes


def test_that_shares_are_found_that_are_not_the_data_s() -> None:
    shares = np.array([0.2, 0.2, 0.6])
    probabilities, _ = seen(shares, 40_000)
    np.testing.assert_allclose(mixture_shares(probabilities / PRIOR, PRIOR), shares, atol=0.01)
    np.testing.assert_allclose(OwnShares.of(probabilities, PRIOR, PRIOR).shares, shares, atol=0.01)


def test_that_the_posterior_is_calibrated_for_what_the_model_makes() -> None:
    probabilities, classes = seen(np.array([0.2, 0.2, 0.6]), 40_000)
    own = OwnShares.of(probabilities, PRIOR, PRIOR)
    posterior = np.exp(own.log_posterior(probabilities))[:, 2]
    for low in (0.1, 0.4, 0.7):
        within = (posterior > low) & (posterior < low + 0.2)
        assert (classes[within] == 2).mean() == pytest.approx(posterior[within].mean(), abs=0.03)


def test_that_a_model_which_arrived_is_not_corrected_for_chance() -> None:
    missed = [np.abs(OwnShares.of(seen(PRIOR, 400, seed)[0], PRIOR, PRIOR).log_missed).max() for seed in range(20)]
    raw = [np.abs(np.log(PRIOR / mixture_shares(seen(PRIOR, 400, seed)[0] / PRIOR, PRIOR))).max() for seed in range(20)]
    assert np.mean(missed) < 0.6 * np.mean(raw)


def test_that_a_class_that_is_not_made_is_not_made_up_for_by_copies() -> None:
    probabilities, _ = seen(np.array([0.7, 0.3, 0.0]), 4000)
    assert OwnShares.of(probabilities, PRIOR, PRIOR).log_missed[2] == pytest.approx(np.log(4))
