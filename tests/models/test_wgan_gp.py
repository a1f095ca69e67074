"""WGAN-GP: the penalty's closed forms, and who is weighted."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from studio.models.base import Batch
from studio.models.catalog import model_spec
from studio.models.reduce import reduced_metrics, weighted_loss
from studio.models.wgan_gp.config import PenaltySides
from studio.models.wgan_gp.model import WganGp, gradient_norm, gradient_penalty, interpolates
from tests.models.conftest import flat_gradient, random_batch, small_model, stream

SHAPE = (1, 8, 8)


def linear_critic(slope: torch.Tensor) -> nn.Module:
    """D(x) = a·x."""
    critic = nn.Sequential(nn.Flatten(), nn.Linear(64, 1, bias=False)).double()
    critic[1].load_state_dict({"weight": slope[None]})
    return critic


def wgan(**settings: Any) -> WganGp:
    model = small_model(model_spec("wgan_gp"), SHAPE, **settings)
    assert isinstance(model, WganGp)
    return model


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
    assert weight.grad is not None
    assert weight.grad.isfinite().all()


def test_that_interpolates_lie_between_their_own_pair() -> None:
    real, fake = random_batch(SHAPE, 50).images, random_batch(SHAPE, 50, seed=7).images
    share = (interpolates(real, fake, stream()) - fake) / (real - fake)
    flat = share.flatten(1)
    torch.testing.assert_close(flat, flat[:, :1].expand_as(flat))
    assert 0 <= flat.min() < 0.2
    assert 0.8 < flat.max() <= 1


def test_that_only_the_critics_real_term_is_weighted() -> None:
    model = wgan()
    critic, generator = model.phases()
    batch = random_batch(SHAPE, 4)
    tilted = Batch(images=batch.images, weights=torch.tensor([4.0, 0.5, 2.0, 0.1]).double(), step=0)
    plain, weighted = (model.losses(critic, b, stream()) for b in (batch, tilted))
    assert plain.data is not None
    assert weighted.data is not None
    assert torch.equal(plain.data, weighted.data)
    assert plain.model == weighted.model
    terms = [model.losses(generator, b, stream()) for b in (batch, tilted)]
    assert terms[0].data is None
    assert weighted_loss(terms[0], batch.weights, 4.0) == weighted_loss(terms[1], tilted.weights, 4.0)


def test_that_the_critic_gap_is_weighted_on_the_real_side() -> None:
    model = wgan()
    batch = random_batch(SHAPE, 3, weights=torch.tensor([4.0, 0.5, 2.0]).double())
    terms = model.losses(model.phases()[0], batch, stream())
    assert terms.data is not None
    assert terms.model is not None
    metrics = reduced_metrics(terms, batch.weights)
    real = -(batch.weights @ terms.data) / batch.weights.sum()
    fake = terms.model - 10 * metrics["gradient_penalty"]
    torch.testing.assert_close(metrics["critic_gap"], (real - fake).detach())


def test_that_critic_and_generator_draw_latents_of_their_own() -> None:
    model, rng = wgan(), stream()
    seen: list[torch.Tensor] = []
    model.generator.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    for phase in model.phases():
        model.losses(phase, random_batch(SHAPE, 4), rng)
    assert [len(latents) for latents in seen] == [4, 4]
    assert not torch.allclose(seen[0], seen[1])


def test_that_the_generator_is_due_after_its_critic_steps() -> None:
    critic, generator = wgan(critic_steps=3).phases()
    assert [critic.due(step) for step in range(6)] == [True] * 6
    assert [generator.due(step) for step in range(6)] == [False, False, True, False, False, True]


@pytest.mark.parametrize("normalised", [True, False])
def test_that_batch_norm_is_in_the_generator_alone_and_can_be_left_out(normalised: bool) -> None:
    model = small_model(model_spec("wgan_gp"), (1, 28, 28), generator_batch_norm=normalised)
    norms = [name for name, module in model.named_modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    assert bool(norms) == normalised
    assert all(name.startswith("generator.") for name in norms)


def test_that_the_critics_phase_leaves_no_gradient_in_the_generator() -> None:
    model = wgan()
    terms = model.losses(model.phases()[0], random_batch(SHAPE, 4), stream())
    loss = weighted_loss(terms, torch.ones(4).double(), 4.0)
    assert flat_gradient(loss, model, "generator").abs().max() == 0
