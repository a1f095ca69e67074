"""What lies next to what in the judge's features: fidelity, variety and memorisation.

With a ball around each real example out to its k-th real neighbour, and the same around generated ones,

    precision   share of the generated within any real ball          (are samples like the data?)
    recall      share of the real within any generated ball           (does the model reach all of the data?)
    density     real balls that hold a generated sample, over k       (as precision, but outliers' balls count little)
    coverage    share of the real balls that hold a generated sample  (as recall, but generated outliers count nothing)

The real side is drawn from the data by importance weight; examples drawn again count again in recall and coverage. A
sample that the judge does not recognise is like nothing, wherever its features lie: it counts as much as real examples
would go unrecognised, which is hardly.

Sources: T. Kynkäänniemi et al., arXiv:1904.06991 (2019); M. Naeem et al., arXiv:2002.09797 (2020). No torch.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.evaluation.divergences import Features
from studio.perturb.arrays import Floats, Indices

NEIGHBOURS = 5
"""k, the neighbour that a ball reaches out to."""

_SLICE = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Likeness:
    """Precision, recall and coverage in 0…1; density about 1 for a perfect model."""

    precision: float
    recall: float
    density: float
    coverage: float


def likeness(
    generated: Features,
    real: Features,
    counts: Indices | None = None,
    recognised: Floats | None = None,
    neighbours: int = NEIGHBOURS,
) -> Likeness:
    """Compare features `generated` (n, d) and distinct `real` ones (m, d) by k `neighbours`, n, m > k.

    `counts` tells how often each of `real` was drawn, shape (m,), once if absent; `recognised` how much each sample
    counts as recognised, in 0…1, shape (n,), 1 if absent.
    """
    weight = np.ones(len(real)) if counts is None else counts.astype(np.float64)
    weight = weight / weight.sum()
    known = np.ones(len(generated)) if recognised is None else recognised
    between = _squared_distances(generated, real)
    real_radius = _radius(real, neighbours)
    held = (between <= real_radius) * known[:, None]
    reached = (between <= _radius(generated, neighbours)[:, None]) * known[:, None]
    return Likeness(
        precision=float(held.max(axis=1).mean()),
        recall=float(weight @ reached.max(axis=0)),
        density=float(held.sum(axis=1).mean() / neighbours),
        coverage=float(weight @ held.max(axis=0)),
    )


def nearest(samples: Features, data: Features, own: Indices | None = None) -> tuple[Indices, Floats]:
    """Index, shape (n,), and distance, shape (n,), of the example, shape (N, d), nearest to each sample, shape (n, d).

    `own` tells which example each sample is itself, and so does not count, shape (n,); none if absent.
    """
    indices, distances = np.empty(len(samples), dtype=np.int64), np.empty(len(samples))
    for start in range(0, len(samples), _SLICE):
        part = samples[start : start + _SLICE]
        found = _squared_distances(part, data)
        rows = np.arange(len(part))
        if own is not None:
            found[rows, own[start : start + _SLICE]] = np.inf
        best = found.argmin(axis=1)
        indices[start : start + _SLICE] = best
        distances[start : start + _SLICE] = np.sqrt(found[rows, best])
    return indices, distances


def _radius(features: Features, neighbours: int) -> NDArray[np.float32]:
    """Squared distance of each row to its k-th neighbour, shape (n,)."""
    distances = _squared_distances(features, features)
    np.fill_diagonal(distances, 0)  # a row is its own neighbour of order 0, rounding or not
    radius: NDArray[np.float32] = np.partition(distances, neighbours, axis=1)[:, neighbours]
    return radius


def _squared_distances(x: Features, y: Features) -> NDArray[np.float32]:
    """|x_i − y_j|², shape (n, m)."""
    product = x @ y.T
    product *= -2
    product += (x**2).sum(axis=1)[:, None]
    product += (y**2).sum(axis=1)
    return np.maximum(product, 0, out=product)
