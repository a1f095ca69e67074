"""Examples that training never sees, so that a model can be asked about them, and the weights of those that it sees.

The target is that of all examples. Held-out counts are whole numbers, and with W_c = Σ_{i∈c} w_i of all and W̃_c of the
kept ones, the kept ones of a class carry

    w̃_i = w_i·(W_c/N)/(W̃_c/Ñ),   so that Σ_{i∈c} w̃_i/Ñ = W_c/N

and each class has the share in training that is shown for it. Where the ratios of all classes are the same to a
thousandth they are taken for the same, so that equal offsets leave the weights of a large set at exactly 1.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studio.data.example_set import ExampleSet
from studio.data.part import part_of
from studio.perturb.arrays import Floats
from studio.perturb.perturbation import log_mean_weight

_SAME = 1e-3


def kept_indices(data: ExampleSet, share: float, seed: int) -> NDArray[np.int64]:
    """Which examples are trained on, ascending: all but the same share of every class, so that class shares stay.

    Args:
        data: all examples.
        share: of each class that is held out, in 0…1 with 1 excluded; rounded down to whole examples.
        seed: of the choice.
    """
    # Of all numbers, so that a file that cannot be read changes nothing for the others.
    order = np.random.default_rng(seed).permutation(data.number_count)
    order = np.searchsorted(data.numbers, order[np.isin(order, data.numbers)])
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


def kept_log_weights(log_weights: Floats, labels: NDArray[np.int64], kept: NDArray[np.int64]) -> Floats:
    """log w̃ of the examples that are trained on, shape (Ñ,); the mean weight is that of all examples.

    Args:
        log_weights: log w of all examples, shape (N,).
        labels: class of each, shape (N,).
        kept: which are trained on, at least one of each class, shape (Ñ,).
    """
    if len(kept) == len(log_weights):
        return log_weights
    ours, classes = log_weights[kept], labels[kept]
    (top, mass), (our_top, our_mass) = _log_masses(log_weights, labels), _log_masses(ours, classes)
    # Highest weights and sums apart, so that classes of equal weights give the ratio of their counts exactly.
    ratio = top - our_top + np.log(mass * len(kept) / (our_mass * len(log_weights)))
    if np.ptp(ratio) < _SAME:
        ratio[:] = log_mean_weight(np.ones(len(labels)), -log_weights) - log_mean_weight(np.ones(len(kept)), -ours)
    return np.asarray(ours + ratio[classes])


def _log_masses(log_weights: Floats, labels: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """The highest log w of each class and Σ w relative to it, shapes (K,); 0 and 1 of a class without examples."""
    classes = int(labels.max()) + 1
    top = np.full(classes, -np.inf)
    np.maximum.at(top, labels, log_weights)
    top[np.isinf(top)] = 0.0
    mass = np.bincount(labels, weights=np.exp(log_weights - top[labels]), minlength=classes)
    return top, np.where(mass > 0, mass, 1.0)
