"""Batches are filled up to few sizes, and nothing of what they teach changes."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from studio.training.examples.examples import padded, padded_size


@given(st.integers(1, 10**6))
def test_that_a_size_grows_by_a_sixteenth_at_most(count: int) -> None:
    """And a padded size stays."""
    size = padded_size(count)
    assert count <= size <= count * 17 / 16
    assert padded_size(size) == size


def test_that_an_octave_has_sixteen_sizes() -> None:
    assert sorted({padded_size(count) for count in range(65, 129)}) == list(range(68, 129, 4))
    assert len({padded_size(count) for count in range(513, 1025)}) == 16


@given(st.integers(1, 300))
def test_that_what_fills_a_batch_weighs_nothing(count: int) -> None:
    """The batch itself stands first, as it was; the rest are examples of it."""
    indices, weights = np.arange(100, 100 + count), np.linspace(1, 2, count)
    all_indices, all_weights = padded(indices, weights)
    assert len(all_indices) == len(all_weights) == padded_size(count)
    np.testing.assert_array_equal(all_indices[:count], indices)
    np.testing.assert_array_equal(all_weights[:count], weights)
    assert not all_weights[count:].any()
    assert set(all_indices) == set(indices)
