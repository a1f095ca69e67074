"""Error carry, the planner of the note: `err = 0`; each step `err += B_avg`; examples are taken in shuffled order while
the running Σw stays ≤ err; their Σw is subtracted. The example that did not fit opens the next batch: it is carried,
never discarded. The rule telescopes: batch t ends at the largest k with C_k ≤ t·B_avg, C the cumulative weight, so a
million examples at a time are planned by one `searchsorted` in float64; an edit need not go through all of a large set.
After T steps

    0 ≤ T·B_avg − Σ_t B_t < w of the pending example.

A step whose batch would be empty (w > err) is skipped and counted, never trained.
Source: "Perturbation Theory in Machine Learning", pbement.com, 18 Feb 2024.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studio.perturb.arrays import Indices
from studio.perturb.perturbation import Floats
from studio.perturb.planner.base import BatchPlan, Kept, Planner, kept_amounts, kept_count, kept_indices, number

_PIECE = 2**20
"""Examples that are planned at a time. Stored plans count their batches from a piece's start."""


class ErrorCarryPlanner(Planner):
    """Batches whose adjusted size Σw is B_avg on average; the remainder is carried."""

    def _begin(self, count: int, labels: Indices | None) -> None:
        self._err = 0.0
        self._position = 0
        self._order: Indices = self._rng.permutation(count)

    def _set_weights(self, log_weights: Floats, revision: int) -> None:
        super()._set_weights(log_weights, revision)
        self._plan_piece()

    def _plan_piece(self) -> None:
        """Where each batch ends in the next piece of this epoch, in one pass."""
        self._start = self._position
        self._stop = min(self._start + _PIECE, len(self._order))
        self._cumulative: Floats = np.cumsum(self._weights[self._order[self._start : self._stop]])
        # Nothing is left where an edit comes just between two epochs.
        self._total = float(self._cumulative[-1]) if len(self._cumulative) else 0.0
        self._first_err = self._err
        batches = int(max(0.0, np.floor((self._total - self._err) / self.average_size)))
        targets = self._err + self.average_size * np.arange(1, batches + 1)
        self._ends: Indices = np.searchsorted(self._cumulative, targets, side="right")
        self._batch = 0

    def state(self) -> dict[str, NDArray[np.generic]]:
        """The order of this epoch, where the present piece of it began and with which `err`, and how many batches of it
        are taken: position, `err` and the pending example follow.
        """
        return super().state() | {
            "order": self._order.copy(),
            "start": number(self._start),
            "first_err": number(self._first_err),
            "batch": number(self._batch),
        }

    def restore(self, kept: Kept) -> None:
        super().restore(kept)
        count = len(self._weights)
        order = kept_indices(kept, "order", count, count)
        if not (np.bincount(order, minlength=count) == 1).all():
            raise ValueError("order names an example twice")
        # Credit stays below what an example can weigh, before an edit too; a batch may be under way at the start.
        size = self.average_size
        most = size + count + float(self._weights.sum())
        self._err = float(kept_amounts(kept, "first_err", most, 1, least=-size)[0])
        self._order, self._position = order, kept_count(kept, "start", count + 1)
        self._plan_piece()
        batches = kept_count(kept, "batch")
        if batches > len(self._ends):
            raise ValueError("batch reaches beyond its piece of the epoch")
        if batches:
            self._batch = batches - 1
            self._take_batch()

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
            if self._position < self._stop:
                carried.append(self._order[self._position : self._stop])
            self._next_piece()

    def _take_batch(self) -> Indices:
        end = int(self._ends[self._batch])
        self._batch += 1
        taken = self._order[self._position : self._start + end]
        self._position = self._start + end
        used = self._cumulative[end - 1] if end else 0.0
        # From the piece's start rather than step by step, so that rounding does not add up over an epoch.
        self._err = max(0.0, self._first_err + self._batch * self.average_size - used)
        return taken

    def _next_piece(self) -> None:
        """Go on, shuffled anew after the last one; the batch under way has used up the rest of this piece and keeps the
        credit that is left.
        """
        done = self._batch * self.average_size
        self._err = self._first_err + done - self._total
        self._position = self._stop
        if self._stop == len(self._order):
            self._order = self._rng.permutation(len(self._weights))
            self._position = 0
        self._plan_piece()
