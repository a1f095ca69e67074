"""How many new frames a second the plane shows while a model trains: the whole window, off screen.

    python -m tests.benchmarks.plane_frames [--presets planar-gan …] [--seconds 10]

A row for each preset: frames that the panel drew, and steps trained, per second of wall clock; the window is 1280×800
with the plane in front. What else the machine does shows in both, so beside them stands the processor time, which it
hardly changes: of the window for each frame it drew, and of training, frames and distances together, for each frame.
"""

import os
import time
from pathlib import Path

from tests.benchmarks.options import parser_of
from tests.benchmarks.screen import training
from tests.steady.desk import open_studio, private_home

FIRST_STEPS = 50
_PRESETS = [
    f"planar-{kind}" for kind in ("gan", "wgan_gp", "vae", "hierarchical_vae", "diffusion", "gaussian_rbm", "ebm")
]


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--presets", nargs="+", default=_PRESETS)
    parser.add_argument("--seconds", type=float, default=10.0)
    options = parser.parse_args()
    os.environ["QT_QPA_PLATFORM"] = "offscreen"
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}\n")
    print("| preset | frames/s | steps/s | window, ms/frame | training, ms/frame |\n|---|---|---|---|---|")
    with private_home() as home:
        for preset in options.presets:
            print(row(preset, options.seconds, home), flush=True)


def row(preset: str, seconds: float, home: Path) -> str:
    from studio.gui.live.plane.panel import PlanePanel
    from studio.training.config.presets import config_or_preset
    from tests.screenshots import _turn

    with open_studio(config_or_preset(preset), home) as window:
        bench, panel = window.controls, window.docks["plane"].widget()
        assert isinstance(panel, PlanePanel)
        with training(bench, FIRST_STEPS):
            drawn, step = panel.frames, bench.runs.run.step
            begun, window_begun, all_begun = time.perf_counter(), time.thread_time(), time.process_time()
            _turn(round(1000 * seconds))
            spent, in_window = time.perf_counter() - begun, time.thread_time() - window_begun
            elsewhere = time.process_time() - all_begun - in_window
            drawn, step = panel.frames - drawn, bench.runs.run.step - step
    found = f"| {preset} | {drawn / spent:.1f} | {step / spent:.0f} | "
    return found + f"{1000 * in_window / drawn:.0f} | {1000 * elsewhere / drawn:.0f} |"


if __name__ == "__main__":
    main()
