"""A learned noise schedule against the best one, which is known where data are Gaussian and the denoiser knows it."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from studio.eager import take_step
from studio.models.base import Batch
from studio.models.diffusion.config import NoiseSchedule, Prediction
from studio.models.diffusion.model import Diffusion
from studio.models.diffusion.schedule import LearnedSchedule, Schedule, noise_schedule
from studio.models.diffusion.views import learned_profile
from tests.models.conftest import example_gradients, random_batch, stream
from tests.models.test_diffusion import WIDTH, BestDenoiser, diffusion, gaussian_images

STEPS = 200


def errors(schedule: Schedule) -> Tensor:
    """Variance v_t of ε given x_t, t = 1…T: of the best denoiser ⟨L_t⟩ = v_t and ⟨L_t²⟩ = 3·v_t²."""
    level, noise = (table[1:].square() for table in (schedule.signal, schedule.noise))
    return level * WIDTH**2 / (level * WIDTH**2 + noise)


def spread_of(rates: Tensor, v: Tensor) -> float:
    """Variance of the loss over its mean squared, exact, where t is drawn with T·p_t = `rates`."""
    return float((3 * v.square() / rates).mean() / v.mean().square() - 1)


@pytest.fixture(scope="module")
def learned() -> Diffusion:
    """Trained beside the best denoiser."""
    settings = {"prediction": Prediction.NOISE, "schedule": NoiseSchedule.LEARNED, "diffusion_steps": STEPS}
    model = diffusion((1, 1, 1), **settings)
    model.denoiser = BestDenoiser(Prediction.NOISE, model.schedule)
    parameters, rng = list(model.network_parameters("denoiser")), stream()
    assert parameters == list(model.learned.parameters())
    rule = torch.optim.Adam(parameters, lr=0.1)
    batch = Batch(images=gaussian_images(500), weights=torch.ones(500).double(), step=1)
    with torch.enable_grad():
        for _ in range(120):
            data = model.losses(model.phases()[0], batch, rng).data
            rule.zero_grad()
            data.mean().backward()
            take_step(rule)
    return model.requires_grad_(False)


def test_that_noise_grows_with_u_from_end_to_end(learned: Diffusion) -> None:
    assert learned.learned is not None
    for schedule in (learned.learned, LearnedSchedule(7)):
        u = schedule()
        assert (u.diff() > 0).all()
        torch.testing.assert_close(u[[0, -1]], torch.tensor([0.0, 1.0]).to(u))
    assert torch.equal(learned.schedule.noise, noise_schedule(NoiseSchedule.COSINE, STEPS).noise)


def test_that_the_loss_varies_less_than_by_fixed_schedules_and_nearly_as_little_as_it_can(learned: Diffusion) -> None:
    """Variance over mean²: linear 12, cosine 5.8, learned 2.7, where 2.6 is the least of rates above ε."""
    assert learned.learned is not None
    linear, cosine = (errors(noise_schedule(kind, STEPS)) for kind in (NoiseSchedule.LINEAR, NoiseSchedule.COSINE))
    even = torch.ones(STEPS).double()
    found = spread_of(STEPS * learned.learned().diff(), cosine)
    low, high = 0.0, 100.0
    for _ in range(60):  # rates ∝ v, but for those that would be below ε, have mean 1
        scale = (low + high) / 2
        low, high = (scale, high) if (scale * cosine).clamp(min=0.5).mean() < 1 else (low, scale)
    least = spread_of((scale * cosine).clamp(min=0.5), cosine)
    assert least <= found < 1.1 * least < spread_of(even, cosine) < spread_of(even, linear)


def test_that_the_view_lies_flat_where_the_loss_is_large(learned: Diffusion) -> None:
    assert learned.learned is not None
    gamma = learned_profile(learned.learned, learned.schedule).series["learned"]
    v = errors(learned.schedule)
    median = 1 + int(torch.searchsorted(v.cumsum(0), v.sum() / 2))
    assert (np.diff(gamma) >= 0).all()
    below = gamma < float(2 * (learned.schedule.noise / learned.schedule.signal)[median].log())
    assert below.mean() == pytest.approx(0.5, abs=0.1)


def test_that_the_mean_of_the_loss_is_that_of_the_cosine(learned: Diffusion) -> None:
    """Over 60,000 draws, within five standard errors."""
    v = errors(learned.schedule)
    batch = Batch(images=gaussian_images(60_000), weights=torch.ones(60_000).double(), step=1)
    data = learned.losses(learned.phases()[0], batch, stream(3)).data
    assert abs(data.mean() - v.mean()) < 5 * data.std() / 60_000**0.5


def test_that_u_is_turned_into_the_t_whose_share_holds_it() -> None:
    schedule = LearnedSchedule(5)
    ends = schedule().detach()
    middles = (ends[1:] + ends[:-1]) / 2
    assert schedule.times(middles).tolist() == [1, 2, 3, 4, 5]
    assert schedule.times(torch.tensor([0.0, 1.0])).tolist() == [1, 5]


@torch.enable_grad()
def test_that_the_denoisers_slope_is_that_of_the_loss_over_how_often_t_is_drawn() -> None:
    model = diffusion(schedule=NoiseSchedule.LEARNED)
    assert model.learned is not None
    batch = random_batch((1, 8, 8), 3)
    said = model.say(batch.images, stream())
    data = model.losses(model.phases()[0], batch, stream()).data
    assert data is not None
    torch.testing.assert_close(data, said.loss(said.outputs))
    of_denoiser = nn.utils.parameters_to_vector(model.denoiser.parameters()).numel()
    slopes = [example_gradients(each, model, "denoiser")[:, :of_denoiser] for each in (data, said.loss(said.outputs))]
    torch.testing.assert_close(*slopes)


def test_that_the_norm_that_is_clipped_is_the_denoisers() -> None:
    """Else the schedule's gradient, 20 times as large on MNIST, would take the denoiser's steps away."""
    model = diffusion((1, 8, 8), schedule=NoiseSchedule.LEARNED)
    with torch.enable_grad():
        model.losses(model.phases()[0], random_batch((1, 8, 8), 64), stream()).data.mean().backward()
    schedule, denoiser = (
        torch.stack([each.grad.norm() for each in part.parameters()]).norm() for part in (model.learned, model.denoiser)
    )
    assert 0 < schedule < 0.01 * denoiser
