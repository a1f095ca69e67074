"""The time cursor: an old run fills the panels as a live one does, and any step of either can be looked at."""

import sqlite3
from contextlib import closing
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QSpinBox, QToolButton
from pytestqt.qtbot import QtBot

from studio.gui.evaluation.panel import SharesPanel
from studio.gui.live.curves import LOSSES
from studio.gui.live.diagnostics import DiagnosticsPanel
from studio.gui.live.examples import ExamplesPanel
from studio.gui.live.samples.panel import SamplesPanel
from studio.gui.live.weights import WeightsPanel
from studio.gui.plots.curves import CurvesPanel
from studio.gui.state import undo
from studio.gui.state.history import TimeView
from studio.gui.state.run_view import RunPhase, RunView
from studio.gui.target.energy.panel import EnergyPanel
from studio.gui.target.offsets.columns import Column
from studio.gui.target.offsets.panel import OffsetsPanel
from studio.gui.target.theory.panel import TheoryPanel
from studio.gui.timeline.time_bar import TimeBar
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls
from studio.training.messages.commands import SampleNow
from studio.training.messages.events import Logged
from studio.training.messages.marks import MarkKind
from studio.training.storage.frames import FrameStore
from studio.training.storage.metrics import append_metrics
from tests.gui.hands import Hands, click, enter, find
from tests.gui.shown import make_snapshot, show, tooltip_at
from tests.library.made_runs import make_config, make_grid, make_run, record_evaluation

Key = Qt.Key


@pytest.fixture
def old_run(controls: Controls) -> Path:
    """1,000 steps with a point each 10, frames at 0, 333, 667 and 1,000, an edit at 500 and two evaluations."""
    path = make_run(controls.setup.runs_root, "old", make_config("an old run"), steps=1000)
    record_evaluation(path, 400, 0.3, 40.0)
    record_evaluation(path, 900, 0.1, 20.0)
    return path


def look_at(qtbot: QtBot, bench: Controls, path: Path) -> None:
    with qtbot.waitSignal(bench.time.frame_shown):
        bench.time.open(path)


def go_to(qtbot: QtBot, bench: Controls, step: int) -> None:
    with qtbot.waitSignal(bench.evaluations.shown_changed):
        bench.time.seek(step)


def test_that_an_old_run_fills_the_panels(qtbot: QtBot, controls: Controls, theme: ThemeManager, old_run: Path) -> None:
    samples, losses, shares, weights = panels = (
        SamplesPanel(controls.time, controls.latents, controls.once, controls.stepped, theme),
        CurvesPanel(LOSSES, controls.time, theme),
        SharesPanel(controls.evaluations, theme),
        WeightsPanel(controls.target, controls.time, theme),
    )
    for panel in panels:
        show(qtbot, panel)
    look_at(qtbot, controls, old_run)
    qtbot.waitUntil(lambda: not shares.empty_text)
    assert controls.time.view == TimeView(
        title="an old run", live=False, following=False, step=1000, last=1000, marks=controls.time.view.marks
    )
    assert [mark.kind for mark in controls.time.view.marks] == [MarkKind.EDIT]
    assert samples._step.text().startswith("step 1,000")
    assert [curve.title for curve in losses.plots["values"].curves] == ["Negative ELBO"]
    assert shares._step.text() == "step 900, 1,000 samples"
    go_to(qtbot, controls, 450)
    assert samples._step.text().startswith("step 333")
    assert np.array_equal(samples._grid.averaged, make_grid(333).averaged)
    assert shares._step.text() == "step 400, 1,000 samples"
    assert losses.plots["values"].cursor.places.tolist() == [450]
    assert "0.222" in losses.legend.chips["loss_autoencoder"].text()
    assert not weights.empty_text


def test_that_the_last_evaluations_up_to_the_cursor_are_shown_and_none_before_the_first(
    qtbot: QtBot, controls: Controls, old_run: Path
) -> None:
    look_at(qtbot, controls, old_run)
    assert [seen.step for seen in controls.evaluations.shown.recent] == [400, 900]
    go_to(qtbot, controls, 450)
    assert [seen.step for seen in controls.evaluations.shown.recent] == [400]
    go_to(qtbot, controls, 399)
    assert controls.evaluations.shown.latest is None
    assert len(controls.evaluations.shown.history.history) == 2


def test_that_a_damaged_run_changes_nothing_and_of_several_asked_for_the_last_is_shown_until_a_new_run_comes(
    qtbot: QtBot, controls: Controls, old_run: Path
) -> None:
    look_at(qtbot, controls, old_run)
    bad = make_run(controls.setup.runs_root, "bad")
    (bad / "metrics.sqlite").write_bytes(b"x" * 5000)
    with qtbot.waitSignal(controls.log.line_logged) as told:
        controls.time.open(bad)
    assert "metrics cannot be read" in told.args[0].text
    assert controls.time.view.title == "an old run"
    other = make_run(controls.setup.runs_root, "other", make_config("another"))
    third = make_run(controls.setup.runs_root, "third")
    controls.time.open(third)
    with qtbot.waitSignal(controls.time.frame_shown):
        controls.time.open(other)
    assert controls.time.view.title == "another"
    controls.runs.run_reset.emit()
    assert controls.time.view.live
    assert controls.time.config is None


@pytest.mark.parametrize("replaced", [False, True])
def test_that_a_run_that_was_moved_leaves_nothing_beside_another_step(
    replaced: bool, qtbot: QtBot, controls: Controls, old_run: Path
) -> None:
    """Renamed or deleted in the file manager, and perhaps with another run in its place."""
    look_at(qtbot, controls, old_run)
    go_to(qtbot, controls, 500)
    old_run.rename(old_run.with_name("renamed"))
    if replaced:
        make_run(old_run.parent, old_run.name, steps=600, summary={"started": "2026-02-02T03:04:05+00:00"})
    with qtbot.waitSignal(controls.log.line_logged) as told:
        controls.time.seek(900)
    assert "“an old run” is not there any more" in told.args[0].text
    qtbot.waitUntil(lambda: controls.time.left)
    assert controls.time.view == TimeView()
    assert controls.evaluations.shown.latest is None
    assert not controls.evaluations.shown.recent


def test_that_this_windows_run_is_followed_again_where_another_step_cannot_be_read(
    qtbot: QtBot, controls: Controls, old_run: Path
) -> None:
    """Else what is shown of the newest would stand beside that step."""
    controls.runs._set_run(RunView(phase=RunPhase.FINISHED, step=1000, folder=old_run))
    (old_run / "frames.sqlite").write_bytes(b"damaged")
    with qtbot.waitSignal(controls.log.line_logged):
        controls.time.seek(400)
        assert controls.time.view.step == 400
    qtbot.waitUntil(lambda: controls.time.view.following)
    assert controls.time.view.step == 1000


def test_that_a_step_that_is_gone_to_stays_where_one_of_the_run_looked_at_before_cannot_be_read(
    qtbot: QtBot, controls: Controls, old_run: Path
) -> None:
    mine = make_run(controls.setup.runs_root, "mine", steps=1000)
    controls.runs._set_run(RunView(phase=RunPhase.FINISHED, step=1000, folder=mine))
    look_at(qtbot, controls, old_run)
    qtbot.waitUntil(lambda: not controls.looking._tasks)
    (old_run / "frames.sqlite").write_bytes(b"damaged")
    with qtbot.waitSignal(controls.time.moment_shown):
        controls.time.seek(900)
        controls.time.show_live()
        controls.time.seek(400)
    assert (controls.time.view.step, controls.time.view.following) == (400, False)


def test_that_no_pictures_of_another_step_stay_beside_one_that_has_none_or_that_cannot_be_read(
    qtbot: QtBot, controls: Controls, theme: ThemeManager, old_run: Path
) -> None:
    """As beside step 0 of a run that was begun from another's step 333; later ones are there again."""
    samples = SamplesPanel(controls.time, controls.latents, controls.once, controls.stepped, theme)
    show(qtbot, samples)
    with closing(sqlite3.connect(old_run / "frames.sqlite", isolation_level=None)) as connection:
        connection.execute("DELETE FROM frame WHERE step = 0")
    look_at(qtbot, controls, old_run)
    go_to(qtbot, controls, 200)
    assert samples.empty_text
    assert controls.evaluations.shown.latest is None
    go_to(qtbot, controls, 450)
    assert samples._step.text().startswith("step 333")
    qtbot.waitUntil(lambda: not samples.empty_text)
    (old_run / "frames.sqlite").write_bytes(b"damaged")
    go_to(qtbot, controls, 900)
    assert samples.empty_text
    assert not controls.evaluations.shown.recent


def test_that_a_run_that_went_on_elsewhere_is_read_anew_when_it_is_opened_again(
    qtbot: QtBot, controls: Controls, old_run: Path
) -> None:
    look_at(qtbot, controls, old_run)
    append_metrics(old_run, [Logged(step=1100, seconds=22.0, values={"loss_autoencoder": 0.1})])
    look_at(qtbot, controls, old_run)
    assert controls.time.view.last == 1100


def test_that_the_run_that_is_shown_stays_where_it_was_asked_for_last(
    qtbot: QtBot, controls: Controls, old_run: Path
) -> None:
    other = make_run(controls.setup.runs_root, "other", make_config("another run"))
    look_at(qtbot, controls, old_run)
    controls.time.open(other)
    controls.time.open(old_run)
    qtbot.waitUntil(lambda: not controls.looking._tasks)
    assert controls.time.folder == old_run


def test_that_a_live_run_is_followed_left_and_followed_again(
    qtbot: QtBot, controls: Controls, theme: ThemeManager, old_run: Path
) -> None:
    samples = SamplesPanel(controls.time, controls.latents, controls.once, controls.stepped, theme)
    show(qtbot, samples)
    controls.runs.snapshot_arrived.emit(make_snapshot(120))
    assert samples._step.text().startswith("step 100")
    look_at(qtbot, controls, old_run)
    controls.runs.snapshot_arrived.emit(make_snapshot(220))
    assert samples._step.text().startswith("step 1,000")
    controls.time.show_live()
    assert samples._step.text().startswith("step 200")
    controls.runs.snapshot_arrived.emit(make_snapshot(320))
    assert samples._step.text().startswith("step 300")


# -- the bar


@pytest.fixture
def bar(qtbot: QtBot, controls: Controls, theme: ThemeManager) -> TimeBar:
    bar = TimeBar(controls.time, controls.starter, theme)
    show(qtbot, bar, 800, 40)
    return bar


def test_that_the_bar_says_what_to_do_and_what_a_mark_is_and_a_click_brings_the_handle(
    bar: TimeBar, qtbot: QtBot, controls: Controls, old_run: Path
) -> None:
    assert "press Start" in bar.title.toolTip()
    assert not bar.slider.isEnabled()
    look_at(qtbot, controls, old_run)
    place = round(bar.slider._place(500))
    assert "Step 500: ΔH edited" in tooltip_at(bar.slider, QPoint(place, 5))
    assert "The step that samples" in tooltip_at(bar.slider, QPoint(place + 40, 5))
    slider = bar.slider
    for step in (250, 700):
        qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(round(slider._place(step)), 4))
        assert controls.time.view.step == pytest.approx(step, abs=1000 / slider.width())
    slider.show_view(TimeView(title="run", step=0, last=3))
    beside = QPoint(round(slider._place(2)) + slider.width() // 10, 4)  # farther from its step than the handle is wide
    qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=beside)
    assert slider.value() == 2


def test_that_the_bar_is_moved_by_keys_clicks_and_numbers(
    qtbot: QtBot, bar: TimeBar, controls: Controls, old_run: Path
) -> None:
    look_at(qtbot, controls, old_run)
    assert bar.title.toolTip().count("Looking at an old run")
    assert (bar.slider.value(), bar.step.value()) == (1000, 1000)
    assert bar.follow.isChecked()
    qtbot.keyClick(bar.slider, Key.Key_Left)
    assert controls.time.view.step == 995
    assert not bar.follow.isChecked()
    qtbot.keyClick(bar.slider, Key.Key_PageDown)
    assert controls.time.view.step == 945
    qtbot.keyClick(bar.slider, Key.Key_Home)
    assert controls.time.view.step == 0
    step = find(bar, QSpinBox, "time_step")
    enter(qtbot, step, "777")
    assert controls.time.view.step == 777
    for name, there in (("time_back", 500), ("time_follow", 1000), ("time_back", 500)):
        click(qtbot, bar, name)
        assert controls.time.view.step == there
    assert not bar.back.isEnabled()
    assert not bar.next.isEnabled()
    bar.jumps["leave"].trigger()
    assert controls.time.view.live
    assert not bar.jumps["leave"].isEnabled()


@pytest.mark.usefixtures("all_panels")
def test_that_the_whole_window_jumps_by_keys(quick_hands: Hands, old_run: Path) -> None:
    bench = quick_hands.bench
    look_at(quick_hands.qtbot, bench, old_run)
    alt = Qt.KeyboardModifier.AltModifier
    for key, there in ((Key.Key_Left, 500), (Key.Key_End, 1000), (Key.Key_Left, 500)):
        quick_hands.key(key, alt)
        assert bench.time.view.step == there
    assert not quick_hands.window.time_bar.jumps["back"].isEnabled()
    quick_hands.key(Key.Key_Home, alt)
    assert bench.time.view.live


@pytest.mark.slow
@pytest.mark.usefixtures("all_panels")
def test_that_every_panel_goes_to_the_step_by_keys(quick_hands: Hands) -> None:
    """Samples, weights, examples, diagnostics, shares and curves; marks are jumped between; the end is followed."""
    hands, bench = quick_hands, quick_hands.bench
    hands.train(20)
    bench.target.set_offset(2, -1.0)
    hands.wait(lambda: any(mark.kind is MarkKind.EDIT for mark in bench.runs.history.marks))
    edit = bench.runs.history.marks[0].step
    hands.wait(lambda: bench.runs.run.step > edit + 20)
    hands.pause()
    bench.runs.send(SampleNow())
    hands.press("pause")
    hands.wait(lambda: any(mark.kind is MarkKind.RESUMED for mark in bench.runs.history.marks))
    hands.end()
    assert bench.runs.run.folder is not None
    last = bench.runs.run.step
    record_evaluation(bench.runs.run.folder, edit, 0.3, 40.0)
    panels = {
        panel.NAME: hands.find(panel, panel.NAME)
        for panel in (SamplesPanel, WeightsPanel, ExamplesPanel, DiagnosticsPanel, SharesPanel)
    }
    steps = [int(step) for step in FrameStore(bench.runs.run.folder).steps]
    assert steps[0] == 0
    assert steps[-1] == last

    def key_to(key: Key, step: int) -> None:
        with hands.qtbot.waitSignal(bench.time.frame_shown):
            hands.key(key, Qt.KeyboardModifier.AltModifier)
        assert bench.time.view.step == step
        hands.wait(lambda: bench.time.history.cursor == step)

    marks = sorted({mark.step for mark in bench.time.view.marks})
    assert marks[0] == edit
    key_to(Key.Key_Left, marks[-1] if marks[-1] < last else marks[-2])
    while bench.time.view.step > edit:
        key_to(Key.Key_Left, [step for step in marks if step < bench.time.view.step][-1])
    shown = max(step for step in steps if step <= edit)
    assert panels["samples"]._grid.step == shown
    assert panels["examples"]._step == shown
    assert panels["diagnostics"]._old
    assert panels["diagnostics"]._step <= shown
    assert bench.evaluations.shown.latest.evaluation.tv == 0.3
    assert bench.time.history.current("loss_autoencoder") == bench.runs.history.column("loss_autoencoder")[edit - 1]
    slider = hands.window.time_bar.slider
    slider.setFocus()
    with hands.qtbot.waitSignal(bench.time.frame_shown):
        hands.qtbot.keyClick(slider, Key.Key_Home)
    hands.wait(lambda: panels["samples"]._grid.step == 0)
    assert "no batch before the first step" in panels["examples"].empty_text
    hands.wait(lambda: bench.evaluations.shown.latest is None)
    hands.key(Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert bench.time.view.step == edit
    hands.key(Key.Key_End, Qt.KeyboardModifier.AltModifier)
    assert bench.time.view.following
    assert panels["samples"]._grid.step == last
    assert not panels["diagnostics"]._old
    hands.window.docks["examples"].raise_()
    hands.wait(lambda: not panels["examples"].empty_text)


@pytest.mark.slow
@pytest.mark.usefixtures("all_panels")
def test_that_an_earlier_step_of_the_run_under_way_has_the_target_of_then(
    quick_hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In table, sentence, energy and theory; it is for reading alone until the newest step is followed."""
    hands, bench = quick_hands, quick_hands.bench
    monkeypatch.setattr(undo, "_MERGE_SECONDS", 0.0)  # both shares are entered at once
    hands.enter(2, Column.TARGET, "30")
    hands.train(20)
    hands.enter(2, Column.TARGET, "60")
    hands.wait(lambda: bench.target.tilt is not None and not bench.target.tilt.pending)
    edit = bench.runs.history.marks[0].step
    now = bench.setup.config.perturbation
    hands.wait(lambda: bench.runs.run.step > edit + 20)
    table = hands.find(OffsetsPanel, "offsets")
    slider = hands.window.time_bar.slider

    def target() -> float:
        return float(str(table.table.model().index(2, Column.TARGET).data()).removesuffix(" %"))

    assert target() == 60
    with hands.qtbot.waitSignal(bench.time.moment_shown):
        hands.qtbot.mouseClick(slider, Qt.MouseButton.LeftButton, pos=QPoint(2, slider.height() // 2))
    assert target() == 30
    seen = bench.runs.run.step
    hands.wait(lambda: bench.runs.run.step > seen + 5)
    assert (bench.time.view.step, bench.time.view.following) == (0, False)
    assert "30 %" in table.summary.answer.text()
    assert "at step 0" in bench.target.tilt.hint
    assert not find(table, QAbstractButton, "preset_zero").isEnabled()
    assert not bench.target.tilt.pending
    theory = hands.find(TheoryPanel, "theory")
    assert theory._tilt is bench.target.tilt
    assert hands.find(EnergyPanel, "energy").energy == now.energy_part()
    assert bench.setup.config.perturbation == now
    hands.key(Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert bench.setup.config.perturbation == now, "nothing is undone that is not shown"
    assert not find(table, QAbstractButton, "undo").isEnabled()
    click(hands.qtbot, hands.window, "offsets_add_term")
    assert QApplication.activePopupWidget() is None, "a menu that is off takes neither clicks nor keys"
    hands.qtbot.mouseClick(hands.find(QToolButton, "time_follow"), Qt.MouseButton.LeftButton)
    assert target() == 60
    hands.key(Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert target() == 30
    hands.enter(2, Column.TARGET, "40")
    assert target() == 40
    hands.end()


def test_that_an_old_run_says_what_it_has_not_kept(
    qtbot: QtBot, controls: Controls, theme: ThemeManager, old_run: Path
) -> None:
    examples, diagnostics = (
        ExamplesPanel(controls.time, controls.data, theme),
        DiagnosticsPanel(controls.time, theme),
    )
    for panel in (examples, diagnostics):
        show(qtbot, panel)
    look_at(qtbot, controls, old_run)
    assert "has not kept which examples" in examples.empty_text
    assert "No diagnostics were kept" in diagnostics.empty_text
