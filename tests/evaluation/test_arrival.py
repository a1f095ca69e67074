"""Whether a share has arrived, against histories that are known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from studio.evaluation.arrival import (
    Answer,
    Arrival,
    Sighting,
    answer_words,
    arrival,
    arrival_at_once,
    at_once_words,
    since_edit,
)


def history(*shares: float, half: float = 0.03, target: float = 0.3) -> list[Sighting]:
    """Evaluations of two classes, the first of which has these shares, one after the other."""
    return [
        Sighting(
            step=100 * (place + 1),
            data=np.array([0.1, 0.9]),
            target=np.array([target, 1 - target]),
            share=np.array([share, 1 - share]),
            low=np.array([share, 1 - share]) - half,
            high=np.array([share, 1 - share]) + half,
        )
        for place, share in enumerate(shares)
    ]


def both(seen: list[Sighting]) -> list[Arrival]:
    current = since_edit(seen)
    return [arrival(current, index) for index in range(2)]


def first(seen: list[Sighting]) -> Arrival:
    return both(seen)[0]


def test_that_nothing_is_known_before_an_evaluation() -> None:
    assert first([]).answer is Answer.UNKNOWN
    assert first(history(float("nan"))).answer is Answer.UNKNOWN


def test_that_two_intervals_in_a_row_that_hold_the_target_are_an_arrival() -> None:
    assert first(history(0.1, 0.28, 0.31)).answer is Answer.ARRIVED
    assert [each.answer for each in both(history(0.1, 0.28, 0.31))] == [Answer.ARRIVED] * 2


def test_that_one_interval_alone_waits_for_another() -> None:
    assert first(history(0.1, 0.2, 0.28)) == Arrival(answer=Answer.NOT_YET, more=1)
    assert first(history(0.28)) == Arrival(answer=Answer.NOT_YET, more=1)


def test_that_the_same_samples_judged_again_confirm_nothing() -> None:
    (once,), (other,) = history(0.28), history(0.29)
    assert first([once, once]) == Arrival(answer=Answer.NOT_YET, more=1)
    assert first([once, other]).answer is Answer.ARRIVED, "of the same step, but other samples"


def test_that_a_share_has_left_the_target_again_once_two_intervals_in_a_row_miss_it() -> None:
    once = history(0.28, 0.31, 0.4)
    assert first(once).answer is Answer.ARRIVED
    said = answer_words("2", once[-1], 0, first(once))
    assert said == "2s: 40.0 ± 3.0 % of 30 %. It had arrived; this one evaluation misses it."
    assert first(history(0.28, 0.31, 0.4, 0.29, 0.4)).answer is Answer.ARRIVED
    assert first(history(0.28, 0.31, 0.4, 0.41)).answer is Answer.NOT_YET
    assert first(history(0.28, 0.31, 0.4, 0.41, 0.29)) == Arrival(answer=Answer.NOT_YET, more=1)


def test_that_a_lopsided_interval_is_said_by_its_ends() -> None:
    (seen,) = history(0.341)
    seen = replace(seen, low=np.array([0.301, 0.5]), high=np.array([0.413, 0.7]))
    said = answer_words("2", seen, 0, Arrival(answer=Answer.NOT_YET))
    assert said == "2s: 34.1 % (30.1 to 41.3) of 30 %. Not yet."


def test_that_the_relaxation_tells_how_many_more() -> None:
    # The gap halves each time: 0.2, 0.1, 0.05, 0.025 · 2; within 0.01 after three more, and one confirms it.
    seen = history(0.1, 0.2, 0.25, 0.275, half=0.01)
    assert first(seen) == Arrival(answer=Answer.NOT_YET, more=2 + 1)
    slower = history(*(0.3 - 0.2 * 0.9**place for place in range(6)), half=0.01)
    within = int(np.ceil(np.log(0.2 * 0.9**5 / 0.01) / -np.log(0.9)))
    assert first(slower) == Arrival(answer=Answer.NOT_YET, more=within + 1)


@pytest.mark.parametrize("shares", [(0.2,) * 6, (0.2, 0.19, 0.18, 0.17), (0.45, 0.46, 0.44, 0.455, 0.45)])
def test_that_a_share_that_stays_off_or_moves_away_does_not_arrive(shares: tuple[float, ...]) -> None:
    assert first(history(*shares)).answer is Answer.STALLED


def test_that_a_pace_that_takes_for_ever_is_no_arrival() -> None:
    seen = history(*(0.3 - 0.2 * 0.999**place for place in range(12)), half=0.0005)
    assert first(seen).answer is Answer.STALLED


def test_that_few_evaluations_have_no_trend() -> None:
    assert first(history(0.1, 0.1, 0.1)) == Arrival(answer=Answer.NOT_YET)


def test_that_a_share_that_passed_the_target_has_a_new_trend() -> None:
    assert first(history(0.1, 0.1, 0.1, 0.4, 0.38)) == Arrival(answer=Answer.NOT_YET)


def test_that_evaluations_of_another_target_do_not_count() -> None:
    before = history(0.5, 0.5, target=0.5)
    assert first(before).answer is Answer.ARRIVED
    assert first(before + history(0.29)) == Arrival(answer=Answer.NOT_YET, more=1)
    assert first(history(0.3, 0.3) + before[:1]) == Arrival(answer=Answer.NOT_YET, more=1)


def test_that_classes_the_judge_cannot_tell_apart_have_no_answer() -> None:
    (seen,) = history(0.3)
    told = Sighting(
        step=1,
        data=seen.data,
        target=seen.target,
        share=seen.share,
        low=seen.low,
        high=seen.high,
        untold=frozenset({0}),
    )
    assert [each.answer for each in both([told, replace(told, step=2)])] == [Answer.UNTOLD, Answer.ARRIVED]


def test_that_an_interval_that_says_nothing_confirms_no_arrival() -> None:
    # Where hardly a sample is recognised, shares are even and may be anything.
    nothing, found = history(0.5, 0.3, half=0.03)
    nothing = replace(nothing, low=np.zeros(2), high=np.ones(2), untold=frozenset({0, 1}))
    assert first([nothing, found]) == Arrival(answer=Answer.NOT_YET, more=1)


def test_that_a_share_that_stays_right_arrives_nearly_always() -> None:
    # Each interval misses with 5 %: two in a row hold with 0.95², of three also the first two, unless the third misses.
    rng = np.random.default_rng(0)
    arrived = [first(history(*rng.normal(0.3, 0.03 / 1.96, size=3))).answer is Answer.ARRIVED for _ in range(1000)]
    assert np.mean(arrived) == pytest.approx(0.95**3 + 2 * 0.05 * 0.95**2, abs=0.02)
    later = [first(history(*rng.normal(0.3, 0.03 / 1.96, size=20))).answer is Answer.ARRIVED for _ in range(1000)]
    assert np.mean(later) > 0.99


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Arrival(answer=Answer.ARRIVED), "2s: 29.4 ± 3.1 % of 30 %. It has arrived."),
        (Arrival(answer=Answer.NOT_YET, more=1), "2s: 29.4 ± 3.1 % of 30 %. Not yet (about 1 more evaluation)."),
        (Arrival(answer=Answer.NOT_YET), "2s: 29.4 ± 3.1 % of 30 %. Not yet."),
        (Arrival(answer=Answer.STALLED), "2s: 29.4 ± 3.1 % of 30 %. It is not arriving."),
        (Arrival(answer=Answer.UNTOLD), "2s: the judge is too weak to tell these apart from others."),
    ],
)
def test_that_the_answer_is_said_in_words(found: Arrival, said: str) -> None:
    seen = Sighting(
        step=1,
        data=np.array([0.9, 0.1]),
        target=np.array([0.7, 0.3]),
        share=np.array([0.706, 0.294]),
        low=np.array([0.675, 0.263]),
        high=np.array([0.737, 0.325]),
    )
    assert answer_words("2", seen, 1, found) == said


def test_that_an_interval_that_holds_the_data_as_well_is_no_arrival_in_words() -> None:
    seen = history(0.3, 0.3, half=0.25)
    assert first(seen).answer is Answer.ARRIVED
    said = answer_words("2", seen[-1], 0, first(seen))
    assert said == "2s: 30.0 ± 25.0 % of 30 %. The target is within that, and so are the data’s 10 %."


@pytest.mark.parametrize(
    ("share", "answer", "said"),
    [
        (0.29, Answer.ARRIVED, "Sampled at once, 2s are 29.0 ± 3.0 % of 30 %."),
        (0.2, Answer.STALLED, "Sampled at once, 2s are 20.0 ± 3.0 % of 30 %."),
    ],
)
def test_that_one_look_at_samples_made_for_the_target_says_all(share: float, answer: Answer, said: str) -> None:
    (seen,) = history(share)
    assert arrival_at_once(seen, 0).answer is answer
    assert at_once_words("2", seen, 0) == said
    untold = replace(seen, untold=frozenset({0}))
    assert arrival_at_once(untold, 0).answer is Answer.UNTOLD
    assert at_once_words("cat", untold, 0) == "cat: the judge is too weak to tell these apart from others."
