"""A distribution whose tilt is known: N(0, 1) under ΔH(x) = λx is N(−λ, 1), with ESS/n = e^(−λ²).

Numbers on a line as images of one pixel, x/4, so that four standard deviations lie in −1…1.
"""

import numpy as np
import torch
from torch import Tensor

from studio.models.base import Batch, GenerativeModel
from studio.models.catalog import model_spec
from studio.models.config import ModelConfig
from studio.models.reduce import weighted_loss
from studio.perturb.planner import ErrorCarryPlanner
from studio.training.engine.averaging import WeightAverage
from studio.training.engine.optimisers import NetworkOptimiser

SCALE = 4.0
_EXAMPLES = 20_000
_AVERAGE_SIZE = 128.0


def learned_line(config: ModelConfig, *, steps: int, count: int = 20_000) -> Tensor:
    """Samples by the averaged weights of a model trained for so many steps on the line tilted by λ = 1, in units of the
    standard deviation, shape (count,).
    """
    line = np.random.default_rng(0).normal(size=_EXAMPLES)
    logs = -line - np.log(np.mean(np.exp(-line)))
    planner = ErrorCarryPlanner(logs, _AVERAGE_SIZE, np.random.default_rng(1))
    images = torch.from_numpy(line).float().div(SCALE).reshape(-1, 1, 1, 1)
    model = _built(config)
    average = WeightAverage(model, 0.999)
    rng = torch.Generator().manual_seed(2)
    optimisers = {
        phase.network: NetworkOptimiser(
            config.optimiser(phase.network), tuple(model.network_parameters(phase.network)), rng
        )
        for phase in model.phases()
    }
    for step in range(steps):
        plan = planner.next()
        weights = torch.from_numpy(plan.weights).float()
        batch = Batch(images=images[torch.from_numpy(plan.indices)], weights=weights, step=step)
        _step(model, batch, optimisers, rng)
        average.update()
    with torch.no_grad():
        return average.model.sample(count, torch.Generator().manual_seed(3)).flatten() * SCALE


def _built(config: ModelConfig) -> GenerativeModel:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return model_spec(config.kind).build(config, (1, 1, 1)).train()


def _step(model: GenerativeModel, batch: Batch, optimisers: dict[str, NetworkOptimiser], rng: torch.Generator) -> None:
    """Every phase that is due, as the trainer runs it."""
    for phase in model.phases():
        if phase.due(batch.step):
            loss = weighted_loss(model.losses(phase, batch, rng), batch.weights, _AVERAGE_SIZE)
            gradients = torch.autograd.grad(loss, list(model.network_parameters(phase.network)))
            optimisers[phase.network].step(gradients)
            model.after_step(phase.network)
