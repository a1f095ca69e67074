"""Which labels a model is told: those of its examples, and for its samples the shares that these have by weight."""

from __future__ import annotations

import numpy as np
import torch

from studio.data.example_set import ExampleSet
from studio.models.base import Batch, GenerativeModel
from studio.models.conditional import UNTOLD, Conditional
from studio.models.config import LabelSettings
from studio.perturb.arrays import Floats, Indices
from studio.perturb.energy import Energy
from studio.training.config.run_config import RunConfig
from studio.training.engine.unlabelled import Unlabelled
from studio.training.examples.split import kept_indices


def told_places(data: ExampleSet, config: RunConfig) -> Indices:
    """Of the examples of a whole set whose classes a conditional model may be told, ascending."""
    unused = 1 - config.model.labels_used if isinstance(config.model, LabelSettings) else 0.0
    return kept_indices(data, max(config.held_out, unused), config.seed)


class Labels:
    """Of the examples `data` of a set, whose examples without labels stand beside them if a model learns from these."""

    def __init__(
        self, data: ExampleSet, whole: ExampleSet, config: RunConfig, model: GenerativeModel, device: torch.device
    ) -> None:
        self._told = model if isinstance(model, Conditional) and model.classes else None
        self._classes, self._device = len(data.class_names), device
        self._labels = self._of_all = data.labels
        if isinstance(config.model, LabelSettings) and config.model.labels_used < 1:
            told = np.isin(data.numbers, whole.numbers[told_places(whole, config)])
            self._labels = np.where(told, data.labels, UNTOLD)
        self._unlabelled: Unlabelled | None = None
        if whole.unlabelled is not None and self._told is not None:
            self._unlabelled = Unlabelled(whole.unlabelled, len(data), config.seed, device)

    def of(self, places: Indices) -> torch.Tensor:
        """Of some examples, −1 where it is not to be told, int64, shape (B,)."""
        return torch.from_numpy(self._labels[places]).to(self._device)

    def known(self, labels: Indices) -> torch.Tensor | None:
        """The labels of some examples, shape (n,), for a model that has learned what they mean, used or not."""
        listens = self._told is not None and self._told.listens
        return torch.tensor(labels, device=self._device) if listens else None

    def weigh(self, energy: Energy) -> Floats | None:
        """Weights of the examples without labels, if there are any; raises UserError if one is not finite."""
        return None if self._unlabelled is None else self._unlabelled.weigh(energy)

    def tell(self, log_weights: Floats, unlabelled: Floats | None) -> None:
        """Train by these weights of examples with labels, shape (N,), and without."""
        if self._unlabelled is not None and unlabelled is not None:
            self._unlabelled.weights = unlabelled
        self.tell_shares(log_weights)

    def tell_shares(self, log_weights: Floats) -> None:
        """A conditional model draws classes by their shares of the weight of all examples, as far as any is told: of a
        few that are told, at least one of a class, the shares would be others.
        """
        if self._told is not None:
            weights, told = np.exp(log_weights - log_weights.max()), self._labels != UNTOLD
            mass = np.bincount(self._of_all, weights, self._classes) / weights.sum()
            ratio = 0.0 if self._unlabelled is None else self._unlabelled.ratio
            part = weights[told].sum() / weights.sum() / (1 + ratio)
            self._told.label_shares.copy_(torch.from_numpy(mass * part))
            self._told.untold_shares.copy_(torch.from_numpy(self._untold(mass, ratio)))

    def _untold(self, target: Floats, ratio: float) -> Floats:
        """Shares of the classes, (K,), in the weight of what is not told: `target` of the set's examples, and of those
        without labels, which offsets do not touch, those of the data.
        """
        assert self._told is not None
        if not ratio:
            return target
        told = float(self._told.label_shares.sum()) * (1 - self._told.dropped)
        share = ratio / (1 + ratio) / (1 - told)
        return (1 - share) * target + share * np.bincount(self._of_all, minlength=self._classes) / len(self._of_all)

    def beside(self, batch: Batch, average_size: float) -> tuple[Batch, float]:
        """A batch with examples without labels, if there are any, and its B_avg with them."""
        return (batch, average_size) if self._unlabelled is None else self._unlabelled.beside(batch, average_size)
