"""The hierarchical VAE against a linear Gaussian chain, whose evidence and posterior are known."""

import math

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import MultivariateNormal

from studio.models.base import Batch
from studio.models.catalog import model_spec
from studio.models.config import Likelihood
from studio.models.diagnostic import Pictures
from studio.models.gaussians import kl_to_standard_normal
from studio.models.hierarchical_vae.model import ConditionalNormal, HierarchicalVae
from studio.models.hierarchical_vae.views import HierarchicalVaeViews
from studio.models.likelihoods import GaussianPixels
from studio.models.views import Probe
from tests.models.conftest import random_batch, small_model, stream

WIDTH, BETWEEN = 0.5, 0.7


def linear(matrix: Tensor, variance: Tensor) -> nn.Module:
    """c → (A·c, log σ²)."""
    layer = nn.Linear(matrix.shape[1], 2 * len(matrix)).double()
    with torch.no_grad():
        layer.weight.copy_(torch.cat((matrix, torch.zeros_like(matrix))))
        layer.bias.copy_(torch.cat((torch.zeros(len(matrix)).double(), variance.log())))
    return layer


def linear_chain(*, slack: float) -> tuple[HierarchicalVae, Tensor, Tensor]:
    """z_2 ~ N(0, 1), z_1 = a·z_2 + 0.7·ε, x = b·z_1 + 0.5·ε, three pixels, one number per code.

    With `slack` = 1 the encoder is the exact posterior, which is Markovian upwards; else its widths are off by that.

    Returns:
        the model, images drawn from it, and log p(x) of each.
    """
    model = small_model(
        model_spec("hierarchical_vae"), (1, 1, 3), latent_size=1, layers=2, width=4, likelihood=Likelihood.GAUSSIAN
    )
    assert isinstance(model, HierarchicalVae)
    a, b = 0.9, torch.tensor([[0.8], [-0.5], [1.1]], dtype=torch.float64)
    spread = a**2 + BETWEEN**2
    precision = 1 / spread + (b.T @ b) / WIDTH**2
    above = 1 / (1 + a**2 / BETWEEN**2)
    ladder = model.autoencoder
    bottom = nn.Sequential(nn.Flatten(), linear(b.T / WIDTH**2 / precision, slack / precision.flatten()))
    top = linear(torch.tensor([[above * a / BETWEEN**2]]).double(), torch.tensor([slack * above]).double())
    ladder.up = nn.ModuleList((ConditionalNormal(bottom), ConditionalNormal(top)))
    down = linear(torch.tensor([[a]]).double(), torch.tensor([BETWEEN**2]).double())
    ladder.down = nn.ModuleList((ConditionalNormal(down),))
    pixels = nn.Linear(1, 3, bias=False).double()
    nn.init.zeros_(pixels.weight).data.add_(b)
    ladder.decoder = nn.Sequential(pixels, nn.Unflatten(1, (1, 1, 3)))
    assert isinstance(ladder.likelihood, GaussianPixels)
    nn.init.constant_(ladder.likelihood.log_width, math.log(WIDTH))
    evidence = MultivariateNormal(torch.zeros(3).double(), spread * b @ b.T + WIDTH**2 * torch.eye(3).double())
    codes = (spread**0.5) * torch.randn(300, 1, generator=stream(4), dtype=torch.float64)
    images = codes @ b.T + WIDTH * torch.randn(300, 3, generator=stream(5), dtype=torch.float64)
    return model, images.reshape(300, 1, 1, 3), evidence.log_prob(images)


def test_that_the_exact_posterior_gives_the_exact_evidence_with_any_code() -> None:
    model, images, exact = linear_chain(slack=1.0)
    torch.testing.assert_close(model.log_ratio(images, stream()).detach(), exact)
    torch.testing.assert_close(model.importance_weighted_log_likelihood(images, 3, stream()), exact)


@pytest.mark.slow
def test_that_the_elbo_falls_short_of_the_evidence_by_the_posteriors_kl() -> None:
    """Widths off by c cost ½·(c − 1 − log c) nats per layer, within five standard errors; more samples regain them."""
    slack, repeats = 2.5, 200
    model, images, exact = linear_chain(slack=slack)
    many = images.repeat(repeats, 1, 1, 1)
    batch = Batch(images=many, weights=torch.ones(len(many)).double(), step=0)
    terms = model.losses(model.phases()[0], batch, stream())
    gaps = terms.data.detach() + exact.repeat(repeats)
    expected = 2 * 0.5 * (slack - 1 - math.log(slack))
    assert abs(gaps.mean() - expected) < 5 * gaps.std() / math.sqrt(len(gaps))
    bound = model.importance_weighted_log_likelihood(images, 5_000, stream())
    torch.testing.assert_close(bound, exact, atol=0.15, rtol=0)
    assert abs((bound - exact).mean()) < 0.01


@pytest.mark.parametrize("layers", [2, 3, 5])
@pytest.mark.parametrize("beta", [0.0, 1.0, 3.0])
def test_that_the_loss_is_reconstruction_plus_beta_times_the_layers_kl(layers: int, beta: float) -> None:
    model = small_model(model_spec("hierarchical_vae"), (1, 8, 8), layers=layers, beta=beta)
    terms = model.losses(model.phases()[0], random_batch((1, 8, 8), 3), stream())
    assert terms.model is None
    metrics = terms.example_metrics
    assert set(metrics) == {"reconstruction", *(f"kl_{layer}" for layer in range(1, layers + 1))}
    kl = torch.stack([metrics[f"kl_{layer}"] for layer in range(1, layers + 1)]).sum(0)
    torch.testing.assert_close(terms.data.detach(), metrics["reconstruction"] + beta * kl)


def test_that_the_chain_is_markovian() -> None:
    """A code depends on its neighbour alone, and codes halve upwards."""
    model = small_model(model_spec("hierarchical_vae"), (1, 8, 8), layers=3, latent_size=8)
    assert isinstance(model, HierarchicalVae)
    climb = model.encode(random_batch((1, 8, 8), 4).images, stream())
    assert [code.shape for code in climb.codes] == [(4, 8), (4, 4), (4, 2)]
    for step, below, posterior in zip(model.autoencoder.up[1:], climb.codes, climb.posteriors[1:], strict=False):
        torch.testing.assert_close(step(below), posterior)
    torch.testing.assert_close(model.layer_kl(climb)[-1], kl_to_standard_normal(*climb.posteriors[-1]).sum(1))


def test_that_the_decoder_and_samples_follow_the_chain_downwards() -> None:
    """Codes z_1 of fresh samples of the linear chain have the variance of its prior, within five standard errors."""
    model, _, _ = linear_chain(slack=1.0)
    with torch.no_grad():
        codes = HierarchicalVaeViews(model)._descend(
            torch.randn(50_000, 1, generator=stream(), dtype=torch.float64), stream(8)
        )
    variance = 0.9**2 + BETWEEN**2
    assert abs(codes.var() - variance) < 5 * variance * math.sqrt(2 / 50_000)


def test_that_diagnostics_show_what_the_topmost_code_decides() -> None:
    model = small_model(model_spec("hierarchical_vae"), (1, 8, 8)).eval()
    probe = Probe(seen=random_batch((1, 8, 8), 30).images, held_out=torch.zeros(0, 1, 8, 8).double())
    with torch.no_grad():
        found = {diagnostic.name: diagnostic for diagnostic in model.views.diagnostics(probe, stream())}
    assert set(found) == {"reconstructions", "log_likelihood", "top_code"}
    pictures = found["top_code"]
    assert isinstance(pictures, Pictures)
    assert pictures.images.shape == (6 * 8, 8, 8, 1)
