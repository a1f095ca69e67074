"""The classes have the shares in training that are shown for them, however few examples are held out or left."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.data.image_set import ImageSet
from studio.perturb.diagnostics import summarise
from studio.perturb.energy import Energy
from studio.perturb.perturbation import Gauge, Perturbation
from studio.perturb.terms import LinearTerm
from studio.training.config.planners import PlannerKind
from studio.training.engine.trainer import Trainer
from studio.training.examples.measured_set import whole_log_weights
from studio.training.examples.split import kept_class_log_weights, kept_indices, kept_log_weights
from tests.training.conftest import tiny_config

COUNTS = (1000, 9, 5, 2, 1)
TILT = Perturbation(offsets=(0.0, 0.0, 0.0, 0.0, -2.0))


def images_of(counts: tuple[int, ...]) -> ImageSet:
    """Noise of 4×4 pixels, so many of each class."""
    labels = np.repeat(np.arange(len(counts)), counts).astype(np.int64)
    images = np.random.default_rng(0).integers(0, 256, (len(labels), 4, 4, 1), dtype=np.uint8)
    return ImageSet(
        name="Noise", images=images, labels=labels, class_names=tuple(f"class {each}" for each in range(len(counts)))
    )


def trained_shares(trainer: Trainer) -> np.ndarray:
    weights = np.exp(trainer.log_weights)
    return np.bincount(trainer.data.labels, weights=weights) / weights.sum()


def test_that_a_file_that_cannot_be_read_holds_out_no_other_examples() -> None:
    whole = images_of((60, 40))
    numbers = np.delete(np.arange(100), [3, 77])
    part = ImageSet(
        name="Noise",
        images=whole.images[numbers],
        labels=whole.labels[numbers],
        class_names=whole.class_names,
        listed=tuple(map(str, range(100))),
        numbers=numbers,
    )
    of_whole, of_part = kept_indices(whole, 0.2, 7), numbers[kept_indices(part, 0.2, 7)]
    assert len((set(of_whole) ^ set(of_part)) - {3, 77}) <= 2  # one in the place of another, in each class


@pytest.mark.parametrize("held_out", [0.1, 0.5])
@pytest.mark.parametrize("gauge", Gauge)
def test_that_a_class_of_one_example_is_trained_at_the_share_that_is_shown(held_out: float, gauge: Gauge) -> None:
    trainer = Trainer(tiny_config(held_out=held_out), images_of(COUNTS))
    trainer.retarget(Perturbation(offsets=TILT.offsets, gauge=gauge, revision=1))
    shown = summarise(trainer.perturbation, COUNTS, 8).target
    assert shown[-1] == pytest.approx(0.0072, abs=5e-5)
    assert trained_shares(trainer) == pytest.approx(shown, rel=1e-9)
    weights = np.exp(whole_log_weights(trainer.perturbation, trainer.measured))
    evaluated = np.bincount(trainer.measured.labels, weights=weights) / weights.sum()
    assert evaluated == pytest.approx(shown, rel=1e-9)


@given(
    st.lists(st.integers(1, 300), min_size=2, max_size=8),
    st.floats(0.0, 0.5),
    st.integers(0, 2**32 - 1),
    st.sampled_from([0.0, 1.0, 20.0, 400.0]),
    st.sampled_from([0.0, 1.0, 30.0]),
)
@settings(max_examples=80)
def test_that_classes_keep_their_masses_for_any_counts_and_weights(
    counts: list[int], held_out: float, seed: int, between: float, within: float
) -> None:
    rng = np.random.default_rng(seed)
    data = images_of(tuple(counts))
    energy = between * rng.uniform(-1, 1, len(counts))[data.labels] + within * rng.normal(size=len(data))
    logs = -energy - np.logaddexp.reduce(-energy) + np.log(len(data))
    kept = kept_indices(data, held_out, 0)
    found = kept_log_weights(logs, data.labels, kept)
    for label in range(len(counts)):
        wanted = np.logaddexp.reduce(logs[data.labels == label]) - np.log(len(data))
        given_ = np.logaddexp.reduce(found[data.labels[kept] == label]) - np.log(len(kept))
        assert given_ == pytest.approx(wanted, abs=0.02)
    assert np.logaddexp.reduce(found) == pytest.approx(np.log(len(kept)), abs=2e-3)


@pytest.mark.parametrize("offsets", [(0.0, 0.0, 1.0), (700.0, -700.0, 0.0), (1.0, 1.0, 1.0), (0.0, -700.0, 700.0)])
@pytest.mark.parametrize("counts", [(30, 7, 1), (3000, 2900, 2100), (30, 0, 3)])
def test_that_weights_by_class_are_those_by_example(offsets: tuple[float, ...], counts: tuple[int, ...]) -> None:
    number = np.array(counts)
    labels = np.repeat(np.arange(3), counts)
    logs = Perturbation(offsets=offsets).class_log_weights(number)
    kept = np.flatnonzero(np.random.default_rng(0).random(len(labels)) < 0.8)
    kept = np.union1d(kept, np.unique(labels, return_index=True)[1])
    ours = np.bincount(labels[kept], minlength=3)
    by_class = kept_class_log_weights(logs, number, ours)[labels[kept]]
    assert kept_log_weights(logs[labels], labels, kept) == pytest.approx(by_class, abs=1e-9)


@pytest.mark.parametrize("counts", [(5000, 4321), (4997, 3989, 6007), (50, 20, 10)])
def test_that_equal_offsets_leave_weights_at_one(counts: tuple[int, ...]) -> None:
    """Where rounding takes less than a thousandth of a class's share, or nothing."""
    trainer = Trainer(tiny_config(held_out=0.1), images_of(counts))
    assert (np.exp(trainer.log_weights) == 1).all()


def test_that_a_tilt_by_example_keeps_the_class_masses_of_the_whole_set() -> None:
    trainer = Trainer(tiny_config(held_out=0.4), images_of(COUNTS))
    energy = Energy(terms=(LinearTerm(feature="mean", slope=0.05),))
    trainer.retarget(Perturbation(offsets=TILT.offsets, energy=energy, revision=1))
    weights = np.exp(whole_log_weights(trainer.perturbation, trainer.measured))
    shown = np.bincount(trainer.measured.labels, weights=weights) / weights.sum()
    assert trained_shares(trainer) == pytest.approx(shown, rel=1e-9)


@pytest.mark.parametrize("planner", PlannerKind)
def test_that_batches_of_every_planner_have_the_share_that_is_shown(planner: PlannerKind) -> None:
    batch = {"average_size": 16, "planner": str(planner)}
    trainer = Trainer(tiny_config(held_out=0.5, batch=batch, seed=2), images_of((40, 3, 1)))
    trainer.retarget(Perturbation(offsets=(0.0, 0.0, -3.0), revision=1))
    shown = summarise(trainer.perturbation, (40, 3, 1), 16).target
    mass = np.zeros(3)
    for _ in range(1500):
        plan = trainer._planner.next()
        mass += np.bincount(trainer.data.labels[plan.indices], weights=plan.weights, minlength=3)
    assert mass / mass.sum() == pytest.approx(shown, abs=0.012)
