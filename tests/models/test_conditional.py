"""Models that are told classes: p′(x) = Σ_c p′_c·p(x|c), with classes drawn from the shares."""

import math
from typing import Any, TypeVar

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from studio.models.adversarial.model import Adversarial
from studio.models.base import Batch
from studio.models.catalog import MODELS, ModelSpec
from studio.models.conditional import UNTOLD, Conditional
from studio.models.diagnostic import Profile
from studio.models.diffusion.model import Diffusion
from studio.models.flow_matching.model import FlowMatching
from studio.models.plane import Arrows
from studio.models.reduce import weighted_loss
from studio.models.vae.model import Vae
from studio.models.views import Probe
from tests.models.conftest import configured, flat_gradient, random_batch, stream

SHAPE = (1, 8, 8)
CLASSES = 3
SPECS = [spec for spec in MODELS if "conditional" in spec.config.model_fields]

every_model = pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.kind)


def conditional_model(
    spec: ModelSpec, *, seed: int = 0, shape: tuple[int, int, int] = SHAPE, **settings: Any
) -> Conditional:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = spec.build(configured(spec, **{"conditional": True, **settings}), shape, CLASSES).double()
    assert isinstance(model, Conditional)
    return model


def conditional_vae(**settings: Any) -> Vae:
    model = conditional_model(next(spec for spec in SPECS if spec.kind == "vae"), **settings)
    assert isinstance(model, Vae)
    return model


def labelled_batch(labels: list[int], shape: tuple[int, int, int] = SHAPE) -> Batch:
    batch = random_batch(shape, len(labels))
    return Batch(images=batch.images, weights=batch.weights, step=0, labels=torch.tensor(labels))


def loss_of(model: Conditional, labels: list[int]) -> Tensor:
    """Of each example, by the same noise for the same labels' number."""
    data = model.losses(model.phases()[0], labelled_batch(labels), stream()).data
    assert data is not None
    return data


M = TypeVar("M", bound=Conditional)


def with_shares(model: M, *shares: float) -> M:
    model.label_shares.copy_(torch.tensor(shares))
    return model


@every_model
def test_that_an_image_is_decided_by_its_label(spec: ModelSpec) -> None:
    model = conditional_model(spec).eval()
    with torch.no_grad():
        first, again, other = (model.sample(4, stream(), torch.full((4,), label)) for label in (0, 0, 1))
    assert torch.equal(first, again)
    assert not torch.allclose(first, other)


@every_model
def test_that_samples_without_labels_have_those_that_the_shares_say(spec: ModelSpec) -> None:
    model = with_shares(conditional_model(spec), 0, 1, 0).eval()
    with torch.no_grad():
        assert torch.equal(model.sample(4, stream()), model.sample(4, stream(), torch.ones(4).long()))


def test_that_classes_of_latents_are_multinomial_with_the_shares() -> None:
    shares = (0.2, 0.7, 0.1)
    model = with_shares(conditional_model(SPECS[0]), *shares)
    _, labels = model.parted(model.draw_latents(20_000, stream()))
    assert labels is not None
    found = torch.bincount(labels, minlength=3) / len(labels)
    spread = (torch.tensor(shares) * (1 - torch.tensor(shares)) / len(labels)).sqrt()
    assert ((found - torch.tensor(shares)).abs() < 4 * spread).all()


def test_that_a_class_without_share_is_never_drawn_and_few_samples_change_with_the_shares() -> None:
    model = with_shares(conditional_model(SPECS[0]), 0, 0.5, 0)  # the rest of the weight is of unlabelled examples
    latents = model.draw_latents(1000, stream())
    latents[:2, -1] = torch.tensor([-40.0, 40.0])
    _, before = model.parted(latents)
    _, after = with_shares(model, 0, 0.45, 0.05).parted(latents)
    assert before is not None
    assert after is not None
    assert (before == 1).all()
    assert np.isclose((after == 2).double().mean(), 0.1, atol=0.04)
    assert ((after == before) | (after == 2)).all()


@pytest.mark.parametrize("shape", [SHAPE, (1, 28, 28), (2, 1, 1)], ids=["dense", "convolutional", "points"])
@every_model
def test_that_gradients_of_labelled_and_unlabelled_examples_are_finite_and_reach_every_network(
    spec: ModelSpec, shape: tuple[int, int, int]
) -> None:
    model = conditional_model(spec, shape=shape)
    for labels in ([0, 1, 2, UNTOLD], [UNTOLD] * 4):
        batch = labelled_batch(labels, shape)
        for phase in model.phases():
            gradient = flat_gradient(
                weighted_loss(model.losses(phase, batch, stream()), batch.weights, 4), model, phase.network
            )
            assert gradient.isfinite().all()
            assert gradient.norm() > 1e-6


@every_model
def test_that_a_label_changes_the_loss_of_its_own_example_alone(spec: ModelSpec) -> None:
    model = conditional_model(spec, labels_dropped=0)
    found, *others = (loss_of(model, labels) for labels in ([0, 1, 2], [1, 1, 2], [UNTOLD, 1, 2]))
    for other in others:
        torch.testing.assert_close(found[1:], other[1:])
        assert not torch.isclose(found[0], other[0])


def test_that_about_the_asked_share_of_labels_is_dropped() -> None:
    model = conditional_model(SPECS[0], labels_dropped=0.25)
    told = model.told(labelled_batch([2] * 1000), stream())
    assert told is not None
    assert set(told.tolist()) == {2, UNTOLD}
    assert np.isclose((told == UNTOLD).double().mean(), 0.25, atol=0.05)


@pytest.mark.parametrize(
    "spec", [spec for spec in SPECS if len(spec.config.UNWEIGHTED) == 0], ids=lambda spec: spec.kind
)
def test_that_a_model_whose_labels_are_all_dropped_is_the_unconditional_one(spec: ModelSpec) -> None:
    told, plain = conditional_model(spec, labels_dropped=1), conditional_model(spec, conditional=False)
    batch = labelled_batch([0, 1, 2])
    (phase,) = plain.phases()
    losses = [model.losses(phase, batch, stream()).data for model in (told, plain)]
    torch.testing.assert_close(losses[0], losses[1], rtol=1e-12, atol=1e-12)
    noise = torch.randn((4, *plain.noise_shape), generator=stream(), dtype=torch.float64)
    with torch.no_grad():
        images = told.eval().decode(torch.cat([noise.flatten(1), torch.ones(4, 1)], 1))
        torch.testing.assert_close(images, plain.eval().decode(noise), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("kind", ["gan", "diffusion", "flow_matching"])
def test_that_what_pulls_on_a_point_is_told_its_class(kind: str) -> None:
    spec, points = next(spec for spec in SPECS if spec.kind == kind), random_batch((2, 1, 1), 4).images
    model = conditional_model(spec, shape=(2, 1, 1)).eval()

    def pull(labels: list[int]) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        with torch.no_grad():
            views = model.views.on_plane(points, torch.tensor(labels), stream())
        (found,) = (view.along for view in views if isinstance(view, Arrows))
        return found

    plain, other = pull([0, 1, 2, 0]), pull([1, 1, 2, 0])
    np.testing.assert_allclose(plain[1:], other[1:])
    assert not np.allclose(plain[0], other[0])
    with_shares(model, 0, 0, 0)  # has learned none
    np.testing.assert_allclose(pull([0, 1, 2, 0]), pull([1, 1, 2, 0]))


@pytest.mark.parametrize("kind", ["diffusion", "flow_matching"])
def test_that_the_loss_that_is_shown_is_that_of_images_with_their_labels(kind: str) -> None:
    model = conditional_model(next(spec for spec in SPECS if spec.kind == kind)).eval()
    images, labels = random_batch(SHAPE, 8).images, torch.arange(8) % CLASSES

    def losses(seen: Tensor | None, held_out: Tensor | None) -> dict[str, list[float]]:
        probe = Probe(seen=images, held_out=images, seen_labels=seen, held_out_labels=held_out)
        with torch.no_grad():
            profile = model.views.diagnostics(probe, stream())[0]
        assert isinstance(profile, Profile)
        return {name: list(values) for name, values in profile.series.items()}

    told, other = losses(labels, labels), losses(labels, (labels + 1) % CLASSES)
    assert told["training"] == other["training"]
    assert told["held-out"] != other["held-out"]
    assert losses(None, None)["training"] != told["training"]


class GaussianNetwork(nn.Module):
    """What the network of a model of points says, exactly, where a class is N(0, 0.15²) and the data are N(0, 0.3²)."""

    def __init__(self, model: Conditional) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1).double())
        self.model = [model]  # no part of it

    def forward(self, noisy: Tensor, times: Tensor, labels: Tensor) -> Tensor:
        width = torch.where(labels == UNTOLD, 0.3, 0.15).view(-1, 1, 1, 1)
        (model,) = self.model
        if isinstance(model, Diffusion):
            signal, noise = model._amplitudes((times * model.schedule.steps).round().long())
            return noisy * signal * width**2 / (signal**2 * width**2 + noise**2)
        assert isinstance(model, FlowMatching)
        mix = model.mixture(times)
        rate = mix.alpha * mix.alpha_rate * width**2 + mix.sigma * mix.sigma_rate
        return noisy * rate / (mix.alpha**2 * width**2 + mix.sigma**2)


@pytest.mark.parametrize("guidance", [0.0, 1.0])
@pytest.mark.parametrize(
    ("kind", "network", "settings"),
    [("diffusion", "denoiser", {"prediction": "clean"}), ("flow_matching", "velocity", {})],
)
def test_that_a_guided_gaussian_class_is_as_narrow_as_theory_says(
    kind: str, network: str, settings: dict[str, Any], guidance: float
) -> None:
    spec = next(spec for spec in SPECS if spec.kind == kind)
    more = {"guidance": guidance, "sampling_steps": 100, **settings}
    model = conditional_model(spec, shape=(2, 1, 1), **more).eval()
    setattr(model, network, GaussianNetwork(model))
    with torch.no_grad():
        found = model.sample(3000, stream(), torch.zeros(3000).long())
    width = 0.15 * (0.15 / 0.3) ** guidance
    assert found.std(0).flatten().tolist() == pytest.approx([width, width], rel=0.04)
    assert found.mean(0).abs().max() < 4 * width / 3000**0.5
    if isinstance(model, FlowMatching):
        points = width * torch.randn((8, 2, 1, 1), generator=stream(), dtype=torch.float64)
        normal = -0.5 * (points / width).square().flatten(1).sum(1) - 2 * math.log(width * math.sqrt(2 * math.pi))
        torch.testing.assert_close(with_shares(model, 1, 0, 0).log_density(points), normal, rtol=0.02, atol=0.05)


def test_that_nothing_is_guided_that_has_no_class_or_where_no_label_was_dropped() -> None:
    spec = next(spec for spec in SPECS if spec.kind == "flow_matching")
    plain, guided, all_told = (
        conditional_model(spec, guidance=guidance, labels_dropped=dropped).eval()
        for guidance, dropped in ((0, 0.1), (2, 0.1), (2, 0))
    )
    with torch.no_grad():
        for label, other, same in ((UNTOLD, guided, True), (1, guided, False), (1, all_told, True)):
            labels = torch.full((4,), label)
            assert torch.allclose(plain.sample(4, stream(), labels), other.sample(4, stream(), labels)) is same


@pytest.mark.parametrize("kind", ["diffusion", "flow_matching"])
def test_that_what_is_exported_says_how_samples_were_guided(kind: str) -> None:
    spec = next(spec for spec in SPECS if spec.kind == kind)
    for guidance, said in ((0.0, "class in 0…2, int64, shape (B,)"), (1.5, "led by f(c) + 1.5·(f(c) − f(−1))")):
        exportable = conditional_model(spec, guidance=guidance).views.exportable()
        assert said in exportable.takes["labels"].says
        assert ("led by" in exportable.takes["labels"].says) is bool(guidance)


def test_that_the_density_of_a_mixture_is_the_sum_over_its_classes() -> None:
    model = with_shares(conditional_model(SPECS[0]), 0.2, 0, 0.3)

    def log_density(labels: Tensor | None) -> Tensor:
        return (labels.double() + 1).log() + torch.zeros(5)

    torch.testing.assert_close(model.mixed(log_density).exp(), torch.full((5,), (0.2 + 0.9) / 0.5).double())


def test_that_a_label_goes_with_every_code_of_its_image() -> None:
    model = conditional_vae(labels_dropped=0, importance_samples=3)
    found, other = loss_of(model, [0, 1, 2]), loss_of(model, [1, 1, 2])
    torch.testing.assert_close(found[1:], other[1:])
    assert not torch.isclose(found[0], other[0])


@pytest.mark.parametrize("codes", [1, 3])
def test_that_a_vae_sums_out_the_class_that_it_is_not_told(codes: int) -> None:
    model, shares = conditional_vae(labels_dropped=0, importance_samples=codes), torch.tensor([0.2, 0.8, 0.0]).double()
    model.untold_shares.copy_(shares)
    of = torch.stack([loss_of(model, [label] * 4) for label in range(CLASSES)], 1)
    marginal = -(shares * (-of).exp()).sum(1).log()
    torch.testing.assert_close(loss_of(model, [UNTOLD] * 4), marginal)
    likely = shares * (marginal[:, None] - of).exp()
    bound = (likely * of).sum(1) + (likely * (likely / shares).nan_to_num(1).log()).sum(1)
    torch.testing.assert_close(bound, marginal)  # M2, by the best q(c|x)
    mixed = loss_of(model, [0, UNTOLD, 2, UNTOLD])
    torch.testing.assert_close(mixed, torch.stack([of[0, 0], marginal[1], of[2, 2], marginal[3]]))


def test_that_what_a_vae_reports_of_an_untold_example_is_the_mean_over_its_classes() -> None:
    model = conditional_vae(labels_dropped=0)
    (phase,) = model.phases()
    told = [model.losses(phase, labelled_batch([label] * 4), stream()) for label in range(CLASSES)]
    terms = model.losses(phase, labelled_batch([UNTOLD] * 4), stream())
    likely = torch.stack([each.data for each in told if each.data is not None]).neg().softmax(0)
    rebuilt = torch.stack([each.example_metrics["reconstruction"] for each in told])
    torch.testing.assert_close(terms.example_metrics["reconstruction"], (likely * rebuilt).sum(0))
    torch.testing.assert_close(terms.example_metrics["kl"], told[0].example_metrics["kl"])


def test_that_a_vae_shows_its_codes_as_of_a_class_that_it_has_learned() -> None:
    model = with_shares(conditional_vae().eval(), 0.1, 0.7, 0.2)
    codes = torch.randn((4, *model.noise_shape), generator=stream(), dtype=torch.float64)
    torch.testing.assert_close(model.output(codes), model.output(codes, torch.tensor([1])))
    images = random_batch(SHAPE, 4).images
    labels, posterior = model.posterior(codes, images)
    assert labels.tolist() == [0, 1, 2]
    torch.testing.assert_close(posterior.sum(0), torch.ones(4).double())


def test_that_the_critic_is_a_projection() -> None:
    gan = next(spec for spec in SPECS if spec.kind == "gan")
    model = conditional_model(gan)
    assert isinstance(model, Adversarial)
    assert isinstance(model.critic, nn.Sequential)
    images = random_batch(SHAPE, 4).images
    features, last = model.critic[:-1](images), model.critic[-1]
    assert isinstance(last, nn.Linear)
    plain = features @ last.weight[0] + last.bias[0]
    torch.testing.assert_close(model.scores(images), plain)
    torch.testing.assert_close(model.scores(images, torch.full((4,), UNTOLD)), plain)
    labels = torch.tensor([2, 0, 1, 2])
    projected = (features * last.weight[1 + labels]).sum(1) + last.bias[1 + labels]
    torch.testing.assert_close(model.scores(images, labels), plain + projected)


def test_that_a_critic_is_told_as_few_classes_of_generated_images_as_of_examples() -> None:
    model = with_shares(conditional_model(SPECS[0], labels_dropped=0.2), 0.3, 0.1, 0.1)  # half of them have no label
    assert np.isclose((model.partly(torch.ones(4000).long(), stream()) == UNTOLD).double().mean(), 0.6, atol=0.04)


def test_that_the_likelihood_of_an_image_is_the_sum_over_its_classes_and_its_reconstruction_of_the_likeliest() -> None:
    model = with_shares(conditional_vae().eval(), 0.3, 0, 0.1)
    images = random_batch(SHAPE, 4).images
    with torch.no_grad():
        of = {label: with_shares(model, *np.eye(3)[label]).log_ratio(images, stream()).exp() for label in (0, 2)}
        mixed = with_shares(model, 0.3, 0, 0.1).log_ratio(images, stream()).exp()
        torch.testing.assert_close(mixed, 0.75 * of[0] + 0.25 * of[2])
        rebuilt = {label: with_shares(model, *np.eye(3)[label]).reconstruct(images, stream()) for label in (0, 2)}
        share = (0.75 * of[0] / mixed)[:, None, None, None]
        found = with_shares(model, 0.3, 0, 0.1).reconstruct(images, stream())
        torch.testing.assert_close(found, share * rebuilt[0] + (1 - share) * rebuilt[2])
