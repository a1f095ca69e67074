"""The autoencoder against principal component analysis, and its Gaussian of codes against weighted moments."""

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from studio.models.autoencoder.model import PlainAutoencoder
from studio.models.base import Batch
from studio.models.catalog import model_spec
from studio.models.diagnostic import Pictures
from studio.models.reduce import weighted_loss
from studio.models.views import Probe
from tests.models.conftest import random_batch, small_model, stream

PIXELS, KEPT = 6, 2


def autoencoder(shape: tuple[int, int, int], **settings: Any) -> PlainAutoencoder:
    model = small_model(model_spec("autoencoder"), shape, **settings)
    assert isinstance(model, PlainAutoencoder)
    return model.eval()


def minimise(model: PlainAutoencoder, batch: Batch, parameters: list[nn.Parameter]) -> None:
    """Along its slopes; by the codes the surprise has none, so that its value counts for the Gaussian alone."""
    rule = torch.optim.LBFGS(
        parameters, max_iter=100, tolerance_grad=1e-9, tolerance_change=0, line_search_fn="strong_wolfe"
    )
    of_gaussian = parameters[0] is model.autoencoder.gaussian.mean

    def loss() -> Tensor:
        rule.zero_grad()
        terms = model.losses(model.phases()[0], batch, stream())
        found = weighted_loss(terms, batch.weights, len(batch))
        found.backward()
        return found if of_gaussian else found - (batch.weights * terms.example_metrics["code_surprise"]).mean()

    rule.step(loss)


@pytest.fixture(scope="module")
def learned() -> tuple[PlainAutoencoder, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """A linear one trained on weighted vectors, and the weighted mean and covariance of these."""
    axes = torch.linalg.qr(torch.randn(PIXELS, PIXELS, generator=stream(5), dtype=torch.float64)).Q
    widths = torch.tensor([1, 0.8, 0.4, 0.3, 0.3, 0.3], dtype=torch.float64)
    images = 0.1 + torch.randn(300, PIXELS, generator=stream(), dtype=torch.float64) * widths @ axes
    weights = images[:, 1].exp()
    weights /= weights.mean()
    model = autoencoder((1, 1, PIXELS), latent_size=KEPT, linear=True)
    batch = Batch(images=images.view(-1, 1, 1, PIXELS), weights=weights, step=0)
    coder = model.autoencoder
    with torch.enable_grad():
        minimise(model, batch, [*coder.encoder.parameters(), *coder.decoder.parameters()])
        minimise(model, batch, list(coder.gaussian.parameters()))
    mean = np.average(images, axis=0, weights=weights)
    return model.requires_grad_(False), mean, np.cov(images.T, aweights=weights, ddof=0)


def test_that_a_linear_one_keeps_the_leading_eigenvectors_of_the_weighted_covariance(learned: Any) -> None:
    model, mean, covariance = learned
    leading = np.linalg.eigh(covariance)[1][:, -KEPT:]
    coder, decoder = model.autoencoder.encoder[1], model.autoencoder.decoder[0]
    np.testing.assert_allclose(decoder.weight @ coder.weight, leading @ leading.T, atol=1e-4)
    rebuilt = model.reconstruct(torch.from_numpy(mean).view(1, 1, 1, PIXELS), stream())
    np.testing.assert_allclose(rebuilt.flatten(), mean, atol=1e-5)


def test_that_its_samples_have_the_weighted_mean_and_the_leading_part_of_the_covariance(learned: Any) -> None:
    model, mean, covariance = learned
    widths, axes = np.linalg.eigh(covariance)
    leading = axes[:, -KEPT:]
    gaussian, decoder = model.autoencoder.gaussian, model.autoencoder.decoder[0]
    found = decoder.weight @ torch.linalg.inv(gaussian.factor())
    np.testing.assert_allclose(found @ found.T, leading * widths[-KEPT:] @ leading.T, atol=1e-4)
    np.testing.assert_allclose(decoder(gaussian.mean), mean, atol=1e-4)


def test_that_the_sweep_of_a_linear_one_names_the_standard_deviations_of_the_components(learned: Any) -> None:
    model, _, covariance = learned
    _, sweep = model.views.diagnostics(
        Probe(seen=random_batch((1, 1, PIXELS), 9).images, held_out=torch.empty(0)), stream()
    )
    assert isinstance(sweep, Pictures)
    widths = np.sqrt(np.linalg.eigvalsh(covariance)[::-1][:KEPT])
    assert sweep.rows == tuple(f"direction {i + 1}: standard deviation {width:.2f}" for i, width in enumerate(widths))


def test_that_the_gaussian_is_that_of_the_distributions_and_draws_what_it_says() -> None:
    gaussian = autoencoder((1, 3, 3), latent_size=3).autoencoder.gaussian
    for parameter in gaussian.parameters():
        nn.init.normal_(parameter, generator=stream(5))
    spread = torch.linalg.inv(gaussian.factor())
    exact = torch.distributions.MultivariateNormal(gaussian.mean, spread @ spread.T)
    latents = torch.randn(5, 3, generator=stream(), dtype=torch.float64)
    codes = gaussian.codes(latents)
    torch.testing.assert_close(codes, gaussian.mean + latents @ spread.T)
    torch.testing.assert_close(gaussian.log_density(codes), exact.log_prob(codes))


def test_that_fitting_the_gaussian_does_not_move_the_codes() -> None:
    model = autoencoder((1, 3, 3))
    data = model.losses(model.phases()[0], random_batch((1, 3, 3), 4), stream()).data
    error = (
        0.5
        * (
            model.autoencoder.decoder(model.autoencoder.encoder(random_batch((1, 3, 3), 4).images))
            - random_batch((1, 3, 3), 4).images
        )
        .square()
        .sum()
    )
    parameters = list(model.autoencoder.encoder.parameters())
    torch.testing.assert_close(torch.autograd.grad(data.sum(), parameters), torch.autograd.grad(error, parameters))


def test_that_what_is_exported_makes_the_samples() -> None:
    model = autoencoder((1, 3, 3), latent_size=3)
    nn.init.normal_(model.autoencoder.gaussian.below, generator=stream(5))
    exportable = model.views.exportable()
    latents = model.draw_latents(4, stream())
    torch.testing.assert_close(exportable.network(latents), model.decode(latents))
