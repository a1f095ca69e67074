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
from studio.data.subset import part_of
from studio.perturb.arrays import Floats

_SAME = 1e-3
_TOO_SMALL = 1e-290
"""Relative to the highest weight: sums of a class below it have lost their digits."""
_MOST_APART = 600.0
"""Nats by which a held-out example may outweigh all kept ones of its class; e^700 would be the end of float64."""


def kept_indices(data: ExampleSet, share: float, seed: int) -> NDArray[np.int64]:
    """Which examples are trained on, ascending: all but the same share, 0…1, of every class, in whole examples."""
    # Of all numbers, so that a file that cannot be read changes nothing for the others.
    order = np.random.default_rng(seed).permutation(data.number_count)
    order = np.searchsorted(data.numbers, order[np.isin(order, data.numbers)])
    rank = np.empty(len(data), dtype=np.int64)
    for label, count in enumerate(data.counts):
        members = order[data.labels[order] == label]
        rank[members] = np.arange(count)
    return np.flatnonzero(rank >= np.floor(share * data.counts)[data.labels])


def split_off(data: ExampleSet, kept: NDArray[np.int64]) -> tuple[ExampleSet, NDArray[np.int64]]:
    """The set of the examples to train on, ascending, itself if that is all; and the places of those held out."""
    if len(kept) == len(data):
        return data, kept[:0]
    held_out = np.ones(len(data), dtype=bool)
    held_out[kept] = False
    return part_of(data, kept), np.flatnonzero(held_out)


def kept_log_weights(log_weights: Floats, labels: NDArray[np.int64], kept: NDArray[np.int64]) -> Floats:
    """log w̃ of the examples that are trained on, at least one of each class, shape (Ñ,); the mean weight is that of
    all.

    log w and class of all examples have shape (N,), `kept` tells which are trained on, shape (Ñ,).
    """
    if len(kept) == len(log_weights):
        return log_weights
    classes = labels[kept]
    top = float(log_weights.max())
    # Relative to the highest weight of all, so that classes of equal weights give the ratio of their counts exactly.
    weights = np.exp(log_weights - top)
    mass, our_mass = _sums(labels, weights), _sums(classes, weights[kept])
    if (our_mass[np.bincount(classes) > 0] > _TOO_SMALL).all():
        return np.asarray(log_weights[kept] + _ratios(mass, our_mass, len(kept), len(labels))[classes])
    ratios = _ratios(*_masses_apart(log_weights, labels, kept), len(kept), len(labels), alike=False)
    return np.asarray(log_weights[kept] + ratios[classes])


def kept_class_log_weights(log_weights: Floats, counts: NDArray[np.int64], kept: NDArray[np.int64]) -> Floats:
    """The same where ΔH depends on the class alone: log w̃ of each class, shape (K,), without a look at the examples.

    Examples of each class, and those of them that are trained on, have shape (K,), too.
    """
    # Counts alone tell the ratios, also of a class that weighs too little for its mass to be a number.
    weights = np.exp(np.clip(log_weights - log_weights[counts > 0].max(), -_MOST_APART, 0.0))
    return np.asarray(log_weights + _ratios(counts * weights, kept * weights, int(kept.sum()), int(counts.sum())))


def _ratios(mass: Floats, our_mass: Floats, ours: int, number: int, *, alike: bool = True) -> Floats:
    """log of (W_c/N)/(W̃_c/Ñ), shapes (K,); `alike` if the masses of all classes are in one unit."""
    present = our_mass > 0
    ratios = np.zeros(len(mass))
    ratios[present] = np.log(mass[present] * ours / (our_mass[present] * number))
    if alike and np.ptp(ratios[present]) < _SAME:
        ratios[:] = np.log(mass.sum() * ours / (our_mass.sum() * number))
    return ratios


def _masses_apart(log_weights: Floats, labels: NDArray[np.int64], kept: NDArray[np.int64]) -> tuple[Floats, Floats]:
    """Σ w of each class, and of its kept examples, relative to the highest weight of these; shapes (K,)."""
    top = np.full(int(labels.max()) + 1, -np.inf)
    np.maximum.at(top, labels[kept], log_weights[kept])
    weights = np.exp(np.minimum(log_weights - top[labels], _MOST_APART))
    return _sums(labels, weights), _sums(labels[kept], weights[kept])


def _sums(labels: NDArray[np.int64], weights: Floats) -> Floats:
    """Of each class, shape (K,)."""
    return np.asarray(np.bincount(labels, weights=weights), dtype=np.float64)
