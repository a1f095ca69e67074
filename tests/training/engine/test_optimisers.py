"""Settings of an optimiser reach torch's own, and devices are named as this machine has them."""

import pytest
import torch

from studio.eager import take_step
from studio.errors import UserError
from studio.models.config import Optimiser, OptimiserConfig
from studio.training.engine.devices import available_devices, resolve_device
from studio.training.engine.optimisers import NetworkOptimiser, build_rule

CLASSES = {
    Optimiser.ADAM: torch.optim.Adam,
    Optimiser.ADAMW: torch.optim.AdamW,
    Optimiser.RMSPROP: torch.optim.RMSprop,
    Optimiser.ADAGRAD: torch.optim.Adagrad,
    Optimiser.MOMENTUM: torch.optim.SGD,
    Optimiser.SGD: torch.optim.SGD,
}


@pytest.mark.parametrize("kind", Optimiser)
def test_that_every_update_rule_takes_its_rates_and_goes_downhill(kind: Optimiser) -> None:
    config = OptimiserConfig(kind=kind, learning_rate=0.05, beta1=0.25, beta2=0.75)
    parameter = torch.nn.Parameter(torch.tensor([3.0, -2.0]))
    optimiser = build_rule(config, [parameter])
    assert type(optimiser) is CLASSES[kind]
    group = optimiser.param_groups[0]
    assert group["lr"] == 0.05
    match kind:
        case Optimiser.ADAM | Optimiser.ADAMW:
            assert group["betas"] == (0.25, 0.75)
        case Optimiser.RMSPROP:
            assert group["alpha"] == 0.75
        case Optimiser.MOMENTUM:
            assert group["momentum"] == 0.25
        case Optimiser.ADAGRAD | Optimiser.SGD:
            assert not group.get("momentum")
    for _ in range(20):
        parameter.grad = parameter.detach().clone()  # of ½·‖θ‖²
        take_step(optimiser)
    assert parameter.norm() < 3.2, "it began at 3.6"


@pytest.mark.parametrize("kind", Optimiser)
def test_that_a_networks_steps_are_torchs_own_to_the_last_bit(kind: Optimiser) -> None:
    """With a rate that changes on the way, and after going back to a state kept before."""
    rng = torch.Generator().manual_seed(0)
    config = OptimiserConfig(kind=kind, learning_rate=0.05, beta1=0.25, beta2=0.75, weight_decay=0.1)
    shapes = ((2, 3), (3,), (4, 2, 3, 3))
    start = [torch.randn(shape, generator=rng) for shape in shapes]
    gradients = [[torch.randn(shape, generator=rng) for shape in shapes] for _ in range(6)]
    mine, theirs = ([torch.nn.Parameter(tensor.clone()) for tensor in start] for _ in range(2))
    optimiser, rule = NetworkOptimiser(config, mine, rng), build_rule(config, theirs)
    kept: tuple[list[torch.Tensor], dict[str, torch.Tensor]] | None = None
    for count, given in enumerate(gradients):
        if count == 3:
            kept = [parameter.detach().clone() for parameter in mine], optimiser.state()
            optimiser.set_learning_rate(0.01)
            rule.param_groups[0]["lr"] = 0.01
        optimiser.step([gradient.clone() for gradient in given])
        for parameter, gradient in zip(theirs, given, strict=True):
            parameter.grad = gradient.clone()
        take_step(rule)
        assert all(torch.equal(one, other) for one, other in zip(mine, theirs, strict=True))
    assert kept is not None
    with torch.no_grad():
        for parameter, before in zip(mine, kept[0], strict=True):
            parameter.copy_(before)
    optimiser.restore(kept[1])
    for given in gradients[3:]:
        optimiser.step([gradient.clone() for gradient in given])
    assert all(torch.equal(one, other) for one, other in zip(mine, theirs, strict=True))


def test_that_the_processor_is_always_there_and_automatic_is_one_of_the_rest() -> None:
    values = [value for value, _ in available_devices()]
    assert values[:2] == ["auto", "cpu"]
    assert resolve_device("auto") in values[1:]
    assert resolve_device("cpu") == "cpu"


@pytest.mark.parametrize("wanted", ["cuda:99", "cuda:" + "9" * 30])
def test_that_a_device_that_is_not_there_is_refused_with_those_that_are(wanted: str) -> None:
    with pytest.raises(UserError, match="cpu") as caught:
        resolve_device(wanted)
    assert caught.value.field == "device"
