"""The planar lab: exact densities before a run, the model's points and fields during one, all by mouse and keyboard."""

import re
import time
from dataclasses import replace

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QComboBox, QLabel, QToolButton
from pytestqt.qtbot import QtBot

from studio.data.planar.config import GaussianConfig, LinesConfig, RingConfig
from studio.data.planar.density import Blobs, blob
from studio.data.planar.plane import Plane
from studio.gui.live.plane.fields import SIDE, ExactFields, model_field
from studio.gui.live.plane.lessons import LESSONS
from studio.gui.live.plane.panel import PlanePanel
from studio.gui.live.plane.plane_items import arrow_ends, contour_ends, net_ends, particle_tails
from studio.gui.state.history import History, HistoryView
from studio.gui.state.run_view import RunPhase, RunView
from studio.gui.state.stepped_samples import SteppedView
from studio.gui.state.subject import Owner
from studio.gui.widgets.theme import ThemeManager, ThemeMode
from studio.gui.window.controls import Controls
from studio.gui.window.main_window import MainWindow
from studio.models.catalog import model_spec
from studio.models.plane import Arrows, Field, Flow, Net
from studio.training.config.energy import EnergyConfig
from studio.training.config.presets import config_or_preset
from studio.training.config.run_config import RunConfig
from studio.training.messages.snapshot import PlaneFrame
from studio.training.storage.frames import Frame
from tests.gui.hands import Hands, find, panel_of
from tests.gui.shown import make_history, make_snapshot, show, tooltip_at
from tests.library.made_runs import make_run

Key = Qt.Key


def load(qtbot: QtBot, controls: Controls, config: RingConfig | LinesConfig | GaussianConfig) -> None:
    with qtbot.waitSignal(controls.setup.dataset_changed):
        controls.setup.set_dataset(config)


def make_frame(step: int = 10, count: int = 50) -> PlaneFrame:
    """What a GAN would send."""
    rng = np.random.default_rng(step)
    points = rng.standard_normal((count, 2))
    ramp = np.repeat(np.linspace(-1, 3, 40)[:, None], 40, 1)
    return PlaneFrame(
        step=step,
        points=points,
        labels=rng.integers(0, 8, count),
        views=(
            Field(name="critic", title="Critic", tip="How real. D(x).", unit="", values=ramp),
            Arrows(name="pull", title="Pull", tip="Whither. −∇L.", at=points / 4, along=np.ones((count, 2))),
            Net(name="latent_net", title="Net", tip="Where. G(z).", knots=rng.standard_normal((5, 5, 2)) / 4),
            Flow(name="flow", title="Flow", tip="Where to. x(t).", knots=rng.standard_normal((6, 9, 2)) / 4),
        ),
    )


@pytest.fixture
def panel(qtbot: QtBot, controls: Controls, theme: ThemeManager) -> PlanePanel:
    load(qtbot, controls, RingConfig(count=400))
    panel = PlanePanel(controls.target, controls.time, controls.lessons, controls.once, controls.stepped, theme)
    show(qtbot, panel, 800, 500)
    qtbot.waitUntil(lambda: panel.heat.shown is not None)
    return panel


def test_that_points_of_a_run_are_shown_where_they_belong(qtbot: QtBot, panel: PlanePanel, controls: Controls) -> None:
    grid = make_snapshot().grid
    assert grid is not None
    kept = Frame(grid=grid, seconds=1.0, points=np.ones((5, 2)), labels=np.zeros(5, np.int64))
    controls.time.frame_shown.emit(kept)
    assert panel._step.text() == ""  # of no run that learned these points
    controls.runs.config = controls.setup.config
    controls.time.frame_shown.emit(kept)
    assert panel._step.text().startswith(f"step {grid.step}")
    assert np.array_equal(panel._frame.points, np.ones((5, 2)))
    load(qtbot, controls, LinesConfig(count=400))
    controls.time.snapshot_shown.emit(make_snapshot(plane=make_frame()))
    assert panel._frame is None, "they are of the ring"


def test_that_points_of_stepped_weights_are_shown_until_they_are_left(
    qtbot: QtBot, panel: PlanePanel, controls: Controls
) -> None:
    frame = PlaneFrame(step=7, points=np.ones((5, 2)), labels=np.zeros(5, np.int64), views=())
    pictures = np.zeros((1, 4, 4, 1), np.uint8)
    owner = Owner(title="a run", step=7)
    controls.stepped.show(SteppedView(owner=owner, scale=1.5, said="", pictures=pictures, plane=frame))
    assert (panel._points, panel._stepped_text.isVisible()) == (frame, True)
    qtbot.mouseClick(panel.stepped_button, Qt.MouseButton.LeftButton)
    assert controls.stepped.view is None
    assert (panel._points, panel._stepped_text.isVisible()) == (None, False)


def test_that_the_panel_says_how_to_get_a_plane(qtbot: QtBot, controls: Controls, theme: ThemeManager) -> None:
    panel = PlanePanel(controls.target, controls.time, controls.lessons, controls.once, controls.stepped, theme)
    show(qtbot, panel)
    assert "Choose one of the data sets" in panel.empty_text
    load(qtbot, controls, RingConfig(count=400))
    assert panel.empty_text == ""
    with qtbot.waitSignal(controls.setup.dataset_changed):
        controls.setup.set_dataset(RunConfig().dataset)
    assert panel.empty_text


def test_that_the_target_is_drawn_before_a_run_and_follows_the_tilt(panel: PlanePanel, controls: Controls) -> None:
    assert panel.heat.shown.name == "target"
    assert not panel.steps.isVisible()
    assert "press Start" in panel.distances.before.text()
    before = panel.heat.shown.at(0, 2, 4)
    controls.target.set_offset(0, -2.0)
    after = panel.heat.shown.at(0, 2, 4)
    assert before is not None
    assert after is not None
    assert after / before == pytest.approx(controls.target.tilt.summary.target[0] * 8, rel=1e-6)


def test_that_a_frame_brings_points_arrows_a_net_and_the_models_field_and_a_new_run_forgets_them(
    panel: PlanePanel, controls: Controls
) -> None:
    controls.time.snapshot_shown.emit(make_snapshot(plane=make_frame()))
    canvas = panel.canvas
    assert sum(polygon.size() for _, polygon in canvas.fake._parts) == 50
    assert len(canvas.arrow_lines.xData) == 6 * 17
    assert len(canvas.net_lines.xData) == 2 * 40
    assert panel.heat.shown.name == "critic"
    assert "step 10" in panel._step.text()
    panel._drawn.extendleft([time.monotonic() - 8] * 5)
    controls.time.snapshot_shown.emit(make_snapshot(plane=make_frame(20)))
    panel.draw()
    assert re.search(r"step 20 · 0\.\d+ pictures/s", panel._step.text()), "not 0/s, which steps would be"
    nothing = PlaneFrame(step=20, points=np.empty((0, 2)), labels=np.empty(0, np.int64), views=())
    controls.time.snapshot_shown.emit(make_snapshot(plane=nothing))
    assert sum(polygon.size() for _, polygon in panel.canvas.fake._parts) == 0
    controls.time.snapshot_shown.emit(make_snapshot(plane=make_frame()))
    controls.time.run_shown.emit()
    assert not panel.canvas.fake._parts
    assert panel.empty_text == ""


def test_that_each_layer_can_be_hidden_by_its_letter_and_its_button(
    qtbot: QtBot, panel: PlanePanel, controls: Controls
) -> None:
    controls.time.snapshot_shown.emit(make_snapshot(plane=make_frame()))
    canvas = panel.canvas
    dots = {"D": canvas.real, "S": canvas.fake}
    lines = {"C": canvas.contour_lines, "P": canvas.arrow_lines, "N": canvas.net_lines, "F": canvas.tails}

    def drawn(letter: str) -> int:
        if letter in lines:
            return len(lines[letter].xData)
        return sum(polygon.size() for _, polygon in dots[letter]._parts)

    canvas.setFocus()
    for letter in (*dots, *lines):
        full = drawn(letter)
        assert full > 0
        qtbot.keyClick(canvas, letter.lower())
        assert drawn(letter) == 0
        button = panel.layers.actions[letter.lower()]
        assert not button.isChecked()
        button.trigger()
        assert drawn(letter) == full
        assert f"{letter} in the plot" in button.toolTip()


def test_that_the_mouse_reads_every_field_and_h_goes_through_the_heat_maps(
    panel: PlanePanel, controls: Controls, qtbot: QtBot
) -> None:
    controls.time.snapshot_shown.emit(make_snapshot(plane=make_frame()))
    middle = panel.canvas.viewport().mapFromParent(panel.canvas.rect().center()) + QPoint(25, -10)
    text = tooltip_at(panel.canvas.viewport(), middle)
    assert "Target" in text
    assert "per area" in text
    assert "Critic" in text
    seen = [panel.heat.shown.name]
    for _ in range(3):
        qtbot.keyClick(panel.canvas, "h")
        seen.append(panel.heat.shown.name if panel.heat.shown is not None else "none")
    assert seen == ["critic", "none", "p", "target"]
    controls.time.snapshot_shown.emit(make_snapshot(plane=make_frame(20)))
    assert panel.heat.shown.name == "target"


def test_that_the_gradient_flow_to_the_target_is_drawn_while_it_is_asked_for(
    panel: PlanePanel, controls: Controls
) -> None:
    canvas = panel.canvas
    canvas.letter_pressed.emit("g")
    ways = canvas._target_knots
    assert ways is not None
    assert len(canvas.target_tails.getData()[0])
    assert np.abs(ways).max() < 1.5 * canvas._half
    controls.target.set_offset(0, -3.0)
    panel.draw()
    assert canvas._target_knots is not ways
    canvas.letter_pressed.emit("g")
    assert canvas._target_knots is None
    assert not len(canvas.target_tails.getData()[0])


def test_that_distances_are_drawn_and_a_critics_gap_stands_beside_w1_with_its_rank_correlations(
    panel: PlanePanel, controls: Controls
) -> None:
    history = make_history(40, plane_js=0.3, plane_w1=0.5, plane_w1_floor=0.2, plane_kl=1.0)
    controls.time.history_shown.emit(HistoryView(history=history))
    assert panel.distances.before.isHidden()
    chips = panel.distances.legend.chips
    assert "0.300" in chips["plane_js"]._value
    assert not chips["plane_kl"].isChecked()
    assert all("m = " in chip.toolTip() or "." in chip.toolTip() for chip in chips.values())
    distances, gap = panel.distances, panel.distances.legend.chips["plane_gap"]
    assert gap.isHidden()
    assert distances.ranks.isHidden()
    history = History()
    for step in range(24):
        look = step // 2  # each is logged twice
        values = {"plane_js": 0.6 - 0.01 * look, "plane_w1": 3.0 / (1 + look), "plane_gap": 0.1 + 0.01 * look}
        history.append(step, values)
    controls.time.history_shown.emit(HistoryView(history=history))
    assert not gap.isHidden()
    assert "ρ −1.00 with W₁, −1.00 with JS (12 looks)" in distances.ranks.text()
    controls.time.history_shown.emit(HistoryView(history=make_history(40)))
    assert "0." not in chips["plane_js"]._value, "that run is on images, and the one before is not shown any more"
    assert (distances.ranks.isHidden(), len(distances.plot._history)) == (True, 0)
    controls.time.history_shown.emit(HistoryView(history=history))
    controls.time.history_shown.emit(HistoryView(history=history, cursor=10))
    assert distances.ranks.isHidden()


def test_that_the_look_can_change_while_it_is_shown(panel: PlanePanel, controls: Controls) -> None:
    controls.time.snapshot_shown.emit(make_snapshot(plane=make_frame()))
    light = panel.canvas.fake._parts[0][0].name()
    panel.theme.set_mode(ThemeMode.DARK)
    assert panel.canvas.fake._parts[0][0].name() != light
    heat = panel.canvas.heat._picture
    assert heat.pixelColor(0, heat.height() - 1).name() == panel.theme.tokens.surface  # the critic's least value


def test_that_steps_of_the_run_that_trains_are_not_offered_beside_another(
    qtbot: QtBot, panel: PlanePanel, controls: Controls, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[object] = []
    monkeypatch.setattr(controls.runs, "send", sent.append)
    controls.runs.config = config_or_preset("planar-gan")
    controls.runs._set_run(RunView(phase=RunPhase.RUNNING, step=9))
    steps = panel.steps
    assert (steps.isVisible(), list(steps.buttons)) == (True, ["critic", "generator"])
    steps.slow.click()
    with qtbot.waitSignal(controls.time.run_shown):
        controls.time.open(make_run(controls.setup.runs_root, "other"))
    assert steps.isHidden()
    controls.time.show_live()
    assert (steps.isVisible(), steps.slow.isChecked(), len(sent)) == (True, True, 1)


@pytest.mark.slow
def test_that_a_planar_set_brings_its_panel_to_the_front_and_trains(qtbot: QtBot, window: MainWindow) -> None:
    hands = Hands(qtbot, window)
    bench = window.controls
    with qtbot.waitSignal(bench.setup.dataset_changed):
        bench.setup.set_config(config_or_preset("planar-gan"), "Preset")
    panel = panel_of(window, "plane")
    qtbot.waitUntil(panel.on_screen)
    hands.train()
    hands.wait(lambda: panel._frame is not None and bool(panel.canvas.fake._parts))
    hands.wait(lambda: "plane_js" in bench.runs.history.names)
    steps = panel.steps
    assert list(steps.buttons) == ["critic", "generator"]
    qtbot.keyClick(steps.buttons["critic"], Key.Key_Space)
    hands.wait_for(RunPhase.PAUSED)
    at = bench.runs.run.step  # it pauses before it steps, so the critic's step may be still to come
    qtbot.mouseClick(steps.buttons["generator"], Qt.MouseButton.LeftButton)
    hands.wait(lambda: at < bench.runs.run.step <= at + 2)
    qtbot.mouseClick(steps.slow, Qt.MouseButton.LeftButton)
    assert steps.slow.isChecked()
    hands.end()
    assert bench.runs.run.phase is RunPhase.FINISHED
    assert steps.isHidden()
    with qtbot.waitSignal(bench.setup.dataset_changed):
        bench.setup.set_dataset(RunConfig().dataset)
    samples = panel_of(window, "samples")
    qtbot.waitUntil(samples.on_screen)


def test_that_a_model_that_cannot_learn_points_says_so_and_is_not_started(qtbot: QtBot, window: MainWindow) -> None:
    hands, bench = Hands(qtbot, window), window.controls
    load(qtbot, bench, RingConfig(count=400))
    message = hands.find(QLabel, "model_misfit")
    assert not message.isVisible()
    combo = hands.find(QComboBox, "model")
    hands.choose("model", "vae")
    assert combo.currentData() == "vae"
    assert not message.isVisible(), "as it is set for points"
    bench.setup.edit(model=model_spec("vae").config.model_validate({"kind": "vae"}))
    assert "Choose the Gaussian likelihood" in message.text()
    start = window.actions_of_run["start"]
    assert not start.isEnabled()
    assert "This likelihood is for pixels" in start.toolTip()
    bench.setup.edit(model=model_spec("vae").config.model_validate({"kind": "vae", "likelihood": "gaussian"}))
    assert message.isHidden()
    assert start.isEnabled()


# -- geometry


def test_that_a_contour_of_a_gaussian_is_its_circle() -> None:
    plane = Plane(half=4.0, classes=(blob(0, 0, 1.0),))
    density = ExactFields(plane).field("p", np.ones(1)).values
    ends = contour_ends(density, (density.max() * np.exp(-0.5),), 4.0)
    np.testing.assert_allclose(np.hypot(ends[:, 0], ends[:, 1]), 1, atol=0.01)
    length = np.linalg.norm(ends[::2] - ends[1::2], axis=1).sum()
    assert length == pytest.approx(2 * np.pi, rel=0.01)


def test_that_arrows_vanish_with_their_slope_and_never_grow_beyond_a_sixth() -> None:
    at = np.zeros((3, 2))
    ends = arrow_ends(at, np.array([[0, 0], [0, 1.0], [1e9, 0]]), 6.0).reshape(3, 6, 2)
    length = np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1)
    np.testing.assert_allclose(length, [0, 0.48, 0.96], rtol=1e-6)


def test_that_a_net_joins_neighbours() -> None:
    knots = np.stack(np.meshgrid(np.arange(3.0), np.arange(2.0)), 2)
    assert len(net_ends(knots)) == 2 * (2 * 2 + 3)


def test_that_particles_run_along_their_ways_and_never_off_them() -> None:
    knots = np.zeros((3, 5, 2))
    knots[..., 0] = np.arange(5.0)  # each moves by one unit from one time to the next
    knots[..., 1] = np.arange(3.0)[:, None]
    before, after = (particle_tails(knots, at).reshape(3, -1, 2) for at in (0.25, 0.35))
    for particle, (head, later) in enumerate(zip(before[:, -1], after[:, -1], strict=True)):
        assert head[1] == particle
        assert (later[0] - head[0]) % 4 == pytest.approx(0.4)
    assert before[0, -1, 0] == pytest.approx(1)
    assert before[..., 0].min() >= 0
    assert before[..., 0].max() <= 4
    lengths = before[:, -1, 0] - before[:, 0, 0]
    assert (lengths >= 0).all()
    assert lengths.max() == pytest.approx(2)


def test_that_particles_move_while_they_are_seen_and_layers_a_model_lacks_are_not_offered(
    panel: PlanePanel, controls: Controls, qtbot: QtBot
) -> None:
    assert all(button.isEnabled() for button in panel.layers.actions.values())
    frame = make_frame()
    no_net = tuple(view for view in frame.views if not isinstance(view, Net))
    controls.time.snapshot_shown.emit(make_snapshot(plane=replace(frame, views=no_net)))
    assert [layer for layer, button in panel.layers.actions.items() if not button.isEnabled()] == ["n"]
    controls.time.run_shown.emit()
    assert all(button.isEnabled() for button in panel.layers.actions.values())
    controls.time.snapshot_shown.emit(make_snapshot(plane=make_frame()))
    first = panel.canvas.tails.xData.copy()
    qtbot.waitUntil(lambda: not np.array_equal(panel.canvas.tails.xData, first))
    panel.hide()
    assert not panel.canvas._beat.isActive()
    panel.show()
    assert panel.canvas._beat.isActive()


def test_that_a_models_log_density_becomes_a_density_per_area() -> None:
    flat = Field(name="q", title="q", tip="A. B.", unit="nats", values=np.full((40, 40), -np.log(4)), density=True)
    shown = model_field(flat, 5.0)
    assert shown.unit == "per area"
    np.testing.assert_allclose(shown.values * 100, 1)


def test_that_exact_fields_integrate_to_one() -> None:
    centres = np.array([[1.0, 0], [-1, 0]])
    plane = Plane(half=4.0, classes=(Blobs(centres, 0.5, np.array([0.3, 0.7])), blob(0, 1, 0.4)))
    for shares in ([0.5, 0.5], [0.9, 0.1]):
        values = ExactFields(plane).field("target", np.array(shares)).values
        assert values.sum() * (8 / SIDE) ** 2 == pytest.approx(1, abs=1e-6)


# -- lessons


def test_that_a_lesson_opens_from_the_menu_with_its_text_and_its_set(qtbot: QtBot, window: MainWindow) -> None:
    bench, panel = window.controls, panel_of(window, "plane")
    (action,) = [each for each in window.findChildren(QAction) if each.objectName() == "lesson_vanishing-gradients"]
    with qtbot.waitSignal(bench.setup.dataset_changed):
        action.trigger()
    assert bench.setup.config.dataset.kind == "planar_lines"
    for name in ("share_error", "shares"):
        empty = panel_of(window, name)
        empty.draw()
        assert empty.empty_text.startswith("Only images can be judged"), "so that no judge comes"
        assert "“Plane”" in empty.empty_text
    assert panel.lesson.texts[0].text().startswith("Vanishing gradients. The generator begins between two lines")
    qtbot.waitUntil(panel.lesson.isVisible)
    (close,) = panel.lesson.findChildren(QToolButton, "lesson_close")
    qtbot.keyClick(close, Key.Key_Space)
    assert not panel.lesson.isVisible()
    error = panel_of(window, "share_error")
    qtbot.waitUntil(lambda: error.draw() or "come once the judge" in error.empty_text)


def test_that_a_lesson_leaves_the_plane_its_room_in_a_small_panel(
    qtbot: QtBot, panel: PlanePanel, controls: Controls
) -> None:
    panel.resize(515, 283)
    before = panel.canvas.height()
    controls.lessons.open(LESSONS[0], lambda: True)
    qtbot.waitUntil(panel.lesson.isVisible)
    assert panel.canvas.height() == before
    steps = [find(panel, QToolButton, name) for name in ("lesson_close", "lesson_start", "lesson_try")]
    for number, button in enumerate(steps):
        assert [each.isVisible() for each in (*panel.lesson.texts, *steps)] == 2 * [each is button for each in steps]
        assert find(panel, QToolButton, "lesson_next").text() == f"Step {number + 1} of 3 ›"
        qtbot.mouseClick(find(panel, QToolButton, "lesson_next"), Qt.MouseButton.LeftButton)
    panel.resize(800, 500)
    qtbot.waitUntil(lambda: all(each.isVisible() for each in (*panel.lesson.texts, *steps)))
    assert not find(panel, QToolButton, "lesson_next").isVisible()
    assert panel.canvas.height() > before


def test_that_no_empty_plot_stands_below_why_there_are_no_distances(panel: PlanePanel, controls: Controls) -> None:
    distances = panel.distances
    assert distances.plot.isVisible()
    distances.show_target("The energy holds a column.", 0.0)
    assert "The energy holds a column" in distances.before.text()
    assert distances.plot.isHidden()
    assert distances.legend.isHidden()
    controls.time.history_shown.emit(HistoryView(history=make_history(40, plane_js=0.3)))
    assert distances.plot.isVisible(), "of before the target was edited"


def test_that_it_is_said_how_much_of_the_target_the_square_cuts_off(
    qtbot: QtBot, panel: PlanePanel, controls: Controls
) -> None:
    load(qtbot, controls, GaussianConfig())
    shown = panel.distances.before

    def tilt(slope: float) -> None:
        energy = EnergyConfig.model_validate({"terms": [{"kind": "linear", "feature": "x", "slope": slope}]})
        controls.target.set_energy(energy, "slope")

    tilt(1.0)
    qtbot.waitUntil(lambda: panel._target_shown is controls.target.tilt is not None)
    assert "out of the square" not in shown.text()
    tilt(4.0)
    qtbot.waitUntil(lambda: "out of the square" in shown.text())
    assert "about 2.2 %" in shown.text()  # 2.275 % of N(−4, 1) lies below −6
    tilt(0.5)
    qtbot.waitUntil(lambda: "out of the square" not in shown.text())
