"""Going on with runs in the window: after a stop, from a folder, and what is said when that cannot be done."""

import threading
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from studio.cli.main import main as studio
from studio.gui.live.samples.panel import SamplesPanel
from studio.gui.plots.curves import CurvesPanel
from studio.gui.state.old_runs import Past, read_past
from studio.gui.state.run_view import RunPhase
from studio.gui.target.offsets.columns import Column
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls
from studio.gui.window.main_window import MainWindow
from studio.models.vae.config import VaeConfig
from studio.progress import Progress
from studio.training.config.run_config import BatchConfig, CadenceConfig
from studio.training.messages.commands import SampleNow
from studio.training.messages.marks import MarkKind
from studio.training.storage.folder_lock import FolderLock
from studio.training.storage.metrics import read_metrics
from studio.training.storage.run import Run
from studio.training.storage.run_identity import RunIdentity
from tests.data.idx_files import write_idx_set
from tests.gui.hands import PATIENCE_MS, Hands
from tests.library.made_runs import record_evaluation


@pytest.fixture
def hands(hands: Hands) -> Hands:
    hands.bench.setup.edit(
        model=VaeConfig(width=4),
        batch=BatchConfig(average_size=16),
        cadence=CadenceConfig(log_every=1, sample_every=0.5, samples=4),
    )
    return hands


@pytest.mark.usefixtures("all_panels")
@pytest.mark.slow
def test_that_a_stopped_run_goes_on_in_its_folder_with_its_curves_and_its_target(hands: Hands) -> None:
    bench = hands.bench
    hands.train()
    hands.enter(2, Column.OFFSET, "-1.5")
    hands.wait(lambda: bench.target.tilt is not None and not bench.target.tilt.pending)
    hands.end()
    step, folder = bench.runs.run.step, bench.runs.run.folder
    hands.qtbot.keyClick(hands.window, Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    hands.wait(lambda: bench.runs.run.step > step + 2)
    assert bench.runs.run.folder == folder
    assert bench.target.class_offsets()[2] == -1.5
    assert bench.runs.history.steps[0] == 1, "the curves go on"
    assert any(mark.text == "Went on from here" for mark in bench.runs.history.marks)
    hands.enter(3, Column.OFFSET, "1")
    hands.wait(lambda: bench.target.tilt is not None and not bench.target.tilt.pending)
    hands.end()
    assert folder is not None
    edits = Run.open(folder).summary["edits"]
    assert [edit["revision"] for edit in edits] == [1, 2]
    assert edits[-1]["offsets"]["3"] == 1


def test_that_go_on_means_the_run_that_is_looked_at_and_gives_the_set_up_back(hands: Hands, tmp_path: Path) -> None:
    bench, run = hands.bench, tmp_path / "runs" / "old"
    quick = ("name=an old run", "model.width=4", "batch.average_size=8", "evaluation.budget=0")
    given = [word for setting in quick for word in ("--set", setting)]
    assert studio(["train", "digits-vae", "--steps", "2", "--run-dir", str(run), *given]) == 0
    before = bench.setup.config
    assert not hands.window.actions_of_run["resume"].isEnabled()
    with hands.qtbot.waitSignal(bench.time.frame_shown):
        bench.time.open(run)
    hands.qtbot.keyClick(hands.window, Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    hands.wait(lambda: bench.runs.run.phase is RunPhase.RUNNING and bench.runs.run.step > 2)
    assert bench.runs.run.folder == run
    assert bench.subjects.subject.name == "Training “an old run”"
    assert bench.setup.config.name == "an old run"
    hands.end()
    hands.key(Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert bench.setup.config == before


def test_that_a_folder_without_a_run_is_refused_with_a_message(hands: Hands, tmp_path: Path) -> None:
    before = hands.bench.setup.config
    with hands.answering("OK") as said:
        hands.window.run_files.resume(tmp_path)
    assert len(said) == 1
    assert "config.json" in said[0]
    assert hands.bench.setup.config == before


def test_that_a_run_under_way_elsewhere_is_neither_gone_on_with_nor_thrown_away(hands: Hands) -> None:
    folder = hands.trained()
    owner = FolderLock(folder)
    with hands.answering("OK") as said:
        hands.window.run_files.resume(folder)
    assert said[0].startswith("The run is under way elsewhere")
    with hands.qtbot.waitSignal(hands.bench.library.failed) as failed:
        hands.bench.library.trash([folder.name])
    assert "under way elsewhere" in str(failed.args[0])
    owner.release()
    hands.window.run_files.resume(folder)
    hands.wait_for(RunPhase.RUNNING)
    hands.end()


@pytest.mark.slow
def test_that_the_data_of_a_run_are_looked_for_where_they_were(hands: Hands, tmp_path: Path) -> None:
    root, run = tmp_path / "elsewhere", tmp_path / "run"
    write_idx_set(root)
    quick = ("dataset.kind=mnist", "model.width=4", "batch.average_size=8", "evaluation.budget=0")
    given = [word for setting in quick for word in ("--set", setting)]
    assert studio(["train", "digits-vae", "--steps", "2", "--run-dir", str(run), "--data-root", str(root), *given]) == 0
    before = hands.bench.setup.data_root
    hands.window.run_files.resume(run)
    hands.wait(lambda: hands.bench.runs.run.phase is RunPhase.RUNNING and hands.bench.runs.run.step > 2)
    hands.end()
    assert Run.open(run).identity.data_root == root
    assert hands.bench.setup.data_root == before


@pytest.mark.slow
@pytest.mark.usefixtures("all_panels")
def test_that_a_run_resumed_in_a_new_window_has_its_past_in_all_panels(
    hands: Hands, qtbot: QtBot, theme: ThemeManager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hands.train(20)
    hands.bench.runs.send(SampleNow())
    hands.pause()
    hands.press("pause")
    hands.wait(lambda: any(mark.kind is MarkKind.RESUMED for mark in hands.bench.runs.history.marks))
    hands.end()
    folder = hands.bench.runs.run.folder
    assert folder is not None
    step, marks = hands.bench.runs.run.step, len(hands.bench.runs.history.marks)
    record_evaluation(folder, step - 1, 0.25, 30.0)
    settings = QSettings(str(tmp_path / "other.ini"), QSettings.Format.IniFormat)
    bench = Controls(hands.bench.setup.config, data_root=tmp_path / "datasets", runs_root=tmp_path / "runs")
    other = Hands(qtbot, MainWindow(bench, theme, settings))
    with qtbot.waitActive(other.window), qtbot.waitSignal(bench.setup.dataset_changed):
        other.window.show()
        other.window.activateWindow()
        bench.setup.set_dataset(bench.setup.config.dataset)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    other.find(QAction, "resume_run").trigger()
    other.wait(lambda: bench.runs.run.phase is RunPhase.RUNNING and bench.runs.run.step > step + 2)
    assert bench.runs.history.steps[:step].tolist() == list(range(1, step + 1))
    assert [mark.text for mark in bench.runs.history.marks][marks:] == ["Went on from here"]
    other.window.views.make_panels()
    losses = other.find(CurvesPanel, "losses")
    assert losses._view.history is bench.runs.history
    shares = bench.evaluations.view
    assert shares.history.history.steps.tolist() == [step - 1]
    assert shares.latest.evaluation.tv == 0.25
    samples = other.find(SamplesPanel, "samples")
    with qtbot.waitSignal(bench.time.frame_shown):
        bench.time.seek(0)
    assert samples._step.text().startswith("step 0")
    view = bench.time.view
    assert (view.step, view.live) == (0, True)
    bench.time.to_mark(1)
    assert 0 < bench.time.view.step <= step
    bench.time.follow()
    other.end()
    assert read_metrics(folder).steps.tolist() == list(range(1, bench.runs.run.step + 1))
    other.window.close()
    assert bench.shutdown()
    other.window.deleteLater()


@pytest.mark.slow
def test_that_a_run_stopped_before_its_next_step_can_be_gone_on_with_as_before(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench = hands.bench
    folder = hands.trained()
    step = bench.runs.run.step

    def endless(*given: object) -> None:
        progress = given[-1]
        assert isinstance(progress, Progress)
        while True:
            progress.check()
            threading.Event().wait(0.001)

    with monkeypatch.context() as patch:
        patch.setattr("studio.training.run.session._measure", endless)
        hands.qtbot.keyClick(hands.window, Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
        hands.wait_for(RunPhase.PREPARING)
        hands.end()
    assert (bench.runs.run.phase, bench.runs.run.step, bench.runs.run.folder) == (RunPhase.FINISHED, step, folder)
    hands.qtbot.keyClick(hands.window, Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    hands.wait(lambda: bench.runs.run.step > step + 2)
    assert bench.runs.run.folder == folder
    hands.end()


def test_that_going_on_can_be_cancelled_while_the_past_is_read(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = hands.bench
    hands.train()
    hands.end()
    step, ended = bench.runs.run.step, threading.Event()

    def endless(_folder: Path, _step: int, progress: Progress) -> Past:
        try:
            while True:
                progress.report("Reading the run", 0.5)
                threading.Event().wait(0.001)
        finally:
            ended.set()

    monkeypatch.setattr("studio.gui.run.run_starter.read_past", endless)
    for cancel in (bench.looking.cancel, lambda: hands.press("stop")):
        ended.clear()
        hands.qtbot.keyClick(hands.window, Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
        hands.wait(lambda: bench.looking.view is not None and bench.looking.view.cancellable)
        assert "about to be resumed" in bench.starter.blocked
        assert not hands.window.actions_of_run["resume"].isEnabled()
        cancel()
        hands.wait(lambda: not bench.starter.blocked and bench.looking.view is None)
        assert ended.is_set()
        assert (bench.runs.run.phase, bench.runs.run.step) == (RunPhase.FINISHED, step)
        assert hands.window.actions_of_run["resume"].isEnabled()
        assert not hands.window.actions_of_run["stop"].isEnabled()


def read_slowly(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """The past of a run is not read before this is set."""
    may_end = threading.Event()

    def slow(path: Path, step: int, progress: Progress) -> Past:
        assert may_end.wait(PATIENCE_MS / 1000)
        progress.check()
        return read_past(path, step, progress)

    monkeypatch.setattr("studio.gui.run.run_starter.read_past", slow)
    return may_end


def test_that_stop_calls_off_the_reading_of_the_past_and_no_other(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Curves that were to lie over others stayed away, and a question to the model unanswered."""
    bench, may_end = hands.bench, read_slowly(monkeypatch)
    hands.trained()

    def other(progress: Progress) -> str:
        may_end.wait(PATIENCE_MS / 1000)
        progress.check()
        return "found"

    answers = list[str]()
    hands.qtbot.keyClick(hands.window, Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    hands.wait(lambda: "about to be resumed" in bench.starter.blocked)
    bench.looking.run(
        other,
        done=answers.append,
        failed=lambda error: answers.append(str(error)),
        cancelled=lambda: answers.append(""),
    )
    hands.press("stop")
    may_end.set()
    hands.wait(lambda: bool(answers))
    assert answers == ["found"]
    assert not bench.runs.busy


def test_that_a_run_is_not_gone_on_with_beside_other_data_than_its_own(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They may be chosen while its past is read; the set-up that it came with stays until then."""
    bench, may_end = hands.bench, read_slowly(monkeypatch)
    hands.trained()
    begun = list[object]()
    bench.runs.run_begins.connect(lambda *told: begun.append(told))
    hands.qtbot.keyClick(hands.window, Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    hands.wait(lambda: "about to be resumed" in bench.starter.blocked)
    assert not bench.setup.undo_stack.canUndo(), "it would be another set-up that is shown beside the run"
    with hands.qtbot.waitSignal(bench.setup.dataset_changed):
        hands.choose("dataset", "planar_ring")
        may_end.set()
        hands.wait(lambda: not bench.looking._tasks)
    assert not begun
    assert not bench.starter.busy


def test_that_an_edit_while_the_past_is_read_is_an_edit_of_the_run(
    hands: Hands, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench, folder, may_end = hands.bench, hands.trained(), read_slowly(monkeypatch)
    hands.qtbot.keyClick(hands.window, Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    hands.wait(lambda: "about to be resumed" in bench.starter.blocked)
    hands.enter(2, Column.OFFSET, "-1.5")
    may_end.set()
    hands.wait_for(RunPhase.RUNNING)
    hands.wait(lambda: bool(bench.runs.history.marks))
    hands.end()
    assert RunIdentity.read(folder).target.offsets["2"] == -1.5
