"""The two textbook planners: weighted examples in batches of fixed size, and examples drawn by weight.

Source for both, importance weights and weighted bootstrap: A. F. M. Smith, A. E. Gelfand, Am. Stat. 46, 84 (1992).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studio.perturb.arrays import Indices
from studio.perturb.perturbation import Floats
from studio.perturb.planner.base import CountingPlanner, Kept, kept_indices


class FixedSizePlanner(CountingPlanner):
    """B_avg/⟨w⟩ examples a batch in shuffled order, each with its weight; Σw varies from batch to batch."""

    def _begin(self, count: int, labels: Indices | None) -> None:
        super()._begin(count, labels)
        self._left: Indices = np.empty(0, dtype=np.int64)

    def _set_weights(self, log_weights: Floats, revision: int) -> None:
        super()._set_weights(log_weights, revision)
        self._set_size(self.average_size / float(self._weights.mean()))

    def state(self) -> dict[str, NDArray[np.generic]]:
        return super().state() | {"left": self._left.copy()}

    def restore(self, kept: Kept) -> None:
        super().restore(kept)
        self._left = kept_indices(kept, "left", len(self._weights))

    def _take(self, size: int) -> Indices:
        """The last ones of an epoch are completed from the next."""
        while len(self._left) < size:
            self._left = np.concatenate([self._left, self._rng.permutation(len(self._weights))])
        taken, self._left = self._left[:size], self._left[size:]
        return taken

    def _weights_of(self, indices: Indices) -> Floats:
        return self._weights[indices]


class ResamplingPlanner(CountingPlanner):
    """B_avg examples a batch drawn with probability ∝ w, with replacement; each then has weight 1."""

    def _set_weights(self, log_weights: Floats, revision: int) -> None:
        super()._set_weights(log_weights, revision)
        self._cumulative: Floats = np.cumsum(np.exp(log_weights - log_weights.max()))
        self._set_size(self.average_size)

    def _take(self, size: int) -> Indices:
        drawn = self._rng.random(size) * self._cumulative[-1]
        indices: Indices = np.searchsorted(self._cumulative, drawn, side="right").astype(np.int64)
        return indices
