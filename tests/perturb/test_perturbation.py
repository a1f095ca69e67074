"""Offsets, weights and target shares: identities and round trips."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.errors import UserError
from studio.perturb.perturbation import (
    Gauge,
    Perturbation,
    class_log_weights,
    log_mean_weight,
    offsets_for_shares,
    offsets_for_some_shares,
    target_shares,
)

MNIST_COUNTS = (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949)

counts_and_offsets = st.integers(2, 12).flatmap(
    lambda k: st.tuples(
        st.lists(st.integers(1, 10_000), min_size=k, max_size=k), st.lists(st.floats(-20, 20), min_size=k, max_size=k)
    )
)


def test_that_equal_offsets_leave_weights_at_exactly_one() -> None:
    for constant in (0.0, 0.1, -3.7, 700.0, -700.0):
        assert (np.exp(class_log_weights(MNIST_COUNTS, [constant] * 10)) == 1.0).all()


@given(counts_and_offsets, st.floats(-50, 50))
def test_that_a_constant_added_to_every_offset_changes_no_weight_and_no_share(case, constant) -> None:  # type: ignore[no-untyped-def]
    counts, offsets = case
    shifted = np.array(offsets) + constant
    assert class_log_weights(counts, shifted) == pytest.approx(class_log_weights(counts, offsets), abs=1e-12)
    assert target_shares(counts, shifted) == pytest.approx(target_shares(counts, offsets), abs=1e-12)


@given(counts_and_offsets)
def test_that_normalised_weights_have_mean_one(case) -> None:  # type: ignore[no-untyped-def]
    counts, offsets = case
    weights = np.exp(class_log_weights(counts, offsets))
    assert np.average(weights, weights=counts) == pytest.approx(1.0, rel=1e-12)


@given(counts_and_offsets)
def test_that_the_target_is_the_data_times_the_weights(case) -> None:  # type: ignore[no-untyped-def]
    counts, offsets = case
    number = np.array(counts, dtype=float)
    boltzmann = number * np.exp(-np.array(offsets))
    assert target_shares(counts, offsets) == pytest.approx(boltzmann / boltzmann.sum(), rel=1e-9, abs=1e-15)


@given(counts_and_offsets)
def test_that_shares_and_offsets_round_trip(case) -> None:  # type: ignore[no-untyped-def]
    counts, offsets = case
    shares = target_shares(counts, offsets)
    back = offsets_for_shares(counts, shares)
    assert target_shares(counts, back) == pytest.approx(shares, rel=1e-9)
    number = np.array(counts, dtype=float)
    assert (number / number.sum() * np.exp(-back)).sum() == pytest.approx(1.0)
    difference = back - np.array(offsets)
    assert difference == pytest.approx(np.full(len(offsets), difference[0]), abs=1e-9)


@given(counts_and_offsets, st.floats(1e-6, 1 - 1e-6), st.integers(0, 11))
def test_that_typing_a_share_moves_one_class_and_keeps_the_others_proportions(case, share, which) -> None:  # type: ignore[no-untyped-def]
    counts, offsets = case
    index = which % len(counts)
    moved = offsets_for_some_shares(counts, offsets, {index: share})
    before, after = target_shares(counts, offsets), target_shares(counts, moved)
    assert after[index] == pytest.approx(share, rel=1e-9)
    others = np.arange(len(counts)) != index
    assert after[others] / after[others].sum() == pytest.approx(before[others] / before[others].sum(), rel=1e-8)


def test_that_typing_several_shares_keeps_the_other_classes_proportions() -> None:
    offsets = (0.3, -1.0, 0.0, 2.0)
    moved = offsets_for_some_shares((10, 20, 30, 40), offsets, {0: 0.5, 2: 0.2})
    before, after = target_shares((10, 20, 30, 40), offsets), target_shares((10, 20, 30, 40), moved)
    assert after[[0, 2]] == pytest.approx([0.5, 0.2])
    assert after[1] / after[3] == pytest.approx(before[1] / before[3])
    assert moved[[1, 3]].tolist() == [-1.0, 2.0]
    with pytest.raises(UserError, match="add up to 110 %"):
        offsets_for_some_shares((10, 20, 30, 40), offsets, {0: 0.7, 2: 0.4})


def test_that_a_third_of_twos_in_mnist_needs_the_known_offset() -> None:
    offset = offsets_for_some_shares(MNIST_COUNTS, [0.0] * 10, {2: 0.30})[2]
    assert offset == pytest.approx(-1.3577, abs=5e-5)
    assert np.exp(log_mean_weight(MNIST_COUNTS, [0, 0, offset, *[0] * 7])) == pytest.approx(1.2867, abs=5e-5)


def test_that_extreme_offsets_neither_overflow_nor_become_nan() -> None:
    offsets = (700.0, -700.0, 0.0)
    logs = class_log_weights((10, 20, 30), offsets)
    assert np.isfinite(logs).all()
    assert target_shares((10, 20, 30), offsets) == pytest.approx([0, 1, 0], abs=1e-300)
    assert class_log_weights((10, 20, 30), offsets, Gauge.RAW) == pytest.approx([-700, 700, 0])


@pytest.mark.parametrize("offset", [float("nan"), float("inf"), 1e308, -701.0])
def test_that_an_unusable_offset_is_refused_in_plain_words(offset: float) -> None:
    with pytest.raises(UserError, match="not a usable offset"):
        Perturbation(offsets=(0.0, offset))


@pytest.mark.parametrize("share", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_that_an_impossible_share_is_refused(share: float) -> None:
    with pytest.raises(UserError, match="above 0 % and below 100 %"):
        offsets_for_some_shares((5, 5), (0.0, 0.0), {0: share})
    with pytest.raises(UserError, match="above 0 % and below 100 %"):
        offsets_for_shares((5, 5), (share, float("inf")))


def test_that_every_example_takes_its_classes_weight() -> None:
    perturbation = Perturbation(offsets=(0.0, -1.0), gauge=Gauge.RAW)
    logs = perturbation.example_log_weights(np.array([1, 0, 1]), np.array([1, 2]))
    assert logs.tolist() == [1.0, 0.0, 1.0]
