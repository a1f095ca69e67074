import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, QSettings, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QMenu, QTabBar, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from studio.data.folder import FolderConfig
from studio.gui.live.samples.panel import SamplesPanel
from studio.gui.plots.curves import CurvesPanel
from studio.gui.state.log import Level, LogLine, line_of
from studio.gui.state.run_view import RunPhase, RunView
from studio.gui.target.offsets.columns import Column
from studio.gui.widgets.theme import ThemeManager, ThemeMode
from studio.gui.window.controls import Controls
from studio.gui.window.main_window import MainWindow
from studio.gui.window.panels import PLACES
from studio.gui.window.status import StudioStatusBar
from studio.models.vae.config import VaeConfig
from studio.training.config.run_config import BatchConfig, CadenceConfig
from studio.training.messages.events import Finished, Outcome, Started, ThreadsChanged
from tests.conftest import slowness
from tests.full_disk import FullDisk
from tests.gui.hands import PATIENCE_MS, Hands, Key, Modifier, find
from tests.gui.look import look_kept
from tests.gui.shown import come_to_rest, make_snapshot
from tests.library.made_runs import make_run

ROOT = Path(__file__).parents[3]
CTRL, CTRL_SHIFT = Modifier.ControlModifier, Modifier.ControlModifier | Modifier.ShiftModifier


@pytest.fixture
def hands(hands: Hands) -> Hands:
    """At a window whose runs are quick."""
    hands.bench.setup.edit(
        model=VaeConfig(),
        batch=BatchConfig(average_size=8),
        cadence=CadenceConfig(log_every=1, sample_every=0.1, samples=4),
        threads=1,
    )
    return hands


# -- choosing and tilting


def test_that_typed_offsets_and_shares_are_undone_and_redone_from_anywhere(hands: Hands) -> None:
    plain = hands.bench.target.class_offsets()
    hands.enter(7, Column.OFFSET, "-1.5")
    offset = hands.bench.target.class_offsets()
    assert offset[7] == -1.5
    hands.enter(2, Column.TARGET, "30")
    share = hands.bench.target.class_offsets()
    assert hands.bench.target.tilt.summary.target[2] == pytest.approx(0.3)
    hands.key(Key.Key_Z, CTRL)
    assert hands.bench.target.class_offsets() == offset
    hands.find(QWidget, "dataset").setFocus()
    hands.key(Key.Key_Z, CTRL)
    assert hands.bench.target.class_offsets() == plain
    hands.key(Key.Key_Z, CTRL_SHIFT)
    assert hands.bench.target.class_offsets() == offset
    hands.find(QWidget, "offsets_table").setFocus()
    hands.key(Key.Key_Z, CTRL_SHIFT)
    assert hands.bench.target.class_offsets() == share


# -- a run


@pytest.mark.usefixtures("all_panels")
@pytest.mark.slow
def test_that_a_run_is_started_tilted_paused_stepped_resumed_and_stopped(hands: Hands) -> None:
    bench, window, samples = hands.bench, hands.window, hands.find(SamplesPanel, "samples")
    table = hands.find(QWidget, "offsets_table")
    assert samples.empty_text
    hands.key(Key.Key_F5)
    assert bench.runs.run.phase is RunPhase.PREPARING
    hands.wait(lambda: not samples.empty_text and len(bench.runs.history) > 2)
    before = table.viewport().grab().toImage()
    hands.enter(2, Column.TARGET, "30")
    assert bench.target.tilt.pending
    hands.wait(lambda: bool(bench.runs.history.marks) and not bench.target.tilt.pending)
    assert table.viewport().grab().toImage() != before
    hands.key(Key.Key_F6)
    hands.wait_for(RunPhase.PAUSED)
    assert window.actions_of_run["pause"].text() == "&Resume"
    held = bench.runs.run.step
    hands.press("step")
    hands.wait(lambda: bench.runs.run.step == held + 1)
    assert hands.find(QLabel, "run_step").text() == f"{held + 1:,}"
    hands.press("pause")
    hands.wait(lambda: bench.runs.run.step > held + 1)
    hands.press("stop")
    hands.wait_for(RunPhase.FINISHED)
    assert not samples.empty_text
    assert len(bench.runs.history) == bench.runs.run.step
    assert hands.find(QLabel, "run_phase").text() == "finished"
    hands.train()
    assert bench.runs.run.step > 0
    hands.end()


def test_that_the_controls_say_what_can_be_done_and_none_moves_when_pause_becomes_resume(hands: Hands) -> None:
    def enabled() -> set[str]:
        actions = hands.window.actions_of_run.all()
        return {action.objectName().removeprefix("run_") for action in actions if action.isEnabled()}

    assert enabled() == {"start"}
    hands.train()
    assert enabled() == {"pause", "step", "stop", "sample", "evaluate", "save", "elsewhere"}
    assert "stop it first" in hands.window.actions_of_run["start"].toolTip()
    toolbar, actions = hands.window.toolbar, hands.window.actions_of_run

    def places() -> list[object]:
        QApplication.processEvents()
        return [button.geometry().getRect() for button in toolbar.findChildren(QToolButton) if button.isVisible()]

    before = places()
    hands.pause()
    assert actions["pause"].text() == "&Resume"
    texts = [action.text() for action in actions.all()]
    assert len(set(texts)) == len(texts), "resuming a run that was stopped is another entry"
    assert places() == before
    hands.end()
    assert enabled() == {"start", "resume", "evaluate"}


@pytest.mark.usefixtures("own_window")
def test_that_start_pause_and_stop_hand_the_keyboard_on_to_each_other(hands: Hands) -> None:
    runs, buttons = hands.bench.runs, hands.window.toolbar.buttons
    hands.window.actions_of_run.start_requested.disconnect()
    hands.press("start")
    assert buttons["start"].hasFocus()
    runs._set_run(RunView(phase=RunPhase.PREPARING))
    assert QApplication.focusWidget() is None, "nothing else is in its place meanwhile"
    runs._set_run(RunView(phase=RunPhase.RUNNING, step=1))
    assert buttons["pause"].hasFocus()
    hands.press("stop")
    assert runs.run.phase is RunPhase.STOPPING
    runs._on_news(None, [Finished(outcome=Outcome.STOPPED, step=2)], 0)
    assert buttons["start"].hasFocus()


@pytest.mark.usefixtures("own_window")
@pytest.mark.usefixtures("all_panels")
def test_that_closing_while_training_ends_the_thread_within_two_seconds(hands: Hands) -> None:
    """Of the processor, where others use it, too."""
    hands.train()
    begun, used = time.monotonic(), time.process_time()
    assert hands.window.close()
    assert time.monotonic() - begun < 2 or time.process_time() - used < 2 * slowness()
    assert hands.bench.runs.run.phase is RunPhase.FINISHED
    assert not hands.bench.runs.run.unsaved


# -- what goes wrong


def test_that_a_broken_folder_is_told_beside_its_field_and_start_says_why_it_is_off(
    hands: Hands, tmp_path: Path
) -> None:
    (empty := tmp_path / "empty").mkdir()
    hands.enter(2, Column.TARGET, "30")
    offsets = hands.bench.target.class_offsets()
    with hands.qtbot.waitSignal(hands.bench.setup.dataset_failed):
        hands.bench.setup.set_dataset(FolderConfig(path=str(empty)))
    message = hands.find(QLabel, "dataset_message")
    assert message.isVisible()
    assert "holds no images" in message.text()
    start = hands.window.actions_of_run["start"]
    assert not start.isEnabled()
    assert "no data set yet" in start.toolTip()
    hands.key(Key.Key_F5)
    assert hands.bench.runs.run.phase is RunPhase.IDLE
    with hands.qtbot.waitSignal(hands.bench.setup.dataset_changed):
        hands.choose("dataset", "digits")
    assert hands.bench.target.class_offsets() == offsets
    assert start.isEnabled()
    assert not message.isVisible()


@pytest.mark.usefixtures("own_window")
def test_that_a_runs_folder_that_cannot_be_made_is_told_in_one_box(hands: Hands) -> None:
    hands.bench.setup.runs_root.write_text("in the way")
    hands.enter(2, Column.TARGET, "30")
    offsets = hands.bench.target.class_offsets()
    with hands.answering("OK") as said:
        hands.press("start")
        hands.wait_for(RunPhase.FAILED)
        hands.wait(lambda: bool(said))
    (text,) = said
    assert text.startswith("The run folder cannot be made")
    assert "check that you may write there" in text
    assert hands.window.isVisible()
    assert hands.bench.target.class_offsets() == offsets
    hands.bench.setup.runs_root.unlink()
    hands.train()
    hands.end()


@pytest.mark.slow
def test_that_results_a_full_disk_refused_are_asked_about_before_they_are_lost(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(hands.bench.setup.runs_root, monkeypatch)
    hands.train()
    disk.full = True
    with hands.answering("OK") as said:
        hands.wait_for(RunPhase.PAUSED)
        hands.wait(lambda: bool(said))
        assert "No space left on device" in said[0]
        hands.press("stop")
        hands.wait(lambda: len(said) == 2)
        assert hands.bench.runs.run.phase is RunPhase.PAUSED
    with hands.answering("End without saving") as said:
        hands.press("stop")
        hands.wait(lambda: bool(said))
        hands.wait_for(RunPhase.FAILED)
    history, samples = hands.bench.runs.history, hands.find(SamplesPanel, "samples")
    with hands.answering("Keep them") as asked:
        hands.press("start")
        assert not hands.window.close()
    assert [text.partition("?")[0] for text in asked] == ["Start again", "Close the studio"]
    assert hands.bench.runs.history is history
    assert not samples.empty_text
    disk.full = False
    with hands.answering("Start again") as asked:
        hands.train()
    assert len(asked) == 1
    assert hands.bench.runs.history is not history
    hands.end()


@pytest.mark.slow
def test_that_a_run_on_a_full_disk_goes_on_when_it_is_saved_elsewhere(
    hands: Hands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    disk = FullDisk(hands.bench.setup.runs_root, monkeypatch)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "other"))
    hands.train()
    before = hands.bench.runs.run.folder
    disk.full = True
    with hands.answering("Save elsewhere…") as said:
        hands.wait(lambda: bool(said))
        hands.wait_for(RunPhase.RUNNING)
    folder = hands.bench.runs.run.folder
    assert before is not None
    assert folder == tmp_path / "other" / before.name
    hands.end()
    assert hands.bench.runs.run.phase is RunPhase.FINISHED
    assert not hands.bench.runs.run.unsaved
    assert (folder / "weights.safetensors").is_file()


@pytest.mark.usefixtures("own_window")
def test_that_closing_asks_when_the_last_save_fails(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = FullDisk(hands.bench.setup.runs_root, monkeypatch)
    hands.bench.setup.edit(cadence=CadenceConfig(log_every=1, sample_every=3600, samples=4))
    hands.train()
    disk.full = True
    with hands.answering("Keep them") as asked:
        assert not hands.window.close()
    assert len(asked) == 1
    assert hands.window.isVisible()
    assert not hands.bench.runs.run.phase.active


# -- layout, look and keyboard


def tabs(window: MainWindow) -> list[list[str]]:
    """Titles on each tab bar between the panels that can be seen."""
    QApplication.processEvents()
    area = window.views.workbench
    bars = [bar for bar in area.findChildren(QTabBar) if bar.count() and area.rect().intersects(bar.geometry())]
    return sorted([bar.tabText(place) for place in range(bar.count())] for bar in bars)


GROUPS = sorted([panel.title for panel in panels] for panels in PLACES.values() if len(panels) > 1)


@pytest.mark.usefixtures("all_panels")
def test_that_each_group_of_panels_has_one_tab_bar_and_a_panel_is_what_its_dock_calls_it(window: MainWindow) -> None:
    assert tabs(window) == GROUPS
    for name, dock in window.docks.items():
        assert (dock.widget().objectName(), dock.widget().accessibleName()) == (name, dock.windowTitle())


@pytest.mark.parametrize("made", [True, False], ids=["later", "at once"])
@pytest.mark.slow
def test_that_the_layout_is_remembered_and_can_be_reset(
    qtbot: QtBot, window: MainWindow, controls: Controls, theme: ThemeManager, settings: QSettings, made: bool
) -> None:
    window.docks["log"].hide()
    window.docks["weights"].setFloating(True)
    window.close()
    again = MainWindow(controls, theme, settings)
    with qtbot.waitExposed(again):
        again.show()
    if made:
        again.views.make_panels()
    assert not again.docks["log"].isVisible()
    assert again.docks["weights"].isFloating()
    (reset,) = [action for action in again.findChildren(QAction) if action.text() == "&Reset layout"]
    reset.trigger()
    assert again.docks["log"].isVisible()
    assert not again.docks["weights"].isFloating()
    assert tabs(again) == GROUPS
    again.close()
    again.deleteLater()


@pytest.mark.slow
def test_that_panels_behind_others_come_after_the_first_paint_or_when_they_are_seen(
    qtbot: QtBot, controls: Controls, theme: ThemeManager, settings: QSettings
) -> None:
    window = MainWindow(controls, theme, settings)
    front = [name for name, dock in window.docks.items() if dock.made]
    assert {panels[0].name for panels in PLACES.values()} == set(front)
    with qtbot.waitActive(window):
        window.showNormal()  # it would fill this platform's small screen
        window.resize(1280, 800)
        window.activateWindow()
    window.docks["shares"].raise_()
    qtbot.waitUntil(lambda: window.docks["shares"].made)
    window.docks["batch"].raise_()
    assert not window.docks["theory"].made
    places = {name: window.docks[name].geometry() for name in front}
    ended: list[bool] = []
    window.views.make_between_events(lambda: ended.append(True))
    qtbot.waitUntil(lambda: bool(ended))
    assert all(dock.made for dock in window.docks.values())
    assert {name: window.docks[name].geometry() for name in front} == places
    window.close()
    window.deleteLater()


@pytest.mark.slow
def test_that_a_window_that_is_dressed_last_looks_like_one_made_in_the_look(
    qtbot: QtBot, qapp: QApplication, controls: Controls, settings: QSettings
) -> None:
    settings.clear()  # docks share the last pixel as they are made; the page does not
    pictures = []
    for late in (False, True):
        theme = ThemeManager(ThemeMode.LIGHT)
        with look_kept(qapp):
            (theme.prepare if late else theme.apply)(qapp)
            window = MainWindow(controls, theme, settings)
            assert theme.tokens.focus in qapp.styleSheet()
            window.showNormal()  # it would fill this platform's small screen
            window.resize(1280, 800)
            come_to_rest(qtbot)
            whole = window.grab().toImage()
            controls.log.line_logged.emit(LogLine(text="What the status bar says"))  # the log has the time beside it
            pictures.append((whole, window.statusBar().grab().toImage()))
            window.hide()
            window.deleteLater()
    assert pictures[0] == pictures[1]


@pytest.mark.usefixtures("all_panels")
def test_that_the_look_follows_the_menu_and_is_remembered(
    window: MainWindow, theme: ThemeManager, settings: QSettings
) -> None:
    actions = {action.text(): action for action in window.findChildren(QAction)}
    assert actions["&Light"].isChecked()
    actions["&Dark"].trigger()
    assert theme.tokens.dark
    assert settings.value("theme") == "dark"
    actions["As the &system"].trigger()
    assert theme.mode is ThemeMode.SYSTEM
    actions["&Light"].trigger()
    assert not theme.tokens.dark


@pytest.mark.usefixtures("all_panels")
def test_that_tab_reaches_every_control(hands: Hands) -> None:
    hands.bench.log.add("so that the log has something to filter")
    hands.find(QWidget, "dataset").setFocus()
    seen: list[str] = []
    while not seen or hands.focus() is not hands.find(QWidget, "dataset"):
        assert hands.focus().isVisible()
        name = hands.focus().objectName()
        seen += [name] if seen[-1:] != ["offsets_table"] or name != "offsets_table" else []  # from cell to cell
        assert len(seen) < 200, f"Tab never came back: {seen}"
        hands.key(Key.Key_Tab)
    reached = ["dataset", "model", "average_size", "name", "fold", "preset_zero", "offsets_table", "log_filter"]
    assert [name for name in seen if name in reached] == reached, seen
    hands.key(Key.Key_Tab, Modifier.ShiftModifier)
    assert hands.focus().objectName() == seen[-1]


@pytest.mark.usefixtures("own_window", "all_panels")
def test_that_a_legend_that_goes_takes_no_menu_along_after_all_panels_were_gone_to_by_their_keys(hands: Hands) -> None:
    for number, (name, dock) in enumerate(hands.window.docks.items(), start=1):
        dock.hide()
        held = Modifier.AltModifier if number <= 10 else Modifier.AltModifier | Modifier.ControlModifier
        hands.key(Key(Key.Key_0 + number % 10), held)  # the tenth has 0
        focus = hands.focus()
        assert dock.isVisible(), name
        panel = dock.widget()
        assert focus is panel or panel.isAncestorOf(focus), name
        if focus is not panel:
            assert focus.focusPolicy() & Qt.FocusPolicy.TabFocus, name
    hands.find(CurvesPanel, "batch").legend.clear()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    hands.window.menuBar().setFocus()
    hands.key(Key.Key_F, Modifier.AltModifier)
    menu = QApplication.activePopupWidget()
    assert isinstance(menu, QMenu)
    assert "Open &recent" in [action.text() for action in menu.actions()]
    hands.qtbot.keyClick(menu, Key.Key_Escape)


_MEASURE = """
import json, sys
from pathlib import Path
from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication
from studio.gui.window.main_window import MainWindow
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls
app = QApplication([])
theme = ThemeManager("light")
theme.apply(app)
home = Path(sys.argv[1])
bench = Controls(data_root=home, runs_root=home)
loaded = []
bench.setup.dataset_changed.connect(loaded.append)
bench.setup.set_dataset(bench.setup.config.dataset)
window = MainWindow(bench, theme, QSettings(str(home / "studio.ini"), QSettings.Format.IniFormat))
window.showNormal()  # it would fill this platform's small screen
window.resize(1280, 800)
window.views.make_panels()
while not loaded:
    app.processEvents()
app.processEvents()
least = window.minimumSizeHint()
cramped = [
    name for name, dock in window.docks.items()
    if dock.isVisible() and not dock.visibleRegion().isEmpty()
    and (dock.widget().width() < dock.widget().minimumSizeHint().width()
         or dock.widget().height() < dock.widget().minimumSizeHint().height())
]
print(json.dumps({
    "ratio": window.devicePixelRatio(), "size": [window.width(), window.height()],
    "least": [least.width(), least.height()], "cramped": cramped,
}))
bench.shutdown()
"""


@pytest.mark.slow
@pytest.mark.parametrize("scale", [1, 2])
def test_that_the_window_fits_a_small_screen_at_any_scale(scale: int, tmp_path: Path) -> None:
    measured: dict[str, Any] = json.loads(
        subprocess.run(
            [sys.executable, "-c", _MEASURE, str(tmp_path)],
            env={**os.environ, "QT_QPA_PLATFORM": "offscreen", "QT_SCALE_FACTOR": str(scale)},
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
            timeout=PATIENCE_MS / 1000,
        ).stdout
    )
    assert measured["ratio"] == scale
    assert measured["size"] == [1280, 800]
    assert measured["cramped"] == []
    width, height = measured["least"]
    assert width <= 1024
    assert height <= 700


def test_that_the_status_bar_says_how_many_threads_compute_and_the_log_does_not_repeat_it(window: MainWindow) -> None:
    bench, device = window.controls, find(window, QLabel, "device")
    told: list[LogLine] = []
    bench.log.line_logged.connect(told.append)
    begun = Started(device="cpu", threads=2, parameters=100, folder=None)
    fewer = ThreadsChanged(step=7, threads=1)
    bench.runs._on_news(None, [begun, fewer, replace(fewer, threads=2), fewer], 0)
    assert device.text() == "cpu, 1 thread"
    assert [line.text for line in told] == ["Training 100 parameters on cpu with 2 threads, not recorded"]
    again = line_of(replace(begun, step=3155))
    assert again is not None
    assert again.text.endswith("2 threads from step 3,155 on, not recorded")
    bench.runs._on_news(None, [Finished(outcome=Outcome.STOPPED, step=7)], 0)
    assert (device.text(), device.isHidden()) == ("", True), "nothing computes any more"


def test_that_the_pace_of_the_run_is_said_in_both_views(window: MainWindow) -> None:
    """In the Workbench by the row above; on the page below."""
    runs, pace, workbench = window.controls.runs, find(window, QLabel, "pace"), window.views.workbench_action
    runs._set_run(RunView(phase=RunPhase.RUNNING, step=7, steps_per_second=41.3, seconds=224.0))
    assert pace.text() == "41.3 steps/s · 03:44"
    assert (pace.isVisible(), window.bench_row.isVisible()) == (False, True)
    workbench.setChecked(False)
    assert (pace.isVisible(), window.bench_row.isVisible()) == (True, False)
    workbench.setChecked(True)
    runs._set_run(RunView())
    assert pace.text() == ""


def test_that_the_pace_of_the_run_that_trains_does_not_stand_below_another_one(
    qtbot: QtBot, own_window: MainWindow
) -> None:
    bench, status = own_window.controls, own_window.status
    running = RunView(phase=RunPhase.RUNNING, step=9, steps_per_second=12.5, device="cpu", folder=Path("a"))
    bench.runs._set_run(running)
    assert status.pace.text().startswith("12.5 steps/s")
    with qtbot.waitSignal(bench.time.run_shown):
        bench.time.open(make_run(bench.setup.runs_root, "other"))
    bench.runs._set_run(replace(running, step=10))
    assert (status.pace.text(), status._device.text()) == ("", "")
    bench.time.show_live()
    assert status.pace.text().startswith("12.5 steps/s")
    bench.runs._set_run(RunView())


def test_that_a_step_of_the_run_switches_no_action_off_and_on_again(window: MainWindow) -> None:
    """Each would have its button drawn anew, ten times a second."""
    runs, actions = window.controls.runs, window.actions_of_run.all()
    runs._on_news(make_snapshot(6), [Started(device="cpu", threads=2, parameters=100, folder=None)], 0)
    changed: list[str] = []
    for action in actions:
        action.changed.connect(partial(changed.append, action.objectName()))
    runs._on_news(make_snapshot(7), [], 0)
    assert runs.run.step == 7
    assert window.actions_of_run["evaluate"].isEnabled()
    assert not changed
    runs._on_news(None, [Finished(outcome=Outcome.STOPPED, step=7)], 0)
    assert "run_evaluate" in changed


def test_that_a_line_in_the_status_bar_goes_unless_it_is_a_fault(window: MainWindow, qtbot: QtBot) -> None:
    bar = window.findChild(StudioStatusBar)
    line = window.findChild(QLabel, "last_line")
    bar.fading.setInterval(0)
    window.controls.log.add("Saved")
    assert line.toolTip()
    qtbot.waitUntil(lambda: not bar.fading.isActive())
    assert not line.toolTip()
    window.controls.log.add("Saved")
    window.controls.log.add("The disk is full", Level.ERROR)
    assert not bar.fading.isActive()
    assert "The disk is full" in line.toolTip()
