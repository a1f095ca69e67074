"""Diffusion: bound and samplers where the best denoiser is known.

Pixels of the Gaussian data set are independent, x_0 ~ N(m, s²). Then ⟨x_0|x_t⟩ = m + g_t·(x_t − √ᾱ_t·m) with
g_t = √ᾱ_t·s²/(ᾱ_t·s² + 1 − ᾱ_t), and its mean squared error is s²·(1 − ᾱ_t)/(ᾱ_t·s² + 1 − ᾱ_t).
"""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from studio.models.base import Batch
from studio.models.catalog import model_spec
from studio.models.config import Architecture
from studio.models.diagnostic import Pictures, Profile
from studio.models.diffusion.bound import denoising_term, prior_matching, reconstruction_term
from studio.models.diffusion.config import NoiseSchedule, Prediction, Sampler
from studio.models.diffusion.denoisers import denoiser, target
from studio.models.diffusion.model import Diffusion
from studio.models.diffusion.sampling import trajectory
from studio.models.diffusion.schedule import Schedule, noise_schedule, spread
from studio.models.diffusion.views import log_masses, pull
from studio.models.plane_views import grid
from studio.models.views import Probe
from tests.models.conftest import random_batch, small_model, stream

MEAN, WIDTH = 0.3, 0.4
SHAPE = (1, 8, 8)

every_schedule = pytest.mark.parametrize("kind", [NoiseSchedule.LINEAR, NoiseSchedule.COSINE])


def diffusion(shape: tuple[int, int, int] = SHAPE, **settings: Any) -> Diffusion:
    model = small_model(model_spec("diffusion"), shape, **settings)
    assert isinstance(model, Diffusion)
    return model


def gaussian_images(count: int, seed: int = 7) -> Tensor:
    return MEAN + WIDTH * torch.randn(count, 1, 1, 1, generator=stream(seed), dtype=torch.float64)


class BestDenoiser(nn.Module):
    """What knows the Gaussian data set: the guess ⟨x_0|x_t⟩, said as ε, x or v."""

    def __init__(self, kind: Prediction, schedule: Schedule) -> None:
        super().__init__()
        self.kind, self.schedule = kind, schedule

    def forward(self, noisy: Tensor, time: Tensor) -> Tensor:
        places = (time * self.schedule.steps).round().long()
        alpha, sigma = (table[places][:, None, None, None] for table in (self.schedule.signal, self.schedule.noise))
        guess = best_guess(noisy, alpha, sigma)
        return target(self.kind, guess, (noisy - alpha * guess) / sigma, alpha, sigma)


def best_guess(noisy: Tensor, alpha: Tensor | float, sigma: Tensor | float) -> Tensor:
    return MEAN + alpha * WIDTH**2 / (alpha**2 * WIDTH**2 + sigma**2) * (noisy - alpha * MEAN)


def test_that_prior_matching_is_the_kl_to_the_standard_normal() -> None:
    clean, sigma = random_batch(SHAPE, 4).images, torch.tensor(0.9).double()
    q = torch.distributions.Normal((1 - sigma**2).sqrt() * clean, sigma)
    expected = torch.distributions.kl_divergence(q, torch.distributions.Normal(0.0, 1.0)).sum((1, 2, 3))
    torch.testing.assert_close(prior_matching(clean, sigma), expected)


@pytest.mark.parametrize("time", [2, 30, 100])
def test_that_a_denoising_term_is_the_kl_of_two_posteriors(time: int) -> None:
    schedule = noise_schedule(NoiseSchedule.COSINE, 100)
    clean, guess = random_batch(SHAPE, 4).images, random_batch(SHAPE, 4, seed=3).images
    posterior = schedule.posterior(time - 1, time)
    q, p = (torch.distributions.Normal(posterior.clean * x, posterior.width) for x in (clean, guess))
    expected = torch.distributions.kl_divergence(q, p).sum((1, 2, 3))
    found = denoising_term(clean, guess, schedule.bound_weights()[time].expand(4))
    torch.testing.assert_close(found, expected, rtol=1e-6, atol=0)


@pytest.mark.parametrize("sigma", [0.0005, 0.006, 0.3, 4.0])
@pytest.mark.parametrize("guess", [-1.2, -0.4, 0.0, 0.999, 1.0])
def test_that_the_last_steps_256_probabilities_add_up_to_one(sigma: float, guess: float) -> None:
    levels = (torch.arange(256, dtype=torch.float64) / 127.5 - 1).reshape(256, 1, 1, 1)
    nats = reconstruction_term(levels, torch.full_like(levels, guess), torch.tensor(sigma).double())
    assert nats.isfinite().all()
    assert (-nats).exp().sum().item() == pytest.approx(1, abs=1e-9)


@pytest.mark.parametrize("prediction", Prediction)
@every_schedule
def test_that_the_bounds_terms_are_their_closed_forms_for_the_best_denoiser(
    kind: NoiseSchedule, prediction: Prediction
) -> None:
    """Of Gaussian data, within five standard errors; the denoising term also term by term against its sum over t."""
    steps, count = 50, 40_000
    model = diffusion((1, 1, 1), schedule=kind, prediction=prediction, clip=False, diffusion_steps=steps)
    schedule = model.schedule
    model.denoiser = BestDenoiser(prediction, schedule)
    images = gaussian_images(count)
    level, noise = schedule.signal.square(), schedule.noise.square()
    error = WIDTH**2 * noise / (level * WIDTH**2 + noise)
    expected = {
        "prior_term": 0.5 * (level[-1] * (MEAN**2 + WIDTH**2) + noise[-1] - 1 - noise[-1].log()),
        "denoising_term": (schedule.bound_weights() * error).sum(),
    }
    found = model.bound_terms(images, stream())
    for name, value in expected.items():
        assert abs(found[name].mean() - value) < 5 * found[name].std() / math.sqrt(count) + 1e-6, name
    # The Gaussian's density times a grey level's width; levels are far narrower than the last step.
    inner = images.flatten().abs() < 1 - 1 / 127.5
    value = 0.5 * (error[1] / noise[1] + (2 * math.pi * noise[1]).log()) - math.log(2 / 255)
    assert found["reconstruction_term"][inner].mean().item() == pytest.approx(value.item(), abs=0.03)
    for time in (2, 10, steps):
        guess = model._guess_of(images, torch.full((count,), time), stream(time))
        term = denoising_term(images, guess, schedule.bound_weights()[time].expand(count))
        value = schedule.bound_weights()[time] * error[time]
        assert abs(term.mean() - value) < 5 * term.std() / math.sqrt(count)
    total = found["prior_term"] + found["denoising_term"] + found["reconstruction_term"]
    torch.testing.assert_close(found["variational_bound"], total)


def test_that_the_bound_of_the_best_denoiser_is_close_to_the_entropy() -> None:
    """For T = 1000 it exceeds −⟨log p(x)⟩ of the grey levels by less than half a nat a pixel and never undercuts it."""
    model = diffusion((1, 1, 1), clip=False, diffusion_steps=1000)
    model.denoiser = BestDenoiser(Prediction.VELOCITY, model.schedule)
    images = gaussian_images(20_000)
    images = images[images.abs() < 1 - 1 / 127.5][:, None, None, None]
    terms = model.bound_terms(images, stream())
    density = torch.distributions.Normal(MEAN, WIDTH).log_prob(images.flatten())
    nats = terms["variational_bound"] + density + math.log(2 / 255)
    error = nats.std() / math.sqrt(len(images))
    assert 0 < nats.mean() < 0.5
    assert error < 0.06


@pytest.mark.parametrize("sampler", Sampler)
@every_schedule
def test_that_samples_of_the_best_denoiser_have_the_datas_mean_and_variance(
    kind: NoiseSchedule, sampler: Sampler
) -> None:
    """In 500 steps of 500, mean and variance within 1 % of the width and four standard errors."""
    schedule, count = noise_schedule(kind, 500), 10_000

    def guess(noisy: Tensor, time: int) -> Tensor:
        return best_guess(noisy, schedule.signal[time].item(), schedule.noise[time].item())

    start = torch.randn(count, 1, 1, 1, generator=stream(), dtype=torch.float64)
    *_, last = trajectory(start, guess, schedule, schedule.times(500), sampler, stream(9))
    assert last.time == 1
    assert abs(last.guess.mean() - MEAN) < WIDTH * (0.01 + 4 / math.sqrt(count))
    assert abs(last.guess.std() / WIDTH - 1) < 0.01 + 4 / math.sqrt(2 * count)


def test_that_ddim_follows_its_closed_form_at_any_number_of_steps() -> None:
    """Each step is linear in x_t, so the variance after S steps is a product; ancestral adds its own noise."""
    schedule = noise_schedule(NoiseSchedule.COSINE, 1000)
    start = torch.tensor([-1.0, 1.0]).double()[:, None, None, None]
    for count in (1, 2, 5, 20):
        times = schedule.times(count)
        slope = 1.0
        for later, earlier in pairwise(times):
            alpha, sigma = schedule.signal[later].item(), schedule.noise[later].item()
            gain = alpha * WIDTH**2 / (alpha**2 * WIDTH**2 + sigma**2)
            signal, noise = schedule.signal[earlier].item(), schedule.noise[earlier].item()
            slope *= signal * gain + noise * (1 - alpha * gain) / sigma

        def guess(noisy: Tensor, time: int) -> Tensor:
            return best_guess(noisy, schedule.signal[time].item(), schedule.noise[time].item())

        *_, last = trajectory(start, guess, schedule, times, Sampler.DDIM, stream())
        assert (last.guess[1] - last.guess[0]).item() == pytest.approx(2 * slope, rel=1e-9)
    assert slope == pytest.approx(WIDTH, rel=0.1)


def test_that_twenty_steps_of_second_order_leave_the_width_as_it_is() -> None:
    """To 2 %, where DDIM loses 4 to 15 %."""
    schedule = noise_schedule(NoiseSchedule.COSINE, 1000)
    start = torch.tensor([-1.0, 1.0]).double()[:, None, None, None]
    for width in (0.1, 0.25, 0.5):

        def guess(noisy: Tensor, time: int, width: float = width) -> Tensor:
            alpha, sigma = schedule.signal[time].item(), schedule.noise[time].item()
            return alpha * width**2 / (alpha**2 * width**2 + sigma**2) * noisy

        slopes = {}
        for sampler in (Sampler.SECOND_ORDER, Sampler.DDIM):
            *_, last = trajectory(start, guess, schedule, schedule.times(20), sampler, stream())
            slopes[sampler] = (last.guess[1] - last.guess[0]).item() / 2 / width
        assert slopes[Sampler.SECOND_ORDER] == pytest.approx(1, abs=0.021)
        assert 0.85 < slopes[Sampler.DDIM] < 0.96


def test_that_every_example_draws_a_time_of_its_own() -> None:
    model = diffusion(diffusion_steps=10)
    images = random_batch(SHAPE, 5_000).images
    times = model._random_times(images, stream())
    counts = torch.bincount(times, minlength=11)
    assert counts[0] == 0
    assert (counts[1:] - 500).abs().max() < 5 * math.sqrt(500)


def test_that_the_loss_is_the_squared_error_of_what_is_said() -> None:
    model = diffusion(prediction=Prediction.NOISE)
    model.denoiser = _Silent()
    noise = model.denoising_loss(random_batch(SHAPE, 500).images, torch.full((500,), 300), stream())
    assert noise.mean().item() == pytest.approx(1, abs=0.03)
    model = diffusion(prediction=Prediction.CLEAN)
    model.denoiser = _Silent()
    images = random_batch(SHAPE, 5).images
    found = model.denoising_loss(images, torch.full((5,), 300), stream())
    torch.testing.assert_close(found, images.square().mean((1, 2, 3)))


class _Silent(nn.Module):
    def forward(self, noisy: Tensor, time: Tensor) -> Tensor:
        return torch.zeros_like(noisy)


def test_that_the_bound_is_reported_now_and_then() -> None:
    model = diffusion()
    batch = random_batch(SHAPE, 3)
    reported = [
        bool(
            model.losses(
                model.phases()[0], Batch(images=batch.images, weights=batch.weights, step=step), stream()
            ).example_metrics
        )
        for step in (0, 1, 99, 100, 101, 199, 200)
    ]
    assert reported == [True, False, False, True, False, False, True]


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 2), (3, 17, 19), (1, 28, 28), (3, 64, 40)], ids=str)
def test_that_a_denoiser_fits_every_size_of_image(shape: tuple[int, int, int]) -> None:
    images = torch.zeros(2, *shape)
    network = denoiser(shape, architecture=Architecture.AUTO, width=8)
    assert network(images, torch.tensor([0.2, 0.9])).shape == images.shape


def test_that_the_density_on_the_plane_is_that_of_the_data_where_the_denoiser_knows_them() -> None:
    """The flow of a Gaussian is a map x → a + b·x, here with steps of finite length."""
    schedule = noise_schedule(NoiseSchedule.COSINE, 1000)

    def guess(noisy: Tensor, time: int) -> Tensor:
        return best_guess(noisy, schedule.signal[time], schedule.noise[time])

    found = log_masses(guess, schedule, torch.zeros(1, dtype=torch.float64)).exp()
    expected = (-0.5 * ((grid(torch.zeros(1, dtype=torch.float64)) - MEAN) / WIDTH).square().sum(1)).exp().flatten()
    assert (found / found.sum() - expected / expected.sum()).abs().sum() / 2 < 0.01  # total variation


def test_that_the_pull_on_points_is_the_score_of_the_data_where_the_denoiser_knows_them() -> None:
    schedule = noise_schedule(NoiseSchedule.COSINE, 1000)
    points = gaussian_images(20).expand(-1, 2, -1, -1)
    shown = pull(lambda noisy, time: best_guess(noisy, schedule.signal[time], schedule.noise[time]), schedule, points)
    np.testing.assert_allclose(shown.along, 0.1 * (MEAN - shown.at) / (WIDTH**2 + 0.1**2), rtol=0.05)  # σ·∇log p


def test_that_a_denoiser_tells_times_apart() -> None:
    for shape in (SHAPE, (1, 28, 28)):
        said = diffusion(shape).denoiser(torch.zeros(3, *shape).double(), torch.tensor([0.001, 0.002, 0.9]).double())
        assert (said[0] - said[1]).abs().max() > 1e-4
        assert (said[0] - said[2]).abs().max() > 1e-3


def test_that_diagnostics_show_loss_by_noise_and_samples_under_way() -> None:
    model = diffusion(sampling_steps=10).eval()
    probe = Probe(seen=random_batch(SHAPE, 20).images, held_out=random_batch(SHAPE, 9, seed=5).images)
    with torch.no_grad():
        profile, pictures = model.views.diagnostics(probe, stream())
        alone, _ = model.views.diagnostics(Probe(seen=probe.seen, held_out=probe.held_out[:0]), stream())
    assert isinstance(profile, Profile)
    assert set(profile.series) == {"training", "held-out"}
    assert all(values.shape == profile.at.shape for values in profile.series.values())
    assert ((profile.at > 0) & (profile.at < 1)).all()
    assert isinstance(alone, Profile)
    assert set(alone.series) == {"training"}
    assert isinstance(pictures, Pictures)
    assert pictures.images.shape == (12 * 8, 8, 8, 1)
    assert len(pictures.rows) == 12
    assert pictures.rows[0].startswith("t = 1000, noise level 1.00")


def test_that_each_spread_number_is_uniform_and_their_mean_hardly_varies() -> None:
    rng, like = torch.Generator().manual_seed(0), torch.zeros(16, 1, dtype=torch.double)
    drawn = torch.stack([spread(like, rng) for _ in range(4000)])
    assert drawn.min() >= 0
    assert drawn.max() < 1
    for place in (0, 7, 15):
        counts = torch.histc(drawn[:, place], 10, 0, 1)
        assert ((counts - 400) ** 2 / 400).sum() < 27.9  # χ² of 9 degrees of freedom, p = 0.001
    squares = drawn.square().mean(1)
    torch.testing.assert_close(squares.mean().item(), 1 / 3, rtol=0, atol=1e-3)
    assert squares.std() < 0.3 * math.sqrt(4 / 45 / 16)  # of 16 independent ones
