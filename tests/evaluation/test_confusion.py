"""The confusion of examples held out, even and under a tilt."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.evaluation.confusion import HeldOut, Rates

CLASSES = 3


def held_out(seed: int, count: int) -> HeldOut:
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, CLASSES, count)
    wrong = rng.random(count) < 0.3
    judged = np.where(wrong, rng.integers(0, CLASSES + 1, count), truth)
    return HeldOut(examples=rng.permutation(3 * count)[:count], truth=truth, judged=judged)


def test_that_it_counts_by_judged_and_true_class() -> None:
    found = HeldOut(examples=np.arange(5), truth=np.array([0, 0, 0, 1, 1]), judged=np.array([0, 0, 2, 1, 0]))
    assert found.confusion(2).tolist() == [[2, 1], [0, 1], [1, 0]]


def test_that_a_tilt_within_a_class_weighs_its_examples_and_lessens_their_number() -> None:
    """Weights 1 and 3 within class 0: a rate of 3/4 known from (1 + 3)²/(1 + 9) = 1.6 examples."""
    found = HeldOut(examples=np.array([4, 2]), truth=np.array([0, 0]), judged=np.array([0, 1]))
    table = found.confusion(1, np.log([9.0, 9.0, 3.0, 9.0, 1.0]))
    assert table[:, 0] == pytest.approx([0.4, 1.2])


@given(seed=st.integers(0, 10**6), count=st.integers(1, 60), offsets=st.tuples(*[st.floats(-800, 800)] * CLASSES))
def test_that_a_tilt_by_class_leaves_it_as_it_is(seed: int, count: int, offsets: tuple[float, ...]) -> None:
    found = held_out(seed, count)
    log_weights = np.zeros(3 * count)
    log_weights[found.examples] = np.array(offsets)[found.truth]
    np.testing.assert_allclose(found.confusion(CLASSES, log_weights), found.confusion(CLASSES))


@given(seed=st.integers(0, 10**6), count=st.integers(1, 60), spread=st.floats(0, 300), shift=st.floats(-700, 700))
def test_that_weights_leave_no_more_examples_than_there_are(seed: int, count: int, spread: float, shift: float) -> None:
    found = held_out(seed, count)
    log_weights = shift + spread * np.random.default_rng(seed).standard_normal(3 * count)
    table, plain = found.confusion(CLASSES, log_weights), found.confusion(CLASSES)
    known, whole = table.sum(axis=0), plain.sum(axis=0)
    assert (known <= whole + 1e-9).all()
    assert (known >= np.minimum(whole, 1) - 1e-9).all()
    assert (table[plain == 0] == 0).all()


def test_that_a_class_that_weighs_nothing_counts_none() -> None:
    found = HeldOut(examples=np.arange(3), truth=np.array([0, 1, 1]), judged=np.array([0, 1, 1]))
    assert found.confusion(2, np.array([-np.inf, 0, 0])).tolist() == [[0, 0], [0, 2], [0, 0]]


def test_that_fewer_added_examples_leave_what_the_held_out_ones_say() -> None:
    judge = Rates.of(np.array([[8.0, 0], [0, 0], [2, 0]])).adding(0.5)
    np.testing.assert_allclose(judge.rates, np.array([[8.5 / 10.5, 0, 0], [0, 1, 0], [2 / 10.5, 0, 1]]))
    assert judge.behind.tolist() == [10.5, 0.5, np.inf]
