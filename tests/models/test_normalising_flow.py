"""A normalising flow: its inverse, its volume against automatic differentiation, and that it learns log p′ − log p."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from studio.eager import take_step
from studio.models.catalog import model_spec
from studio.models.diagnostic import Histogram
from studio.models.normalising_flow.config import NormalisingFlowConfig
from studio.models.normalising_flow.model import NormalisingFlow
from studio.models.plane import Field, Flow, Net
from studio.models.views import Probe
from tests.models.conftest import random_batch, small_model, stream
from tests.models.gaussian_line import learned_line

PLANE = (2, 1, 1)


def normalising_flow(shape: tuple[int, int, int] = PLANE, **settings: Any) -> NormalisingFlow:
    """One that is no identity."""
    model = small_model(model_spec("normalising_flow"), shape, **settings)
    assert isinstance(model, NormalisingFlow)
    for parameter in model.parameters():
        parameter.data += 0.1 * torch.randn(parameter.shape, generator=stream(5), dtype=parameter.dtype)
    return model.eval()


@pytest.mark.parametrize("shape", [PLANE, (1, 1, 1), (1, 3, 3)])
def test_that_a_sample_is_taken_back_to_its_noise(shape: tuple[int, int, int]) -> None:
    model = normalising_flow(shape)
    noise = model.draw_latents(20, stream())
    found, _ = model.flow(model.way(noise)[-1].flatten(1))
    torch.testing.assert_close(found, noise)


@pytest.mark.parametrize("shape", [PLANE, (1, 1, 1), (1, 3, 3)])
def test_that_the_log_likelihood_is_the_noises_and_the_volume_of_the_map(shape: tuple[int, int, int]) -> None:
    model = normalising_flow(shape)
    images = random_batch(shape, 4).images
    pixels = math.prod(shape)
    for image, likelihood in zip(images, model.likelihood(images)[0], strict=True):
        slopes = torch.autograd.functional.jacobian(lambda x: model.flow(x.reshape(1, -1))[0], image)
        noise = model.flow(image.reshape(1, -1))[0]
        expected = torch.distributions.Normal(0, 1).log_prob(noise).sum()
        expected = expected + slopes.reshape(pixels, pixels).det().abs().log()
        torch.testing.assert_close(likelihood, expected)


def test_that_every_number_of_an_image_can_move_within_two_layers() -> None:
    model = normalising_flow((1, 3, 3), layers=2)
    image = random_batch((1, 3, 3), 1).images
    moved = (model.flow(image.flatten(1))[0] - (image.flatten(1) - model.flow.mean) * model.flow.log_scale.exp()).abs()
    assert (moved > 0).all()


def test_that_pixels_are_spread_out_and_points_are_not() -> None:
    images = random_batch((1, 3, 3), 8).images
    noised = normalising_flow((1, 3, 3), noise=0.1).noised(images, stream())
    assert 0.05 < (noised - images).abs().max() <= 0.1
    points = random_batch(PLANE, 8).images
    torch.testing.assert_close(normalising_flow().noised(points, stream()), points)


def test_that_views_are_of_the_density_the_net_and_the_ways() -> None:
    model = normalising_flow()
    points = random_batch(PLANE, 16).images
    density, net, ways = model.views.on_plane(points, torch.zeros(len(points)).long(), stream())
    assert isinstance(density, Field)
    assert isinstance(net, Net)
    assert isinstance(ways, Flow)
    assert ways.knots.shape == (32, 10, 2)
    (histogram,) = model.views.diagnostics(Probe(seen=points, held_out=points[:4]), stream())
    assert isinstance(histogram, Histogram)
    assert {title: len(values) for title, values in histogram.series.items()} == {"training": 16, "held-out": 4}


@pytest.mark.slow
def test_that_a_tilted_line_is_learned() -> None:
    """N(0, 1) under ΔH = x becomes N(−1, 1): mean and standard deviation within .03."""
    samples = learned_line(NormalisingFlowConfig(), steps=3000)
    assert samples.mean().item() == pytest.approx(-1, abs=0.03)
    assert samples.std().item() == pytest.approx(1, abs=0.03)


def learned_plane(weights: Tensor, points: Tensor) -> NormalisingFlow:
    """A flow trained on all points (n, 2, 1, 1) at once, under weights (n,) of mean 1."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = NormalisingFlow(NormalisingFlowConfig(width=4), PLANE)
    optimiser = torch.optim.Adam(model.parameters(), lr=5e-3)
    for _ in range(300):
        optimiser.zero_grad()
        (-weights * model.likelihood(points)[0]).mean().backward()
        take_step(optimiser)
    return model


@pytest.mark.slow
@torch.enable_grad()
def test_that_the_log_densities_with_and_without_a_tilt_differ_by_it() -> None:
    """log q′(x) − log q(x) = −ΔH(x) − log Z where the data lie, within .1 nats on average; ΔH spans four."""
    points = 0.4 * torch.randn(2000, *PLANE, generator=stream())
    energy = points[:, 1, 0, 0] + torch.sin(4 * points[:, 0, 0, 0])
    weights = (-energy).exp()
    log_z = weights.mean().log()
    plain, tilted = learned_plane(torch.ones(2000), points), learned_plane(weights / weights.mean(), points)
    with torch.no_grad():
        found = tilted.likelihood(points)[0] - plain.likelihood(points)[0]
    assert float((found + energy + log_z).abs().mean()) < 0.1
