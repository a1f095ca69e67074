"""Shares that a run holds: the switch, and what is asked for beside what is applied."""

from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from studio.data.planar.config import MoonsConfig
from studio.gui.live.curves import CORRECTIONS
from studio.gui.live.weights import WeightsPanel
from studio.gui.plots.curves import CurvesPanel
from studio.gui.state.run_view import RunPhase, RunView
from studio.gui.state.tilt_view import TiltView
from studio.gui.target.offsets.columns import Column, applied_text, cell_help, cell_text, exact_text
from studio.gui.target.offsets.panel import OffsetsPanel
from studio.gui.target.offsets.summary import OffsetsSummary, Sentence
from studio.gui.target.offsets.table import OffsetsView
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls
from studio.training.config.assignments import with_settings
from studio.training.config.run_config import HoldConfig
from studio.training.messages.commands import SetHold
from studio.training.messages.events import HoldApplied
from studio.training.storage.metrics import held_column
from tests.gui.hands import find
from tests.gui.shown import show

TWO = 2
MOVED = 0.25


def corrected(by: float) -> dict[str, float]:
    """What is logged where the ΔH of twos is corrected."""
    return {held_column(place, str(place)): by if place == TWO else 0.0 for place in range(10)}


@pytest.fixture
def held(controls: Controls) -> TiltView:
    """A run that was asked for more twos, and that holds its shares, having found that it makes too many of them."""
    controls.runs.config = with_settings(controls.setup.config, ["hold.on=true"])
    controls.runs.run = RunView(phase=RunPhase.RUNNING, step=10)
    controls.runs.run_changed.emit(controls.runs.run)
    controls.target.set_offset(TWO, -1.0)
    history = controls.runs.history
    history.append(10, corrected(MOVED))
    controls.runs.history_changed.emit()
    assert controls.target.tilt is not None
    return controls.target.tilt


def test_that_the_switch_sets_it_up_and_reaches_the_run(
    qtbot: QtBot, controls: Controls, theme: ThemeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[object] = []
    monkeypatch.setattr(controls.runs, "send", sent.append)
    panel = OffsetsPanel(controls.setup, controls.target, theme)
    qtbot.addWidget(panel)
    before = controls.setup.config
    button = find(panel, QToolButton, "offsets_hold")
    button.click()
    assert controls.setup.config.hold == HoldConfig(on=True)
    assert sent == [SetHold(hold=HoldConfig(on=True))]
    assert controls.setup.config == with_settings(before, ["hold.on=true"]), "as --hold is short for"
    stack = controls.setup.undo_stack
    assert (stack.undoText(), button.isChecked()) == ("Hold the shares", True)
    stack.undo()
    assert controls.setup.config == before
    assert sent[1:] == [SetHold(hold=HoldConfig())]
    assert not button.isChecked()
    stack.redo()
    assert button.isChecked()
    controls.setup.edit(hold=HoldConfig())
    assert not button.isChecked()
    assert "trades unbiased weights for arrival" in button.toolTip()


def test_that_the_switch_says_why_it_cannot_be_used(qtbot: QtBot, controls: Controls, theme: ThemeManager) -> None:
    panel = OffsetsPanel(controls.setup, controls.target, theme)
    qtbot.addWidget(panel)
    button = find(panel, QToolButton, "offsets_hold")
    assert button.isEnabled()
    with qtbot.waitSignal(controls.setup.dataset_changed):
        controls.setup.set_dataset(MoonsConfig(count=100))
    assert not button.isEnabled()
    assert "needs images with classes" in button.toolTip()


def test_that_the_target_is_what_was_asked_for_and_weights_are_of_what_is_applied(qtbot: QtBot, held: TiltView) -> None:
    asked = -1.0
    assert cell_text(held, TWO, Column.OFFSET) == "−1.000"
    assert "Applied, to hold the shares: −0.750 (+0.250)" in cell_help(held, TWO, Column.OFFSET)
    assert "Applied" not in cell_help(held, 3, Column.OFFSET)
    counts = held.dataset.counts
    share = counts[TWO] * np.exp(-asked) / (counts.sum() - counts[TWO] + counts[TWO] * np.exp(-asked))
    assert held.summary.target[TWO] == pytest.approx(share)
    ratio = held.trained.summary.weights[TWO] / held.trained.summary.weights[0]
    assert ratio == pytest.approx(np.exp(-asked - MOVED))
    assert cell_text(held, TWO, Column.WEIGHT) == f"{held.trained.summary.weights[TWO]:.3f}"
    assert float(exact_text(held, TWO, Column.WEIGHT)) == pytest.approx(held.trained.summary.weights[TWO], rel=1e-5)
    assert held.trained.summary.efficiency > held.summary.efficiency
    assert "Held: ΔH of 2 is applied 0.25 higher." in Sentence.of(held).cost
    summary = OffsetsSummary(4)
    qtbot.addWidget(summary)
    summary.show_tilt(held)
    assert summary.cost.accessibleDescription() == held.trained.reason != held.reason
    for width in (600, 200):
        summary.resize(width, 200)
        summary.show()
        lines = summary.cost.heightForWidth(summary.cost.width()) // summary.fontMetrics().lineSpacing()
        assert summary.cost.height() >= lines * summary.fontMetrics().lineSpacing(), "none is cut off"
    assert lines > 2


def test_that_an_edit_keeps_the_correction_and_none_is_shown_before_it_moves(
    controls: Controls, held: TiltView
) -> None:
    controls.target.set_offset(TWO, -2.0)
    tilt = controls.target.tilt
    assert tilt.trained.perturbation.offsets[TWO] == pytest.approx(-1.75)
    assert not tilt.has_target_of(held)
    controls.runs.history.append(20, corrected(0.0))
    controls.runs.history_changed.emit()
    tilt = controls.target.tilt
    assert tilt is not None
    assert tilt.applied is None
    assert "Held" not in Sentence.of(tilt).cost


def test_that_nothing_is_applied_any_more_once_the_run_holds_no_more_also_while_it_is_paused(
    controls: Controls, held: TiltView
) -> None:
    """At the steps before it was."""
    bench = controls
    bench.runs._set_run(replace(bench.runs.run, phase=RunPhase.PAUSED))
    bench.runs._on_news(None, [HoldApplied(step=10, on=False)], 0)
    tilt = bench.target.tilt
    assert (tilt.applied, bench.target.generated.correction[TWO]) == (None, 0.0)
    bench.runs._on_news(None, [HoldApplied(step=10, on=True)], 0)
    assert bench.target.generated.correction[TWO] == 0.0, "it begins anew"


def test_that_the_histogram_of_weights_is_of_what_is_applied(
    qtbot: QtBot, controls: Controls, theme: ThemeManager, held: TiltView
) -> None:
    panel = WeightsPanel(controls.target, controls.time, theme)
    show(qtbot, panel)
    logs = panel._classes[0] * np.log(10)
    assert logs[TWO] - logs[0] == pytest.approx(1.0 - MOVED)


def test_that_corrections_have_a_curve_for_each_class(
    qtbot: QtBot, controls: Controls, theme: ThemeManager, held: TiltView
) -> None:
    panel = CurvesPanel(CORRECTIONS, controls.time, theme)
    show(qtbot, panel)
    controls.runs.history_changed.emit()
    assert not panel.empty_text
    assert [chip.title for chip in panel.legend.chips.values()] == [str(digit) for digit in range(10)]
    assert all(curve.of_class and curve.colour == int(curve.title) for curve in panel.plots["corrections"].curves)


def test_that_what_is_applied_stands_beneath_what_was_asked_for(
    qtbot: QtBot, controls: Controls, theme: ThemeManager, held: TiltView
) -> None:
    assert [applied_text(held, row) for row in (TWO, 3)] == ["−0.750", ""]
    panel = OffsetsPanel(controls.setup, controls.target, theme)
    show(qtbot, panel)
    panel.resize(500, 640)
    table = find(panel, OffsetsView, "offsets_table")
    drawn = [picture_of(table, row) for row in (TWO, 3)]
    controls.runs.history.append(20, corrected(0.0))
    controls.runs.history_changed.emit()
    assert [picture_of(table, row) == before for row, before in zip((TWO, 3), drawn, strict=True)] == [False, True]


def picture_of(table: OffsetsView, row: int) -> QImage:
    """The cell of an offset, as it is drawn."""
    return table.viewport().grab(table.visualRect(table.model().index(row, Column.OFFSET))).toImage()
