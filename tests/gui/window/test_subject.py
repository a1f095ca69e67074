"""One subject at a time: the set-up, the run that trains, or a run that is looked at; the banner says which."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog, QLabel, QLineEdit, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from studio.data.folder import FolderConfig
from studio.data.planar.config import RingConfig
from studio.errors import UserError
from studio.gui.library.panel import RunsPanel
from studio.gui.live.plane.lessons import LESSONS
from studio.gui.live.planners import PlannersPanel
from studio.gui.live.weights import WeightsPanel
from studio.gui.plots.curves import CurvesPanel
from studio.gui.plots.plot import Plot
from studio.gui.state.history import TimeView
from studio.gui.state.old_runs import Past
from studio.gui.state.run_view import RunPhase, RunView
from studio.gui.state.subject import Aspect, Offer, Subject
from studio.gui.target.offsets.columns import Column
from studio.gui.widgets.tooltip import tooltip
from studio.training.config.run_title import run_title
from studio.training.config.sweep_mark import SweepMark, write_mark
from studio.training.messages.commands import SetPerturbation
from studio.training.messages.events import (
    Finished,
    HoldApplied,
    Outcome,
    Paused,
    PerturbationApplied,
    PerturbationRejected,
    Resumed,
)
from studio.training.run.session import RunRequest
from tests.data.image_folders import write_image, write_image_folder
from tests.gui.hands import Hands, ask_share, enter, panel_of
from tests.gui.live.test_planners_panel import report
from tests.gui.shown import make_history, make_snapshot
from tests.library.made_runs import make_config, make_run

LEFT = Qt.MouseButton.LeftButton
Key, Modifier = Qt.Key, Qt.KeyboardModifier


@pytest.fixture
def old_run(hands: Hands) -> Path:
    return make_run(hands.bench.setup.runs_root, "old", make_config("an old run"), steps=1000)


def look_at(hands: Hands, run: Path) -> None:
    with hands.qtbot.waitSignal(hands.bench.time.frame_shown):
        hands.bench.time.open(run)


def press(hands: Hands, name: str) -> None:
    hands.qtbot.mouseClick(hands.find(QToolButton, f"subject_{name}"), LEFT)


def banner(hands: Hands) -> tuple[str, str]:
    return hands.window.banner.words.accessibleName(), hands.window.banner.state.accessibleName()


def test_that_the_banner_names_an_old_run_that_may_be_left_or_set_up_like(hands: Hands, old_run: Path) -> None:
    assert banner(hands) == ("Set-up", "")
    assert not hands.find(QToolButton, "subject_leave").isVisible()
    look_at(hands, old_run)
    assert banner(hands) == ("Looking at “an old run”", "stopped at step 1,000")
    seen = [button for button in hands.window.findChildren(QToolButton) if button.isVisible()]
    assert [button.text() for button in seen].count("Leave") == 1
    assert hands.find(QToolButton, "subject_resume").isVisible()
    with hands.qtbot.waitSignal(hands.bench.time.moment_shown):
        hands.bench.time.seek(450)
    assert banner(hands) == ("Looking at “an old run”", "stopped at step 1,000; shown is step 450")
    press(hands, "leave")
    assert banner(hands) == ("Set-up", "")
    assert hands.bench.time.view == TimeView()
    assert hands.bench.time.folder is None
    look_at(hands, old_run)
    press(hands, "like")
    assert hands.bench.setup.config.name == "an old run"
    assert hands.bench.subjects.subject.aspect is Aspect.SETUP
    look_at(hands, old_run)
    press(hands, "like")
    assert banner(hands) == ("Set-up", ""), "also where it was set up like that before"


@pytest.mark.usefixtures("own_window")
def test_that_a_run_is_not_looked_at_over_other_data_of_the_same_name(hands: Hands, tmp_path: Path) -> None:
    """As where a folder has got another image since: the table is of what is there now."""
    bench, folder = hands.bench, write_image_folder(tmp_path / "images")

    def read() -> None:
        with hands.qtbot.waitSignal(bench.setup.dataset_changed):
            bench.setup.set_dataset(FolderConfig(path=str(folder), size=12))

    read()
    runs, before = bench.runs, write_image(tmp_path / "new.png")
    runs.config, runs.title, runs.data = bench.setup.run_config(), "mine", bench.setup.images.fingerprint()
    runs.run_begins.emit(RunRequest(config=runs.config, data=cast(Any, None)), Past())
    runs._set_run(RunView(phase=RunPhase.FINISHED, step=6))
    assert banner(hands)[0] == "Looking at “mine”"
    before.rename(folder / "class 1" / "new.png")
    read()
    assert banner(hands) == ("Set-up", "The figures are of “mine”, step 6")
    (folder / "class 1" / "new.png").unlink()
    read()
    assert banner(hands)[0] == "Looking at “mine”"


def test_that_a_run_that_was_stopped_before_its_first_step_is_named_beside_its_samples(hands: Hands) -> None:
    runs = hands.bench.runs
    runs.config, runs.title = hands.bench.setup.config, "mine"
    runs.run = RunView(phase=RunPhase.FINISHED, folder=hands.bench.setup.runs_root / "mine")
    runs.run_changed.emit(runs.run)
    assert banner(hands) == ("Looking at “mine”", "stopped at step 0")
    hands.enter(2, Column.TARGET, "30")
    assert banner(hands) == ("Set-up", "The figures are of “mine”, step 0")
    hands.bench.setup.lack("Nothing is chosen.")
    assert banner(hands) == ("Set-up", "Nothing is chosen. The figures are of “mine”, step 0")
    hands.bench.setup.lack("")


def test_that_a_run_is_called_in_the_banner_as_in_the_table_of_runs(hands: Hands, old_run: Path) -> None:
    """By its place in a sweep, and by the name that it is given while it is looked at."""
    write_mark(old_run, SweepMark(sweep="seeds-1", title="seeds", number=3, count=4, values={"seed": 3}))
    look_at(hands, old_run)
    assert banner(hands)[0] == "Looking at “seeds: Seed=3”"
    hands.bench.library.rename(old_run.name, "mine")
    assert banner(hands)[0] == "Looking at “mine”"
    assert hands.window.windowTitle().startswith("mine –")
    assert hands.window.time_bar.title.toolTip() == tooltip("Looking at mine")
    make_run(old_run.parent, "other")
    hands.bench.library.rename("other", "another")
    assert banner(hands)[0] == "Looking at “mine”", "it was another that got a name"
    hands.bench.library.rename(old_run.name, "")
    assert banner(hands)[0] == "Looking at “seeds: Seed=3”"


def test_that_start_waits_for_the_data_that_a_person_has_chosen(hands: Hands) -> None:
    start = hands.window.actions_of_run["start"]
    hands.choose("dataset", "mnist")
    assert not start.isEnabled()
    assert "MNIST is not in the data folder yet" in start.toolTip()
    hands.choose("dataset", "folder")
    assert not start.isEnabled()
    assert banner(hands) == ("Set-up", "No folder of images is chosen yet: choose one in the set-up.")
    assert hands.window.time_bar.title.toolTip() == tooltip("No run is shown"), "and not to press what is off"
    assert hands.find(QLabel, "setup_state").text() == hands.bench.starter.blocked
    hands.key(Key.Key_F5)
    assert not hands.bench.runs.busy
    hands.bench.setup.set_config(hands.bench.setup.config.model_copy(update={"seed": 7}), "Preset")
    assert hands.find(QComboBox, "dataset").currentData() == "digits"
    assert start.isEnabled()
    assert hands.window.time_bar.title.toolTip() == tooltip("No run is shown: press Start")
    assert hands.find(QLabel, "setup_state").text() == "Start trains with these settings."
    hands.choose("dataset", "folder")
    hands.choose("dataset", "digits")
    assert start.isEnabled()


def test_that_nothing_is_of_the_data_before_while_those_of_a_lesson_are_read(hands: Hands) -> None:
    """The set-up is called by what it will train; a step of the lesson waits for its data."""
    setup, path = hands.bench.setup, hands.window.toolbar.path
    with hands.qtbot.waitSignal(setup.dataset_changed):
        hands.find(QAction, "lesson_tilt-too-strong").trigger()
        before = setup.config
        assert setup.awaits_data
        told = path.toolTip()
        hands.bench.lessons._set_offset("1", -6.0)
        assert setup.config is before
    assert told == path.toolTip(), "as it is called once they are here"


def test_that_start_waits_for_an_entry_that_is_about_to_be_loaded(hands: Hands) -> None:
    bench, start = hands.bench, hands.window.actions_of_run["start"]
    with hands.qtbot.waitSignal(bench.setup.dataset_changed):
        hands.choose("dataset", "planar_ring")
    count = hands.find(QWidget, "count").findChild(QLineEdit)
    count.setFocus()
    count.selectAll()
    with hands.qtbot.waitSignal(bench.setup.dataset_changed):
        hands.qtbot.keyClicks(count, "500")
        hands.qtbot.keyClick(count, Key.Key_Return)
        assert not start.isEnabled()
    assert start.isEnabled()
    assert len(bench.setup.images or ()) == 500


def open_lesson(hands: Hands, name: str = "vanishing-gradients") -> None:
    with hands.qtbot.waitSignal(hands.bench.setup.dataset_changed):
        hands.find(QAction, f"lesson_{name}").trigger()
    assert hands.find(QWidget, "lesson_card").isVisible()


def test_that_a_lesson_closed_or_left_with_its_data_set_gives_the_set_up_back_and_a_preset_does_not(
    hands: Hands,
) -> None:
    bench = hands.bench
    bench.setup.edit(seed=7, name="mine")
    hands.enter(2, Column.TARGET, "30")
    before = bench.setup.config
    open_lesson(hands)
    assert bench.setup.config.name != "mine"
    with hands.qtbot.waitSignal(bench.setup.dataset_changed):
        hands.qtbot.mouseClick(hands.find(QToolButton, "lesson_close"), LEFT)
    assert bench.setup.config == before
    assert hands.find(QWidget, "lesson_card").isHidden()
    open_lesson(hands)
    open_lesson(hands, "mode-collapse")  # another one may be opened on the way
    with hands.qtbot.waitSignal(bench.setup.dataset_changed):
        hands.choose("dataset", "digits")
    assert bench.setup.config == before
    assert hands.find(QWidget, "lesson_card").isHidden()
    open_lesson(hands)
    hands.preset("planar-gan").trigger()
    config = hands.bench.setup.config
    assert hands.find(QWidget, "lesson_card").isHidden()
    hands.bench.lessons.close()
    assert hands.bench.setup.config is config


def test_that_a_lesson_closed_under_a_run_gives_the_set_up_back_at_its_end(hands: Hands) -> None:
    bench, before = hands.bench, hands.bench.setup.config
    open_lesson(hands)
    lesson = bench.setup.config
    bench.runs._set_run(RunView(phase=RunPhase.RUNNING, step=1))
    hands.qtbot.mouseClick(hands.find(QToolButton, "lesson_close"), LEFT)
    assert bench.setup.config == lesson
    bench.runs._set_run(RunView(phase=RunPhase.FINISHED, step=1))
    assert bench.setup.config == before


def training(hands: Hands) -> None:
    """As if a run were under way."""
    hands.bench.runs._set_run(RunView(phase=RunPhase.RUNNING, step=1))


def stopped(hands: Hands) -> None:
    """The run that was asked to stop has stopped."""
    assert hands.bench.runs.run.phase is RunPhase.STOPPING
    hands.bench.runs._on_news(None, [Finished(outcome=Outcome.STOPPED, step=2)], 0)


@pytest.mark.usefixtures("own_window")
def test_that_a_run_without_a_name_is_called_by_the_target_that_it_trains_towards_now(hands: Hands) -> None:
    bench = hands.bench
    bench.runs.config, bench.runs.title = bench.setup.config, "Digits · WGAN-GP · no tilt"
    training(hands)

    def edit(share: str) -> None:
        hands.enter(2, Column.TARGET, share)
        applied = PerturbationApplied(step=2, revision=bench.target.perturbation.revision)
        bench.runs._on_news(None, [applied], 0)

    hands.enter(2, Column.TARGET, "20")
    assert banner(hands)[0] == "Training “Digits · WGAN-GP · no tilt”", "which it still trains towards"
    edit("30")
    assert banner(hands)[0] == "Training “Digits · WGAN-GP · 2 −1.37”"
    bench.runs.title = "mine"
    edit("40")
    assert banner(hands)[0] == "Training “mine”"


def test_that_an_edit_is_undone_only_beside_the_run_that_it_was_made_for(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else the run that trains might train towards the target of the other one, under a revision of that."""
    bench, sent = hands.bench, list[object]()
    other = make_run(bench.setup.runs_root, "other", make_config(offsets={"3": -2.0}))
    training(hands)
    before = bench.target.perturbation
    hands.enter(2, Column.TARGET, "30")
    look_at(hands, other)
    monkeypatch.setattr(bench.runs, "send", sent.append)
    hands.key(Key.Key_Z, Modifier.ControlModifier)
    assert not sent, "what is not shown"
    bench.time.show_live()
    hands.key(Key.Key_Z, Modifier.ControlModifier)
    assert sent == [SetPerturbation(perturbation=replace(before, revision=before.revision + 2))]
    assert bench.target.class_offsets() == before.offsets


@pytest.mark.usefixtures("own_window")
@pytest.mark.parametrize("answer", [PerturbationRejected, PerturbationApplied, None])
def test_that_an_edit_is_a_stopped_runs_own_only_if_the_run_has_taken_it_up(
    hands: Hands, answer: type[PerturbationApplied | PerturbationRejected] | None
) -> None:
    """It may refuse it, or have ended meanwhile: beside a target that it never had it is not looked at."""
    bench = hands.bench
    bench.runs.title, bench.runs.config = "mine", bench.setup.config
    training(hands)
    hands.enter(2, Column.TARGET, "30")
    revision = bench.target.perturbation.revision
    if answer is PerturbationApplied:
        bench.runs._on_news(None, [PerturbationApplied(step=2, revision=revision)], 0)
    elif answer is PerturbationRejected:
        bench.runs._on_news(None, [PerturbationRejected(revision=revision, error=UserError("No"))], 0)
    bench.runs.stop()
    stopped(hands)
    looked_at, other = ("Looking at “mine”", "stopped at step 2"), ("Set-up", "The figures are of “mine”, step 2")
    assert banner(hands) == (looked_at if answer is PerturbationApplied else other)
    hands.key(Key.Key_Z, Modifier.ControlModifier)
    assert banner(hands) == (other if answer is PerturbationApplied else looked_at)


@pytest.mark.usefixtures("own_window")
@pytest.mark.parametrize("taken_up", [False, True])
def test_that_a_stopped_run_is_held_only_if_it_was(hands: Hands, taken_up: bool) -> None:
    bench = hands.bench
    bench.runs.title, bench.runs.config = "mine", bench.setup.config
    training(hands)
    hands.qtbot.mouseClick(hands.find(QToolButton, "offsets_hold"), LEFT)
    if taken_up:
        bench.runs._on_news(None, [HoldApplied(step=2, on=True)], 0)
    bench.runs.stop()
    stopped(hands)
    assert banner(hands)[0] == ("Looking at “mine”" if taken_up else "Set-up")


@pytest.mark.usefixtures("own_window", "kept_judge")
def test_that_a_presets_name_goes_with_its_target_unless_a_person_typed_one(hands: Hands) -> None:
    bench, preset = hands.bench, "Digits, 30 % twos, WGAN-GP"
    hands.preset("digits-wgan_gp").trigger()
    name = hands.find(QLineEdit, "name")
    bench.runs.config, bench.runs.title = bench.setup.config, run_title(bench.setup.config)
    bench.runs.run_begins.emit(RunRequest(config=bench.setup.config, data=cast(Any, None)), Past())
    training(hands)
    assert (banner(hands)[0], name.text()) == (f"Training “{preset}”", preset)
    hands.enter(2, Column.TARGET, "40")
    applied = PerturbationApplied(step=2, revision=bench.target.perturbation.revision)
    bench.runs._on_news(None, [applied], 0)
    assert (banner(hands)[0], name.text()) == ("Training “Digits · WGAN-GP · 2 −1.81”", "")
    bench.runs.stop()
    stopped(hands)
    enter(hands.qtbot, name, "mine")
    hands.enter(2, Column.TARGET, "50")
    assert (run_title(bench.setup.config), name.text()) == ("mine", "mine")


def test_that_the_banner_says_that_a_run_is_paused(hands: Hands) -> None:
    hands.bench.runs.title, hands.bench.runs.config = "twos", hands.bench.setup.config
    training(hands)
    assert banner(hands) == ("Training “twos”", "step 1")
    hands.bench.runs._on_news(None, [Paused(step=1)], 0)
    assert banner(hands) == ("Training “twos”", "paused at step 1")
    hands.bench.runs._on_news(None, [Resumed(step=1)], 0)
    assert banner(hands) == ("Training “twos”", "step 1")


def test_that_a_lesson_is_opened_under_a_run_once_that_is_stopped(hands: Hands) -> None:
    bench, before = hands.bench, hands.bench.setup.config
    training(hands)
    action = hands.find(QAction, "lesson_vanishing-gradients")
    with hands.answering("Keep training"):
        action.trigger()
    assert bench.runs.run.phase is RunPhase.RUNNING
    with hands.answering("Stop, save and open it"):
        action.trigger()
    assert bench.setup.config == before
    with hands.qtbot.waitSignal(bench.setup.dataset_changed):
        stopped(hands)
    assert bench.setup.config.dataset.kind == "planar_lines"
    assert hands.find(QWidget, "lesson_card").isVisible()


def runs_panel(hands: Hands) -> RunsPanel:
    return panel_of(hands.window, "runs")


@pytest.mark.usefixtures("all_panels")
def test_that_a_set_up_like_another_run_comes_once_the_one_under_way_is_stopped(hands: Hands, old_run: Path) -> None:
    bench, before = hands.bench, hands.bench.setup.config
    bench.runs.title = "twos"
    training(hands)
    look_at(hands, old_run)
    for ask in (lambda: press(hands, "like"), lambda: runs_panel(hands).duplicate(old_run.name)):
        with hands.answering("Keep training") as said:
            ask()
        assert said[0].startswith("Stop, save and set up another? “twos” trains, at step 1.")
        assert bench.runs.run.phase is RunPhase.RUNNING
    with hands.answering("Stop, save and set up another"):
        press(hands, "like")
    assert bench.setup.config == before
    stopped(hands)
    assert bench.setup.config.name == "an old run"


@pytest.mark.usefixtures("all_panels")
def test_that_another_run_is_resumed_once_the_one_under_way_is_stopped(
    hands: Hands, old_run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, resumed = hands.bench, list[Path]()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(old_run))
    asks = (
        lambda: press(hands, "resume"),
        hands.window.actions_of_run["resume"].trigger,
        hands.find(QAction, "resume_run").trigger,
        lambda: runs_panel(hands).resume(old_run.name),
    )
    training(hands)
    look_at(hands, old_run)
    for ask in asks:
        with hands.answering("OK") as said:
            ask()
        assert said[0].startswith("The run has no checkpoint"), "nothing is stopped in vain"
    monkeypatch.setattr(bench.starter, "ensure_resumable", lambda run: None)
    monkeypatch.setattr(bench.starter, "resume", resumed.append)
    for ask in asks:
        with hands.answering("Keep training"):
            ask()
        assert bench.runs.run.phase is RunPhase.RUNNING
    with hands.answering("Stop, save and resume the other"):
        press(hands, "resume")
    assert not resumed
    stopped(hands)
    assert resumed == [old_run]


def test_that_the_run_under_way_is_not_resumed_while_it_is(hands: Hands, old_run: Path) -> None:
    hands.bench.runs._set_run(RunView(phase=RunPhase.RUNNING, step=1, folder=old_run))
    with hands.answering("OK") as said:
        hands.window.run_files.resume(old_run)
    assert said[0].startswith("This run is under way")


def test_that_a_run_that_goes_on_forgets_what_it_was_to_be_stopped_for(hands: Hands) -> None:
    bench, before = hands.bench, hands.bench.setup.config
    training(hands)
    with hands.answering("Stop, save and open it"):
        hands.preset("planar-gan").trigger()
    training(hands)  # it could not be saved, say
    bench.runs._on_news(None, [], 0)
    bench.runs.stop()
    stopped(hands)
    assert bench.setup.config == before


@pytest.mark.usefixtures("own_window")
def test_that_each_step_of_a_lesson_has_a_button_that_does_it(hands: Hands) -> None:
    bench, started = hands.bench, hands.bench.lessons.start_asked
    open_lesson(hands)
    start, tries = hands.find(QToolButton, "lesson_start"), hands.find(QToolButton, "lesson_try")
    started.disconnect()
    with hands.qtbot.waitSignal(started):
        hands.qtbot.mouseClick(start, LEFT)
    training(hands)
    assert not start.isEnabled()
    assert tries.text() == "Set it and start again"
    hands.qtbot.mouseClick(tries, LEFT)
    with hands.qtbot.waitSignal(started):
        stopped(hands)
    assert bench.setup.config.model.model_dump()["loss"] == "non_saturating"
    open_lesson(hands, "tilt-too-strong")
    assert tries.text() == "Set ΔH of north to −2.5"
    hands.qtbot.mouseClick(tries, LEFT)
    assert bench.setup.config.perturbation.offsets["north"] == -2.5
    assert bench.setup.undo_stack.undoText() == "ΔH of north"
    open_lesson(hands, "falling-distance")
    assert tries.text() == "Open it"
    training(hands)
    assert tries.text() == "Stop, save and open it"
    hands.qtbot.mouseClick(tries, LEFT)
    stopped(hands)
    assert bench.lessons.lesson is LESSONS[0]
    open_lesson(hands, "energy-carry")
    assert tries.isHidden()


@pytest.mark.slow
def test_that_a_lesson_that_trains_is_started_again_with_what_its_step_sets(hands: Hands) -> None:
    bench = hands.bench
    open_lesson(hands)
    bench.setup.edit(threads=1)
    hands.qtbot.mouseClick(hands.find(QToolButton, "lesson_start"), LEFT)
    hands.wait(lambda: bench.runs.run.step >= 1)
    first = bench.runs.run.folder
    hands.qtbot.mouseClick(hands.find(QToolButton, "lesson_try"), LEFT)
    hands.wait(lambda: bench.runs.run.folder not in (first, None) and bench.runs.run.step >= 1)
    assert bench.runs.config.model.model_dump()["loss"] == "non_saturating"
    assert bench.lessons.lesson is LESSONS[0]
    hands.end()


@pytest.mark.slow
def test_that_a_run_is_trained_looked_at_edited_and_left(qtbot: QtBot, quick_hands: Hands) -> None:
    hands = quick_hands
    hands.train()
    subject = hands.bench.subjects.subject
    assert (subject.aspect, subject.title) == (Aspect.TRAINING, "Digits · VAE · no tilt")
    hands.end()
    step = hands.bench.runs.run.step
    assert banner(hands) == ("Looking at “Digits · VAE · no tilt”", f"stopped at step {step:,}")
    hands.enter(2, Column.TARGET, "30")
    assert banner(hands) == ("Set-up", f"The figures are of “Digits · VAE · no tilt”, step {step:,}")
    assert not hands.window.actions_of_run["resume"].isEnabled()
    hands.key(Key.Key_Z, Modifier.ControlModifier)
    assert hands.bench.subjects.subject.aspect is Aspect.LOOKING
    folder = hands.bench.runs.run.folder
    hands.bench.library.rename(folder.name, "mine")
    assert banner(hands)[0] == "Looking at “mine”"
    press(hands, "resume")
    hands.wait_for(RunPhase.RUNNING)
    assert banner(hands)[0] == "Training “mine”"
    hands.end()
    press(hands, "leave")
    assert banner(hands) == ("Set-up", "")
    assert hands.bench.time.config is None


@pytest.mark.usefixtures("all_panels")
def test_that_another_runs_pictures_are_dimmed_and_say_whose_they_are(hands: Hands) -> None:
    bench, samples = hands.bench, panel_of(hands.window, "samples")
    bench.runs.title = "twos"
    bench.runs.config = bench.setup.config
    bench.runs._set_run(RunView(phase=RunPhase.RUNNING, step=102))
    bench.runs.snapshot_arrived.emit(make_snapshot(102))
    bench.runs._set_run(RunView(phase=RunPhase.FINISHED, step=102))
    assert samples.veil.isHidden()
    hands.enter(2, Column.TARGET, "30")
    assert samples.veil.isVisible()
    assert samples.veil.words == "of “twos”, step 102"
    assert samples.veil.size() == samples.size()
    empty = panel_of(hands.window, "share_error")
    assert "evaluates at once" in empty.empty_text
    assert empty.veil.words == "", "what will appear is nobody's"
    press(hands, "leave")
    assert samples.veil.isHidden()
    assert "Press Start" in samples.empty_text


FROM_A_RUN = ("samples", "diagnostics", "examples", "planners", "batch", "shares", "losses", "gradients", "share_error")
OF_A_STEP = ("samples", "diagnostics", "examples", "shares")


@pytest.mark.usefixtures("all_panels")
def test_that_an_empty_panel_says_what_to_do_wherever_the_window_is(hands: Hands, old_run: Path) -> None:
    """Press Start only where there is such a button to press."""
    bench, runs = hands.bench, hands.bench.runs
    panels = {name: panel_of(hands.window, name) for name in (*FROM_A_RUN, "corrections")}

    def told(words: str, names: Iterable[str] = panels) -> bool:
        return all(words in panels[name].empty_text for name in names)

    panels["planners"].draw()
    assert told("\nPress Start to train; ")
    bench.setup.lack("Nothing is chosen.")
    assert told("\nNothing is chosen.\nThen press Start; ")
    bench.setup.lack("")
    runs.config, runs.title = bench.setup.config, "mine"
    runs._set_run(RunView(phase=RunPhase.RUNNING))
    assert told("\nTraining is under way; ", {*panels} - {"planners"})
    assert "evaluates at once" in panels["shares"].empty_text
    panels["planners"].draw()
    assert not panels["planners"].empty_text
    runs._set_run(RunView(phase=RunPhase.PAUSED, step=9))
    assert told("\nTraining is paused: press Resume; ", {*panels} - {"planners"})
    runs._set_run(RunView(phase=RunPhase.FINISHED, step=9, folder=old_run))
    panels["planners"].draw()
    assert told("\nThis run has none so far. Press Resume to train on; ")
    bench.time.seek(3)
    assert told("\nNothing is kept at or before step 3; go to a later one.", OF_A_STEP)
    assert told("Press Resume to train on; ", {*panels} - {*OF_A_STEP})
    runs._set_run(RunView(phase=RunPhase.FINISHED, step=9))
    bench.time.follow()
    assert told("\nThis run has no folder to be resumed from.\nPress Start to train another.")


def test_that_what_comes_of_a_run_that_trains_elsewhere_is_awaited_from_there() -> None:
    away = Subject(aspect=Aspect.LOOKING, elsewhere=True, waiting="It is under way elsewhere.")
    assert away.what_next("they come.") == "This run trains elsewhere; they come."


@pytest.mark.usefixtures("all_panels")
def test_that_points_are_told_where_to_look_for_what_is_of_images(hands: Hands) -> None:
    with hands.qtbot.waitSignal(hands.bench.setup.dataset_changed):
        hands.bench.setup.set_dataset(RingConfig(count=400))
    for name in ("samples", "examples", "corrections"):
        assert "Points have none: the panel “Plane” shows them" in panel_of(hands.window, name).empty_text
    assert "Press Start" in panel_of(hands.window, "losses").empty_text


@pytest.mark.usefixtures("all_panels")
def test_that_a_lesson_opened_beside_a_run_is_not_dimmed_as_that_runs(hands: Hands) -> None:
    bench, plane = hands.bench, panel_of(hands.window, "plane")
    bench.runs.title, bench.runs.config = "twos", bench.setup.config
    bench.runs._set_run(RunView(phase=RunPhase.FINISHED, step=102))
    open_lesson(hands)
    assert banner(hands) == ("Set-up", "The figures are of “twos”, step 102")
    assert not plane.empty_text
    assert plane.veil.words == "", "its points and target are the lesson's"


@pytest.mark.usefixtures("all_panels")
def test_that_beside_an_edited_set_up_no_number_of_the_run_stands_unmarked(hands: Hands) -> None:
    bench, docks = hands.bench, hands.window.docks
    batch, weights, planners = (docks[name].widget() for name in ("batch", "weights", "planners"))
    assert isinstance(batch, CurvesPanel)
    assert isinstance(weights, WeightsPanel)
    assert isinstance(planners, PlannersPanel)
    bench.runs.title, bench.runs.config = "twos", bench.setup.config
    bench.runs._set_run(RunView(phase=RunPhase.RUNNING, step=102))
    bench.runs.snapshot_arrived.emit(make_snapshot(102))
    bench.runs.history = make_history()
    bench.runs.history_changed.emit()
    bench.runs.planners_compared.emit(report())
    bench.runs._set_run(RunView(phase=RunPhase.FINISHED, step=102))
    for panel in (batch, weights, planners):
        panel.draw()
    ran = "ESS" in batch.figures, bool(weights._shares["recent"].any()), planners.veil.words
    assert ran == (True, True, "")
    ask_share(bench.target, 2, 0.3)
    for panel in (batch, weights, planners):
        panel.draw()
    ran = "ESS" in batch.figures, bool(weights._shares["recent"].any()), planners.veil.words
    assert ran == (False, False, "of “twos”, step 2,990")
    assert weights.figures, "the data set's weights are those of the set-up"


@pytest.mark.usefixtures("own_window")
def test_that_a_plot_that_is_copied_says_whose_it_is(hands: Hands) -> None:
    """Run, step and target by which the step was taken, or the set-up; as text below it, and in a file of it."""
    bench, runs = hands.bench, hands.bench.runs
    losses, weights = panel_of(hands.window, "losses").plots["values"], panel_of(hands.window, "weights").plot

    def copied(plot: Plot) -> str:
        plot.copy_picture()
        image = QApplication.clipboard().image()
        high = plot.height() + plot.legend.height()
        assert image.width() == max(plot.width(), plot.legend.width())
        assert high + 10 < image.height() < high + 100
        legend = plot.legend.grab().toImage().convertToFormat(image.format())
        assert not legend.height() or image.copy(0, plot.height(), legend.width(), legend.height()) == legend
        return image.text("Description")

    assert copied(weights) == "Set-up · target without a tilt"
    old = make_run(bench.setup.runs_root, "old", make_config("an old run", offsets={"2": -1.3667}), steps=1000)
    look_at(hands, old)
    hands.wait(lambda: not bench.data.missing)
    assert copied(losses) == copied(weights) == "an old run · step 1,000 · target 2 → 30 %"
    bench.subjects.leave()
    runs.config, runs.title = bench.setup.config, "mine"
    runs.run_begins.emit(RunRequest(config=bench.setup.config, data=cast(Any, None)), Past())
    runs._set_run(RunView(phase=RunPhase.RUNNING, step=7))
    hands.enter(2, Column.TARGET, "30")
    assert copied(losses) == "mine · step 7 · target without a tilt", "by which the step was taken"
    runs._on_news(None, [PerturbationApplied(step=7, revision=bench.target.perturbation.revision)], 0)
    runs._set_run(RunView(phase=RunPhase.STOPPING, step=9))
    stopped(hands)
    runs._set_run(RunView(phase=RunPhase.FINISHED, step=9))
    hands.enter(2, Column.TARGET, "40")
    assert copied(losses) == "mine · step 9 · target 2 → 30 %"
    assert copied(weights) == "Set-up · target 2 → 40 %"


@pytest.mark.usefixtures("dressed")
def test_that_the_banner_is_whole_in_a_small_window_and_start_keeps_its_place(hands: Hands) -> None:
    window, bench, title = hands.window, hands.bench, "MNIST · WGAN-GP · 2 → 30 %"
    window.showNormal()
    window.resize(1280, 800)
    places: set[tuple[int, int]] = set()

    def seen() -> tuple[str, str]:
        QApplication.processEvents()
        buttons = window.toolbar.buttons
        (held,) = [button for button in (buttons["start"], buttons["pause"]) if button.isVisible()]
        places.add((held.x(), held.width()))
        return window.banner.words.text(), window.banner.state.text()

    assert seen() == ("Set-up", "")
    bench.subjects.offer(Offer(title=title, folder=Path(), step=9140))
    assert seen() == ("Set-up", f"Resume {title} (step 9,140)?")
    bench.runs.title, bench.runs.config = title, bench.setup.config
    for step in (3, 99, 9140, 1_234_567):
        bench.runs._set_run(RunView(phase=RunPhase.RUNNING, step=step))
        assert seen() == (f"Training “{title}”", f"step {step:,}")
    bench.time._at = 8_000
    bench.runs._set_run(RunView(phase=RunPhase.RUNNING, step=9_141))
    assert seen()[1] == "step 9,141; shown is step 8,000"
    window.resize(960, 540)
    bench.time._at = None
    bench.runs._set_run(RunView(phase=RunPhase.PAUSED, step=9_141))
    QApplication.processEvents()
    assert window.banner.state.text() == "paused at step 9,141"
    bench.runs._set_run(RunView(phase=RunPhase.FINISHED, step=9_141))
    QApplication.processEvents()
    assert window.width() == 960
    window.resize(1280, 800)
    look_at(hands, make_run(bench.setup.runs_root, "old", make_config(title), steps=9140))
    assert seen() == (f"Looking at “{title}”", "stopped at step 9,140")
    assert len(places) == 1


def test_that_the_toolbar_is_about_the_subject(hands: Hands, old_run: Path) -> None:
    bench, evaluate = hands.bench, hands.window.actions_of_run["evaluate"]
    step, rate = hands.find(QLabel, "run_step"), hands.find(QLabel, "run_steps_rate")
    bench.runs.title, bench.runs.config = "twos", bench.setup.config
    bench.runs._set_run(RunView(phase=RunPhase.RUNNING, step=102, steps_per_second=40.0))
    assert (step.text(), rate.text(), evaluate.isEnabled()) == ("102", "40.0", True)
    look_at(hands, old_run)
    assert (step.text(), rate.text(), evaluate.isEnabled()) == ("1,000", "–", True)
    assert "by the weights of step 1,000;" in evaluate.toolTip(), "of the run that trains it is not"
    able = {name: hands.window.actions_of_run[name].isEnabled() for name in ("pause", "stop", "step", "sample", "save")}
    assert able == {"pause": True, "stop": True, "step": False, "sample": False, "save": False}
    assert "It is “twos” that trains." in hands.window.actions_of_run["stop"].toolTip()
    bench.runs.call("threes")
    assert "It is “threes” that trains." in hands.window.actions_of_run["stop"].toolTip()
    bench.runs.call("twos")
    assert hands.window.toolbar.path.accessibleDescription().startswith("Trains: ")
    assert bench.time.picture_name == "an-old-run"
    press(hands, "leave")  # to the run that trains
    assert "“twos”" not in hands.window.actions_of_run["stop"].toolTip()
    assert banner(hands) == ("Training “twos”", "step 102")
    assert (step.text(), rate.text(), evaluate.isEnabled()) == ("102", "40.0", True)
