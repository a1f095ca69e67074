"""An autoregressive model against enumeration of tiny images, and that no number sees what comes after it."""

from itertools import product
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from studio.models.autoregressive.model import Autoregressive
from studio.models.base import Batch
from studio.models.catalog import model_spec
from studio.models.config import Optimiser, OptimiserConfig
from studio.models.diagnostic import Pictures
from studio.models.plane import Field, Flow
from studio.models.reduce import weighted_loss
from studio.models.views import Probe
from studio.progress import Progress
from studio.response.parameters import Response, Trained
from tests.models.conftest import random_batch, small_model, stream

PLANE = (2, 1, 1)
TINY = (1, 2, 2)


def autoregressive(shape: tuple[int, int, int] = TINY, **settings: Any) -> Autoregressive:
    """One in which all depends on all that it may."""
    model = small_model(model_spec("autoregressive"), shape, **settings)
    assert isinstance(model, Autoregressive)
    for parameter in model.parameters():
        parameter.data += 0.3 * torch.randn(parameter.shape, generator=stream(5), dtype=parameter.dtype)
    return model.requires_grad_(False).eval()


def all_images(model: Autoregressive) -> Tensor:
    """Each image that it can make, in the order of its levels as digits."""
    pixels = model.latent_shape
    levels = torch.tensor(list(product(range(model.config.levels), repeat=pixels[0] * pixels[1] * pixels[2])))
    return model.images(model.values(levels.view(-1, pixels[1], pixels[0] * pixels[2])))


@pytest.mark.parametrize(("shape", "levels"), [(TINY, 2), (TINY, 3), ((3, 1, 2), 2)])
def test_that_the_probabilities_of_all_images_add_up_to_one(shape: tuple[int, int, int], levels: int) -> None:
    model = autoregressive(shape, levels=levels)
    probabilities = model.likelihood(all_images(model)).exp()
    assert float(probabilities.sum()) == pytest.approx(1)
    assert float(probabilities.max()) > 2 * float(probabilities.min())


def test_that_the_density_of_points_integrates_to_one() -> None:
    model = autoregressive(PLANE, levels=5)
    middles = (torch.arange(20, dtype=torch.float64) + 0.5) / 10 - 1
    points = torch.cartesian_prod(middles, middles).view(-1, *PLANE)
    assert float(model.likelihood(points).exp().sum() / 100) == pytest.approx(1)


@pytest.mark.parametrize("shape", [(1, 9, 12), (3, 3, 3), PLANE])
def test_that_each_number_sees_all_near_before_it_and_none_after_it(shape: tuple[int, int, int]) -> None:
    model = autoregressive(shape)
    values = model.grid(random_batch(shape, 1).images).requires_grad_()
    rows, columns = values.shape[1:]
    with torch.enable_grad():
        said = model.predictor(values)[0].sum(0)
        for row, column in product({0, 1, rows - 1}, {0, 1, columns // 2, columns - 1}):
            if row < rows and column < columns:
                (slope,) = torch.autograd.grad(
                    said[row, column], values, retain_graph=True, allow_unused=True, materialize_grads=True
                )
                seen = slope[0] != 0
                place = torch.arange(rows * columns).view(rows, columns)
                assert not seen[place >= place[row, column]].any()
                near = (place < place[row, column]) & ((torch.arange(columns) - column).abs() <= 3)
                assert seen[near & ((row - torch.arange(rows)) <= 3)[:, None]].all()


def test_that_samples_are_drawn_as_often_as_their_probability_says() -> None:
    """Each of 81 images within five standard errors over 3,000 samples."""
    model, count = autoregressive(levels=3), 3_000
    exact = model.likelihood(all_images(model)).exp()
    levels = model.levels(model.grid(model.sample(count, stream()))).flatten(1)
    found = torch.bincount(levels @ torch.tensor([27, 9, 3, 1]), minlength=81) / count
    assert ((found - exact).abs() < 5 * (exact * (1 - exact) / count).sqrt() + 1e-12).all()


@pytest.mark.parametrize("shape", [(1, 12, 14), (3, 3, 3), PLANE])
def test_that_drawing_part_by_part_draws_by_what_the_whole_network_says(shape: tuple[int, int, int]) -> None:
    """The distribution function up to each level that was drawn is the last that noise reaches."""
    model = autoregressive(shape)
    latents = model.draw_latents(3, stream())
    levels = model.levels(model.grid(model.decode(latents)))
    ends = model.predictor(model.values(levels)).softmax(1).cumsum(1)
    share = torch.special.ndtr(model.grid(latents))
    assert torch.equal((ends < share[:, None]).sum(1), levels)


def test_that_points_move_with_their_noise_within_a_cell() -> None:
    model = autoregressive(PLANE, levels=4)
    latents = torch.linspace(-2, 2, 50).double()[:, None, None, None].expand(50, *PLANE)
    first = model.decode(latents)[:, 0, 0, 0]
    assert (first.diff() > 0).all()


def test_that_completing_keeps_the_rows_given() -> None:
    model = autoregressive((1, 6, 6))
    images = random_batch((1, 6, 6), 3).images
    one, other = (model.completed(images, model.draw_latents(3, stream(seed)), 2) for seed in (1, 2))
    kept = model.images(model.values(model.levels(model.grid(images))))[:, :, :2]
    torch.testing.assert_close(model.images(model.values(model.levels(model.grid(one))))[:, :, :2], kept)
    assert not torch.equal(one[:, :, 2:], other[:, :, 2:])


def learned(data: Tensor, weights: Tensor) -> Tensor:
    """log q of all 16 images, trained on them so often each, shape (16,), under weights of mean 1."""
    model = small_model(model_spec("autoregressive"), TINY, levels=2, blocks=1)
    assert isinstance(model, Autoregressive)
    images = all_images(model)
    batch = Batch(images=images, weights=data * weights, step=0)
    rule = torch.optim.LBFGS(model.parameters(), max_iter=60, tolerance_change=0, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        rule.zero_grad()
        found = weighted_loss(model.losses(model.phases()[0], batch, stream()), batch.weights, 1.0)
        found.backward()
        return found

    with torch.enable_grad():
        rule.step(loss)
    return model.likelihood(images)


def test_that_the_log_probabilities_with_and_without_a_tilt_differ_by_it() -> None:
    """log q′(x) − log q(x) = −ΔH(x) − log Z for each of the 16 images of two levels, which it can fit at will."""
    data = torch.rand(16, generator=stream(), dtype=torch.float64) + 0.2
    data /= data.sum()
    energy = torch.randn(16, generator=stream(3), dtype=torch.float64)
    log_z = (data * (-energy).exp()).sum().log()
    difference = learned(data, (-energy - log_z).exp()) - learned(data, torch.ones(16).double())
    torch.testing.assert_close(difference, -energy - log_z, atol=1e-3, rtol=0)


@pytest.mark.slow
def test_that_one_that_can_be_anything_follows_a_tilt_as_its_data_do() -> None:
    """d⟨x⟩/ds = −Cov(x, ΔH) of the four pixels, by enumeration, within .05 of a grey level's range of 2."""
    model = autoregressive(levels=2, blocks=1)
    images = all_images(model)
    p = model.likelihood(images).exp()
    energy = torch.randn(16, generator=stream(6), dtype=torch.float64)
    long = Trained(optimiser=OptimiserConfig(kind=Optimiser.SGD), steps=10**12, size=32)
    with torch.enable_grad():
        response = Response(model, images, p, long)
        direction = response.to(energy, Progress())
        found = response.slopes(direction, energy, lambda drawn: drawn.flatten(1).double().numpy(), 4000)
    exact = -(p * (energy - p @ energy)) @ images.flatten(1)
    np.testing.assert_allclose(found.slope, exact.numpy(), atol=0.05)


def test_that_views_are_of_likelihoods_completions_and_the_density() -> None:
    model, shape = autoregressive((1, 6, 6)), (1, 6, 6)
    _, pictures = model.views.diagnostics(
        Probe(seen=random_batch(shape, 9).images, held_out=random_batch(shape, 3).images), stream()
    )
    assert isinstance(pictures, Pictures)
    assert pictures.images.shape == (4 * 8, 6, 6, 1)
    density, _, ways = autoregressive(PLANE).views.on_plane(
        random_batch(PLANE, 4).images, torch.zeros(4).long(), stream()
    )
    assert isinstance(density, Field)
    assert isinstance(ways, Flow)


def test_that_what_is_exported_holds_the_log_likelihood() -> None:
    model = autoregressive((3, 2, 2), levels=4)
    exportable = model.views.exportable()
    images = random_batch((3, 2, 2), 5).images
    found = exportable.network(images)
    assert found.shape == (5, 4, 3, 2, 2)
    levels = ((images + 1) / 2 * 3).round().long()
    torch.testing.assert_close(found.gather(1, levels[:, None]).sum((1, 2, 3, 4)), model.likelihood(images))
