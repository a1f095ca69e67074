"""The whole studio for a program that uses it: a home of its own, and notes of everything that goes wrong.

Nothing here imports Qt or the studio before `private_home` has set what both read once.
"""

from __future__ import annotations

import gc
import os
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

if TYPE_CHECKING:
    from PySide6.QtCore import QMessageLogContext, QtMsgType

    from studio.gui.window.main_window import MainWindow
    from studio.training.config.run_config import RunConfig
    from studio.training.engine.trainer import Trainer

_HARMLESS = ("This plugin does not support ",)
"""What the screenless platform says of every window with a size limit."""
_FOLDERS = {
    "HOME": "",
    "XDG_CACHE_HOME": ".cache",
    "XDG_CONFIG_HOME": ".config",
    "XDG_DATA_HOME": ".local/share",
    "XDG_STATE_HOME": ".local/state",
    "XDG_DOCUMENTS_DIR": "Documents",
    "XDG_RUNTIME_DIR": ".run",
}


@contextmanager
def private_home() -> Iterator[Path]:
    """A temporary home, which is also where relative paths lead."""
    with tempfile.TemporaryDirectory(prefix="studio-steady-") as folder:
        home = Path(folder)
        for variable, name in _FOLDERS.items():
            (home / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            os.environ[variable] = str(home / name)
        before = Path.cwd()
        os.chdir(home)
        try:
            yield home
        finally:
            os.chdir(before)


class Troubles:
    """Collects Qt's warnings and exceptions that no code has caught, of all threads, while it is entered.

    Args:
        aloud: print each as it comes, too.

    Attributes:
        after: says what has been done last.
    """

    def __init__(self, *, aloud: bool = False) -> None:
        self.after: Callable[[], str] = lambda: ""
        self.warnings: list[str] = []
        self.exceptions: list[str] = []
        self._aloud = aloud

    def __enter__(self) -> Troubles:
        from PySide6.QtCore import qInstallMessageHandler

        self._before = sys.excepthook, threading.excepthook
        sys.excepthook = self._take
        threading.excepthook = lambda found: self._take(found.exc_type, found.exc_value, found.exc_traceback)
        self._handler = qInstallMessageHandler(self._hear)
        return self

    def __exit__(self, *_: object) -> None:
        from PySide6.QtCore import qInstallMessageHandler

        sys.excepthook, threading.excepthook = self._before
        qInstallMessageHandler(self._handler)

    def _take(self, kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        self._note(self.exceptions, "".join(traceback.format_exception(kind, error, trace)))

    def _hear(self, kind: QtMsgType, context: QMessageLogContext, text: str) -> None:
        from PySide6.QtCore import QtMsgType

        if kind is QtMsgType.QtFatalMsg:
            print(text, file=sys.stderr, flush=True)  # the last that is heard of this process
        if kind not in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg) and not text.startswith(_HARMLESS):
            self._note(self.warnings, text)

    def _note(self, found: list[str], text: str) -> None:
        found.append(text + self.after())
        if self._aloud:
            print(text, flush=True)


@contextmanager
def trainers_of_runs() -> Iterator[list[Trainer]]:
    """Gathers the trainer of every run, before the window hears that it runs, for who wants to see what it has."""
    import studio.training.run.session as session

    trainers: list[Trainer] = []
    build = session._build

    def remember(*args: Any) -> Trainer:
        trainers.append(build(*args))
        return trainers[-1]

    with patch.object(session, "_build", remember):
        yield trainers


@contextmanager
def open_studio(config: RunConfig, home: Path, data_root: Path | None = None) -> Iterator[MainWindow]:
    """The window as the application shows it, with its garbage collector; the data set and torch come in."""
    from PySide6.QtCore import QSettings
    from PySide6.QtWidgets import QApplication

    from studio.gui.widgets.garbage import GarbageCollector
    from studio.gui.widgets.theme import ThemeManager, ThemeMode
    from studio.gui.window.controls import Controls
    from studio.gui.window.main_window import MainWindow
    from tests.gui.look import put_on

    app = QApplication.instance() or QApplication([])
    assert isinstance(app, QApplication)
    theme = ThemeManager(ThemeMode.LIGHT)
    with put_on(theme, app):
        automatic, garbage = gc.isenabled(), GarbageCollector(app)
        bench = Controls(config, data_root=data_root or home / "datasets", runs_root=home / "runs")
        bench.setup.engine_ready.connect(garbage.settle)
        window = MainWindow(bench, theme, QSettings(str(home / "studio.ini"), QSettings.Format.IniFormat))
        window.views.workbench_action.setChecked(True)  # with every panel at hand
        window.showNormal()  # it would fill this platform's small screen
        window.resize(1280, 800)
        window.activateWindow()
        window.views.make_panels()
        bench.begin()
        try:
            yield window
        finally:
            bench.shutdown()
            bench.runs.shutdown(None)
            window.close()
            window.deleteLater()
            garbage.stop()
            gc.unfreeze()
            if not automatic:
                gc.disable()
