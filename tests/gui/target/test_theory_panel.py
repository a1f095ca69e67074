"""The theory panel: what it predicts of a tilt, against the exact answer, and where it says that this fails."""

import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from studio.data.planar.config import RingConfig
from studio.errors import UserError
from studio.evaluation.evaluation import Mean
from studio.gui.state.history import TimeView
from studio.gui.state.run_view import RunPhase, RunView
from studio.gui.state.subject import Owner
from studio.gui.target.theory import answers
from studio.gui.target.theory.answers import BackAgain, Following
from studio.gui.target.theory.panel import TheoryPanel
from studio.gui.target.theory.view import of_points
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls
from studio.perturb.theory import Moments
from studio.perturb.umbrella import Umbrella
from studio.training.messages.snapshot import PlaneFrame
from studio.training.storage.frames import Frame
from studio.training.storage.run import Run
from tests.gui.evaluation.test_shares_panel import arrive, evaluation
from tests.gui.hands import PATIENCE_MS, ask_share, choose, click
from tests.gui.shown import make_snapshot, show


def made(bench: Controls, theme: ThemeManager) -> TheoryPanel:
    return TheoryPanel(bench.target, bench.energies, bench.means, theme)


@pytest.fixture
def panel(qtbot: QtBot, controls: Controls, theme: ThemeManager) -> TheoryPanel:
    ask_share(controls.target, 2, 0.3)
    panel = made(controls, theme)
    show(qtbot, panel, 700, 460)
    qtbot.waitUntil(lambda: panel.theory is not None)
    return panel


def value(panel: TheoryPanel, name: str) -> str:
    chip = panel.legend.chips[name]
    return chip.text().removeprefix(chip.title).strip()


def test_that_without_data_it_says_what_will_appear(qtbot: QtBot, theme: ThemeManager, controls: Controls) -> None:
    panel = made(controls, theme)
    show(qtbot, panel)
    panel.take_tilt(None)
    assert "Choose a data set" in panel.empty_text


def test_that_it_is_about_the_class_tilted_most_until_a_person_chooses(
    qtbot: QtBot, panel: TheoryPanel, controls: Controls
) -> None:
    choice = panel.controls.choice
    ask_share(controls.target, 5, 0.6)
    assert choice.currentText() == "Share of 5"
    assert value(panel, "exact").startswith("60")
    choose(qtbot, panel.controls.choice, choice.itemData(7))
    ask_share(controls.target, 2, 0.9)
    assert choice.currentText() == "Share of 7"


def test_that_the_share_of_the_tilted_class_is_met_exactly_at_one_and_by_the_data_at_zero(
    qtbot: QtBot, panel: TheoryPanel, controls: Controls
) -> None:
    assert panel.controls.choice.currentText() == "Share of 2"
    assert value(panel, "exact").startswith("30.0 ±")
    share = 100 * float(controls.setup.dataset.shares[2])
    # First order: p·(1 − p)·|ΔH| above p, for an offset of one class alone.
    offset = controls.target.class_offsets()[2]
    assert float(value(panel, "first").split(" ± ")[0]) == pytest.approx(
        share - share * (1 - share / 100) * offset, rel=0.01
    )
    panel.controls.slider.setFocus()
    qtbot.keyClick(panel.controls.slider, Qt.Key.Key_Home)
    assert panel.controls.scale_label.text() == "s = 0.00"
    assert [float(value(panel, name).split()[0]) for name in ("exact", "first", "second")] == pytest.approx(
        [share] * 3, rel=0.01
    )


def test_that_the_data_and_the_predictions_have_errors(panel: TheoryPanel, controls: Controls) -> None:
    share, count = float(controls.setup.dataset.shares[2]), len(controls.setup.dataset.labels)
    mean, error = value(panel, "data").removesuffix(" %").split(" ± ")
    assert float(mean) == pytest.approx(100 * share, rel=0.01)
    assert float(error) == pytest.approx(100 * np.sqrt(share * (1 - share) / count), rel=0.05)
    assert [line.title for line in panel.plots._level.lines] == ["data"]
    panel.legend.chips["data"].click()
    assert not panel.plots._level.lines
    errors = [float(value(panel, name).removesuffix(" %").split(" ± ")[1]) for name in ("first", "second")]
    assert 0 < errors[0] < errors[1]


def test_that_the_free_energy_is_told_with_where_its_expansion_fails(qtbot: QtBot, panel: TheoryPanel) -> None:
    assert "log Z" not in panel.verdict.text()
    qtbot.mouseClick(panel.controls.shown["energy"], Qt.MouseButton.LeftButton)
    assert "−log Z = −0.25" in panel.verdict.text()
    assert "as many of 2 tilts from 0 to s, whose neighbours overlap by half or more, −0.2" in panel.verdict.text()
    titles = [line.title for line in panel.plots._marks["energy"].lines]
    assert titles == ["s", "order 1 fails", "order 2 fails"]


def test_that_the_slider_goes_by_keys_to_twice_the_tilt(qtbot: QtBot, panel: TheoryPanel) -> None:
    panel.controls.slider.setFocus()
    qtbot.keyClick(panel.controls.slider, Qt.Key.Key_End)
    assert panel.controls.scale == 2
    assert float(value(panel, "exact").split()[0]) > 60


def test_that_it_says_where_orders_fail_and_where_the_data_no_longer_carry_the_tilt(
    panel: TheoryPanel, controls: Controls
) -> None:
    assert "First order holds below s = 0." in panel.verdict.text()
    assert "ESS/n is 68.6 % at s = 1.00." in panel.verdict.text()
    controls.target.set_offset(2, 4.0)
    controls.target.set_offset(8, -6.0)  # one class of ten alone, with less than a tenth of the examples
    assert "below 10 % from s = " in panel.verdict.text()
    assert any(line.title == "collapse" for line in panel.plots._marks["ess"].lines)


def test_that_without_a_tilt_it_says_so(panel: TheoryPanel, controls: Controls) -> None:
    controls.target.set_offsets([0.0] * 10, "none")
    assert "nothing is tilted" in panel.verdict.text()


def test_that_a_feature_is_measured_and_then_predicted(qtbot: QtBot, panel: TheoryPanel, controls: Controls) -> None:
    choose(qtbot, panel.controls.choice, "ink")
    qtbot.waitUntil(lambda: not panel.empty_text)
    measured = controls.energies.measured
    ink, labels = measured.values("ink"), measured.labels
    weights = np.exp(-np.asarray(controls.target.class_offsets())[labels])
    assert float(value(panel, "exact").split()[0]) == pytest.approx(np.average(ink, weights=weights), rel=0.005)
    assert panel.plots.by_name["mean"].labels["left"] == "mean ink (%)"


def test_that_what_the_model_generates_is_shown_once_it_is_known(
    qtbot: QtBot, panel: TheoryPanel, controls: Controls
) -> None:
    assert value(panel, "generated") == "–"
    arrive(controls)
    found = evaluation(controls).shares
    share, error = value(panel, "generated").removesuffix(" %").split(" ± ")
    assert float(share) == pytest.approx(100 * found.corrected[2], rel=0.01)
    assert float(error) == pytest.approx(100 * (found.high[2] - found.low[2]) / 3.92, rel=0.1)
    assert panel.plots.generated.point.getData()[0].tolist() == [1.0]
    choose(qtbot, panel.controls.choice, "ink")
    qtbot.waitUntil(lambda: not panel.empty_text and value(panel, "generated") == "31.5 ± 0.25 %")
    assert panel.plots.by_name["mean"].view.viewRange()[1][0] < 31.25  # far off the curves, and still to be seen
    panel.legend.chips["generated"].click()
    assert panel.plots.generated.point.getData()[0].tolist() == []


def test_that_a_judge_of_other_classes_tells_no_share_of_those_of_the_data(controls: Controls) -> None:
    """The third of its classes is not the third of theirs, and they may be more."""
    arrive(controls)
    (told,) = controls.evaluations._found
    assert controls.means.generated("class:9") is not None
    others = replace(told.evaluation, class_names=("ant", "bee", "cat"), judge="Insects")
    controls.evaluations._found[:] = [replace(told, evaluation=others)]
    controls.evaluations._set(controls.evaluations._found_so_far(controls.evaluations.view))
    assert controls.means.generated("class:2") is None
    assert controls.means.generated("ink") is not None


def test_that_points_answer_their_own_target_over_their_own_data_alone(qtbot: QtBot, controls: Controls) -> None:
    """Those of the step that is looked at."""
    means, target = controls.means, controls.target
    digits = controls.setup.config.dataset
    with qtbot.waitSignal(controls.setup.dataset_changed):
        controls.setup.set_dataset(RingConfig(count=400))
    controls.runs.config = controls.setup.config
    points = np.random.default_rng(0).standard_normal((400, 2))
    newest = PlaneFrame(step=20, points=points, labels=np.zeros(400, np.int64), views=())
    controls.time.snapshot_shown.emit(replace(make_snapshot(plane=newest), revision=target.perturbation.revision))
    assert means.generated("class:0") == Mean(value=100.0, error=0.0)
    grid = make_snapshot().grid
    assert grid is not None
    controls.time.frame_shown.emit(Frame(grid=grid, seconds=1.0, points=points, labels=np.ones(400, np.int64)))
    assert means.generated("class:0") == Mean(value=0.0, error=0.0)
    target.set_offset(0, -1.0)
    assert means.generated("class:0") is None
    target.set_offset(0, 0.0)
    assert means.generated("class:0") is not None
    with qtbot.waitSignal(controls.setup.dataset_changed):
        controls.setup.set_dataset(digits)
    assert means.generated("class:0") is None
    assert means.generated("ink") is None


def test_that_points_of_the_plane_have_means_with_errors() -> None:
    points = np.random.default_rng(0).standard_normal((400, 2))
    frame = PlaneFrame(step=1, points=points, labels=(points[:, 0] > 0).astype(np.int64), views=())
    coordinate, share = of_points("x", frame), of_points("class:1", frame)
    assert coordinate.value == pytest.approx(points[:, 0].mean())
    assert coordinate.error == pytest.approx(1 / 20, rel=0.1)
    assert share.value == pytest.approx(100 * (points[:, 0] > 0).mean())
    assert share.error == pytest.approx(2.5, rel=0.05)


def test_that_a_small_panel_shows_what_was_asked_for_last_and_never_nothing(qtbot: QtBot, panel: TheoryPanel) -> None:
    panel.resize(480, 420)
    visible = [name for name, plot in panel.plots.by_name.items() if plot.isVisible()]
    assert visible == ["mean", "ess"]
    for name in ("theory_energy", "theory_energy", "theory_ess", "theory_mean"):
        click(qtbot, panel, name)
        shown = [each for each, plot in panel.plots.by_name.items() if plot.isVisible()]
        assert 1 <= len(shown) <= 2
        assert shown == [each for each, toggle in panel.controls.shown.items() if toggle.isChecked()]


def test_that_draws_weighed_back_are_a_point_at_no_tilt_until_something_else_is_chosen(
    qtbot: QtBot, panel: TheoryPanel, controls: Controls
) -> None:
    qtbot.mouseClick(panel.controls.back, Qt.MouseButton.LeftButton)
    assert panel.verdict.text().startswith("Train a model for a tilt first, or look at such a run. ")
    found = Umbrella(mean=0.098, error=0.004, plain_error=0.0122, efficiency=0.7)
    assert controls.setup.dataset is not None
    owner, data = Owner(title="a run", step=1750), controls.setup.dataset
    came = BackAgain(name="class:2", found=found, predicted=8.5, owner=owner, dataset=data)
    controls.means.back = came
    controls.means.changed.emit()
    assert panel.plots.untilted.point.getData()[0].tolist() == [0.0]
    assert panel.plots.untilted.point.getData()[1].tolist() == pytest.approx([9.8])
    said = "give ⟨f⟩ = 9.80 ± 0.40 % without the tilt; as many of an untilted model would give it to ± 1.2 %"
    assert said in panel.verdict.text()
    assert "Each is worth 9.3 of those; theory says 8.5." in panel.verdict.text()
    assert "draws of “a run”, step 1,750, weighed" in panel.verdict.text()
    controls.time.changed.emit(TimeView(title="mine"))
    assert "draws of “mine”, step 1,750, weighed" in panel.verdict.text()
    controls.means.back = came
    choose(qtbot, panel.controls.choice, "class:3")
    assert len(panel.plots.untilted.point.getData()[0]) == 0
    controls.means.back = replace(came, name="ink", found=replace(found, mean=31.5, error=0.25, plain_error=0.5))
    choose(qtbot, panel.controls.choice, "ink")
    qtbot.waitUntil(lambda: "give ⟨f⟩ = 31.5 ± 0.25 % without the tilt" in panel.verdict.text())
    assert "would give it to ± 0.50 %." in panel.verdict.text()
    controls.means.back = came
    choose(qtbot, panel.controls.choice, "class:2")
    assert len(panel.plots.untilted.point.getData()[0]) == 1
    with qtbot.waitSignal(controls.setup.dataset_changed):
        controls.setup.set_dataset(RingConfig(count=400))
    choose(qtbot, panel.controls.choice, "class:2")
    assert len(panel.plots.untilted.point.getData()[0]) == 0, "it is of the digit 2"
    controls.time.run_shown.emit()
    choose(qtbot, panel.controls.choice, "class:2")
    assert len(panel.plots.untilted.point.getData()[0]) == 0


def test_that_what_was_asked_of_steps_that_are_undone_meanwhile_is_not_shown(
    qtbot: QtBot, panel: TheoryPanel, controls: Controls, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end, runs = threading.Event(), controls.runs
    found = Umbrella(mean=0.098, error=0.004, plain_error=0.0122, efficiency=0.7)
    assert controls.setup.dataset is not None
    owner, data = Owner(title="it", step=9), controls.setup.dataset
    came = BackAgain(name="class:2", found=found, predicted=8.5, owner=owner, dataset=data)
    monkeypatch.setattr(Run, "open", lambda _: SimpleNamespace(near=lambda _: None))
    monkeypatch.setattr(answers, "weigh_back", lambda *_: (may_end.wait(PATIENCE_MS / 1000), came)[1])
    runs.config, runs.run = controls.setup.config, RunView(phase=RunPhase.PAUSED, step=9, folder=Path("run"))
    for undone in (True, False):
        may_end.clear()
        qtbot.mouseClick(panel.controls.back, Qt.MouseButton.LeftButton)
        assert panel.verdict.text().startswith("Weighing draws of the model back… ")
        if undone:
            runs.went_back.emit(5)
        runs.call("mine")
        may_end.set()
        qtbot.waitUntil(lambda: not controls.means.blocked)
        assert (controls.means.back is None) is undone
    assert controls.means.back is not None
    assert controls.means.back.owner.title == "mine", "as the run was called meanwhile"


def test_that_the_model_is_a_line_through_where_it_was_trained_while_its_target_is_shown(
    qtbot: QtBot, panel: TheoryPanel, controls: Controls
) -> None:
    """30.1 % at s = 1 and 12 points per unit of s."""
    from studio.response.run_response import Followed

    qtbot.mouseClick(panel.controls.follow, Qt.MouseButton.LeftButton)
    assert panel.verdict.text().startswith("Train a model for a tilt first, or look at such a run. ")
    assert value(panel, "model") == "–"
    qtbot.mouseClick(panel.controls.apply, Qt.MouseButton.LeftButton)
    assert panel.verdict.text().startswith("Train a model for a tilt first, or look at such a run. ")
    tilt = controls.target.tilt
    assert tilt is not None
    own = Followed(
        data=Moments.of([0.0, 1.0], [0.0, 1.0]),
        mean=Mean(value=0.301, error=0.003),
        slope=Mean(value=0.12, error=0.004),
    )
    way: Any = SimpleNamespace(start=1.0, means={"class:2": own})
    came = Following(tilt=tilt, way=way, owner=Owner(title="a run", step=1750))
    controls.means.following = came
    controls.means.changed.emit()
    assert value(panel, "model") == "30.1 ± 0.30 %"
    assert "The model’s line is of “a run”, step 1,750, trained at s = 1." in panel.verdict.text()
    panel.controls.slider.setFocus()
    qtbot.keyClick(panel.controls.slider, Qt.Key.Key_Home)
    assert value(panel, "model") == "18.1 ± 0.50 %"
    choose(qtbot, panel.controls.choice, "class:3")
    assert value(panel, "model") == "–"
    choose(qtbot, panel.controls.choice, "class:2")
    controls.target.set_offset(8, -1.0)
    assert value(panel, "model") == "–"


def test_that_a_refusal_stays_through_the_snapshots_of_a_run_until_the_tilt_is_another(
    panel: TheoryPanel, controls: Controls
) -> None:
    controls.means.said = str(UserError("The model was trained for another target"))
    for _ in range(2):
        controls.means.changed.emit()
        assert panel.verdict.text().startswith("The model was trained for another target. ")
    controls.target.set_offset(8, -1.0)
    assert not panel.verdict.text().startswith("The model")
