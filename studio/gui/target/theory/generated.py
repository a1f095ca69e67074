"""What a model generates of an observable f, as far as it is known: from its evaluation, or from its points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from studio.evaluation.report import Evaluation, Mean
from studio.perturb.features import measure
from studio.training.messages.snapshot import PlaneFrame

CLASS = "class:"
"""Begins the name of a class's share; what follows is its number."""

_NORMAL = 1.96
"""Standard errors in half of a 95 % interval."""


def of_evaluation(name: str, found: Evaluation) -> Mean | None:
    """⟨f⟩ of the samples that were judged: a class's corrected share in per cent, or a feature's mean."""
    if not name.startswith(CLASS):
        return found.features.get(name)
    place = int(name.removeprefix(CLASS))
    shares = found.shares
    error = float(shares.high[place] - shares.low[place]) / (2 * _NORMAL)
    return Mean(value=100 * float(shares.corrected[place]), error=100 * error)


def of_points(name: str, frame: PlaneFrame) -> Mean | None:
    """⟨f⟩ of a model's points on the plane: the share of those that are most probably of a class, or a coordinate."""
    if not name.startswith(CLASS):
        return mean_of(measure(frame.points, [name])[name])
    return mean_of(100.0 * (frame.labels == int(name.removeprefix(CLASS))))


def mean_of(values: NDArray[np.float64]) -> Mean | None:
    """Their mean and its standard error; None of fewer than two."""
    if len(values) < 2:
        return None
    return Mean(value=float(values.mean()), error=float(values.std(ddof=1) / np.sqrt(len(values))))
