"""The application around the window: settings, theme, and the order in which things start."""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import NoReturn

from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QApplication, QWidget

from studio.gui.state.log import Level
from studio.gui.widgets.garbage import GarbageCollector
from studio.gui.window.controls import Controls
from studio.gui.window.crash import CrashReporter, keep_faults
from studio.gui.window.last_setup import SetupKeeper, read_last_setup
from studio.gui.window.main_window import MainWindow
from studio.gui.window.splash import make_application, settings_of_person, theme_of_person
from studio.library.find import Named, config_of
from studio.paths import state_dir
from studio.training.config.presets import is_configuration, preset_named

LAST_SETUP = "last-setup.json"
_AFTER_PAINT, _UNPAINTED = 20, 3_000
"""Milliseconds until what the window does not show is made or loaded: once it is painted, or if it never is."""

_AFTER_ANSWER = 50
"""Milliseconds between the end of a question and that of what asked it."""


def run_application(*, config: str | None = None, data_root: Path | None = None, splash: QWidget | None = None) -> int:
    """Open the window and run until it is closed.

    Args:
        config: a configuration file, or the name of a preset or of a run, to begin with.
        data_root: folder of downloaded data sets; the remembered one if absent.
        splash: what is on the screen until the window is.

    Raises:
        UserError: there is no such configuration, or it has a fault.
    """
    named = config_of(config) if config else Named()
    app = make_application()
    garbage = GarbageCollector(app)
    settings = settings_of_person()
    theme = theme_of_person(settings)
    theme.prepare(app)
    last = None if config else read_last_setup(state_dir() / LAST_SETUP)
    first = last.config if last is not None else named.config
    controls = Controls(first, data_root=data_root or _remembered_data_root(settings))
    root = controls.setup.data_root
    begin = partial(controls.begin, named.run.root_here(root) if named.run is not None else None)
    window = MainWindow(controls, theme, settings)
    if config and is_configuration(config) and preset_named(config) is None:
        window.files.begin_with(Path(config))
    died = keep_faults(state_dir())
    CrashReporter(controls.runs, state_dir(), window)
    if last is not None and last.offer is not None:
        controls.subjects.offer(last.offer)
    keeper = SetupKeeper(state_dir() / LAST_SETUP, controls, last)
    window.asks = True
    window.show()
    if splash is not None:
        QTimer.singleShot(0, splash, splash.close)
    if died is not None:
        text = f"The studio ended unexpectedly the last time. Where it was then is in {died}"
        controls.log.add(text, Level.WARNING)
    controls.setup.engine_ready.connect(garbage.settle)
    late = QTimer(window, singleShot=True)
    late.timeout.connect(lambda: window.views.make_between_events(begin))
    late.start(_UNPAINTED)
    window.painted.connect(lambda: late.start(_AFTER_PAINT))
    _heed_signals(app, window)
    code = int(app.exec())
    controls.runs.shutdown(None)
    keeper.write()
    if controls.setup.data_root != root:
        settings.setValue("data_root", str(controls.setup.data_root))
    settings.sync()
    return code


def end_process(code: int) -> NoReturn:
    """Go, once all that is to be kept is on disk.

    Python's own farewell takes torch apart object by object, which was measured to last seconds on a busy machine, and
    would first wait for a torch that is still being loaded: no torch is needed any more.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def _remembered_data_root(settings: QSettings) -> Path | None:
    value = settings.value("data_root")
    return Path(str(value)) if value else None


def _close(window: MainWindow) -> None:
    """Nobody is there to answer, be it a question that is on the screen already."""
    window.asks = False
    question = QApplication.activeModalWidget()
    if question is None:
        window.close()
    else:
        question.close()
        QTimer.singleShot(_AFTER_ANSWER, window, partial(_close, window))


def _heed_signals(app: QApplication, window: MainWindow) -> None:
    """Close the window, and so save the run, on Ctrl-C in the terminal, when that is closed, and when the system
    shuts down. Python sees a signal only when its interpreter gets a turn.
    """
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # Windows has no SIGHUP
            signal.signal(getattr(signal, name), lambda *_: _close(window))
    timer = QTimer(app, interval=500)
    timer.timeout.connect(lambda: None)
    timer.start()
