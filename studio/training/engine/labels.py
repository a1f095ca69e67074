"""Which labels a model is told: those of its examples, and for its samples the shares that these have by weight."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from studio.data.example_set import ExampleSet
from studio.models.base import GenerativeModel
from studio.models.conditional import UNTOLD, Conditional
from studio.models.label_config import LabelSettings
from studio.perturb.arrays import Floats, Indices
from studio.training.config.run_config import RunConfig
from studio.training.examples.split import kept_indices


class Labels:
    """Of the examples that a model is trained on."""

    def __init__(self, data: ExampleSet, config: RunConfig, model: GenerativeModel) -> None:
        self._model, self._classes = model, len(data.class_names)
        self._labels = data.labels
        if isinstance(config.model, LabelSettings) and config.model.labels_used < 1:
            used = kept_indices(data, 1 - config.model.labels_used, config.seed)
            self._labels = np.full(len(data), UNTOLD)
            self._labels[used] = data.labels[used]

    def of(self, places: Indices, device: torch.device) -> Tensor:
        """Of some examples, −1 where it is not to be told, int64, shape (B,)."""
        return torch.from_numpy(self._labels[places]).to(device)

    def tell_shares(self, log_weights: Floats) -> None:
        """What share of all weight each class has by these weights, shape (N,), where it is told."""
        if isinstance(self._model, Conditional) and self._model.classes:
            weights, told = np.exp(log_weights - log_weights.max()), self._labels != UNTOLD
            mass = np.bincount(self._labels[told], weights[told], self._classes)
            self._model.label_shares.copy_(torch.from_numpy(mass / weights.sum()))
