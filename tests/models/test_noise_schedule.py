"""Noise schedules, posteriors and what a denoiser may say, in closed form."""

import math
from itertools import pairwise

import pytest
import torch

from studio.models.catalog import model_spec
from studio.models.diffusion.config import NoiseSchedule, Prediction
from studio.models.diffusion.denoisers import clean_image, target
from studio.models.diffusion.schedule import faded, noise_schedule
from studio.models.reduce import weighted_loss
from tests.models.conftest import random_batch, small_model, stream

SHAPE = (1, 8, 8)

every_schedule = pytest.mark.parametrize("kind", [NoiseSchedule.LINEAR, NoiseSchedule.COSINE])


@every_schedule
@pytest.mark.parametrize("steps", [2, 50, 1000])
def test_that_noise_rises_as_the_image_falls_and_their_squares_add_up(kind: NoiseSchedule, steps: int) -> None:
    schedule = noise_schedule(kind, steps)
    assert schedule.steps == steps
    assert (schedule.signal.diff() < 0).all()
    assert (schedule.noise.diff() > 0).all()
    torch.testing.assert_close(schedule.signal.square() + schedule.noise.square(), torch.ones(steps + 1).double())
    assert schedule.signal[0] == 1
    assert schedule.noise[0] == 0
    assert schedule.signal[-1] < 0.05
    assert (schedule.bound_weights()[2:] > 0).all()


def test_that_the_schedules_are_the_published_ones() -> None:
    linear, cosine = (
        noise_schedule(kind, 1000).signal.square() for kind in (NoiseSchedule.LINEAR, NoiseSchedule.COSINE)
    )
    betas = 1 - linear[1:] / linear[:-1]
    torch.testing.assert_close(betas[[0, 999]], torch.tensor([1e-4, 0.02], dtype=torch.float64), rtol=1e-9, atol=0)
    level = math.cos(math.pi / 2 * 0.508 / 1.008) ** 2 / math.cos(math.pi / 2 * 0.008 / 1.008) ** 2
    assert cosine[500].item() == pytest.approx(level, rel=1e-9)
    assert (1 - cosine[1:] / cosine[:-1]).max().item() == pytest.approx(0.999)


@every_schedule
def test_that_single_steps_of_noise_add_up_to_the_closed_form(kind: NoiseSchedule) -> None:
    """x_t = √(1 − β_t)·x_{t−1} + √β_t·ε, T = 40 times: mean √ᾱ_t·x_0 and variance 1 − ᾱ_t, within five errors."""
    schedule, draws, rng, clean = noise_schedule(kind, 40), 100_000, stream(), 0.7
    noisy = torch.full((draws,), clean).double()
    for time in range(1, 41):
        beta = 1 - (schedule.signal[time] / schedule.signal[time - 1]) ** 2
        noisy = (1 - beta).sqrt() * noisy + beta.sqrt() * torch.randn(draws, generator=rng, dtype=torch.float64)
        variance = schedule.noise[time] ** 2
        assert abs(noisy.mean() - schedule.signal[time] * clean) < 5 * (variance / draws).sqrt()
        assert abs(noisy.var() - variance) < 5 * variance * math.sqrt(2 / draws)


@every_schedule
@pytest.mark.parametrize(("earlier", "later"), [(0, 1), (1, 2), (3, 40), (499, 500), (700, 1000)])
def test_that_the_posterior_is_what_bayes_says(kind: NoiseSchedule, earlier: int, later: int) -> None:
    """q(x_s|x_t, x_0) ∝ q(x_s|x_0)·q(x_t|x_s): precisions add up, means are weighted by them."""
    schedule = noise_schedule(kind, 1000)
    signal, noise = schedule.signal.tolist(), schedule.noise.tolist()
    ratio = signal[later] / signal[earlier]
    beta, clean, noisy = 1 - ratio**2, 0.4, -1.3
    posterior = schedule.posterior(earlier, later)
    if earlier == 0:
        assert posterior == pytest.approx((1, 0, 0))
        return
    precision = 1 / noise[earlier] ** 2 + ratio**2 / beta
    mean = (signal[earlier] * clean / noise[earlier] ** 2 + ratio * noisy / beta) / precision
    assert posterior.width**2 == pytest.approx(1 / precision, rel=1e-6)
    assert posterior.clean * clean + posterior.noisy * noisy == pytest.approx(mean, rel=1e-6)


@pytest.mark.parametrize("kind", Prediction)
def test_that_what_is_said_gives_the_image_back(kind: Prediction) -> None:
    clean, noise = random_batch(SHAPE, 5).images, torch.randn(5, *SHAPE, generator=stream(), dtype=torch.float64)
    angle = torch.linspace(0.05, 1.5, 5).double()[:, None, None, None]
    alpha, sigma = angle.cos(), angle.sin()
    said = target(kind, clean, noise, alpha, sigma)
    torch.testing.assert_close(clean_image(kind, said, alpha * clean + sigma * noise, alpha, sigma), clean)


def test_that_steps_get_shorter_and_end_at_zero() -> None:
    schedule = noise_schedule(NoiseSchedule.COSINE, 1000)
    assert schedule.times(4) == [1000, 650, 354, 125, 0]
    assert schedule.times(1) == [1000, 0]
    assert schedule.times(5000) == list(range(1000, -1, -1))
    for count in (2, 20, 333, 700, 999):
        times = schedule.times(count)
        assert len(times) == count + 1
        assert times[0] == 1000
        assert times[-1] == 0
        assert all(later > earlier for later, earlier in pairwise(times))


def test_that_weights_fade_over_the_noisiest_times_alone() -> None:
    noisiness = torch.tensor([0.0, 0.5, 0.75, 0.9, 1.0], dtype=torch.float64)
    assert faded(0.0, noisiness) is None
    tilt = faded(0.5, noisiness)
    assert tilt is not None
    torch.testing.assert_close(tilt, torch.tensor([1, 1, 0.5, 0.2, 0], dtype=torch.float64))
    torch.testing.assert_close(faded(1.0, noisiness), 1 - noisiness)


@pytest.mark.parametrize("kind", ["diffusion", "flow_matching"])
def test_that_fading_weights_changes_how_examples_count_and_nothing_else(kind: str) -> None:
    weights = 3 * torch.rand(64, generator=stream(), dtype=torch.float64)
    batch = random_batch(SHAPE, 64, weights=weights)
    plain, fading = (small_model(model_spec(kind), SHAPE, weights_fade=share) for share in (0.0, 0.25))
    (phase,) = plain.phases()
    terms, faded_terms = (model.losses(phase, batch, stream()) for model in (plain, fading))
    assert terms.tilt is None
    assert terms.data is not None
    assert faded_terms.data is not None
    assert torch.equal(terms.data, faded_terms.data)
    tilt = faded_terms.tilt
    assert tilt is not None
    assert (tilt == 1).double().mean().item() == pytest.approx(0.75, abs=1 / 64)  # times are evenly spread
    assert tilt.min() < 0.1
    loss = weighted_loss(faded_terms, weights, 8.0)
    torch.testing.assert_close(loss, ((1 + tilt * (weights - 1)) * terms.data).sum() / 8)
