"""How many new frames a second the plane shows while a model trains: the whole window, off screen.

    python -m tests.benchmarks.plane_frames [--presets planar-gan …] [--seconds 10]

A row for each preset: frames that the panel drew, and steps trained, per second of wall clock; the window is 1280×800
with the plane in front. What else the machine does shows in both, so beside them stands the processor time, which it
hardly changes: of the window for each frame it drew, and of training, frames and distances together, for each frame.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path

from tests.screenshots import _turn, _wait

WIDTH, HEIGHT, FIRST_STEPS = 1280, 800, 50
_PRESETS = [
    f"planar-{kind}" for kind in ("gan", "wgan_gp", "vae", "hierarchical_vae", "diffusion", "gaussian_rbm", "ebm")
]


def main() -> None:
    """Print the table as it comes."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--presets", nargs="+", default=_PRESETS)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    from studio.gui.widgets.theme import ThemeManager, ThemeMode  # isort: skip - before Qt, whose hook on imports goes
    from PySide6.QtWidgets import QApplication

    app = QApplication([])
    theme = ThemeManager(ThemeMode.LIGHT)
    theme.apply(app)
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}\n")
    print("| preset | frames/s | steps/s | window, ms/frame | training, ms/frame |\n|---|---|---|---|---|")
    with tempfile.TemporaryDirectory(prefix="studio-frames-") as home:
        for preset in options.presets:
            print(row(preset, options.seconds, theme, Path(home)), flush=True)


def row(preset: str, seconds: float, theme: object, home: Path) -> str:
    """One line of the table."""
    from PySide6.QtCore import QSettings

    from studio.gui.live.plane.panel import PlanePanel
    from studio.gui.widgets.theme import ThemeManager
    from studio.gui.window.main_window import MainWindow
    from studio.gui.window.workbench import Workbench
    from studio.training.config.presets import config_or_preset

    assert isinstance(theme, ThemeManager)
    bench = Workbench(config_or_preset(preset), data_root=home / "data", runs_root=home / "runs")
    window = MainWindow(bench, theme, QSettings(str(home / "studio.ini"), QSettings.Format.IniFormat))
    window.views.workbench_action.setChecked(True)
    window.showNormal()
    window.resize(WIDTH, HEIGHT)
    window.views.make_panels()
    panel = window.docks["plane"].widget()
    assert isinstance(panel, PlanePanel)
    bench.begin()
    _wait("data and torch", lambda: bench.setup.dataset is not None and bench.tasks.view is None)
    bench.starter.start()
    _wait("the first steps", lambda: bench.runs.run.step >= FIRST_STEPS)
    drawn, step = panel.frames, bench.runs.run.step
    begun, window_begun, all_begun = time.perf_counter(), time.thread_time(), time.process_time()
    _turn(round(1000 * seconds))
    spent, in_window = time.perf_counter() - begun, time.thread_time() - window_begun
    elsewhere = time.process_time() - all_begun - in_window
    drawn, step = panel.frames - drawn, bench.runs.run.step - step
    found = f"| {preset} | {drawn / spent:.1f} | {step / spent:.0f} | "
    found += f"{1000 * in_window / drawn:.0f} | {1000 * elsewhere / drawn:.0f} |"
    bench.starter.stop()
    _wait("the end", lambda: not bench.starter.blocked)
    window.close()
    return found


if __name__ == "__main__":
    main()
