"""What every planner offers: one batch after another, without end, unbiased for its weights.

In the normalised gauge (mean weight 1) the expected gradient of a step is the same for all of them,

    ⟨(1/B_avg)·Σ_j w_j·∇ℓ_j⟩ = ⟨w·∇ℓ⟩_p = ∇⟨ℓ⟩_p′ ;

what differs is its variance, which `studio.training.analysis.planner_comparison` measures.

Examples of a batch whose weights add up to less than 10⁻⁹·B_avg are left out of it: they count as taken, and are never
read. Of a batch that holds no others the heaviest stays, so that the steps are those of the rule.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.errors import UserError
from studio.perturb.arrays import Indices
from studio.perturb.diagnostics import effective_sample_size
from studio.perturb.perturbation import Floats

_MOST_EMPTY_STEPS = 1000.0
"""Steps that one average example may fill on its own before the weights are refused as out of scale."""

_NEGLIGIBLE = 1e-9
"""Part of B_avg below which the lightest examples of a batch, together, add nothing to it."""

_ROUNDING = 1e-6
"""Examples by which a batch size may miss a whole number and still mean it: mean weights are 1 up to rounding only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPlan:
    """One batch, planned but not yet read.

    Attributes:
        indices: examples, shape (B,), B ≥ 1; without those of weights so small that they add nothing.
        weights: importance weight of each, shape (B,), float64.
        average_size: B_avg, the constant normaliser of the reduction.
        err: credit carried to the next step, in units of weight, ≥ 0.
        skipped: empty steps passed over since the last batch.
        revision: of the perturbation that the weights belong to.
    """

    indices: Indices
    weights: Floats
    average_size: float
    err: float = 0.0
    skipped: int = 0
    revision: int = 0

    @property
    def adjusted_size(self) -> float:
        """B = Σ_j w_j."""
        return float(self.weights.sum())

    @property
    def effective_size(self) -> float:
        """Kish's ESS of the batch, in examples."""
        with np.errstate(divide="ignore"):
            return effective_sample_size(np.log(self.weights))


class Planner(ABC):
    """Plans one batch after another, without end, unbiased for its weights.

    Args:
        log_weights: log importance weight of each example, shape (N,).
        average_size: B_avg, in units of weight; the number of examples where weights have mean 1.
        rng: the stream of its own that shuffles and draws.
        labels: class of each example, shape (N,), for planners that go by class; all of one class if absent.
        revision: of the perturbation behind the weights.

    Raises:
        UserError: no batch of that size can be made of these weights.
    """

    def __init__(
        self,
        log_weights: Floats,
        average_size: float,
        rng: np.random.Generator,
        *,
        labels: Indices | None = None,
        revision: int = 0,
    ) -> None:
        self.average_size = float(average_size)
        self.examples_planned = 0
        self._rng = rng
        self._begin(len(log_weights), labels)
        self._set_weights(log_weights, revision)

    @property
    def epoch(self) -> float:
        """Examples planned so far over examples in the data set."""
        return self.examples_planned / len(self._weights)

    @abstractmethod
    def next(self) -> BatchPlan:
        """Plan the next batch."""

    def retarget(self, log_weights: Floats, revision: int) -> None:
        """Carry on from the current position with other weights; nothing already planned is planned again. Raises
        UserError as for a new planner; the old weights then stay.
        """
        self._set_weights(log_weights, revision)

    def state(self) -> dict[str, NDArray[np.generic]]:
        """A copy of its place in the data: what the next batches depend on besides the weights and the stream."""
        return {"examples_planned": number(self.examples_planned)}

    def restore(self, kept: Kept) -> None:
        """Take up what `state` gave; the weights must be those of then, and the stream's state is its owner's. Raises
        ValueError if it is no such state, or one of other data.
        """
        self.examples_planned = kept_count(kept, "examples_planned")

    @abstractmethod
    def _begin(self, count: int, labels: Indices | None) -> None:
        """Make what is kept from batch to batch, before the first weights come."""

    def _set_weights(self, log_weights: Floats, revision: int) -> None:
        check_scale(log_weights, self.average_size)
        self._weights: Floats = np.exp(log_weights)
        self._revision = revision

    def _plan(self, indices: Indices, weights: Floats, *, err: float = 0.0, skipped: int = 0) -> BatchPlan:
        """The batch of these examples, without those that add nothing."""
        self.examples_planned += len(indices)
        nothing = _NEGLIGIBLE * self.average_size
        light = np.flatnonzero(weights < nothing)
        if len(light):
            rising = light[np.argsort(weights[light])]
            kept = np.ones(len(indices), dtype=bool)
            kept[rising[np.cumsum(weights[rising]) < nothing]] = False
            kept[weights.argmax()] = True
            indices, weights = indices[kept], weights[kept]
        return BatchPlan(
            indices=indices,
            weights=weights,
            average_size=self.average_size,
            err=err,
            skipped=skipped,
            revision=self._revision,
        )


class CountingPlanner(Planner):
    """Batches of a given number of examples; a fraction of one is carried, so that no size is biased."""

    _per_batch: float
    """Examples a batch on average."""

    def _begin(self, count: int, labels: Indices | None) -> None:
        self._credit = 0.0

    def next(self) -> BatchPlan:
        """The next batch that is not empty."""
        skipped = 0
        while True:
            self._credit += self._per_batch
            size = int(self._credit + _ROUNDING)
            self._credit = max(0.0, self._credit - size)
            if size:
                indices = self._take(size)
                err = self._credit * self.average_size / self._per_batch
                return self._plan(indices, self._weights_of(indices), err=err, skipped=skipped)
            skipped += 1

    def state(self) -> dict[str, NDArray[np.generic]]:
        return super().state() | {"credit": number(self._credit)}

    def restore(self, kept: Kept) -> None:
        super().restore(kept)
        self._credit = float(kept_amounts(kept, "credit", 1.0, 1)[0])

    @abstractmethod
    def _take(self, size: int) -> Indices:
        """The next `size` examples."""

    def _weights_of(self, indices: Indices) -> Floats:
        """What they count in the loss: each 1, where weights decide who is taken."""
        return np.ones(len(indices))

    def _set_size(self, per_batch: float) -> None:
        whole = round(per_batch)
        self._per_batch = float(whole) if whole and abs(per_batch - whole) < _ROUNDING else per_batch


def check_scale(log_weights: Floats, average_size: float) -> None:
    """Refuse weights that no batch of B_avg can be made of; in the normalised gauge only the data's size can. Raises
    UserError if a batch would hold more examples than there are, or an average example many batches' worth.
    """
    log_mean = _log_mean(log_weights)
    log_examples = float(np.log(average_size)) - log_mean
    if log_examples > np.log(len(log_weights)):
        raise UserError(
            "A batch would need more examples than the data set has",
            f"B_avg = {average_size:g} needs about {_power(log_examples)} examples of mean weight {_power(log_mean)}; "
            f"there are {len(log_weights):,}.",
            "Lower B_avg, or use the normalised gauge, where weights have mean 1.",
            field="batch.average_size",
        )
    if -log_examples > np.log(_MOST_EMPTY_STEPS):
        raise UserError(
            "The weights are far larger than the batch size",
            f"An example of mean weight {_power(log_mean)} fills {_power(-log_examples)} batches of {average_size:g}.",
            "Raise B_avg, or use the normalised gauge, where weights have mean 1.",
            field="batch.average_size",
        )


def _log_mean(log_weights: Floats) -> float:
    """log ⟨w⟩; in one pass where nothing overflows or vanishes, as ten million weights are looked at in every edit."""
    with np.errstate(over="ignore", under="ignore"):
        mean = float(np.exp(log_weights).mean())
    if np.finfo(np.float64).tiny < mean < np.inf:
        return float(np.log(mean))
    highest = float(log_weights.max())
    return highest + float(np.log(np.mean(np.exp(log_weights - highest))))


def _power(logarithm: float) -> str:
    """exp(logarithm) in three digits, also where it would overflow."""
    exponent = logarithm / np.log(10.0)
    return f"{np.exp(logarithm):.3g}" if abs(exponent) < 300 else f"10^{exponent:.0f}"


Kept = Mapping[str, NDArray[np.generic]]
"""Arrays by name: int64 or float64, of one dimension; a number has shape (1,)."""


def kept_indices(kept: Kept, name: str, below: int, count: int | None = None) -> NDArray[np.int64]:
    """Whole numbers in 0…below − 1, shape (count,) or (n,), copied; raises ValueError if they are something else."""
    values = _array(kept, name, np.int64, count)
    if len(values) and not 0 <= values.min() <= values.max() < below:
        raise ValueError(f"{name} reaches beyond 0…{below - 1}")
    return values.astype(np.int64)


def kept_amounts(kept: Kept, name: str, most: float, count: int, *, least: float = 0.0) -> Floats:
    """Numbers in least…most, up to rounding below, shape (count,), copied; raises ValueError if they are others."""
    values = _array(kept, name, np.float64, count)
    if count and not least - 1e-6 <= values.min() <= values.max() <= most:  # nor NaN
        raise ValueError(f"{name} reaches beyond {least:g}…{most:g}")
    return values.astype(np.float64)


def kept_count(kept: Kept, name: str, below: int = 2**62) -> int:
    """One whole number in 0…below; raises ValueError if it is missing or something else."""
    return int(kept_indices(kept, name, below, 1)[0])


def number(value: float) -> NDArray[np.generic]:
    """A number as an array, shape (1,)."""
    return np.array([value], dtype=np.int64 if isinstance(value, int) else np.float64)


def _array(kept: Kept, name: str, kind: type[np.generic], count: int | None) -> NDArray[np.generic]:
    values = kept.get(name)
    if values is None or values.dtype != kind or values.ndim != 1 or count not in (None, len(values)):
        raise ValueError(f"{name} is missing, or has another type or length")
    return values
