"""The VAE's closed forms against torch.distributions and Monte Carlo."""

from __future__ import annotations

import math

import pytest
import torch
from torch.distributions import Bernoulli, Independent, Normal, kl_divergence

from studio.models.catalog import model_spec
from studio.models.vae.config import Likelihood
from studio.models.vae.model import (
    Vae,
    bernoulli_negative_log_likelihood,
    gaussian_negative_log_likelihood,
    kl_to_standard_normal,
)
from tests.models.conftest import random_batch, small_model, stream

SHAPE = (1, 8, 8)


def test_that_the_kl_agrees_with_the_distributions() -> None:
    mean, log_variance = torch.randn(2, 5, 3, generator=stream(), dtype=torch.float64)
    q = Independent(Normal(mean, (log_variance / 2).exp()), 1)
    standard = Independent(Normal(torch.zeros_like(mean), torch.ones_like(mean)), 1)
    torch.testing.assert_close(kl_to_standard_normal(mean, log_variance), kl_divergence(q, standard))
    assert kl_to_standard_normal(torch.zeros(1, 3), torch.zeros(1, 3)).item() == 0


def test_that_the_kl_agrees_with_monte_carlo() -> None:
    """KL = ⟨log q(z) − log p(z)⟩_q within five standard errors."""
    mean, log_variance, draws = torch.tensor([0.7, -1.1]).double(), torch.tensor([-0.8, 0.4]).double(), 200_000
    q = Normal(mean, (log_variance / 2).exp())
    z = mean + q.scale * torch.randn(draws, 2, generator=stream(), dtype=torch.float64)
    difference = (q.log_prob(z) - Normal(0.0, 1.0).log_prob(z)).sum(1)
    error = difference.std() / math.sqrt(draws)
    assert abs(difference.mean() - kl_to_standard_normal(mean[None], log_variance[None])[0]) < 5 * error


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


@pytest.mark.parametrize("likelihood", Likelihood)
@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
def test_that_the_loss_is_reconstruction_plus_beta_times_kl(likelihood: Likelihood, beta: float) -> None:
    model = small_model(model_spec("vae"), SHAPE, likelihood=likelihood, beta=beta)
    assert isinstance(model, Vae)
    batch = random_batch(SHAPE, 3)
    terms = model.losses(model.phases()[0], batch, stream())
    assert terms.data is not None
    assert terms.model is None
    metrics = terms.example_metrics
    torch.testing.assert_close(terms.data.detach(), metrics["reconstruction"] + beta * metrics["kl"])
    torch.testing.assert_close(metrics["kl"], kl_to_standard_normal(*model.encode(batch.images)).detach())


@pytest.mark.parametrize("likelihood", Likelihood)
def test_that_samples_are_the_decoders_mean(likelihood: Likelihood) -> None:
    model = small_model(model_spec("vae"), SHAPE, likelihood=likelihood, latent_size=4).eval()
    assert isinstance(model, Vae)
    with torch.no_grad():
        output = model.autoencoder.decoder(torch.randn(3, 4, generator=stream(), dtype=torch.float64))
        expected = 2 * output.sigmoid() - 1 if likelihood is Likelihood.BERNOULLI else output.clamp(-1, 1)
        assert torch.equal(model.sample(3, stream()), expected)


def test_that_a_gaussian_vae_trains_its_width() -> None:
    model = small_model(model_spec("vae"), SHAPE, likelihood=Likelihood.GAUSSIAN)
    assert isinstance(model, Vae)
    terms = model.losses(model.phases()[0], random_batch(SHAPE, 3), stream())
    assert terms.data is not None
    terms.data.mean().backward()
    assert model.autoencoder.log_width.grad is not None
    assert model.autoencoder.log_width.grad != 0
