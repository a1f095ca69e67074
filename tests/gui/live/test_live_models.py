"""The panels of diagnostics and gradients, and reference lines, fed as a run would feed them, and clicked."""

from itertools import product
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFileDialog, QLabel
from pytestqt.qtbot import QtBot

from studio.gui.live.curves import GRADIENTS, LOSSES
from studio.gui.live.diagnostics import DiagnosticsPanel
from studio.gui.plots.bins import shares, value_edges
from studio.gui.plots.curves import CurvesPanel
from studio.gui.plots.profile_plot import ProfilePlot
from studio.gui.state.history import History, HistoryView
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls
from studio.models.catalog import MODELS
from studio.models.diagnostic import Diagnostic, Histogram, Pictures, Profile, Reference
from studio.training.config.run_config import RunConfig
from studio.training.messages.marks import Mark, MarkKind
from tests.gui.hands import click
from tests.gui.shown import make_history, make_snapshot, show, tooltip_at

Key = Qt.Key


def histogram(name: str = "slope", scale: float = 1.0) -> Histogram:
    rng = np.random.default_rng(0)
    return Histogram(
        name=name,
        title="Critic slope",
        tip="How steep the critic is. Norm of ∇D.",
        axis="slope ‖∇D‖",
        series={"real": scale * rng.normal(1, 0.1, 400), "generated": scale * rng.normal(0.7, 0.2, 400)},
        references=(Reference(value=1.0, title="wanted 1"),),
    )


def profile() -> Profile:
    return Profile(
        name="levels",
        title="Loss by noise level",
        tip="How hard each noise level is. Mean loss at t.",
        axes=("time t", "loss (nats)"),
        at=np.linspace(0, 1, 11),
        series={"seen": np.linspace(2, 0, 11), "held out": np.full(11, np.nan)},
    )


def pictures(colour: bool = False) -> Pictures:
    rng = np.random.default_rng(1)
    images = rng.integers(0, 256, (12, 8, 8, 3 if colour else 1), dtype=np.uint8)
    return Pictures(
        name="rebuilt", title="Reconstructions", tip="Real above.", images=images, columns=6, rows=("real", "rebuilt")
    )


@pytest.fixture
def panel(qtbot: QtBot, controls: Controls, theme: ThemeManager) -> DiagnosticsPanel:
    panel = DiagnosticsPanel(controls.time, theme)
    show(qtbot, panel)
    return panel


def feed(panel: DiagnosticsPanel, *found: Diagnostic, step: int = 120) -> None:
    panel._time.snapshot_shown.emit(make_snapshot(step=step, diagnostics=found))


def test_that_it_says_what_will_appear_and_when_a_model_has_none(panel: DiagnosticsPanel) -> None:
    assert "Press Start" in panel.empty_text
    feed(panel)
    assert "has no diagnostics" in panel.empty_text
    feed(panel, histogram())
    assert not panel.empty_text
    panel._time.run_shown.emit()
    assert "Press Start" in panel.empty_text


def test_that_all_are_offered_by_title_chosen_by_keyboard_and_kept_by_name(
    qtbot: QtBot, panel: DiagnosticsPanel
) -> None:
    feed(panel, histogram(), profile(), pictures())
    titles = [panel.choice.itemText(place) for place in range(3)]
    assert titles == ["Critic slope", "Loss by noise level", "Reconstructions"]
    assert "How steep" in panel.choice.toolTip()
    assert panel.histogram.isVisible()
    panel.choice.setFocus()
    qtbot.keyClick(panel.choice, Key.Key_Down)
    assert panel.profile.isVisible()
    qtbot.keyClick(panel.choice, Key.Key_Down)
    assert panel.pictures.isVisible()
    assert any(label.text().startswith("step 100") for label in panel.findChildren(QLabel))
    panel._time.run_shown.emit()
    feed(panel, histogram())
    assert panel.histogram.isVisible()
    feed(panel, profile(), histogram(), pictures(), step=140)
    assert panel.choice.currentText() == "Reconstructions"
    assert panel.pictures.isVisible()


def test_that_a_histogram_has_its_series_its_reference_and_its_axis_and_bins_that_stand_still(
    qtbot: QtBot, panel: DiagnosticsPanel
) -> None:
    feed(panel, histogram())
    assert list(panel.legend.chips) == ["real", "generated"]
    assert panel.histogram.labels["bottom"] == "slope ‖∇D‖"
    (line,) = panel.histogram.references.lines
    assert (line.place, line.title) == (1.0, "wanted 1")
    low, high = panel.histogram.view.viewRange()[0]
    assert low < 0.2 < 1.3 < high
    qtbot.mouseClick(panel.legend.chips["real"], Qt.MouseButton.LeftButton)
    assert [bars.isVisible() for bars in panel.histogram._bars] == [False, True]
    place = panel.histogram.mapFromScene(panel.histogram.view.mapViewToScene(QPointF(1.0, 1.0)))
    assert "% of 400" in tooltip_at(panel.histogram.viewport(), place)
    before = panel.histogram.view.viewRange()
    feed(panel, histogram(scale=0.98), step=140)
    assert panel.histogram.view.viewRange() == before
    feed(panel, histogram(scale=9.0), step=160)
    assert panel.histogram.view.viewRange() != before


def test_that_odd_values_are_drawn_without_a_fault(panel: DiagnosticsPanel) -> None:
    panel.log_button.click()
    for found in ([], [np.nan, np.inf], [0.0], [3.0, 3.0], [1e300, -1e300], [1e-300]):
        values = np.array(found)
        odd = Histogram(name="odd", title="Odd", tip="", axis="", series={"a": values, "b": np.empty(0)})
        curve = Profile(name="c", title="C", tip="", axes=("", ""), at=values, series={"a": values})
        feed(panel, odd, curve)
        for place, view in enumerate((panel.histogram, panel.profile)):
            panel.choice.setCurrentIndex(place)
            assert view.isVisible()


def test_that_a_profile_is_drawn_against_its_own_axis(qtbot: QtBot, panel: DiagnosticsPanel) -> None:
    feed(panel, profile())
    assert panel.profile.labels == {"bottom": "time t", "left": "loss (nats)"}
    x, y = panel.profile._lines[0].getData()
    assert (x[0], x[-1], y[0]) == (0.0, 1.0, 2.0)
    qtbot.mouseClick(panel.log_button, Qt.MouseButton.LeftButton)
    assert panel.profile.axes["left"].logarithmic
    assert len(panel.profile._lines[0].getOriginalDataset()[0]) == 10, "0 has no logarithm"


def test_that_an_axis_of_percentages_ends_at_a_hundred(qtbot: QtBot, theme: ThemeManager) -> None:
    plot = ProfilePlot(theme)
    qtbot.addWidget(plot)
    for unit, top in (("ESS/n (%)", 100.0), ("ESS", 112.0)):
        values = {"one": np.array([0.0, 100.0])}
        plot.show_profile(Profile(name=unit, title="x", tip="", axes=("s", unit), at=np.arange(2.0), series=values))
        assert plot.view.viewRange()[1][1] == pytest.approx(top)


def test_that_pictures_have_their_columns_and_name_their_rows(qtbot: QtBot, panel: DiagnosticsPanel) -> None:
    feed(panel, pictures())
    size = panel.pictures.picture.size()
    assert (size.width(), size.height()) == (6 * 9 - 1, 2 * 9 - 1)
    assert panel.pictures.viewportMargins().left() > 20
    top, bottom = panel.pictures.row_place(1)
    place = QPoint(panel.pictures.viewport().width() // 2, int((top + bottom) / 2))
    assert "rebuilt. Row 2" in tooltip_at(panel.pictures.viewport(), place)
    assert not panel.legend.isVisible()
    panel.resize(200, 300)
    assert panel.pictures.viewportMargins().left() == 0, "in a narrow panel the images come first"


def test_that_pictures_are_saved_pixel_for_pixel(
    qtbot: QtBot, panel: DiagnosticsPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed(panel, histogram(), pictures(colour=True))
    assert not panel.save_button.isVisible()
    panel.choice.setCurrentIndex(1)
    file = tmp_path / "rebuilt"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(file), ""))
    qtbot.mouseClick(panel.save_button, Qt.MouseButton.LeftButton)
    assert QImage(str(file) + ".png").size() == panel.pictures.picture.size()
    assert panel.saver.text() == f"Saved {file}.png"
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "no" / "such.png"), ""))
    qtbot.mouseClick(panel.save_button, Qt.MouseButton.LeftButton)
    assert "not saved" in panel.saver.text()


def test_that_bins_cover_values_and_references_and_shares_add_up() -> None:
    values = [np.array([0.0, 0.5, 1.0]), np.array([2.0])]
    edges = value_edges(values, (3.0,))
    assert edges[0] <= 0.0
    assert edges[-1] >= 3.0
    assert shares(values[0], edges).sum() == pytest.approx(100)
    assert shares(np.empty(0), edges).sum() == 0
    far = value_edges([np.array([1e-6, 2e-6])], (1.0,))
    assert len(far) < 500


def gradients_history(points: int = 60) -> History:
    rng = np.random.default_rng(0)
    history = History()
    for index in range(points):
        values = {"gradient_penalty": 0.1, "loss_critic": 1.0}
        for network, scale in (("critic", 1.0), ("generator", 0.1)):
            values[f"gradient_{network}"] = scale * np.exp(rng.normal())
            values[f"update_{network}"] = 2e-3 * scale
        history.append(10 * index, values)
    history.marks.append(Mark(step=200, kind=MarkKind.RATE, text="Learning rate of the critic set to 0.0005"))
    return history


@pytest.fixture
def gradients(qtbot: QtBot, controls: Controls, theme: ThemeManager) -> CurvesPanel:
    panel = CurvesPanel(GRADIENTS, controls.time, theme)
    show(qtbot, panel)
    return panel


def test_that_gradients_have_a_curve_per_network_and_the_usual_ratio(
    gradients: CurvesPanel, controls: Controls
) -> None:
    assert "Press Start" in gradients.empty_text
    controls.time.history_shown.emit(HistoryView(history=make_history()))
    assert "has no gradients" in gradients.empty_text
    history = gradients_history()
    controls.time.history_shown.emit(HistoryView(history=history, marks=history.marks))
    assert [chip.text() for chip in gradients.legend.chips.values()] == ["Critic", "Generator"]
    norm, ratio = gradients.plots["norm"], gradients.plots["update"]
    assert [curve.name for curve in norm.curves] == ["gradient_critic", "gradient_generator"]
    assert [(line.place, line.title) for line in ratio.references.lines] == [(-3.0, "usual 10⁻³")]
    assert not norm.references.lines
    assert norm.axes["left"].logarithmic
    assert list(norm.marks.places) == [200]


def test_that_one_plot_can_be_switched_off_but_not_both_and_both_follow_scale_legend_and_hold(
    qtbot: QtBot, gradients: CurvesPanel, controls: Controls
) -> None:
    controls.time.history_shown.emit(HistoryView(history=gradients_history()))
    norm, ratio = gradients.plots.values()
    qtbot.mouseClick(gradients.log_button, Qt.MouseButton.LeftButton)
    assert not ratio.axes["left"].logarithmic
    assert ratio.references.lines[0].place == 1e-3
    qtbot.mouseClick(gradients.legend.chips["gradient_critic"], Qt.MouseButton.LeftButton)
    assert not norm._drawn["gradient_critic"].line.isVisible()
    assert not ratio._drawn["update_critic"].line.isVisible()
    qtbot.keyClick(norm, Key.Key_Plus)
    assert not ratio.following
    assert ratio.view.viewRange()[0] == pytest.approx(norm.view.viewRange()[0])
    qtbot.keyClick(ratio, Key.Key_Home)
    assert norm.following
    assert norm.isVisible()
    assert ratio.isVisible()
    for name in ("gradients_norm", "gradients_update"):
        click(qtbot, gradients, name)
    assert norm.isVisible()
    assert not ratio.isVisible()
    gradients.shown["update"].click()
    gradients.resize(320, 220)
    assert not ratio.isVisible(), "a small panel has room for one"


def test_that_losses_draw_the_references_of_what_is_shown(
    qtbot: QtBot, controls: Controls, theme: ThemeManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = next(spec for spec in MODELS if spec.kind == "wgan_gp")
    monkeypatch.setitem(spec.references, "critic_gap", (Reference(value=2.0, title="bound"),))
    controls.runs.config = RunConfig(model=spec.config(kind="wgan_gp"))
    losses = CurvesPanel(LOSSES, controls.time, theme)
    show(qtbot, losses)
    controls.time.history_shown.emit(HistoryView(history=make_history()))
    assert "bound" in [line.title for line in losses.plots["values"].references.lines]
    qtbot.mouseClick(losses.legend.chips["critic_gap"], Qt.MouseButton.LeftButton)
    assert "bound" not in [line.title for line in losses.plots["values"].references.lines]


def test_that_both_looks_fit_a_small_dock(panel: DiagnosticsPanel, gradients: CurvesPanel, theme: ThemeManager) -> None:
    for mode, each in product(("light", "dark"), (panel, gradients)):
        theme.set_mode(mode)
        assert each.minimumSizeHint().width() <= 320
        assert each.minimumSizeHint().height() <= 220
