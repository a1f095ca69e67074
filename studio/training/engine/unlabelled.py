"""Examples without a class beside those of a batch, for a model that can learn from both.

Their number is in proportion to the two sets, as long as it is not more than B_avg: m = min(1, M/N)·B_avg, in a step t
those from ⌊t·m⌋ to ⌊(t + 1)·m⌋ of all passes, each pass in an order of its own. So the step alone decides, and a run
that is resumed goes on alike. Offsets of classes do not touch them: their weight, of mean 1, is that of terms in
features: their label, a file's column and a judge's log-odds are not known.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import torch

from studio.data.example_set import ExampleSet
from studio.models.base import Batch
from studio.models.conditional import UNTOLD
from studio.perturb.arrays import Floats, Indices
from studio.perturb.energy import Energy
from studio.perturb.example_features import COLUMN
from studio.perturb.formula import LABEL
from studio.perturb.perturbation import Perturbation
from studio.training.examples.examples import Examples
from studio.training.examples.measured_set import measured_set, whole_log_weights


class Unlabelled:
    """M of them beside so many with labels; `ratio` is min(1, M/N), `weights` have shape (M,)."""

    def __init__(self, data: ExampleSet, labelled: int, seed: int, device: torch.device) -> None:
        self.ratio = min(1.0, len(data) / labelled)
        self._count, self._seed, self._device = len(data), seed, device
        self._examples, self._measured = Examples(data, device), measured_set(data)
        self.weights: Floats = np.ones(len(data))
        self._order = (-1, np.empty(0, np.int64))

    def weigh(self, energy: Energy) -> Floats:
        """By an energy, of mean 1, shape (M,); raises UserError if it is not finite of one of them."""
        known = tuple(term for term in energy.terms if not any(_of_labelled(name) for name in term.names))
        target = Perturbation(offsets=(0.0,), energy=replace(energy, terms=known))
        return np.asarray(np.exp(whole_log_weights(target, self._measured)))

    def beside(self, batch: Batch, average_size: float) -> tuple[Batch, float]:
        """A batch with those of its step, and B_avg with them."""
        size = self.ratio * average_size
        places = self._places(math.floor(batch.step * size), math.floor((batch.step + 1) * size))
        weights = torch.from_numpy(self.weights[places]).to(batch.weights)
        labels = torch.full((len(batch) + len(places),), UNTOLD, device=self._device)
        if batch.labels is not None:
            labels[: len(batch)] = batch.labels
        images = torch.cat([batch.images, self._examples.read(places)]) if len(places) else batch.images
        both = Batch(images=images, weights=torch.cat([batch.weights, weights]), step=batch.step, labels=labels)
        return both, average_size + size

    def _places(self, start: int, stop: int) -> Indices:
        """Of examples `start` to `stop` of all passes."""
        found = [np.empty(0, np.int64)]
        while start < stop:
            number, place = divmod(start, self._count)
            if self._order[0] != number:
                self._order = number, np.random.default_rng((self._seed, number)).permutation(self._count)
            found.append(self._order[1][place : place + stop - start])
            start += len(found[-1])
        return np.concatenate(found)


def _of_labelled(name: str) -> bool:
    return name == LABEL or name.startswith(COLUMN)
