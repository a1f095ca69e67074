"""Shares and their intervals, against simulated generators whose shares and whose judge are known."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.stats import binomtest, entropy

from studio.evaluation.shares import (
    divergence,
    estimate,
    total_variation,
    total_variation_floor,
    total_variation_interval,
    wilson,
)

TRIALS = 300
TWOS_30 = np.array([0.07, 0.08, 0.30, 0.07, 0.08, 0.08, 0.08, 0.08, 0.08, 0.08, 0.0])
WITH_RUBBISH = np.array([0.0, 0.003, 0.3, 0.07, 0.08, 0.08, 0.08, 0.08, 0.08, 0.027, 0.2])


def planted(accuracy: float, unsure: float, classes: int = 10) -> np.ndarray:
    """P(judged | truly), shape (K + 1, K + 1): confusion that favours some pairs, and rubbish, always unsure."""
    rng = np.random.default_rng(3)
    rates = np.zeros((classes + 1, classes + 1))
    for true in range(classes):
        others = [other for other in range(classes) if other != true]
        rates[others, true] = rng.dirichlet(np.full(classes - 1, 0.5)) * (1 - accuracy - unsure)
        rates[true, true], rates[classes, true] = accuracy, unsure
    rates[classes, classes] = 1.0
    return rates


@pytest.mark.parametrize("shares", [TWOS_30, WITH_RUBBISH], ids=["twos-30", "with-rubbish"])
@pytest.mark.parametrize(
    ("accuracy", "unsure", "known", "count"),
    [(0.96, 0.03, 1000, 2000), (0.8, 0.08, 1000, 2000), (0.8, 0.08, 36, 1000), (0.97, 0.01, 36, 300)],
)
def test_that_intervals_hold_the_known_shares_of_simulated_generators(
    shares: np.ndarray, accuracy: float, unsure: float, known: int, count: int
) -> None:
    """Both the samples and the confusion matrix are drawn anew each time, so what is not known of it counts."""
    rng, rates = np.random.default_rng(7), planted(accuracy, unsure)
    held = np.zeros(len(shares))
    for _ in range(TRIALS):
        confusion = np.stack([rng.multinomial(known, rates[:, true]) for true in range(10)], axis=1)
        found = estimate(rng.multinomial(count, rates @ shares), confusion)
        held += (found.low <= shares) & (shares <= found.high)
    coverage = held / TRIALS
    assert coverage.mean() >= 0.95
    assert coverage.min() >= 0.95 - 3.5 * math.sqrt(0.95 * 0.05 / TRIALS)


def test_that_correction_removes_a_planted_confusion() -> None:
    rates, count = planted(0.8, 0.08), 10**7
    confusion = np.round(rates[:, :10] * 10**7)
    found = estimate(np.round(rates @ TWOS_30 * count), confusion)
    assert np.abs(found.raw - TWOS_30).max() > 0.03
    np.testing.assert_allclose(found.corrected, TWOS_30, atol=1e-4)


def test_that_doubt_about_the_confusion_widens_intervals() -> None:
    judged = np.array([700.0, 300.0, 0.0])
    widths = []
    for examples in (10_000, 100):
        found = estimate(judged, np.array([[0.8, 0.2], [0.2, 0.8], [0.0, 0.0]]) * examples)
        widths.append((found.high - found.low)[0])
    assert widths[1] > 1.8 * widths[0]


def test_that_a_perfect_judge_changes_nothing() -> None:
    found = estimate([30, 70, 0], np.array([[10**9, 0], [0, 10**9], [0, 0]]))
    np.testing.assert_allclose(found.corrected, [0.3, 0.7, 0.0], atol=1e-8)
    np.testing.assert_allclose(found.low[:2], found.raw_low[:2], atol=0.02)


def test_that_a_judge_that_tells_nothing_apart_says_nothing() -> None:
    found = estimate([50, 50, 0], np.array([[50, 50], [50, 50], [0, 0]]))
    assert found.low.tolist() == [0, 0, 0]
    assert found.high.tolist() == [1, 1, 1]


def test_that_a_class_without_held_out_examples_still_gives_shares() -> None:
    found = estimate([50, 30, 20, 0], np.array([[100, 0, 0], [0, 100, 0], [0, 0, 0], [0, 0, 0]]))
    assert np.isfinite(found.corrected).all()
    assert found.corrected.sum() == pytest.approx(1)
    assert (found.low <= found.corrected).all()
    assert (found.corrected <= found.high).all()


@pytest.mark.parametrize(("successes", "trials"), [(0, 10), (1, 30), (50, 100), (300, 1000), (10, 10)])
def test_that_wilsons_interval_is_scipys(successes: int, trials: int) -> None:
    low, high = wilson(successes / trials, trials)
    expected = binomtest(successes, trials).proportion_ci(method="wilson")
    assert (float(low), float(high)) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_that_divergences_are_those_of_the_definition() -> None:
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.2, 0.3, 0.5])
    assert total_variation(p, q) == pytest.approx(0.3)
    assert divergence(p, q, 10**12) == pytest.approx(entropy(p, q))
    assert divergence(p, p, 10**12) == pytest.approx(0, abs=1e-9)


def test_that_a_class_never_generated_makes_a_large_divergence_and_not_an_infinite_one() -> None:
    value = divergence([0.5, 0.5], [1.0, 0.0], 1000)
    assert 2 < value < 5


def test_that_the_floor_of_total_variation_is_what_right_shares_score() -> None:
    rng, shares = np.random.default_rng(0), TWOS_30[:10] / TWOS_30[:10].sum()
    scores = [total_variation(shares, rng.multinomial(1000, shares) / 1000) for _ in range(500)]
    assert total_variation_floor(np.sqrt(shares * (1 - shares) / 1000)) == pytest.approx(np.mean(scores), rel=0.03)


@pytest.mark.parametrize("count", [300, 3000])
@pytest.mark.parametrize("generated", [TWOS_30, WITH_RUBBISH, np.full(11, 1 / 11)], ids=["right", "rubbish", "even"])
def test_that_the_interval_of_the_total_variation_holds_the_truth(generated: np.ndarray, count: int) -> None:
    rng, truth, hits = np.random.default_rng(5), total_variation(TWOS_30, generated), 0
    for _ in range(200):
        found = rng.multinomial(count, generated) / count
        smooth = (found * count + 0.5) / (count + 5.5)
        low, high = total_variation_interval(TWOS_30, found, np.sqrt(smooth * (1 - smooth) / count))
        assert 0 <= low <= total_variation(TWOS_30, found) <= high <= 1
        hits += low - 1e-12 <= truth <= high
    assert hits / 200 >= 0.9
