"""Energies by example against closed forms: Gaussians, mixtures, and identities of gauge, scale and temperature."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from studio.errors import UserError
from studio.perturb.diagnostics import Strength, effective_sample_size, summarise, summarise_examples
from studio.perturb.energy import Energy, class_masses
from studio.perturb.example_features import COLUMN, Column, ExampleFeatures
from studio.perturb.perturbation import Gauge, Perturbation
from studio.perturb.terms import ColumnTerm, FormulaTerm, LinearTerm, QuadraticTerm, Term, WindowTerm
from studio.progress import Progress

Floats = NDArray[np.float64]
COUNT = 20_000


def quantiles(count: int = COUNT) -> Floats:
    """Points that are N(0, 1) without sampling noise: the normal's quantiles at (i + ½)/n, by bisection of erf."""
    from statistics import NormalDist

    normal = NormalDist()
    return np.array([normal.inv_cdf((index + 0.5) / count) for index in range(count)])


NORMAL = quantiles()


def plane(x: Floats, labels: NDArray[np.int64] | None = None) -> ExampleFeatures:
    """Points with this first coordinate; two classes."""
    given_labels = np.arange(len(x)) % 2 if labels is None else labels
    return ExampleFeatures(np.stack([x, np.zeros_like(x)], axis=1), given_labels, ("a", "b"))


def weights(energy: Energy, measured: ExampleFeatures, offsets: tuple[float, float] = (0.0, 0.0)) -> Floats:
    target = Perturbation(offsets=offsets, energy=energy)
    ones = np.ones(len(measured))
    return np.exp(target.example_log_weights(measured.labels, ones, target.example_energies(measured)))


def moments(x: Floats, w: Floats) -> tuple[float, float]:
    mean = np.average(x, weights=w)
    return float(mean), float(np.average((x - mean) ** 2, weights=w))


def test_that_examples_of_an_energy_without_a_clip_have_no_clip_either() -> None:
    energies = Perturbation(offsets=(0.0, 0.0), energy=Energy(terms=(LinearTerm(feature="x"),))).example_energies(
        plane(NORMAL)
    )
    assert energies.of(np.arange(5)).clip_effect is None


def test_that_messages_show_features_and_no_columns() -> None:
    assert LinearTerm(feature="x").sources == {"x": "x"}
    assert ColumnTerm(source="csv:energies.csv").sources == {}


@pytest.mark.parametrize("slope", [0.25, -0.5, 1.0])
def test_that_a_normal_tilted_linearly_is_the_shifted_normal(slope: float) -> None:
    w = weights(Energy(terms=(LinearTerm(feature="x", slope=slope),)), plane(NORMAL))
    mean, variance = moments(NORMAL, w)
    assert mean == pytest.approx(-slope, abs=2e-3)
    assert variance == pytest.approx(1.0, abs=5e-3)
    assert effective_sample_size(np.log(w)) / COUNT == pytest.approx(np.exp(-(slope**2)), rel=1e-2)


@pytest.mark.parametrize(("centre", "width"), [(1.0, 1.0), (-0.5, 2.0), (0.0, 0.5)])
def test_that_a_normal_times_a_gaussian_is_the_product(centre: float, width: float) -> None:
    w = weights(Energy(terms=(QuadraticTerm(feature="x", centre=centre, width=width),)), plane(NORMAL))
    mean, variance = moments(NORMAL, w)
    assert variance == pytest.approx(1 / (1 + 1 / width**2), abs=2e-3)
    assert mean == pytest.approx(centre / (1 + width**2), abs=2e-3)


def test_that_a_window_leaves_e_to_the_minus_height_of_what_lies_outside() -> None:
    inside = np.abs(NORMAL) <= 1
    w = weights(Energy(terms=(WindowTerm(feature="x", low=-1, high=1, height=2.5),)), plane(NORMAL))
    assert w[~inside] / w[inside][0] == pytest.approx(np.exp(-2.5), rel=1e-12)


def test_that_a_mixture_keeps_its_modes_and_changes_their_masses() -> None:
    """Two narrow Gaussians at ±4 under λx: each stays where it is but for −λσ², masses change by e^{∓4λ + λ²σ²/2}."""
    sigma, slope, middle = 0.1, 0.2, 4.0
    x = np.concatenate([-middle + sigma * NORMAL, middle + sigma * NORMAL])
    labels = np.repeat([0, 1], COUNT)
    measured = plane(x, labels)
    energy = Energy(terms=(LinearTerm(feature="x", slope=slope),))
    w = weights(energy, measured)
    for label, place in ((0, -middle), (1, middle)):
        mean, variance = moments(x[labels == label], w[labels == label])
        assert mean == pytest.approx(place - slope * sigma**2, abs=1e-4)
        assert variance == pytest.approx(sigma**2, rel=5e-3)
    target = Perturbation(offsets=(0.0, 0.0), energy=energy)
    summary = summarise_examples(target, target.example_energies(measured), labels, 64)
    odds = float(summary.target[0] / summary.target[1])
    assert odds == pytest.approx(np.exp(2 * middle * slope), rel=1e-6)


def test_that_offsets_of_a_mixture_by_class_and_by_formula_are_the_same() -> None:
    measured = plane(NORMAL)
    by_formula = weights(Energy(terms=(FormulaTerm(text="-1.3*(label == 1)"),)), measured)
    target = Perturbation(offsets=(0.0, -1.3))
    by_class = np.exp(target.example_log_weights(measured.labels, np.bincount(measured.labels)))
    assert by_formula == pytest.approx(by_class, rel=1e-12)


def test_that_class_offsets_and_terms_add_up() -> None:
    measured = plane(NORMAL)
    term = LinearTerm(feature="x", slope=0.3)
    both = weights(Energy(terms=(term,)), measured, (0.0, -1.3))
    apart = weights(Energy(terms=(term,)), measured) * weights(Energy(clip=1e6), measured, (0.0, -1.3))
    assert both / both.mean() == pytest.approx(apart / apart.mean(), rel=1e-12)


finite = st.floats(-5, 5)
some_terms = st.lists(
    st.one_of(
        st.builds(LinearTerm, feature=st.just("x"), slope=finite, scale=finite),
        st.builds(QuadraticTerm, feature=st.just("x"), centre=finite, width=st.floats(0.1, 5), scale=finite),
        st.builds(WindowTerm, feature=st.just("x"), low=st.just(-1.0), high=finite, height=finite, scale=finite),
        st.builds(FormulaTerm, text=st.sampled_from(["x*label", "where(x > 0, sqrt(abs(x)), 0)"]), scale=finite),
    ),
    min_size=1,
    max_size=3,
).map(tuple)
SMALL = plane(np.linspace(-3, 3, 41))


@given(some_terms, st.floats(-700, 700))
def test_that_a_constant_changes_no_weight_with_or_without_a_clip(terms: tuple[Term, ...], constant: float) -> None:
    for clip in (None, 1.5):
        energy = Energy(terms=terms, clip=clip)
        shifted = replace(energy, terms=(*terms, FormulaTerm(text=f"{constant:.17g}")))
        assert weights(shifted, SMALL) == pytest.approx(weights(energy, SMALL), rel=1e-9, abs=1e-12)


@given(some_terms, st.floats(0.1, 10))
def test_that_a_temperature_is_a_scale_of_everything(terms: tuple[Term, ...], temperature: float) -> None:
    cooled = Energy(terms=terms, temperature=temperature)
    scaled = Energy(
        terms=tuple(replace(term, scale=term.scale / temperature) for term in terms), offsets_scale=1 / temperature
    )
    assert weights(cooled, SMALL, (0.4, -1)) == pytest.approx(weights(scaled, SMALL, (0.4, -1)), rel=1e-9, abs=1e-12)


@given(some_terms)
def test_that_a_term_that_is_off_or_scaled_to_zero_is_as_none(terms: tuple[Term, ...]) -> None:
    base = weights(Energy(terms=terms), SMALL)
    for idle in (FormulaTerm(text="1/0", enabled=False), LinearTerm(feature="x", scale=0)):
        assert weights(Energy(terms=(*terms, idle)), SMALL) == pytest.approx(base, rel=1e-12)
    off = Energy(terms=terms, offsets_enabled=False)
    assert weights(off, SMALL, (3.0, -3.0)) == pytest.approx(base, rel=1e-12)


@given(some_terms, st.floats(0.05, 3))
def test_that_a_clip_bounds_every_weight_against_the_median_examples(terms: tuple[Term, ...], clip: float) -> None:
    found = Perturbation(offsets=(0.0, 0.0), energy=Energy(terms=terms, clip=clip)).example_energies(SMALL)
    middle = np.median(found.unclipped)
    rounding = 4 * np.spacing(np.abs(middle) + clip)
    assert np.abs(found.energy - middle).max() <= clip + rounding
    effect = found.clip_effect
    assert 0 <= effect.variation <= 1
    assert effect.clipped == np.mean(found.energy != found.unclipped)


def test_that_a_clip_that_cuts_nothing_gives_the_target_asked_for() -> None:
    energy = Energy(terms=(LinearTerm(feature="x", slope=1.0),), clip=50)
    effect = Perturbation(offsets=(0.0, 0.0), energy=energy).example_energies(SMALL).clip_effect
    assert (effect.clipped, effect.variation) == (0.0, 0.0)


def test_that_a_clip_says_how_far_its_target_lies_from_the_one_asked_for() -> None:
    """Two thirds at ΔH = 0 and a third at 2, clipped to 1: target shares 2/(2 + e⁻²) become 2/(2 + e⁻¹)."""
    labels = np.array([0, 0, 1] * 5)
    energy = Energy(terms=(FormulaTerm(text="2*label"),), clip=1.0)
    effect = Perturbation(offsets=(0.0, 0.0), energy=energy).example_energies(plane(labels * 1.0, labels)).clip_effect
    assert effect.clipped == pytest.approx(1 / 3)
    assert effect.variation == pytest.approx(2 / (2 + np.exp(-2)) - 2 / (2 + np.exp(-1)))


@pytest.mark.parametrize("gauge", list(Gauge))
def test_that_energies_of_700_stay_finite(gauge: Gauge) -> None:
    measured = plane(np.array([-1.0, 0.0, 1.0, 1.0]))
    energy = Energy(terms=(LinearTerm(feature="x", slope=700.0),))
    target = Perturbation(offsets=(-700.0, 700.0), energy=energy, gauge=gauge)
    energies = target.example_energies(measured)
    assert np.isfinite(target.example_log_weights(measured.labels, np.ones(4), energies)).all()
    summary = summarise_examples(target, energies, measured.labels, 2)
    assert np.isfinite(summary.target).all()
    assert summary.target.sum() == pytest.approx(1)
    assert np.isfinite(class_masses(energies.energy, measured.labels, 2)).all()


def test_that_the_summary_by_example_is_that_by_class_where_both_apply() -> None:
    labels = np.repeat([0, 1], [300, 700])
    measured = plane(np.zeros(1000), labels)
    by_class = Perturbation(offsets=(0.7, -0.4))
    by_example = replace(by_class, energy=Energy(clip=1e9))
    for gauge in Gauge:
        one = summarise(replace(by_class, gauge=gauge), [300, 700], 64)
        target = replace(by_example, gauge=gauge)
        two = summarise_examples(target, target.example_energies(measured), labels, 64)
        assert two.target == pytest.approx(one.target)
        assert two.weights == pytest.approx(one.weights)
        assert two.mean_raw_weight == pytest.approx(one.mean_raw_weight)
        assert two.efficiency == pytest.approx(one.efficiency)
        assert two.examples_per_batch == pytest.approx(one.examples_per_batch)
        assert two.strength is one.strength is Strength.GENTLE


def test_that_a_class_only_energy_is_scaled_and_cooled_too() -> None:
    plain = Perturbation(offsets=(1.2, -0.6))
    scaled = Perturbation(offsets=(2.4, -1.2), energy=Energy(offsets_scale=2.0, temperature=4.0))
    assert scaled.class_log_weights([5, 7]) == pytest.approx(plain.class_log_weights([5, 7]), abs=1e-15)
    assert not scaled.by_example


def test_that_what_is_not_finite_names_the_first_example_and_its_row() -> None:
    measured = plane(np.array([1.0, 2.0, 0.0, -1.0, 0.0]))
    energy = Energy(terms=(LinearTerm(feature="x"), FormulaTerm(text="log(abs(x))")))
    with pytest.raises(UserError, match=r"−∞ for example 2 \(class “a”\), where x = 0; 2 of 5") as caught:
        Perturbation(offsets=(0.0, 0.0), energy=energy).example_energies(measured)
    assert caught.value.field == "perturbation.terms.1"
    root = Energy(terms=(FormulaTerm(text="sqrt(x)"),))
    with pytest.raises(UserError, match="no number for example 3"):
        root.of_examples((0.0, 0.0), measured)


def test_that_an_energy_too_large_to_compare_is_refused() -> None:
    with pytest.raises(UserError, match=r"too large.*example 0"):
        Energy(terms=(FormulaTerm(text="1e300"),)).of_examples((0.0, 0.0), SMALL)


def test_that_a_term_in_a_feature_that_the_data_lack_is_refused_at_its_row() -> None:
    for term in (LinearTerm(feature="hue"), FormulaTerm(text="2*hue")):
        with pytest.raises(UserError, match="hue") as caught:
            Energy(terms=(LinearTerm(feature="x"), term)).of_examples((0.0, 0.0), SMALL)
        assert caught.value.field == "perturbation.terms.1"


def test_that_a_column_is_loaded_once_and_again_when_it_is_forgotten() -> None:
    asked: list[str] = []

    def load(source: str, progress: Progress) -> Column:
        asked.append(source)
        return Column(values=np.array([0.0, np.log(3.0)]), says="half")

    measured = ExampleFeatures(np.zeros((2, 2)), np.array([0, 1]), ("a", "b"), load)
    energy = Energy(terms=(ColumnTerm(source="judge:1", scale=-1.0),))
    for _ in range(2):
        assert weights(energy, measured) == pytest.approx([0.5, 1.5])
    assert asked == ["judge:1"]
    assert measured.remarks([*energy.names, "x"]) == ("half",)
    measured.forget(COLUMN + "judge:1")
    assert measured.missing(energy.names) == (COLUMN + "judge:1",)
