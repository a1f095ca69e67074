"""How long the window is held up: gaps between the beats of a 5 ms timer, off screen.

    python -m tests.benchmarks.window_latency [--preset digits-gan] [--seconds 10]

While torch is imported in the background, and while a model trains. It is time on the wall, so a busy machine shows.
"""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from studio.runtime import prepare_runtime
from tests.benchmarks.options import parser_of
from tests.benchmarks.screen import application, training, wait_until_ready
from tests.benchmarks.table import Row, show
from tests.screenshots import _turn

BEAT, FIRST_STEPS = 5, 50


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--preset", default="digits-gan")
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    prepare_runtime()
    show(rows(options.preset, options.seconds))


def rows(preset: str, seconds: float) -> Iterator[Row]:
    """Longest gap of the import; 99th percentile and longest gap of training."""
    app, theme = application()
    from PySide6.QtCore import QSettings, QTimer

    from studio.gui.widgets.garbage import GarbageCollector
    from studio.gui.window.controls import Controls
    from studio.gui.window.main_window import MainWindow
    from studio.training.config.presets import config_or_preset

    garbage = GarbageCollector(app)
    beats: list[float] = []
    timer = QTimer(interval=BEAT)
    timer.timeout.connect(lambda: beats.append(time.perf_counter()))
    with tempfile.TemporaryDirectory(prefix="studio-latency-") as home:
        folder = Path(home)
        bench = Controls(config_or_preset(preset), data_root=folder / "data", runs_root=folder / "runs")
        bench.setup.engine_ready.connect(garbage.settle)
        window = MainWindow(bench, theme, QSettings(str(folder / "studio.ini"), QSettings.Format.IniFormat))
        window.showNormal()
        window.views.make_panels()
        _turn(300)
        timer.start()
        bench.begin()
        wait_until_ready(bench)
        yield _row("longest gap, torch being imported", 250, [max(_gaps(beats))])
        with training(bench, FIRST_STEPS):
            beats.clear()
            _turn(round(1000 * seconds))
            gaps = _gaps(beats)
        yield _row(f"99th percentile of gaps, {preset}", 35, [float(np.percentile(gaps, 99))])
        yield _row(f"longest gap, {preset}", 100, [max(gaps)])
        window.close()


def _gaps(beats: list[float]) -> list[float]:
    """Milliseconds from beat to beat."""
    return list(1000 * np.diff(beats))


def _row(what: str, target: float, values: list[float]) -> Row:
    return Row(what=what, target=target, values=values, at_least=False, unit="ms")


if __name__ == "__main__":
    main()
