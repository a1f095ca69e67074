"""Perturbation theory against closed forms: a Gaussian under a linear tilt, a mixture, and the orders' own slopes."""

from statistics import NormalDist

import numpy as np
import pytest

from studio.errors import UserError
from studio.perturb.theory import Moments, Reweighted, Theory, prediction_errors

SCALES = np.array([0.0, 0.25, 0.5, 1.0, 2.0])


def gaussian(count: int = 100_001) -> np.ndarray:
    """Examples that stand for N(0, 1): its quantiles at the midpoints of equal shares."""
    return np.array([NormalDist().inv_cdf((place + 0.5) / count) for place in range(count)])


@pytest.mark.parametrize("slope", [0.3, 0.6])
def test_that_a_gaussian_under_a_linear_tilt_is_the_shifted_one(slope: float) -> None:
    # ΔH = λx makes N(0, 1) into N(−sλ, 1): ⟨x⟩ = −sλ, which the first order has exactly, −log Z = −(sλ)²/2 and
    # ESS/n = e^{−(sλ)²}. Quantiles cut the tail off, which a strong tilt feels.
    x = gaussian()
    theory = Theory.of(x, slope * x, SCALES)
    shift = slope * SCALES
    assert theory.exact.mean == pytest.approx(-shift, abs=5e-3)
    assert theory.exact.free_energy == pytest.approx(-(shift**2) / 2, abs=3e-3)
    assert theory.exact.efficiency == pytest.approx(np.exp(-(shift**2)), rel=0.03)
    assert theory.moments.first(SCALES) == pytest.approx(-shift, abs=1e-4)
    assert theory.moments.second(SCALES) == pytest.approx(-shift, abs=1e-4)
    assert theory.moments.free_energy(SCALES, 2) == pytest.approx(-(shift**2) / 2, abs=1e-4)
    assert theory.moments.free_energy(SCALES, 1) == pytest.approx(0 * shift, abs=1e-9)
    assert theory.fails_at(1) is None


def test_that_the_square_of_a_gaussian_needs_second_order_and_has_it_exactly() -> None:
    # ⟨x²⟩ = 1 + (sλ)²: nothing at first order, all of it at second.
    x = gaussian()
    theory = Theory.of(x**2, 0.5 * x, SCALES)
    wanted = 1 + (0.5 * SCALES) ** 2
    assert theory.exact.mean == pytest.approx(wanted, abs=2e-3)
    assert theory.moments.first(SCALES) == pytest.approx(np.ones(5), abs=1e-3)
    assert theory.moments.second(SCALES) == pytest.approx(wanted, abs=1e-3)
    assert theory.fails_at(1) == 0.25
    assert theory.fails_at(2) is None


def test_that_errors_fall_with_the_square_and_the_cube_of_the_tilt() -> None:
    rng = np.random.default_rng(1)
    f, energy = rng.gamma(2.0, size=400), rng.normal(size=400)
    scales = np.geomspace(0.005, 0.08, 9)
    theory = Theory.of(f, energy, scales)
    slopes = [
        np.polyfit(np.log(scales), np.log(np.abs(predicted(scales) - theory.exact.mean)), 1)[0]
        for predicted in (theory.moments.first, theory.moments.second)
    ]
    assert slopes == pytest.approx([2, 3], abs=0.15)
    free = [
        np.polyfit(np.log(scales), np.log(np.abs(theory.moments.free_energy(scales, n) - theory.exact.free_energy)), 1)
        for n in (1, 2)
    ]
    assert [slope for slope, _ in free] == pytest.approx([2, 3], abs=0.15)
    better = np.abs(theory.moments.second(scales) - theory.exact.mean) < np.abs(
        theory.moments.first(scales) - theory.exact.mean
    )
    assert better.all()


def test_that_the_predictions_errors_are_those_of_many_samples() -> None:
    rng = np.random.default_rng(2)
    scales = np.array([0.0, 0.5, 1.0])
    found = []
    for _ in range(600):
        x = rng.standard_normal(400)
        moments = Moments.of(x**2, 0.7 * x)
        found.append([moments.first(scales), moments.second(scales)])
    spread = np.std(found, axis=0)
    x = rng.standard_normal(100_000)
    told = np.sqrt(len(x) / 400) * np.array(prediction_errors(x**2, 0.7 * x, scales))
    assert told == pytest.approx(spread, rel=0.12)
    with_counts = prediction_errors([0.0, 1.0], [0.3, -0.2], scales, counts=[30, 10])
    one_by_one = prediction_errors(np.repeat([0.0, 1.0], [30, 10]), np.repeat([0.3, -0.2], [30, 10]), scales)
    np.testing.assert_allclose(with_counts, one_by_one)


def test_that_the_predictions_errors_are_the_jackknifes() -> None:
    """Left out one by one, and by kinds of examples."""
    rng = np.random.default_rng(5)
    f, h, counts = rng.exponential(size=12), rng.exponential(size=12), np.array([1, 2, 3] * 4)
    each = np.repeat(np.arange(12), counts)
    without = [Moments.of(np.delete(f[each], i), np.delete(h[each], i)) for i in range(len(each))]
    told = prediction_errors(f, h, SCALES, counts)
    for order in (0, 1):
        left = np.array([(m.first, m.second)[order](SCALES) for m in without])
        np.testing.assert_allclose(told[order], np.sqrt((len(each) - 1) * left.var(0)), rtol=1e-9)
    assert not np.any(prediction_errors([1.0], [2.0], SCALES))


@pytest.mark.parametrize(("count", "within"), [(50, 0.06), (400, 0.05)])
def test_that_their_squares_are_right_on_average_under_a_heavy_tail(count: int, within: float) -> None:
    """Where the influence of the examples on the limit of a large sample tells too little."""
    rng = np.random.default_rng(0)
    found, told = [], []
    for _ in range(1500):
        x = np.exp(0.4 * rng.standard_normal(count))
        found.append(float(Moments.of(x, x).second(1.0)))
        told.append(prediction_errors(x, x, [1.0])[1][0])
    assert np.mean(np.square(told)) ** 0.5 == pytest.approx(np.std(found), rel=within)


@pytest.mark.parametrize("constant", [0.0, 50.0])
def test_that_the_free_energy_fails_where_z_is_five_per_cent_off_whatever_the_gauge(constant: float) -> None:
    x = gaussian(20_001)
    theory = Theory.of(x, 0.6 * x + constant)  # −log Z = s·constant − 0.18·s², exactly of second order
    assert theory.free_energy_fails_at(1) == pytest.approx(0.55)
    assert theory.free_energy_fails_at(2) is None


def test_that_a_mixture_is_reweighted_to_the_closed_form() -> None:
    # Two components with masses ¾ and ¼ and ΔH = 0, −2: masses change in closed form, each one's mean does not.
    component = np.repeat([0, 1], [7500, 2500])
    x = gaussian(10_000)[np.random.default_rng(0).permutation(10_000)] + np.where(component == 0, -3.0, 3.0)
    energy = -2.0 * component
    exact = Reweighted.of(component, energy, SCALES)
    mass = 0.25 * np.exp(2 * SCALES)
    share = mass / (0.75 + mass)
    assert exact.mean == pytest.approx(share, rel=1e-12)
    assert exact.free_energy == pytest.approx(-np.log(0.75 + mass), rel=1e-12)
    assert exact.efficiency == pytest.approx((0.75 + mass) ** 2 / (0.75 + 0.25 * np.exp(4 * SCALES)), rel=1e-12)
    counted = Reweighted.of([0, 1, 1], [0, -2, -2], SCALES, counts=[7500, 2500, 0])
    for name in ("mean", "error", "free_energy", "efficiency"):
        assert getattr(counted, name) == pytest.approx(getattr(exact, name), rel=1e-9)
    by_count, by_example = Moments.of([0, 1], [0, -2], [7500, 2500]), Moments.of(component, energy)
    assert by_count.second(SCALES) == pytest.approx(by_example.second(SCALES))
    places = Reweighted.of(x, energy, SCALES).mean
    means = [x[component == k].mean() for k in (0, 1)]
    assert places == pytest.approx((1 - share) * means[0] + share * means[1])


def test_that_the_standard_error_covers_the_truth_as_often_as_it_says() -> None:
    # Samples of N(0, 1), tilted to N(−0.7, 1): the truth is −0.7.
    rng = np.random.default_rng(5)
    inside = 0
    for _ in range(400):
        x = rng.normal(size=2000)
        found = Reweighted.of(x, 0.7 * x, [1.0])
        inside += abs(found.mean[0] + 0.7) <= 1.96 * found.error[0]
    # 95 % of 400 is 380, with a standard deviation of 4.4.
    assert 360 <= inside <= 396


def test_that_extreme_energies_neither_overflow_nor_become_nan() -> None:
    exact = Reweighted.of([0.0, 1.0, 0.0], [700.0, -700.0, 0.0], [1.0, 2.0])
    assert exact.mean == pytest.approx([1, 1])
    assert exact.free_energy == pytest.approx([-700 + np.log(3), -1400 + np.log(3)])
    assert exact.efficiency == pytest.approx([1 / 3, 1 / 3])


def test_that_the_place_of_collapse_is_where_ess_falls_below_a_tenth() -> None:
    x = gaussian(20_001)
    theory = Theory.of(x, 1.2 * x)
    wanted = np.sqrt(np.log(10)) / 1.2
    assert theory.collapses_at == pytest.approx(wanted, abs=0.05)
    assert Theory.of(x, 0.1 * x).collapses_at is None


def test_that_a_value_that_is_not_finite_is_refused_with_its_example() -> None:
    with pytest.raises(UserError, match="Example 1 has f = nan"):
        Theory.of([0.0, np.nan], [0.0, 1.0])
