"""An error that no code expected: a report that can be copied, a line in a file, and a run that was saved."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMessageBox, QPushButton
from pytestqt.qtbot import QtBot

from studio.gui.state.log import LogLine
from studio.gui.state.run_view import RunPhase
from studio.gui.window.controls import Controls
from studio.gui.window.crash import CrashReporter, keep_faults
from tests.gui.hands import PATIENCE_MS, click, find

pytestmark = pytest.mark.qt_no_exception_capture


@pytest.fixture
def broken(qtbot: QtBot, controls: Controls, tmp_path: Path) -> Iterator[QPushButton]:
    """A button whose click ends in an error, in a window with a reporter."""
    button = QPushButton("Divide")
    qtbot.addWidget(button)
    button.clicked.connect(lambda: 1 // 0)
    reporter = CrashReporter(controls.runs, tmp_path / "state", button)
    button.show()
    yield button
    reporter.stop()


def box_of(button: QPushButton) -> QMessageBox:
    return find(button, QMessageBox, "crash_box")


def test_that_an_unexpected_error_shows_a_report_to_copy(
    qtbot: QtBot, broken: QPushButton, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    qtbot.mouseClick(broken, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: broken.findChild(QMessageBox, "crash_box") is not None)
    box = box_of(broken)
    click(qtbot, box, "copy_report")
    report = QGuiApplication.clipboard().text()
    assert "ZeroDivisionError" in report
    assert "torch" in report
    assert str(Path.home()) not in report
    assert box.isVisible()
    assert report in (tmp_path / "state" / "errors.log").read_text()
    assert "ZeroDivisionError" in capsys.readouterr().err
    box.close()


@pytest.mark.usefixtures("capsys")
def test_that_a_second_error_opens_no_second_box(qtbot: QtBot, broken: QPushButton, tmp_path: Path) -> None:
    for _ in range(3):
        qtbot.mouseClick(broken, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: broken.findChild(QMessageBox, "crash_box") is not None)
    qtbot.wait(50)
    assert len(broken.findChildren(QMessageBox)) == 1
    assert (tmp_path / "state" / "errors.log").read_text().count("ZeroDivisionError: ") == 3
    box_of(broken).close()


@pytest.mark.usefixtures("capsys")
def test_that_an_error_on_another_thread_is_told_on_the_windows(qtbot: QtBot, broken: QPushButton) -> None:
    thread = threading.Thread(target=lambda: 1 // 0)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: broken.findChild(QMessageBox, "crash_box") is not None)
    box_of(broken).close()


@pytest.mark.usefixtures("capsys")
@pytest.mark.slow
def test_that_a_run_under_way_is_saved(qtbot: QtBot, controls: Controls, broken: QPushButton) -> None:
    lines: list[LogLine] = []
    controls.log.line_logged.connect(lines.append)
    controls.starter.start()
    qtbot.waitUntil(lambda: controls.runs.run.phase is RunPhase.RUNNING, timeout=PATIENCE_MS)
    qtbot.mouseClick(broken, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: any(line.text.startswith("Saved step") for line in lines), timeout=PATIENCE_MS)
    assert "saved" in box_of(broken).informativeText()
    assert controls.runs.run.phase is RunPhase.RUNNING
    box_of(broken).close()


_BEGINS = """
import ctypes, sys
from pathlib import Path
from studio.gui.window.crash import keep_faults
from tests.gui.hands import click, find
print(keep_faults(Path(sys.argv[1])))
if sys.argv[2:]:
    ctypes.string_at(0)
"""


def begin(folder: Path, *dies: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", _BEGINS, str(folder), *dies]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


@pytest.mark.slow
def test_that_a_process_that_dies_says_where_it_was_and_the_next_one_knows(tmp_path: Path) -> None:
    assert begin(tmp_path, "dies").returncode != 0
    told = begin(tmp_path).stdout.strip()
    assert told == str(tmp_path / "faults-last.log")
    assert "string_at" in Path(told).read_text()
    assert begin(tmp_path).stdout.strip() == "None"


def test_that_a_state_folder_that_cannot_be_made_is_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert keep_faults(tmp_path / "file" / "state") is None
