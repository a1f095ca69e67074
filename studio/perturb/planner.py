"""Which examples make up the next batch, and with which weights.

Error carry, the planner of the note: `err = 0`; each step `err += B_avg`; examples are taken in shuffled order while
the running Σw stays ≤ err; their Σw is subtracted. The example that did not fit opens the next batch: it is carried,
never discarded. The rule telescopes: batch t ends at the largest k with C_k ≤ t·B_avg, C the cumulative weight, so the
rest of an epoch is planned by one `searchsorted` in float64. After T steps

    0 ≤ T·B_avg − Σ_t B_t < w of the pending example.

A step whose batch would be empty (w > err) is skipped and counted, never trained.
Source: "Perturbation Theory in Machine Learning", pbement.com, 18 Feb 2024.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from studio.errors import UserError
from studio.perturb.diagnostics import effective_sample_size
from studio.perturb.perturbation import Floats

Indices = NDArray[np.int64]

_MOST_EMPTY_STEPS = 1000.0
"""Steps that one average example may fill on its own before the weights are refused as out of scale."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchPlan:
    """One batch, planned but not yet read.

    Attributes:
        indices: examples, shape (B,), B ≥ 1.
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
        revision: of the perturbation behind the weights.

    Raises:
        UserError: no batch of that size can be made of these weights.
    """

    def __init__(
        self, log_weights: Floats, average_size: float, rng: np.random.Generator, *, revision: int = 0
    ) -> None:
        self.average_size = float(average_size)
        self.examples_planned = 0
        self._rng = rng
        self._set_weights(log_weights, revision)

    @property
    def epoch(self) -> float:
        """Examples planned so far over examples in the data set."""
        return self.examples_planned / len(self._weights)

    @abstractmethod
    def next(self) -> BatchPlan:
        """Plan the next batch."""

    def retarget(self, log_weights: Floats, revision: int) -> None:
        """Carry on from the current position with other weights; nothing already planned is planned again.

        Raises:
            UserError: as for a new planner; the old weights then stay.
        """
        self._set_weights(log_weights, revision)

    def _set_weights(self, log_weights: Floats, revision: int) -> None:
        check_scale(log_weights, self.average_size)
        self._weights: Floats = np.exp(log_weights)
        self._revision = revision

    def _plan(self, indices: Indices, weights: Floats, *, err: float = 0.0, skipped: int = 0) -> BatchPlan:
        self.examples_planned += len(indices)
        return BatchPlan(
            indices=indices,
            weights=weights,
            average_size=self.average_size,
            err=err,
            skipped=skipped,
            revision=self._revision,
        )


def check_scale(log_weights: Floats, average_size: float) -> None:
    """Refuse weights that no batch of B_avg can be made of; in the normalised gauge only the data's size can.

    Raises:
        UserError: a batch would hold more examples than there are, or an average example many batches' worth.
    """
    highest = float(log_weights.max())
    log_mean = highest + float(np.log(np.mean(np.exp(log_weights - highest))))
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


def _power(logarithm: float) -> str:
    """exp(logarithm) in three digits, also where it would overflow."""
    exponent = logarithm / np.log(10.0)
    return f"{np.exp(logarithm):.3g}" if abs(exponent) < 300 else f"10^{exponent:.0f}"


class ErrorCarryPlanner(Planner):
    """Batches whose adjusted size Σw is B_avg on average; the remainder is carried."""

    def __init__(
        self, log_weights: Floats, average_size: float, rng: np.random.Generator, *, revision: int = 0
    ) -> None:
        self._err = 0.0
        self._position = 0
        self._order: Indices = rng.permutation(len(log_weights))
        super().__init__(log_weights, average_size, rng, revision=revision)

    def _set_weights(self, log_weights: Floats, revision: int) -> None:
        super()._set_weights(log_weights, revision)
        self._plan_rest()

    def _plan_rest(self) -> None:
        """Where each batch ends in the rest of this epoch, in one pass."""
        self._start = self._position
        self._cumulative: Floats = np.cumsum(self._weights[self._order[self._start :]])
        # Nothing is left where an edit comes just between two epochs.
        self._total = float(self._cumulative[-1]) if len(self._cumulative) else 0.0
        self._first_err = self._err
        batches = int(max(0.0, np.floor((self._total - self._err) / self.average_size)))
        targets = self._err + self.average_size * np.arange(1, batches + 1)
        self._ends: Indices = np.searchsorted(self._cumulative, targets, side="right")
        self._batch = 0

    def next(self) -> BatchPlan:
        """The next batch that is not empty; it may begin in one epoch and end in the next."""
        skipped = 0
        carried: list[Indices] = []
        while True:
            while self._batch < len(self._ends):
                taken = self._take_batch()
                if len(taken) or carried:
                    indices = np.concatenate([*carried, taken]) if carried else taken
                    return self._plan(indices, self._weights[indices], err=self._err, skipped=skipped)
                skipped += 1
            if self._position < len(self._order):
                carried.append(self._order[self._position :])
            self._next_epoch()

    def _take_batch(self) -> Indices:
        end = int(self._ends[self._batch])
        self._batch += 1
        taken = self._order[self._position : self._start + end]
        self._position = self._start + end
        used = self._cumulative[end - 1] if end else 0.0
        # From the plan's start rather than step by step, so that rounding does not add up over an epoch.
        self._err = max(0.0, self._first_err + self._batch * self.average_size - used)
        return taken

    def _next_epoch(self) -> None:
        """Shuffle anew; the batch under way has used up the rest of the old epoch and keeps what credit is left."""
        done = self._batch * self.average_size
        self._err = self._first_err + done - self._total
        self._order = self._rng.permutation(len(self._weights))
        self._position = 0
        self._plan_rest()


class FixedSizePlanner(Planner):
    """B_avg examples a batch in shuffled order, each with its weight; Σw varies from batch to batch."""

    def __init__(
        self, log_weights: Floats, average_size: float, rng: np.random.Generator, *, revision: int = 0
    ) -> None:
        super().__init__(log_weights, average_size, rng, revision=revision)
        self._left: Indices = np.empty(0, dtype=np.int64)

    def next(self) -> BatchPlan:
        """The next round(B_avg) examples; the last ones of an epoch are completed from the next."""
        size = max(1, round(self.average_size))
        while len(self._left) < size:
            self._left = np.concatenate([self._left, self._rng.permutation(len(self._weights))])
        indices, self._left = self._left[:size], self._left[size:]
        return self._plan(indices, self._weights[indices])


class ResamplingPlanner(Planner):
    """B_avg examples a batch drawn with probability ∝ w, with replacement; each then has weight 1."""

    def _set_weights(self, log_weights: Floats, revision: int) -> None:
        super()._set_weights(log_weights, revision)
        self._cumulative: Floats = np.cumsum(np.exp(log_weights - log_weights.max()))

    def next(self) -> BatchPlan:
        """Draw round(B_avg) examples."""
        size = max(1, round(self.average_size))
        drawn = self._rng.random(size) * self._cumulative[-1]
        indices = np.searchsorted(self._cumulative, drawn, side="right").astype(np.int64)
        return self._plan(indices, np.ones(size))
