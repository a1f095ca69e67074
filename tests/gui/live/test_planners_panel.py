"""The panel that compares planners: asked, watched, called off, and taken at its word."""

from dataclasses import replace

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from studio.gui.live.planners import PlannersPanel
from studio.gui.state.run_view import RunPhase, RunView
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls
from studio.gui.window.main_window import MainWindow
from studio.training.config.assignments import with_settings
from studio.training.config.planners import PlannerKind
from studio.training.messages.commands import CancelComparison, Command, ComparePlanners
from studio.training.messages.planner_report import PlannerReport, PlannerRow
from tests.gui.hands import Hands, panel_of
from tests.gui.shown import show
from tests.library.made_runs import make_run

TRACES = {
    PlannerKind.ERROR_CARRY: 21.8,
    PlannerKind.FIXED_SIZE: 21.2,
    PlannerKind.RESAMPLING: 2.92,
    PlannerKind.STRATIFIED: 2.86,
    None: 19.0,
}


def report(current: PlannerKind = PlannerKind.ERROR_CARRY) -> PlannerReport:
    rows = tuple(
        PlannerRow(
            kind=kind, trace=trace, trace_error=0.1, bias=0.19 if kind is None else 0.001, bias_error=0.002, batches=64
        )
        for kind, trace in TRACES.items()
    )
    return PlannerReport(
        step=1200,
        revision=1,
        network="autoencoder",
        current=current,
        average_size=32,
        squared_gradient=2.0,
        rows=rows,
        seconds=7.5,
    )


@pytest.fixture
def sent(controls: Controls, monkeypatch: pytest.MonkeyPatch) -> list[Command]:
    """What the run is told."""
    commands: list[Command] = []
    monkeypatch.setattr(controls.runs, "send", commands.append)
    return commands


@pytest.fixture
def panel(qtbot: QtBot, controls: Controls, theme: ThemeManager, sent: list[Command]) -> PlannersPanel:
    panel = PlannersPanel(controls.setup, controls.runs, controls.time, theme)
    show(qtbot, panel, 560, 380)
    return panel


def run_is(controls: Controls, phase: RunPhase) -> None:
    controls.runs._set_run(replace(controls.runs.run, phase=phase) if controls.runs.run else RunView(phase=phase))


def press(qtbot: QtBot, panel: PlannersPanel, name: str) -> None:
    button = panel.findChild(QPushButton, name)
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Space)


def texts(panel: PlannersPanel) -> list[list[str]]:
    table = panel.table
    cells = [[table.item(row, column) for column in range(4)] for row in range(table.rowCount())]
    return [[item.text() if item is not None else "" for item in row] for row in cells]


def test_that_a_press_asks_once_a_run_is_under_way_and_another_calls_it_off(
    qtbot: QtBot, panel: PlannersPanel, controls: Controls, sent: list[Command]
) -> None:
    assert "Press Start" in panel.empty_text
    run_is(controls, RunPhase.RUNNING)
    assert not panel.empty_text
    assert not panel.table.isVisible()
    press(qtbot, panel, "planners_compare")
    assert sent == [ComparePlanners()]
    panel.compare.setFocus()
    controls.runs.comparing_planners.emit(0.4)
    assert panel.progress.isVisible()
    assert panel.progress.value() == 40
    assert not panel.compare.isVisible()
    assert panel.cancel.hasFocus()  # the keyboard stays where the hand is
    press(qtbot, panel, "planners_cancel")
    assert sent[1:] == [CancelComparison()]
    controls.runs.planners_compared.emit(None)
    assert panel.compare.isVisible()
    assert not panel.progress.isVisible()


def test_that_the_table_tells_variance_factor_and_bias_and_says_what_error_carry_does_not_do(
    panel: PlannersPanel, controls: Controls
) -> None:
    run_is(controls, RunPhase.RUNNING)
    controls.runs.planners_compared.emit(report())
    rows = texts(panel)
    assert [row[0] for row in rows] == ["Error carry •", "Fixed size", "Resampling", "Stratified", "Own Σw"]
    assert rows[0][1:3] == ["10.9 ± 0.050", "1.00"]
    assert rows[3][1:3] == ["1.43 ± 0.050", "0.13"]
    assert rows[4][3] == "19.0 ± 0.20 %"
    assert panel.advice.text().startswith("Take stratified: 7.6 times less variance than error carry")
    assert "removes the bias of small batches" in panel.carry.text()
    assert "off by 19 %" in panel.carry.text()
    assert "does not lower the variance" in panel.carry.text()
    assert "step 1,200" in panel.place.text()
    header = panel.table.horizontalHeaderItem(1)
    assert "tr Cov(g)/|⟨g⟩|²" in header.toolTip()


def test_that_one_press_takes_the_advice_and_an_answer_goes_with_its_step_or_with_the_next_run(
    qtbot: QtBot, panel: PlannersPanel, controls: Controls
) -> None:
    run_is(controls, RunPhase.PAUSED)
    controls.runs.planners_compared.emit(report())
    assert panel.use.text() == "Use stratified"
    press(qtbot, panel, "planners_use")
    assert controls.setup.config.batch.planner is PlannerKind.STRATIFIED
    assert not panel.use.isVisible()
    controls.runs.went_back.emit(1200)
    assert panel.table.isVisible()
    controls.runs.went_back.emit(1199)
    assert not panel.table.isVisible()
    run_is(controls, RunPhase.RUNNING)
    controls.runs.planners_compared.emit(report())
    controls.runs.comparing_planners.emit(0.1)
    run_is(controls, RunPhase.FINISHED)
    assert not panel.progress.isVisible()
    assert not panel.compare.isEnabled()
    assert panel.table.isVisible()
    controls.time.run_shown.emit()  # an old run is looked at
    assert not panel.empty_text
    controls.runs.run_reset.emit()
    assert "Press Start" in panel.empty_text


def test_that_it_shows_nothing_of_this_windows_run_beside_another_or_once_that_is_left(
    qtbot: QtBot, panel: PlannersPanel, controls: Controls
) -> None:
    run_is(controls, RunPhase.RUNNING)
    controls.runs.planners_compared.emit(report())
    with qtbot.waitSignal(controls.time.frame_shown):
        controls.time.open(make_run(controls.setup.runs_root, "old"))
    assert "once it trains in this window" in panel.empty_text
    assert not panel.compare.isVisible()
    controls.time.show_live()
    assert panel.place.text() == "step 1,200, gradient of the autoencoder"
    controls.runs.target_applied.emit(1300, 2)
    assert panel.place.text() == "step 1,200, of the target before, gradient of the autoencoder"
    controls.runs.config = with_settings(controls.setup.config, ["batch.average_size=128"])
    controls.setup.config_changed.emit(controls.setup.config)
    qtbot.waitUntil(lambda: "of the target before, in batches of B_avg 32, gradient" in panel.place.text())
    run_is(controls, RunPhase.FINISHED)
    controls.subjects.leave()
    assert panel.empty_text.startswith("How steady")


@pytest.mark.slow
def test_that_a_real_run_is_compared_from_the_window(
    qtbot: QtBot, window: MainWindow, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.gui.live.planners.ComparePlanners", lambda: ComparePlanners(seconds=0.2))
    hands = Hands(qtbot, window)
    hands.choose("model", "vae")
    panel = panel_of(window, "planners")
    window.docks["planners"].raise_()
    hands.train()
    press(qtbot, panel, "planners_compare")
    hands.wait(lambda: panel.report is not None)
    assert len(texts(panel)) == 5
    hands.end()
