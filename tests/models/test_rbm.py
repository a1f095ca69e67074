"""The two restricted Boltzmann machines as models: losses, chains, memory, what they show."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from studio.models.base import Phase
from studio.models.boltzmann.gibbs import gibbs
from studio.models.boltzmann.model import BoltzmannModel
from studio.models.catalog import model_spec
from studio.models.diagnostic import Histogram, Pictures
from studio.models.reduce import weighted_loss
from studio.models.views import Probe
from studio.training.engine.averaging import WeightAverage
from tests.models.conftest import random_batch, small_model, stream
from tests.models.gaussian_line import SCALE, learned_line

SHAPE = (1, 8, 8)
PHASE = Phase(network="machine")

both = pytest.mark.parametrize("kind", ["rbm", "gaussian_rbm"])


def boltzmann(kind: str, **settings: Any) -> BoltzmannModel:
    model = small_model(model_spec(kind), SHAPE, **{"hidden_units": 10, "chains": 20, **settings})
    assert isinstance(model, BoltzmannModel)
    return model


def test_that_contrastive_divergence_has_the_textbook_gradient() -> None:
    """−∂L/∂W = ⟨w·v·p(h|v)ᵀ⟩_data − ⟨w·v·p(h|v)ᵀ⟩_recon, both by the example's w; the biases' likewise."""
    model = boltzmann("rbm", negative_phase="cd", gibbs_steps=3, binarisation="threshold")
    w = torch.tensor([1.0, 3.0, 0.2, 1.7]).double()
    batch = random_batch(SHAPE, 4, weights=w)
    loss = weighted_loss(model.losses(PHASE, batch, stream()), w, 4.0)
    slopes = torch.autograd.grad(loss, [model.machine.weight, model.machine.visible_bias, model.machine.hidden_bias])
    data = model.visible_values(batch.images, stream())
    recon = gibbs(model.machine, data, 3, stream())
    with torch.no_grad():
        hidden, again = (model.machine.hidden_input(v).sigmoid() for v in (data, recon))
    torch.testing.assert_close(-slopes[0], ((w[:, None] * data).T @ hidden - (w[:, None] * recon).T @ again) / 4)
    torch.testing.assert_close(-slopes[1], w @ (data - recon) / 4)
    torch.testing.assert_close(-slopes[2], w @ (hidden - again) / 4)


@both
def test_that_persistent_chains_are_the_model_term_and_carry_no_weight(kind: str) -> None:
    model = boltzmann(kind)
    before = model.chains.clone()
    terms = model.losses(PHASE, random_batch(SHAPE, 4), stream())
    assert terms.model is not None
    assert not torch.equal(before, model.chains)
    torch.testing.assert_close(terms.model, -model.machine.free_energy(model.chains[0]).mean())


@both
def test_that_metrics_that_nobody_looks_at_are_left_out_and_nothing_else_is(kind: str) -> None:
    seen, unseen, batch = boltzmann(kind), boltzmann(kind), random_batch(SHAPE, 4)
    terms = seen.losses(PHASE, batch, stream())
    fewer = unseen.losses(PHASE, replace(batch, measured=False), stream())
    assert {*terms.metrics, *terms.example_metrics} == {"chain_motion", "reconstruction", "hidden_activity"}
    assert not {*fewer.metrics, *fewer.example_metrics}
    whole, same = (weighted_loss(each, batch.weights, 4.0) for each in (terms, fewer))
    assert torch.equal(whole, same)
    for model in (seen, unseen):
        model.after_step("machine")
    assert all(map(torch.equal, seen.state_dict().values(), unseen.state_dict().values()))


@pytest.mark.parametrize("binarisation", ["stochastic", "threshold", "none"])
def test_that_pixels_become_visible_values_as_asked(binarisation: str) -> None:
    model = boltzmann("rbm", binarisation=binarisation)
    images = random_batch(SHAPE, 500).images
    brightness = (images.flatten(1) + 1) / 2
    v = model.visible_values(images, stream())
    if binarisation == "none":
        assert torch.equal(v, brightness)
    else:
        assert set(v.unique().tolist()) == {0.0, 1.0}
    if binarisation == "threshold":
        assert torch.equal(v, brightness.round())
    assert (v - brightness).mean().abs() < 0.01
    torch.testing.assert_close(model.images(brightness), images)


@both
def test_that_sampling_leaves_the_chains_alone(kind: str) -> None:
    model = boltzmann(kind)
    before = model.chains.clone()
    with torch.no_grad():
        assert model.sample(50, stream()).shape == (50, *SHAPE)
    assert torch.equal(before, model.chains)


@both
def test_that_chains_are_copied_where_weights_are_averaged(kind: str) -> None:
    model = boltzmann(kind, temperatures=3)
    average = WeightAverage(model, 0.9)
    model.losses(PHASE, random_batch(SHAPE, 4), stream())
    average.update()
    assert torch.equal(average.model.get_buffer("chains"), model.chains)


@both
@pytest.mark.parametrize("hidden_units", [10, 24])
def test_that_it_shows_filters_activity_energies_and_chains(kind: str, hidden_units: int) -> None:
    model = boltzmann(kind, hidden_units=hidden_units, temperatures=3).eval()
    images = random_batch(SHAPE, 30).images
    with torch.no_grad():
        shown = {d.name: d for d in model.views.diagnostics(Probe(seen=images[:20], held_out=images[20:]), stream())}
        alone = model.views.diagnostics(Probe(seen=images[:20], held_out=images[:0]), stream())
    assert set(shown) == {"filters", "hidden_activity", "free_energy", "chains"}
    filters, energies, chains = shown["filters"], shown["free_energy"], shown["chains"]
    assert isinstance(filters, Pictures)
    assert filters.images.shape == (hidden_units, 8, 8, 1)
    assert isinstance(energies, Histogram)
    assert set(energies.series) == {"trained on", "held out", "chains"}
    assert ("likelihood" in energies.title) == (hidden_units == 10)
    assert isinstance(chains, Pictures)
    assert chains.rows == ("β = 1.00", "β = 0.50", "β = 0.00")
    assert len(alone) == 4


@both
def test_that_both_estimates_of_the_partition_function_agree(kind: str) -> None:
    exact = boltzmann(kind).log_partition(stream())
    assert exact[0] == exact[1]
    model = boltzmann(kind, hidden_units=30)
    lower, upper = model.log_partition(stream(), runs=20, steps=200)
    assert abs(lower - upper).item() < 0.5


@pytest.mark.slow
def test_that_a_tilted_line_is_learned() -> None:
    """N(−1, 1) within 0.12 of the mean and 0.2 of the variance."""
    config = model_spec("gaussian_rbm").config.model_validate(
        {
            "hidden_units": 16,
            "width": 0.8 / SCALE,
            "least_width": 0.02,
            "gibbs_steps": 5,
            "draw_pixels": True,
            "machine_optimiser": {"learning_rate": 0.01, "half_after": 300},
        }
    )
    x = learned_line(config, steps=1_500)
    assert abs(x.mean().item() + 1) < 0.12
    assert abs(x.var().item() - 1) < 0.2
