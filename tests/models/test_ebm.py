"""The energy-based model: Langevin dynamics' closed form, its buffer, and what stops it."""

import math
from typing import Any

import pytest
import torch
from torch import Tensor

from studio.errors import UserError
from studio.models.base import Batch, Phase
from studio.models.catalog import model_spec
from studio.models.diagnostic import Histogram, Pictures
from studio.models.ebm.model import Ebm, Langevin
from studio.models.views import Probe
from studio.training.engine.averaging import WeightAverage
from tests.models.conftest import random_batch, small_model, stream
from tests.models.gaussian_line import SCALE, learned_line

SHAPE = (1, 8, 8)
PHASE = Phase(network="energy")


def ebm(**settings: Any) -> Ebm:
    model = small_model(model_spec("ebm"), SHAPE, **{"buffer_size": 40, "langevin_steps": 3, **settings})
    assert isinstance(model, Ebm)
    return model


@pytest.mark.parametrize("step", [0.02, 0.2, 0.5])
def test_that_a_quadratic_energy_has_the_variance_of_its_closed_form(step: float) -> None:
    """E = ½k·x²: variance (T/k)/(1 − s·k/2) with T = σ²/(2s), which is T/k up to O(s)."""
    k, noise, count = 2.0, 0.3, 4_000
    langevin = Langevin(step_size=step, noise=noise, bound=math.inf)

    def energy(x: Tensor) -> Tensor:
        return 0.5 * k * x.square().flatten(1).sum(1)

    start = torch.zeros(count, 1, 2, 2, dtype=torch.float64)
    x = langevin.run(energy, start, math.ceil(4 / (step * k)), stream()).flatten()
    expected = noise**2 / (2 * step) / k / (1 - step * k / 2)
    assert x.var().item() / expected == pytest.approx(1, abs=5 * math.sqrt(2 / len(x)))


def test_that_steep_slopes_are_followed_no_further_than_the_limit() -> None:
    langevin = Langevin(step_size=1.0, noise=0.0, slope_limit=0.1)
    start = torch.full((3, 1, 2, 2), 0.5, dtype=torch.float64)
    moved = langevin.run(lambda x: 100 * x.flatten(1).sum(1), start, 2, stream())
    torch.testing.assert_close(moved, start - 0.2)


def test_that_losses_are_energies_and_their_squares() -> None:
    model = ebm(data_noise=0.0, energy_penalty=0.3, slope_limit=0.01)
    batch = random_batch(SHAPE, 5)
    terms = model.losses(PHASE, batch, stream())
    energy = model.energy(batch.images)
    assert terms.data is not None
    torch.testing.assert_close(terms.data, energy + 0.3 * energy.square())


def test_that_samples_go_back_to_the_buffer_and_some_start_from_noise() -> None:
    model = ebm(buffer_size=1_000, restart_rate=0.25, step_size=1e-9, noise=1e-9)
    before = model.buffer.clone()
    rng = stream()
    model.losses(PHASE, random_batch(SHAPE, 400), rng)
    changed = (model.buffer - before).abs().flatten(1).amax(1) > 0.01
    assert 60 < int(changed.sum()) < 140
    terms = model.losses(PHASE, random_batch(SHAPE, 4), rng)
    assert terms.model is not None


def test_that_the_buffer_is_copied_where_weights_are_averaged() -> None:
    model = ebm()
    average = WeightAverage(model, 0.9)
    model.losses(PHASE, random_batch(SHAPE, 4), stream())
    average.update()
    assert torch.equal(average.model.get_buffer("buffer"), model.buffer)


def test_that_sampling_leaves_the_buffer_alone() -> None:
    model = ebm()
    before = model.buffer.clone()
    with torch.no_grad():
        assert model.sample(50, stream()).shape == (50, *SHAPE)
    assert torch.equal(before, model.buffer)


@pytest.mark.parametrize("factor", [1e6, math.nan])
def test_that_energies_out_of_bounds_stop_the_training(factor: float) -> None:
    model = ebm()
    with torch.no_grad():
        for parameter in model.energy.parameters():
            parameter.mul_(factor)
    with pytest.raises(UserError, match="Langevin training has diverged"):
        model.losses(PHASE, random_batch(SHAPE, 4), stream())
    later = random_batch(SHAPE, 4)
    model.losses(PHASE, Batch(images=later.images, weights=later.weights, step=1), stream())  # looks now and then only


def test_that_it_shows_where_samples_come_from_and_their_energies() -> None:
    model = ebm().eval()
    images = random_batch(SHAPE, 30).images
    with torch.no_grad():
        origins, energies = model.views.diagnostics(Probe(seen=images[:20], held_out=images[20:]), stream())
    assert isinstance(origins, Pictures)
    assert origins.images.shape == (48, 8, 8, 1)
    assert len(origins.rows) * origins.columns == len(origins.images)
    assert isinstance(energies, Histogram)
    assert set(energies.series) == {"trained on", "held out", "buffer", "fresh noise"}


@pytest.mark.slow
def test_that_a_tilted_line_is_learned() -> None:
    """N(−1, 1) within 0.12 of the mean and 0.2 of the variance: σ = √(2s) samples exp(−E) itself."""
    step = 0.1 / SCALE**2
    config = model_spec("ebm").config.model_validate(
        {
            "width": 8,
            "step_size": step,
            "noise": math.sqrt(2 * step),
            "data_noise": 0.0,
            "slope_limit": 0.0,
            "energy_penalty": 0.001,
            "buffer_size": 2_000,
            "restart_rate": 0.0,
            "energy_optimiser": {"learning_rate": 2e-3, "beta1": 0.0, "half_after": 500},
        }
    )
    x = learned_line(config, steps=1_500, count=10_000)
    assert abs(x.mean().item() + 1) < 0.12
    assert abs(x.var().item() - 1) < 0.2
