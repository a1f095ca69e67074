"""Models of a critic and a generator: who is weighted, who moves, and that every choice works with every other."""

import math
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from studio.models.adversarial.config import AdversarialConfig, AdversarialLoss, Constraint, NoiseConfig
from studio.models.adversarial.model import Adversarial, noise_std, with_noise
from studio.models.base import Batch
from studio.models.catalog import MODELS, ModelSpec, model_spec
from studio.models.config import Architecture, Optimiser
from studio.models.diagnostic import Diagnostic, Histogram, Profile
from studio.models.nets import is_convolutional
from studio.models.reduce import reduced_metrics, weighted_loss
from studio.models.views import Probe
from studio.training.engine.averaging import WeightAverage
from studio.training.engine.optimisers import NetworkOptimiser
from tests.models.conftest import Shape, flat_gradient, random_batch, small_model, stream

SHAPE = (1, 8, 8)
ADVERSARIAL = [spec for spec in MODELS if issubclass(spec.config, AdversarialConfig)]
CHOICES = [
    (spec, settings)
    for spec in ADVERSARIAL
    for settings in ([{"loss": loss} for loss in AdversarialLoss] if "loss" in spec.config.model_fields else [{}])
]

every_adversarial = pytest.mark.parametrize("spec", ADVERSARIAL, ids=lambda spec: spec.kind)
every_loss = pytest.mark.parametrize(
    ("spec", "settings"), CHOICES, ids=["-".join((spec.kind, *settings.values())) for spec, settings in CHOICES]
)


def adversarial(spec: ModelSpec, shape: Shape = SHAPE, **settings: Any) -> Adversarial:
    model = small_model(spec, shape, **settings)
    assert isinstance(model, Adversarial)
    return model


def train(model: Adversarial, config: AdversarialConfig, steps: int) -> None:
    """A few steps on noise, as the trainer takes them."""
    rng = stream()
    optimisers = {
        phase.network: NetworkOptimiser(
            config.optimiser(phase.network), tuple(model.network_parameters(phase.network)), rng
        )
        for phase in model.phases()
    }
    for step in range(steps):
        batch = random_batch(model.image_shape, 6, seed=step)
        batch = Batch(images=batch.images, weights=batch.weights, step=step)
        for phase in model.phases():
            loss = weighted_loss(model.losses(phase, batch, rng), batch.weights, 6.0)
            assert loss.isfinite()
            parameters = list(model.network_parameters(phase.network))
            optimisers[phase.network].step(torch.autograd.grad(loss, parameters))
            model.after_step(phase.network)


def diagnostics(model: Adversarial, held_out: int = 5) -> dict[str, Diagnostic]:
    probe = Probe(
        seen=random_batch(model.image_shape, 7).images, held_out=random_batch(model.image_shape, held_out).images
    )
    model.eval()
    with torch.no_grad():
        return {found.name: found for found in model.views.diagnostics(probe, stream())}


def histogram(found: Diagnostic) -> Histogram:
    assert isinstance(found, Histogram)
    return found


@pytest.mark.parametrize(
    ("spec", "settings", "constraint"),
    [
        *((*choice, Constraint.GRADIENT_PENALTY) for choice in CHOICES),
        *((*CHOICES[-1], constraint) for constraint in Constraint if constraint is not Constraint.GRADIENT_PENALTY),
    ],
)
def test_that_every_loss_and_every_constraint_train(
    spec: ModelSpec, settings: dict[str, Any], constraint: Constraint
) -> None:
    chosen = {**settings, "lipschitz": {"kind": constraint}, "critic_steps": 1, "noise": {"std": 0.1, "steps": 4}}
    config = spec.config.model_validate({"width": 4, **chosen})
    assert isinstance(config, AdversarialConfig)
    architecture = "mlp" if constraint is Constraint.PARAMETER_PENALTY else "convolutional"
    model = adversarial(spec, (1, 9, 10), width=4, architecture=architecture, **chosen)
    before = {network: flat(model, network) for network in ("critic", "generator")}
    train(model, config, 2)
    assert all(not torch.equal(flat(model, network), before[network]) for network in before)
    with torch.no_grad():
        assert model.eval().sample(3, stream()).isfinite().all()
    terms = model.losses(model.phases()[0], random_batch((1, 9, 10), 3), stream())
    assert set(reduced_metrics(terms, torch.ones(3).double())) <= set(spec.metrics)


def flat(model: Adversarial, network: str) -> torch.Tensor:
    return nn.utils.parameters_to_vector(model.network_parameters(network)).detach().clone()


@every_loss
def test_that_only_the_critics_real_term_is_weighted(spec: ModelSpec, settings: dict[str, Any]) -> None:
    model = adversarial(spec, **settings)
    critic, generator = model.phases()
    batch = random_batch(SHAPE, 4)
    tilted = Batch(images=batch.images, weights=torch.tensor([4.0, 0.5, 2.0, 0.1]).double(), step=0)
    plain, weighted = (model.losses(critic, b, stream()) for b in (batch, tilted))
    assert plain.data is not None
    assert weighted.data is not None
    assert torch.equal(plain.data, weighted.data)
    assert plain.model == weighted.model
    terms = [model.losses(generator, b, stream()) for b in (batch, tilted)]
    assert terms[0].data is None
    assert weighted_loss(terms[0], batch.weights, 4.0) == weighted_loss(terms[1], tilted.weights, 4.0)


@every_adversarial
def test_that_as_many_images_are_generated_as_examples_are_in_the_batch(spec: ModelSpec) -> None:
    model, rng = adversarial(spec), stream()
    seen: list[torch.Tensor] = []
    model.generator.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    for phase in model.phases():
        model.losses(phase, random_batch(SHAPE, 4, weights=torch.full((4,), 9.0).double()), rng)
    assert [len(latents) for latents in seen] == [4, 4]
    assert not torch.allclose(seen[0], seen[1])


@every_adversarial
def test_that_the_generator_is_due_after_its_critic_steps(spec: ModelSpec) -> None:
    critic, generator = adversarial(spec, critic_steps=3).phases()
    assert [critic.due(step) for step in range(6)] == [True] * 6
    assert [generator.due(step) for step in range(6)] == [False, False, True, False, False, True]


@every_adversarial
def test_that_the_critics_phase_leaves_no_gradient_in_the_generator(spec: ModelSpec) -> None:
    model = adversarial(spec)
    terms = model.losses(model.phases()[0], random_batch(SHAPE, 4), stream())
    loss = weighted_loss(terms, torch.ones(4).double(), 4.0)
    assert flat_gradient(loss, model, "generator").abs().max() == 0


@pytest.mark.parametrize("normalised", [True, False])
@pytest.mark.parametrize("architecture", [Architecture.MLP, Architecture.CONVOLUTIONAL])
def test_the_generator_ablation(architecture: Architecture, normalised: bool) -> None:
    """MLP or convolutional, with or without BatchNorm, against the same critic (Arjovsky et al., figures 5 to 7)."""
    shape = (1, 28, 28)
    model = adversarial(model_spec("wgan"), shape, generator_architecture=architecture, generator_batch_norm=normalised)
    norms = [name for name, module in model.named_modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    assert bool(norms) == normalised
    assert all(name.startswith("generator.") for name in norms)
    convolves = any(isinstance(module, nn.ConvTranspose2d) for module in model.generator.modules())
    assert convolves == (architecture is Architecture.CONVOLUTIONAL)
    assert is_convolutional(shape, Architecture.AUTO)
    assert any(isinstance(module, nn.Conv2d) for module in model.critic.modules())


@pytest.mark.parametrize("norm", ["group", "layer"])
@pytest.mark.parametrize("shape", [(1, 8, 8), (3, 32, 32)], ids=str)
def test_that_a_normalised_critic_sees_each_example_alone(shape: Shape, norm: str) -> None:
    model = adversarial(model_spec("wgan_gp"), shape, critic_norm=norm)
    assert any(isinstance(module, nn.GroupNorm) for module in model.critic.modules())
    images = random_batch(shape, 4).images
    torch.testing.assert_close(model.critic(images)[:1], model.critic(images[:1]))


def test_that_the_papers_settings_are_wgans_defaults() -> None:
    config = model_spec("wgan").config(kind="wgan")
    assert isinstance(config, AdversarialConfig)
    assert (config.lipschitz.kind, config.lipschitz.clip, config.critic_steps) == (Constraint.CLIP, 0.01, 5)
    for network in ("critic", "generator"):
        assert config.optimiser(network).kind is Optimiser.RMSPROP
        assert config.optimiser(network).learning_rate == 5e-5


def test_that_the_noise_falls_linearly_to_none() -> None:
    config = NoiseConfig(std=0.5, steps=100)
    assert [noise_std(config, step) for step in (0, 25, 50, 100, 10_000)] == [0.5, 0.375, 0.25, 0.0, 0.0]
    images = torch.zeros(200, 1, 10, 10)
    assert with_noise(images, 0.25, stream()).std().item() == pytest.approx(0.25, rel=0.02)
    assert with_noise(images, 0.0, stream()) is images


def test_that_critic_and_generator_phase_see_noise_of_their_own_on_real_and_generated() -> None:
    model, rng = adversarial(model_spec("gan"), noise={"std": 0.5, "steps": 100}), stream()
    seen: list[torch.Tensor] = []
    model.critic.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0]))
    images = torch.zeros(50, *SHAPE).double()
    batch = Batch(images=images, weights=torch.ones(50).double(), step=50)
    reported = model.losses(model.phases()[0], batch, rng).metrics["instance_noise"]
    model.losses(model.phases()[1], batch, rng)
    real, fake = seen[0].chunk(2)
    assert reported.item() == 0.25
    assert real.std().item() == pytest.approx(0.25, rel=0.05)
    assert fake.abs().max() > 1
    assert seen[1].abs().max() > 1
    assert not torch.allclose(fake, seen[1])


@every_adversarial
def test_that_what_a_critic_shows_is_what_it_is(spec: ModelSpec) -> None:
    model = adversarial(spec)
    found = diagnostics(model)
    gaps = histogram(found["critic_gaps"])
    assert set(gaps.series) == {"seen", "held out", "generated"}
    assert [line.value for line in gaps.references] == [gaps.series[name].mean() for name in ("seen", "held out")]
    assert gaps.series["generated"].mean() == pytest.approx(0, abs=1e-12)
    with torch.no_grad():
        scores = model.critic(random_batch(SHAPE, 7).images).squeeze(1)
    np.testing.assert_allclose(np.diff(gaps.series["seen"]), np.diff(scores.numpy()))
    slopes = histogram(found["critic_slopes"])
    assert [line.value for line in slopes.references] == [1.0]
    assert all((values > 0).all() for values in slopes.series.values())
    sigmas = found["critic_sigmas"]
    assert isinstance(sigmas, Profile)
    weights = [module.weight for module in model.critic.modules() if isinstance(module, nn.Linear)]
    exact = [torch.linalg.matrix_norm(weight.detach(), 2).item() for weight in weights]
    np.testing.assert_allclose(sigmas.series["σ"], exact, rtol=0.02)
    slopes_by_layer = found["critic_sensitivity"]
    assert isinstance(slopes_by_layer, Profile)
    assert (slopes_by_layer.series["parameters"] >= slopes_by_layer.series["bound by the input"]).all()
    assert len(slopes_by_layer.at) == len(exact)


def test_that_a_gap_without_held_out_images_shows_the_seen_ones() -> None:
    found = diagnostics(adversarial(model_spec("gan")), held_out=0)
    assert set(histogram(found["critic_gaps"]).series) == {"seen", "generated"}


def test_that_clipped_weights_pile_up_between_lines_at_the_clip() -> None:
    spec = model_spec("wgan")
    config = spec.config.model_validate({"critic_optimiser": {"kind": "rmsprop", "learning_rate": 0.01}})
    assert isinstance(config, AdversarialConfig)
    model = adversarial(spec)
    train(model, config, 3)
    weights = histogram(diagnostics(model)["critic_weights"])
    assert [line.value for line in weights.references] == [-0.01, 0.01]
    assert np.mean(np.abs(weights.series["weights"]) == 0.01) > 0.5
    terms = model.losses(model.phases()[0], random_batch(SHAPE, 4), stream())
    everything = nn.utils.parameters_to_vector(model.critic.parameters())
    share = (everything.abs() == 0.01).double().mean().item()
    assert terms.metrics["clipped_share"].item() == pytest.approx(share, abs=0.01)


def test_that_the_critic_gap_is_weighted_on_the_real_side() -> None:
    model = adversarial(model_spec("wgan_gp"))
    batch = random_batch(SHAPE, 3, weights=torch.tensor([4.0, 0.5, 2.0]).double())
    terms = model.losses(model.phases()[0], batch, stream())
    assert terms.data is not None
    assert terms.model is not None
    metrics = reduced_metrics(terms, batch.weights)
    real = -(batch.weights @ terms.data) / batch.weights.sum()
    fake = terms.model - 10 * metrics["gradient_penalty"]
    torch.testing.assert_close(metrics["critic_gap"], (real - fake).detach())


def test_that_a_critic_that_cannot_tell_is_at_one_half_and_no_divergence() -> None:
    model = adversarial(model_spec("gan"), noise={"std": 0.0})
    for parameter in model.critic.parameters():
        nn.init.zeros_(parameter)
    batch = random_batch(SHAPE, 4, weights=torch.tensor([4.0, 0.5, 2.0, 0.1]).double())
    terms = model.losses(model.phases()[0], batch, stream())
    metrics = {name: value.item() for name, value in reduced_metrics(terms, batch.weights).items()}
    assert metrics == pytest.approx({"real_probability": 0.5, "fake_probability": 0.5, "js_estimate": 0.0})
    (bound,) = model_spec("gan").references["js_estimate"]
    assert bound.value == math.log(2)


@pytest.mark.parametrize("constraint", [Constraint.SPECTRAL_NORM, Constraint.SPECTRAL_PENALTY])
def test_that_an_average_and_a_file_keep_the_singular_vectors(constraint: Constraint) -> None:
    spec = model_spec("sn_gan")
    settings: dict[str, Any] = {"lipschitz": {"kind": constraint}}
    config = spec.config.model_validate(settings)
    assert isinstance(config, AdversarialConfig)
    model = adversarial(spec, **settings)
    average = WeightAverage(model, 0.9)
    train(model, config, 3)
    average.update()
    assert model.memory
    for name in model.memory:
        assert torch.equal(average.model.get_buffer(name), model.get_buffer(name))
        assert average.model.get_buffer(name) is not model.get_buffer(name)
        assert model.get_buffer(name).norm().item() == pytest.approx(1, rel=1e-6)
    copy = adversarial(spec, **settings)
    copy.load_state_dict(model.state_dict())
    images = random_batch(SHAPE, 4).images
    assert torch.equal(copy.critic(images), model.critic(images))
