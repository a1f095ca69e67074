"""The Shares panel and what feeds it: bars, intervals, samples, curves, the button and the offsets table's column."""

from dataclasses import replace
from typing import Any, cast

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QToolButton
from pytestqt.qtbot import QtBot

from studio.data.catalog import dataset_named
from studio.evaluation.divergences import drawn_by_weight
from studio.evaluation.evaluation import Evaluation, Mean, Specimens
from studio.evaluation.neighbours import Likeness
from studio.evaluation.shares import estimate
from studio.gui.evaluation.panel import SharesPanel
from studio.gui.state.old_runs import Past
from studio.gui.state.tilt_view import Generated
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls
from studio.gui.window.main_window import MainWindow
from studio.gui.window.panel_dock import PanelArea
from studio.training.messages.events import Evaluated, Evaluating
from studio.training.run.session import RunRequest
from tests.gui.hands import PATIENCE_MS, ask_share, click
from tests.gui.shown import make_snapshot


def evaluation(controls: Controls) -> Evaluation:
    """Of a generator that makes only 2s, one of three unsure."""
    shares, classes = controls.setup.dataset.shares, len(controls.setup.dataset.class_names)
    confusion = np.vstack([np.diag(np.full(classes, 1000)), np.zeros(classes)])
    judged = np.zeros(classes + 1)
    judged[2], judged[-1] = 200, 100
    images = np.zeros((6, 8, 8, 1), np.uint8)
    return Evaluation(
        class_names=controls.setup.dataset.class_names,
        data=np.append(shares, 0.0),
        target=np.append(shares, 0.0),
        shares=estimate(judged, confusion),
        tv=0.9,
        kl=2.5,
        raw_tv=0.8,
        raw_kl=2.0,
        tv_floor=0.01,
        frechet=12.0,
        frechet_floor=0.5,
        mmd=0.3,
        mmd_floor=0.01,
        likeness=Likeness(precision=0.9, recall=0.1, density=1.1, coverage=0.2),
        nearness=0.8,
        features={"ink": Mean(value=31.5, error=0.25)},
        specimens=Specimens(
            labels=drawn_by_weight(np.eye(11)[2], 6, np.random.default_rng(0)),
            images=images,
            neighbours=images,
            nearness=np.full(6, 0.8),
        ),
        accuracy=0.982,
    )


@pytest.fixture
def panel(qtbot: QtBot, controls: Controls, theme: ThemeManager) -> SharesPanel:
    panel = SharesPanel(controls.evaluations, theme)
    qtbot.addWidget(panel)
    panel.resize(520, 400)
    panel.show()
    return panel


def arrive(controls: Controls, step: int = 100, **figures: Any) -> None:
    """An evaluation comes from the run, which has taken up the target as edited."""
    revision, found = controls.target.perturbation.revision, replace(evaluation(controls), **figures)
    message = Evaluated(step=step, seconds=1.0, revision=revision, evaluation=found)
    controls.runs.evaluation_arrived.emit(message)


def test_that_bars_show_data_target_and_generated_with_intervals_corrected_or_raw(
    panel: SharesPanel, controls: Controls, qtbot: QtBot
) -> None:
    assert "Press Start" in panel.empty_text
    assert not panel.evaluate.isEnabled()
    arrive(controls)
    assert panel.empty_text == ""
    bars = panel.bars.bars
    assert bars.names == (*(str(digit) for digit in range(10)), "unsure")
    assert bars.generated[2] == pytest.approx(2 / 3, abs=0.01)
    assert bars.low[2] < bars.generated[2] < bars.high[2]
    assert bars.target.sum() == pytest.approx(1)
    assert "generated 66." in panel.bars.accessibleDescription()
    qtbot.mouseClick(panel.raw, Qt.MouseButton.LeftButton)
    assert panel.bars.bars.generated[2] == pytest.approx(2 / 3)


def test_that_a_page_needs_no_more_room_than_its_own(panel: SharesPanel, controls: Controls, qtbot: QtBot) -> None:
    arrive(controls)
    bars, figures = panel.minimumSizeHint().height(), panel.findChild(QToolButton, "shares_figures")
    click(qtbot, panel, "shares_error")
    curves = panel.minimumSizeHint().height()
    click(qtbot, panel, "shares_figures")
    assert figures.isChecked()
    assert panel.minimumSizeHint().height() < curves
    click(qtbot, panel, "shares_bars")
    assert panel.minimumSizeHint().height() == bars < curves


def test_that_no_shares_of_another_run_stand_while_the_first_of_this_one_are_awaited(
    panel: SharesPanel, controls: Controls
) -> None:
    arrive(controls)
    assert panel.bars.isVisible()
    controls.runs.run_begins.emit(RunRequest(config=controls.setup.config, data=cast(Any, None)), Past())
    controls.runs.evaluation_arrived.emit(Evaluating(step=1, text="Drawing samples", fraction=0.5))
    assert panel.cancel.isVisible()
    assert not panel.bars.isVisible()
    arrive(controls, step=2)
    assert panel.bars.isVisible()


def test_that_a_run_beside_an_edited_set_up_is_not_evaluated(panel: SharesPanel, controls: Controls) -> None:
    """Neither by the button nor by the menu: what would be found is not of what the window is about."""
    view = replace(controls.evaluations.shown, possible=True)
    panel.take(view)
    assert panel.evaluate.isEnabled()
    panel.show_owner("of “twos”, step 102")
    assert not panel.evaluate.isEnabled()
    panel.show_owner("")
    assert panel.evaluate.isEnabled()


def test_that_it_says_which_shares_cannot_be_corrected(panel: SharesPanel, controls: Controls) -> None:
    arrive(controls)
    panel.draw()
    assert panel.caveats.isHidden()
    found = evaluation(controls)
    confusion = np.vstack([np.diag([0.0] + [1000.0] * 9), np.zeros(10)])
    found = replace(found, shares=estimate(np.full(11, 30), confusion))
    controls.runs.evaluation_arrived.emit(Evaluated(step=200, seconds=1.0, revision=0, evaluation=found))
    panel.draw()
    assert not panel.caveats.isHidden()
    assert panel.caveats.text() == f"Too few held-out examples to correct the share of {found.class_names[0]}."


def test_that_a_click_or_the_arrow_keys_show_samples_of_a_class(
    panel: SharesPanel, controls: Controls, qtbot: QtBot
) -> None:
    arrive(controls)
    assert panel.samples.isHidden()
    left, room = panel.bars._span(2)
    place = QPoint(int(left + room / 2), panel.bars.height() // 2)
    qtbot.mouseClick(panel.bars, Qt.MouseButton.LeftButton, pos=place)
    assert panel.bars.current == 2
    assert panel.samples.isVisible()
    assert not panel.samples.picture.scene().sceneRect().isEmpty()
    assert panel.samples.caption.text() == "2: samples above their nearest training examples, nearness 0.80"
    assert "Nearness 0.80" in panel.samples.picture.describe(12, 3)
    assert panel.samples.picture.describe(1000, 3) == ""
    qtbot.keyClick(panel.bars, Qt.Key.Key_Right)
    assert panel.bars.current == 3
    assert panel.samples.caption.text() == "3: no such sample among those judged"
    qtbot.keyClick(panel.bars, Qt.Key.Key_Home)
    assert panel.bars.current == 0


def test_that_every_evaluation_is_a_point_of_the_curves(panel: SharesPanel, controls: Controls, qtbot: QtBot) -> None:
    for step in (100, 200, 300):
        arrive(controls, step)
    click(qtbot, panel, "shares_error")
    history = controls.evaluations.view.history.history
    assert history.steps.tolist() == [100, 200, 300]
    assert history.column("tv").tolist() == [0.9] * 3
    qtbot.waitUntil(lambda: "TV\u00a00.90<" in panel.error.figures)
    assert panel.error.isVisible()


def test_that_evaluations_by_another_judge_are_a_curve_of_their_own(
    panel: SharesPanel, controls: Controls, qtbot: QtBot
) -> None:
    own, other = evaluation(controls), replace(evaluation(controls), tv=0.2, judge="MNIST")
    for step, found in ((100, own), (200, other), (300, own)):
        message = Evaluated(step=step, seconds=1.0, revision=0, evaluation=found)
        controls.runs.evaluation_arrived.emit(message)
    click(qtbot, panel, "shares_error")
    plot = panel.error.plots["tv"]
    qtbot.waitUntil(lambda: len(plot.curves) == 6)
    panel.error.draw()
    drawn = {each.curve.title: each.line.getData() for each in plot._drawn.values() if each.shown}
    assert drawn["TV"][0].tolist() == [100, 300]
    assert 10 ** drawn["TV"][1] == pytest.approx([0.9, 0.9])
    assert {round(float(value), 6) for value in 10 ** drawn["TV by MNIST"][1]} == {0.2}
    assert set(drawn) == {"TV", "chance", "TV by MNIST"}


def test_that_snapshots_alone_draw_no_shares_and_no_table_anew(controls: Controls) -> None:
    drawn: list[object] = []
    controls.evaluations.shown_changed.connect(drawn.append)
    controls.target.changed.connect(drawn.append)
    arrived: list[object] = []
    controls.time.snapshot_shown.connect(arrived.append)
    for step in range(1, 6):
        controls.runs._timer.news.emit(make_snapshot(step), [], 0)
    assert (len(arrived), drawn) == (5, [])


@pytest.mark.slow
@pytest.mark.usefixtures("kept_judge")
def test_that_a_run_is_evaluated_live_on_demand_and_after_its_end(
    window: MainWindow, controls: Controls, qtbot: QtBot
) -> None:
    seen = controls.setup.config.evaluation.model_copy(update={"budget": 50.0, "samples": 100})
    controls.setup.edit(evaluation=seen)
    evaluations = controls.evaluations
    with qtbot.waitSignal(evaluations.evaluated, timeout=PATIENCE_MS):
        window.start()
    with qtbot.waitSignal(evaluations.evaluated, timeout=PATIENCE_MS):
        qtbot.keyClick(window, Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    controls.starter.stop()
    qtbot.waitUntil(lambda: not controls.runs.busy, timeout=PATIENCE_MS)
    before = len(evaluations.view.history.history)
    with qtbot.waitSignal(evaluations.evaluated, timeout=PATIENCE_MS):
        window.actions_of_run["evaluate"].trigger()
    assert len(evaluations.view.history.history) == before + 1
    qtbot.waitUntil(lambda: not evaluations.view.doing)


def test_that_every_figure_of_quality_is_explained_on_its_own(
    panel: SharesPanel, controls: Controls, qtbot: QtBot
) -> None:
    arrive(controls)
    button = panel.findChild(QToolButton, "shares_figures")
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Space)
    values = panel.quality.values
    assert values["Fréchet distance"].text() == "12"
    assert len({label.toolTip() for label in values.values()}) == len(values) == 10
    assert values["Judge"].text() == "98.2 %"
    qtbot.waitUntil(lambda: not panel.quality.curves.empty_text)
    floors = panel.quality.curves.plots["ratios"].references.lines
    assert [(line.place, line.title) for line in floors] == [(0.0, "real against real")], "1 on a logarithmic axis"
    assert panel.quality.curves.legend.chips["frechet_ratio"].text().endswith("24")


def test_that_unsure_is_never_cut_off(panel: SharesPanel, controls: Controls) -> None:
    arrive(controls)
    for width in (panel.bars.minimumSizeHint().width(), 600):
        panel.bars.resize(width, 200)
        last = len(panel.bars.bars.names) - 1 if panel.bars.bars is not None else 0
        assert panel.bars._span(last)[1] >= panel.bars.fontMetrics().horizontalAdvance("unsure")
        for index in (last, 3):
            left, room = panel.bars._span(index)
            assert panel.bars.class_at(left + room / 2) == index


def generated(bench: Controls) -> Generated:
    assert bench.target.tilt.generated is not None
    return bench.target.tilt.generated


def test_that_generated_shares_know_the_step_the_target_and_the_data_that_they_are_of(controls: Controls) -> None:
    arrive(controls)
    found = generated(controls)
    assert (found.step, found.revision, found.note) == (100, 0, "")
    assert found.low[2] < found.shares[2] < found.high[2]
    ask_share(controls.target, 2, 0.3)
    assert generated(controls).note == "of step 100, of the target before"
    controls.setup.undo_stack.undo()
    assert generated(controls).note == ""
    other = controls.setup.config.model_copy(update={"dataset": dataset_named("mnist")})
    controls.runs.config = other
    controls.target.refresh()
    assert controls.target.tilt.generated is None


def test_that_the_share_error_fits_into_the_panel_of_a_small_window(
    qtbot: QtBot, panel: SharesPanel, controls: Controls
) -> None:
    """As large as in the Workbench of a window of 1280 by 800."""
    area = PanelArea()
    qtbot.addWidget(area)
    area.put(panel)
    area.resize(516, 263)
    area.show()
    for step in (100, 200):
        arrive(controls, step)
    click(qtbot, panel, "shares_error")
    qtbot.waitUntil(panel.error.plots["tv"].isVisible)
    assert area.verticalScrollBar().maximum() == 0
    click(qtbot, panel, "shares_figures")
    qtbot.waitUntil(panel.quality.curves.plots["ratios"].isVisible)
    assert panel.quality.curves.plots["ratios"].height() > 150, "below the figures, to which one scrolls"
    assert area.verticalScrollBar().maximum() == 0


def test_that_a_first_point_that_is_far_off_does_not_flatten_what_comes(
    qtbot: QtBot, panel: SharesPanel, controls: Controls
) -> None:
    for step, tv in ((100, 1.0), (200, 0.06), (300, 0.03)):
        arrive(controls, step, tv=tv, frechet=500 * tv)
    click(qtbot, panel, "shares_error")
    plot = panel.error.plots["tv"]
    qtbot.waitUntil(lambda: "tv" in plot._drawn and len(plot._drawn["tv"].line.getData()[1]) == 3)
    first, second, third = plot._drawn["tv"].line.getData()[1]
    low, high = plot.view.viewRange()[1]
    assert low < third < second < first <= high, "all are seen"
    assert second - third > (high - low) / 8
    assert panel.error._left_out.isHidden(), "no line is kept for values that there cannot be"
