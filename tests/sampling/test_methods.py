"""Rejection and resampling of exact models: planar mixtures of classes that overlap, whose tilted density is known."""

import json

import numpy as np
import pytest

from studio.errors import UserError
from studio.perturb.arrays import Floats
from studio.perturb.energy import Energy
from studio.perturb.perturbation import Perturbation, target_shares
from studio.perturb.terms import ColumnTerm, FormulaTerm, LinearTerm
from studio.progress import Progress
from studio.sampling.base import Prediction, Tilted, TiltedSampler, effective_size, systematic
from studio.sampling.choice import Method, choose
from studio.sampling.pool import Pool
from studio.sampling.rejection import Rejection
from studio.sampling.resampling import Resampling
from studio.sampling.tilt import Tilt
from tests.sampling.conftest import COUNTS, PLANE, Mixture

STRONG = Perturbation(offsets=(0.0, 0.0, -2.5))
RARE = Mixture(trained=Perturbation(offsets=(0.0, 0.0, 9.0)))
SAMPLERS: tuple[TiltedSampler, ...] = (Rejection(), Resampling())


def sampled(sampler: TiltedSampler, pool: Pool, tilt: Tilt, count: int = 2000) -> Tilted:
    return sampler.sample(pool, tilt, count, np.random.default_rng(0), Progress())


def moments_of(points: Floats) -> Floats:
    """⟨x⟩, ⟨y⟩, ⟨x²⟩ and the share right of 1."""
    x, y = points.T
    return np.array([x.mean(), y.mean(), (x**2).mean(), (x > 1).mean()])


def expected(shares: Floats, tilt: Floats | None = None) -> tuple[Floats, Floats]:
    """The same of the exact density, times a factor at every cell, and their standard deviations."""
    centres = PLANE.centres(300)
    mass = np.exp(PLANE.log_density(centres, shares)) * (1.0 if tilt is None else tilt)
    mass /= mass.sum()
    x, y = centres.T
    rows = np.stack([x, y, x**2, x > 1])
    mean = rows @ mass
    return mean, np.sqrt((rows**2) @ mass - mean**2)


@pytest.mark.parametrize("sampler", SAMPLERS, ids=lambda sampler: sampler.name)
@pytest.mark.parametrize("trained", [(0.0, 0.0, 0.0), (0.0, 1.0, -1.0)], ids=["untilted", "tilted"])
def test_that_a_mixture_is_tilted_to_its_exact_target(sampler: TiltedSampler, trained: tuple[float, ...]) -> None:
    mixture = Mixture(trained=Perturbation(offsets=trained))
    found = sampled(sampler, mixture.pool(), Tilt.between(mixture.trained, STRONG))
    mean, deviation = expected(target_shares(COUNTS, STRONG.offsets))
    assert np.abs(moments_of(found.values.reshape(-1, 2).astype(float)) - mean).max() < 4 * deviation.max() / 2000**0.5


def test_that_a_continuous_energy_is_resampled_exactly(untilted: Mixture) -> None:
    wanted = Perturbation(
        offsets=(0.0, 0.0, -1.0), energy=Energy(terms=(LinearTerm(feature="x", slope=0.5), FormulaTerm(text="abs(y)")))
    )
    found = sampled(Resampling(), untilted.pool(), Tilt.between(untilted.trained, wanted), 3000)
    x, y = PLANE.centres(300).T
    shares = COUNTS * np.exp(-np.array(wanted.offsets))
    mean, deviation = expected(shares / shares.sum(), np.exp(-0.5 * x - np.abs(y)))
    assert np.abs(moments_of(found.values.reshape(-1, 2).astype(float)) - mean).max() < 4 * deviation.max() / 3000**0.5
    assert found.reliable
    assert found.effective == pytest.approx(3000)
    assert found.distinct < 3000


def test_that_a_formula_in_the_label_counts_each_class_as_the_draw_belongs_to_it(untilted: Mixture) -> None:
    by_offset = Tilt.between(untilted.trained, STRONG)
    by_label = Perturbation(offsets=(0.0,) * 3, energy=Energy(terms=(FormulaTerm(text="-2.5*(label == 2)"),)))
    pool = untilted.pool()
    pool.prepare(100, Progress())
    tilt = Tilt.between(untilted.trained, by_label)
    np.testing.assert_allclose(pool.log_weights(tilt), pool.log_weights(by_offset), atol=1e-12)
    assert tilt.ceiling(pool.own) == pytest.approx(by_offset.ceiling(pool.own))


def test_that_the_acceptance_is_z_over_the_largest_weight(untilted: Mixture) -> None:
    found = sampled(Rejection(), untilted.pool(), Tilt.between(untilted.trained, STRONG), 4000)
    z = COUNTS / COUNTS.sum() @ np.exp(-np.array(STRONG.offsets))
    exact = z / np.exp(2.5)
    assert found.acceptance == pytest.approx(exact, abs=4 * (exact * (1 - exact) / found.draws) ** 0.5)
    assert found.distinct == len(np.unique(found.values.reshape(-1, 2), axis=0)) == 4000
    assert found.weights is None


def test_that_a_hopeless_rejection_says_what_it_would_cost() -> None:
    with pytest.raises(UserError, match="would be kept: 64 samples would take about") as caught:
        sampled(Rejection(), RARE.pool(), Tilt.between(RARE.trained, STRONG), 64)
    assert "resampling" in caught.value.hint


def test_that_an_unbounded_energy_cannot_be_rejected_by(untilted: Mixture) -> None:
    wanted = Perturbation(offsets=(0.0,) * 3, energy=Energy(terms=(LinearTerm(feature="x"),)))
    with pytest.raises(UserError, match="bound"):
        sampled(Rejection(), untilted.pool(), Tilt.between(untilted.trained, wanted), 10)


def test_that_a_pool_which_cannot_serve_says_so(untilted: Mixture) -> None:
    wanted = Perturbation(offsets=(0.0,) * 3, energy=Energy(terms=(FormulaTerm(text="-40*max(x - 2, 0)"),)))
    found = sampled(Resampling(), untilted.pool(), Tilt.between(untilted.trained, wanted), 64)
    assert not found.reliable
    assert found.effective < 10
    assert "independent samples" in found.remarks[0]


def test_that_what_the_model_misses_of_its_target_is_made_up_for() -> None:
    off = Mixture(trained=Perturbation.zero(3), shares=np.array([0.45, 0.45, 0.1]))
    pool = off.pool()
    wanted = Perturbation(offsets=(0.0, 0.0, -1.0))
    found = sampled(Rejection(), pool, Tilt.between(off.trained, wanted), 3000)
    np.testing.assert_allclose(pool.own.shares, [0.45, 0.45, 0.1], atol=0.05)
    mean, deviation = expected(target_shares(COUNTS, wanted.offsets))
    assert np.abs(moments_of(found.values.reshape(-1, 2).astype(float)) - mean).max() < 5 * deviation.max() / 3000**0.5


def test_that_what_both_targets_hold_cancels_and_a_column_that_does_not_is_refused() -> None:
    column = ColumnTerm(source="csv:/data/energies.csv")
    trained = Perturbation(offsets=(0.0,) * 3, energy=Energy(terms=(column, LinearTerm(feature="x"))))
    tilt = Tilt.between(trained, Perturbation(offsets=STRONG.offsets, energy=trained.energy))
    assert not tilt.before.energy.terms
    assert not tilt.after.energy.terms
    Tilt.between(trained, trained)
    for other in (Energy(), Energy(terms=(column,), clip=2.0), Energy(terms=(column,), temperature=2.0)):
        with pytest.raises(UserError, match=r"energies\.csv gives ΔH of the data's own examples") as caught:
            Tilt.between(trained, Perturbation(offsets=STRONG.offsets, energy=other))
        assert "train it instead" in caught.value.hint


def test_that_an_edit_keeps_the_samples_that_it_allows(untilted: Mixture) -> None:
    pool = untilted.pool()
    first, second = (
        sampled(Rejection(), pool, Tilt.between(untilted.trained, Perturbation(offsets=(0.0, 0.0, offset))), 64)
        for offset in (-2.0, -2.1)
    )
    both = np.intersect1d(first.values[..., 0], second.values[..., 0])
    assert len(both) > 45


def test_that_the_cheapest_method_is_chosen_and_told(untilted: Mixture) -> None:
    pool = untilted.pool()

    def choice(offsets: tuple[float, ...], energy: Energy | None = None) -> tuple[str, str]:
        wanted = Perturbation(offsets=offsets, energy=energy or Energy())
        chosen = choose(Method.AUTO, SAMPLERS, pool, Tilt.between(untilted.trained, wanted), 64, Progress())
        return chosen.sampler.name, chosen.why

    name, why = choice((0.0, 0.0, -1.0))
    assert name == "reject"
    assert why.startswith("Rejection: one draw in 2.")
    assert "and no sample comes twice, about" in why
    assert choice((0.0, 0.0, 3.0))[0] == "reject"
    name, why = choice((0.0, 0.0, -9.0), Energy(terms=(LinearTerm(feature="x"),)))
    assert name == "resample"
    assert "rejection cannot, for no bound on these weights is known" in why
    chosen = choose(Method.AUTO, SAMPLERS, RARE.pool(), Tilt.between(RARE.trained, STRONG), 64, Progress())
    assert chosen.sampler.name == "resample"
    assert "rejection cannot, for it would keep one draw in" in chosen.why
    forced = choose(Method.RESAMPLE, SAMPLERS, pool, Tilt.between(untilted.trained, STRONG), 64, Progress())
    assert (forced.sampler.name, forced.why) == ("resample", "")


def test_that_systematic_resampling_stays_within_one_of_what_is_expected() -> None:
    rng = np.random.default_rng(0)
    weights = rng.exponential(size=50)
    counts = np.bincount(systematic(weights, 1000, rng), minlength=50)
    assert np.abs(counts - 1000 * weights / weights.sum()).max() < 1
    assert effective_size(np.ones(7)) == pytest.approx(7)


def test_that_weighted_samples_are_made_alike() -> None:
    values = np.arange(4, dtype=np.uint8).reshape(4, 1, 1, 1)
    weighted = Tilted(
        values=values,
        method="steer",
        draws=4,
        seconds=1.0,
        effective=2.0,
        distinct=4,
        weights=np.array([2.0, 2.0, 0.0, 0.0]),
    )
    alike = weighted.alike(np.random.default_rng(0))
    assert sorted(alike.values.ravel().tolist()) == [0, 0, 1, 1]
    assert (alike.weights, alike.distinct) == (None, 2)
    assert alike.seconds_per_100 == 25


def test_that_copies_are_not_taken_to_save_what_nobody_notices() -> None:
    copies, independent = Prediction(seconds=0.001, says=""), Prediction(seconds=0.03, says="", worth=4.0)
    assert independent.cost < copies.cost
    assert Prediction(seconds=100.0, says="", worth=4.0).cost > Prediction(seconds=10.0, says="").cost
    assert Prediction(seconds=0.1, says="", why_not="it cannot").cost > Prediction(seconds=1e9, says="").cost


def test_that_what_was_done_is_told_and_recorded() -> None:
    made = Tilted(
        values=np.zeros((100, 8, 8, 1), np.uint8),
        method="resample",
        draws=400,
        seconds=2.0,
        effective=60.4,
        distinct=80,
        pareto_k=0.8,
        most_k=0.6,
        remarks=("Few draws are of the class",),
        why="Resampling, for no bound is known",
    )
    assert not made.reliable
    assert made.told().splitlines() == [
        "Resampling, for no bound is known.",
        "100 samples by resample: 400 draws, 80 different, worth 60 independent ones; 2 s per 100.",
        "Pareto k̂ = 0.80, at most 0.60 wanted: the weights are NOT to be trusted: too few draws decide.",
        "Few draws are of the class.",
    ]
    assert made.record()["effective"] == 60.4
    assert json.loads(json.dumps(made.record()))["count"] == 100
