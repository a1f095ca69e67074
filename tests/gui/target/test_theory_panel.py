"""The theory panel: what it predicts of a tilt, against the exact answer, and where it says that this fails."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from studio.data.planar.config import RingConfig
from studio.errors import UserError
from studio.evaluation.report import Mean
from studio.gui.state.subject import Owner
from studio.gui.target.theory.answers import BackAgain, Following
from studio.gui.target.theory.panel import TheoryPanel
from studio.gui.target.theory.view import of_points
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.workbench import Workbench
from studio.perturb.theory import Moments
from studio.perturb.umbrella import Umbrella
from studio.training.messages.snapshot import PlaneFrame
from studio.training.storage.frames import Frame
from tests.gui.evaluation.test_shares_panel import arrive, evaluation
from tests.gui.hands import click
from tests.gui.shown import make_snapshot, show


def made(bench: Workbench, theme: ThemeManager) -> TheoryPanel:
    return TheoryPanel(bench.target, bench.energies, bench.means, theme)


@pytest.fixture
def panel(qtbot: QtBot, workbench: Workbench, theme: ThemeManager) -> TheoryPanel:
    workbench.target.set_share(2, 0.3)
    panel = made(workbench, theme)
    show(qtbot, panel, 700, 460)
    qtbot.waitUntil(lambda: panel.theory is not None)
    return panel


def value(panel: TheoryPanel, name: str) -> str:
    chip = panel.legend.chips[name]
    return chip.text().removeprefix(chip.title).strip()


def choose(qtbot: QtBot, panel: TheoryPanel, name: str) -> None:
    panel.controls.choice.setFocus()
    while panel.controls.choice.currentData() != name:
        down = panel.controls.choice.currentIndex() < panel.controls.choice.findData(name)
        qtbot.keyClick(panel.controls.choice, Qt.Key.Key_Down if down else Qt.Key.Key_Up)


def test_that_without_data_it_says_what_will_appear(qtbot: QtBot, theme: ThemeManager, workbench: Workbench) -> None:
    panel = made(workbench, theme)
    show(qtbot, panel)
    panel.take_tilt(None)
    assert "Choose a data set" in panel.empty_text


def test_that_it_is_about_the_class_tilted_most_until_a_person_chooses(
    qtbot: QtBot, panel: TheoryPanel, workbench: Workbench
) -> None:
    choice = panel.controls.choice
    workbench.target.set_share(5, 0.6)
    assert choice.currentText() == "Share of 5"
    assert value(panel, "exact").startswith("60")
    choose(qtbot, panel, choice.itemData(7))
    workbench.target.set_share(2, 0.9)
    assert choice.currentText() == "Share of 7"


def test_that_the_share_of_the_tilted_class_is_met_exactly_at_one_and_by_the_data_at_zero(
    qtbot: QtBot, panel: TheoryPanel, workbench: Workbench
) -> None:
    assert panel.controls.choice.currentText() == "Share of 2"
    assert value(panel, "exact").startswith("30.0 ±")
    share = 100 * float(workbench.setup.dataset.shares[2])
    # First order: p·(1 − p)·|ΔH| above p, for an offset of one class alone.
    offset = workbench.target.class_offsets()[2]
    assert float(value(panel, "first").split(" ± ")[0]) == pytest.approx(
        share - share * (1 - share / 100) * offset, rel=0.01
    )
    panel.controls.slider.setFocus()
    qtbot.keyClick(panel.controls.slider, Qt.Key.Key_Home)
    assert panel.controls.scale_label.text() == "s = 0.00"
    assert [float(value(panel, name).split()[0]) for name in ("exact", "first", "second")] == pytest.approx(
        [share] * 3, rel=0.01
    )


def test_that_the_data_and_the_predictions_have_errors(panel: TheoryPanel, workbench: Workbench) -> None:
    share, count = float(workbench.setup.dataset.shares[2]), len(workbench.setup.dataset.labels)
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
    panel: TheoryPanel, workbench: Workbench
) -> None:
    assert "First order holds below s = 0." in panel.verdict.text()
    assert "ESS/n is 68.6 % at s = 1.00." in panel.verdict.text()
    workbench.target.set_offset(2, 4.0)
    workbench.target.set_offset(8, -6.0)  # one class of ten alone, with less than a tenth of the examples
    assert "below 10 % from s = " in panel.verdict.text()
    assert any(line.title == "collapse" for line in panel.plots._marks["ess"].lines)


def test_that_without_a_tilt_it_says_so(panel: TheoryPanel, workbench: Workbench) -> None:
    workbench.target.set_offsets([0.0] * 10, "none")
    assert "nothing is tilted" in panel.verdict.text()


def test_that_a_feature_is_measured_and_then_predicted(qtbot: QtBot, panel: TheoryPanel, workbench: Workbench) -> None:
    choose(qtbot, panel, "ink")
    qtbot.waitUntil(lambda: not panel.empty_text)
    measured = workbench.energies.measured
    ink, labels = measured.values("ink"), measured.labels
    weights = np.exp(-np.asarray(workbench.target.class_offsets())[labels])
    assert float(value(panel, "exact").split()[0]) == pytest.approx(np.average(ink, weights=weights), rel=0.005)
    assert panel.plots.by_name["mean"].labels["left"] == "mean ink (%)"


def test_that_what_the_model_generates_is_shown_once_it_is_known(
    qtbot: QtBot, panel: TheoryPanel, workbench: Workbench
) -> None:
    assert value(panel, "generated") == "–"
    arrive(workbench)
    found = evaluation(workbench).shares
    share, error = value(panel, "generated").removesuffix(" %").split(" ± ")
    assert float(share) == pytest.approx(100 * found.corrected[2], rel=0.01)
    assert float(error) == pytest.approx(100 * (found.high[2] - found.low[2]) / 3.92, rel=0.1)
    assert panel.plots.generated.point.getData()[0].tolist() == [1.0]
    choose(qtbot, panel, "ink")
    qtbot.waitUntil(lambda: not panel.empty_text and value(panel, "generated") == "31.5 ± 0.25 %")
    assert panel.plots.by_name["mean"].view.viewRange()[1][0] < 31.25  # far off the curves, and still to be seen
    panel.legend.chips["generated"].click()
    assert panel.plots.generated.point.getData()[0].tolist() == []


def test_that_points_answer_their_own_target_over_their_own_data_alone(qtbot: QtBot, workbench: Workbench) -> None:
    """Those of the step that is looked at."""
    means, target = workbench.means, workbench.target
    digits = workbench.setup.config.dataset
    with qtbot.waitSignal(workbench.setup.dataset_changed):
        workbench.setup.set_dataset(RingConfig(count=400))
    workbench.runs.config = workbench.setup.config
    points = np.random.default_rng(0).standard_normal((400, 2))
    newest = PlaneFrame(step=20, points=points, labels=np.zeros(400, np.int64), views=())
    workbench.time.snapshot_shown.emit(replace(make_snapshot(plane=newest), revision=target.perturbation.revision))
    assert means.generated("class:0") == Mean(value=100.0, error=0.0)
    grid = make_snapshot().grid
    assert grid is not None
    workbench.time.frame_shown.emit(Frame(grid=grid, seconds=1.0, points=points, labels=np.ones(400, np.int64)))
    assert means.generated("class:0") == Mean(value=0.0, error=0.0)
    target.set_offset(0, -1.0)
    assert means.generated("class:0") is None
    target.set_offset(0, 0.0)
    assert means.generated("class:0") is not None
    with qtbot.waitSignal(workbench.setup.dataset_changed):
        workbench.setup.set_dataset(digits)
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
    qtbot: QtBot, panel: TheoryPanel, workbench: Workbench
) -> None:
    qtbot.mouseClick(panel.controls.back, Qt.MouseButton.LeftButton)
    assert panel.verdict.text().startswith("Train a model for a tilt first, or look at such a run. ")
    found = Umbrella(mean=0.098, error=0.004, plain_error=0.0122, efficiency=0.7)
    assert workbench.setup.dataset is not None
    whose, data = "of “a run”, step 1,750", workbench.setup.dataset
    came = BackAgain(name="class:2", found=found, predicted=8.5, whose=whose, dataset=data)
    workbench.means.back = came
    workbench.means.changed.emit()
    assert panel.plots.untilted.point.getData()[0].tolist() == [0.0]
    assert panel.plots.untilted.point.getData()[1].tolist() == pytest.approx([9.8])
    said = "give ⟨f⟩ = 9.80 ± 0.40 % without the tilt; as many of an untilted model would give it to ± 1.2 %"
    assert said in panel.verdict.text()
    assert "Each is worth 9.3 of those; theory says 8.5." in panel.verdict.text()
    choose(qtbot, panel, "class:3")
    assert len(panel.plots.untilted.point.getData()[0]) == 0
    choose(qtbot, panel, "class:2")
    assert len(panel.plots.untilted.point.getData()[0]) == 1
    with qtbot.waitSignal(workbench.setup.dataset_changed):
        workbench.setup.set_dataset(RingConfig(count=400))
    choose(qtbot, panel, "class:2")
    assert len(panel.plots.untilted.point.getData()[0]) == 0, "it is of the digit 2"
    workbench.time.run_shown.emit()
    choose(qtbot, panel, "class:2")
    assert len(panel.plots.untilted.point.getData()[0]) == 0


def test_that_the_model_is_a_line_through_where_it_was_trained_while_its_target_is_shown(
    qtbot: QtBot, panel: TheoryPanel, workbench: Workbench
) -> None:
    """30.1 % at s = 1 and 12 points per unit of s."""
    from studio.response.run_response import Followed

    qtbot.mouseClick(panel.controls.follow, Qt.MouseButton.LeftButton)
    assert panel.verdict.text().startswith("Train a model for a tilt first, or look at such a run. ")
    assert value(panel, "model") == "–"
    qtbot.mouseClick(panel.controls.apply, Qt.MouseButton.LeftButton)
    assert panel.verdict.text().startswith("Train a model for a tilt first, or look at such a run. ")
    tilt = workbench.target.tilt
    assert tilt is not None
    own = Followed(
        data=Moments.of([0.0, 1.0], [0.0, 1.0]),
        mean=Mean(value=0.301, error=0.003),
        slope=Mean(value=0.12, error=0.004),
    )
    way: Any = SimpleNamespace(start=1.0, means={"class:2": own})
    came = Following(tilt=tilt, way=way, owner=Owner(title="a run", step=1750))
    workbench.means.following = came
    workbench.means.changed.emit()
    assert value(panel, "model") == "30.1 ± 0.30 %"
    assert "The model’s line is of “a run”, step 1,750, trained at s = 1." in panel.verdict.text()
    panel.controls.slider.setFocus()
    qtbot.keyClick(panel.controls.slider, Qt.Key.Key_Home)
    assert value(panel, "model") == "18.1 ± 0.50 %"
    choose(qtbot, panel, "class:3")
    assert value(panel, "model") == "–"
    choose(qtbot, panel, "class:2")
    workbench.target.set_offset(8, -1.0)
    assert value(panel, "model") == "–"


def test_that_a_refusal_stays_through_the_snapshots_of_a_run_until_the_tilt_is_another(
    panel: TheoryPanel, workbench: Workbench
) -> None:
    workbench.means.said = str(UserError("The model was trained for another target"))
    for _ in range(2):
        workbench.means.changed.emit()
        assert panel.verdict.text().startswith("The model was trained for another target. ")
    workbench.target.set_offset(8, -1.0)
    assert not panel.verdict.text().startswith("The model")
