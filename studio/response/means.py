"""d⟨f⟩/ds of what a model generates, along dθ/ds.

    fitted      ⟨f(x_{θ+ε}) − f(x_{θ−ε})⟩/2h, ε = h·dθ/ds, where x is a function of θ and of the same random numbers
    energetic   −Cov(f, ∇F·dθ/ds) over the model's own v, and the same difference where what is shown of v depends on θ

The difference takes any f, also one that counts. Its step h is a tenth of the s at which ΔH varies by 1 over the data.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn.utils import parameters_to_vector, vector_to_parameters

from studio.models.base import GenerativeModel
from studio.perturb.arrays import Floats
from studio.response.curvature import Curvature, Energetic, Fisher

Observe = Callable[[Tensor], Floats]
"""Images in −1…1, shape (n, C, H, W), to each f of each, shape (n, F)."""
_Model = TypeVar("_Model", bound=GenerativeModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slopes:
    """⟨f⟩ of the model at s = 0 and d⟨f⟩/ds, with their standard errors over the samples, shapes (F,)."""

    mean: Floats
    mean_error: Floats
    slope: Floats
    slope_error: Floats


def stepped(model: _Model, direction: Tensor, scale: float) -> _Model:
    """A copy with θ + scale·direction, shape (P,)."""
    found = copy.deepcopy(model).requires_grad_(False)
    vector_to_parameters(parameters_to_vector(found.parameters()) + scale * direction, found.parameters())
    return found


@torch.no_grad()
def slopes(
    model: GenerativeModel,
    curvature: Curvature,
    direction: Tensor,
    step: float,
    observe: Observe,
    count: int,
    seed: int,
) -> Slopes:
    """By so many samples.

    Args:
        direction: dθ/ds, shape (P,).
        step: h.
    """
    fantasies = curvature.fantasies if isinstance(curvature, Fisher) else None

    def seen(one: GenerativeModel) -> Floats:
        rng = torch.Generator(direction.device).manual_seed(seed)
        if fantasies is None:
            return observe(one.sample(count, rng))
        assert isinstance(one, Energetic)
        return observe(one.shown(fantasies, rng))

    here = seen(model)
    change = (seen(stepped(model, direction, step)) - seen(stepped(model, direction, -step))) / (2 * step)
    independent = min(len(here), model.independent_samples or len(here))
    if isinstance(curvature, Fisher):
        with torch.enable_grad():
            along = curvature.slopes(direction).double().cpu().numpy()
        change = change - (here - here.mean(0)) * (along - along.mean())[:, None]

    def error(values: Floats) -> Floats:
        return np.asarray(values.std(0) / np.sqrt(independent))

    return Slopes(mean=here.mean(0), mean_error=error(here), slope=change.mean(0), slope_error=error(change))
