"""One test body for every model of the catalog."""

import math

import numpy as np
import pytest
import torch
from pydantic import TypeAdapter, ValidationError
from torch import nn

from studio.errors import UserError
from studio.models.base import Batch
from studio.models.catalog import MODELS, AnyModel, ModelSpec, model_spec
from studio.models.diagnostic import Diagnostic, Pictures, Profile
from studio.models.reduce import reduced_metrics, weighted_loss
from studio.models.views import Probe
from studio.perturb.planner import ErrorCarryPlanner, ResamplingPlanner
from studio.training.engine.averaging import WeightAverage
from tests.models.conftest import (
    SHAPES,
    Shape,
    configured,
    data_terms,
    example_gradients,
    flat_gradient,
    random_batch,
    small_model,
    stream,
)

COUNT = 6

every_model = pytest.mark.parametrize("spec", MODELS, ids=lambda spec: spec.kind)
_VARIANTS = ("gan", "wgan", "sn_gan", "gaussian_rbm")
"""Of another model, whose networks they have."""
_LARGEST = {"autoregressive": 100}
"""Numbers of an example that a fast test takes: where each is a call of the network, fewer."""
SMALL = ((3, 18, 18), SHAPES[3])
"""Convolutions in colour, and linear layers: where larger images show no more."""


def each_at(shapes: tuple[Shape, ...]) -> pytest.MarkDecorator:
    """Every model at every shape; variants at one."""
    return pytest.mark.parametrize(
        ("spec", "shape"),
        [
            pytest.param(
                spec,
                shape,
                id=f"{spec.kind}-{'x'.join(map(str, shape))}",
                marks=pytest.mark.slow if math.prod(shape) > _LARGEST.get(spec.kind, 1000) else (),
            )
            for spec in MODELS
            for shape in (shapes[:1] if spec.kind in _VARIANTS else shapes)
        ],
    )


every_network = each_at(SHAPES)
every_small_network = each_at(SMALL)


@every_network
def test_that_terms_and_gradients_are_finite_reach_their_network_and_are_a_plain_mean_by_weights_of_one(
    spec: ModelSpec, shape: Shape
) -> None:
    model = small_model(spec, shape)
    batch = random_batch(shape, COUNT)
    for phase in model.phases():
        terms = model.losses(phase, batch, stream())
        assert terms.data is None or terms.data.shape == (COUNT,)
        assert terms.model is None or terms.model.shape == ()
        loss = weighted_loss(terms, batch.weights, COUNT)
        plain = torch.zeros((), dtype=torch.float64) + (terms.data.mean() if terms.data is not None else 0)
        torch.testing.assert_close(loss, plain + (terms.model or 0))
        gradient = flat_gradient(loss, model, phase.network)
        assert gradient.isfinite().all()
        assert gradient.norm() > 1e-6
        metrics = reduced_metrics(terms, batch.weights)
        assert set(metrics) <= set(spec.metrics)
        assert all(value.shape == () and value.isfinite() and not value.requires_grad for value in metrics.values())


@every_small_network
def test_that_an_example_sees_no_other_real_example(spec: ModelSpec, shape: Shape) -> None:
    model = small_model(spec, shape)
    batch = random_batch(shape, COUNT)
    changed = batch.images.clone()
    changed[1:] = random_batch(shape, COUNT - 1, seed=9).images
    others = Batch(images=changed, weights=batch.weights, step=0)
    for (_, before), (_, after) in zip(data_terms(model, batch), data_terms(model, others), strict=True):
        assert before.data is not None
        assert after.data is not None
        torch.testing.assert_close(before.data[0], after.data[0], rtol=1e-12, atol=1e-12)
        assert not torch.allclose(before.data[1:], after.data[1:])


@every_network
def test_that_samples_have_the_images_shape_and_range_and_follow_the_seed(spec: ModelSpec, shape: Shape) -> None:
    model = small_model(spec, shape).eval()
    with torch.no_grad():
        first, again, other = (model.sample(5, stream(seed)) for seed in (4, 4, 5))
    assert first.shape == (5, *shape)
    assert first.abs().max() <= 1
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


@every_model
def test_that_every_phase_has_its_own_network_and_optimiser(spec: ModelSpec) -> None:
    model = small_model(spec, SHAPES[0])
    networks = [phase.network for phase in model.phases()]
    trained = [id(parameter) for network in networks for parameter in model.network_parameters(network)]
    assert all(configured(spec).optimiser(network).learning_rate > 0 for network in networks)
    assert len(set(trained)) == len(trained)
    assert set(trained) == {id(parameter) for parameter in model.parameters()}


@every_small_network
def test_that_a_batch_of_one_can_be_trained(spec: ModelSpec, shape: Shape) -> None:
    model = small_model(spec, shape)
    batch = random_batch(shape, 1, weights=torch.full((1,), 40.0, dtype=torch.float64))
    for phase in model.phases():
        loss = weighted_loss(model.losses(phase, batch, stream()), batch.weights, 16.0)
        assert flat_gradient(loss, model, phase.network).isfinite().all()


@every_model
@pytest.mark.usefixtures("same_noise_for_all")
def test_that_an_epochs_gradients_add_up_to_the_full_perturbed_gradient(spec: ModelSpec) -> None:
    """Σ_t ∇L_t = (Σw/B_avg)·∇(Σ_j w_j·data_j/Σw) at frozen parameters, whichever batch an example falls in."""
    model, count, average = small_model(spec, (1, 8, 8)), 30, 4.0
    logs = np.random.default_rng(0).normal(0, 1.5, count)
    images, weights = random_batch((1, 8, 8), count).images, torch.from_numpy(np.exp(logs))
    full = [
        weights.sum() / average * flat_gradient(weights @ terms.data / weights.sum(), model, network)
        for network, terms in data_terms(model, Batch(images=images, weights=weights, step=0))
        if terms.data is not None
    ]
    summed = [torch.zeros_like(gradient) for gradient in full]
    planner, left = ErrorCarryPlanner(logs, average, np.random.default_rng(1)), count
    while left:
        chosen = torch.from_numpy(planner.next().indices)[:left]  # the last batch reaches into the next epoch
        left -= len(chosen)
        batch = Batch(images=images[chosen], weights=weights[chosen], step=0)
        for total, (network, terms) in zip(summed, data_terms(model, batch), strict=True):
            total += flat_gradient(weighted_loss(terms, batch.weights, average), model, network)
    for total, gradient in zip(summed, full, strict=True):
        torch.testing.assert_close(total, gradient, rtol=1e-9, atol=1e-9)


@every_model
@pytest.mark.usefixtures("same_noise_for_all")
def test_that_a_weight_of_three_is_the_example_three_times(spec: ModelSpec) -> None:
    model = small_model(spec, (1, 8, 8))
    times = torch.tensor([1, 3, 2, 1])
    batch = random_batch((1, 8, 8), 4, weights=times.double())
    repeated = Batch(images=batch.images.repeat_interleave(times, 0), weights=torch.ones(7).double(), step=0)
    for (network, once), (_, thrice) in zip(data_terms(model, batch), data_terms(model, repeated), strict=True):
        torch.testing.assert_close(
            flat_gradient(weighted_loss(once, batch.weights, 7.0), model, network),
            flat_gradient(weighted_loss(thrice, repeated.weights, 7.0), model, network),
            rtol=1e-9,
            atol=1e-9,
        )


@every_model
@pytest.mark.usefixtures("same_noise_for_all")
def test_that_weighting_is_resampling_in_expectation(spec: ModelSpec) -> None:
    """Σ_j w_j·g_j/Σw against the mean of g over examples drawn with probability ∝ w, within five standard errors."""
    model, count, draws = small_model(spec, (1, 8, 8)), 8, 2_500
    logs = np.random.default_rng(0).normal(0, 1, count)
    weights = torch.from_numpy(np.exp(logs) / np.exp(logs).sum())
    batch = random_batch((1, 8, 8), count, weights=weights)
    planner = ResamplingPlanner(logs, count, np.random.default_rng(1))
    drawn = np.concatenate([planner.next().indices for _ in range(draws)])
    rate = torch.bincount(torch.from_numpy(drawn), minlength=count).double() / len(drawn)
    for network, terms in data_terms(model, batch):
        assert terms.data is not None
        each = example_gradients(terms.data, model, network)
        expected = weights @ each
        error = (weights @ (each - expected).square() / len(drawn)).sqrt()
        assert ((rate @ each - expected).abs() <= 5 * error + 1e-12).all()


@every_model
def test_that_the_encoder_side_has_no_batch_norm(spec: ModelSpec) -> None:
    """Statistics that move with the batch may only be where no real example passes."""
    model = small_model(spec, (1, 28, 28))
    touched: list[str] = []
    real = random_batch((1, 28, 28), COUNT)
    for name, module in model.named_modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.register_forward_hook(lambda *_, name=name: touched.append(name))
    for network, terms in data_terms(model, real):
        touched.clear()
        weighted = weighted_loss(terms, real.weights, COUNT)
        needed = torch.autograd.grad(
            weighted, list(model.parameters()), allow_unused=True, materialize_grads=True, retain_graph=True
        )
        used = {
            name for (name, _), slope in zip(model.named_parameters(), needed, strict=True) if slope.abs().sum() > 0
        }
        assert not any(parameter.startswith(norm) for norm in touched for parameter in used), network


@every_small_network
def test_that_a_state_is_the_whole_model_and_holds_memory_that_an_average_copies(spec: ModelSpec, shape: Shape) -> None:
    """Every buffer that is no weight is in the state, comes back from it, and is copied where weights are averaged."""
    model, copy = small_model(spec, shape, seed=0), small_model(spec, shape, seed=1)
    average = WeightAverage(model, 0.9)
    for phase in model.phases():  # training mode, so that running statistics move as well
        model.losses(phase, random_batch(shape, COUNT), stream())
        model.after_step(phase.network)
    state = model.state_dict()
    copy.load_state_dict(state)
    assert set(model.memory) <= set(state)
    for name in model.memory:
        assert torch.equal(copy.get_buffer(name), model.get_buffer(name))
        assert torch.equal(average.model.get_buffer(name), model.get_buffer(name))
    with torch.no_grad():
        assert torch.equal(model.eval().sample(3, stream()), copy.eval().sample(3, stream()))


@every_small_network
def test_that_diagnostics_can_be_drawn_and_leave_the_model_alone(spec: ModelSpec, shape: Shape) -> None:
    model = small_model(spec, shape).eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    for held_out in (5, 0):
        probe = Probe(seen=random_batch(shape, 7).images, held_out=random_batch(shape, 5).images[:held_out])
        with torch.no_grad():
            found = model.views.diagnostics(probe, stream())
        assert len({diagnostic.name for diagnostic in found}) == len(found)
        for diagnostic in found:
            check_drawable(diagnostic)
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())


def check_drawable(diagnostic: Diagnostic) -> None:
    assert diagnostic.name.isidentifier()
    assert diagnostic.name == diagnostic.name.lower()
    assert diagnostic.title
    assert diagnostic.tip.count(". ") >= 1
    if isinstance(diagnostic, Pictures):
        assert diagnostic.images.dtype == np.uint8
        assert diagnostic.images.ndim == 4
        assert len(diagnostic.images) % diagnostic.columns == 0
        return
    assert diagnostic.series
    for values in diagnostic.series.values():
        assert values.dtype == np.float64
        assert values.ndim == 1
        assert len(values)
        assert np.isfinite(values).all()
        assert not isinstance(diagnostic, Profile) or values.shape == diagnostic.at.shape


def test_that_the_catalog_explains_models_and_their_metrics() -> None:
    for spec in MODELS:
        assert spec.summary.endswith(".")
        assert "MNIST" in spec.measured
        assert set(spec.references) <= set(spec.metrics)
        assert all(title and tip.endswith(".") for title, tip in spec.metrics.values())


def test_that_kinds_are_unique_and_an_unknown_one_is_a_user_error() -> None:
    assert len({spec.kind for spec in MODELS}) == len(MODELS)
    assert all(model_spec(spec.kind) is spec for spec in MODELS)
    with pytest.raises(UserError, match="no model called 'perceptron'"):
        model_spec("perceptron")


@every_model
def test_that_settings_survive_a_file_and_reject_unknown_keys(spec: ModelSpec) -> None:
    adapter: TypeAdapter[AnyModel] = TypeAdapter(AnyModel)
    config = configured(spec)
    assert adapter.validate_json(config.model_dump_json()) == config
    with pytest.raises(ValidationError, match="Extra inputs"):
        adapter.validate_python({"kind": spec.kind, "depth": 3})
