"""How long a start takes: from the interpreter to the splash and to the window, and from torch to the first step.

    python -m tests.benchmarks.start_up [--starts 5] [--preset digits-wgan_gp]

The studio itself in processes of its own with empty homes, off screen, after one start that is not counted. Time is on
the wall; the notes say how much processor time the process used, which counts on a busy machine. After each start
a bare window of PySide6 with one plot of pyqtgraph is started: the baseline of a ratio in pairs.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.benchmarks.options import parser_of
from tests.benchmarks.table import Row, show

_ROOT = Path(__file__).resolve().parents[2]
_PATIENCE = 300
_SPLASH, _PAINT, _ENGINE, _STEP = "splash", "paint", "engine", "step"


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--starts", type=int, default=5)
    parser.add_argument("--preset", default="digits-wgan_gp")
    parser.add_argument("--child", type=float, help=argparse.SUPPRESS)
    parser.add_argument("--bare", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.bare:
        _start_bare(options.child)
    elif options.child is not None:
        _start(options.child, options.preset)
    else:
        show(rows(options.starts, options.preset))


def rows(starts: int = 5, preset: str = "digits-wgan_gp") -> Iterator[Row]:
    """A row for the splash, one for the window, one for the step."""
    pairs = [(_measure(preset), _measure(preset, "--bare")) for _ in range(starts + 1)][1:]
    found = [studio for studio, _ in pairs]
    for what, name in (("first paint", _SPLASH), ("window", _PAINT)):
        paints = [each[name] for each in found]
        yield _row(f"interpreter to {what}", 1.0, [wall for wall, _ in paints], [busy for _, busy in paints])
    walls, busy = ([studio[_PAINT][kind] / bare[_PAINT][kind] for studio, bare in pairs] for kind in (0, 1))
    notes = f"{statistics.median(busy):.2f} of its processor time"
    yield Row(
        what="interpreter to window", against="a bare window", target=0.8, values=walls, at_least=False, notes=notes
    )
    steps = [(each[_STEP][0] - each[_ENGINE][0], each[_STEP][1] - each[_ENGINE][1]) for each in found]
    yield _row("torch is in to first training step", 3.0, [wall for wall, _ in steps], [busy for _, busy in steps])


def _row(what: str, target: float, walls: list[float], busy: list[float]) -> Row:
    notes = f"{statistics.median(busy):.2f} s of processor time"
    return Row(what=what, target=target, values=walls, at_least=False, unit="s", notes=notes)


def _measure(preset: str, *options: str) -> dict[str, tuple[float, float]]:
    """When each thing was first seen: seconds on the wall since the process was asked for, and processor time."""
    with tempfile.TemporaryDirectory(prefix="studio-start-") as home:
        places = ("HOME", *(f"XDG_{name}" for name in ("CACHE_HOME", "CONFIG_HOME", "DATA_HOME", "STATE_HOME")))
        folders = dict.fromkeys((*places, "XDG_DOCUMENTS_DIR"), home)
        command = [sys.executable, "-m", __spec__.name, "--preset", preset, *options]
        command += ["--child", str(time.monotonic())]
        environment = os.environ | folders | {"QT_QPA_PLATFORM": "offscreen"}
        environment.pop("PYTHONDONTWRITEBYTECODE", None)  # a start finds the bytecode that the one before has kept
        done = subprocess.run(
            command, cwd=_ROOT, env=environment, capture_output=True, timeout=_PATIENCE, check=False, text=True
        )
    if done.returncode:
        raise RuntimeError(done.stderr)
    found: dict[str, tuple[float, float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _start_bare(asked: float) -> None:
    """Be a window with one plot until it is painted."""
    import pyqtgraph as pg
    from PySide6.QtCore import QTimer
    from PySide6.QtWidgets import QApplication, QMainWindow

    class Plot(pg.PlotWidget):
        def paintEvent(self, event: object) -> None:
            super().paintEvent(event)
            QTimer.singleShot(0, self.painted)

        def painted(self) -> None:
            print(json.dumps({_PAINT: (time.monotonic() - asked, time.process_time())}), flush=True)
            app.quit()

    app = QApplication([])
    window = QMainWindow()
    window.setCentralWidget(Plot())
    window.resize(1280, 800)
    window.show()
    app.exec()


def _start(asked: float, preset: str) -> None:
    """Be the studio, note what comes when, and go."""
    from studio.gui.window.splash import make_application  # isort: skip - Qt first takes longer
    from PySide6.QtCore import QEvent, QObject, QTimer

    from studio.cli.main import main as studio

    app = make_application()
    seen: dict[str, tuple[float, float]] = {}

    def note(what: str) -> None:
        seen.setdefault(what, (time.monotonic() - asked, time.process_time()))

    class Eye(QObject):
        """Sees what is painted first, and follows what comes after it."""

        def eventFilter(self, watched: QObject, event: QEvent) -> bool:
            if event.type() is QEvent.Type.Paint:
                if watched.objectName() == "splash":
                    note(_SPLASH)
                elif watched.objectName() == "main_window":
                    app.removeEventFilter(self)
                    self.window: Any = watched
                    QTimer.singleShot(0, self.painted)  # once all that is in it has been painted, too
            return False

        def painted(self) -> None:
            note(_PAINT)
            bench = self.window.controls
            bench.setup.engine_ready.connect(self.begin)
            bench.runs.run_changed.connect(self.look)

        def begin(self) -> None:
            note(_ENGINE)
            self.window.controls.starter.start()

        def look(self) -> None:
            if self.window.controls.runs.run.step >= 1:
                note(_STEP)
                print(json.dumps(seen), flush=True)
                self.window.asks = False  # nobody is there to be asked about the run
                self.window.close()

    eye = Eye()
    app.installEventFilter(eye)
    studio(["open", preset])


if __name__ == "__main__":
    main()
