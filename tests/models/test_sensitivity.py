"""Parameter gradients of a perceptron, by hand and by autograd, and what they say of its input's."""

import pytest
import torch
from torch import Tensor, nn

from studio.errors import UserError
from studio.models.adversarial.config import Constraint, LipschitzConfig
from studio.models.adversarial.lipschitz import constrain
from studio.models.adversarial.sensitivity import sensitivity
from studio.models.adversarial.spectral import normalise
from tests.models.conftest import random_batch, stream

SHAPE = (1, 3, 3)


def perceptron(*hidden: int) -> nn.Sequential:
    sizes, parts = (9, *hidden), list[nn.Module]([nn.Flatten()])
    for before, after in zip(sizes, hidden, strict=False):
        parts += [nn.Linear(before, after), nn.LeakyReLU(0.2)]
    torch.manual_seed(0)
    return nn.Sequential(*parts, nn.Linear(sizes[-1], 1)).double()


@pytest.fixture
def images() -> Tensor:
    return random_batch(SHAPE, 6).images


@pytest.mark.parametrize("hidden", [(), (7,), (8, 5)])
def test_that_the_layers_squares_are_those_of_each_examples_parameter_gradient(
    hidden: tuple[int, ...], images: Tensor
) -> None:
    critic = perceptron(*hidden)
    found = sensitivity(critic, images)
    layers = [part for part in critic if isinstance(part, nn.Linear)]
    for place, image in enumerate(images):
        for number, layer in enumerate(layers):
            slopes = torch.autograd.grad(critic(image[None]).sum(), tuple(layer.parameters()))
            exact = sum(slope.square().sum() for slope in slopes)
            torch.testing.assert_close(found.by_layer[place, number], exact)


@pytest.mark.parametrize("hidden", [(), (7,), (8, 5), (6, 6, 6)])
def test_that_the_inputs_gradient_bounds_that_of_each_layer_from_below(hidden: tuple[int, ...], images: Tensor) -> None:
    found = sensitivity(perceptron(*hidden), images)
    assert (found.bound <= found.by_layer * (1 + 1e-12)).all()
    assert found.bound.min() > 0


def test_that_a_linear_critic_meets_the_bound(images: Tensor) -> None:
    """D = w·x + b: ‖∇_x D‖² = ‖w‖² = σ², so that both sides are 1 + ‖x‖²."""
    found = sensitivity(perceptron(), images)
    squares = 1 + images.flatten(1).square().sum(1)
    torch.testing.assert_close(found.by_layer[:, 0], squares)
    torch.testing.assert_close(found.bound[:, 0], squares)


def test_that_a_normalised_weight_counts_as_it_acts(images: Tensor) -> None:
    critic = perceptron(7)
    normalise(critic)
    found = sensitivity(critic, images)
    assert (found.bound <= found.by_layer * (1 + 1e-12)).all()
    assert (found.by_input <= 1 + 1e-6).all()  # σ = 1 in each layer, up to the power iteration


def test_that_the_parameter_penalty_is_a_term_of_each_real_example(images: Tensor) -> None:
    """Its gradient is that of the squares of explicit parameter gradients."""
    critic = perceptron(7)
    lipschitz = constrain(critic, LipschitzConfig(kind=Constraint.PARAMETER_PENALTY, parameter_weight=0.3))
    penalty = lipschitz.penalty(critic, images, -images, stream())
    assert penalty.value is None
    assert penalty.data is not None
    parameters = tuple(critic.parameters())
    for term, image in zip(penalty.data, images, strict=True):
        slopes = torch.autograd.grad(critic(image[None]).sum(), parameters, create_graph=True)
        explicit = 0.3 * torch.stack([slope.square().sum() for slope in slopes]).sum()
        torch.testing.assert_close(term, explicit)
        found, expected = (
            torch.autograd.grad(each, parameters, retain_graph=True, allow_unused=True, materialize_grads=True)
            for each in (term, explicit)
        )
        torch.testing.assert_close(found, expected)


def test_that_a_critic_with_convolutions_takes_no_parameter_penalty() -> None:
    with pytest.raises(UserError, match="plain MLP") as caught:
        constrain(nn.Sequential(nn.Conv2d(1, 1, 3)), LipschitzConfig(kind=Constraint.PARAMETER_PENALTY))
    assert caught.value.field == "model.lipschitz.kind"


def test_that_only_a_plain_perceptron_has_one(images: Tensor) -> None:
    assert sensitivity(nn.Sequential(nn.Conv2d(1, 1, 3), nn.Flatten()), images) is None
    assert sensitivity(nn.Sequential(nn.Flatten(), nn.Linear(9, 4), nn.LayerNorm(4), nn.Linear(4, 1)), images) is None
