"""Conditional models in training: told the labels of their examples, and the shares that these have by weight."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from studio.data.image_set import ImageSet
from studio.models.base import Batch
from studio.models.conditional import UNTOLD, Conditional
from studio.perturb.features import measure
from studio.perturb.planner import BatchPlan
from studio.training.engine.trainer import Trainer
from tests.training.conftest import tiny_config, tiny_images
from tests.training.run.test_resume import TILT, edited, resumed, same_to_the_bit

KINDS = ("gan", "vae", "diffusion", "flow_matching")


def conditional(kind: str = "vae", held_out: float = 0.0, **settings: float) -> Trainer:
    model = {"conditional": True, **settings}
    return Trainer(tiny_config(kind, model=model, perturbation=TILT, held_out=held_out), tiny_images())


def shares_of(trainer: Trainer) -> list[float]:
    """That samples of both models are drawn by."""
    models = [trainer.model, trainer.average.model]
    found = [model.label_shares.tolist() for model in models if isinstance(model, Conditional)]
    assert found[0] == found[1]
    return found[0]


def target_shares(trainer: Trainer) -> list[float]:
    mass = trainer.whole.counts * np.exp(-np.array(trainer.applied.offsets))
    return list(mass / mass.sum())


def planned(trainer: Trainer, *places: int) -> BatchPlan:
    chosen = np.array(places)
    return BatchPlan(indices=chosen, weights=np.ones(len(chosen)), average_size=8.0, revision=0)


def test_that_a_batch_holds_the_labels_of_its_examples() -> None:
    trainer = Trainer(tiny_config(), tiny_images())
    labels = trainer.read(planned(trainer, 0, 5, 119)).labels
    assert labels.dtype == torch.int64
    assert labels.tolist() == tiny_images().labels[[0, 5, 119]].tolist()


@pytest.mark.parametrize("held_out", [0.0, 0.2])
def test_that_the_labels_used_are_a_share_of_each_class(held_out: float) -> None:
    trainer = conditional(held_out=held_out, labels_used=0.5)
    told = trainer.read(planned(trainer, *range(len(trainer.data)))).labels
    assert told is not None
    counts = trainer.whole.counts
    assert torch.bincount(told[told != UNTOLD], minlength=3).tolist() == [count - count // 2 for count in counts]
    assert sum(shares_of(trainer)) < 1


def test_that_samples_have_the_shares_of_the_target_however_few_labels_are_used() -> None:
    """One label of each class is told, and the classes are not as frequent as that."""
    trainer = conditional(labels_used=0.001)
    told = trainer.read(planned(trainer, *range(len(trainer.data)))).labels
    assert told is not None
    assert torch.bincount(told[told != UNTOLD], minlength=3).tolist() == [1, 1, 1]
    found = np.array(shares_of(trainer))
    assert found / found.sum() == pytest.approx(target_shares(trainer), rel=1e-6)
    weights = np.exp(trainer.log_weights)
    assert found.sum() == pytest.approx(weights[told.numpy() != UNTOLD].sum() / weights.sum())


def test_that_samples_have_the_shares_of_the_target_in_force() -> None:
    trainer = conditional()
    assert shares_of(trainer) == pytest.approx(target_shares(trainer), rel=1e-6)
    kept = trainer.state()
    trainer.step()
    edited(trainer, 0.0, 3.0, -1.0)
    assert shares_of(trainer) == pytest.approx(target_shares(trainer), rel=1e-6)
    trainer.restore(kept)  # going back keeps the target
    assert shares_of(trainer) == pytest.approx(target_shares(trainer), rel=1e-6)
    trainer.correct(replace(trainer.held, hold=replace(trainer.held.hold, correction=(0.3, -0.3, 0.0))))
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


@pytest.mark.parametrize("kind", ["gan", "vae", "diffusion"])
def test_that_a_conditional_model_is_looked_at_with_labels(kind: str) -> None:
    assert conditional(kind, held_out=0.2).diagnose()


def mixed_images(unlabelled: int) -> ImageSet:
    """With so many more whose class is not known."""
    labels, names = np.zeros(unlabelled, np.int64), ("all images",)
    without = replace(tiny_images(unlabelled, seed=5), labels=labels, class_names=names)
    return replace(tiny_images(), unlabelled=without)


def mixed(unlabelled: int, kind: str = "vae", **settings: Any) -> Trainer:
    return Trainer(tiny_config(kind, model={"conditional": True}, **settings), mixed_images(unlabelled))


def batches_of(trainer: Trainer, steps: int, monkeypatch: pytest.MonkeyPatch) -> list[tuple[Batch, float]]:
    """What it learns from, and the normaliser."""
    seen: list[tuple[Batch, float]] = []
    learn = trainer._learner.step

    def step(batch: Batch, average_size: float, network: str) -> Mapping[str, Tensor]:
        seen.append((batch, average_size))
        return learn(batch, average_size, network)

    monkeypatch.setattr(trainer._learner, "step", step)
    for _ in range(steps):
        trainer.step()
    return seen


def test_that_each_unlabelled_example_is_seen_once_in_a_pass_beside_the_labelled_ones(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trainer = mixed(30)  # a quarter of the labelled ones: 2 for each 8
    found = batches_of(trainer, 15, monkeypatch)
    rest = [batch.images[batch.labels == UNTOLD] for batch, _ in found if batch.labels is not None]
    assert [len(images) for images in rest] == [2] * 15
    assert len(torch.cat(rest).unique(dim=0)) == 30
    assert {size for _, size in found} == {10.0}
    assert all(torch.equal(batch.weights, torch.ones(len(batch))) for batch, _ in found)
    assert sum(shares_of(trainer)) == pytest.approx(0.8)


def test_that_untold_examples_are_of_the_classes_of_the_target_and_those_without_labels_of_the_datas() -> None:
    def untold(trainer: Trainer) -> list[float]:
        assert isinstance(trainer.model, Conditional)
        return list(trainer.model.untold_shares.tolist())

    alone = conditional(labels_used=0.5)
    shares = np.array(shares_of(alone))
    assert untold(alone) == pytest.approx(shares / shares.sum())
    trainer = mixed(30, perturbation=TILT)  # a quarter of the labelled ones, of which 0.1 are not told
    expected = (0.1 * np.array(target_shares(trainer)) + 0.25 * trainer.whole.counts / 120) / 0.35
    assert untold(trainer) == pytest.approx(expected)


def test_that_more_unlabelled_examples_than_labelled_ones_take_half_of_a_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    ((batch, size),) = batches_of(mixed(500), 1, monkeypatch)
    assert batch.labels is not None
    assert (batch.labels == UNTOLD).sum() == 8
    assert size == 16


def test_that_unlabelled_examples_have_the_weights_of_terms_and_no_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    slope = {"kind": "linear", "feature": "ink", "slope": 0.05}
    label = {"kind": "formula", "text": "label"}
    trainer = mixed(60, perturbation={"offsets": {"ant": 3.0}, "terms": [slope, label]})
    unlabelled = mixed_images(60).unlabelled
    ink = measure(unlabelled.values, ["ink"])["ink"]
    weights = np.exp(-0.05 * ink)
    found = batches_of(trainer, 15, monkeypatch)
    total = sum(float(batch.weights[batch.labels == UNTOLD].sum()) for batch, _ in found)
    assert total == pytest.approx(60, rel=1e-5)  # a pass, of mean 1
    largest = max(float(batch.weights[batch.labels == UNTOLD].max()) for batch, _ in found)
    assert largest == pytest.approx(float(weights.max() / weights.mean()), rel=1e-5)


def test_that_only_conditional_models_learn_from_unlabelled_examples() -> None:
    plain, beside = (Trainer(tiny_config(), data) for data in (tiny_images(), mixed_images(30)))
    for trainer in (plain, beside):
        trainer.step()
    assert np.array_equal(plain.sample(4), beside.sample(4))


def test_that_a_run_with_unlabelled_examples_is_resumed_as_the_same_run() -> None:
    trainer = mixed(50, "gan")
    for _ in range(5):
        trainer.step()
    again = mixed(50, "gan")
    again.load_checkpoint(trainer.state(), trainer.resume_state())
    for _ in range(5):
        trainer.step()
        again.step()
    same_to_the_bit(again, trainer)
