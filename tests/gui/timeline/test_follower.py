"""A run that another process trains is followed: what is said and shown of it is of now, unless a person looks back."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSpinBox, QToolButton

from studio.gui.state.history import TimeView
from studio.gui.state.run_view import RunPhase, RunView
from studio.gui.timeline import follower
from studio.gui.timeline.follower import Follower
from studio.training.messages.latents import read_latents
from studio.training.storage.frames import Frame
from tests.gui.hands import Hands, panel_of
from tests.library.made_runs import make_config, make_run

WRITER = """
import sys
from pathlib import Path
from studio.training.messages.events import Logged
from studio.training.storage.folder_lock import FolderLock
from studio.training.storage.frames import Frame, append_frames
from studio.training.storage.metrics import append_metrics
from tests.library.made_runs import CLASSES, make_grid, record_evaluation

folder = Path(sys.argv[1])
lock = FolderLock(folder)
print("ready", flush=True)
for line in sys.stdin:
    step = int(line)
    append_frames(folder, [Frame(grid=make_grid(step), seconds=step / 50, offsets=dict.fromkeys(CLASSES, 0.0))], 10**9)
    record_evaluation(folder, step, 0.2, 30.0)
    append_metrics(folder, [Logged(step=step, seconds=step / 50, values={"loss_autoencoder": 100 / step})])
"""
"""Trains a run, as far as its folder can tell: goes to each step that it is told."""

Go = Callable[[int], None]


@pytest.fixture
def run(hands: Hands) -> Path:
    return make_run(hands.bench.setup.runs_root, "queued", make_config("a queued run"), steps=1000)


@pytest.fixture
def trainer(run: Path) -> Iterator["subprocess.Popen[str]"]:
    """Of that run."""
    command = [sys.executable, "-c", WRITER, str(run)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process


@pytest.fixture
def go_to(trainer: "subprocess.Popen[str]") -> Go:
    """Have it go to a step."""
    assert trainer.stdin is not None
    stdin = trainer.stdin

    def go(step: int) -> None:
        stdin.write(f"{step}\n")
        stdin.flush()

    return go


@pytest.fixture
def quick(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> Iterator[Follower]:
    """What looks at it, without a rest."""
    monkeypatch.setattr(follower, "_REST", 0.0)
    found = hands.window.findChild(Follower)
    assert found is not None
    period = found.interval()
    found._rested = 0.0
    found.setInterval(20)
    yield found
    found.setInterval(period)


def said(hands: Hands) -> str:
    return hands.window.banner.state.accessibleName()


def look_at(hands: Hands, run: Path) -> None:
    with hands.qtbot.waitSignal(hands.bench.time.frame_shown):
        hands.bench.time.open(run)


@pytest.mark.usefixtures("quick", "trainer")
def test_that_this_windows_own_run_is_followed_once_another_process_goes_on_with_it(
    hands: Hands, run: Path, go_to: Go
) -> None:
    """It is not said to have stopped where it was left, nor to be shown already as it is."""
    bench = hands.bench
    bench.runs.config, bench.runs.title = bench.setup.config, "mine"
    bench.runs._set_run(RunView(phase=RunPhase.FINISHED, step=1000, folder=run))
    assert said(hands) == "stopped at step 1,000"
    go_to(1100)
    hands.qtbot.waitUntil(lambda: said(hands) == "under way elsewhere, step 1,100")
    assert hands.window.banner.words.accessibleName() == "Looking at “a queued run”"
    assert not hands.find(QToolButton, "subject_resume").isEnabled()


@pytest.mark.usefixtures("quick")
def test_that_a_run_that_is_trained_elsewhere_is_followed_to_its_end(
    hands: Hands, run: Path, trainer: "subprocess.Popen[str]", go_to: Go
) -> None:
    bench, losses, samples = hands.bench, panel_of(hands.window, "losses"), panel_of(hands.window, "samples")
    resume, like = (hands.find(QToolButton, f"subject_{name}") for name in ("resume", "like"))
    reroll = hands.find(QToolButton, "samples_reroll")
    look_at(hands, run)
    assert said(hands) == "under way elsewhere, step 1,000"
    assert hands.find(QLabel, "run_phase").text() == "elsewhere"
    assert f"process {trainer.pid}" in resume.toolTip()
    assert (resume.isEnabled(), hands.window.actions_of_run["resume"].isEnabled()) == (False, False)
    assert like.isEnabled()
    assert not reroll.isEnabled()
    assert "under way elsewhere" in reroll.toolTip()
    losses._hold(losses.plots["values"])
    held = losses.view_box.currentText()
    go_to(1100)  # which writes its samples first, and its point last
    hands.qtbot.waitUntil(lambda: bench.time.history.current("loss_autoencoder") == pytest.approx(1 / 11))
    hands.qtbot.waitUntil(lambda: not bench.looking._tasks and samples._step.text().startswith("step 1,100"))
    assert said(hands) == "under way elsewhere, step 1,100"
    assert hands.find(QSpinBox, "time_step").value() == hands.window.time_bar.slider.maximum() == 1100
    shown = bench.evaluations.shown
    assert shown.latest is not None
    assert (shown.latest.step, shown.history.history.steps.tolist()) == (1100, [1100])
    assert losses.view_box.currentText() == held, "a person looks at some steps"
    assert trainer.stdin is not None
    trainer.stdin.close()
    hands.qtbot.waitUntil(lambda: said(hands) == "stopped at step 1,100")
    assert resume.isEnabled()
    assert reroll.isEnabled()


def test_that_a_re_roll_is_not_undone_in_a_run_that_goes_on_elsewhere(
    hands: Hands, run: Path, request: pytest.FixtureRequest
) -> None:
    """Only who trains it writes into its folder; it can be undone once that has ended."""
    bench, undo, lines = hands.bench, hands.bench.setup.undo_stack, list[str]()
    look_at(hands, run)
    first = bench.latents.view.latents
    hands.qtbot.mouseClick(hands.find(QToolButton, "samples_reroll"), Qt.MouseButton.LeftButton)
    rolled = read_latents(run)
    assert rolled == bench.latents.view.latents != first
    trainer = request.getfixturevalue("trainer")
    bench.log.line_logged.connect(lambda line: lines.append(line.text))
    undo.undo()
    assert read_latents(run) == rolled
    assert bench.latents.view.latents == rolled
    assert any("under way elsewhere" in line for line in lines)
    trainer.stdin.close()
    trainer.wait()
    undo.redo()
    undo.undo()
    assert read_latents(run) == bench.latents.view.latents == first


@pytest.mark.usefixtures("quick")
def test_that_a_person_stays_at_the_step_that_they_look_at_and_with_what_they_type(
    hands: Hands, run: Path, go_to: Go
) -> None:
    bench, step, frames = hands.bench, hands.find(QSpinBox, "time_step"), list[Frame]()
    look_at(hands, run)
    step.setFocus()
    hands.qtbot.keyClick(step, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    hands.qtbot.keyClicks(step, "45")
    go_to(1100)
    hands.qtbot.waitUntil(lambda: bench.time.view.step == 1100)
    hands.qtbot.keyClicks(step, "0\r")
    assert said(hands) == "under way elsewhere, step 1,100; shown is step 450"
    hands.qtbot.waitUntil(lambda: not bench.looking._tasks)
    bench.time.frame_shown.connect(frames.append)
    with hands.qtbot.waitSignal(bench.time.moment_shown):
        go_to(1200)
        hands.qtbot.waitUntil(lambda: said(hands) == "under way elsewhere, step 1,200; shown is step 450")
    bench.time.frame_shown.disconnect(frames.append)
    assert (step.value(), bench.time.history.cursor, frames) == (450, 450, []), "other latents may have been drawn"
    hands.key(Qt.Key.Key_End, Qt.KeyboardModifier.AltModifier)
    assert step.value() == 1200


@pytest.mark.usefixtures("quick")
def test_that_a_run_that_lies_over_another_is_followed_too(hands: Hands, run: Path, go_to: Go) -> None:
    bench = hands.bench
    look_at(hands, make_run(bench.setup.runs_root, "old", steps=500))
    bench.overlays.tick(run, True)
    hands.qtbot.waitUntil(lambda: bool(bench.overlays.runs))
    go_to(1100)
    hands.qtbot.waitUntil(lambda: bench.time.history.others[0].history.steps[-1] == 1100)
    assert said(hands) == "stopped at step 500"
    bench.overlays.tick(run, False)


@pytest.mark.usefixtures("own_window")  # without a screen one that was hidden does not have the keyboard again
def test_that_nothing_is_read_while_the_window_cannot_be_seen_nor_while_nothing_has_changed(
    hands: Hands, run: Path, quick: Follower
) -> None:
    def looks() -> bool:
        quick._look()
        return quick._reading.busy

    time, told = hands.bench.time, list[TimeView]()
    assert not quick.isActive()
    look_at(hands, run)
    assert quick.isActive()
    quick.setInterval(10**6)
    hands.qtbot.waitUntil(lambda: not hands.bench.looking._tasks)
    time.changed.connect(told.append)
    assert looks()
    hands.qtbot.waitUntil(lambda: not quick._reading.busy)
    time.changed.disconnect(told.append)
    assert not told
    hands.window.hide()
    assert not looks()
    hands.window.show()
    assert looks()
    hands.qtbot.waitUntil(lambda: not quick._reading.busy)
    time.leave()
    hands.qtbot.waitUntil(lambda: not quick.isActive())
