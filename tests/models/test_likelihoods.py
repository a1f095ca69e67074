"""What a decoder says of pixels: against torch.distributions, and that probabilities add up."""

import math

import pytest
import torch
from torch.distributions import Bernoulli, Normal

from studio.models.config import Likelihood
from studio.models.likelihoods import (
    GaussianPixels,
    LogisticPixels,
    bernoulli_negative_log_likelihood,
    discretised_logistic_negative_log_likelihood,
    gaussian_negative_log_likelihood,
    pixel_likelihood,
)
from tests.models.conftest import random_batch, stream

SHAPE = (1, 8, 8)
LEVELS = torch.arange(256, dtype=torch.float64) / 127.5 - 1


def test_that_the_bernoulli_likelihood_agrees_with_the_distribution() -> None:
    images = random_batch(SHAPE, 4).images
    logits = 3 * torch.randn(images.shape, generator=stream(), dtype=torch.float64)
    expected = -Bernoulli(logits=logits, validate_args=False).log_prob((images + 1) / 2).sum((1, 2, 3))
    torch.testing.assert_close(bernoulli_negative_log_likelihood(logits, images), expected)


def test_that_the_gaussian_likelihood_agrees_with_the_distribution() -> None:
    images = random_batch(SHAPE, 4).images
    mean, log_width = random_batch(SHAPE, 4, seed=8).images, torch.tensor(-1.3).double()
    expected = -Normal(mean, log_width.exp()).log_prob(images).sum((1, 2, 3))
    torch.testing.assert_close(gaussian_negative_log_likelihood(mean, log_width, images), expected)


def test_that_the_gaussians_width_stops_at_a_grey_level() -> None:
    images = random_batch(SHAPE, 4).images
    narrow, narrower = (
        gaussian_negative_log_likelihood(images, torch.tensor(width).double(), images) for width in (-6.0, -60.0)
    )
    assert torch.equal(narrow, narrower)


@pytest.mark.parametrize("log_width", [-9.0, -6.0, -3.0, 0.0, 3.0])
@pytest.mark.parametrize("centre", [-3.0, -1.0, -0.31, 0.0, 0.999, 1.5])
def test_that_the_discretised_logistics_256_levels_add_up_to_one(centre: float, log_width: float) -> None:
    images = LEVELS.reshape(256, 1, 1, 1)
    nats = discretised_logistic_negative_log_likelihood(
        torch.full_like(images, centre), torch.tensor(log_width).double(), images
    )
    assert nats.isfinite().all()
    assert (-nats).exp().sum().item() == pytest.approx(1, abs=1e-12)


def test_that_the_discretised_logistic_is_a_difference_of_logistic_functions() -> None:
    images = LEVELS[[1, 20, 127, 254]].reshape(1, 1, 2, 2)
    centre, log_width = torch.tensor([-0.9, -0.7, 0.1, 0.8]).double().reshape(1, 1, 2, 2), torch.tensor(-2.5).double()
    above, below = (((images - centre + side / 255) / log_width.exp()).sigmoid() for side in (1, -1))
    expected = -(above - below).log().sum((1, 2, 3))
    torch.testing.assert_close(discretised_logistic_negative_log_likelihood(centre, log_width, images), expected)


def test_that_a_far_off_discretised_logistic_keeps_a_slope() -> None:
    centre = torch.full((1, 1, 1, 1), 400.0, requires_grad=True)
    nats = discretised_logistic_negative_log_likelihood(centre, torch.tensor(-4.0), torch.zeros(1, 1, 1, 1))
    nats.sum().backward()
    assert nats.isfinite().all()
    assert centre.grad.item() == pytest.approx(math.exp(4.0), rel=1e-4)


@pytest.mark.parametrize("kind", Likelihood)
def test_that_drawn_pixels_have_the_mean(kind: Likelihood) -> None:
    """Within five standard errors, where nothing is cut off."""
    likelihood = pixel_likelihood(kind).double()
    if isinstance(likelihood, GaussianPixels | LogisticPixels):
        torch.nn.init.constant_(likelihood.log_width, -4.0)
    output = torch.tensor([-0.4, 0.1, 0.5]).double().reshape(3, 1, 1, 1).expand(3, 1, 100, 100)
    drawn = likelihood.draw(output, stream()).detach()
    error = drawn.std((1, 2, 3)) / 100
    assert ((drawn.mean((1, 2, 3)) - likelihood.mean(output).mean((1, 2, 3))).abs() < 5 * error + 1e-9).all()
    assert drawn.abs().max() <= 1
    assert drawn.std((1, 2, 3)).min() > 0.01
