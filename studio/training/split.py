"""Examples that training never sees, so that a model can be asked about them."""

from __future__ import annotations

import numpy as np

from studio.data.example_set import ExampleSet
from studio.data.scale import Values


def split_off(data: ExampleSet, share: float, seed: int) -> tuple[ExampleSet, Values]:
    """The set to train on, and the examples held out: the same share of every class, so that class shares stay.

    Args:
        data: all examples.
        share: of each class, in 0…1 with 1 excluded; rounded down to whole examples.
        seed: of the choice.

    Returns:
        the set itself when nothing is held out; else its other examples, and the values of those held out, shape
        (n, H, W, C).
    """
    order = np.random.default_rng(seed).permutation(len(data))
    rank = np.empty(len(data), dtype=np.int64)
    for label, count in enumerate(data.counts):
        members = order[data.labels[order] == label]
        rank[members] = np.arange(count)
    held_out = rank < np.floor(share * data.counts)[data.labels]
    if not held_out.any():
        return data, data.values[:0]
    return data.take(~held_out), data.values[held_out]
