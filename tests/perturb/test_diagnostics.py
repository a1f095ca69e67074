"""What a tilt costs, against closed forms."""

import numpy as np
import pytest

from studio.perturb.diagnostics import (
    Strength,
    carriers,
    effective_sample_size,
    examples_worth,
    summarise,
    summarise_examples,
)
from studio.perturb.energy import ExampleEnergies
from studio.perturb.perturbation import Perturbation, offsets_for_some_shares
from studio.perturb.theory import Moments

from .test_perturbation import MNIST_COUNTS


def test_that_the_known_tilt_of_mnist_keeps_69_percent() -> None:
    offsets = offsets_for_some_shares(MNIST_COUNTS, [0.0] * 10, {2: 0.30})
    summary = summarise(Perturbation(offsets=tuple(offsets)), MNIST_COUNTS, 64)
    assert summary.efficiency == pytest.approx(0.6895, abs=5e-5)
    assert summary.mean_raw_weight == pytest.approx(1.2867, abs=5e-5)
    assert summary.examples_per_batch == pytest.approx(64)
    assert summary.target[2] == pytest.approx(0.30)
    assert summary.strength is Strength.GENTLE


@pytest.mark.parametrize("slope", [0.25, 0.5, 1.0])
def test_that_a_tilted_gaussian_is_the_shifted_one_with_the_known_efficiency(slope: float) -> None:
    # N(0, 1) under ΔH(x) = λx is N(−λ, 1), ESS/n = e^{−λ²}: by quadrature, so to many digits.
    x = np.linspace(-12, 12, 200_001)
    density = np.exp(-(x**2) / 2)
    weights = np.exp(-slope * x)
    p = density / density.sum()
    tilted = p * weights / (p @ weights)
    assert tilted @ x == pytest.approx(-slope, abs=1e-9)
    assert tilted @ (x + slope) ** 2 == pytest.approx(1.0, abs=1e-9)
    efficiency = effective_sample_size(-slope * x, density) / density.sum()
    assert efficiency == pytest.approx(np.exp(-(slope**2)), rel=1e-9)


def test_that_a_mixture_keeps_its_modes_and_changes_only_their_masses() -> None:
    # ΔH by component leaves each component's mean and variance alone.
    rng = np.random.default_rng(0)
    component = rng.integers(0, 2, 50_000)
    x = rng.normal(size=50_000) + np.where(component == 0, -3.0, 3.0)
    counts = np.bincount(component)
    weights = np.exp(Perturbation(offsets=(0.0, -1.5)).example_log_weights(component, counts))
    for mode in (0, 1):
        inside = component == mode
        assert np.average(x[inside], weights=weights[inside]) == pytest.approx(x[inside].mean())
    assert weights[component == 1].sum() / weights.sum() == pytest.approx(
        counts[1] * np.exp(1.5) / (counts[0] + counts[1] * np.exp(1.5))
    )


def test_that_the_linear_response_is_met_to_first_and_second_order() -> None:
    rng = np.random.default_rng(2)
    p = rng.dirichlet(np.ones(30))
    f, energy = rng.normal(size=30), rng.normal(size=30)
    moments, errors = Moments.of(f, energy, p), []
    for scale in (1e-2, 1e-3):
        tilted = p * np.exp(-scale * energy)
        exact = tilted @ f / tilted.sum()
        errors.append([float(exact - moments.first(scale)), float(exact - moments.second(scale))])
    # Ten times weaker: the first order's error falls a hundredfold, the second's a thousandfold.
    first, second = np.abs(errors[0]) / np.abs(errors[1])
    assert first == pytest.approx(100, rel=0.1)
    assert second == pytest.approx(1000, rel=0.1)


def test_that_the_verdict_grows_with_the_tilt() -> None:
    counts = (100,) * 10
    verdicts = [
        summarise(Perturbation(offsets=(offset,) + 9 * (0.0,)), counts, 64).strength
        for offset in (0.0, -1.0, -3.0, -700.0)
    ]
    # One class of ten alone leaves ESS/n = 0.1; a rarer one leaves less.
    assert verdicts[:3] == [Strength.NONE, Strength.GENTLE, Strength.STRONG]
    rare = summarise(Perturbation(offsets=(-700.0, 700.0)), (5, 995), 64)
    assert rare.strength is Strength.TOO_STRONG
    assert rare.efficiency == pytest.approx(0.005)


def test_that_many_examples_of_one_weight_are_a_smaller_data_set_and_no_few_that_dominate() -> None:
    # 178 of the 1,797 digits and none of the others.
    summary = summarise(Perturbation(offsets=(0.0, 20.0)), (178, 1619), 64)
    assert summary.efficiency == pytest.approx(178 / 1797)
    assert summary.strength is Strength.STRONG
    assert "178 examples carry all of it, as if there were no others" in summary.reason
    assert "copies" not in summary.reason


def test_that_few_examples_that_carry_much_are_named_with_what_they_carry() -> None:
    counts = (10, 500, 500)
    summary = summarise(Perturbation(offsets=tuple(np.log(counts))), counts, 64)
    assert summary.target == pytest.approx([1 / 3] * 3)
    assert summary.carriers.words("images") == "10 images carry a third of it"
    assert "expect copies" in summary.reason
    assert summary.strength is Strength.TOO_STRONG


def test_that_few_examples_are_no_fault_of_the_tilt_where_the_data_are_few() -> None:
    assert not summarise(Perturbation(offsets=(0.1, 0.0)), (10, 12), 4).carriers.few


def test_that_examples_of_many_weights_carry_what_the_heaviest_do() -> None:
    found = carriers(np.log([50.0, 30.0, 20.0, 1.0]), np.array([1.0, 1.0, 1.0, 900.0]))
    assert found.number == 3
    assert found.share == pytest.approx(0.1)
    assert found.words() == "3 examples carry 10 % of it"


def test_that_effective_size_counts_examples() -> None:
    assert effective_sample_size(np.zeros(7)) == 7
    assert effective_sample_size([0.0, -700.0]) == pytest.approx(1)
    assert effective_sample_size([]) == 0


def test_that_a_class_is_learned_from_as_much_as_it_weighs_and_from_no_more_examples_than_it_has() -> None:
    weights = np.array([1.0, 1.0, 0.1, 0.1, 0.1, 30.0, 30.0, 90.0, 10.0])
    labels = np.array([0, 0, 1, 1, 1, 2, 2, 4, 4])
    assert examples_worth(weights, labels, 6) == pytest.approx([2, 0.3, 2, 0, 100**2 / (90**2 + 10**2), 0])


@pytest.mark.parametrize(("k", "trusted"), [(0.3, True), (1.2, False)])
def test_that_weights_whose_largest_have_too_heavy_a_tail_are_not_trusted(k: float, trusted: bool) -> None:
    energy = k * np.log(np.random.default_rng(1).random(40_000))  # w ~ u^−k
    energies = ExampleEnergies(energy=energy, unclipped=energy)
    summary = summarise_examples(Perturbation.zero(1), energies, np.zeros(len(energy), np.int64), 64)
    assert summary.tail == pytest.approx(k, abs=0.12)
    assert summary.trusted == trusted


def test_that_weights_of_classes_have_no_tail() -> None:
    assert summarise(Perturbation(offsets=(-3.0, 0.0)), (100, 900), 64).tail is None
