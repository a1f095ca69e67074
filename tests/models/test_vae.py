"""The VAE's closed forms against torch.distributions and Monte Carlo."""

import math
from typing import Any

import pytest
import torch
from torch import nn
from torch.distributions import Independent, MultivariateNormal, Normal, kl_divergence

from studio.models.base import Batch
from studio.models.catalog import model_spec
from studio.models.config import Likelihood
from studio.models.diagnostic import Histogram, Pictures
from studio.models.gaussians import kl_to_standard_normal
from studio.models.likelihoods import GaussianPixels
from studio.models.vae.model import Vae
from studio.models.views import Probe, to_pixels
from tests.models.conftest import random_batch, small_model, stream

SHAPE = (1, 8, 8)


def test_that_the_kl_agrees_with_the_distributions() -> None:
    mean, log_variance = torch.randn(2, 5, 3, generator=stream(), dtype=torch.float64)
    q = Independent(Normal(mean, (log_variance / 2).exp()), 1)
    standard = Independent(Normal(torch.zeros_like(mean), torch.ones_like(mean)), 1)
    torch.testing.assert_close(kl_to_standard_normal(mean, log_variance).sum(1), kl_divergence(q, standard))
    assert not kl_to_standard_normal(torch.zeros(1, 3), torch.zeros(1, 3)).any()


def test_that_the_kl_agrees_with_monte_carlo() -> None:
    """KL = ⟨log q(z) − log p(z)⟩_q within five standard errors."""
    mean, log_variance, draws = torch.tensor([0.7, -1.1]).double(), torch.tensor([-0.8, 0.4]).double(), 200_000
    q = Normal(mean, (log_variance / 2).exp())
    z = mean + q.scale * torch.randn(draws, 2, generator=stream(), dtype=torch.float64)
    difference = (q.log_prob(z) - Normal(0.0, 1.0).log_prob(z)).sum(1)
    error = difference.std() / math.sqrt(draws)
    assert abs(difference.mean() - kl_to_standard_normal(mean, log_variance).sum()) < 5 * error


@pytest.mark.parametrize("likelihood", Likelihood)
@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
def test_that_the_loss_is_reconstruction_plus_beta_times_kl(likelihood: Likelihood, beta: float) -> None:
    model = small_model(model_spec("vae"), SHAPE, likelihood=likelihood, beta=beta)
    assert isinstance(model, Vae)
    batch = random_batch(SHAPE, 3)
    terms = model.losses(model.phases()[0], batch, stream())
    assert terms.model is None
    metrics = terms.example_metrics
    torch.testing.assert_close(terms.data.detach(), metrics["reconstruction"] + beta * metrics["kl"])
    torch.testing.assert_close(metrics["kl"], kl_to_standard_normal(*model.encode(batch.images)).sum(1).detach())


@pytest.mark.parametrize("likelihood", Likelihood)
def test_that_samples_are_the_decoders_mean(likelihood: Likelihood) -> None:
    model = small_model(model_spec("vae"), SHAPE, likelihood=likelihood, latent_size=4).eval()
    assert isinstance(model, Vae)
    with torch.no_grad():
        output = model.autoencoder.decoder(torch.randn(3, 4, generator=stream(), dtype=torch.float64))
        expected = 2 * output.sigmoid() - 1 if likelihood is Likelihood.BERNOULLI else output.clamp(-1, 1)
        assert torch.equal(model.sample(3, stream()), expected)


@pytest.mark.parametrize("likelihood", [Likelihood.GAUSSIAN, Likelihood.DISCRETISED_LOGISTIC])
def test_that_a_learned_width_is_trained(likelihood: Likelihood) -> None:
    model = small_model(model_spec("vae"), SHAPE, likelihood=likelihood)
    assert isinstance(model, Vae)
    terms = model.losses(model.phases()[0], random_batch(SHAPE, 3), stream())
    (slope,) = torch.autograd.grad(terms.data.mean(), list(model.autoencoder.likelihood.parameters()))
    assert slope != 0


def linear_vae(*, exact: bool = False, **settings: Any) -> tuple[Vae, torch.Tensor, torch.Tensor]:
    """x = A·z + σ·ε with a linear encoder close to p(z|x), or exact; the model, images and their exact log p(x)."""
    model = small_model(
        model_spec("vae"), (1, 1, 4), latent_size=2, likelihood=Likelihood.GAUSSIAN, architecture="mlp", **settings
    )
    assert isinstance(model, Vae)
    weights, width = torch.randn(4, 2, generator=stream(5), dtype=torch.float64), 0.6
    if exact:  # at right angles, so that numbers of the code are independent given x
        weights = torch.linalg.qr(weights).Q * torch.tensor([1.5, 0.7])
    nearness, spread = (1.0, 1.0) if exact else (0.9, 1.2)
    covariance = torch.linalg.inv(torch.eye(2).double() + weights.T @ weights / width**2)
    decoder, encoder = nn.Linear(2, 4).double(), nn.Linear(4, 4).double()
    with torch.no_grad():
        decoder.weight.copy_(weights)
        decoder.bias.zero_()
        encoder.weight.copy_(torch.cat((nearness * covariance @ weights.T / width**2, torch.zeros(2, 4))))
        encoder.bias.copy_(torch.cat((torch.zeros(2), (spread * covariance.diagonal()).log())))
    model.autoencoder.decoder = nn.Sequential(decoder, nn.Unflatten(1, (1, 1, 4)))
    model.autoencoder.encoder = nn.Sequential(nn.Flatten(), encoder)
    assert isinstance(model.autoencoder.likelihood, GaussianPixels)
    nn.init.constant_(model.autoencoder.likelihood.log_width, math.log(width))
    evidence = MultivariateNormal(torch.zeros(4).double(), weights @ weights.T + width**2 * torch.eye(4).double())
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        images = evidence.sample((40,)).reshape(40, 1, 1, 4)
    return model, images, evidence.log_prob(images.flatten(1))


def bound(model: Vae, images: torch.Tensor) -> torch.Tensor:
    """What losses take for log p(x), each (B,)."""
    batch = Batch(images=images, weights=torch.ones(len(images)).double(), step=0)
    data = model.losses(model.phases()[0], batch, stream()).data
    return -data.detach()


@pytest.mark.parametrize("count", [2, 5])
def test_that_of_the_exact_posterior_any_number_of_codes_gives_the_exact_evidence(count: int) -> None:
    model, images, exact = linear_vae(exact=True, importance_samples=count)
    torch.testing.assert_close(bound(model, images), exact)


def test_that_the_trained_bound_grows_with_the_codes_towards_the_exact_evidence() -> None:
    found = []
    for count in (1, 3, 10):
        model, images, exact = linear_vae(importance_samples=count)
        found.append(float((exact - bound(model, images.repeat(100, 1, 1, 1)).view(100, 40).mean(0)).mean()))
    assert found[0] > 1.5 * found[1] > 3 * found[2] > 0
    assert found[2] < 0.02


def test_that_among_several_codes_an_example_still_has_a_loss_of_its_own() -> None:
    model, images, _ = linear_vae(importance_samples=3)
    others = torch.cat((images[:1], images[2:3], -images[2:]))
    torch.testing.assert_close(bound(model, images)[0], bound(model, others)[0])


def test_that_what_is_fitted_has_the_slope_of_the_bound() -> None:
    model, images, _ = linear_vae(importance_samples=3)
    batch = Batch(images=images, weights=torch.ones(40).double(), step=0)
    said = model.say(images, stream())
    data = model.losses(model.phases()[0], batch, stream()).data
    assert data is not None
    slopes = [torch.autograd.grad(each.mean(), list(model.parameters())) for each in (data, said.loss(said.outputs))]
    torch.testing.assert_close(*slopes)


@pytest.mark.slow
def test_that_the_importance_weighted_bound_lies_between_the_elbo_and_the_exact_evidence() -> None:
    """⟨bound⟩ grows with K towards log p(x); with K = 1 it is the ELBO, with K = 20 000 log p(x) to 0.01 nats."""
    model, images, exact = linear_vae()
    rng = stream()
    batch = Batch(images=images.repeat(500, 1, 1, 1), weights=torch.ones(20_000).double(), step=0)
    terms = model.losses(model.phases()[0], batch, rng)
    elbo = -terms.data.detach().reshape(500, 40).mean(0)
    means = [elbo.mean()]
    for samples, repeats in ((1, 500), (5, 200), (50, 50), (20_000, 1)):
        bound = model.importance_weighted_log_likelihood(images.repeat(repeats, 1, 1, 1), samples, rng)
        means.append(bound.mean())
        if samples == 1:
            assert means[1] == pytest.approx(means[0].item(), abs=0.05)
    assert means[1] < means[2] < means[3] < means[4] + 0.01
    torch.testing.assert_close(bound, exact, atol=0.05, rtol=0)
    assert means[-1] == pytest.approx(exact.mean().item(), abs=0.01)
    assert elbo.mean() < exact.mean() - 0.05


def test_that_diagnostics_show_reconstructions_a_sweep_and_likelihoods() -> None:
    model = small_model(model_spec("vae"), SHAPE, latent_size=4).eval()
    probe = Probe(seen=random_batch(SHAPE, 20).images, held_out=random_batch(SHAPE, 9, seed=5).images)
    with torch.no_grad():
        found = {diagnostic.name: diagnostic for diagnostic in model.views.diagnostics(probe, stream())}
    reconstructions, sweep, likelihood = (found[n] for n in ("reconstructions", "latent_sweep", "log_likelihood"))
    assert isinstance(reconstructions, Pictures)
    assert reconstructions.images.shape == (32, 8, 8, 1)
    assert len(reconstructions.rows) == 4
    assert (reconstructions.images[:8] == to_pixels(probe.seen[::2][:8])).all()
    assert isinstance(sweep, Pictures)
    assert sweep.images.shape == (4 * sweep.columns, 8, 8, 1)
    assert isinstance(likelihood, Histogram)
    assert {name: len(values) for name, values in likelihood.series.items()} == {"training": 20, "held-out": 9}
    without = model.views.diagnostics(Probe(seen=probe.seen[:3], held_out=probe.held_out[:0]), stream())
    assert isinstance(without[0], Pictures)
    assert without[0].columns == 3


def test_that_pixels_are_drawn_where_asked() -> None:
    model = small_model(model_spec("vae"), SHAPE, draw_pixels=True).eval()
    with torch.no_grad():
        assert set(model.sample(3, stream()).unique().tolist()) == {-1.0, 1.0}
