"""Stratified batches: quotas never a whole example off, passes without repeats, and the one expected gradient."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.perturb.planner import (
    BatchPlan,
    ErrorCarryPlanner,
    FixedSizePlanner,
    Planner,
    ResamplingPlanner,
    StratifiedPlanner,
)
from studio.perturb.planner.stratified import Turns, Visits

LABELS = np.repeat([0, 1, 2], [60, 30, 10])
OFFSETS = np.array([0.4, -1.0, -3.0])


def normalised(logs: np.ndarray) -> np.ndarray:
    return logs - np.log(np.exp(logs).mean())


def by_class() -> np.ndarray:
    """log w, the same for all examples of a class."""
    return normalised(-OFFSETS[LABELS])


def by_example(seed: int = 0) -> np.ndarray:
    """log w that varies within classes too."""
    return normalised(-OFFSETS[LABELS] + 0.7 * np.random.default_rng(seed).normal(size=len(LABELS)))


def planned(kind: type[Planner], logs: np.ndarray, steps: int, average_size: float = 16) -> list[BatchPlan]:
    planner = kind(logs, average_size, np.random.default_rng(3), labels=LABELS)
    return [planner.next() for _ in range(steps)]


def mass(plans: list[BatchPlan]) -> np.ndarray:
    """Σ w/B_avg that each example has received, in units of what one step gives the average example."""
    total = np.zeros(len(LABELS))
    for plan in plans:
        np.add.at(total, plan.indices, plan.weights / plan.average_size)
    return total * len(LABELS)


def members(label: int) -> np.ndarray:
    return np.flatnonzero(label == LABELS)


# -- the one expected gradient: Σ_j w_j·g_j/B_avg is linear in each example's mass, so the mass decides


@pytest.mark.parametrize("logs", [by_class(), by_example()], ids=["by class", "by example"])
@pytest.mark.parametrize("kind", [ErrorCarryPlanner, FixedSizePlanner, StratifiedPlanner])
def test_that_what_each_example_weighs_stays_within_a_fixed_distance_of_its_due(
    kind: type[Planner], logs: np.ndarray
) -> None:
    # Steps·w is due; a bound that does not grow with the steps makes the mean over steps exact: no standard error.
    weights = np.exp(logs)
    one_example = len(LABELS) / 16 * np.maximum(weights, 1.0)
    for steps in (500, 2500):
        plans = planned(kind, logs, steps)
        taken = steps + sum(plan.skipped for plan in plans)
        assert (np.abs(mass(plans) - taken * weights) <= 2.5 * one_example).all()


class OnAGrid(np.random.Generator):
    """A stream whose uniform numbers are the midpoints of a grid, so that a mean over draws is an enumeration."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def random(self, size=None, dtype=np.float64, out=None):
        return (np.arange(size) + 0.5) / size


def test_that_resampling_takes_each_example_in_exact_proportion_to_its_weight_by_enumeration() -> None:
    weights = np.array([1.0, 2.0, 3.0, 10.0] * 4)
    planner = ResamplingPlanner(normalised(np.log(weights)), 16, OnAGrid())
    planner._set_size(64.0)  # as many draws as there are sixty-fourths of the total weight
    assert np.bincount(planner.next().indices).tolist() == weights.tolist()


def test_that_a_batch_of_each_planner_has_the_same_mean_to_its_standard_error() -> None:
    logs, steps = by_example(), 2000
    observed = np.random.default_rng(9).normal(size=len(LABELS)) + LABELS
    wanted = float(np.exp(logs) @ observed / len(LABELS))
    for kind in (ErrorCarryPlanner, FixedSizePlanner, ResamplingPlanner, StratifiedPlanner):
        plans = planned(kind, logs, steps)
        means = [float(plan.weights @ observed[plan.indices]) / plan.average_size for plan in plans]
        error = float(np.std(means)) / np.sqrt(steps)
        assert np.mean(means) == pytest.approx(wanted, abs=4 * error), kind.__name__


@pytest.mark.parametrize("kind", [FixedSizePlanner, ResamplingPlanner, StratifiedPlanner])
def test_that_a_fraction_of_an_example_is_carried_and_not_rounded_away(kind: type[Planner]) -> None:
    for average_size in (8.4, 8.06):
        sizes = [len(plan.indices) for plan in planned(kind, by_class(), 50, average_size=average_size)]
        assert set(sizes) == {8, 9}
        assert sum(sizes) == round(50 * average_size)


def test_that_a_fixed_size_in_the_raw_gauge_holds_b_avg_in_units_of_weight() -> None:
    raw = by_class() + np.log(4.0)  # mean weight 4: a quarter of the examples
    plans = planned(FixedSizePlanner, raw, 300)
    assert {len(plan.indices) for plan in plans} == {4}
    assert np.mean([plan.adjusted_size for plan in plans]) == pytest.approx(16, rel=0.02)
    assert {plan.skipped for plan in planned(FixedSizePlanner, raw, 20, average_size=1)} == {3}
    errors = [plan.err for plan in planned(FixedSizePlanner, raw, 4, average_size=18)]
    np.testing.assert_allclose(errors, [2, 0, 2, 0], atol=1e-5)


# -- quotas of classes


@given(st.integers(1, 12), st.integers(1, 40), st.integers(0, 2**32 - 1), st.sampled_from([0.5, 2.0, 8.0]))
def test_that_places_are_dealt_by_share_and_never_a_whole_one_off(
    classes: int, size: int, seed: int, spread: float
) -> None:
    rng = np.random.default_rng(seed)
    turns = Turns(rng.random(classes))
    mass = np.exp(spread * rng.normal(size=classes))
    turns.shares = mass / mass.sum()
    had = np.zeros(classes)
    for step in range(1, 40):
        dealt = turns.deal(size)
        assert dealt.sum() == size
        assert (dealt >= 0).all()
        had += dealt
        # There is a time t, the same for all classes, by which each has had ⌊t·p′ + u⌋ of its places.
        low, high = ((had - 1) / turns.shares).max(), ((had + 1) / turns.shares).min()
        assert low <= high * (1 + 1e-9)
        assert abs(step * size - (low + high) / 2) <= classes + 1e-6 + (high - low) / 2


def test_that_each_class_has_its_target_share_after_any_number_of_batches() -> None:
    logs = by_class()
    shares = np.bincount(LABELS, weights=np.exp(logs)) / len(LABELS)
    had = np.zeros(3)
    for step, plan in enumerate(planned(StratifiedPlanner, logs, 400), start=1):
        assert len(plan.indices) == 16
        assert (plan.weights == 1).all()
        had += np.bincount(LABELS[plan.indices], minlength=3)
        assert (np.abs(had - 16 * step * shares) <= 1 + 3 * shares).all()


def test_that_a_class_that_weighs_nothing_gets_no_place_and_stops_nothing() -> None:
    logs = normalised(np.where(LABELS == 1, -2000.0, 0.0))
    plans = planned(StratifiedPlanner, logs, 50)
    assert not any((LABELS[plan.indices] == 1).any() for plan in plans)


# -- visits within a class


def test_that_every_example_of_a_class_comes_before_any_comes_again() -> None:
    stream = np.concatenate([plan.indices for plan in planned(StratifiedPlanner, by_class(), 400)])
    for label, count in enumerate(np.bincount(LABELS)):
        # A batch is shuffled, so the border of two passes shows only up to a batch; counts tell them apart.
        seen = np.bincount(stream[LABELS[stream] == label], minlength=len(LABELS))[members(label)]
        assert seen.max() - seen.min() <= 1
        assert seen.sum() > 3 * count


@given(st.integers(1, 40), st.integers(0, 2**32 - 1), st.sampled_from([0.1, 1.0, 3.0]))
def test_that_examples_are_visited_by_their_rates_and_never_a_whole_visit_off(
    count: int, seed: int, spread: float
) -> None:
    rng = np.random.default_rng(seed)
    rates = np.exp(spread * rng.normal(size=count))
    rates /= rates.mean()
    visits = Visits(np.arange(count), rng)
    visits.set_rates(rates)
    had, owed = np.zeros(count), visits._credit.copy()
    for _ in range(60):
        had += np.bincount(visits.take(count), minlength=count)
        allotted = had + np.bincount(visits._left, minlength=count)
        passes = np.round((allotted + visits._credit - owed).sum() / count)  # rates have mean 1
        beyond = passes * rates + owed - allotted  # what ⌊P·v + u⌋ leaves
        assert (beyond > -1e-9).all()
        assert (beyond < 1 + 1e-9).all()


def test_that_an_edit_of_offsets_keeps_every_class_at_its_place() -> None:
    planner = StratifiedPlanner(by_class(), 8, np.random.default_rng(0), labels=LABELS)
    before = np.concatenate([planner.next().indices for _ in range(4)])
    planner.retarget(normalised(OFFSETS[LABELS]), revision=5)
    plans = [planner.next() for _ in range(40)]
    assert {plan.revision for plan in plans} == {5}
    stream = np.concatenate([before, *(plan.indices for plan in plans)])
    for label in range(3):
        seen = np.bincount(stream[LABELS[stream] == label], minlength=len(LABELS))[members(label)]
        assert seen.max() - seen.min() <= 1
    shares = np.bincount(LABELS, weights=np.exp(normalised(OFFSETS[LABELS]))) / len(LABELS)
    dealt = np.bincount(LABELS[np.concatenate([plan.indices for plan in plans])], minlength=3)
    assert (np.abs(dealt - 320 * shares) <= 2 + 3 * shares).all()


def test_that_an_edit_within_a_class_takes_nobody_again_who_became_rarer() -> None:
    rng = np.random.default_rng(4)
    rates = np.exp(rng.normal(size=200))
    rates /= rates.mean()
    visits = Visits(np.arange(200), rng)
    visits.set_rates(np.ones(200))
    first = visits.take(90)
    visits.set_rates(rates)
    rest = visits._left
    assert not np.intersect1d(rest, first[rates[first] <= 1]).size
    had = np.bincount(np.concatenate([visits.take(len(rest)), visits.take(20_000)]), minlength=200)
    assert had / had.sum() * 200 == pytest.approx(rates, rel=0.02, abs=0.02)


def test_that_a_class_whose_giant_shrank_does_not_starve_it() -> None:
    rates = np.zeros(50)
    rates[0] = 50.0
    visits = Visits(np.arange(50), np.random.default_rng(0))
    visits.set_rates(rates)
    assert (visits.take(40) == 0).all()
    visits.set_rates(np.ones(50))
    assert len(visits._left) == pytest.approx(10, abs=8)  # a fifth of the pass
    had = np.bincount(visits.take(len(visits._left) + 50), minlength=50)
    assert set(had.tolist()) <= {1, 2}


# -- edits amid a pass: the next batches are of the new target, whatever came before


HALF = np.repeat([True, False], 1000)


def tilted(rate: float) -> np.ndarray:
    """log w of a class whose first half is taken `rate` times as often as the average example."""
    rates: np.ndarray = np.where(HALF, rate, 2 - rate)
    return np.asarray(np.log(rates))


def heavier_after(
    kind: type[Planner], edits: list[tuple[float, float]], seed: int, *, first: float = 1.0, resumed: bool = False
) -> float:
    """Share of weight that the first half has in the 20 steps after edits, each (epochs, rate)."""
    rng = np.random.default_rng(seed)
    planner = kind(tilted(first), 50, rng)
    for epochs, rate in edits:
        while planner.epoch < epochs:
            planner.next()
        planner.retarget(tilted(rate), revision=1)
    if resumed:
        again = kind(tilted(edits[-1][1]), 50, rng)
        again.restore(planner.state())
        planner = again
    plans = [planner.next() for _ in range(20)]
    heavier = sum(float(plan.weights[HALF[plan.indices]].sum()) for plan in plans)
    return heavier / sum(plan.adjusted_size for plan in plans)


@pytest.mark.parametrize("kind", [ErrorCarryPlanner, FixedSizePlanner, StratifiedPlanner])
@pytest.mark.parametrize("part", [0.1, 0.5, 0.9])
def test_that_the_batches_after_an_edit_are_of_the_new_target(kind: type[Planner], part: float) -> None:
    found = [heavier_after(kind, [(part, 1.9)], seed) for seed in range(12)]
    assert np.mean(found) == pytest.approx(0.95, abs=2 * np.sqrt(0.95 * 0.05 / (12 * 1000)))


@given(
    st.lists(st.tuples(st.floats(0.05, 1.6), st.floats(0.05, 1.95)), min_size=1, max_size=4),
    st.floats(0.05, 1.95),
    st.booleans(),
    st.sampled_from([ErrorCarryPlanner, FixedSizePlanner, StratifiedPlanner]),
)
@settings(max_examples=10, derandomize=True)
def test_that_the_batches_after_any_edits_are_of_the_last_target(
    edits: list[tuple[float, float]], first: float, resumed: bool, kind: type[Planner]
) -> None:
    edits = sorted(edits, key=lambda edit: edit[0])
    found = [heavier_after(kind, edits, seed, first=first, resumed=resumed) for seed in range(8)]
    wanted = edits[-1][1] / 2
    assert np.mean(found) == pytest.approx(wanted, abs=3.5 * np.sqrt(wanted * (1 - wanted) / (8 * 1000)) + 1e-3)


@given(st.integers(20, 60), st.integers(0, 2**32 - 1), st.lists(st.floats(0.0, 1.0), min_size=1, max_size=3))
@settings(max_examples=10, derandomize=True)
def test_that_what_is_left_of_a_pass_goes_by_the_rates_of_now(count: int, seed: int, parts: list[float]) -> None:
    draw = np.random.default_rng(seed)
    each = [np.exp(draw.normal(size=count)) for _ in range(len(parts) + 1)]
    rates = [one / one.mean() for one in each]
    left, due = np.zeros(count), np.zeros(count)
    for replicate in range(60):
        visits = Visits(np.arange(count), np.random.default_rng([seed, replicate]))
        visits.set_rates(rates[0])
        visits.take(1)
        for part, later in zip(parts, rates[1:], strict=True):
            visits.take(int(part * len(visits._left)))
            due = due if later is not rates[-1] else due + len(visits._left) / count * later
            visits.set_rates(later)
        left += np.bincount(visits._left, minlength=count)
    # What an example has left varies by about its mean, and by a quarter where the mean is far below one.
    heavy = rates[-1] > 1
    for group in (heavy, ~heavy):
        spread = np.sqrt(60 * (due[group] / 60 + 0.25).sum())
        assert left[group].sum() == pytest.approx(due[group].sum(), abs=4 * spread)


# -- why examples are drawn and not counted


def test_that_drawing_within_a_class_adds_the_stated_variance_and_counting_adds_more() -> None:
    rng = np.random.default_rng(11)
    count, size, steps = 4000, 20, 3000
    logs = normalised(0.8 * rng.normal(size=count))
    rates, observed = np.exp(logs), rng.normal(size=count)
    drawn = StratifiedPlanner(logs, size, np.random.default_rng(1))
    counted = FixedSizePlanner(logs, size, np.random.default_rng(1))
    for planner, power in ((drawn, 1), (counted, 2)):
        plans = [planner.next() for _ in range(steps)]
        means = [float(plan.weights @ observed[plan.indices]) / size for plan in plans]
        mean = float(np.mean(rates * observed))
        wanted = (np.mean(rates**power * observed**2) - mean**2) / size
        # The variance of 3,000 values has a standard error of √(2/3000) = 2.6 %.
        assert np.var(means) == pytest.approx(wanted, rel=0.08)
