"""Gradients of planned batches at fixed parameters, from a copy of the model, so that training notices nothing."""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import nullcontext

import torch
from torch import Tensor

from studio.models.base import Batch, GenerativeModel, Phase
from studio.models.reduce import weighted_loss
from studio.perturb.planner import BatchPlan


class GradientProbe:
    """Gradients of planned batches, which `read` reads, by a copy of a model, apart from training.

    `rng` is the stream of the model's own draws; losses are computed under `precision`, if any, as in training.
    """

    def __init__(
        self,
        model: GenerativeModel,
        read: Callable[[BatchPlan], Batch],
        rng: torch.Generator,
        precision: torch.autocast | None = None,
    ) -> None:
        self._model = copy.deepcopy(model).train()
        self._read = read
        self._rng = rng
        self._precision = precision or nullcontext()
        self._phase: Phase | None = None

    @property
    def network(self) -> str:
        """Whose gradient it is, once there was one: the first network that real examples train."""
        return self._phase.network if self._phase is not None else ""

    def gradient(self, plan: BatchPlan) -> Tensor:
        """Gradient of the weighted loss, flat, shape (parameters,)."""
        batch = self._read(plan)
        phases = self._model.phases() if self._phase is None else (self._phase,)
        for phase in phases:
            with self._precision:
                terms = self._model.losses(phase, batch, self._rng)
            if terms.data is not None:
                self._phase = phase
                break
        loss = weighted_loss(terms, batch.weights, plan.average_size)
        parameters = tuple(self._model.network_parameters(phase.network))
        return torch.cat([part.reshape(-1) for part in torch.autograd.grad(loss, parameters)])
