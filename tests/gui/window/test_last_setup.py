"""The next start takes up what was set up last and offers to go on; closing on a run that trains asks first."""

import json
from pathlib import Path
from shutil import rmtree

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QToolButton

from studio.gui.state.run_view import RunPhase, RunView
from studio.gui.state.subject import Offer
from studio.gui.window.last_setup import SetupKeeper, read_last_setup
from studio.library.notes import RunNotes, write_notes
from tests.gui.hands import Hands, ask_share
from tests.library.made_runs import make_config, make_run

LEFT = Qt.MouseButton.LeftButton


def test_that_the_set_up_and_its_run_are_kept(hands: Hands, tmp_path: Path) -> None:
    bench, path = hands.bench, tmp_path / "state" / "last.json"
    assert read_last_setup(path) is None
    keeper = SetupKeeper(path, bench, None)
    ask_share(bench.target, 2, 0.3)
    bench.runs.title = "2 → 30 %"
    run = make_run(bench.setup.runs_root, "a", steps=102)
    bench.subjects._on_run_begins()
    bench.runs._set_run(RunView(phase=RunPhase.FINISHED, step=102, saved_step=102, folder=run))
    keeper.write()
    last = read_last_setup(path)
    assert last.config == bench.setup.config
    assert (last.offer.words, last.offer.folder) == ("Resume 2 → 30 % (step 102)?", run)
    with hands.qtbot.waitSignal(bench.setup.dataset_changed):
        hands.find(QAction, "lesson_mode-collapse").trigger()
    keeper.write()
    again = read_last_setup(path)
    assert again.config == last.config, "a lesson is not the person's own set-up"
    summary = json.loads((run / "summary.json").read_text())
    (run / "summary.json").write_text(json.dumps(summary | {"weights_step": 5000}))
    write_notes(run, RunNotes(name="twos"))
    assert again.offer.words == "Resume twos (step 5,000)?", "it has gone on elsewhere"
    (run / "summary.json").write_text("{}")
    assert again.offer.words == "Resume twos (step 102)?", "which says what is wrong when it is resumed"
    (run / "summary.json").unlink()
    assert again.offer is None, "its run is gone"
    path.write_text('{"config": {"colour": "red"}}')
    assert read_last_setup(path) is None


def test_that_the_next_start_offers_no_run_beside_a_set_up_that_was_edited_after_it(
    hands: Hands, tmp_path: Path
) -> None:
    bench, path = hands.bench, tmp_path / "last.json"
    run = make_run(bench.setup.runs_root, "a")
    keeper = SetupKeeper(path, bench, None)
    bench.subjects._on_run_begins()
    keeper._of_run = {"run": str(run), "title": "mine", "step": 100}
    keeper.write()
    assert read_last_setup(path).offer is not None
    ask_share(bench.target, 2, 0.3)
    keeper.write()
    assert read_last_setup(path).offer is None
    bench.setup.undo_stack.undo()
    keeper.write()
    assert read_last_setup(path).offer is not None


def test_that_the_banner_offers_to_resume_until_the_set_up_is_another(hands: Hands, tmp_path: Path) -> None:
    bench = hands.bench
    run = make_run(bench.setup.runs_root, "a", make_config("mine"))
    path = tmp_path / "last.json"
    keeper = SetupKeeper(path, bench, None)
    bench.runs.title = "mine"
    bench.subjects._on_run_begins()
    keeper._of_run = {"run": str(run), "title": "mine", "step": 100}
    keeper.write()
    last = read_last_setup(path)
    bench.subjects.offer(last.offer)
    assert hands.window.banner.state.accessibleName() == "Resume mine (step 100)?"
    assert hands.find(QToolButton, "subject_resume").text() == "Resume"
    assert hands.window.actions_of_run["resume"].isEnabled()
    with hands.answering("OK") as said:  # it was made without training, and so has no checkpoint
        hands.qtbot.mouseClick(hands.find(QToolButton, "subject_resume"), LEFT)
    assert len(said) == 1
    hands.qtbot.mouseClick(hands.find(QToolButton, "subject_leave"), LEFT)
    assert hands.window.banner.state.accessibleName() == ""
    bench.subjects.offer(last.offer)
    ask_share(bench.target, 2, 0.3)
    assert hands.find(QToolButton, "subject_resume").isHidden()


def test_that_a_run_that_was_deleted_is_offered_until_it_is_found_to_be_gone(hands: Hands) -> None:
    run = make_run(hands.bench.setup.runs_root, "a", make_config("mine"))
    hands.bench.subjects.offer(Offer(title="mine", folder=run, step=100))
    rmtree(run)
    with hands.answering("OK") as said:
        hands.qtbot.mouseClick(hands.find(QToolButton, "subject_resume"), LEFT)
    assert len(said) == 1
    assert hands.window.banner.state.accessibleName() == ""
    assert hands.find(QToolButton, "subject_resume").isHidden()


@pytest.mark.parametrize("never", [False, True])
def test_that_closing_on_a_run_asks_until_it_is_not_to(hands: Hands, settings: QSettings, never: bool) -> None:
    window, bench = hands.window, hands.bench
    window.asks = True
    bench.runs._set_run(RunView(phase=RunPhase.RUNNING, step=102, saved_step=102))
    with hands.answering("Keep training") as said:
        assert not window.close()
    assert said[0].startswith("Stop, save and quit?")
    if never:
        QApplication.processEvents()
        with hands.answering("Stop, save and quit", check="quit_without_asking"):
            assert window.close()
        window.show()
    window.asks = never
    assert window.close()
    assert bool(settings.value("quit_without_asking")) is never
