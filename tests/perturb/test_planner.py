"""The planners against the note's literal loop, and the identities that make them unbiased."""

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.errors import UserError
from studio.perturb.planner import ErrorCarryPlanner, FixedSizePlanner, Planner, ResamplingPlanner, StratifiedPlanner

PLANNERS = (ErrorCarryPlanner, FixedSizePlanner, ResamplingPlanner, StratifiedPlanner)


class Unshuffled(np.random.Generator):
    """A stream whose permutations leave the order as it is, so that plans can be compared with a plain loop."""

    def __init__(self) -> None:
        super().__init__(np.random.PCG64(0))

    def permutation(self, x, axis=0):
        return np.arange(x)


def literal_loop(weights: np.ndarray, average_size: float, steps: int) -> list[list[int]]:
    """The note's rule, word by word, over an endless stream of examples; empty steps included."""
    err, position, batches = 0.0, 0, []
    for _ in range(steps):
        err += average_size
        running, batch = 0.0, []
        while running + weights[position % len(weights)] <= err:
            running += weights[position % len(weights)]
            batch.append(position % len(weights))
            position += 1
        err -= running
        batches.append(batch)
    return batches


@contextmanager
def planned_by(piece: int) -> Iterator[None]:
    """So many examples at a time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("studio.perturb.planner.error_carry._PIECE", piece)
        yield


@st.composite
def weighted_sets(draw: st.DrawFn) -> tuple[np.ndarray, float]:
    size = draw(st.integers(3, 60))
    spread = draw(st.sampled_from([0.1, 1.0, 3.0]))
    seed = draw(st.integers(0, 2**32 - 1))
    weights = np.exp(spread * np.random.default_rng(seed).normal(size=size))
    # A mean that is no fraction of the batch size: at an exact tie, rounding may decide either way.
    return weights / weights.mean() * np.sqrt(1.1), draw(st.floats(0.3, size / 2))


@given(weighted_sets(), st.sampled_from([1, 7, 2**20]))
def test_that_error_carry_is_the_literal_loop_also_for_weights_above_the_batch_size(
    case: tuple[np.ndarray, float], piece: int
) -> None:
    weights, average_size = case
    wanted = literal_loop(weights, average_size, 80)
    with planned_by(piece):
        planner = ErrorCarryPlanner(np.log(weights), average_size, Unshuffled())
        skipped = 0
        for batch in wanted:
            if not batch:
                skipped += 1
                continue
            plan = planner.next()
            assert plan.indices.tolist() == batch
            assert plan.skipped == skipped
            skipped = 0


@given(weighted_sets(), st.integers(0, 60), st.sampled_from([7, 2**20]))
def test_that_a_place_in_an_epoch_is_taken_up(case: tuple[np.ndarray, float], taken: int, piece: int) -> None:
    weights, average_size = case
    with planned_by(piece):
        whole, again = (ErrorCarryPlanner(np.log(weights), average_size, Unshuffled()) for _ in range(2))
        for _ in range(taken):
            whole.next()
        again.restore(whole.state())
        for _ in range(40):
            wanted, found = whole.next(), again.next()
            assert found.indices.tolist() == wanted.indices.tolist()
            assert found.err == pytest.approx(wanted.err, abs=1e-9)


@given(weighted_sets())
def test_that_the_carried_error_stays_below_the_pending_weight(case: tuple[np.ndarray, float]) -> None:
    weights, average_size = case
    planner = ErrorCarryPlanner(np.log(weights), average_size, Unshuffled())
    steps, used, taken = 0, 0.0, 0
    for _ in range(60):
        plan = planner.next()
        steps += 1 + plan.skipped
        used += plan.adjusted_size
        taken += len(plan.indices)
        left = steps * average_size - used
        pending = weights[taken % len(weights)]
        assert -1e-9 * steps <= left < pending * (1 + 1e-9) + 1e-9
        assert plan.err == pytest.approx(left, abs=1e-9 * max(1.0, steps * average_size))


@pytest.mark.parametrize("kind", [ErrorCarryPlanner, FixedSizePlanner])
def test_that_every_example_comes_exactly_once_an_epoch(kind: type[Planner]) -> None:
    rng = np.random.default_rng(5)
    logs = rng.normal(size=1000)
    planner = kind(logs - np.log(np.exp(logs).mean()), 16, rng)
    stream = np.concatenate([planner.next().indices for _ in range(300)])
    for start in range(0, len(stream) - 1000, 1000):
        assert np.array_equal(np.sort(stream[start : start + 1000]), np.arange(1000))


@pytest.mark.parametrize("kind", PLANNERS)
def test_that_each_planner_gives_each_example_its_weight_on_average(kind: type[Planner]) -> None:
    rng = np.random.default_rng(1)
    weights = np.repeat([0.2, 0.6, 3.0], [10, 10, 5])
    weights = weights / weights.mean()
    planner = kind(np.log(weights), 4, rng)
    mass, steps = np.zeros(25), 0
    for _ in range(20_000 if kind is ResamplingPlanner else 4_000):
        plan = planner.next()
        steps += 1 + plan.skipped
        np.add.at(mass, plan.indices, plan.weights / plan.average_size)
    # Each step gives the class e^{-ΔH}-weighted share of one whole batch: Σ_j w_j/B_avg → steps · w_j/N.
    # Drawn with replacement, an example's count has a standard error of 4 %; the classes' means are closer.
    assert mass / steps * 25 == pytest.approx(weights, rel=0.2)
    groups = [slice(0, 10), slice(10, 20), slice(20, 25)]
    assert [(mass / steps * 25)[g].mean() for g in groups] == pytest.approx(
        [weights[g].mean() for g in groups], rel=0.02
    )


@pytest.mark.parametrize("kind", PLANNERS)
def test_that_zero_offsets_plan_whole_unweighted_batches(kind: type[Planner]) -> None:
    planner = kind(np.zeros(640), 64, np.random.default_rng(0))
    for _ in range(25):
        plan = planner.next()
        assert len(plan.indices) == 64
        assert (plan.weights == 1).all()
        assert (plan.err, plan.skipped, plan.effective_size) == (0, 0, 64)


def test_that_an_edit_within_an_epoch_keeps_the_error_and_the_position() -> None:
    rng = np.random.default_rng(3)
    first = rng.normal(size=500) * 0.5
    second = rng.normal(size=500) * 0.5
    first -= np.log(np.exp(first).mean())
    second -= np.log(np.exp(second).mean())
    planner = ErrorCarryPlanner(first, 8, Unshuffled())
    before = [planner.next() for _ in range(20)]
    planner.retarget(second, revision=7)
    after = planner.next()
    taken = sum(len(plan.indices) for plan in before)
    assert after.revision == 7
    assert after.indices[0] == taken
    # The literal rule, continued with the new weights from the credit that was left.
    budget = before[-1].err + 8
    cumulative = np.cumsum(np.exp(second[taken:]))
    assert len(after.indices) == np.searchsorted(cumulative, budget, side="right")
    rest = np.concatenate([after.indices, *(planner.next().indices for _ in range(80))])
    assert np.array_equal(rest[: 500 - taken], np.arange(taken, 500))


def test_that_of_millions_of_weights_a_part_is_planned_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []
    original = np.searchsorted

    def counted(*arguments, **options):
        calls.append(len(arguments[0]))
        return original(*arguments, **options)

    monkeypatch.setattr(np, "searchsorted", counted)
    planner = ErrorCarryPlanner(np.zeros(3_000_000), 64, np.random.default_rng(0))
    plans = [planner.next() for _ in range(100)]
    assert calls == [2**20]
    assert sum(plan.adjusted_size for plan in plans) == 6400


def test_that_a_planner_is_reproducible_from_its_seed() -> None:
    logs = np.random.default_rng(0).normal(size=200)
    logs -= np.log(np.exp(logs).mean())
    one, two = (ErrorCarryPlanner(logs, 8, np.random.default_rng(42)) for _ in range(2))
    for _ in range(60):
        assert np.array_equal(one.next().indices, two.next().indices)


def test_that_a_batch_larger_than_the_data_is_refused() -> None:
    with pytest.raises(UserError, match="more examples than the data set has"):
        ErrorCarryPlanner(np.zeros(50), 51, np.random.default_rng(0))


def test_that_raw_weights_out_of_scale_are_refused_and_the_old_ones_stay() -> None:
    planner = ErrorCarryPlanner(np.zeros(500), 16, Unshuffled())
    planner.next()
    for extreme, says in (
        (800.0, r"10\^346 batches of 16"),
        (-800.0, r"mean weight 10\^-347"),
        (10.0, r"1\.38e\+03 b"),
    ):
        with pytest.raises(UserError, match=says):
            planner.retarget(np.full(500, extreme), revision=1)
    plan = planner.next()
    assert plan.revision == 0
    assert plan.indices[0] == 16


def test_that_one_example_may_outweigh_many_batches_without_starving_the_rest() -> None:
    logs = np.full(1000, -700.0)
    logs[17] = np.log(1000.0)
    planner = ErrorCarryPlanner(logs, 10, Unshuffled())
    first, second = planner.next(), planner.next()
    # The 17 before it are taken, but all of them together add nothing: one stands for the step.
    assert len(first.indices) == 1
    assert first.indices[0] < 17
    assert second.indices.tolist() == [17]
    assert second.skipped == 98
    assert planner.examples_planned == 1017  # up to itself in the next epoch


@given(st.integers(3, 60), st.sampled_from([5.0, 20.0, 300.0]), st.integers(0, 2**32 - 1), st.floats(0.3, 20))
def test_that_what_adds_nothing_is_left_out_of_batches_that_are_else_the_literal_loops(
    size: int, spread: float, seed: int, average_size: float
) -> None:
    logs = spread * np.random.default_rng(seed).normal(size=size)
    weights = np.exp(logs - np.logaddexp.reduce(logs)) * size * np.sqrt(1.1)
    average_size = min(average_size, size / 2)
    planner = ErrorCarryPlanner(np.log(np.maximum(weights, 1e-300)), average_size, Unshuffled())
    nothing = 1e-9 * average_size
    skipped = 0
    for batch in literal_loop(np.maximum(weights, 1e-300), average_size, 60):
        if not batch:
            skipped += 1
            continue
        plan = planner.next()
        assert plan.skipped == skipped
        skipped = 0
        left_out = sorted(set(batch) - set(plan.indices.tolist()))
        assert plan.adjusted_size == pytest.approx(weights[batch].sum(), abs=nothing)
        assert weights[left_out].sum() < nothing
        # In order, and as few as can be: the lightest of them would not fit among what is left out.
        assert plan.indices.tolist() == [each for each in batch if each not in left_out]
        assert len(plan.indices) == 1 or weights[left_out].sum() + plan.weights.min() >= nothing


def test_that_a_tilt_that_leaves_one_example_reads_no_other() -> None:
    """A whole epoch of examples that weigh nothing was read and trained on at once."""
    logs = np.linspace(-2000.0, 0.0, 5000)
    for kind in (ErrorCarryPlanner, FixedSizePlanner):
        planner = kind(logs - np.logaddexp.reduce(logs) + np.log(5000), 8, np.random.default_rng(0))
        plans = []
        while planner.epoch < 4:
            plans.append(planner.next())
        assert max(len(plan.indices) for plan in plans) < 60
        assert sum(plan.adjusted_size for plan in plans) == pytest.approx(4 * 5000, abs=5000)


@pytest.mark.parametrize("kind", PLANNERS)
def test_that_no_batch_is_empty_where_an_epoch_ends_with_its_batch(kind: type[Planner]) -> None:
    """Weights that add up to whole batches leave nothing over, and the next epoch may begin with w > B_avg."""
    weights = np.array([4.0] * 2 + [0.5] * 16)
    for seed in range(20):
        planner = kind(np.log(weights), 2, np.random.default_rng(seed))
        assert all(len(planner.next().indices) for _ in range(60))


@pytest.mark.parametrize("kind", PLANNERS)
def test_that_an_edit_just_between_two_epochs_is_taken(kind: type[Planner]) -> None:
    planner = kind(np.zeros(64), 8, np.random.default_rng(0))
    for _ in range(8):
        planner.next()
    planner.retarget(np.repeat([0.5, -0.8], 32), revision=1)
    plans = [planner.next() for _ in range(30)]
    assert all(plan.revision == 1 and len(plan.indices) for plan in plans)
    if kind is ErrorCarryPlanner:
        assert sum(plan.adjusted_size for plan in plans) == pytest.approx(30 * 8 - plans[-1].err)
