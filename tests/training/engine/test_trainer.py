"""The trainer: zero offsets are no offsets, its gradients are those of the theory, and its streams keep apart."""

import copy
import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from studio.data.image_set import ImageSet
from studio.eager import take_step
from studio.errors import UserError
from studio.models.base import Batch, LossTerms, Phase
from studio.models.catalog import MODELS, model_spec
from studio.models.reduce import weighted_loss
from studio.perturb.perturbation import Gauge, Perturbation
from studio.perturb.planner import BatchPlan
from studio.training.config.planners import PlannerKind
from studio.training.config.run_config import RunConfig
from studio.training.engine.optimisers import NetworkOptimiser
from studio.training.engine.trainer import Trainer
from studio.training.examples.examples import padded
from tests.models.conftest import flat_gradient, same_noise_for_all  # noqa: F401 - a fixture
from tests.training.conftest import KINDS, tiny_config, tiny_images

every_kind = pytest.mark.parametrize("kind", KINDS)
every_kind_and_planner = pytest.mark.parametrize(
    ("kind", "planner"),
    [*((kind, PlannerKind.ERROR_CARRY) for kind in KINDS if kind != "vae"), *(("vae", each) for each in PlannerKind)],
)
TILT = {"ant": 0.5, "cat": -2.0}


def trained_anew(config: RunConfig) -> Trainer:
    trainer = Trainer(config, tiny_images())
    for _ in range(12):
        trainer.step()
    return trainer


_TRAINED: dict[str, Trainer] = {}


def trained(config: RunConfig) -> Trainer:
    """After twelve steps; one for all tests, so that none is to train it further."""
    if config.to_json() not in _TRAINED:
        _TRAINED[config.to_json()] = trained_anew(config)
    return _TRAINED[config.to_json()]


def same_state(one: Trainer, other: Trainer) -> bool:
    """Whether weights, averages and running statistics agree to the last bit."""
    pairs = [(one.model, other.model), (one.average.model, other.average.model)]
    return all(
        torch.equal(tensor, theirs.state_dict()[name])
        for mine, theirs in pairs
        for name, tensor in mine.state_dict().items()
    )


# -- what the offsets mean


@every_kind_and_planner
def test_that_zero_and_constant_offsets_train_as_none_do_to_the_last_bit(kind: str, planner: PlannerKind) -> None:
    batch = {"average_size": 8, "planner": str(planner)}
    none = trained(tiny_config(kind, batch=batch))
    for value in (0.0, -700.0):
        offsets = dict.fromkeys(("ant", "bee", "cat"), value)
        assert same_state(none, trained(tiny_config(kind, batch=batch, perturbation={"offsets": offsets})))
    raw = tiny_config(kind, batch=batch, perturbation={"gauge": "raw"})
    assert same_state(none, trained(raw))


@every_kind
def test_that_training_without_offsets_is_plain_training_on_whole_batches(kind: str) -> None:
    """The same by hand: batches of the planner, mean of the terms, one optimiser step for each phase."""
    slow = {"kind": "sgd", "learning_rate": 1e-3, "beta1": 0.5}  # Adam would magnify how sums are rounded
    fields = model_spec(kind).config.model_fields
    data, config = tiny_images(), tiny_config(kind, model={name: slow for name in fields if "_optimiser" in name})
    trainer, plain = Trainer(config, data), Trainer(config, data)
    rng = torch.Generator().manual_seed(config.seed)
    images = torch.from_numpy(data.images.transpose(0, 3, 1, 2).astype(np.float32)) / 127.5 - 1
    for step in range(10):
        plan = trainer.step().plan
        batch = Batch(images=images[plan.indices], weights=torch.full((8,), torch.nan), step=step)
        for phase in plain.model.phases():
            terms = plain.model.losses(phase, batch, rng)
            loss = (terms.data.mean() if terms.data is not None else 0) + (
                terms.model if terms.model is not None else 0
            )
            assert isinstance(loss, Tensor)
            gradients = torch.autograd.grad(loss, list(plain.model.network_parameters(phase.network)))
            plain._learner.optimisers[phase.network].step(gradients)
            plain.model.after_step(phase.network)
    for mine, theirs in zip(trainer.model.parameters(), plain.model.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-6)


@every_kind
def test_that_a_constant_added_to_every_offset_changes_no_bit(kind: str) -> None:
    one, other = (
        trained(tiny_config(kind, perturbation={"offsets": {"ant": 0.5 + c, "bee": c, "cat": -2.0 + c}}))
        for c in (0.0, 3.25)
    )
    assert same_state(one, other)
    assert not same_state(one, trained(tiny_config(kind)))


@every_kind
def test_that_raw_weights_with_a_batch_size_to_match_train_alike(kind: str) -> None:
    """w → c·w and B_avg → c·B_avg leave (1/B_avg)·Σ w·L as it is; with c = ½ to the last bit."""
    raw = trained(
        tiny_config(
            kind,
            batch={"average_size": 4},
            perturbation={"gauge": "raw", "offsets": dict.fromkeys(("ant", "bee", "cat"), float(np.log(2)))},
        )
    )
    for mine, theirs in zip(raw.model.parameters(), trained(tiny_config(kind)).model.parameters(), strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-4, atol=1e-5)


class Idle(NetworkOptimiser):
    """Leaves every parameter where it is."""

    def step(self, gradients: Sequence[Tensor]) -> None:
        """Keep the gradients to be looked at."""
        for parameter, gradient in zip(self._parameters, gradients, strict=True):
            parameter.grad = gradient


class FrozenTrainer(Trainer):
    """In float64, at parameters that never move, over exactly one epoch: what reaches into the next one is left out."""

    def __init__(self, config: RunConfig) -> None:
        super().__init__(config, tiny_images())
        self.model.double()
        self.left = len(self.data)
        self._learner.optimisers = {
            network: Idle(config.model.optimiser(network), own, self._rng)
            for network, own in self._learner._parameters.items()
        }

    def read(self, plan: BatchPlan) -> Batch:
        plan = dataclasses.replace(plan, indices=plan.indices[: self.left], weights=plan.weights[: self.left])
        self.left -= len(plan.indices)
        batch = super().read(plan)
        weights = padded(plan.indices, plan.weights)[1] if self._pads else plan.weights
        return Batch(images=batch.images.double(), weights=torch.from_numpy(weights), step=batch.step)

    def gradient(self, network: str) -> Tensor:
        """Of the last step."""
        parameters = self.model.network_parameters(network)
        return torch.cat([p.grad.flatten() for p in parameters if p.grad is not None])


@pytest.mark.parametrize(
    ("kind", "network", "settings"),
    [
        ("vae", "autoencoder", {}),
        ("vae", "autoencoder", {"architecture": "convolutional"}),
        ("wgan_gp", "critic", {"lipschitz": {"kind": "none"}}),
    ],
)
@pytest.mark.parametrize("average_size", [7, 42])
@pytest.mark.usefixtures("same_noise_for_all")
def test_that_an_epochs_steps_add_up_to_the_full_perturbed_gradient(
    kind: str, network: str, settings: dict[str, Any], average_size: int
) -> None:
    """Σ_t ∇L_t = (Σw/B_avg)·∇⟨L⟩_{p′} at frozen parameters. Without λ, whose x̂ pair real examples with fakes.

    Of convolutional models, batches of about 42 are filled up by examples of weight 0.
    """
    config = tiny_config(kind, model=settings, perturbation={"offsets": TILT}, batch={"average_size": average_size})
    trainer = FrozenTrainer(config)
    total: Tensor | None = None
    while trainer.left:
        trainer.step()
        total = trainer.gradient(network) + (0 if total is None else total)
    weights = torch.from_numpy(
        np.exp(trainer.perturbation.example_log_weights(trainer.data.labels, trainer.data.counts))
    )
    images = torch.from_numpy(trainer.data.values.transpose(0, 3, 1, 2).copy()).float().mul_(1 / 127.5).sub_(1).double()
    phase = next(phase for phase in trainer.model.phases() if phase.network == network)
    terms = trainer.model.losses(phase, Batch(images=images, weights=weights, step=0), torch.Generator())
    full = flat_gradient(weighted_loss(terms, weights / weights.sum(), 1.0), trainer.model, network)
    assert total is not None
    assert trainer.step_count > 70 // average_size
    torch.testing.assert_close(total, weights.sum() / average_size * full, rtol=1e-9, atol=1e-9)
    assert full.norm() > 1e-3


# -- editing while it trains


def test_that_an_edit_within_an_epoch_keeps_the_error_that_is_carried() -> None:
    trainer = Trainer(tiny_config(perturbation={"offsets": TILT}), tiny_images())
    for _ in range(5):
        before = trainer.step().plan
    assert before.err > 0
    trainer.retarget(Perturbation(offsets=(0.0, -1.0, 1.0), revision=3))
    after = trainer.step().plan
    assert (before.revision, after.revision) == (0, 3)
    assert after.err == pytest.approx(before.err + 8 * (1 + after.skipped) - after.adjusted_size)
    assert trainer.perturbation.revision == 3


def test_that_a_target_that_cannot_be_planned_leaves_the_old_one() -> None:
    trainer, untouched = (Trainer(tiny_config(perturbation={"offsets": TILT}), tiny_images()) for _ in range(2))
    trainer.step()
    untouched.step()
    with pytest.raises(UserError):
        trainer.retarget(Perturbation(offsets=(700.0, 700.0, 700.0), gauge=Gauge.RAW, revision=1))
    trainer.step()
    untouched.step()
    assert trainer.perturbation == untouched.perturbation
    assert same_state(trainer, untouched)


def test_that_offsets_or_batches_that_do_not_fit_the_data_are_refused() -> None:
    for settings in ({"perturbation": {"offsets": {"dog": 1.0}}}, {"batch": {"average_size": 121}}):
        with pytest.raises(UserError):
            Trainer(tiny_config(**settings), tiny_images())


# -- streams


@every_kind
def test_that_a_seed_fixes_every_bit_and_another_does_not(kind: str) -> None:
    one, again, other = (
        trained_anew(tiny_config(kind, seed=seed, perturbation={"offsets": TILT})) for seed in (5, 5, 6)
    )
    assert same_state(one, again)
    assert not same_state(one, other)


@pytest.mark.parametrize("kind", [spec.kind for spec in MODELS])
def test_that_building_a_trainer_leaves_the_global_stream_alone(kind: str) -> None:
    before = torch.random.get_rng_state()
    trainer = Trainer(tiny_config(kind), tiny_images())
    trainer.step()
    trainer.sample(2)
    assert torch.equal(before, torch.random.get_rng_state())


@every_kind
def test_that_sampling_between_steps_disturbs_no_bit_of_training(kind: str) -> None:
    config = tiny_config(kind, perturbation={"offsets": TILT})
    quiet, sampled = trained(config), Trainer(config, tiny_images())
    for step in range(12):
        sampled.step()
        sampled.sample(3, averaged=bool(step % 2))
        sampled.sample(5, seed=step)
    assert same_state(quiet, sampled)
    assert sampled.model.training
    assert not sampled.average.model.training


@every_kind
def test_that_a_grid_shows_the_same_latents_throughout(kind: str) -> None:
    trainer = trained(tiny_config(kind))
    first, again, other = trainer.sample(4), trainer.sample(4), trainer.sample(4, seed=1)
    assert first.shape == (4, 8, 8, 1)
    assert first.dtype == np.uint8
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 0


def test_that_colour_images_come_back_in_the_order_of_the_data() -> None:
    data = tiny_images(channels=3)
    trainer = Trainer(tiny_config(), data)
    trainer.step()
    assert trainer.sample(2).shape == (2, 8, 8, 3)
    batch = trainer.read(dataclasses.replace(trainer._planner.next(), indices=np.arange(2), weights=np.ones(2)))
    expected = torch.from_numpy(data.images[:2].transpose(0, 3, 1, 2) / 127.5 - 1)
    torch.testing.assert_close(batch.images.double(), expected, rtol=0, atol=1e-6)


# -- phases


def test_that_a_generators_step_leaves_the_critic_as_it_is() -> None:
    still = {"kind": "sgd", "learning_rate": 1e-30, "beta1": 0.0}  # no rate of 0 is taken; this moves no float32
    trainer = Trainer(tiny_config("wgan_gp", model={"critic_optimiser": still}), tiny_images())
    before = {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}
    for _ in range(5):
        trainer.step()
    moved = {
        name.partition(".")[0]
        for name, tensor in trainer.model.state_dict().items()
        if not torch.allclose(tensor, before[name], rtol=0, atol=1e-25)
    }
    assert moved == {"generator"}


def test_that_the_generator_moves_only_on_each_nth_step() -> None:
    trainer = Trainer(tiny_config("wgan_gp", model={"critic_steps": 3}), tiny_images())
    parameter = next(trainer.model.network_parameters("generator"))
    moved = []
    for _ in range(6):
        before = parameter.clone()
        report = trainer.step()
        moved.append(not torch.equal(before, parameter))
    assert moved == [False, False, True] * 2
    assert {"loss_critic", "loss_generator"} <= set(report.values())


# -- small batches


@every_kind_and_planner
def test_that_batches_of_a_single_example_train(kind: str, planner: PlannerKind) -> None:
    config = tiny_config(
        kind, batch={"average_size": 1, "planner": str(planner)}, perturbation={"offsets": {"ant": 3.0, "cat": -3.0}}
    )
    trainer = Trainer(config, tiny_images())
    reports = [trainer.step() for _ in range(20)]
    assert any(len(report.plan.indices) == 1 for report in reports)
    assert np.isfinite([value for report in reports for value in report.values().values()]).all()
    assert all(tensor.isfinite().all() for tensor in trainer.model.state_dict().values())


@every_kind
def test_that_a_batch_that_weighs_nothing_leaves_numbers_finite(kind: str) -> None:
    """At ±700 the other classes weigh e^−1400 = 0, so batches without the favoured class have Σw = 0."""
    config = tiny_config(
        kind, batch={"average_size": 1}, perturbation={"offsets": {"ant": 700.0, "bee": 700.0, "cat": -700.0}}
    )
    trainer = Trainer(config, tiny_images())
    reports = [trainer.step() for _ in range(40)]
    nothing = [report.values() for report in reports if report.plan.adjusted_size == 0]
    assert nothing
    assert all(values["ess"] == 0 for values in nothing)
    losses = [value for r in reports for name, value in r.values().items() if name.startswith("loss_")]
    assert np.isfinite(losses).all()
    assert all(tensor.isfinite().all() for tensor in trainer.model.state_dict().values())


# -- numbers


def test_that_a_report_holds_the_batch_and_every_loss() -> None:
    trainer = Trainer(tiny_config("wgan_gp", perturbation={"offsets": TILT}), tiny_images())
    for _ in range(3):
        report = trainer.step()
        values = report.values()
        assert values["batch_size"] == len(report.plan.indices)
        assert values["adjusted_size"] == pytest.approx(report.plan.weights.sum())
        assert values["average_size"] == 8
        assert 1 <= values["ess"] <= values["batch_size"] + 1e-9
        assert {"loss_critic", "loss_generator", "critic_gap", "gradient_penalty"} <= set(values)
    assert trainer.step_count == 3
    assert trainer.epoch == trainer.examples / 120


def test_that_metrics_are_asked_for_at_log_points_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = Trainer(tiny_config("rbm", cadence={"log_every": 3}), tiny_images())
    losses, asked = trainer.model.losses, []

    def noted(phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        asked.append(batch.measured)
        return losses(phase, batch, rng)

    monkeypatch.setattr(trainer.model, "losses", noted)
    reports = [trainer.step() for _ in range(6)]
    assert asked == [False, False, True] * 2
    assert {"chain_motion", "reconstruction"} <= set(reports[-1].values())


def test_that_steps_passed_over_are_counted_and_not_trained() -> None:
    """A tenth of the examples has all the weight, so each of them fills ten batches of 1."""
    tilt = {"offsets": {"ant": 50.0, "bee": 50.0}}
    trainer = Trainer(tiny_config(batch={"average_size": 1}, perturbation=tilt), tiny_images())
    skipped = 0
    steps = 0
    while trainer.epoch < 3:
        skipped += trainer.step().plan.skipped
        steps += 1
    assert trainer.step_count == steps
    assert trainer.skipped == skipped > 0


@pytest.mark.parametrize("kind", ["wgan_gp", "vae", "diffusion"])
def test_that_a_convolutional_step_is_that_of_plain_backpropagation(kind: str) -> None:
    """Gradients of gradients can lie in memory in another order than their weights, which fused optimisers ignore."""
    rng = np.random.default_rng(0)
    data = ImageSet(
        name="noise",
        images=rng.integers(0, 256, (40, 28, 28, 1), np.uint8),
        labels=np.repeat(np.arange(2), 20),
        class_names=("one", "two"),
    )
    adam = {"kind": "adam", "learning_rate": 1e-3}
    rules = {name: adam for name in model_spec(kind).config.model_fields if name.endswith("_optimiser")}
    settings = {"batch": {"average_size": 16}, "held_out": 0, "precision": "float32"}
    config = RunConfig.model_validate({"model": {"kind": kind, **rules}, **settings})
    trainer = Trainer(config, data)
    plain = copy.deepcopy(trainer.model)
    plan = trainer.step().plan
    images = torch.from_numpy(data.images[plan.indices].transpose(0, 3, 1, 2).astype(np.float32)) / 127.5 - 1
    batch = Batch(images=images, weights=torch.from_numpy(plan.weights).float(), step=0)
    stream = torch.Generator().manual_seed(config.seed)
    for phase in (phase for phase in plain.phases() if phase.due(0)):
        chosen = config.model.optimiser(phase.network)
        parameters = list(plain.network_parameters(phase.network))
        rule = torch.optim.Adam(parameters, lr=chosen.learning_rate, betas=(chosen.beta1, chosen.beta2), fused=False)
        weighted_loss(plain.losses(phase, batch, stream), batch.weights, 16).backward(inputs=parameters)
        take_step(rule)
        plain.after_step(phase.network)
        for mine, theirs in zip(trainer.model.network_parameters(phase.network), parameters, strict=True):
            # Adam's first step is ±rate: where a gradient is rounding alone its sign may differ, elsewhere never.
            differ = ((mine - theirs).abs() > chosen.learning_rate / 10).float().mean()
            assert differ < 0.02 or mine.numel() < 65, f"{phase.network} {tuple(mine.shape)}: {differ:.0%} differ"
