"""Going on with runs in the window: after a stop, from a folder, and what is said when that cannot be done."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QFileDialog
from pytestqt.qtbot import QtBot

from studio.data.planar.config import RingConfig
from studio.gui.main_window import MainWindow
from studio.gui.panels.offsets_columns import Column
from studio.gui.view_state import RunPhase
from studio.models.vae.config import VaeConfig
from studio.training.config import BatchConfig, CadenceConfig
from studio.training.saved_run import SavedRun
from tests.gui.hands import Hands


@pytest.fixture
def hands(qtbot: QtBot, window: MainWindow) -> Hands:
    window.workbench.edit(
        model=VaeConfig(width=4),
        batch=BatchConfig(average_size=16),
        cadence=CadenceConfig(log_every=1, sample_every=0.5, samples=4),
    )
    return Hands(qtbot, window)


def test_that_a_stopped_run_goes_on_in_its_folder_with_its_curves_and_its_target(hands: Hands) -> None:
    bench = hands.bench
    hands.train()
    hands.enter(2, Column.OFFSET, "-1.5")
    hands.wait(lambda: bench.target.tilt is not None and not bench.target.tilt.pending)
    hands.end()
    step, folder = bench.run.step, bench.run.folder
    hands.qtbot.keyClick(hands.window, Qt.Key.Key_F5, Qt.KeyboardModifier.ShiftModifier)
    hands.wait(lambda: bench.run.step > step + 2)
    assert bench.run.folder == folder
    assert bench.target.class_offsets()[2] == -1.5
    assert bench.history.steps[0] == 1, "the curves go on"
    assert any(mark.text == "Went on from here" for mark in bench.history.marks)
    hands.enter(3, Column.OFFSET, "1")
    hands.wait(lambda: bench.target.tilt is not None and not bench.target.tilt.pending)
    hands.end()
    assert folder is not None
    edits = SavedRun.open(folder).summary["edits"]
    assert [edit["revision"] for edit in edits] == [1, 2]
    assert edits[-1]["offsets"]["3"] == 1


def test_that_a_run_is_resumed_from_its_folder_with_its_set_up(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    bench = hands.bench
    hands.train()
    hands.end()
    step, folder = bench.run.step, bench.run.folder
    bench.set_dataset(RingConfig())
    hands.wait(lambda: bench.dataset is not None and bench.dataset.plane is not None)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(folder))
    action = hands.find(QAction, "resume_run")
    action.trigger()
    hands.wait(lambda: bench.run.phase is RunPhase.RUNNING and bench.run.step > step)
    assert bench.config.dataset.kind == "digits"
    with hands.answering("OK") as said:
        action.trigger()
        hands.wait(lambda: bool(said))
    assert said[0].startswith("A run is under way")
    hands.end()


def test_that_a_folder_without_a_run_is_refused_with_a_message(hands: Hands, tmp_path: Path) -> None:
    before = hands.bench.config
    with hands.answering("OK") as said:
        assert not hands.window.run_files.resume(tmp_path)
    assert len(said) == 1
    assert "config.json" in said[0]
    assert hands.bench.config == before
