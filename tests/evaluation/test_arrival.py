"""Whether a share has arrived, against histories that are known."""

from dataclasses import replace

import numpy as np
import pytest

from studio.evaluation.arrival import (
    Answer,
    Arrival,
    Sighting,
    arrival,
    arrival_at_once,
    since_edit,
)
from studio.evaluation.arrival_words import NO_TILT, answer_words, at_once_words, tilt_answer, tilted_most
from studio.evaluation.intervals import Z_95
from studio.perturb.energy import Energy
from studio.perturb.perturbation import Perturbation


def history(
    *shares: float, half: float = 0.03, target: float = 0.3, data: float = 0.1, count: int = 1000
) -> list[Sighting]:
    """Evaluations of two classes, the first of which has these shares, one after the other."""
    return [
        Sighting(
            step=100 * (place + 1),
            data=np.array([data, 1 - data]),
            target=np.array([target, 1 - target]),
            share=np.array([share, 1 - share]),
            low=np.array([share, 1 - share]) - half,
            high=np.array([share, 1 - share]) + half,
            count=count,
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
    assert said == "2s: 40.0 ± 3.0 %; 30 % is asked for. It had arrived; this one evaluation misses the target."
    assert first(history(0.28, 0.31, 0.4, 0.29, 0.4)).answer is Answer.ARRIVED
    assert first(history(0.28, 0.31, 0.4, 0.41)).answer is Answer.NOT_YET
    assert first(history(0.28, 0.31, 0.4, 0.41, 0.29)) == Arrival(answer=Answer.NOT_YET, more=1)


def test_that_a_lopsided_interval_is_said_by_its_ends() -> None:
    (seen,) = history(0.341)
    seen = replace(seen, low=np.array([0.301, 0.5]), high=np.array([0.413, 0.7]))
    said = answer_words("2", seen, 0, Arrival(answer=Answer.NOT_YET))
    assert said == "2s: 34.1 % (30.1 to 41.3); 30 % is asked for. Not yet."


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


def test_that_what_another_judge_saw_confirms_nothing() -> None:
    own, other = history(0.3, 0.3), [replace(each, judge="MNIST") for each in history(0.3)]
    assert first([*own[:1], *other]).answer is Answer.NOT_YET
    assert first([own[0], *other, own[1]]).answer is Answer.ARRIVED


def test_that_classes_the_judge_cannot_tell_apart_have_no_answer() -> None:
    (seen,) = history(0.3)
    told = replace(seen, untold=frozenset({0}))
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
        (Arrival(answer=Answer.ARRIVED), "2s: 29.4 ± 3.1 %; 30 % is asked for. It has arrived."),
        (
            Arrival(answer=Answer.NOT_YET, more=1),
            "2s: 29.4 ± 3.1 %; 30 % is asked for. It seems to have arrived; one more evaluation would tell.",
        ),
        (Arrival(answer=Answer.STALLED), "2s: 29.4 ± 3.1 %; 30 % is asked for. It is not arriving."),
        (Arrival(answer=Answer.UNTOLD), "2s: the judge cannot tell them from others in these samples."),
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
        count=1000,
    )
    assert answer_words("2", seen, 1, found) == said


def test_that_an_arrival_is_sure_to_be_nearer_to_the_target_than_a_third_of_the_change_asked_for() -> None:
    """Of all shares and widths: 0.1 → 0.3 asks for 0.2, so that an interval tells if it is within 0.233 and 0.367."""
    answers = set()
    for share in np.linspace(0.0503, 0.5503, 51):
        for half in np.linspace(0.0051, 0.2551, 51):
            seen = history(share, share, half=float(half))
            answer = first(seen).answer
            holds, within = share - half < 0.3 < share + half, share - half > 0.7 / 3 and share + half < 1.1 / 3
            assert (answer is Answer.ARRIVED) == (holds and within)
            assert (answer is Answer.TOO_WIDE) == (holds and not within)
            assert not holds or half > 0.2 / 6 or within, "a sixth of the change always tells"
            assert answer is not Answer.TOO_WIDE or (seen[0].enough(0) or np.inf) > seen[0].count
            answers.add(answer)
    assert answers == {Answer.ARRIVED, Answer.TOO_WIDE, Answer.NOT_YET}


def test_that_a_wide_interval_neither_confirms_nor_undoes_an_arrival() -> None:
    narrow, wide = history(0.3, 0.3), history(0.361, half=0.092)
    assert first([narrow[0], *wide]).answer is Answer.TOO_WIDE
    assert first([*wide, narrow[0]]) == Arrival(answer=Answer.NOT_YET, more=1)
    assert first([*narrow, *wide]).answer is Answer.ARRIVED
    said = answer_words("2", wide[0], 0, first([*narrow, *wide]))
    assert said == "2s: 36.1 ± 9.2 %; 30 % is asked for. It had arrived; this one evaluation is too wide to tell."
    assert first([*narrow, *wide, *history(0.4)]).answer is Answer.ARRIVED, "and then one that misses it"


def test_that_there_is_no_saying_when_a_wide_interval_will_tell() -> None:
    seen = history(0.1, 0.15, 0.2, 0.22, half=0.06)
    assert first(seen) == Arrival(answer=Answer.NOT_YET)


def test_that_a_target_that_asks_nothing_of_the_classes_is_told_by_a_third_of_the_share() -> None:
    for half, answer in ((0.03, Answer.ARRIVED), (0.06, Answer.TOO_WIDE)):
        assert first(history(0.1, 0.1, half=half, target=0.1)).answer is answer
        assert first(history(0.1, 0.1, half=half, target=0.105)).answer is answer


@pytest.mark.parametrize(("share", "judges"), [(0.3, 0.0), (0.35, 0.03), (0.32, 0.04), (0.37, 0.06), (0.31, 0.05)])
def test_that_as_many_samples_as_are_said_to_be_enough_are(share: float, judges: float) -> None:
    def decides(count: int) -> bool:
        half = np.hypot(Z_95 * np.sqrt(share * (1 - share) / count), judges)
        seen = history(share, half=float(half), count=count)[0]
        assert seen.enough(0) == pytest.approx(enough, abs=1)
        return not seen.holds(0) or seen.tells(0)

    off = share - 0.3
    enough = np.ceil(Z_95**2 * share * (1 - share) / (max(off, 0.2 / 3 - off) ** 2 - judges**2))
    assert decides(int(enough) + 2)
    assert not decides(int(enough) - 2)


def test_that_it_is_said_whether_samples_are_wanting_or_the_judge() -> None:
    few = history(0.361, half=0.092, count=105)[0]  # 1.96 √(0.361 · 0.639 / 105) = 0.0919
    said = answer_words("2", few, 0, Arrival(answer=Answer.TOO_WIDE))
    why = "too few samples to tell; 240 “Samples judged” would do."
    assert said == f"2s: 36.1 ± 9.2 %; 30 % is asked for. It may have arrived: {why}"  ## 105 · (0.092/0.061)² = 238.8
    assert "480 “Samples judged” would do" in answer_words(
        "2", replace(few, count=210, unsure=0.5), 0, Arrival(answer=Answer.TOO_WIDE)
    )
    many = replace(few, count=10_000)
    assert many.enough(0) is None
    said = at_once_words("2", many, 0)
    assert said == (
        "Sampled at once, 2s are 36.1 ± 9.2 %; 30 % is asked for. It may be right: the judge is too unsure of these "
        "samples to tell; after more training it may be surer."
    )


def test_that_a_run_is_answered_by_the_class_that_its_target_changes_most() -> None:
    data, target, share = np.array([[0.45, 0.1, 0.45], [0.35, 0.3, 0.35], [0.34, 0.31, 0.35]])
    once = Sighting(step=1, data=data, target=target, share=share, low=share - 0.03, high=share + 0.03, count=1000)
    again = replace(once, step=2)
    said = "2s: 31.0 ± 3.0 %; 30 % is asked for. It has arrived."
    none, ink = Perturbation(offsets=(0.0,) * 3), Energy(clip=1.0)
    assert tilt_answer(("1", "2", "3"), [once, again], none) == said
    own = replace(none, offsets=(0.0, 0.0, 0.2), energy=ink)
    assert tilt_answer(("1", "2", "3"), [once, again], own).startswith("3s: 35.0"), "which has an offset of its own"
    off = replace(own, energy=Energy(offsets_enabled=False))
    assert tilt_answer(("1", "2", "3"), [once, again], off) == said, "it is switched off"
    two = replace(none, offsets=(0.3, -0.5, 0.0))
    told = tilt_answer(("1", "2", "3"), [once, again], two)
    assert told == f"{said} 2 of 2 tilted classes have arrived."
    same = history(0.1, target=0.1)
    two_classes = Perturbation(offsets=(0.0, 0.0))
    assert tilt_answer(("2", "others"), same, two_classes) == NO_TILT
    assert tilt_answer(("2", "others"), same, replace(two_classes, energy=ink)) != NO_TILT, "it may be within a class"


@pytest.mark.parametrize(("offsets", "index"), [((-0.8, 0.0), 0), ((0.0, -0.8), 1), ((0.8, 0.0), 0)])
def test_that_of_two_classes_it_is_the_tilted_one(offsets: tuple[float, ...], index: int) -> None:
    """Both change by as much."""
    data, masses = np.array([0.3, 0.7]), np.array([0.3, 0.7]) * np.exp(-np.array(offsets))
    assert tilted_most(data, masses / masses.sum(), offsets) == index


@pytest.mark.parametrize(
    ("share", "answer", "said"),
    [
        (0.29, Answer.ARRIVED, "Sampled at once, 2s are 29.0 ± 3.0 %; 30 % is asked for."),
        (0.2, Answer.STALLED, "Sampled at once, 2s are 20.0 ± 3.0 %; 30 % is asked for."),
    ],
)
def test_that_one_look_at_samples_made_for_the_target_says_all(share: float, answer: Answer, said: str) -> None:
    (seen,) = history(share)
    assert arrival_at_once(seen, 0).answer is answer
    assert at_once_words("2", seen, 0) == said
    untold = replace(seen, untold=frozenset({0}))
    assert arrival_at_once(untold, 0).answer is Answer.UNTOLD
    assert at_once_words("cat", replace(untold, count=3), 0) == (
        "cat: the judge recognises hardly any of these samples."
    )
    assert at_once_words("cat", untold, 0) == "cat: the judge cannot tell them from others in these samples."
