"""Shares and their intervals, against simulated generators whose shares and whose judge are known."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import binomtest, entropy

from studio.evaluation.divergences import divergence, total_variation, total_variation_floor, total_variation_interval
from studio.evaluation.intervals import wilson
from studio.evaluation.shares import estimate
from tests.benchmarks.coverage import Setting, tried

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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("shares", "accuracy", "unsure", "known", "count"),
    [
        (TWOS_30, 0.96, 0.03, 1000, 2000),
        (WITH_RUBBISH, 0.8, 0.08, 1000, 2000),
        (TWOS_30, 0.8, 0.08, 36, 1000),
        (WITH_RUBBISH, 0.97, 0.01, 36, 300),
    ],
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


def test_that_a_judge_that_tells_nothing_apart_says_nothing_but_what_is_unsure() -> None:
    found = estimate([50, 50, 0], np.array([[50, 50], [50, 50], [0, 0]]))
    assert found.corrected.tolist() == [0.5, 0.5, 0]
    assert found.low.tolist() == [0, 0, 0]
    assert found.high[:2].tolist() == [1, 1]
    assert found.high[2] < 0.05
    (group,) = found.together
    assert group.classes == (0, 1)
    assert group.high == 1
    assert group.low > 0.95


def test_that_a_class_without_held_out_examples_keeps_its_share_as_judged_and_a_wide_interval() -> None:
    confusion = np.vstack([np.diag([0.0] + [100.0] * 9), np.zeros(10)])
    found = estimate([50] + [105] * 8 + [110, 0], confusion)
    np.testing.assert_allclose(found.corrected, found.raw, atol=0.005)
    assert found.low[0] < 0.045
    assert found.high[0] > 0.5
    assert (found.high - found.low)[1:].max() < 0.1
    assert found.uncorrected == (0,)


@pytest.mark.parametrize("known", [0, 1, 2, 3])
@pytest.mark.parametrize("right", [0, 1])
def test_that_a_class_known_by_hardly_an_example_is_not_blown_up(known: int, right: int) -> None:
    """A folder of 1, 150, 150, 150 and 150 images, 29 % of the first wanted."""
    confusion = np.vstack([np.diag([0.0] + [25.0] * 4), np.zeros(5)])
    confusion[0 if right else 5, 0] = known
    found = estimate([598, 350, 351, 350, 351, 0], confusion)
    target = np.array([0.29, 0.1775, 0.1775, 0.1775, 0.1775, 0])
    assert found.corrected[0] == pytest.approx(0.299, abs=0.05)
    assert total_variation(target, found.corrected) < 0.06
    assert total_variation_floor(found.deviation) < 0.5
    assert found.low[0] <= 0.29 <= found.high[0]
    assert found.uncorrected == (0,)


@settings(max_examples=25)
@given(seed=st.integers(0, 10**6), classes=st.integers(1, 6), unknown=st.sampled_from([0.0, 0.1, 0.5, 1.0]))
def test_that_any_counts_give_shares_within_bounds(seed: int, classes: int, unknown: float) -> None:
    """Whatever was counted, whole or not, of classes known well, badly or not at all."""
    rng = np.random.default_rng(seed)
    scale = 10 ** rng.uniform(-2, 5, (classes + 1, classes + 1)) * (rng.random((classes + 1, classes + 1)) < 0.6)
    judged, confusion = np.floor(scale[0]) + (np.arange(classes + 1) == 0), scale[:, 1:]
    confusion[:, rng.random(classes) < unknown] = 0
    found = estimate(judged, confusion)
    assert found.corrected.sum() == pytest.approx(1)
    assert (found.low >= 0).all()
    assert (found.low <= found.corrected).all()
    assert (found.corrected <= found.high).all()
    assert (found.high <= 1 + 1e-12).all()
    assert (found.deviation <= 0.5 + 1e-12).all()
    assert 0 <= total_variation(found.raw, found.corrected) <= 1
    assert 0 <= total_variation_floor(found.deviation) <= 1
    if not confusion.any():
        np.testing.assert_allclose(found.corrected, found.raw, atol=1e-9)


@pytest.mark.parametrize("known", [1, 10])
@pytest.mark.parametrize("wrong", [0.02, 0.3])
def test_that_correcting_by_few_examples_is_on_average_no_worse_than_not_correcting(known: int, wrong: float) -> None:
    rng, corrected, raw = np.random.default_rng(1), [], []
    for _ in range(20):
        rates = np.eye(6)
        for true in range(5):
            rates[:, true] = rng.dirichlet(np.full(6, 0.5)) * wrong + (1 - wrong) * rates[:, true]
        shares = np.append(rng.dirichlet(np.ones(5)), 0)
        confusion = np.stack([rng.multinomial(known, rates[:, true]) for true in range(5)], axis=1)
        found = estimate(rng.multinomial(2000, rates @ shares), confusion)
        corrected.append(total_variation(shares, found.corrected))
        raw.append(total_variation(shares, found.raw))
    assert np.mean(corrected) < np.mean(raw) + 0.002


@pytest.mark.slow
@pytest.mark.parametrize(("known", "count", "tie"), [(100, 2000, 0.5), (1000, 10_000, 0.52)])
def test_that_two_classes_that_look_alike_spoil_no_other(known: int, count: int, tie: float) -> None:
    rng, rates, trials = np.random.default_rng(2), planted(0.9, 0.03), 200
    alike = rates[8:10, 8:10].sum(axis=0)
    rates[8:10, 8:10] = alike * np.array([[tie, 1 - tie], [1 - tie, tie]])
    held, off, told = np.zeros(11), np.zeros(11), 0
    for _ in range(trials):
        confusion = np.stack([rng.multinomial(known, rates[:, true]) for true in range(10)], axis=1)
        found = estimate(rng.multinomial(count, rates @ TWOS_30), confusion)
        held += (found.low <= TWOS_30) & (found.high >= TWOS_30)
        off += (found.corrected - TWOS_30) / trials
        for group in found.together:
            told += 1
            assert group.classes == (8, 9)
            assert group.low <= group.share <= group.high
            assert group.share == pytest.approx(0.16, abs=0.06)
            assert found.high[8] <= max(group.high, found.corrected[8])
    assert np.abs(off).max() < 0.01
    assert held.mean() / trials > 0.94
    assert held.min() / trials > 0.95 - 3.5 * math.sqrt(0.95 * 0.05 / trials)
    assert told > trials / 2


@pytest.mark.parametrize("alike", [2, 3, 4])
def test_that_classes_that_look_alike_have_a_share_together_divided_as_judged(alike: int) -> None:
    confusion = np.vstack([np.eye(5) * 100, np.zeros(5)])
    confusion[:alike, :alike] = 100 / alike
    judged = np.array([400, 200, 100, 200, 100, 0])
    found = estimate(judged, confusion)
    (group,) = found.together
    assert group.classes == tuple(range(alike))
    assert group.share == pytest.approx(judged[:alike].sum() / 1000, abs=0.01)
    assert group.high - group.low < 0.1
    np.testing.assert_allclose(found.corrected, judged / 1000, atol=0.01)
    assert (found.high[:alike] > group.high - 0.01).all()
    assert (found.low[:alike] < 0.01).all()


def test_that_a_judge_at_chance_leaves_shares_as_they_are_judged() -> None:
    rng, truth = np.random.default_rng(0), np.array([0.4, 0.2, 0.2, 0.2])
    for _ in range(20):
        confusion = np.vstack([rng.multinomial(100, [0.25] * 4, size=4).T, np.zeros(4)])
        found = estimate(np.append(rng.multinomial(1000, [0.25] * 4), 0), confusion)
        np.testing.assert_allclose(found.corrected, found.raw, atol=0.02)
        assert (found.low[:-1] <= truth).all()
        assert (truth <= found.high[:-1]).all()
        assert [group.classes for group in found.together] == [(0, 1, 2, 3)]


@pytest.mark.parametrize("told", [0.0, 0.1])
@pytest.mark.parametrize("known", [5, 30])
def test_that_a_class_taken_for_another_may_have_its_share(known: int, told: float) -> None:
    """Of class 1 hardly an example is seen as such, so that most of what is judged 0 may be of either."""
    rng, trials, truth = np.random.default_rng(4), 25, np.array([0.1, 0.6, 0.2, 0.1, 0.0])
    rates = np.array([[0.97, 0.97 - told, 0.01, 0.01], [0.01, 0.01 + told, 0.01, 0.01]])
    rates = np.vstack([rates, [[0.01, 0.01, 0.97, 0.01], [0.01, 0.01, 0.01, 0.97]], np.zeros(4)])
    held, widths = np.zeros(5), np.zeros(5)
    for _ in range(trials):
        confusion = np.stack([rng.multinomial(known, column) for column in rates.T], axis=1)
        found = estimate(rng.multinomial(2000, rates @ truth[:4]), confusion)
        held += (found.low <= truth) & (truth <= found.high)
        widths += (found.high - found.low) / trials
    assert held.min() / trials > 0.95 - 3.5 * math.sqrt(0.95 * 0.05 / trials)
    assert widths[2:4].max() < (0.5 if known < 30 else 0.2)


def test_that_a_judge_that_always_says_the_same_says_nothing() -> None:
    found = estimate([500, 0, 0, 0, 0], np.vstack([np.full(4, 100.0), np.zeros((4, 4))]))
    assert found.low.max() < 0.01
    assert found.high[:-1].min() > 0.99
    assert total_variation_floor(found.deviation[:-1]) > 0.2


@pytest.mark.parametrize("right", [97, 100])
def test_that_a_share_of_one_is_known_to_a_few_points(right: int) -> None:
    judged = np.zeros(11)
    judged[2] = 500
    found = estimate(judged, np.vstack([np.diag(np.full(10, float(right))), np.full(10, 100.0 - right)]))
    assert found.corrected[2] == pytest.approx(1)
    assert 0.96 < found.low[2] < 0.995
    assert found.high[2] == 1


def test_that_the_upper_end_near_a_share_of_nothing_is_near_two_deviations_and_rises_smoothly() -> None:
    """2 % of each class are unsure, known from 2,000 examples each; so are none to 40 of 10,000 samples."""
    confusion = np.vstack([np.diag(np.full(10, 1960.0)), np.full(10, 40.0)])
    ends = []
    for unsure in range(0, 400, 10):
        found = estimate([*[(10_000 - unsure) / 10] * 10, unsure], confusion)
        ends.append(found.high[-1])
        if unsure == 200:
            assert found.corrected[-1] == pytest.approx(0, abs=1e-4)
            assert found.high[-1] == pytest.approx(1.96 * math.sqrt(0.02 * 0.98 * (1 / 10_000 + 1 / 20_000)), rel=0.15)
    assert (np.diff(ends) >= -1e-9).all()
    assert np.diff(ends).max() < 0.002


def test_that_a_rare_confusion_that_no_held_out_example_shows_may_explain_what_is_unsure() -> None:
    """One in 67 of a class is unsure, none of its 100 held-out examples: no sign that samples are rubbish."""
    confusion = np.vstack([np.diag(np.full(3, 100.0)), np.zeros(3)])
    assert estimate([8850, 500, 500, 150], confusion).low[-1] == 0
    assert estimate([8850, 500, 500, 150], 100 * confusion).low[-1] > 0.01


@pytest.mark.slow
@pytest.mark.parametrize(
    ("error", "held_out", "samples", "top"),
    [
        (0.01, 30, 500, 0.5),
        (0.05, 100, 10_000, 0.9),
        (0.2, 1000, 2000, 0.99),
        (0.2, 30, 500, 0.5),
        (0.01, 1000, 2000, 0.99),
    ],
)
def test_that_intervals_keep_their_promise_over_the_grid(error: float, held_out: int, samples: int, top: float) -> None:
    """A part of the grid of `tests.benchmarks.coverage`."""
    found = tried(Setting(error=error, held_out=held_out, samples=samples, top=top), trials=300)
    assert found.coverage.min() > 0.93 - 2.5 * math.sqrt(0.93 * 0.07 / 300)
    assert found.coverage.mean() > 0.945
    assert found.informed < 1.5 or found.known < 1.3


@pytest.mark.slow
def test_that_a_thousand_classes_are_corrected() -> None:
    rng, classes = np.random.default_rng(0), 1000
    rates = np.zeros((classes + 1, classes))
    rates[np.arange(classes), np.arange(classes)] = 0.8
    rates[rng.permutation(classes), np.arange(classes)] += 0.2
    shares = rng.dirichlet(np.ones(classes))
    confusion = np.stack([rng.multinomial(50, column) for column in rates.T], axis=1)
    found = estimate(rng.multinomial(50_000, rates @ shares), confusion)
    assert total_variation(shares, found.corrected[:-1]) < total_variation(shares, found.raw[:-1])
    held = (found.low[:-1] <= shares) & (shares <= found.high[:-1])
    assert held.mean() > 0.94


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


@pytest.mark.parametrize(
    ("generated", "count"),
    [(TWOS_30, 300), (WITH_RUBBISH, 3000), (np.full(11, 1 / 11), 300)],
    ids=["right", "rubbish", "even"],
)
def test_that_the_interval_of_the_total_variation_holds_the_truth(generated: np.ndarray, count: int) -> None:
    rng, truth, hits = np.random.default_rng(5), total_variation(TWOS_30, generated), 0
    for _ in range(200):
        found = rng.multinomial(count, generated) / count
        smooth = (found * count + 0.5) / (count + 5.5)
        low, high = total_variation_interval(TWOS_30, found, np.sqrt(smooth * (1 - smooth) / count))
        assert 0 <= low <= total_variation(TWOS_30, found) <= high <= 1
        hits += low - 1e-12 <= truth <= high
    assert hits / 200 >= 0.9
