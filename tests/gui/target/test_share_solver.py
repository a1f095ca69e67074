"""Shares that are typed one after the other, with and without a lock."""

from collections.abc import Callable

import pytest

from studio.errors import UserError
from studio.gui.target.offsets.columns import Column
from studio.gui.target.offsets.edits import OffsetsEdits
from studio.gui.target.offsets.presets import PRESETS
from studio.gui.window.controls import Controls


@pytest.fixture
def edits(controls: Controls) -> OffsetsEdits:
    return OffsetsEdits(controls.target)


@pytest.fixture
def share(controls: Controls) -> Callable[[int], float]:
    def of(index: int) -> float:
        return float(controls.target.tilt.summary.target[index])

    return of


def test_that_a_second_share_leaves_a_locked_one_where_it_was(
    controls: Controls, edits: OffsetsEdits, share: Callable[[int], float]
) -> None:
    edits.enter(Column.TARGET, {2: "30"})
    controls.target.lock(2, on=True)
    edits.enter(Column.TARGET, {7: "20"})
    assert (share(2), share(7)) == pytest.approx((0.3, 0.2))
    assert controls.target.class_offsets()[:2] == (0, 0), "the others keep their offsets"
    edits.enter(Column.OFFSET, {4: "1"})
    assert share(2) == pytest.approx(0.3)
    assert controls.target.class_offsets()[4] == 1
    controls.setup.undo_stack.undo()
    controls.setup.undo_stack.undo()
    assert share(2) == pytest.approx(0.3)
    assert controls.target.class_offsets()[7] == 0, "one step each"


def test_that_without_a_lock_a_second_share_takes_from_the_first_as_from_all(
    edits: OffsetsEdits, share: Callable[[int], float]
) -> None:
    edits.enter(Column.TARGET, {2: "30"})
    before = share(7)
    edits.enter(Column.TARGET, {7: "20"})
    assert share(2) == pytest.approx(0.3 * 0.8 / (1 - before))


def test_that_a_locked_class_takes_a_share_of_its_own_and_stays_locked(
    controls: Controls, edits: OffsetsEdits, share: Callable[[int], float]
) -> None:
    controls.target.lock(2, on=True)
    edits.enter(Column.TARGET, {2: "25"})
    edits.enter(Column.TARGET, {3: "25"})
    assert (share(2), share(3)) == pytest.approx((0.25, 0.25))
    controls.target.lock(2, on=False)
    edits.enter(Column.TARGET, {3: "50"})
    assert share(2) < 0.2


@pytest.mark.parametrize(
    ("locked", "text", "told"),
    [
        ((2, 3), "50", "add up to 110 %"),
        ((2, 3), "40", "Locked classes keep 60 %; some must be left over"),
        ((0, 1, 2, 3, 4, 5, 6, 8, 9), "50", "the others must make"),
    ],
)
def test_that_shares_that_locks_leave_no_room_for_are_refused(
    controls: Controls, edits: OffsetsEdits, locked: tuple[int, ...], text: str, told: str
) -> None:
    edits.enter(Column.TARGET, {2: "30", 3: "30"})
    for index in locked:
        controls.target.lock(index, on=True)
    before = controls.target.class_offsets()
    with pytest.raises(UserError) as refused:
        edits.enter(Column.TARGET, {7: text})
    assert told in str(refused.value)
    assert controls.target.class_offsets() == before


def test_that_an_offset_cannot_change_what_all_other_locks_leave(controls: Controls, edits: OffsetsEdits) -> None:
    for index in range(9):
        controls.target.lock(index, on=True)
    with pytest.raises(UserError, match="All other classes are locked"):
        edits.enter(Column.OFFSET, {9: "1"})


def test_that_balance_leaves_locked_classes_and_makes_the_others_equal(
    controls: Controls, edits: OffsetsEdits, share: Callable[[int], float]
) -> None:
    edits.enter(Column.TARGET, {2: "37"})
    controls.target.lock(2, on=True)
    edits.apply(next(each for each in PRESETS if each.title == "Balance"), ())
    assert [share(index) for index in range(10)] == pytest.approx([0.07, 0.07, 0.37] + [0.07] * 7)
