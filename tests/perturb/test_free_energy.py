"""−log Z by a ladder of tilts, against closed forms and against weighing one sample."""

import math
from itertools import pairwise

import numpy as np
import pytest

from studio.perturb.arrays import Floats
from studio.perturb.free_energy import OVERLAP, Ladder, overlap, rungs
from studio.perturb.theory import Reweighted
from tests.perturb.pymbar_reference import CASES

_DRAWS = 600


def tilted(h: Floats, scale: float) -> Floats:
    p = np.exp(-scale * h)
    return np.asarray(p / p.sum())


@pytest.fixture
def energy() -> Floats:
    """ΔH of a finite set."""
    return np.random.default_rng(1).normal(size=5000)


def misses(energy: Floats, scale: float) -> tuple[Floats, Floats, Floats]:
    """Of each of 40 seeds by how much ladder and single sample miss −log Z, and how far off the ladder says it is."""
    exact = -math.log(np.exp(-scale * energy).mean())
    found = []
    for seed in range(40):
        rng = np.random.default_rng(seed)
        ladder = Ladder.drawn(energy, scale, _DRAWS, rng)
        once = Reweighted.of(np.zeros(_DRAWS), rng.choice(energy, _DRAWS), [scale])
        found.append((ladder.free_energy - exact, float(once.free_energy[0]) - exact, ladder.error))
    ladders, singles, errors = np.transpose(found)
    return ladders, singles, errors


def test_that_two_gaussians_have_the_free_energy_and_the_error_of_bennett() -> None:
    """N(0, 1) under ΔH = x is N(−1, 1) with −log Z = −½, and σ² = (2/n)·(1/O − 1)."""
    rng, n = np.random.default_rng(0), 20_000
    x = np.linspace(-9, 9, 4001)
    density = [np.exp(-((x - mean) ** 2) / 2) for mean in (0, -1)]
    shared = overlap(*(each / each.sum() for each in density))
    found = Ladder.of(np.stack((rng.normal(size=n), rng.normal(size=n) - 1)), [0, 1])
    assert found.error == pytest.approx(math.sqrt(2 / n * (1 / shared - 1)), rel=0.02)
    assert abs(found.free_energy + 0.5) < 3 * found.error


def test_that_the_acceptance_ratio_balances_both_sides() -> None:
    """The root by its definition, of three draws of each, found on a grid."""
    below, above = np.array([0.3, -0.2, 1.5]), np.array([-1.0, 0.4, -0.6])
    grid = np.linspace(-2, 2, 400_001)
    sides = [1 / (1 + np.exp(sign * (part[:, None] - grid))) for sign, part in ((1, below), (-1, above))]
    root = grid[np.abs(sides[0].sum(0) - sides[1].sum(0)).argmin()]
    assert Ladder.of(np.stack((below, above)), [0, 1]).free_energy == pytest.approx(root, abs=1e-5)


@pytest.mark.parametrize(
    ("case", "bar", "steps", "mbar"),
    [
        ("gaussian", -4.414806399124153, [0.032276, 0.037869, 0.025397], 0.070056),
        ("planar", -2.437241180093518, [0.031465, 0.032399], 0.049092),
        ("one class", -1.8481651732838968, [0.026785, 0.029879], 0.050066),
    ],
)
def test_that_a_ladder_is_that_of_pymbar(case: str, bar: float, steps: list[float], mbar: float) -> None:
    """By pymbar 4.0.3. Its BAR has the same root; its MBAR weighs all rungs at once, and so is a little nearer."""
    draws = CASES[case]()
    found = Ladder.of(draws.energies, draws.scales)
    assert found.free_energy == pytest.approx(bar, abs=1e-10)
    assert 1 < found.error / mbar < 1.06
    pairs = [slice(place, place + 2) for place in range(len(steps))]
    errors = [Ladder.of(draws.energies[pair], draws.scales[pair]).error for pair in pairs]
    np.testing.assert_allclose(errors, steps, rtol=0.03)
    assert abs(found.free_energy - draws.exact) < 3 * found.error


def test_that_neighbours_overlap_by_half_and_the_ends_are_those_asked_for(energy: Floats) -> None:
    found = rungs(energy, 4.0)
    assert (found[0], found[-1]) == (0, 4)
    shared = [overlap(tilted(energy, a), tilted(energy, b)) for a, b in pairwise(found.tolist())]
    assert min(shared) >= OVERLAP
    assert max(shared[:-1]) < 0.75
    assert rungs(energy, 0.5).tolist() == [0, 0.5]


def test_that_kinds_with_counts_are_as_good_as_examples() -> None:
    found = rungs([0.0, 0.0, 9.0, 4.0], 3.0)
    np.testing.assert_allclose(rungs([0.0, 9.0, 4.0, 700.0], 3.0, counts=[2, 1, 1, 0]), found)


@pytest.mark.parametrize("offset", [-700.0, 700.0])
def test_that_a_class_alone_and_a_class_left_out_have_a_ladder(offset: float) -> None:
    ladder = Ladder.drawn([0.0, offset], 1.0, 400, np.random.default_rng(0), counts=[900, 100])
    share = 0.1 if offset < 0 else 0.9
    assert ladder.free_energy == pytest.approx(min(offset, 0) - math.log(share), abs=4 * ladder.error + 1e-9)
    assert len(ladder.scales) < 10


def test_that_a_ladder_is_nearer_than_one_sample_where_few_of_its_draws_count(energy: Floats) -> None:
    """ESS/n = 0.02, and the error that it says is that which it has."""
    assert Reweighted.of(energy, energy, [2.0]).efficiency[0] < 0.05
    ladders, singles, errors = misses(energy, 2.0)
    assert (ladders**2).mean() < 0.5 * (singles**2).mean()
    assert np.sqrt((ladders**2).mean()) == pytest.approx(errors.mean(), rel=0.3)


def test_that_ladder_and_one_sample_agree_where_most_draws_count(energy: Floats) -> None:
    assert Reweighted.of(energy, energy, [0.3]).efficiency[0] > 0.9
    ladders, singles, errors = misses(energy, 0.3)
    assert np.abs(ladders - singles).max() < 6 * errors.mean()
    assert abs(ladders.mean()) < 0.01
    assert abs(singles.mean()) < 0.01
