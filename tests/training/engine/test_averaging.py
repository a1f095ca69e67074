"""The moving average of weights against the loop that it stands for."""

import math

import torch
from torch import Tensor

from studio.models.base import GenerativeModel
from studio.models.catalog import model_spec
from studio.training.engine.averaging import WeightAverage


def model() -> GenerativeModel:
    """With BatchNorm, so that there are running statistics and a counter."""
    spec = model_spec("wgan_gp")
    return spec.build(spec.config.model_validate({"width": 4, "latent_size": 4}), (1, 8, 8))


def shake(trained: GenerativeModel, rng: torch.Generator) -> None:
    with torch.no_grad():
        for tensor in trained.state_dict().values():
            if tensor.is_floating_point():
                tensor.add_(torch.randn(tensor.shape, generator=rng))


def test_that_the_average_is_the_literal_loop() -> None:
    """θ̄ ← d·θ̄ + (1 − d)·θ with d_t = min(d, (1 + t)/(10 + t)), in float64."""
    trained, rng = model(), torch.Generator().manual_seed(0)
    average = WeightAverage(trained, 0.7)
    expected: dict[str, Tensor] = {name: tensor.double() for name, tensor in trained.state_dict().items()}
    for t in range(40):
        shake(trained, rng)
        average.update()
        d = min(0.7, (1 + t) / (10 + t))
        for name, tensor in trained.state_dict().items():
            expected[name] = d * expected[name] + (1 - d) * tensor.double()
    for name, tensor in average.model.state_dict().items():
        if tensor.is_floating_point():
            torch.testing.assert_close(tensor.double(), expected[name], rtol=1e-5, atol=1e-5)


def test_that_a_long_memory_looks_every_sixteenth_step_and_forgets_as_much() -> None:
    trained = model()
    average = WeightAverage(trained, 0.999)
    name, weight = next(iter(average.model.named_parameters()))
    for _ in range(800):
        average.update()
    before = weight.clone()
    with torch.no_grad():
        trained.get_parameter(name).add_(1.0)
    for _ in range(15):
        average.update()
        assert torch.equal(weight, before)
    average.update()
    forgotten = 1 - math.prod((1 + t) / (10 + t) for t in range(800, 816))
    torch.testing.assert_close(weight, before + forgotten)


def test_that_a_decay_of_zero_follows() -> None:
    trained = model()
    average = WeightAverage(trained, 0.0)
    for seed in range(3):
        shake(trained, torch.Generator().manual_seed(seed))
        average.update()
        for mine, theirs in zip(average.model.parameters(), trained.parameters(), strict=True):
            assert torch.equal(mine, theirs)


def test_that_the_average_is_a_copy_in_eval_mode_that_nothing_trains() -> None:
    trained = model()
    average = WeightAverage(trained, 0.999)
    shake(trained, torch.Generator().manual_seed(0))
    pairs = list(zip(average.model.parameters(), trained.parameters(), strict=True))
    assert not any(torch.equal(mine, theirs) for mine, theirs in pairs)
    assert not any(mine.requires_grad for mine, _ in pairs)
    assert not average.model.training
    assert trained.training
