from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QGuiApplication, QWheelEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from studio.errors import UserError
from studio.gui.state.generated import Generated
from studio.gui.state.view_state import RunPhase
from studio.gui.target.offsets.columns import Column
from studio.gui.target.offsets.panel import OffsetsPanel
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.workbench import Workbench
from studio.training.config.file import parse_config
from studio.training.config.planners import PlannerKind
from tests.gui.hands import find

OFFSET, TARGET = Column.OFFSET, Column.TARGET
Key = Qt.Key
Button = Qt.MouseButton
Modifier = Qt.KeyboardModifier


@pytest.fixture
def panel(qtbot: QtBot, workbench: Workbench, theme: ThemeManager) -> OffsetsPanel:
    panel = OffsetsPanel(workbench.setup, workbench.target, theme)
    qtbot.addWidget(panel)
    panel.resize(560, 480)
    with qtbot.waitExposed(panel):
        panel.show()
    panel.activateWindow()
    return panel


class Hand:
    """Clicks, types and turns the wheel as a person would."""

    def __init__(self, qtbot: QtBot, panel: OffsetsPanel) -> None:
        self.qtbot, self.panel, self.table = qtbot, panel, panel.table

    def place(self, row: int, column: Column) -> QPoint:
        return self.table.visualRect(self.table.model().index(row, column)).center()

    def click(self, row: int, column: Column, modifier: Modifier = Modifier.NoModifier) -> None:
        self.qtbot.mouseClick(self.table.viewport(), Button.LeftButton, modifier, self.place(row, column))

    def editors(self) -> list[QLineEdit]:
        return [editor for editor in self.table.findChildren(QLineEdit, "cell_editor") if editor.isVisible()]

    def editor(self) -> QLineEdit:
        (editor,) = self.editors()
        return editor

    def type(self, text: str, end: Key | None = Key.Key_Return) -> None:
        """Type into the current cell, with the first key opening its editor."""
        self.qtbot.keyClick(self.table, text[0])
        editor = self.editor()
        self.qtbot.keyClicks(editor, text[1:])
        if end is not None:
            self.qtbot.keyClick(editor, end)

    def wheel(self, row: int, column: Column, notches: int, modifier: Modifier = Modifier.NoModifier) -> None:
        place = QPointF(self.place(row, column))
        viewport = self.table.viewport()
        event = QWheelEvent(
            place,
            QPointF(viewport.mapToGlobal(place.toPoint())),
            QPoint(),
            QPoint(0, 120 * notches),
            Button.NoButton,
            modifier,
            Qt.ScrollPhase.NoScrollPhase,
            False,
        )
        QApplication.sendEvent(viewport, event)

    def press(self, name: str) -> None:
        button = find(self.panel, QAbstractButton, name)
        self.qtbot.mouseClick(button, Button.LeftButton)

    def key(self, key: Key, modifier: Modifier = Modifier.NoModifier) -> None:
        self.qtbot.keyClick(self.table, key, modifier)

    def message(self) -> str:
        label = find(self.panel, QLabel, "cell_message")
        return label.text() if label.isVisible() else ""


@pytest.fixture
def hand(qtbot: QtBot, panel: OffsetsPanel) -> Hand:
    return Hand(qtbot, panel)


def offsets(workbench: Workbench) -> tuple[float, ...]:
    assert workbench.target.tilt is not None
    return workbench.target.tilt.perturbation.offsets


def target(workbench: Workbench, row: int) -> float:
    assert workbench.target.tilt is not None
    return float(workbench.target.tilt.summary.target[row])


def test_that_a_typed_offset_is_taken(hand: Hand, workbench: Workbench) -> None:
    hand.click(2, OFFSET)
    hand.type("-1,3577")
    assert offsets(workbench)[2] == -1.3577
    assert not hand.editors()
    assert hand.table.model().index(2, OFFSET).data() == "−1.358"
    assert workbench.setup.undo_stack.undoText() == "ΔH of 2"


@pytest.mark.parametrize("text", ["30", "30 %", "30,0%"])
def test_that_a_typed_share_solves_for_its_offset_and_keeps_the_other_proportions(
    hand: Hand, workbench: Workbench, text: str
) -> None:
    assert workbench.target.tilt is not None
    before = workbench.target.tilt.summary.target
    hand.click(2, TARGET)
    hand.type(text)
    after = workbench.target.tilt.summary.target
    assert after[2] == pytest.approx(0.3)
    others = np.arange(10) != 2
    assert after[others] / after[others].sum() == pytest.approx(before[others] / before[others].sum())
    assert all(offset == 0 for row, offset in enumerate(offsets(workbench)) if row != 2)


@pytest.mark.parametrize(
    ("column", "text", "told"),
    [
        (OFFSET, "abc", "“abc” is not a number"),
        (OFFSET, "NaN", "“NaN” is not a number"),
        (OFFSET, "1e308", "too large an offset"),
        (OFFSET, "1e999", "too large a number"),
        (OFFSET, "30 %", "Target p′"),
        (TARGET, "abc", "“abc” is not a number"),
        (TARGET, "0 %", "above 0 %"),
        (TARGET, "100", "below 100 %"),
        (TARGET, "-5", "above 0 %"),
    ],
)
def test_that_a_bad_entry_changes_nothing_and_stays_to_be_mended(
    hand: Hand, workbench: Workbench, column: Column, text: str, told: str
) -> None:
    hand.click(3, column)
    hand.type(text)
    assert told in hand.message()
    assert hand.editor().text() == text
    assert not any(offsets(workbench))
    assert workbench.setup.undo_stack.count() == 0
    hand.editor().selectAll()
    hand.qtbot.keyClicks(hand.editor(), "7")
    hand.qtbot.keyClick(hand.editor(), Key.Key_Return)
    assert hand.message() == ""
    assert offsets(workbench)[3] != 0


def test_that_a_bad_entry_survives_a_click_elsewhere_and_new_numbers(hand: Hand, workbench: Workbench) -> None:
    hand.click(3, OFFSET)
    hand.type("abc", end=None)
    hand.click(5, TARGET)
    workbench.target.set_offset(4, 1.0)
    assert "abc" in hand.message()
    assert hand.editor().text() == "abc"


def test_that_escape_gives_a_bad_entry_up(hand: Hand, workbench: Workbench) -> None:
    hand.click(3, OFFSET)
    hand.type("abc")
    hand.qtbot.keyClick(hand.editor(), Key.Key_Escape)
    assert hand.message() == ""
    assert not any(offsets(workbench))


def test_that_an_entry_goes_to_all_selected_rows_as_one_step(hand: Hand, workbench: Workbench) -> None:
    hand.click(1, OFFSET)
    hand.click(4, OFFSET, Modifier.ShiftModifier)
    hand.type("-2")
    assert offsets(workbench) == (0, -2, -2, -2, -2, 0, 0, 0, 0, 0)
    assert workbench.setup.undo_stack.count() == 1


def test_that_a_share_typed_for_too_many_classes_is_refused_with_their_sum(hand: Hand, workbench: Workbench) -> None:
    hand.click(0, TARGET)
    hand.click(3, TARGET, Modifier.ShiftModifier)
    hand.type("30")
    assert "120 %" in hand.message()
    assert not any(offsets(workbench))


def test_that_tab_opens_the_next_cell_that_can_be_edited(hand: Hand, workbench: Workbench) -> None:
    hand.click(2, OFFSET)
    hand.type("1", Key.Key_Tab)
    assert hand.table.currentIndex().column() == TARGET
    assert hand.editor().accessibleName() == "target share"


def test_that_an_editor_left_as_it_is_changes_nothing(hand: Hand, workbench: Workbench) -> None:
    workbench.target.set_offset(2, -1.35772934)
    hand.click(2, OFFSET)
    hand.key(Key.Key_F2)
    hand.qtbot.keyClick(hand.editor(), Key.Key_Return)
    assert offsets(workbench)[2] == -1.35772934


def test_that_arrows_move_between_cells_and_with_alt_nudge(hand: Hand, workbench: Workbench) -> None:
    hand.click(2, OFFSET)
    hand.key(Key.Key_Down)
    assert (hand.table.currentIndex().row(), hand.table.currentIndex().column()) == (3, OFFSET)
    hand.key(Key.Key_Down, Modifier.AltModifier)
    hand.key(Key.Key_Down, Modifier.AltModifier | Modifier.ShiftModifier)
    assert offsets(workbench)[3] == pytest.approx(-0.11)


def test_that_the_wheel_turns_selected_cells_only(hand: Hand, workbench: Workbench) -> None:
    hand.click(2, OFFSET)
    hand.wheel(2, OFFSET, 3)
    hand.wheel(2, OFFSET, -1, Modifier.ControlModifier)
    hand.wheel(6, OFFSET, 5)
    assert offsets(workbench)[2] == pytest.approx(0.29)
    assert offsets(workbench)[6] == 0


def test_that_the_wheel_turns_a_share_by_points_and_never_to_nothing(hand: Hand, workbench: Workbench) -> None:
    start = target(workbench, 2)
    hand.click(2, TARGET)
    hand.wheel(2, TARGET, 2)
    assert target(workbench, 2) == pytest.approx(start + 0.02)
    hand.wheel(2, TARGET, -20)
    assert 0 < target(workbench, 2) < start


def test_that_delete_sets_selected_rows_to_zero_and_undo_brings_them_back(hand: Hand, workbench: Workbench) -> None:
    workbench.target.set_offsets([1.0] * 10, "All")
    hand.click(0, TARGET)
    hand.click(1, TARGET, Modifier.ShiftModifier)
    hand.key(Key.Key_Delete)
    assert offsets(workbench)[:3] == (0, 0, 1)
    hand.key(Key.Key_Z, Modifier.ControlModifier)
    assert offsets(workbench)[:3] == (1, 1, 1)
    hand.press("redo")
    assert offsets(workbench)[:3] == (0, 0, 1)
    hand.press("undo")
    assert offsets(workbench)[:3] == (1, 1, 1)


def test_that_presets_do_what_they_say(hand: Hand, workbench: Workbench) -> None:
    workbench.target.set_offset(2, -1.5)
    hand.press("preset_invert")
    assert offsets(workbench)[2] == 1.5
    hand.press("preset_balance")
    assert [target(workbench, row) for row in range(10)] == pytest.approx([0.1] * 10)
    hand.press("preset_zero")
    assert not any(offsets(workbench))
    hand.click(3, Column.CLASS)
    hand.click(5, Column.CLASS, Modifier.ControlModifier)
    hand.press("preset_only")
    assert target(workbench, 3) + target(workbench, 5) == pytest.approx(1)
    assert workbench.setup.undo_stack.undoText() == "Only these"


def paste(hand: Hand, text: str) -> None:
    QGuiApplication.clipboard().setText(text)
    hand.key(Key.Key_V, Modifier.ControlModifier)


def test_that_a_column_from_a_spreadsheet_is_pasted(hand: Hand, workbench: Workbench) -> None:
    hand.click(2, OFFSET)
    paste(hand, "-1,5\r\n−2\r\n\r\n0.25\r\n")
    assert offsets(workbench)[2:6] == (-1.5, -2, 0, 0.25)
    assert workbench.setup.undo_stack.count() == 1


def test_that_what_is_copied_can_be_pasted_back(hand: Hand, workbench: Workbench) -> None:
    workbench.target.set_share(2, 0.3)
    before = offsets(workbench)
    hand.table.setFocus()
    hand.key(Key.Key_A, Modifier.ControlModifier)
    hand.key(Key.Key_C, Modifier.ControlModifier)
    text = QGuiApplication.clipboard().text()
    assert text.splitlines()[2].split("\t")[:4] == ["2", "177", "9.84975%", "-1.36673"]
    hand.press("preset_zero")
    hand.click(0, Column.CLASS)
    paste(hand, text)
    assert offsets(workbench) == pytest.approx(before, abs=1e-5)


def test_that_one_pasted_value_fills_all_selected_rows(hand: Hand, workbench: Workbench) -> None:
    hand.click(2, TARGET)
    hand.click(3, TARGET, Modifier.ShiftModifier)
    paste(hand, "25 %")
    assert target(workbench, 2) == target(workbench, 3) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("column", "text", "told"),
    [
        (OFFSET, "1\nx\n3", "9: “x” is not a number"),
        (OFFSET, "1\n2\n3\n4", "4 rows do not fit"),
        (Column.COUNT, "1", "cannot be edited"),
        (TARGET, "60\n60", "120 %"),
    ],
)
def test_that_a_paste_is_taken_whole_or_not_at_all(
    hand: Hand, workbench: Workbench, column: Column, text: str, told: str
) -> None:
    hand.click(8 if text.count("\n") != 3 else 7, column)
    if "x" in text:
        hand.click(8, column)
        text = "1\nx"
    paste(hand, text)
    assert told in hand.message()
    assert not any(offsets(workbench))


def test_that_the_summary_says_what_the_tilt_costs(hand: Hand, workbench: Workbench) -> None:
    def text(name: str) -> str:
        return find(hand.panel, QLabel, name).text()

    assert text("verdict").startswith("No tilt")
    hand.click(2, TARGET)
    hand.type("30")
    assert text("verdict").startswith("Gentle")
    assert text("efficiency") == "ESS/n 68.6 %"
    assert text("examples_per_batch") == "≈ 64 examples a batch"
    hand.click(2, OFFSET)
    hand.type("-8")
    assert text("verdict").startswith("Strong")
    assert "177 examples carry all of it" in hand.panel.summary.verdict.toolTip()


def test_that_the_verdict_tells_of_examples_that_outweigh_a_batch(hand: Hand, workbench: Workbench) -> None:
    verdict = hand.panel.summary.verdict
    model = parse_config({"model": {"kind": "gan"}}, "test").model
    workbench.setup.edit(model=model, batch=workbench.setup.config.batch.model_copy(update={"average_size": 2.0}))
    hand.click(2, OFFSET)
    hand.type("-1.3577")
    assert "outweigh" in verdict.text()
    assert "stratified" in verdict.toolTip()
    workbench.setup.edit(batch=workbench.setup.config.batch.model_copy(update={"planner": PlannerKind.STRATIFIED}))
    assert "outweigh" not in verdict.text() + verdict.toolTip()


def test_that_the_raw_gauge_can_be_chosen(hand: Hand, workbench: Workbench) -> None:
    hand.click(2, OFFSET)
    hand.type("-1")
    menu = find(hand.panel, QToolButton, "gauge").menu()
    raw = next(action for action in menu.actions() if action.objectName() == "gauge_raw")
    head = partial(hand.table.model().headerData, Column.WEIGHT, Qt.Orientation.Horizontal)
    assert head() == "e^−ΔH/⟨w⟩"
    raw.trigger()
    assert head() == "e^−ΔH"
    assert hand.table.model().index(2, Column.WEIGHT).data() == "2.718"
    assert raw.isChecked()


def test_that_pending_shows_until_the_trainer_answers(hand: Hand, workbench: Workbench) -> None:
    badge = find(hand.panel, QLabel, "pending")
    assert workbench.target.tilt is not None
    workbench.target.changed.emit(replace(workbench.target.tilt, pending=True))
    assert badge.isVisible()
    workbench.target.changed.emit(replace(workbench.target.tilt, pending=False))
    assert not badge.isVisible()


def test_that_a_target_that_the_run_refuses_does_not_stay_pending(hand: Hand, workbench: Workbench) -> None:
    badge = find(hand.panel, QLabel, "pending")
    runs, target = workbench.runs, workbench.target
    runs.run = replace(runs.run, phase=RunPhase.RUNNING)
    target.set_offset(2, -1.0)
    assert badge.text() == "pending…"
    told: list[UserError] = []
    workbench.setup.edit_rejected.connect(told.append)
    error = UserError("No batch can be planned", "Every weight is 0.", "Make it weaker.")
    runs.target_rejected.emit(target.perturbation.revision, error)
    assert badge.isVisible()
    assert badge.text() == "refused"
    assert "keeps the one before" in badge.toolTip()
    assert told == [error]
    target.set_offset(2, -0.5)
    assert badge.text() == "pending…", "that may be possible again"
    runs.target_applied.emit(target.perturbation.revision)
    assert not badge.isVisible()
    runs.run = replace(runs.run, phase=RunPhase.IDLE)


def test_that_ten_classes_fit_in_560_pixels_and_numbers_do_not_move_columns(hand: Hand, workbench: Workbench) -> None:
    header = hand.table.horizontalHeader()
    before = [header.sectionSize(column) for column in Column]
    assert sum(before) <= hand.table.viewport().width()
    assert hand.table.verticalScrollBar().maximum() == 0
    workbench.target.set_offset(2, -700)
    assert [header.sectionSize(column) for column in Column] == before


def test_that_generated_shares_are_a_dash_until_known(hand: Hand, workbench: Workbench) -> None:
    cell = hand.table.model().index(2, Column.GENERATED)
    assert cell.data() == "–"
    assert workbench.target.tilt is not None
    share = np.full(10, 0.1)
    found = Generated(shares=share, low=share / 2, high=2 * share, step=100, revision=0)
    workbench.target.changed.emit(replace(workbench.target.tilt, generated=found))
    assert cell.data() == "10.00 %"


def test_that_an_empty_panel_says_what_to_do(qtbot: QtBot, theme: ThemeManager) -> None:
    workbench = Workbench()
    panel = OffsetsPanel(workbench.setup, workbench.target, theme)
    qtbot.addWidget(panel)
    panel.show()
    assert find(panel, QLabel, "offsets_empty").isVisible()
    assert not find(panel, QAbstractButton, "preset_zero").isEnabled()
    assert not panel.table.isVisible()


def test_that_everything_has_a_name_and_headers_explain_themselves(panel: OffsetsPanel) -> None:
    for button in panel.findChildren(QAbstractButton):
        if button.isVisible():
            assert button.accessibleName(), button.objectName()
            assert button.toolTip(), button.objectName()
            assert button.focusPolicy() != Qt.FocusPolicy.NoFocus
    model = panel.table.model()
    for column in Column:
        assert model.headerData(column, Qt.Orientation.Horizontal, Qt.ItemDataRole.ToolTipRole)


def test_that_the_table_can_be_left_with_tab(hand: Hand) -> None:
    hand.table.setFocus()
    hand.key(Key.Key_Tab)
    focused: QWidget | None = QApplication.focusWidget()
    assert focused is not hand.table
