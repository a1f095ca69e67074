import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from studio.gui.state.run_view import RunPhase
from studio.gui.window.controls import Controls
from studio.training.engine.trainer import Trainer

ROOT = Path(__file__).parents[2]
PATIENCE_S = 110


def run_apart(code: str, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """What a process says that runs this code without a screen."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen", **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


_CLOSED_WHILE_TORCH_LOADS = """
import sys, threading
from studio.cli.main import main
from studio.gui.state import setup as setup_state
from studio.gui.window.main_window import MainWindow

def load_for_ever(progress):
    progress.report("Loading")
    threading.Event().wait()

def show(window):
    shown(window)
    window.controls.tasks.changed.connect(lambda task: window.close())

setup_state.warm_up = load_for_ever
shown, MainWindow.show = MainWindow.show, show
main([])
"""


@pytest.mark.slow
def test_that_the_process_is_gone_with_its_window_even_while_torch_loads(tmp_path: Path) -> None:
    ended = run_apart(_CLOSED_WHILE_TORCH_LOADS, HOME=str(tmp_path), XDG_CONFIG_HOME=str(tmp_path))
    faults = [line for line in ended.stderr.splitlines() if "This plugin does not support" not in line]
    assert (ended.returncode, ended.stdout, faults) == (0, "", [])
    assert list(tmp_path.rglob("studio.conf")) or sys.platform != "linux"  # the layout is remembered


_TOLD_TO_END = """
import os, signal, sys
from studio.cli.main import main
from studio.gui.window.main_window import MainWindow

def show(window):
    shown(window)
    bench = window.controls
    bench.setup.engine_ready.connect(lambda _: window.start())
    bench.runs.run_changed.connect(lambda run: run.step >= 20 and os.kill(os.getpid(), getattr(signal, sys.argv[1])))

shown, MainWindow.show = MainWindow.show, show
sys.exit(main(["open", "digits-vae"]))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without a word")
@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT"])
def test_that_a_run_is_saved_when_the_system_ends_the_studio(name: str, private_home: Path) -> None:
    ended = run_apart(_TOLD_TO_END, name)
    assert ended.returncode == 0, ended.stderr
    (summary,) = (json.loads(path.read_text()) for path in private_home.rglob("summary.json"))
    assert summary["status"] == "stopped"
    assert summary["weights_step"] == summary["steps"] >= 20


_TOLD_TO_END_WHILE_IT_ASKS = """
import os, signal
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication, QMessageBox

def end_once_asked():
    if isinstance(QApplication.activeModalWidget(), QMessageBox):
        os.kill(os.getpid(), signal.SIGTERM)
    else:
        QTimer.singleShot(20, end_once_asked)

def ask(window):
    told.append(window)
    QTimer.singleShot(0, end_once_asked)
    QTimer.singleShot(0, lambda: print("stays:", not window.close()))
"""


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="Windows ends a process without a word")
def test_that_a_question_whether_to_quit_does_not_keep_the_system_from_ending_the_studio(private_home: Path) -> None:
    asks = _TOLD_TO_END.replace(
        "run.step >= 20 and os.kill(os.getpid(), getattr(signal, sys.argv[1]))",
        "run.step >= 20 and not told and ask(window)",
    )
    ended = run_apart(f"{_TOLD_TO_END_WHILE_IT_ASKS}\ntold = []\n{asks}")
    assert (ended.returncode, ended.stdout) == (0, "stays: True\n"), ended.stderr
    (summary,) = (json.loads(path.read_text()) for path in private_home.rglob("summary.json"))
    assert summary["status"] == "stopped"


def test_that_a_run_that_cannot_end_in_time_is_seen_out(
    qtbot: QtBot, controls: Controls, monkeypatch: pytest.MonkeyPatch
) -> None:
    reached, go_on = threading.Event(), threading.Event()
    step = Trainer.step

    def long(trainer: Trainer, network: str = "") -> Any:
        reached.set()
        go_on.wait(PATIENCE_S)
        return step(trainer, network)

    monkeypatch.setattr(Trainer, "step", long)
    controls.setup.edit(threads=1)
    controls.starter.start()
    qtbot.waitUntil(reached.is_set, timeout=1000 * PATIENCE_S)
    assert not controls.shutdown(0.01)
    go_on.set()
    controls.runs.shutdown(None)
    assert controls.runs.run.phase is RunPhase.FINISHED
    assert not controls.runs.run.unsaved
