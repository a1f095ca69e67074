"""Conditional models in training: told the labels of their examples, and the shares that these have by weight."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from studio.models.conditional import UNTOLD, Conditional
from studio.perturb.planner import BatchPlan
from studio.training.engine.trainer import Trainer
from tests.training.conftest import tiny_config, tiny_images
from tests.training.run.test_resume import TILT, edited, resumed, same_to_the_bit

KINDS = ("gan", "vae", "diffusion", "flow_matching")


def conditional(kind: str = "vae", **settings: float) -> Trainer:
    return Trainer(tiny_config(kind, model={"conditional": True, **settings}, perturbation=TILT), tiny_images())


def shares_of(trainer: Trainer) -> list[float]:
    """That samples of both models are drawn by."""
    models = [trainer.model, trainer.average.model]
    found = [model.label_shares.tolist() for model in models if isinstance(model, Conditional)]
    assert found[0] == found[1]
    return found[0]


def target_shares(trainer: Trainer) -> list[float]:
    mass = trainer.counts * np.exp(-np.array(trainer.applied.offsets))
    return list(mass / mass.sum())


def planned(trainer: Trainer, *places: int) -> BatchPlan:
    chosen = np.array(places)
    return BatchPlan(indices=chosen, weights=np.ones(len(chosen)), average_size=8.0, revision=0)


def test_that_a_batch_holds_the_labels_of_its_examples() -> None:
    trainer = Trainer(tiny_config(), tiny_images())
    labels = trainer.read(planned(trainer, 0, 5, 119)).labels
    assert labels is not None
    assert labels.dtype == torch.int64
    assert labels.tolist() == tiny_images().labels[[0, 5, 119]].tolist()


def test_that_the_labels_used_are_a_share_of_each_class() -> None:
    trainer = conditional(labels_used=0.5)
    told = trainer.read(planned(trainer, *range(120))).labels
    assert told is not None
    counts = trainer.counts
    assert torch.bincount(told[told != UNTOLD], minlength=3).tolist() == [count - count // 2 for count in counts]
    assert sum(shares_of(trainer)) < 1


def test_that_samples_have_the_shares_of_the_target_in_force() -> None:
    trainer = conditional()
    assert shares_of(trainer) == pytest.approx(target_shares(trainer), rel=1e-6)
    kept = trainer.state()
    trainer.step()
    edited(trainer, 0.0, 3.0, -1.0)
    assert shares_of(trainer) == pytest.approx(target_shares(trainer), rel=1e-6)
    trainer.restore(kept)  # going back keeps the target
    assert shares_of(trainer) == pytest.approx(target_shares(trainer), rel=1e-6)
    trainer.correct(replace(trainer.held, thermostat=replace(trainer.held.thermostat, correction=(0.3, -0.3, 0.0))))
    assert trainer.applied.offsets != trainer.perturbation.offsets
    assert shares_of(trainer) == pytest.approx(target_shares(trainer), rel=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_that_a_resumed_conditional_run_is_the_same_run(kind: str) -> None:
    trainer = conditional(kind)
    for _ in range(4):
        trainer.step()
    edited(trainer, 0.0, 3.0, -1.0)
    again = resumed(trainer, trainer.config)
    assert shares_of(again) == shares_of(trainer)
    for _ in range(4):
        trainer.step()
        again.step()
    same_to_the_bit(again, trainer)
    assert np.array_equal(again.sample(8), trainer.sample(8))
