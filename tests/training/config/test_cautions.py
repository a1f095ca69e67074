"""What speaks against a tilt is told alike by window and command, and it is true: the mechanism, simulated."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from studio.models.base import Batch
from studio.perturb.diagnostics import summarise, summarise_examples
from studio.perturb.energy import ExampleEnergies
from studio.perturb.perturbation import Perturbation, offsets_for_shares
from studio.perturb.planner import ErrorCarryPlanner, Planner, StratifiedPlanner
from studio.training.config.cautions import cautions, outweighing
from studio.training.config.run_config import RunConfig, StopCondition
from studio.training.engine.learner import build_model
from studio.training.messages.events import Noticed
from tests.training.conftest import WatchedRun, tiny_config

RARE = (9900, 100)
SLOPE = {"kind": "linear", "feature": "slant", "slope": -50.0}
TILT = Perturbation(offsets=tuple(offsets_for_shares(RARE, [0.7, 0.3]).tolist()))


def config_of(model: str = "gan", *, size: float = 16, planner: str = "error_carry", **optimiser: Any) -> RunConfig:
    network = "critic" if model == "gan" else "autoencoder"
    settings = {f"{network}_optimiser": {"beta1": 0.0, "beta2": 0.9, **optimiser}}
    return tiny_config(model, model=settings, batch={"average_size": size, "planner": planner})


def learned(kind: type[Planner], *, beta2: float = 0.0, clip: float = 0.0, steps: int = 4000) -> float:
    """The share of a class of 1 % with a target of 30 % that one weighted logit learns at B_avg = 16."""
    labels = (np.arange(10_000) < 100).astype(np.int64)
    planner = kind(TILT.example_log_weights(labels, RARE), 16, np.random.default_rng(0), labels=labels)
    logit, square, shares = float(np.log(0.3 / 0.7)), 0.0, []
    for step in range(1, steps + 1):
        plan = planner.next()
        share = 1 / (1 + np.exp(-logit))
        gradient = float(plan.weights @ (share - labels[plan.indices])) / 16
        if clip:
            gradient *= min(1.0, clip / abs(gradient))
            logit -= 0.01 * gradient
        else:
            square = beta2 * square + (1 - beta2) * gradient**2
            logit -= 0.005 * gradient / np.sqrt(square / (1 - beta2**step))
        shares.append(share)
    return float(np.mean(shares[steps // 3 :]))


def test_that_a_short_memory_and_clipping_learn_what_outweighs_a_batch_too_little() -> None:
    short, long, clipped = (
        learned(ErrorCarryPlanner, beta2=0.9),
        learned(ErrorCarryPlanner, beta2=0.999),
        learned(ErrorCarryPlanner, clip=1.0),
    )
    assert short == pytest.approx(0.26, abs=0.015)
    assert clipped < 0.28
    assert long == pytest.approx(0.30, abs=0.01)
    assert learned(StratifiedPlanner, beta2=0.9) == pytest.approx(0.30, abs=0.01)


def test_that_the_steps_between_examples_that_outweigh_a_batch_are_counted() -> None:
    by_class = summarise(TILT, RARE, 16)
    assert by_class.largest_weight == pytest.approx(30)
    assert by_class.outweighed_every == pytest.approx(1 / (0.01 * 16))
    labels = np.repeat([0, 1], RARE)
    energy = np.array(TILT.offsets)[labels]
    by_example = summarise_examples(TILT, ExampleEnergies(energy=energy, unclipped=energy), labels, 16)
    assert by_example.outweighed_every == pytest.approx(by_class.outweighed_every)
    assert by_example.largest_weight == pytest.approx(30)
    assert summarise(TILT, RARE, 31).outweighed_every is None


@pytest.mark.parametrize(
    "config",
    [
        config_of(),
        config_of("vae"),
        config_of(planner="fixed_size"),
        config_of("vae", kind="sgd", clip_norm=1.0),
        config_of("vae", kind="rmsprop"),
    ],
)
def test_that_it_is_told_where_single_examples_are_learned_too_little(config: RunConfig) -> None:
    found = outweighing(summarise(TILT, RARE, 16), config)
    assert "stratified" in found.hint


@pytest.mark.parametrize(
    "config",
    [
        config_of(planner="stratified"),
        config_of(planner="resampling"),
        config_of("vae", beta2=0.999),
        config_of("vae", kind="sgd"),
        config_of("vae", kind="adagrad"),
    ],
)
def test_that_nothing_is_told_where_they_are_not(config: RunConfig) -> None:
    assert outweighing(summarise(TILT, RARE, 16), config) is None


def test_that_nothing_is_told_where_no_example_outweighs_a_batch() -> None:
    assert outweighing(summarise(TILT, RARE, 31), config_of(size=31)) is None


def test_that_a_generators_rates_do_not_count_as_it_sees_no_weight() -> None:
    config = tiny_config("gan", model={"critic_optimiser": {"beta2": 0.999}, "generator_optimiser": {"beta2": 0.5}})
    assert outweighing(summarise(TILT, RARE, 16), config) is None


@pytest.mark.parametrize("kind", ["gan", "wgan_gp", "vae", "ebm"])
def test_that_the_networks_that_see_weights_are_those_whose_loss_holds_examples(kind: str) -> None:
    config, rng = tiny_config(kind), torch.Generator().manual_seed(0)
    model = build_model(config.model, (1, 8, 8), 0)
    batch = Batch(images=torch.zeros(3, 1, 8, 8), weights=torch.ones(3), step=0)
    seeing = {phase.network for phase in model.phases() if model.losses(phase, batch, rng).data is not None}
    assert set(config.model.weighted_optimisers) == seeing


def test_that_a_tilt_too_strong_is_told_with_the_verdicts_own_words() -> None:
    strong = summarise(Perturbation(offsets=(0.0, -8.0)), (9990, 10), 16)
    (found, *others) = cautions(strong, config_of("vae", beta2=0.999))
    assert found.message == strong.reason
    assert "10 examples carry" in found.message
    assert not others
    assert not cautions(summarise(Perturbation.zero(2), RARE, 16), config_of())


def test_that_a_conditional_model_is_recommended_where_shares_are_asked_for_too_strongly() -> None:
    strong = summarise(Perturbation(offsets=(0.0, -8.0)), (9990, 10), 16)
    told = {
        name: cautions(strong, config)[0].hint
        for name, config in {
            "classes": tiny_config("vae", perturbation={"offsets": {"bee": -8}}),
            "terms": tiny_config("vae", perturbation={"terms": [SLOPE]}),
            "never conditional": tiny_config("ebm", perturbation={"offsets": {"bee": -8}}),
        }.items()
    }
    assert [name for name, hint in told.items() if "model.conditional=true" in hint] == ["classes"]


def test_that_fading_weights_needs_a_planner_that_counts_by_them() -> None:
    mild = summarise(Perturbation(offsets=(0.0, -0.5)), (500, 500), 16)
    for planner, count in (("error_carry", 0), ("fixed_size", 0), ("stratified", 1), ("resampling", 1)):
        told = {"model": {"weights_fade": 0.1}, "batch": {"average_size": 16, "planner": planner}}
        found = cautions(mild, tiny_config("diffusion", **told))
        assert [error.field for error in found] == ["batch.planner"] * count


def test_that_a_run_says_so_before_its_first_step(start_run: Callable[..., WatchedRun]) -> None:
    config = tiny_config("gan", perturbation={"terms": [SLOPE]}, batch={"average_size": 4})
    run = start_run(config, limit=StopCondition(steps=1))
    run.finish()
    told = [event.error.title for event in run.all_of(Noticed) if event.step == 0]
    assert told == ["The tilt is too strong", "Single examples outweigh a batch"]
