"""Trainings of one model for several targets, all from the same weights by the same batches and noise."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.func import functional_call, vmap

from studio.data.example_set import ExampleSet
from studio.models.base import Batch, GenerativeModel
from studio.models.normalising_flow.model import NormalisingFlow
from studio.perturb.perturbation import Perturbation
from studio.perturb.planner import FixedSizePlanner
from studio.response.curvature import Fitted
from studio.training.config.run_config import RunConfig
from studio.training.engine.learner import build_model
from studio.training.engine.optimisers import NetworkOptimiser
from studio.training.engine.trainer import Trainer
from studio.training.examples.examples import for_models
from studio.training.examples.measured_set import measured_set, whole_log_weights


def retrained(
    config: RunConfig, data: ExampleSet, targets: Sequence[Perturbation], steps: int
) -> list[GenerativeModel]:
    """The averaged model of each target after so many steps."""
    if isinstance(build_model(config.model, data.image_shape, config.seed), Fitted | NormalisingFlow):
        return _side_by_side(config, data, targets, steps)
    found = []
    for each in targets:
        trainer = Trainer(config, data)
        trainer.retarget(each)
        for _ in range(steps):
            trainer.step()
        found.append(trainer.average.model)
    return found


class _Loss(nn.Module):
    """ℓ of images by a model whose parameters can be replaced."""

    def __init__(self, model: GenerativeModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, images: Tensor, rng: torch.Generator) -> Tensor:
        (phase,) = self.model.phases()
        terms = self.model.losses(phase, Batch(images=images, weights=torch.ones(len(images)), step=1), rng)
        assert terms.data is not None
        return terms.data


def _side_by_side(
    config: RunConfig, data: ExampleSet, targets: Sequence[Perturbation], steps: int
) -> list[GenerativeModel]:
    model = build_model(config.model, data.image_shape, config.seed)
    (phase,), loss_of = model.phases(), _Loss(model)
    stacked = {
        f"model.{name}": nn.Parameter(each.detach().repeat(len(targets), *[1] * each.dim()))
        for name, each in model.named_parameters()
    }
    parameters = tuple(stacked.values())
    average = [each.detach().clone() for each in parameters]
    rng = torch.Generator().manual_seed(config.seed)
    optimiser = NetworkOptimiser(config.model.optimiser(phase.network), parameters, rng)
    measured, size = measured_set(data), config.batch.average_size
    measured.prepare(name for each in targets for name in each.energy.names)
    weights = torch.from_numpy(np.stack([np.exp(whole_log_weights(each, measured)) for each in targets])).float()
    planner = FixedSizePlanner(np.zeros(len(data)), size, np.random.default_rng(config.seed), labels=data.labels)
    for step in range(steps):
        chosen = planner.next().indices
        images = for_models(data.rows(chosen), data.scale, torch.device("cpu"))
        losses = vmap(
            lambda own: functional_call(loss_of, own, (images, rng)),  # noqa: B023 - called at once
            randomness="same",
        )(stacked)
        optimiser.step(torch.autograd.grad((weights[:, chosen] * losses).sum() / size, parameters))
        decay = min(config.ema_decay, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(average, [each.detach() for each in parameters], 1 - decay)
    found = []
    for place in range(len(targets)):
        one = build_model(config.model, data.image_shape, config.seed).eval().requires_grad_(False)
        for own, each in zip(one.parameters(), average, strict=True):
            own.copy_(each[place])
        found.append(one)
    return found
