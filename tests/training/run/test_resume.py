"""Resume is the same run: a trainer that takes up another's whole state goes on to the last bit as that one would."""

import tempfile
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from studio.errors import UserError
from studio.models.config import Optimiser
from studio.perturb.perturbation import Perturbation
from studio.training.analysis.planner_comparison import PlannerComparison
from studio.training.config.planners import PLANNERS, PlannerKind
from studio.training.config.run_config import RunConfig
from studio.training.engine.trainer import Trainer
from studio.training.storage.checkpoint import Checkpoint, packed, read_checkpoint
from studio.training.storage.fingerprints import Fingerprints
from tests.training.conftest import CLASSES, FAMILIES, tiny_config, tiny_images

TILT = {"offsets": {"ant": 0.4, "cat": -1.2}}


def same_to_the_bit(one: Trainer, other: Trainer) -> None:
    """Everything that either holds but what only pictures use."""
    mine, theirs = one.state(), other.state()
    assert (mine.step, mine.updates) == (theirs.step, theirs.updates)
    for part in ("model", "average", "scalars"):
        assert_equal(getattr(mine, part), getattr(theirs, part))
    for network in one.networks:
        assert_equal(mine.optimisers[network], theirs.optimisers[network])
    here, there = one.resume_state(), other.resume_state()
    assert (here.skipped, here.perturbation, here.planning) == (there.skipped, there.perturbation, there.planning)
    assert torch.equal(here.noise, there.noise)
    assert all(np.array_equal(here.planner[name], there.planner[name]) for name in here.planner)


def assert_equal(one: object, other: object) -> None:
    assert isinstance(one, dict)
    assert isinstance(other, dict)
    assert one.keys() == other.keys()
    for name, tensor in one.items():
        assert torch.equal(tensor, other[name]) or (tensor != tensor).all(), name


def edited(trainer: Trainer, *offsets: float) -> None:
    revision = trainer.perturbation.revision + 1
    trainer.retarget(Perturbation(offsets=offsets, revision=revision))


def resumed(trainer: Trainer, config: RunConfig) -> Trainer:
    """By way of the disk."""
    checkpoint = Checkpoint(
        state=trainer.state(),
        resume_state=trainer.resume_state(),
        config=trainer.config,
        data=Fingerprints.of(trainer.whole),
        class_names=CLASSES,
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "step.safetensors"
        path.write_bytes(packed(checkpoint))
        found = read_checkpoint(path)
    again = Trainer(config, tiny_images())
    again.load_checkpoint(found.state, found.resume_state)
    return again


@pytest.mark.parametrize(
    ("kind", "planner"),
    [
        *(
            (kind, PlannerKind.ERROR_CARRY)
            for kind in ("sn_gan", "autoencoder", "autoregressive", *FAMILIES)
            if kind != "vae"
        ),
        *product(["vae"], PlannerKind),
    ],
)
def test_that_a_resumed_run_is_the_same_run(kind: str, planner: PlannerKind) -> None:
    config = tiny_config(kind, batch={"average_size": 9, "planner": planner}, perturbation=TILT)
    trainer = Trainer(config, tiny_images())
    for _ in range(4):
        trainer.step()
    edited(trainer, 0.0, -0.7, 0.3)
    trainer.set_learning_rate(trainer.networks[0], 3e-4)
    for _ in range(3):
        trainer.step()
    again = resumed(trainer, config)
    same_to_the_bit(again, trainer)
    again.sample(2)  # looking at a run does not change it
    again.diagnose()
    for number in range(9):
        if number == 3:
            edited(trainer, 1.0, 0.0, 0.0)
            edited(again, 1.0, 0.0, 0.0)
        trainer.step()
        again.step()
    same_to_the_bit(again, trainer)


@pytest.mark.parametrize("planner", PlannerKind)
def test_that_a_run_goes_on_from_before_its_first_step(planner: PlannerKind) -> None:
    """A planner that has nothing left to take keeps arrays of no length."""
    config = tiny_config(batch={"average_size": 9, "planner": planner})
    trainer = Trainer(config, tiny_images())
    again = resumed(trainer, config)
    for each in (trainer, again):
        each.step()
    same_to_the_bit(again, trainer)


@pytest.mark.parametrize("kind", ["ebm", "rbm", "sn_gan", "diffusion"])
def test_that_looking_at_a_run_draws_nothing_from_its_streams(kind: str) -> None:
    config = tiny_config(kind)
    one, other = Trainer(config, tiny_images()), Trainer(config, tiny_images())
    for number in range(4):
        if number == 2:
            torch.manual_seed(7)  # nor does anybody draw from torch's own stream
            one.sample(3)
            one.sample(3, averaged=False, seed=5)
            one.diagnose()
            comparison = PlannerComparison.of(one, 0.01)
            while comparison.advance():
                pass
        one.step()
        other.step()
    same_to_the_bit(one, other)


@pytest.mark.parametrize("rule", Optimiser)
def test_that_every_rule_goes_on_with_its_rate_and_its_steps(rule: Optimiser) -> None:
    optimiser = {"kind": rule, "learning_rate": 1e-3, "half_after": 5, "gradient_keep": 0.5}
    config = tiny_config("vae", model={"autoencoder_optimiser": optimiser})
    trainer = Trainer(config, tiny_images())
    for steps in (0, 4):
        for _ in range(steps):
            trainer.step()
        again = resumed(trainer, config)
        for each in (trainer, again):
            each.step()
        same_to_the_bit(again, trainer)


@pytest.mark.parametrize("planner", PlannerKind)
def test_that_a_planner_goes_on_from_anywhere_and_over_any_edit(planner: PlannerKind) -> None:
    rng = np.random.default_rng(5)
    labels = np.repeat([0, 1, 2], [20, 9, 4])
    stream = np.random.default_rng(1)
    one = PLANNERS[planner](np.zeros(33), 4.5, stream, labels=labels)
    targets = [np.zeros(33), rng.normal(size=33), np.linspace(-3, 0, 33)]
    targets = [logs - np.log(np.exp(logs).mean()) for logs in targets]
    now = targets[0]
    for round_ in range(60):
        if round_ % 7 == 3:
            now = targets[int(rng.integers(3))]
            one.retarget(now, round_)
        one.next()
        fresh = np.random.default_rng(0)
        other = PLANNERS[planner](targets[1], 4.5, fresh, labels=labels)
        other.retarget(now, round_)
        other.restore(one.state())
        fresh.bit_generator.state = stream.bit_generator.state
        twin = np.random.default_rng(0)
        twin.bit_generator.state = stream.bit_generator.state
        kept = one.state()
        expected, found = one.next(), other.next()
        assert np.array_equal(expected.indices, found.indices)
        assert np.array_equal(expected.weights, found.weights)
        assert (expected.err, expected.skipped) == (found.err, found.skipped)
        one.restore(kept)
        stream.bit_generator.state = twin.bit_generator.state


@pytest.mark.parametrize("planner", PlannerKind)
def test_that_a_planner_refuses_a_place_that_it_cannot_have(planner: PlannerKind) -> None:
    trainer = Trainer(tiny_config(batch={"average_size": 8, "planner": planner}), tiny_images())
    trainer.step()
    whole = trainer._planner.state()
    for name, values in whole.items():
        for wrong in (None, values.reshape(1, -1), values.astype(np.float32), values + 2**62, values - 2**62):
            with pytest.raises(ValueError, match=name):
                trainer._planner.restore({**whole, name: wrong})  # type: ignore[dict-item]
    trainer._planner.restore(whole)


@pytest.mark.parametrize("other", ["gan", "rbm", "diffusion"])
def test_that_a_state_of_another_model_is_refused(other: str) -> None:
    trainer = Trainer(tiny_config("vae"), tiny_images())
    with pytest.raises(UserError, match="does not fit"):
        resumed(trainer, tiny_config(other))
    with pytest.raises(UserError, match="does not fit"):
        Trainer(tiny_config("vae"), tiny_images(99)).load_checkpoint(trainer.state(), trainer.resume_state())
