"""How fast a library of many runs opens and scrolls: the index, and the table of runs in its panel, off screen.

    python -m tests.benchmarks.library [--runs 1000]

Prints milliseconds: to make the index from the folders, to open it with every folder looked at, to show the table, to
search and sort it, and the longest of the frames drawn while it scrolls from top to bottom. The promise is that a
thousand runs open in under a second.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from tests.benchmarks.options import parser_of
from tests.benchmarks.screen import application


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--runs", type=int, default=1000)
    options = parser.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}, {options.runs:,} runs\n")
    print("| what | ms |\n|---|---:|")
    with tempfile.TemporaryDirectory(prefix="studio-library-") as home:
        root = Path(home) / "runs"
        fill(root, options.runs)
        measure(root)


def fill(root: Path, count: int) -> None:
    """One run made, the others copied from it."""
    from tests.library.made_runs import make_config, make_run

    first = make_run(root, "run-0000", make_config("run 0", offsets={"2": -1.36}), steps=1000)
    for place in range(1, count):
        shutil.copytree(first, root / f"run-{place:04d}")


def measure(root: Path) -> None:
    from studio.gui.library.columns import Column
    from studio.gui.library.panel import RunsPanel
    from studio.gui.window.controls import Controls
    from studio.library.index import RunIndex

    app, theme = application()
    say("make the index from the folders", lambda: RunIndex(root).refresh())
    say("open the index", lambda: RunIndex(root).entries())
    say("open it and look at every folder", lambda: RunIndex(root).refresh())
    bench = Controls(data_root=root.parent / "data", runs_root=root)
    panel = RunsPanel(bench.library, bench.sweeps, bench.time, bench.starter, theme)
    panel.resize(900, 500)

    def open_panel() -> None:
        panel.show()
        while bench.library.busy or len(panel.model.shown) == 0:
            app.processEvents()
        panel.grab()

    say("show the table, every folder looked at", open_panel)
    say("search it", lambda: panel.search.setText("run"))
    say("sort it", lambda: panel.view.sortByColumn(Column.TILT, panel.view.horizontalHeader().sortIndicatorOrder()))
    bar = panel.view.verticalScrollBar()
    slowest = 0.0
    for value in range(0, bar.maximum(), max(1, bar.maximum() // 200)):
        began = time.perf_counter()
        bar.setValue(value)
        panel.view.viewport().grab()
        slowest = max(slowest, time.perf_counter() - began)
    print(f"| longest frame while it scrolls | {1000 * slowest:.1f} |")
    panel.close()
    bench.shutdown()


def say(what: str, work: Callable[[], object]) -> None:
    began = time.perf_counter()
    work()
    print(f"| {what} | {1000 * (time.perf_counter() - began):.1f} |", flush=True)


if __name__ == "__main__":
    main()
