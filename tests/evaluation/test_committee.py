"""What a committee makes of its members' shares: intervals as wide as they are apart, and what cannot be recognised."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.evaluation.committee import by_committee, recognisable
from studio.evaluation.shares import Shares, estimate

CLASSES = 5


def judged(shares: np.ndarray, unsure: float = 0.0, count: int = 100_000) -> Shares:
    """By one judge that confuses nothing, of samples that are unsure to this part."""
    confusion = np.vstack([np.diag(np.full(len(shares), 1000)), np.zeros(len(shares))])
    return estimate(count * np.append(shares * (1 - unsure), unsure), confusion)


@given(st.floats(0, 0.9), st.integers(0, 2**32 - 1))
def test_that_judges_who_agree_leave_the_interval_of_one_and_what_is_unsure_no_error(unsure: float, seed: int) -> None:
    truth = np.random.default_rng(seed).dirichlet(np.full(CLASSES, 3.0))
    one = judged(truth, unsure)
    found = by_committee(one, [one] * 4)
    np.testing.assert_allclose(found.corrected[:-1], truth, atol=0.005)
    assert found.corrected[:-1].sum() == pytest.approx(1)
    assert found.corrected[-1] == one.corrected[-1]
    np.testing.assert_allclose(found.low[:-1] * one.corrected[:-1].sum(), one.low[:-1])
    np.testing.assert_array_equal(found.raw, one.raw)


@pytest.mark.slow
@pytest.mark.parametrize("classes", [2, 5, 10])
def test_that_the_interval_holds_what_another_judge_of_that_kind_finds(classes: int) -> None:
    """Judges whose shares scatter by 6 % of √(r (1 − r)): a fifth lies within in 95 %, and not in nearly all."""
    rng, held = np.random.default_rng(0), []
    truth = rng.dirichlet(np.full(classes, 3.0))
    for _ in range(600 // classes):
        scattered = truth + rng.normal(0, 0.06, (5, classes)) * np.sqrt(truth * (1 - truth))
        *members, other = np.maximum(scattered, 1e-3) / np.maximum(scattered, 1e-3).sum(axis=1, keepdims=True)
        found = by_committee(judged(np.mean(members, axis=0)), [judged(member) for member in members])
        held.append((found.low[:-1] <= other) & (other <= found.high[:-1]))
    assert 0.93 <= np.mean(held) <= 0.98


def test_that_one_judge_who_differs_in_two_classes_widens_these() -> None:
    even, odd = np.full(CLASSES, 0.2), np.array([0.3, 0.1, 0.2, 0.2, 0.2])
    found = by_committee(judged(even), [judged(even)] * 3 + [judged(odd)])
    width = (found.high - found.low)[:-1]
    assert width[:2].min() > 0.25
    assert width[:2].min() > 1.8 * width[2:].max() > 0.1, "the others may agree by chance"
    assert found.deviation[0] > 1.8 * found.deviation[2]


def test_that_nothing_is_known_of_what_is_not_recognised() -> None:
    one = judged(np.full(CLASSES, 0.2), unsure=1.0)
    found = by_committee(one, [one] * 3)
    assert found.low[:-1].tolist() == [0] * CLASSES
    assert found.high[:-1].tolist() == [1] * CLASSES
    assert found.corrected[-1] == pytest.approx(1, abs=1e-3)
    assert np.isfinite(found.corrected).all()
    assert np.isnan(recognisable(one.raw)).all()
