"""Slopes, penalties, singular values and clips against their closed forms."""

from typing import Literal

import pytest
import torch
from torch import nn

from studio.models.adversarial.config import Constraint, LipschitzConfig, PenaltySides
from studio.models.adversarial.lipschitz import Lipschitz, constrain, gradient_norm, gradient_penalty, interpolates
from studio.models.adversarial.spectral import iterate_norms, layer_norms, normalise, singular_values
from studio.models.adversarial.views import sigma_profile
from tests.models.conftest import random_batch, stream

SHAPE = (1, 8, 8)


def linear_critic(slope: torch.Tensor) -> nn.Module:
    """D(x) = a·x."""
    critic = nn.Sequential(nn.Flatten(), nn.Linear(64, 1, bias=False)).double()
    critic[1].load_state_dict({"weight": slope[None]})
    return critic


def layered_critic() -> nn.Sequential:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(1, 3, 4, stride=2), nn.LeakyReLU(0.2), nn.Flatten(), nn.Linear(27, 5), nn.Linear(5, 1)
        ).double()


def exact_sigmas(critic: nn.Module) -> torch.Tensor:
    layers = [module for module in critic.modules() if isinstance(module, nn.Linear | nn.Conv2d)]
    return torch.stack([torch.linalg.matrix_norm(layer.weight.detach().flatten(1), 2) for layer in layers])


def explicit_norms(critic: nn.Sequential, image: torch.Tensor) -> torch.Tensor:
    """Norms of the layers as matrices, written out column by column."""
    found, given = [], image
    for layer in critic:
        if isinstance(layer, nn.Linear | nn.Conv2d):
            units = torch.eye(given[0].numel(), dtype=given.dtype).reshape(-1, *given.shape[1:])
            columns = (layer(units) - layer(torch.zeros_like(given))).flatten(1).detach()
            found.append(torch.linalg.matrix_norm(columns, 2))
        given = layer(given)
    return torch.stack(found)


def settle(lipschitz: Lipschitz, critic: nn.Module, times: int = 200) -> None:
    for _ in range(times):
        lipschitz.after_step(critic)


@pytest.mark.parametrize("length", [0.25, 1.0, 3.0])
def test_that_a_linear_critics_penalty_is_its_closed_form(length: float) -> None:
    """∇(a·x) = a everywhere: the penalty is (‖a‖ − 1)², one-sided max(0, ‖a‖ − 1)², its slope 2·(‖a‖ − 1)·a/‖a‖."""
    slope = torch.randn(64, generator=stream(), dtype=torch.float64)
    slope *= length / slope.norm()
    critic = linear_critic(slope)
    norm = gradient_norm(critic, random_batch(SHAPE, 5).images)
    torch.testing.assert_close(norm.detach(), torch.full((5,), length, dtype=torch.float64))
    penalty = gradient_penalty(norm, PenaltySides.TWO)
    assert penalty.item() == pytest.approx((length - 1) ** 2, abs=1e-9)
    assert gradient_penalty(norm, PenaltySides.ONE).item() == pytest.approx(max(0.0, length - 1) ** 2, abs=1e-9)
    penalty.backward()
    (weight,) = critic.parameters()
    assert weight.grad is not None
    torch.testing.assert_close(weight.grad[0], 2 * (length - 1) * slope / length, atol=1e-9, rtol=1e-6)


@pytest.mark.parametrize("sides", PenaltySides)
def test_that_a_flat_critic_has_a_finite_second_derivative(sides: PenaltySides) -> None:
    critic = linear_critic(torch.zeros(64, dtype=torch.float64))
    gradient_penalty(gradient_norm(critic, random_batch(SHAPE, 5).images), sides).backward()
    (weight,) = critic.parameters()
    assert weight.grad.isfinite().all()


def test_that_interpolates_lie_between_their_own_pair() -> None:
    real, fake = random_batch(SHAPE, 50).images, random_batch(SHAPE, 50, seed=7).images
    share = (interpolates(real, fake, stream()) - fake) / (real - fake)
    flat = share.flatten(1)
    torch.testing.assert_close(flat, flat[:, :1].expand_as(flat))
    assert 0 <= flat.min() < 0.2
    assert 0.8 < flat.max() <= 1


def test_that_the_gradient_penalty_carries_its_weight() -> None:
    critic = linear_critic(torch.full((64,), 0.5, dtype=torch.float64))
    lipschitz = constrain(critic, LipschitzConfig(kind=Constraint.GRADIENT_PENALTY, penalty_weight=7.0))
    batch = random_batch(SHAPE, 4).images
    penalty = lipschitz.penalty(critic, batch, -batch, stream())
    assert penalty.value.item() == pytest.approx(7 * 9, rel=1e-9)
    assert penalty.metrics["gradient_norm"].item() == pytest.approx(4, rel=1e-9)


def test_that_a_normalised_layer_stretches_by_one() -> None:
    """diag(3, 2, 1) becomes diag(1, ⅔, ⅓), and any layer's largest singular value becomes 1."""
    layer = nn.Linear(3, 3, bias=False).double()
    layer.load_state_dict({"weight": torch.diag(torch.tensor([3.0, 2.0, 1.0]))})
    critic = nn.Sequential(layer)
    lipschitz = constrain(critic, LipschitzConfig(kind=Constraint.SPECTRAL_NORM))
    settle(lipschitz, critic)
    torch.testing.assert_close(layer.weight, torch.diag(torch.tensor([1, 2 / 3, 1 / 3], dtype=torch.float64)))
    layers = layered_critic()
    settle(constrain(layers, LipschitzConfig(kind=Constraint.SPECTRAL_NORM)), layers)
    torch.testing.assert_close(exact_sigmas(layers), torch.ones(3).double())


@pytest.mark.parametrize(
    ("stride", "padding", "mode"), [(1, 1, "zeros"), (2, 1, "zeros"), (2, 0, "zeros"), (1, 2, "circular")]
)
def test_that_the_norm_of_a_convolution_is_that_of_its_explicit_matrix(
    stride: int, padding: int, mode: Literal["zeros", "circular"]
) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        convolution = nn.Conv2d(2, 3, 4, stride=stride, padding=padding, padding_mode=mode).double()
        critic = nn.Sequential(convolution, nn.LeakyReLU(0.2), nn.Flatten(), nn.LazyLinear(1).double())
        image = torch.randn(1, 2, 6, 6, dtype=torch.float64)
        critic(image)
    found = layer_norms(critic, image, 400, stream())
    torch.testing.assert_close(found, explicit_norms(critic, image), rtol=1e-5, atol=0)
    assert convolution.weight.grad is None


def test_that_spectral_norm_bounds_the_kernel_and_the_convolution_up_to_how_often_a_pixel_enters() -> None:
    """σ(W) is 1, and the convolution stretches by more, but by no more than √(⌈4/2⌉·⌈4/2⌉) = 2."""
    critic = layered_critic()
    settle(constrain(critic, LipschitzConfig(kind=Constraint.SPECTRAL_NORM)), critic)
    torch.testing.assert_close(exact_sigmas(critic), torch.ones(3).double())
    norms = layer_norms(critic, random_batch(SHAPE, 1).images, 200, stream())
    assert 1.05 < norms[0] <= 2
    torch.testing.assert_close(norms[1:], torch.ones(2).double())


def test_that_the_profile_shows_both_norms_where_they_differ() -> None:
    critic, image = layered_critic(), random_batch(SHAPE, 1).images
    shown = sigma_profile(critic, image, stream()).series
    assert shown["σ"] == pytest.approx(exact_sigmas(critic).numpy(), rel=0.02)
    assert shown["whole layer"] == pytest.approx(explicit_norms(critic, image).numpy(), rel=0.02)
    flat = nn.Sequential(nn.Flatten(), nn.Linear(64, 3)).double()
    assert set(sigma_profile(flat, image, stream()).series) == {"σ"}


def test_that_a_normalised_critic_of_linear_layers_has_slope_at_most_one() -> None:
    critic = nn.Sequential(nn.Flatten(), nn.Linear(64, 9), nn.LeakyReLU(0.2), nn.Linear(9, 1)).double()
    lipschitz = constrain(critic, LipschitzConfig(kind=Constraint.SPECTRAL_NORM))
    settle(lipschitz, critic)
    assert gradient_norm(critic, 5 * random_batch(SHAPE, 50).images).max() <= 1 + 1e-9


def test_that_a_normalised_weight_has_no_gradient_along_itself() -> None:
    """W/σ(W) does not change with the length of W, so its gradient is orthogonal to W."""
    critic = layered_critic()
    settle(constrain(critic, LipschitzConfig(kind=Constraint.SPECTRAL_NORM)), critic)
    raw = dict(critic.named_parameters())["3.parametrizations.weight.original"]
    (gradient,) = torch.autograd.grad(critic(random_batch(SHAPE, 4).images).sum(), raw)
    assert gradient.norm() > 1e-3
    assert abs((gradient * raw).sum().item()) < 1e-9 * gradient.norm().item() * raw.norm().item()


def test_that_looking_at_a_normalised_critic_does_not_change_it() -> None:
    critic = layered_critic()
    normalise(critic)
    before = {name: tensor.clone() for name, tensor in critic.state_dict().items()}
    images = random_batch(SHAPE, 4).images
    first, again = critic.train()(images), critic.eval()(images)
    assert torch.equal(first, again)
    assert all(torch.equal(tensor, before[name]) for name, tensor in critic.state_dict().items())
    nn.init.normal_(dict(critic.named_parameters())["0.parametrizations.weight.original"])
    iterate_norms(critic)
    assert not torch.equal(
        critic.state_dict()["0.parametrizations.weight.0.u"], before["0.parametrizations.weight.0.u"]
    )


def test_that_a_normalised_critic_can_be_differentiated_twice() -> None:
    critic = layered_critic()
    normalise(critic)
    gradient_norm(critic, random_batch(SHAPE, 4).images).sum().backward()
    raw = dict(critic.named_parameters())["0.parametrizations.weight.original"]
    assert raw.grad.isfinite().all()
    assert raw.grad.norm() > 0


def test_that_the_spectral_penalty_and_its_gradient_are_the_closed_form() -> None:
    """½·λ·Σσ², and ∂/∂W = λ·σ·u·vᵀ with the exact singular vectors."""
    critic = layered_critic()
    lipschitz = constrain(critic, LipschitzConfig(kind=Constraint.SPECTRAL_PENALTY, spectral_weight=0.3))
    settle(lipschitz, critic)
    images = random_batch(SHAPE, 4).images
    penalty = lipschitz.penalty(critic, images, images, stream())
    sigmas = exact_sigmas(critic)
    assert penalty.value is not None
    torch.testing.assert_close(penalty.value.detach(), 0.5 * 0.3 * sigmas.square().sum())
    torch.testing.assert_close(penalty.metrics["largest_sigma"], sigmas.max())
    weight = dict(critic.named_parameters())["3.weight"]
    (gradient,) = torch.autograd.grad(penalty.value, weight)
    u, sigma, v = torch.linalg.svd(weight.detach())
    torch.testing.assert_close(gradient, 0.3 * sigma[0] * torch.outer(u[:, 0], v[0]))


def test_that_singular_values_are_found_from_a_fresh_start() -> None:
    critic = layered_critic()
    torch.testing.assert_close(singular_values(critic, 300, stream()), exact_sigmas(critic))


def test_that_every_parameter_is_within_the_clip_after_a_step() -> None:
    critic = layered_critic()
    lipschitz = constrain(critic, LipschitzConfig(kind=Constraint.CLIP, clip=0.05))
    before = [parameter.detach().clone() for parameter in critic.parameters()]
    lipschitz.after_step(critic)
    for parameter, old in zip(critic.parameters(), before, strict=True):
        assert parameter.abs().max() <= 0.05
        assert torch.equal(parameter, old.clamp(-0.05, 0.05))


def test_that_no_constraint_is_none() -> None:
    critic = layered_critic()
    lipschitz = constrain(critic, LipschitzConfig())
    before = {name: tensor.clone() for name, tensor in critic.state_dict().items()}
    lipschitz.after_step(critic)
    images = random_batch(SHAPE, 2).images
    assert lipschitz.penalty(critic, images, images, stream()).value is None
    assert all(torch.equal(tensor, before[name]) for name, tensor in critic.state_dict().items())
