"""The thermostat against closed forms and learners whose response to weights is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from studio.perturb.energy import Energy
from studio.perturb.perturbation import LARGEST_OFFSET, Perturbation, offsets_for_shares, target_shares
from studio.perturb.terms import LinearTerm
from studio.perturb.thermostat import LARGEST_MOVE, Thermostat

COUNTS = np.array([500, 300, 200])
WANTED = np.array([0.3, 0.3, 0.4])
ASKED = Perturbation(offsets=tuple(offsets_for_shares(COUNTS, WANTED)))
ALL = np.ones(3, dtype=bool)

Response = Callable[[np.ndarray], np.ndarray]


def held(
    thermostat: Thermostat, share: np.ndarray, half: float = 0.0, known: np.ndarray = ALL, most: float = 5.0
) -> Thermostat:
    """After shares with intervals of ± `half` were seen twice."""
    for _ in range(2):
        thermostat = thermostat.after(WANTED, share, share - half, share + half, known=known, most=most)
    return thermostat


def shares(values: np.ndarray) -> np.ndarray:
    return values / values.sum()


def trained(thermostat: Thermostat, response: Response, asked: Perturbation = ASKED) -> np.ndarray:
    """What a learner generates that has learned the applied target by its own lights."""
    return shares(response(target_shares(COUNTS, thermostat.applied(asked).class_energies)))


def run(response: Response, updates: int, noise: float = 0.0, half: float = 0.0, seed: int = 0) -> list[np.ndarray]:
    """Generated shares, update by update."""
    rng, thermostat, seen = np.random.default_rng(seed), Thermostat.at_rest(3), []
    for _ in range(updates):
        seen.append(trained(thermostat, response))
        thermostat = held(thermostat, shares(seen[-1] * np.exp(noise * rng.standard_normal(3))), half)
    return [*seen, trained(thermostat, response)]


def test_that_nothing_moves_where_shares_are_right_or_intervals_hold_the_target() -> None:
    rest = Thermostat.at_rest(3)
    assert held(rest, WANTED, half=1e-9) == rest
    assert held(rest, np.array([0.34, 0.27, 0.39]), half=0.05) == rest
    assert rest.applied(ASKED) is ASKED


def test_that_a_constant_factor_of_the_learner_is_found_in_one_move() -> None:
    """And the two that hold their targets keep their offsets, so that their proportions stay."""
    factor = np.array([1.25, 1.0, 1.0])
    share = shares(factor * WANTED)
    for half in (0.0, 0.03):
        found = held(Thermostat.at_rest(3), share, half)
        assert trained(found, lambda p: factor * p) == pytest.approx(WANTED, abs=1e-12)
    assert found.correction == pytest.approx((np.log(1.25), 0, 0))
    assert found.moves == (1, 0, 0)


def test_that_what_the_judge_cannot_tell_and_what_is_not_wanted_stay() -> None:
    share = np.array([0.4, 0.2, 0.4])
    found = held(Thermostat.at_rest(3), share, known=np.array([False, True, True]))
    assert found.moves == (0, 1, 0)
    none = Thermostat.at_rest(3)
    for _ in range(2):
        none = none.after([0, 0.5, 0.5], share, share, share, known=ALL, most=5.0)
    assert any(none.moves)
    assert none.correction[0] == 0
    assert np.isfinite(none.correction).all()


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_that_a_move_and_the_whole_are_bounded_even_for_a_class_that_is_never_made(missing: int) -> None:
    share = shares(np.where(np.arange(3) == missing, 0.0, WANTED))
    thermostat = held(Thermostat.at_rest(3), share, most=0.8)
    assert thermostat.correction[missing] == -LARGEST_MOVE
    for _ in range(100):
        thermostat = held(thermostat, share, most=0.8)
    assert thermostat.correction[missing] == -0.8
    assert np.abs(thermostat.correction).max() <= 0.8


def test_that_one_miss_alone_moves_nothing_nor_do_two_on_different_sides() -> None:
    rest, above, below = Thermostat.at_rest(3), np.array([0.4, 0.3, 0.3]), np.array([0.2, 0.3, 0.5])

    def seen(*looks: np.ndarray) -> tuple[int, ...]:
        found = rest
        for share in looks:
            found = found.after(WANTED, share, share - 0.05, share + 0.05, known=ALL, most=5.0)
        return found.moves

    assert seen(above) == seen(above, below) == seen(above, WANTED, above) == (0, 0, 0)
    assert seen(above, above) == seen(above, below, below) == (1, 0, 1)
    assert seen(above, above, above) == (1, 0, 1), "what is seen after a move is to be seen twice, too"


def test_that_a_learner_still_on_its_way_is_left_alone() -> None:
    """Of each gap 0.4 is left from look to look: nothing is to be corrected, however often intervals miss."""
    thermostat = Thermostat.at_rest(3)
    for look in range(6):
        share = shares(WANTED * np.exp(np.array([0.6, -0.4, -0.3]) * 0.4**look))
        thermostat = thermostat.after(WANTED, share, share - 1e-6, share + 1e-6, known=ALL, most=5.0)
    assert all(thermostat.missed)
    assert thermostat.moves == (0, 0, 0)


def test_that_a_constant_in_the_asked_offsets_changes_nothing() -> None:
    shifted = replace(ASKED, offsets=tuple(offset + 7.5 for offset in ASKED.offsets))
    found = held(Thermostat.at_rest(3), np.array([0.35, 0.3, 0.35]))
    one, other = (target_shares(COUNTS, found.applied(each).class_energies) for each in (ASKED, shifted))
    assert one == pytest.approx(other, abs=1e-12)


@pytest.mark.parametrize("gamma", [0.5, 0.7, 1.0, 1.5, 2.5])
def test_that_it_arrives_whatever_power_of_its_target_a_learner_makes(gamma: float) -> None:
    seen = run(lambda p: p**gamma, 60)
    assert seen[-1] == pytest.approx(WANTED, abs=1e-3)


def test_that_noise_does_not_keep_it_moving() -> None:
    """The mean square of what is left falls as 1/t, and so do the moves themselves: no oscillation."""
    factor, noise = np.array([1.2, 0.9, 1.0]), 0.1
    ends = [run(lambda p: factor * p, 100, noise, seed=seed) for seed in range(40)]
    early, late = (np.mean([(seen[at] - WANTED) ** 2 for seen in ends]) for at in (10, 100))
    assert late < early / 5
    assert np.mean([np.abs(seen[100] - seen[99]).max() for seen in ends]) < 0.004
    assert np.mean([seen[100] for seen in ends], axis=0) == pytest.approx(WANTED, abs=0.004)


def test_that_what_a_beginner_had_wrong_is_soon_forgotten() -> None:
    """A learner that makes none of a class at first: after n moves 2/(n (n + 1)) of the first one is left."""
    thermostat = held(Thermostat.at_rest(3), np.array([0.0, 0.43, 0.57]))
    begun = thermostat.correction[0]
    for _ in range(5):
        thermostat = held(thermostat, trained(thermostat, lambda p: p))
    left = np.array(thermostat.correction) - np.mean(thermostat.correction)
    assert np.abs(left).max() < abs(begun) / 15


def test_that_a_learner_that_follows_late_settles() -> None:
    """Half of what is between its shares and those it is trained towards is left from one look to the next."""
    thermostat, log, factor = Thermostat.at_rest(3), np.log(np.full(3, 1 / 3)), np.array([1.2, 1.0, 0.9])
    seen = []
    for _ in range(80):
        log += 0.5 * (np.log(trained(thermostat, lambda p: factor * p)) - log)
        seen.append(shares(np.exp(log)))
        thermostat = held(thermostat, seen[-1])
    assert np.abs(np.array(seen[-20:]) - WANTED).max() < 2e-3


def test_that_a_judge_that_is_wrong_shifts_the_result_by_just_that() -> None:
    """Who finds 5 % more of a class than there are makes it settle at as many fewer."""
    wrong, thermostat = np.array([1.05, 1.0, 1.0]), Thermostat.at_rest(3)
    for _ in range(40):
        thermostat = held(thermostat, shares(wrong * trained(thermostat, lambda p: p)))
    assert trained(thermostat, lambda p: p) == pytest.approx(shares(WANTED / wrong), abs=1e-6)


def test_that_it_corrects_the_energy_as_it_counts_and_nothing_else() -> None:
    """A correction is in ΔH, whatever offsets are scaled by, and has no lever where they do not count."""
    energy = Energy(terms=(LinearTerm(feature="ink"),), temperature=2.0, offsets_scale=0.5, clip=3.0)
    asked = replace(ASKED, energy=energy, revision=4)
    thermostat = replace(Thermostat.at_rest(3), correction=(0.2, 0.0, -0.1))
    found = thermostat.applied(asked)
    assert np.subtract(found.class_energies, asked.class_energies) == pytest.approx(thermostat.correction)
    assert replace(found, offsets=asked.offsets) == asked
    off = replace(asked, energy=replace(energy, offsets_enabled=False))
    assert thermostat.applied(off) is off
    least = replace(asked, offsets=(LARGEST_OFFSET, 0.0, -LARGEST_OFFSET))
    assert max(map(abs, thermostat.applied(least).offsets)) == LARGEST_OFFSET


def test_that_another_target_keeps_what_was_corrected_and_counts_anew() -> None:
    found = held(Thermostat.at_rest(3), np.array([0.4, 0.3, 0.3]))
    assert found.anew() == replace(Thermostat.at_rest(3), correction=found.correction)
