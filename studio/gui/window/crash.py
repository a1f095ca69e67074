"""What happens when something happens that nobody expected: the run is saved, and the person gets a report to send.

errors.log        in the state folder: every such error, with its traceback
faults.log        there, too: where each thread was when the process itself died (faulthandler)
faults-last.log   that of the time before
"""

from __future__ import annotations

import faulthandler
import sys
import threading
import traceback
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from types import TracebackType

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QMessageBox, QWidget

from studio.bug_report import bug_report
from studio.gui.run.run_control import RunControl
from studio.gui.state.run_view import RunPhase
from studio.training.messages.commands import Save

_LARGEST_LOG = 1_000_000
"""Bytes of errors.log after which it begins anew."""


def keep_faults(folder: Path) -> Path | None:
    """Have the interpreter write where it was into faults.log if the process dies.

    Returns:
        what the time before has left, if it died; None also where the folder cannot be written.
    """
    current, last = folder / "faults.log", folder / "faults-last.log"
    died = False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        died = current.exists() and current.stat().st_size > 0
        if died:
            current.replace(last)
        faulthandler.enable(current.open("wb"))  # open for as long as the process lives
    except OSError:
        return None
    return last if died else None


class CrashReporter(QObject):
    """Takes what no code has caught, on any thread.

    Args:
        runs: saved at once.
        folder: of errors.log.
    """

    _found = Signal(str)  # from whichever thread it happened on

    def __init__(self, runs: RunControl, folder: Path, window: QWidget) -> None:
        super().__init__(window)
        self._runs, self._folder, self._window = runs, folder, window
        self._box: QMessageBox | None = None
        self._found.connect(self._tell, Qt.ConnectionType.QueuedConnection)
        self._before = sys.excepthook, threading.excepthook
        sys.excepthook = self._take
        threading.excepthook = self._take_from_thread

    def stop(self) -> None:
        """Leave such errors to Python again."""
        sys.excepthook, threading.excepthook = self._before

    def _take(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not isinstance(error, Exception):
            sys.__excepthook__(kind, error, trace)
            return
        traceback.print_exception(kind, error, trace)
        report = bug_report(error)
        with suppress(OSError):
            self._note(report)
        self._found.emit(report)

    def _take_from_thread(self, found: threading.ExceptHookArgs) -> None:
        if found.exc_value is not None:
            self._take(found.exc_type, found.exc_value, found.exc_traceback)

    def _note(self, report: str) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / "errors.log"
        mode = "w" if path.exists() and path.stat().st_size > _LARGEST_LOG else "a"
        with path.open(mode, encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{datetime.now():%Y-%m-%d %H:%M:%S}\n{report}\n")

    @Slot(str)
    def _tell(self, report: str) -> None:
        if self._box is not None:
            return  # the first is the cause of those that follow, and all are in the file
        saving = self._runs.run.phase in (RunPhase.RUNNING, RunPhase.PAUSED)
        if saving:
            self._runs.send(Save())
        text = "Something went wrong that should not have"
        box = QMessageBox(QMessageBox.Icon.Critical, text, text, QMessageBox.StandardButton.Close, self._window)
        box.setObjectName("crash_box")
        box.setTextFormat(Qt.TextFormat.PlainText)
        said = "The run was saved and goes on. " if saving else ""
        box.setInformativeText(
            f"This is a bug in the studio; your edits are still here. {said}"
            "Please copy the report and send it to the developers; it names no folder of yours."
        )
        box.setDetailedText(report)
        copy = box.addButton("&Copy the report", QMessageBox.ButtonRole.ActionRole)
        copy.setObjectName("copy_report")
        copy.clicked.disconnect()  # it copies, and the box stays
        copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(report))
        box.finished.connect(self._forget)
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._box = box
        box.open()

    @Slot()
    def _forget(self) -> None:
        self._box = None
