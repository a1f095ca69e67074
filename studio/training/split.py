"""Examples that training never sees, so that a model can be asked about them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studio.data.image_set import ImageSet


def kept_indices(data: ImageSet, share: float, seed: int) -> NDArray[np.int64]:
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


def split_off(data: ImageSet, kept: NDArray[np.int64]) -> tuple[ImageSet, NDArray[np.uint8]]:
    """The set to train on, and the images held out.

    Args:
        data: all examples.
        kept: which to train on, ascending.

    Returns:
        the set itself when nothing is held out; else its other examples, and the held-out images, uint8, shape
        (n, H, W, C).
    """
    if len(kept) == len(data):
        return data, data.images[:0]
    rest = np.ones(len(data), dtype=bool)
    rest[kept] = False
    part = ImageSet(name=data.name, images=data.images[kept], labels=data.labels[kept], class_names=data.class_names)
    return part, data.images[rest]
