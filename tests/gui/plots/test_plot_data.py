"""What curves and histograms are made of: extremes kept at any length, ranges that stand still, round ticks."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.gui.plots.axis import linear_ticks, log_label, log_ticks, nice_above, number_label, steps_shown, sticky
from studio.gui.plots.bins import make_bins, shares, value_edges
from studio.gui.state.envelope import Envelope
from studio.gui.state.history import History
from studio.number_text import whole


def _fed(column: np.ndarray, pieces: int = 1) -> Envelope:
    envelope, steps = Envelope(), 10.0 * np.arange(len(column), dtype=np.float64)
    for end in np.linspace(0, len(column), pieces + 1).astype(int)[1:]:
        envelope.update(steps[:end], column[:end])
    return envelope


@given(st.integers(1, 30_000), st.integers(1, 7), st.integers(0, 2**32 - 1))
def test_that_a_view_has_every_extreme_and_few_points(length: int, pieces: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    column = rng.standard_normal(length)
    points = _fed(column, pieces).view(0, length, 100)
    assert len(points.x) <= 2 * 100 + 9
    assert points.y.min() == column.min()
    assert points.y.max() == column.max()
    assert (np.diff(points.x) >= 0).all()
    assert points.y[-1] == column[-1]


@given(st.integers(0, 40_000), st.integers(0, 40_000), st.integers(0, 2**32 - 1))
def test_that_a_part_is_seen_as_it_is(first: int, last: int, seed: int) -> None:
    column = np.random.default_rng(seed).standard_normal(30_000)
    points = _fed(column).view(first, last, 50)
    part = column[first:last]
    if len(part):
        assert points.y.max() >= part.max()
        assert points.y.min() <= part.min()


def test_that_a_history_keeps_all_its_points_as_it_grows_and_has_none_before_a_column_began() -> None:
    history, points, late = History(), 5_000, 3_000
    for step in range(points):
        values = {"loss": float(step)} | ({"gap": -float(step)} if step >= late else {})
        history.append(10 * step, values)
    assert history.steps.tolist() == list(range(0, 10 * points, 10))
    assert history.column("loss").tolist() == list(range(points))
    assert np.isnan(history.column("gap")[:late]).all()
    assert history.column("gap")[late:].tolist() == [-step for step in range(late, points)]


def test_that_columns_move_to_larger_arrays_one_at_a_time() -> None:
    """So that no frame has to wait until all of a long run's numbers were copied."""
    history, names = History(), [f"column {number}" for number in range(12)]

    def stores() -> list[int]:
        return [id(history.column(name).base) for name in names] + [id(history.steps.base)]

    history.append(0, dict.fromkeys(names, 0.0))
    moved, before = [], stores()
    for step in range(1, 10_000):
        history.append(step, dict.fromkeys(names, 0.0))
        now = stores()
        moved.append(sum(one != other for one, other in zip(before, now, strict=True)))
        before = now
    assert max(moved) == 1
    assert sum(moved) >= 3 * len(names)


def test_that_short_curves_are_drawn_as_they_are() -> None:
    column = np.array([3.0, np.nan, 1.0, np.inf])
    points = _fed(column).view(0, 4, 100)
    assert points.x.tolist() == [0, 20]
    assert points.y.tolist() == [3, 1]


def test_that_a_column_without_a_number_gives_no_points() -> None:
    envelope = _fed(np.full(5_000, np.nan))
    assert len(envelope.view(0, 5_000, 50).x) == 0
    assert len(envelope.smoothed(0, 5_000, 50, 10).x) == 0
    assert len(_fed(np.empty(0)).view(0, 0, 50).x) == 0
    assert len(_fed(np.empty(0)).smoothed(0, 0, 50, 3).x) == 0


def test_that_groups_stand_still_while_points_come_in() -> None:
    column = np.random.default_rng(0).standard_normal(50_000)
    early = _fed(column[:40_000]).view(0, 40_000, 100)
    late = _fed(column).view(0, 50_000, 100)
    assert early.y[:100].tolist() == late.y[:100].tolist()


def test_that_noise_is_not_drawn_over_the_same_pixels_twice() -> None:
    """A stroke goes through the range of each bucket once; all of them together are about its length."""
    points = _fed(np.random.default_rng(0).random(1_000_000)).view(0, 1_000_000, 100)
    buckets = len(points.x) // 2
    assert 0.9 * buckets < np.abs(np.diff(points.y)).sum() / np.ptp(points.y) < 1.2 * buckets


def test_that_smoothing_is_the_mean_of_the_last_values() -> None:
    column = np.array([1.0, 3.0, np.nan, 5.0, 7.0])
    points = _fed(column, pieces=3).smoothed(0, 5, 100, 2)
    assert points.x.tolist() == [0, 10, 20, 30, 40]
    assert points.y.tolist() == [1, 2, 3, 5, 6]


def test_that_a_huge_curve_costs_no_more_points_than_the_screen_has() -> None:
    column = np.sin(np.arange(1_000_000) / 5e4)
    envelope = _fed(column, pieces=4)
    assert len(envelope.view(0, 10**6, 500).x) <= 1_010
    assert len(envelope.smoothed(0, 10**6, 500, 100).x) <= 502


@pytest.mark.parametrize(("value", "above"), [(100, 100), (101, 150), (0.7, 0.8), (99_999, 100_000), (1.0, 1.0)])
def test_that_ranges_end_at_round_numbers(value: float, above: float) -> None:
    assert nice_above(value) == pytest.approx(above)


def test_that_steps_stay_put_while_the_run_goes_on() -> None:
    assert steps_shown(0, None) == (0, 100)
    assert steps_shown(210, None) == steps_shown(249, None) == (0, 250)
    assert steps_shown(12_001, 1_000) == steps_shown(12_125, 1_000) == (11_125, 12_125)


def test_that_the_range_of_values_moves_only_when_it_must() -> None:
    first = sticky(None, 0.0, 10.0)
    assert sticky(first, 0.5, 9.0) == first
    assert sticky(first, 0.5, 20.0) != first
    assert sticky(first, 4.0, 5.0) != first
    low, high = sticky(None, 3.0, 3.0)
    assert low < 3 < high


def test_that_ticks_are_round() -> None:
    assert linear_ticks(0, 10, 5) == [0, 2, 4, 6, 8, 10]
    assert linear_ticks(1, 1, 5) == []
    assert " ".join(log_label(tick) for tick in log_ticks(-2, 0.8, 8)) == "0.01 0.02 0.05 0.1 0.2 0.5 1 2 5"
    assert " ".join(log_label(tick) for tick in log_ticks(-1.8, -0.55, 2)) == "0.02 0.2", "no text over text"
    assert [log_label(tick) for tick in log_ticks(-10, 1, 4)] == ["10⁻⁹", "10⁻⁶", "0.001", "1"]
    assert [log_label(tick) for tick in log_ticks(-0.1, 0.1, 4)] == ["0.8", "1", "1.2"]
    assert log_ticks(-608, 305, 4)


@given(st.floats(-1e9, 1e9), st.floats(1e-6, 1e9), st.integers(1, 12))
def test_that_an_axis_has_two_ticks_at_least_and_few(low: float, length: float, most: int) -> None:
    high = low + length
    ticks = linear_ticks(low, high, most)
    assert 2 <= len(ticks) <= max(most + 1, 6)
    slack = 1e-6 * length + 1e-12 * abs(low)
    assert all(low - slack <= tick <= high + slack for tick in ticks)


@given(st.floats(-30, 30), st.floats(0.05, 60), st.integers(1, 12))
def test_that_a_logarithmic_axis_has_two_ticks_at_least(low: float, decades: float, most: int) -> None:
    ticks = log_ticks(low, low + decades, most)
    assert len(ticks) >= 2
    assert all(low - 1e-6 <= tick <= low + decades + 1e-6 for tick in ticks)


def test_that_numbers_read_well() -> None:
    assert number_label(12_000, 2_000) == "12,000"
    assert number_label(-0.25, 0.05) == "−0.25"
    assert number_label(3e-7, 1e-7) == "3·10⁻⁷"
    assert number_label(1e-18, 0.1) == "0"
    assert whole(float("nan")) == "–"


@pytest.mark.parametrize("logarithmic", [False, True])
@pytest.mark.parametrize("logs", [[0.0], [0.0, 1e-4], [-10.0, 0.0, 1.0], [-608.0, 0.0, 304.0], [-400.0, -350.0]])
def test_that_every_weight_falls_into_a_bin(logs: list[float], logarithmic: bool) -> None:
    values = np.array(logs)
    bins = make_bins(values, logarithmic=logarithmic)
    assert bins.counts(values).sum() == len(values)
    assert bins.counts(values, np.full(len(values), 7.0)).sum() == 7 * len(values)
    assert (np.diff(bins.edges) > 0).all()
    low, high = bins.weight_range(int(bins.counts(values).argmax()))
    assert low <= high


def test_that_values_that_are_equally_far_apart_have_a_bin_each() -> None:
    """Shares of 64 pixels: bins of round width would be empty at every second place, and two full ones touch."""
    values = np.repeat(np.arange(10, 32) / 64, np.arange(1, 23))
    edges = value_edges([values])
    assert shares(values, edges)[1:-1] == pytest.approx(100 * np.arange(1, 23) / len(values))
    assert (edges[1:-2] + edges[2:-1]) / 2 == pytest.approx(np.arange(10, 32) / 64)
    assert value_edges([values[10:]], (), edges) is edges, "which stay while values come and go"
    assert len(value_edges([np.array([0.0, 1.0])])) > 30, "two values are no grid"
