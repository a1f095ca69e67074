"""Hold against closed forms and learners whose response to weights is known."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from studio.perturb.energy import Energy
from studio.perturb.hold import LARGEST_MOVE, Hold
from studio.perturb.perturbation import LARGEST_OFFSET, Perturbation, offsets_for_shares, target_shares
from studio.perturb.terms import LinearTerm

COUNTS = np.array([500, 300, 200])
WANTED = np.array([0.3, 0.3, 0.4])
ASKED = Perturbation(offsets=tuple(offsets_for_shares(COUNTS, WANTED)))
ALL = np.ones(3, dtype=bool)

Response = Callable[[np.ndarray], np.ndarray]


def held(hold: Hold, share: np.ndarray, known: np.ndarray = ALL, most: float = 5.0) -> Hold:
    """After these shares were seen three times."""
    for _ in range(3):
        hold = hold.after(WANTED, share, known=known, most=most)
    return hold


def shares(values: np.ndarray) -> np.ndarray:
    return values / values.sum()


def trained(hold: Hold, response: Response, asked: Perturbation = ASKED) -> np.ndarray:
    """What a learner generates that has learned the applied target by its own lights."""
    return shares(response(target_shares(COUNTS, hold.applied(asked).class_energies)))


def run(response: Response, looks: int, samples: int = 0, seed: int = 0) -> list[np.ndarray]:
    """Generated shares, look by look, of which so many samples are counted; all of them if 0."""
    rng, hold, made = np.random.default_rng(seed), Hold.at_rest(3), []
    for _ in range(looks):
        made.append(trained(hold, response))
        seen = rng.multinomial(samples, made[-1]) / samples if samples else made[-1]
        hold = hold.after(WANTED, seen, known=ALL, most=5.0)
    return [*made, trained(hold, response)]


def test_that_nothing_moves_where_shares_are_right() -> None:
    found = held(Hold.at_rest(3), WANTED)
    assert not any(found.correction)
    assert found.applied(ASKED) is ASKED


def test_that_a_constant_factor_of_the_learner_is_found_in_one_move() -> None:
    """And the two that hold their targets keep their offsets, so that their proportions stay."""
    factor = np.array([1.25, 1.0, 1.0])
    found = held(Hold.at_rest(3), shares(factor * WANTED))
    assert trained(found, lambda p: factor * p) == pytest.approx(WANTED, abs=1e-12)
    assert found.correction == pytest.approx((np.log(1.25), 0, 0))
    assert held(found, WANTED).correction == pytest.approx(found.correction), "and stays, as nothing is off any more"


def test_that_mean_and_spread_are_those_of_looks_of_which_later_ones_count_more() -> None:
    rng, hold, asked = np.random.default_rng(3), Hold.at_rest(3), []
    for _ in range(7):
        share = shares(WANTED * np.exp(0.1 * rng.standard_normal(3)))
        gap = np.log(share / WANTED)
        asked.append(np.array(hold.correction) + gap - np.median(gap))
        hold = hold.after(WANTED, share, known=ALL, most=5.0)
    weights = np.arange(1, 8) * np.arange(2, 9)
    mean = np.average(asked, axis=0, weights=weights)
    assert hold.mean == pytest.approx(mean)
    assert hold.spread == pytest.approx(np.average((asked - mean) ** 2, axis=0, weights=weights))


def test_that_what_is_sure_is_corrected_and_of_what_is_less_sure_less() -> None:
    """Breiman's garrote: of the mean d, d − (z·σ)²/d, from where it began, and nothing within z·σ."""
    seen = [np.array([0.36, 0.3, 0.34]), np.array([0.35, 0.3, 0.35]), np.array([0.37, 0.3, 0.33])] * 2
    begun = (0.1, 0.0, 0.0)
    hold = Hold.begun(begun)
    for share in seen:
        hold = hold.after(WANTED, share, known=ALL, most=5.0)
    weights = np.arange(1.0, 7) * np.arange(2, 8)
    part = float((weights**2).sum() / weights.sum() ** 2)
    counts = (1 - WANTED) / WANTED
    variance = np.maximum(hold.spread, np.mean(hold.spread / counts) * counts) * part / (1 - part) * 6 / 4
    away, unsure = np.subtract(hold.mean, begun), 1.5 * np.sqrt(variance)
    assert (np.abs(away) > unsure).tolist() == [True, False, True]
    first, stays, last = hold.correction
    assert stays == 0
    assert (first, last) == pytest.approx((begun + away)[[0, 2]] - (unsure**2)[[0, 2]] / away[[0, 2]])
    assert unsure[0] < away[0] < 20 * unsure[0], "so that it is shortened"


def test_that_what_the_judge_cannot_tell_and_what_is_not_wanted_stay() -> None:
    share = np.array([0.4, 0.2, 0.4])
    found = held(Hold.at_rest(3), share, known=np.array([False, True, True]))
    assert found.correction[0] == 0
    assert found.correction[1] < 0 < found.correction[2]
    nobody = held(Hold.at_rest(3), share, known=~ALL)
    assert nobody == Hold.at_rest(3)
    none = Hold.at_rest(3)
    for _ in range(3):
        none = none.after([0, 0.4, 0.6], share, known=ALL, most=5.0)
    assert none.correction[0] == 0
    assert none.correction[1] < 0 < none.correction[2]


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_that_a_move_and_the_whole_are_bounded_even_for_a_class_that_is_never_made(missing: int) -> None:
    share = shares(np.where(np.arange(3) == missing, 0.0, WANTED))
    hold = held(Hold.at_rest(3), share, most=0.8)
    assert hold.correction[missing] == -LARGEST_MOVE
    for _ in range(100):
        hold = held(hold, share, most=0.8)
    assert hold.correction[missing] == -0.8
    assert np.abs(hold.correction).max() <= 0.8


def test_that_two_looks_move_nothing_nor_do_looks_that_contradict_each_other() -> None:
    above, below = np.array([0.4, 0.3, 0.3]), np.array([0.2, 0.3, 0.5])
    for looks in ([above, above], [above, below, above], [above, WANTED, below, WANTED]):
        hold = Hold.at_rest(3)
        for share in looks:
            hold = hold.after(WANTED, share, known=ALL, most=5.0)
        assert hold.correction == (0, 0, 0)


def test_that_a_learner_still_on_its_way_is_left_alone() -> None:
    """Of each gap 0.4 is left from look to look: the looks differ by more than their mean is off."""
    hold = Hold.at_rest(3)
    for look in range(6):
        share = shares(WANTED * np.exp(np.array([0.6, -0.4, -0.3]) * 0.4**look))
        hold = hold.after(WANTED, share, known=ALL, most=5.0)
    assert hold.correction == (0, 0, 0)


def test_that_a_constant_in_the_asked_offsets_changes_nothing() -> None:
    shifted = replace(ASKED, offsets=tuple(offset + 7.5 for offset in ASKED.offsets))
    found = held(Hold.at_rest(3), np.array([0.35, 0.3, 0.35]))
    one, other = (target_shares(COUNTS, found.applied(each).class_energies) for each in (ASKED, shifted))
    assert one == pytest.approx(other, abs=1e-12)


@pytest.mark.parametrize("gamma", [0.5, 0.7, 1.0, 1.5, 2.5])
def test_that_it_arrives_whatever_power_of_its_target_a_learner_makes(gamma: float) -> None:
    assert run(lambda p: p**gamma, 120)[-1] == pytest.approx(WANTED, abs=4e-3)


def test_that_errors_of_looks_average_out_to_less_than_the_interval_of_one() -> None:
    """A learner off by 4 points and 400 samples a look, of which one alone is known to ± 4.5 points.

    The mean square of what is left falls as 1/t to that of t looks together, and so do the moves: no oscillation.
    """
    factor, samples = np.array([1.2, 1.0, 1.0]), 400
    ends = [run(lambda p: factor * p, 100, samples, seed=seed) for seed in range(20)]
    early, late = (np.sqrt(np.mean([(made[at] - WANTED) ** 2 for made in ends])) for at in (20, 100))
    alone = np.sqrt(np.mean(WANTED * (1 - WANTED)) / samples)
    assert late < 0.75 * early
    assert late < 2 * alone / np.sqrt(100)
    assert np.mean([np.abs(made[100] - made[99]).max() for made in ends]) < 0.002
    assert np.mean([made[100] for made in ends], axis=0) == pytest.approx(WANTED, abs=0.003)


def test_that_a_learner_that_is_right_is_hardly_disturbed_by_noise() -> None:
    ends = [run(lambda p: p, 20, 400, seed=seed) for seed in range(40)]
    alone = np.sqrt(np.mean(WANTED * (1 - WANTED)) / 400)
    assert np.sqrt(np.mean([(made[20] - WANTED) ** 2 for made in ends])) < alone / 4


def test_that_what_a_beginner_had_wrong_is_soon_forgotten() -> None:
    """A learner that makes none of a class at three looks: of t of them these weigh 60/(t (t + 1) (t + 2))."""
    hold = held(Hold.at_rest(3), np.array([0.0, 0.43, 0.57]))
    begun = hold.correction[0]
    for _ in range(20):
        hold = hold.after(WANTED, trained(hold, lambda p: p), known=ALL, most=5.0)
    assert abs(hold.mean[0]) < abs(begun) / 50
    assert abs(hold.correction[0]) < abs(begun) / 50


@pytest.mark.parametrize(("rate", "looks", "most"), [(0.5, 20, 5e-4), (0.2, 30, 5e-3)])
def test_that_a_learner_that_follows_late_settles(rate: float, looks: int, most: float) -> None:
    """It comes nearer by this part from one look to the next to the shares that it is trained towards."""
    hold, log, factor = Hold.at_rest(3), np.log(np.full(3, 1 / 3)), np.array([1.2, 1.0, 0.9])
    seen = []
    for _ in range(160):
        log += rate * (np.log(trained(hold, lambda p: factor * p)) - log)
        seen.append(shares(np.exp(log)))
        hold = hold.after(WANTED, seen[-1], known=ALL, most=5.0)
    assert np.abs(np.array(seen[looks:]) - WANTED).max() < most
    assert np.abs(np.array(seen[-20:]) - WANTED).max() < 1e-4


def test_that_a_judge_that_is_wrong_shifts_the_result_by_just_that() -> None:
    """Who finds 5 % more of a class than there are makes it settle at as many fewer, however often it looks."""
    wrong, hold = np.array([1.05, 1.0, 1.0]), Hold.at_rest(3)
    for _ in range(80):
        seen = shares(wrong * trained(hold, lambda p: p))
        hold = hold.after(WANTED, seen, known=ALL, most=5.0)
    assert trained(hold, lambda p: p) == pytest.approx(shares(WANTED / wrong), abs=1e-6)
    assert hold.correction == pytest.approx((np.log(1.05), 0, 0))


def test_that_it_corrects_the_energy_as_it_counts_and_nothing_else() -> None:
    """A correction is in ΔH, whatever offsets are scaled by, and has no lever where they do not count."""
    energy = Energy(terms=(LinearTerm(feature="ink"),), temperature=2.0, offsets_scale=0.5, clip=3.0)
    asked = replace(ASKED, energy=energy, revision=4)
    hold = Hold.begun((0.2, 0.0, -0.1))
    found = hold.applied(asked)
    assert np.subtract(found.class_energies, asked.class_energies) == pytest.approx(hold.correction)
    assert replace(found, offsets=asked.offsets) == asked
    off = replace(asked, energy=replace(energy, offsets_enabled=False))
    assert hold.applied(off) is off
    least = replace(asked, offsets=(LARGEST_OFFSET, 0.0, -LARGEST_OFFSET))
    assert max(map(abs, hold.applied(least).offsets)) == LARGEST_OFFSET


def test_that_another_target_keeps_what_was_corrected_and_looks_anew() -> None:
    found = held(Hold.at_rest(3), np.array([0.4, 0.3, 0.3]))
    assert found.anew() == Hold.begun(found.correction)
    assert any(found.correction)
    once = found.anew().after(WANTED, WANTED, known=ALL, most=5.0)
    assert once.correction == found.correction, "one look alone takes nothing back"
    hold, rng = found.anew(), np.random.default_rng(0)
    for _ in range(4):
        noise = np.exp(0.3 * rng.standard_normal(3))
        hold = hold.after(WANTED, shares(noise * WANTED), known=ALL, most=5.0)
        assert hold.correction == found.correction, "nor do looks that contradict each other"
