"""The one weighted reduction: loss = (1/B_avg) · Σ_j w_j · (data_j + model).

The normaliser is the *constant* B_avg, not the batch's own Σ_j w_j. Then each example adds exactly w_j/B_avg per epoch
whichever batch it falls in, and real and fake mass stay balanced in every step. Dividing by the batch's own sum is
biased: at ΔH = −4 and 16 examples a batch the class counts as 0.70 of its weight.
"""

from __future__ import annotations

import torch
from torch import Tensor

from studio.models.base import LossTerms


def weighted_loss(terms: LossTerms, weights: Tensor, average_size: float) -> Tensor:
    """The scalar to differentiate, by weights (B,) and B_avg; the `model` term as it is where no real examples are.

    Raises ValueError if the terms are empty, or `data` and `weights` differ in shape.
    """
    if terms.data is None:
        if terms.model is None:
            raise ValueError("LossTerms without any term")
        return terms.model
    if terms.data.shape != weights.shape:
        raise ValueError(f"data has shape {tuple(terms.data.shape)}, weights {tuple(weights.shape)}")
    if terms.tilt is not None:
        # A weight of 0 stays: it may be of an example that only fills the batch up.
        weights = torch.where(weights > 0, torch.lerp(torch.ones_like(weights), weights, terms.tilt), 0.0)
    loss = weights @ terms.data / average_size
    if terms.model is not None:
        loss = loss + weights.sum() / average_size * terms.model
    return loss


def reduced_metrics(terms: LossTerms, weights: Tensor) -> dict[str, Tensor]:
    """What the curves show, by name: scalar metrics as they are, per-example ones m as their mean Σ_j w_j·m_j / Σ_j
    w_j.

    A curve shows the state of one batch, so this mean, unlike the loss, divides by the batch's own Σ_j w_j.
    """
    share = weights / weights.sum()
    means = {name: share @ values.detach() for name, values in terms.example_metrics.items()}
    return {**{name: value.detach() for name, value in terms.metrics.items()}, **means}
