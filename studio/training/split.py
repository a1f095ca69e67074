"""Examples that training never sees, so that a model can be asked about them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studio.data.example_set import ExampleSet
from studio.data.part import part_of


def kept_indices(data: ExampleSet, share: float, seed: int) -> NDArray[np.int64]:
    """Which examples are trained on, ascending: all but the same share of every class, so that class shares stay.

    Args:
        data: all examples.
        share: of each class that is held out, in 0…1 with 1 excluded; rounded down to whole examples.
        seed: of the choice.
    """
    order = np.random.default_rng(seed).permutation(len(data))
    rank = np.empty(len(data), dtype=np.int64)
    for label, count in enumerate(data.counts):
        members = order[data.labels[order] == label]
        rank[members] = np.arange(count)
    return np.flatnonzero(rank >= np.floor(share * data.counts)[data.labels])


def split_off(data: ExampleSet, kept: NDArray[np.int64]) -> tuple[ExampleSet, NDArray[np.int64]]:
    """The set to train on, and which examples are held out.

    Args:
        data: all examples.
        kept: which to train on, ascending.

    Returns:
        the set itself when nothing is held out, else its part; and the places of those held out, ascending.
    """
    if len(kept) == len(data):
        return data, kept[:0]
    held_out = np.ones(len(data), dtype=bool)
    held_out[kept] = False
    return part_of(data, kept), np.flatnonzero(held_out)
