"""What a frame of the curves costs after 10³, 10⁵ and 10⁷ logged steps.

    python -m tests.benchmarks.frame_cost [--points 10000000] [--blocks 12]

A frame takes in one more logged step, and draws losses and batch sizes as the window does. Time is processor time of
the window's thread; blocks of the three lengths alternate, and ratios are those of neighbours. The longest frame is the
first after the run was opened. Needs some 5 GB.
"""

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from tests.benchmarks.options import parser_of
from tests.benchmarks.screen import application
from tests.benchmarks.table import Row, show

_COLUMNS = ("loss_autoencoder", "batch_size", "adjusted_size", "average_size", "ess", "err", "skipped")
_SHORT, _MIDDLE, _LONG = 1_000, 100_000, 10_000_000
_FRAMES = 30


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--points", type=int, default=_LONG, help="of the longest run")
    parser.add_argument("--blocks", type=int, default=12)
    options = parser.parse_args()
    show(rows(options.points, options.blocks))


def rows(points: int = _LONG, blocks: int = 12) -> Iterator[Row]:
    """A row for each length, and one for the longest frame."""
    _, theme = application()
    lengths = (_SHORT, _MIDDLE, points)
    with tempfile.TemporaryDirectory(prefix="studio-frames-") as home:
        screens = [Screen(length, theme, Path(home)) for length in lengths]
        longest = [1000 * screen.frame() for screen in screens][-1]  # the first one more than there is room for
        for screen in screens:
            screen.frames()
        costs = [[screen.frames() for screen in screens] for _ in range(blocks)]
        for screen in screens:
            screen.close()
    for place, length in enumerate(lengths[1:], 1):
        ratios = [each[place] / each[0] for each in costs]
        mine, short = (1000 * statistics.median(each[which] for each in costs) for which in (place, 0))
        notes = f"{mine:.2f} against {short:.2f} ms"
        what, against = f"a frame after {length:,} logged steps", f"after {_SHORT:,}"
        yield Row(what=what, against=against, target=1.2, values=ratios, at_least=False, notes=notes)
    yield Row(what=f"longest frame after {points:,}", target=None, values=[longest], at_least=False, unit="ms")


class Screen:
    """Losses and batch sizes of a run of some length."""

    def __init__(self, length: int, theme: Any, home: Path) -> None:
        from studio.gui.live.curves import BATCH, LOSSES
        from studio.gui.plots.curves import CurvesPanel
        from studio.gui.state.history import History, HistoryView
        from studio.gui.window.controls import Controls
        from studio.progress import Progress
        from studio.training.storage.metrics import Metrics
        from tests.screenshots import _turn

        rng = np.random.default_rng(0)
        steps = np.arange(1.0, length + 1)
        columns = {name: rng.random(length) for name in _COLUMNS}
        self.history = History.of(Metrics(steps=steps, seconds=steps, columns=columns))
        self.history.prepare(Progress())  # as whoever opens a run does
        self._view = HistoryView(history=self.history)
        self.bench = Controls(data_root=home, runs_root=home)
        self.panels: list[Any] = [CurvesPanel(each, self.bench.time, theme) for each in (LOSSES, BATCH)]
        for panel in self.panels:
            panel.resize(430, 290)
            panel.show()
        self._values = dict.fromkeys(_COLUMNS, 0.5)
        _turn(200)
        self._draw()
        _turn(200)

    def frame(self) -> float:
        """Seconds of processor time of one frame."""
        begun = time.thread_time()
        self.history.append(len(self.history) + 1, self._values)
        self._draw()
        return time.thread_time() - begun

    def frames(self) -> float:
        """Seconds of a frame, on average over some."""
        return sum(self.frame() for _ in range(_FRAMES)) / _FRAMES

    def close(self) -> None:
        for panel in self.panels:
            panel.close()
        self.bench.shutdown()

    def _draw(self) -> None:
        from PySide6.QtWidgets import QGraphicsView

        for panel in self.panels:
            panel.take_history(self._view)
            assert panel.on_screen()
            for part in panel.findChildren(QGraphicsView):
                part.viewport().repaint()


if __name__ == "__main__":
    main()
