"""The panels of curves and bars, fed as a run would feed them, and clicked."""

import re
from itertools import product

import numpy as np
import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt
from PySide6.QtWidgets import QApplication, QMainWindow, QTabWidget, QToolButton
from pytestqt.qtbot import QtBot

from studio.gui.live.curves import BATCH, LOSSES
from studio.gui.live.weights import WeightsPanel
from studio.gui.plots.curves import CurvesPanel
from studio.gui.plots.history_plot import HistoryPlot
from studio.gui.plots.plot import Plot
from studio.gui.state.history import History, HistoryView
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls
from studio.gui.window.panels import PANELS
from studio.training.messages.marks import Mark, MarkKind
from tests.gui.hands import click
from tests.gui.shown import come_to_rest, make_history, make_snapshot, show, tooltip_at


def _range(plot: Plot) -> list[list[float]]:
    return [list(axis) for axis in plot.view.viewRange()]


def _at(plot: Plot, x: float, y: float) -> QPoint:
    """Where a point of the plot is in its viewport."""
    return plot.mapFromScene(plot.view.mapViewToScene(QPointF(x, y)))


@pytest.fixture
def losses(qtbot: QtBot, controls: Controls, theme: ThemeManager) -> CurvesPanel:
    panel = CurvesPanel(LOSSES, controls.time, theme)
    show(qtbot, panel)
    return panel


def test_that_losses_say_what_will_appear_draw_a_curve_for_each_metric_and_forget_the_last_run(
    losses: CurvesPanel, controls: Controls
) -> None:
    assert "Press Start" in losses.empty_text
    controls.time.history_shown.emit(HistoryView(history=make_history()))
    assert not losses.empty_text
    controls.time.history_shown.emit(HistoryView())
    assert "Press Start" in losses.empty_text
    history = make_history()
    controls.time.history_shown.emit(HistoryView(history=history))
    titles = [chip.text() for chip in losses.legend.chips.values()]
    assert titles[0].startswith("Critic gap 1.0")
    assert [chip.title for chip in losses.legend.chips.values()] == [
        "Critic gap",
        "Critic loss",
        "Generator loss",
        "Gradient penalty",
    ]
    assert "Weighted mean of D(x)" in losses.legend.chips["critic_gap"].toolTip()
    line = losses.plots["values"]._drawn["critic_gap"].line
    assert line.xData[-1] == history.steps[-1]
    history = History()
    history.append(0, {"kl": 1.0, "loss_model": 2.0, "epoch": 3.0})
    controls.time.history_shown.emit(HistoryView(history=history))
    assert list(losses.legend.chips) == ["kl", "loss_model"], "other columns make other curves"


def test_that_a_single_value_is_a_dash(losses: CurvesPanel, controls: Controls) -> None:
    history = History()
    history.append(500, {"critic_gap": 1.5})
    controls.time.history_shown.emit(HistoryView(history=history))
    line = losses.plots["values"]._drawn["critic_gap"].line
    assert line.yData.tolist() == [1.5, 1.5]
    assert line.xData.mean() == 500
    assert line.xData[0] < 500


def test_that_a_click_in_the_legend_hides_a_curve(qtbot: QtBot, losses: CurvesPanel, controls: Controls) -> None:
    controls.time.history_shown.emit(HistoryView(history=make_history()))
    click(qtbot, losses, "show_critic_gap")
    assert not losses.plots["values"]._drawn["critic_gap"].line.isVisible()
    chip = losses.legend.chips["critic_gap"]
    chip.setFocus()
    qtbot.keyClick(chip, Qt.Key.Key_Space)
    assert losses.plots["values"]._drawn["critic_gap"].line.isVisible()


def test_that_curves_keep_their_range_until_the_run_outgrows_it(losses: CurvesPanel, controls: Controls) -> None:
    history = make_history(205)
    controls.time.history_shown.emit(HistoryView(history=history))
    before = _range(losses.plots["values"])
    for step in range(2050, 2400, 50):
        history.append(step, {"critic_gap": 1.0, "loss_generator": -3.0, "gradient_penalty": 0.1})
        controls.time.history_shown.emit(HistoryView(history=history))
    assert _range(losses.plots["values"]) == before
    history.append(2_600, {"critic_gap": 1.0})
    controls.time.history_shown.emit(HistoryView(history=history))
    assert _range(losses.plots["values"])[0] == [0, 3_000]


def test_that_moving_the_plot_holds_it_and_home_follows_again(
    qtbot: QtBot, losses: CurvesPanel, controls: Controls
) -> None:
    history = make_history()
    controls.time.history_shown.emit(HistoryView(history=history))
    losses.plots["values"].setFocus()
    qtbot.keyClick(losses.plots["values"], Qt.Key.Key_Plus)
    assert losses.view_box.currentText() == "Hold"
    held = _range(losses.plots["values"])
    history.append(90_000, {"critic_gap": 50.0})
    controls.time.history_shown.emit(HistoryView(history=history))
    assert _range(losses.plots["values"]) == held
    qtbot.keyClick(losses.plots["values"], Qt.Key.Key_Home)
    assert losses.view_box.currentText() == "All steps"
    assert _range(losses.plots["values"])[0][1] >= 90_000
    keys = Qt.Key
    for key in (keys.Key_Left, keys.Key_Right, keys.Key_Up, keys.Key_Down, keys.Key_Minus):
        before = _range(losses.plots["values"])
        qtbot.keyClick(losses.plots["values"], key)
        assert _range(losses.plots["values"]) != before, key


def test_that_curves_are_smoothed_followed_and_drawn_on_a_log_scale_that_says_what_it_leaves_out(
    losses: CurvesPanel, controls: Controls, qtbot: QtBot
) -> None:
    controls.time.history_shown.emit(HistoryView(history=make_history()))
    drawn = losses.plots["values"]._drawn["loss_generator"]
    assert drawn.faint.isVisible()
    assert np.ptp(drawn.line.yData[50:]) < np.ptp(drawn.faint.yData[50:])
    losses.smoothing.slider.setValue(0)
    assert not drawn.faint.isVisible()
    losses.view_box.setCurrentIndex(1)
    assert _range(losses.plots["values"])[0] == [2_000, 3_000]
    losses.view_box.setCurrentIndex(0)
    click(qtbot, losses, "losses_log")
    assert losses.plots["values"].left_out == ["Generator loss"]
    assert losses.plots["values"].axes["left"].logarithmic
    assert losses.plots["values"]._drawn["critic_gap"].line.yData[0] == pytest.approx(1.0, abs=0.01)


def test_that_marks_and_values_are_read_under_the_mouse_and_the_plot_is_copied(
    losses: CurvesPanel, controls: Controls, qtbot: QtBot, qapp: QApplication
) -> None:
    history = make_history()
    history.marks.append(Mark(step=1_500, kind=MarkKind.EDIT, text="ΔH <edited>"))
    controls.time.history_shown.emit(HistoryView(history=history, marks=history.marks))
    assert losses.plots["values"].marks.places.tolist() == [1_500]
    assert "ΔH &lt;edited&gt;" in tooltip_at(losses.plots["values"].viewport(), _at(losses.plots["values"], 1_500, 2))
    text = tooltip_at(losses.plots["values"].viewport(), _at(losses.plots["values"], 503, 2))
    assert "step 500" in text
    assert "Critic gap" in text
    losses.plots["values"].copy_picture()
    assert not qapp.clipboard().image().isNull()


def test_that_nothing_hidden_is_drawn(
    qtbot: QtBot, controls: Controls, theme: ThemeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[str] = []
    monkeypatch.setattr(CurvesPanel, "draw", lambda self: drawn.append(self.objectName()))
    window, tabs = QMainWindow(), QTabWidget()
    panel = CurvesPanel(LOSSES, controls.time, theme)
    tabs.addTab(QToolButton(), "other")
    tabs.addTab(panel, "losses")
    window.setCentralWidget(tabs)
    show(qtbot, window)
    drawn.clear()
    controls.time.history_shown.emit(HistoryView(history=make_history()))
    assert not drawn
    tabs.setCurrentIndex(1)
    qtbot.waitUntil(lambda: bool(drawn))


@pytest.fixture
def batch(qtbot: QtBot, controls: Controls, theme: ThemeManager) -> CurvesPanel:
    panel = CurvesPanel(BATCH, controls.time, theme)
    show(qtbot, panel)
    return panel


def test_that_the_batch_panel_shows_sizes_and_newest_values(
    qtbot: QtBot, batch: CurvesPanel, controls: Controls
) -> None:
    panel = batch
    assert "Press Start" in panel.empty_text
    controls.time.history_shown.emit(HistoryView(history=make_history(batch_size=57.0, skipped=3.0)))
    texts = [chip.text() for chip in panel.legend.chips.values()]
    assert texts[0] == "n 57"
    assert texts[3] == "B_avg 64"
    assert texts[5] == "skipped 3"
    assert "(Σw)²/Σw²" in panel.legend.chips["ess"].toolTip()
    click(qtbot, panel, "show_err")
    assert not panel.plots["carry"]._drawn["err"].line.isVisible()
    width = panel.legend.chips["err"].width()
    controls.time.history_shown.emit(HistoryView(history=make_history(err=1.2345e-9)))
    assert panel.legend.chips["err"].width() == width
    controls.time.history_shown.emit(HistoryView(history=make_history(err=0.0)))
    assert _range(panel.plots["carry"])[1][0] == 0, "a size below zero is not on the axis"


def test_that_a_curve_is_painted_wherever_the_view_goes(qtbot: QtBot, batch: CurvesPanel, controls: Controls) -> None:
    plot = batch.plots["sizes"]

    def painted() -> bool:
        rectangle = plot._drawn["batch_size"].line.boundingRect()
        return bool(rectangle == plot.view.viewRect())

    for size in (57.0, 3000.0):
        controls.time.history_shown.emit(HistoryView(history=make_history(batch_size=size)))
        qtbot.waitUntil(painted)
        assert plot.view.viewRect().contains(QPointF(150, size))


def test_that_both_batch_plots_show_the_same_steps(qtbot: QtBot, batch: CurvesPanel, controls: Controls) -> None:
    sizes, carry = batch.plots["sizes"], batch.plots["carry"]
    controls.time.history_shown.emit(HistoryView(history=make_history()))
    qtbot.keyClick(sizes, Qt.Key.Key_Right)
    assert _range(sizes)[0] == _range(carry)[0] == [300, 3_300]
    qtbot.keyClick(carry, Qt.Key.Key_Home)
    assert _range(sizes)[0] == _range(carry)[0] == [0, 3_000]


def test_that_a_low_batch_panel_has_one_plot_with_the_runs_range(
    qtbot: QtBot, controls: Controls, theme: ThemeManager
) -> None:
    panel = CurvesPanel(BATCH, controls.time, theme)
    show(qtbot, panel, 320, 220)
    controls.time.history_shown.emit(HistoryView(history=make_history()))
    qtbot.waitUntil(panel.plots["carry"].isHidden)
    assert _range(panel.plots["sizes"])[0] == [0, 3_000]
    assert panel.minimumSizeHint().height() <= 220
    assert panel.minimumSizeHint().width() <= 320


def test_that_a_card_shows_the_curves_that_its_head_names(
    qtbot: QtBot, controls: Controls, theme: ThemeManager
) -> None:
    panel = CurvesPanel(BATCH, controls.time, theme)
    show(qtbot, panel, 240, 170)
    plot = panel.plots["sizes"]
    for compact, shown in ((True, ["n", "B", "ESS"]), (False, ["n", "B", "ESS", "B_avg"])):
        panel.set_compact(compact)
        controls.time.history_shown.emit(HistoryView(history=make_history(batch_size=57.0, adjusted_size=64.0)))
        assert [drawn.curve.title for drawn in plot._drawn.values() if drawn.line.isVisible()] == shown
        assert panel.legend.isHidden() == compact
        assert plot.axes["left"].label.isVisible() != compact
    assert re.findall(r"\w+\u00a0[\d.]+", panel.figures)[:2] == ["n\u00a057", "B\u00a064"]
    controls.time.history_shown.emit(HistoryView())
    assert panel.figures == ""


def test_that_no_title_of_an_axis_is_cut_off(qtbot: QtBot, theme: ThemeManager) -> None:
    plot = HistoryPlot(theme, "Norm", "gradient norm of each network")
    show(qtbot, plot)
    label = plot.axes["left"].label
    plot.resize(400, 110)
    qtbot.waitUntil(lambda: label.opacity() == 0)
    plot.resize(400, 400)
    qtbot.waitUntil(lambda: label.opacity() == 1)


@pytest.mark.parametrize("larger", [(240, 170), (240, 90), (160, 170)])
def test_that_nothing_of_a_small_plot_is_left_in_a_larger_one(
    qtbot: QtBot, theme: ThemeManager, larger: tuple[int, int]
) -> None:
    plot = HistoryPlot(theme, "Norm", "gradient norm of each network")
    show(qtbot, plot)
    plot.resize(160, 90)
    plot.show_range((0, 5000), (0, 1))
    QApplication.processEvents()
    plot.grab()
    plot.resize(*larger)
    QApplication.processEvents()
    seen = plot.grab().toImage()
    for axis in plot.axes.values():
        axis.setCacheMode(axis.CacheMode.NoCache)
    assert seen == plot.grab().toImage()


@pytest.fixture
def weights(qtbot: QtBot, controls: Controls, theme: ThemeManager) -> WeightsPanel:
    panel = WeightsPanel(controls.target, controls.time, theme)
    show(qtbot, panel)
    qtbot.waitUntil(lambda: not panel.empty_text)
    return panel


def test_that_equal_weights_stand_in_one_bar_that_tells_what_it_is_and_can_be_hidden(
    weights: WeightsPanel, controls: Controls, qtbot: QtBot
) -> None:
    shares = weights._shares["dataset"]
    assert shares.max() == pytest.approx(100)
    assert (shares > 0).sum() == 1
    low, high = weights._bins.weight_range(int(shares.argmax()))
    assert low < 1 < high
    controls.target.set_offset(2, -1.36)
    text = tooltip_at(weights.plot.viewport(), _at(weights.plot, np.log10(3.03), 2))
    assert "Data set: 9.85 %" in text
    assert "Classes: 2" in text
    assert weights._bars["dataset"].isVisible()
    click(qtbot, weights, "show_dataset")
    assert not weights._bars["dataset"].isVisible()


def test_that_a_card_of_weights_is_the_plot_and_what_the_data_is_worth(
    weights: WeightsPanel, controls: Controls
) -> None:
    assert weights.figures == "ESS/n\u00a0100\u00a0%"
    assert weights.plot.axes["bottom"].label.toPlainText().strip() == "weight w = e−ΔH/⟨e−ΔH⟩"
    weights.set_compact(True)
    assert weights.legend.isHidden()
    assert not weights.log_weight.isVisible()
    axis = weights.plot.axes["left"]
    assert axis.tickStrings([0, 50], 1.0, 50.0) == ["0 %", "50 %"], "as no title says what they are"
    weights.set_compact(False)
    assert axis.tickStrings([0, 50], 1.0, 50.0) == ["0", "50"]
    assert weights.log_weight.isVisible()
    controls.time.snapshot_shown.emit(make_snapshot())
    controls.target.changed.emit(None)
    assert weights.figures == "", "nobody knows the target of this step"


def test_that_batches_stand_in_the_same_bars_as_the_data_set_and_are_forgotten_with_their_run(
    weights: WeightsPanel, controls: Controls
) -> None:
    controls.target.set_offset(2, -1.36)
    logs = np.exp(controls.target.tilt.perturbation.class_log_weights(controls.setup.dataset.counts))
    controls.time.snapshot_shown.emit(make_snapshot(recent_weights=np.repeat(logs[[0, 2]], [90, 10])))
    dataset, recent = weights._shares["dataset"], weights._shares["recent"]
    assert (dataset > 0).tolist() == (recent > 0).tolist()
    assert recent[recent > 0].tolist() == [90, 10]
    controls.time.run_shown.emit()
    assert not weights._shares["recent"].any()


def test_that_extreme_weights_are_shown_on_every_scale(qtbot: QtBot, weights: WeightsPanel, controls: Controls) -> None:
    recent = np.array([0.0, np.inf, 1.0, 1e-320, 1e300])
    scales = ("weights_log_weight", "weights_log_share", "weights_log_weight", "weights_log_share")
    for offset, name in product((-700.0, 25.0, 0.001), scales):
        controls.target.set_offset(0, offset)
        click(qtbot, weights, name)
        controls.time.snapshot_shown.emit(make_snapshot(recent_weights=recent.copy()))
        assert weights._shares["dataset"].sum() == pytest.approx(100)
        assert np.isfinite(_range(weights.plot)).all()
        weights.grab()


@pytest.mark.usefixtures("dressed")
def test_that_a_new_point_of_a_curve_has_nothing_drawn_but_its_plot(qtbot: QtBot, losses: CurvesPanel) -> None:
    losses.take_history(HistoryView(history=make_history()))
    come_to_rest(qtbot)
    drawn: list[str] = []

    class Eye(QObject):
        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Paint:
                drawn.append(type(watched).__name__)
            return False

    eye, plot = Eye(), losses.findChild(HistoryPlot)
    QApplication.instance().installEventFilter(eye)
    plot.viewport().update()
    qtbot.waitUntil(lambda: bool(drawn))
    QApplication.instance().removeEventFilter(eye)
    assert "CurvesPanel" not in drawn


@pytest.mark.parametrize("name", ["losses", "weights"])
def test_that_plots_change_their_look_at_once(qtbot: QtBot, controls: Controls, theme: ThemeManager, name: str) -> None:
    (known,) = [panel for panel in PANELS if panel.name == name]
    panel = known.make(controls, theme)
    show(qtbot, panel)
    controls.time.history_shown.emit(HistoryView(history=make_history()))
    theme.set_mode("dark")
    for plot in panel.findChildren(Plot):
        assert plot.backgroundBrush().color().name() == theme.tokens.surface
