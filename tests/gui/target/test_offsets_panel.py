from dataclasses import replace
from functools import partial
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, QRect, Qt
from PySide6.QtGui import QColor, QFontMetrics, QGuiApplication, QMouseEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from studio.data.planar.config import MoonsConfig, RingConfig
from studio.errors import UserError
from studio.evaluation.arrival import Sighting
from studio.evaluation.arrival_words import NO_TILT
from studio.evaluation.evaluation import Mean
from studio.gui.state.old_runs import Past
from studio.gui.state.run_view import RunPhase, RunView
from studio.gui.state.tilt_view import Generated, TiltView
from studio.gui.target.offsets.bar import Scale, scale_of
from studio.gui.target.offsets.columns import Column
from studio.gui.target.offsets.delegate import thumbnail_size
from studio.gui.target.offsets.panel import OffsetsPanel
from studio.gui.target.offsets.summary import Sentence
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls
from studio.perturb.perturbation import Gauge
from studio.training.config.assignments import setting_at
from studio.training.config.energy import FormulaTermConfig
from studio.training.config.file import parse_config
from studio.training.config.planners import PlannerKind
from studio.training.messages.events import Logged, PerturbationApplied, Restored
from studio.training.run.session import RunRequest
from studio.training.storage.metrics import held_column
from tests.gui.evaluation.test_shares_panel import arrive
from tests.gui.hands import ask_share, enter, find, wheel

OFFSET, TARGET = Column.OFFSET, Column.TARGET
Key = Qt.Key
Button = Qt.MouseButton
Modifier = Qt.KeyboardModifier


@pytest.fixture
def panel(qtbot: QtBot, controls: Controls, theme: ThemeManager) -> OffsetsPanel:
    panel = OffsetsPanel(controls.setup, controls.target, theme)
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

    def drag(self, row: int, share: float, *, end: bool = True) -> None:
        """Take the end of a bar to a share."""
        scale, view = self.table._scale(row), self.panel._model.view
        assert view is not None
        start = scale.handle(view, row).toPoint()
        stop = QPoint(round(scale.x(0) + (scale.x(scale.most) - scale.x(0)) * share / scale.most), start.y())
        viewport = self.table.viewport()
        self.qtbot.mousePress(viewport, Button.LeftButton, Modifier.NoModifier, start)
        for place in (start + (stop - start) / 2, stop):
            move = QMouseEvent(
                QEvent.Type.MouseMove,
                QPointF(place),
                QPointF(viewport.mapToGlobal(place)),
                Button.NoButton,
                Button.LeftButton,
                Modifier.NoModifier,
            )
            QApplication.sendEvent(viewport, move)
        if end:
            self.qtbot.mouseRelease(viewport, Button.LeftButton, Modifier.NoModifier, stop)

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


def offsets(controls: Controls) -> tuple[float, ...]:
    return controls.target.tilt.perturbation.offsets


def target(controls: Controls, row: int) -> float:
    return float(controls.target.tilt.summary.target[row])


def test_that_a_typed_offset_is_taken_and_a_typed_share_solves_for_its_offset_and_keeps_the_other_proportions(
    hand: Hand, controls: Controls
) -> None:
    hand.click(2, OFFSET)
    hand.type("-1,3577")
    assert offsets(controls)[2] == -1.3577
    assert not hand.editors()
    assert hand.table.model().index(2, OFFSET).data() == "−1.358"
    assert controls.setup.undo_stack.undoText() == "ΔH of 2"
    before = controls.target.tilt.summary.target
    hand.click(2, TARGET)
    hand.type("30,0%")
    after = controls.target.tilt.summary.target
    assert after[2] == pytest.approx(0.3)
    others = np.arange(10) != 2
    assert after[others] / after[others].sum() == pytest.approx(before[others] / before[others].sum())
    assert all(offset == 0 for row, offset in enumerate(offsets(controls)) if row != 2)


@pytest.mark.parametrize(
    ("column", "text", "told"),
    [
        (OFFSET, "abc", "“abc” is not a number"),
        (OFFSET, "1e308", "too large an offset"),
        (OFFSET, "30 %", "Share p′"),
        (TARGET, "0 %", "above 0 %"),
        (TARGET, "100", "below 100 %"),
    ],
)
def test_that_a_bad_entry_changes_nothing_and_stays_to_be_mended(
    hand: Hand, controls: Controls, column: Column, text: str, told: str
) -> None:
    hand.click(3, column)
    hand.type(text)
    assert told in hand.message()
    assert hand.editor().text() == text
    assert not any(offsets(controls))
    assert controls.setup.undo_stack.count() == 0
    enter(hand.qtbot, hand.editor(), "7")
    assert hand.message() == ""
    assert offsets(controls)[3] != 0


def test_that_a_bad_entry_survives_a_click_elsewhere_and_new_numbers_until_escape_gives_it_up(
    hand: Hand, controls: Controls
) -> None:
    hand.click(3, OFFSET)
    hand.type("abc", end=None)
    hand.click(5, TARGET)
    controls.target.set_offset(4, 1.0)
    assert "abc" in hand.message()
    assert hand.editor().text() == "abc"
    hand.qtbot.keyClick(hand.editor(), Key.Key_Escape)
    assert hand.message() == ""
    assert offsets(controls)[3] == 0


def test_that_an_entry_goes_to_all_selected_rows_as_one_step_if_their_shares_make_sense(
    hand: Hand, controls: Controls
) -> None:
    hand.click(0, TARGET)
    hand.click(3, TARGET, Modifier.ShiftModifier)
    hand.type("30")
    assert "120 %" in hand.message()
    assert not any(offsets(controls))
    hand.qtbot.keyClick(hand.editor(), Key.Key_Escape)
    hand.click(1, OFFSET)
    hand.click(4, OFFSET, Modifier.ShiftModifier)
    hand.type("-2")
    assert offsets(controls) == (0, -2, -2, -2, -2, 0, 0, 0, 0, 0)
    assert controls.setup.undo_stack.count() == 1


def test_that_arrows_move_between_cells_and_with_alt_nudge_a_share_never_to_nothing(
    hand: Hand, controls: Controls
) -> None:
    hand.click(2, OFFSET)
    hand.key(Key.Key_Down)
    assert (hand.table.currentIndex().row(), hand.table.currentIndex().column()) == (3, OFFSET)
    hand.key(Key.Key_Down, Modifier.AltModifier)
    hand.key(Key.Key_Down, Modifier.AltModifier | Modifier.ShiftModifier)
    assert offsets(controls)[3] == pytest.approx(-0.11)
    start = target(controls, 2)
    hand.click(2, TARGET)
    for _ in range(2):
        hand.key(Key.Key_Up, Modifier.AltModifier)
    assert target(controls, 2) == pytest.approx(start + 0.02)
    for _ in range(20):
        hand.key(Key.Key_Down, Modifier.AltModifier)
    assert 0 < target(controls, 2) < start


def test_that_the_wheel_edits_nothing_but_a_cell_that_is_being_edited(hand: Hand, controls: Controls) -> None:
    hand.click(2, OFFSET)
    wheel(hand.table.viewport(), 3, place=hand.place(2, OFFSET))
    assert not any(offsets(controls))
    hand.type("1", end=None)
    wheel(hand.editor(), 3)
    wheel(hand.editor(), -1, Modifier.ControlModifier)
    assert offsets(controls)[2] == pytest.approx(1.29)
    assert hand.editor().text() == "1.29"
    hand.qtbot.keyClick(hand.editor(), Key.Key_Return)
    assert offsets(controls)[2] == pytest.approx(1.29)


def test_that_delete_sets_selected_rows_to_zero_and_undo_brings_them_back(hand: Hand, controls: Controls) -> None:
    controls.target.set_offsets([1.0] * 10, "All")
    hand.click(0, TARGET)
    hand.click(1, TARGET, Modifier.ShiftModifier)
    hand.key(Key.Key_Delete)
    assert offsets(controls)[:3] == (0, 0, 1)
    hand.key(Key.Key_Z, Modifier.ControlModifier)
    assert offsets(controls)[:3] == (1, 1, 1)
    hand.press("redo")
    assert offsets(controls)[:3] == (0, 0, 1)
    hand.press("undo")
    assert offsets(controls)[:3] == (1, 1, 1)


def test_that_presets_do_what_they_say(hand: Hand, controls: Controls) -> None:
    controls.target.set_offset(2, -1.5)
    hand.press("preset_invert")
    assert offsets(controls)[2] == 1.5
    hand.press("preset_balance")
    assert [target(controls, row) for row in range(10)] == pytest.approx([0.1] * 10)
    hand.press("preset_zero")
    assert not any(offsets(controls))
    hand.click(3, Column.CLASS)
    hand.click(5, Column.CLASS, Modifier.ControlModifier)
    hand.press("preset_only")
    assert target(controls, 3) + target(controls, 5) == pytest.approx(1)
    assert controls.setup.undo_stack.undoText() == "Only these"


def paste(hand: Hand, text: str) -> None:
    QGuiApplication.clipboard().setText(text)
    hand.key(Key.Key_V, Modifier.ControlModifier)


def test_that_a_column_or_one_value_for_all_selected_rows_is_pasted_from_a_spreadsheet(
    hand: Hand, controls: Controls
) -> None:
    hand.click(2, OFFSET)
    paste(hand, "-1,5\r\n−2\r\n\r\n0.25\r\n")
    assert offsets(controls)[2:6] == (-1.5, -2, 0, 0.25)
    assert controls.setup.undo_stack.count() == 1
    hand.click(2, TARGET)
    hand.click(3, TARGET, Modifier.ShiftModifier)
    paste(hand, "25 %")
    assert (target(controls, 2), target(controls, 3)) == pytest.approx((0.25, 0.25))


def test_that_what_is_copied_can_be_pasted_back(hand: Hand, controls: Controls) -> None:
    ask_share(controls.target, 2, 0.3)
    before = offsets(controls)
    hand.table.setFocus()
    hand.key(Key.Key_A, Modifier.ControlModifier)
    hand.key(Key.Key_C, Modifier.ControlModifier)
    text = QGuiApplication.clipboard().text()
    assert text.splitlines()[2].split("\t") == ["2", "-1.36673", "30%"]
    hand.press("preset_zero")
    hand.click(0, Column.CLASS)
    paste(hand, text)
    assert offsets(controls) == pytest.approx(before, abs=1e-5)


@pytest.mark.parametrize(
    ("column", "text", "told"),
    [
        (OFFSET, "1\nx\n3", "9: “x” is not a number"),
        (OFFSET, "1\n2\n3\n4", "4 rows do not fit"),
        (Column.CLASS, "1", "cannot be edited"),
        (TARGET, "60\n60", "120 %"),
    ],
)
def test_that_a_paste_is_taken_whole_or_not_at_all(
    hand: Hand, controls: Controls, column: Column, text: str, told: str
) -> None:
    hand.click(8 if text.count("\n") != 3 else 7, column)
    if "x" in text:
        hand.click(8, column)
        text = "1\nx"
    paste(hand, text)
    assert told in hand.message()
    assert not any(offsets(controls))


def test_that_the_summary_says_what_the_tilt_costs_and_tells_of_examples_that_outweigh_a_batch(
    hand: Hand, controls: Controls
) -> None:
    cost = hand.panel.summary.cost
    assert hand.panel.summary.answer.text() == "No tilt: the target is the data as it is."
    hand.click(2, TARGET)
    hand.type("30")
    assert cost.text() == "Gentle tilt: the data is worth 69 % of itself (ESS/n)."
    assert "About 64 examples a batch" in cost.toolTip()
    hand.click(2, OFFSET)
    hand.type("-8")
    assert cost.text() == "Strong tilt: the data is worth 9.9 % of itself (ESS/n)."
    assert "177 examples carry all of it" in cost.toolTip()
    model = parse_config({"model": {"kind": "gan"}}, "test").model
    controls.setup.edit(model=model, batch=controls.setup.config.batch.model_copy(update={"average_size": 2.0}))
    hand.click(2, OFFSET)
    hand.type("-1.3577")
    assert "outweigh" in cost.text()
    assert "stratified" in cost.toolTip()
    controls.setup.edit(batch=controls.setup.config.batch.model_copy(update={"planner": PlannerKind.STRATIFIED}))
    assert "outweigh" not in cost.text() + cost.toolTip()


def test_that_one_button_sets_up_what_reaches_a_strong_tilt_sooner(
    hand: Hand, controls: Controls, qtbot: QtBot
) -> None:
    recipe, before = hand.panel.summary.recipe, controls.setup.config
    assert not recipe.isVisible()
    hand.click(2, OFFSET)
    hand.type("-1")
    assert not recipe.isVisible(), "weights do for that"
    hand.type("-8")
    assert recipe.text() == "Tell the model the classes and stratify batches"
    assert "SN-GAN" in recipe.toolTip()
    qtbot.mouseClick(recipe, Button.LeftButton)
    after = controls.setup.config
    assert setting_at(after, "model.conditional") is True
    assert setting_at(after, "batch.planner") == "stratified"
    assert after.model_copy(update={"model": before.model}).perturbation.offsets == {"2": -8}
    assert not recipe.isVisible()
    controls.setup.undo_stack.undo()
    assert controls.setup.config.model == before.model
    assert recipe.isVisible()
    controls.runs._set_run(RunView(phase=RunPhase.RUNNING))
    assert not recipe.isVisible(), "a run under way keeps its model"
    controls.runs._set_run(RunView(phase=RunPhase.FINISHED))
    assert recipe.isVisible()


def test_that_rows_that_are_selected_are_tinted_all_along(hand: Hand, dressed: ThemeManager) -> None:
    hand.click(0, OFFSET)
    hand.key(Key.Key_A, Modifier.ControlModifier)
    picture, accent = hand.table.viewport().grab().toImage(), QColor(dressed.tokens.accent)
    seen = [picture.pixelColor(hand.place(row, column)) for row in (0, 1) for column in (Column.LOCK, Column.STATUS)]
    assert seen[1] == seen[2] == seen[3] != accent, "the lock of the first row is drawn"


def test_that_the_raw_gauge_can_be_chosen(hand: Hand, controls: Controls) -> None:
    hand.click(2, OFFSET)
    hand.type("-1")
    raw = hand.panel.head.gauges[Gauge.RAW]
    head = partial(hand.table.model().headerData, Column.WEIGHT, Qt.Orientation.Horizontal)
    assert head() == "Weight w/⟨w⟩"
    raw.trigger()
    assert head() == "Weight w"
    assert hand.table.model().index(2, Column.WEIGHT).data() == "2.718"
    assert raw.isChecked()


def test_that_a_target_that_the_run_refuses_does_not_stay_pending(hand: Hand, controls: Controls) -> None:
    badge = find(hand.panel, QLabel, "pending")
    runs, target = controls.runs, controls.target
    runs.run = replace(runs.run, phase=RunPhase.RUNNING)
    target.set_offset(2, -1.0)
    assert badge.text() == "pending…"
    told: list[UserError] = []
    controls.setup.edit_rejected.connect(told.append)
    error = UserError("No batch can be planned", "Every weight is 0.", "Make it weaker.")
    runs.target_rejected.emit(target.perturbation.revision, error)
    assert badge.isVisible()
    assert badge.text() == "refused"
    assert "keeps the one before" in badge.toolTip()
    assert told == [error]
    target.set_offset(2, -0.5)
    assert badge.text() == "pending…", "that may be possible again"
    runs.target_applied.emit(5, target.perturbation.revision)
    assert not badge.isVisible()
    runs.run = replace(runs.run, phase=RunPhase.IDLE)


def test_that_ten_classes_fit_in_560_pixels_and_numbers_do_not_move_columns(hand: Hand, controls: Controls) -> None:
    header = hand.table.horizontalHeader()
    before = [header.sectionSize(column) for column in Column]
    model, tips = hand.table.model(), Qt.ItemDataRole.ToolTipRole
    assert all(model.headerData(column, Qt.Orientation.Horizontal, tips) for column in Column)
    assert sum(before) <= hand.table.viewport().width()
    assert hand.table.verticalScrollBar().maximum() == 0
    controls.target.set_offset(2, -700)
    assert [header.sectionSize(column) for column in Column] == before


@pytest.mark.usefixtures("dressed")
def test_that_ten_classes_take_the_room_of_a_large_window(hand: Hand) -> None:
    for size in ((490, 560), (760, 900)):
        hand.panel.resize(*size)
        QApplication.processEvents()
        high, room = hand.table.rowHeight(0), hand.table.viewport().height()
        assert room - 10 * high < high, size
        assert thumbnail_size(high, hand.table.width()) > high // 2


@pytest.mark.usefixtures("dressed")
def test_that_nothing_moves_while_the_answer_takes_another_line_or_a_share_swings(
    hand: Hand, controls: Controls
) -> None:
    model, bar = hand.table.model(), hand.table.verticalScrollBar()
    ask_share(controls.target, 2, 0.3)
    hand.panel.resize(490, 640)
    places, heads = set(), set()
    for share in (0.29, 0.31, 0.29):
        evaluated(controls, seen(controls, 100, share))
        for more in ("", " It is not arriving, and so says a line that is longer than there is room for."):
            hand.panel.summary.answer.setText(hand.panel.summary.answer.text() + more)
            for _ in range(5):
                QApplication.processEvents()
            places.add((hand.table.height(), hand.table.rowHeight(0), bar.isVisible()))
        heads.add(model.headerData(Column.BAR, Qt.Orientation.Horizontal))
    assert len(places) == 1
    assert heads == {"0–30 %", "0–40 %"}
    assert model.headerData(Column.BAR, Qt.Orientation.Horizontal) == "0–40 %", "the bars keep what they once needed"
    ask_share(controls.target, 2, 0.2)
    assert model.headerData(Column.BAR, Qt.Orientation.Horizontal) == "0–20 %"


def test_that_no_scroll_bar_comes_up_for_a_moment_while_all_classes_fit(qtbot: QtBot, hand: Hand) -> None:
    """It would cover the answers until the rows are lower."""
    bar, shown = hand.table.verticalScrollBar(), 0

    class Watch(QObject):
        def eventFilter(self, _: QObject, event: QEvent) -> bool:
            nonlocal shown
            shown += event.type() == QEvent.Type.Show
            return False

    watch = Watch()
    bar.installEventFilter(watch)
    for height in (640, 600, 560, 520):
        hand.panel.resize(490, height)
        QApplication.processEvents()
    assert shown == 0
    hand.panel.resize(490, 330)
    QApplication.processEvents()
    assert bar.isVisible()


def test_that_an_empty_panel_says_what_to_do(qtbot: QtBot, theme: ThemeManager) -> None:
    controls = Controls()
    panel = OffsetsPanel(controls.setup, controls.target, theme)
    qtbot.addWidget(panel)
    panel.show()
    assert find(panel, QLabel, "offsets_empty").isVisible()
    assert not find(panel, QAbstractButton, "preset_zero").isEnabled()
    assert not panel.table.isVisible()


def test_that_tab_goes_from_cell_to_cell_opening_the_next_and_on_after_the_last(hand: Hand, controls: Controls) -> None:
    def here() -> tuple[int, int]:
        return hand.table.currentIndex().row(), hand.table.currentIndex().column()

    hand.click(3, OFFSET)
    hand.key(Key.Key_Tab)
    assert here() == (3, TARGET)
    hand.key(Key.Key_Tab)
    assert here() == (4, OFFSET)
    hand.key(Key.Key_Backtab)
    assert here() == (3, TARGET)
    hand.click(9, TARGET)
    hand.key(Key.Key_Tab)
    focused: QWidget | None = QApplication.focusWidget()
    assert focused is not hand.table
    hand.click(3, OFFSET)
    hand.key(Key.Key_Tab, Modifier.ControlModifier)
    assert QApplication.focusWidget() is focused
    hand.click(2, OFFSET)
    hand.type("1", Key.Key_Tab)
    assert hand.table.currentIndex().column() == TARGET
    assert hand.editor().accessibleName() == "target share"


def test_that_enter_opens_a_cell_and_commits_it_where_it_is_but_not_as_it_was(hand: Hand, controls: Controls) -> None:
    hand.click(2, TARGET)
    hand.key(Key.Key_Return)
    enter(hand.qtbot, hand.editor(), "30")
    assert target(controls, 2) == pytest.approx(0.3)
    assert hand.table.currentIndex().row() == 2
    assert not hand.editors()
    controls.target.set_offset(2, -1.35772934)
    hand.click(2, OFFSET)
    hand.key(Key.Key_F2)
    hand.qtbot.keyClick(hand.editor(), Key.Key_Return)
    assert offsets(controls)[2] == -1.35772934


def test_that_the_end_of_a_bar_is_dragged_to_a_share_in_one_step(hand: Hand, controls: Controls) -> None:
    hand.click(2, TARGET)
    hand.type("30")
    scale = hand.panel._model.scale
    hand.drag(2, 0.2, end=False)
    assert target(controls, 2) == pytest.approx(0.2, abs=0.003), "solved while it is dragged"
    assert controls.setup.config.perturbation.offsets["2"] == pytest.approx(-1.36673, abs=1e-5), "not yet in force"
    assert hand.panel._model.scale == scale
    place = hand.table._scale(2).handle(controls.target.tilt, 2).toPoint()  # type: ignore[arg-type]
    hand.qtbot.mouseRelease(hand.table.viewport(), Button.LeftButton, Modifier.NoModifier, place)
    assert target(controls, 2) == pytest.approx(0.2, abs=0.003)
    assert controls.setup.undo_stack.count() == 2
    controls.setup.undo_stack.undo()
    assert target(controls, 2) == pytest.approx(0.3)
    assert hand.panel._model.scale == scale


def test_that_a_drag_goes_on_through_what_the_run_tells_and_counts_when_it_ends(hand: Hand, controls: Controls) -> None:
    """An edit from before it is taken up, and holding moves on, while the mouse stands still."""
    controls.runs.config = controls.setup.config
    controls.runs.run = RunView(phase=RunPhase.RUNNING, step=10)
    controls.runs.run_changed.emit(controls.runs.run)
    hand.click(5, TARGET)
    hand.type("20")
    hand.drag(2, 0.15, end=False)
    controls.runs.target_applied.emit(10, controls.target.perturbation.revision)
    controls.runs.history.append(10, {held_column(place, str(place)): 0.1 * (place == 2) for place in range(10)})
    controls.runs.history_changed.emit()
    assert target(controls, 2) == pytest.approx(0.15, abs=0.003)
    hand.qtbot.mouseRelease(hand.table.viewport(), Button.LeftButton, Modifier.NoModifier, hand.place(2, Column.BAR))
    assert target(controls, 2) == pytest.approx(0.15, abs=0.003)
    assert controls.setup.config.perturbation.offsets["2"] != 0
    hand.drag(2, 0.1, end=False)
    controls.setup.undo_stack.undo()
    assert target(controls, 2) == pytest.approx(controls.setup.dataset.shares[2], abs=0.02), "which is no more dragged"
    hand.key(Key.Key_Escape)
    assert controls.setup.undo_stack.count() == 2


def test_that_a_drag_ends_with_its_data(hand: Hand, controls: Controls) -> None:
    hand.drag(7, 0.2, end=False)
    with hand.qtbot.waitSignal(controls.setup.dataset_changed):
        controls.setup.set_dataset(MoonsConfig())
    assert not hand.table.dragging
    hand.qtbot.mouseRelease(hand.table.viewport(), Button.LeftButton, Modifier.NoModifier, QPoint(5, 5))
    assert not any(offsets(controls))


def test_that_a_drag_goes_on_beyond_the_scale_to_what_locks_leave_and_escape_gives_it_up(
    hand: Hand, controls: Controls
) -> None:
    before = target(controls, 2)
    hand.drag(2, 0.05, end=False)
    assert target(controls, 2) != pytest.approx(before)
    hand.key(Key.Key_Escape)
    assert target(controls, 2) == pytest.approx(before)
    assert controls.setup.undo_stack.count() == 0
    hand.drag(2, 0.25)
    assert target(controls, 2) == pytest.approx(0.25, abs=0.003)
    assert hand.panel._model.scale == pytest.approx(0.3)
    hand.click(2, TARGET)
    hand.type("90")
    controls.target.lock(2, on=True)
    hand.drag(3, 0.5)
    assert target(controls, 2) == pytest.approx(0.9)
    assert 0.099 < target(controls, 3) < 0.1


def test_that_a_click_or_space_locks_a_class_and_nothing_of_a_fixed_target_can_be_taken_hold_of(
    hand: Hand, controls: Controls
) -> None:
    hand.click(2, Column.LOCK)
    assert controls.target.tilt.locked == {2}
    hand.key(Key.Key_Space)
    assert not controls.target.tilt.locked
    assert controls.target.tilt is not None
    controls.target.changed.emit(replace(controls.target.tilt, hint="It was so."))
    hand.drag(2, 0.2)
    hand.click(2, Column.LOCK)
    assert not hand.table.dragging
    assert not controls.target.tilt.locked
    assert not any(offsets(controls))
    assert not find(hand.panel, QAbstractButton, "preset_balance").isEnabled()


def test_that_columns_come_on_demand_and_are_told_of(hand: Hand, qtbot: QtBot) -> None:
    def shown() -> list[Column]:
        return [column for column in Column if not hand.table.isColumnHidden(column)]

    always = [Column.CLASS, Column.BAR, OFFSET, TARGET, Column.LOCK, Column.STATUS]
    assert shown() == always
    with qtbot.waitSignal(hand.panel.columns_chosen) as told:
        hand.panel.head.columns[Column.WEIGHT].trigger()
    assert told.args == ["weight"]
    assert shown() == sorted([*always, Column.WEIGHT])
    hand.panel.columns = "count"
    assert shown() == sorted([*always, Column.COUNT])


def seen(controls: Controls, step: int, share: float, **parts: Any) -> Sighting:
    """An evaluation of the target in force whose twos have this share."""
    wanted = controls.target.tilt.summary.target
    found = np.where(np.arange(10) == 2, share, wanted)
    data = controls.target.tilt.dataset.shares
    once = Sighting(step=step, data=data, target=wanted, share=found, low=found - 0.03, high=found + 0.03, count=1000)
    return replace(once, **parts)


def evaluated(controls: Controls, *sightings: Sighting, note: str = "") -> None:
    """Have the panel know of evaluations."""
    assert controls.target.tilt is not None
    newest = sightings[-1]
    found = Generated(
        shares=newest.share, low=newest.low, high=newest.high, step=newest.step, revision=0, seen=sightings, note=note
    )
    controls.target.changed.emit(replace(controls.target.tilt, generated=found))


def test_that_no_answer_stands_beside_another_target(hand: Hand, controls: Controls) -> None:
    """Not while a bar is dragged, nor between an edit that is undone and all that hear of it."""
    shown: list[TiltView] = []
    arrive(controls)
    controls.target.changed.connect(shown.append)
    means = controls.means  # of the theory panel
    assert means.generated("class:2") is not None
    hand.drag(2, 0.2, end=False)
    assert means.generated("class:2") is None
    arrive(controls, step=200)
    assert means.generated("class:2") is None
    assert shown[-1].generated.note == "of step 200, of the target before"
    place = hand.table._scale(2).handle(shown[-1], 2).toPoint()
    hand.qtbot.mouseRelease(hand.table.viewport(), Button.LeftButton, Modifier.NoModifier, place)
    beside: list[Mean | None] = []
    controls.target.changed.connect(
        lambda tilt: beside.append(tilt.perturbation.offsets[2] and means.generated("class:2"))
    )
    controls.setup.undo_stack.undo()
    assert not any(beside)
    assert means.generated("class:2") is not None
    assert shown[-1].seen[-1].step == 200, "which was of this very target"
    assert not [each for each in shown if each.seen and any(each.perturbation.offsets)]


def test_that_the_sentence_says_whether_the_class_that_is_tilted_most_has_arrived(
    hand: Hand, controls: Controls
) -> None:
    answer, cell = hand.panel.summary.answer, hand.table.model().index(2, Column.GENERATED)
    hand.click(2, TARGET)
    hand.type("30")
    assert answer.text() == "2s: 30 % is asked for, and nothing is evaluated yet."
    assert cell.data() == "–"
    first = seen(controls, 100, 0.2)
    evaluated(controls, first)
    assert answer.text() == "2s: 20.0 ± 3.0 %; 30 % is asked for. Not yet."
    assert cell.data() == "20.00 %"
    evaluated(controls, first, seen(controls, 200, 0.29), seen(controls, 300, 0.294))
    assert answer.text() == "2s: 29.4 ± 3.0 %; 30 % is asked for. It has arrived."
    assert hand.panel.summary.cost.text().endswith("Share error TV 0.003, most at 2 (−0.6 points).")
    assert hand.table.model().index(2, Column.STATUS).data() == "✓"
    evaluated(controls, first, seen(controls, 200, 0.29))
    said = hand.table.model().index(2, Column.STATUS).data(Qt.ItemDataRole.ToolTipRole)
    assert answer.text().endswith("It seems to have arrived; one more evaluation would tell.")
    assert "one more evaluation would tell" in said
    wide = seen(controls, 400, 0.361, low=np.full(10, 0.269), high=np.full(10, 0.453), count=105)
    evaluated(controls, first, wide, replace(wide, step=500))
    why = "too few samples to tell; 240 “Samples judged” would do."
    assert answer.text() == f"2s: 36.1 ± 9.2 %; 30 % is asked for. It may have arrived: {why}"
    assert answer.property("role") == "muted"
    status = hand.table.model().index(2, Column.STATUS)
    assert (status.data(), "240 “Samples judged” would do" in status.data(Qt.ItemDataRole.ToolTipRole)) == ("?", True)
    assert not hand.panel.summary.recipe.isVisible()
    evaluated(controls, *(seen(controls, step, 0.36) for step in range(100, 600, 100)))
    assert hand.panel.summary.recipe.isVisible()
    assert (
        answer.text()
        == "2s: 36.0 ± 3.0 %; 30 % is asked for. It is not arriving. Hold, or At once, may bring it there."
    )
    evaluated(controls, first, note="of step 100, of the target before")
    assert answer.text() == "2s: 30 % is asked for. 20.0 % is of step 100, of the target before."
    assert hand.table.model().index(2, Column.STATUS).data() == ""


def test_that_shares_by_the_judge_of_other_data_say_so(hand: Hand, controls: Controls) -> None:
    hand.click(2, TARGET)
    hand.type("30")
    evaluated(controls, seen(controls, 100, 0.29), seen(controls, 200, 0.2, judge="MNIST"))
    assert hand.panel.summary.answer.text() == "2s (judge of MNIST): 20.0 ± 3.0 %; 30 % is asked for. Not yet."
    tip = hand.table.model().index(2, Column.GENERATED).data(Qt.ItemDataRole.ToolTipRole)
    assert "of step 200, by the judge of MNIST." in tip
    evaluated(controls, seen(controls, 200, 0.2, judge="MNIST"), note="of step 200, of the target before")
    assert "the target before (judge of MNIST)." in hand.panel.summary.answer.text()


def test_that_nothing_is_said_to_arrive_where_there_is_no_tilt(hand: Hand, controls: Controls) -> None:
    evaluated(controls, seen(controls, 100, 0.1), seen(controls, 200, 0.1))
    status = hand.table.model().index(2, Column.STATUS)
    assert (status.data(), NO_TILT in status.data(Qt.ItemDataRole.ToolTipRole)) == ("", True)


def test_that_classes_that_are_not_told_apart_have_no_share(hand: Hand, controls: Controls) -> None:
    evaluated(controls, seen(controls, 100, 0.1, untold=frozenset({3, 5})))
    model = hand.table.model()
    assert model.index(3, Column.GENERATED).data() == "–"
    assert model.index(3, Column.STATUS).data() == "?"
    assert "Share error" in hand.panel.summary.cost.text()
    evaluated(controls, seen(controls, 100, 0.4, untold=frozenset({2, 5})))
    assert "Share error" in hand.panel.summary.cost.text()
    assert "most at 2" not in hand.panel.summary.cost.text(), "the share of twos is not known"
    evaluated(controls, seen(controls, 100, 0.9, untold=frozenset({2})))
    assert model.headerData(Column.BAR, Qt.Orientation.Horizontal) == "0–15 %", "bars that are not drawn need no room"
    evaluated(controls, seen(controls, 100, 0.1, untold=frozenset(range(10))))
    assert "Share error" not in hand.panel.summary.cost.text()
    assert "cannot tell them from others" in model.index(3, Column.BAR).data(Qt.ItemDataRole.ToolTipRole)


def test_that_classes_that_were_not_told_apart_before_an_edit_have_no_share_either(
    hand: Hand, controls: Controls
) -> None:
    before = seen(controls, 100, 0.1, untold=frozenset(range(10)))
    hand.click(2, TARGET)
    hand.type("30")
    evaluated(controls, before, note="of step 100, of the target before")
    assert hand.panel.summary.answer.text() == "2s: 30 % is asked for, and nothing is evaluated yet."
    model, tip = hand.table.model(), Qt.ItemDataRole.ToolTipRole
    for column in (Column.GENERATED, Column.BAR):
        assert "cannot tell them from others" in model.index(3, column).data(tip)


def test_that_a_share_generated_for_the_target_before_is_not_copied_beside_this_one(
    hand: Hand, controls: Controls
) -> None:
    hand.click(2, TARGET)
    hand.type("30")
    hand.panel.columns = "generated"
    for note, copied in (("", "20%"), ("of step 100, of the target before", "")):
        evaluated(controls, seen(controls, 100, 0.2), note=note)
        hand.click(2, TARGET)
        hand.click(2, Column.GENERATED, Modifier.ShiftModifier)
        hand.key(Key.Key_C, Modifier.ControlModifier)
        assert QGuiApplication.clipboard().text() == f"30%\t{copied}"


def test_that_a_small_share_beside_a_large_one_can_be_seen() -> None:
    scale = Scale(QRect(0, 0, 218, 40), 1.0)
    assert (scale.length(0.0), scale.length(0.0001), scale.length(0.011), scale.length(0.5)) == (0, 4, 4, 100)


def test_that_the_scale_is_common_and_rounded_up(controls: Controls) -> None:
    assert controls.target.tilt is not None
    assert scale_of(controls.target.tilt, range(10)) == pytest.approx(0.15)
    ask_share(controls.target, 2, 0.3)
    assert scale_of(controls.target.tilt, range(10)) == pytest.approx(0.3)
    ask_share(controls.target, 2, 0.301)
    assert scale_of(controls.target.tilt, range(10)) == pytest.approx(0.4)


def with_term(qtbot: QtBot, hand: Hand, controls: Controls) -> None:
    """A formula that favours slanted digits."""
    energy = controls.setup.config.perturbation.energy_part()
    term = FormulaTermConfig(text="where(slant > 10, -1, 0)")
    controls.target.set_energy(energy.model_copy(update={"terms": (term,)}), "Add")
    qtbot.waitUntil(lambda: controls.target.tilt is not None and controls.target.tilt.energies is not None)


def test_that_terms_are_rows_with_a_switch_and_what_they_add(qtbot: QtBot, hand: Hand, controls: Controls) -> None:
    ask_share(controls.target, 2, 0.3)
    with_term(qtbot, hand, controls)
    assert hand.table.model().headerData(Column.WEIGHT, Qt.Orientation.Horizontal) == "Mean w/⟨w⟩"
    (effect,) = hand.panel.terms.effects
    change = 100 * (target(controls, 2) - 0.3)
    does, side = ("adds", "to") if change > 0 else ("takes", "from")
    assert effect.text() == f"{does} {abs(change):.1f} points {side} 2"
    qtbot.mouseClick(find(hand.panel, QAbstractButton, "offsets_term_0"), Button.LeftButton)
    assert target(controls, 2) == pytest.approx(0.3)
    assert hand.panel.terms.effects[0].text() == "off"
    switch = find(hand.panel, QAbstractButton, "offsets_term_0")
    qtbot.keyClick(switch, Key.Key_Space)
    assert switch.isChecked()
    qtbot.keyClick(switch, Key.Key_Space)
    assert target(controls, 2) == pytest.approx(0.3), "the switch keeps the keyboard"
    for _ in range(controls.setup.undo_stack.count() - 2):
        controls.setup.undo_stack.undo()
    assert target(controls, 2) == pytest.approx(0.3 + change / 100)
    with qtbot.waitSignal(hand.panel.term_asked) as asked:
        hand.press("offsets_term_0_edit")
    assert asked.args == [0]


def test_that_zero_is_no_tilt_at_all_and_undone_in_one_step(qtbot: QtBot, hand: Hand, controls: Controls) -> None:
    with_term(qtbot, hand, controls)
    ask_share(controls.target, 2, 0.3)
    before = [target(controls, index) for index in range(10)]
    hand.press("preset_zero")
    assert controls.target.tilt.summary.target == pytest.approx(controls.target.tilt.dataset.shares)
    assert controls.setup.undo_stack.undoText() == "Zero"
    controls.setup.undo_stack.undo()
    assert [target(controls, index) for index in range(10)] == pytest.approx(before)


def test_that_few_images_that_carry_much_are_said_to_be_copied_and_many_are_not(hand: Hand, controls: Controls) -> None:
    have_classes(controls, np.array([10, 500, 500]))
    hand.press("preset_balance")
    cost = hand.panel.summary.cost
    assert "10 images carry a third of it: expect copies." in cost.text()
    have_classes(controls, np.array([178, 1000, 619]))
    hand.press("preset_zero")
    hand.click(0, OFFSET)
    hand.press("preset_only")
    assert cost.text() == "Strong tilt: the data is worth 9.9 % of itself (ESS/n)."


def many(controls: Controls, number: int) -> None:
    """As if the data had so many classes."""
    have_classes(controls, 20 + np.arange(number) % 30)


def have_classes(controls: Controls, counts: NDArray[np.int64]) -> None:
    """As if the data had classes of so many images."""
    dataset, number = controls.setup.dataset, len(counts)
    assert dataset is not None
    controls.setup.dataset = replace(
        dataset,
        class_names=tuple(f"class {index}" for index in range(number)),
        counts=counts,
        shares=counts / counts.sum(),
        labels=np.repeat(np.arange(number), counts),
        thumbnails=dataset.thumbnails[np.arange(number) % 10],
    )
    controls.setup.dataset_changed.emit(controls.setup.dataset)


def test_that_many_classes_can_be_filtered_and_ordered_by_how_far_they_are_off(hand: Hand, controls: Controls) -> None:
    head, model = hand.panel.head, hand.panel._model
    assert not head.filter.isVisible()
    many(controls, 1000)
    assert head.filter.isVisible()
    ask_share(controls.target, 700, 0.3)
    head.deviation.setChecked(True)
    assert model.classes[0] == 700
    assert hand.table.rowAt(0) == 0, "which is seen"
    head.filter.setText("99")
    assert sorted(model.classes) == [99, *range(199, 990, 100), *range(990, 1000)]
    head.filter.setText("class 42")
    head.deviation.setChecked(False)
    assert model.classes == [42, *range(420, 430)]
    hand.click(1, TARGET)
    hand.type("5")
    assert target(controls, 420) == pytest.approx(0.05), "the row's class, whatever its place"


def test_that_only_rows_that_are_seen_are_painted_and_the_bars_have_their_scale(hand: Hand, controls: Controls) -> None:
    many(controls, 1000)
    asked: set[int] = set()
    arrival = hand.panel._model.arrival
    hand.panel._model.arrival = lambda place: (asked.add(place), arrival(place))[1]  # type: ignore[method-assign,func-returns-value]
    hand.table.viewport().repaint()
    assert 5 < len(asked) < 40
    model, head = hand.panel._model, hand.panel.head

    def scale() -> str:
        return str(model.headerData(Column.BAR, Qt.Orientation.Horizontal))

    ask_share(controls.target, 700, 0.3)
    assert scale() == "0–0.1 %"
    hand.table.scrollTo(model.index(700, 0))
    assert scale() == "0–30 %"
    hand.table.scrollToTop()
    assert scale() == "0–0.1 %"
    head.deviation.setChecked(True)
    assert scale() == "0–30 %", "the largest deviation is at the top"
    head.filter.setText("class 42")
    assert scale() == "0–0.1 %"


def test_that_tab_leaves_a_table_of_many_classes_and_arrows_walk_in_it(hand: Hand, controls: Controls) -> None:
    many(controls, 21)
    for key, modifier in (
        (Key.Key_Tab, Modifier.NoModifier),
        (Key.Key_Backtab, Modifier.NoModifier),
        (Key.Key_Tab, Modifier.ControlModifier),
    ):
        hand.click(3, OFFSET)
        hand.key(Key.Key_Down)
        assert hand.table.currentIndex().row() == 4
        hand.key(key, modifier)
        assert QApplication.focusWidget() is not hand.table
    hand.click(3, OFFSET)
    hand.type("-1", Key.Key_Tab)
    assert offsets(controls)[3] == -1
    assert not hand.editors()
    assert QApplication.focusWidget() is not hand.table
    many(controls, 20)
    hand.click(3, OFFSET)
    hand.key(Key.Key_Tab)
    assert QApplication.focusWidget() is hand.table


def test_that_no_share_is_cut_off(hand: Hand, controls: Controls) -> None:
    controls.target.set_offset(0, -27.0)
    model, font = hand.table.model(), hand.table.font()
    font.setBold(True)
    for row, text in ((0, "> 99.99 %"), (1, "< 0.001 %")):
        assert model.index(row, TARGET).data() == text
        assert QFontMetrics(font).horizontalAdvance(text) + 12 <= hand.table.columnWidth(TARGET)
    assert hand.panel.summary.answer.text() == "0s: more than 99.9 % is asked for, and nothing is evaluated yet."
    controls.target.set_offset(0, 27.0)
    assert hand.panel.summary.answer.text() == ("0s: less than 0.001 % is asked for, and nothing is evaluated yet.")


def test_that_the_sentence_on_points_has_their_exact_share_error(qtbot: QtBot, controls: Controls) -> None:
    """At the time cursor, of the target that is shown alone."""
    with qtbot.waitSignal(controls.setup.dataset_changed):
        controls.setup.set_dataset(RingConfig(count=400))
    ask_share(controls.target, 0, 0.3)

    def said() -> str:
        assert controls.target.tilt is not None
        return Sentence.of(controls.target.tilt).answer

    assert said() == "1s: 30 % is asked for; the plane shows whether it arrives."
    runs = controls.runs
    runs.config, runs.title = controls.setup.config, "points"
    runs.run_begins.emit(RunRequest(config=controls.setup.config, data=cast(Any, None)), Past())
    runs._set_run(RunView(phase=RunPhase.FINISHED, step=20))
    for step, error in ((10, 0.25), (20, 0.0314)):
        runs.history.append(step, {"plane_tv": error})
        runs.history_changed.emit()
    exact = "1s: 30 % is asked for. Share error by the exact density: TV {}, where chance leaves 0.01 to 0.03."
    assert said() == exact.format("0.031")
    controls.time.seek(10)
    assert said() == exact.format("0.250")
    controls.time.follow()
    unknown = "1s: 40 % is asked for; the plane shows whether it arrives."
    ask_share(controls.target, 0, 0.4)
    assert said() == unknown
    controls.setup.undo_stack.undo()
    runs._set_run(RunView(phase=RunPhase.PAUSED, step=20))
    ask_share(controls.target, 0, 0.4)
    applied = PerturbationApplied(step=20, revision=controls.target.perturbation.revision)
    for event in (applied, Logged(step=30, seconds=1, values={"plane_tv": 0.5})):
        controls.time.seek(10)
        assert said() == exact.format("0.250"), "also while another target is awaited"
        controls.time.follow()
        assert said() == unknown, event
        runs._on_news(None, [event], 0)
    assert said() == exact.format("0.500").replace("30", "40", 1)
    controls.time.seek(25)
    assert said() == unknown, "what was logged last is of the other"
    runs._on_news(None, [Restored(step=15, left=30)], 0)
    assert said() == unknown, "the target stays, the weights do not"
    runs._on_news(None, [Logged(step=25, seconds=1, values={"plane_tv": 0.125})], 0)
    assert said() == exact.format("0.125").replace("30", "40", 1)
    ask_share(controls.target, 0, 0.5)
    runs._set_run(RunView(phase=RunPhase.FINISHED, step=25))
    assert said() == unknown.replace("40", "50"), "it ended before it took that up"
