"""How long the window stands still while a run of a million logged steps is opened, plotted and scrubbed, off screen.

    python -m tests.benchmarks.long_run [--points 1000000]

Prints milliseconds: to write the metrics, to open the run beside the window, the longest time for which the window's
events waited meanwhile and while nothing happened at all, which is what else the machine does, and the longest of 200
moves of the time cursor with losses and batch sizes drawn. The promise is that the window never stands still for over
50 ms.
"""

import os
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

from tests.benchmarks.options import parser_of
from tests.benchmarks.screen import application

_COLUMNS = ("loss_autoencoder", "batch_size", "adjusted_size", "average_size", "ess", "err", "skipped", "epoch")
_MOVES = 200


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--points", type=int, default=1_000_000)
    options = parser.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, {options.points:,} points\n")
    print("| what | ms |\n|---|---:|")
    with tempfile.TemporaryDirectory(prefix="studio-long-run-") as home:
        run = write(Path(home) / "runs", options.points)
        look(run)


def write(root: Path, points: int) -> Path:
    import numpy as np

    from studio.training.messages.events import Logged
    from studio.training.storage.metrics import append_metrics
    from tests.library.made_runs import make_run

    run = make_run(root, "long", steps=10)
    noise, batch = np.random.default_rng(0).random((len(_COLUMNS), points)), 100_000
    began = time.perf_counter()
    for start in range(0, points, batch):
        rows = noise[:, start : start + batch].T.tolist()
        logged = [
            Logged(step=11 + start + place, seconds=(start + place) / 100, values=dict(zip(_COLUMNS, row, strict=True)))
            for place, row in enumerate(rows)
        ]
        append_metrics(run, logged)
    print(f"| write the metrics in batches of {batch:,} | {1000 * (time.perf_counter() - began):,.0f} |", flush=True)
    return run


def look(run: Path) -> None:
    app, theme = application()
    from PySide6.QtCore import QTimer

    from studio.gui.live.curves import BATCH, LOSSES
    from studio.gui.plots.curves import CurvesPanel
    from studio.gui.window.controls import Controls

    bench = Controls(data_root=run.parent / "data", runs_root=run.parent)
    panels = [CurvesPanel(LOSSES, bench.time, theme), CurvesPanel(BATCH, bench.time, theme)]
    for panel in panels:
        panel.resize(430, 400)
        panel.show()
    beats: list[float] = []
    timer = QTimer(interval=1)
    timer.timeout.connect(lambda: beats.append(time.perf_counter()))
    timer.start()

    def wait(ready: Callable[[], bool]) -> float:
        """Run the window until then; how long it took, in seconds."""
        beats.clear()
        began = time.perf_counter()
        while not ready():
            app.processEvents()
        return time.perf_counter() - began

    idle = time.perf_counter() + 3
    wait(lambda: time.perf_counter() > idle)
    print(f"| longest wait of the window while nothing happens | {longest(beats):.1f} |")
    bench.time.open(run)
    opened = wait(lambda: bool(bench.time.view.title))
    print(f"| open it, beside the window | {1000 * opened:,.0f} |")
    print(f"| longest wait of the window meanwhile | {longest(beats):.1f} |")
    drawn = time.perf_counter() + 1
    wait(lambda: time.perf_counter() > drawn)
    print(f"| longest wait of the window in the second after | {longest(beats):.1f} |")
    last, slowest = bench.time.view.last, 0.0
    for move in range(_MOVES):
        began = time.perf_counter()
        bench.time.seek(last * move // _MOVES)
        app.processEvents()
        slowest = max(slowest, time.perf_counter() - began)
    print(f"| longest of {_MOVES} moves of the cursor | {1000 * slowest:.1f} |")
    timer.stop()
    for panel in panels:
        panel.close()
    bench.shutdown()


def longest(beats: list[float]) -> float:
    """Longest time between two, in milliseconds."""
    return 1000 * max(after - before for before, after in pairwise(beats))


if __name__ == "__main__":
    main()
