"""An hour with the window: what grows, what stalls, what goes wrong while a run trains and someone works with it.

    python -m tests.benchmarks.soak [--minutes 60] [--every 3] [--preset mnist-twos-30] [--data DIR] [--trace]

The real window, off screen, with a real run. Every three seconds a click or a few keys: other panels, offsets, shares,
terms, undo, samples, evaluations, planners compared, the time cursor, themes, sizes. Each minute a line of a table; at
the end what has grown since the tenth minute, by medians of five minutes, and what is wrong. Exits with 1 if something
is. Memory is read five times a second: every 15 s the studio gives back what malloc holds free, and within five seconds
steps have touched some 260 MB of it again, so that the least of a minute is what is kept, and the most what steps take,
too. With --trace the lines of code whose allocations grew most are told, which makes everything slow.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from pathlib import Path
from typing import TYPE_CHECKING

from studio.runtime import prepare_runtime
from tests.benchmarks.options import parser_of
from tests.benchmarks.screen import training
from tests.benchmarks.table import HEADER, Row
from tests.steady.desk import Troubles, open_studio, private_home

if TYPE_CHECKING:
    from tests.steady.watch import Reading

_AROUND = 3
"""A median is of so many minutes before and after one, less that one."""
_COLUMNS = (
    "minute", "steps", "acts", "least resident MB", "most resident MB", "malloc gave MB", "malloc free MB",
    "Python blocks", "files", "threads", "longest gap ms", "Qt warnings", "exceptions",
)  # fmt: skip


def main() -> None:
    parser = parser_of(__doc__, data=True)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--settled", type=int, default=10, help="minutes after which nothing should grow any more")
    parser.add_argument("--every", type=float, default=3.0, help="seconds between two acts")
    parser.add_argument("--preset", default="mnist-twos-30")
    parser.add_argument("--trace", action="store_true", help="tell which lines of code allocate what grows")
    options = parser.parse_args()
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    prepare_runtime()
    from studio.gui.application import end_process

    load = os.getloadavg()[0]
    print(f"{os.cpu_count()} processors, load {load:.1f}, {options.preset}, an act every {options.every:g} s\n")
    with private_home() as home, Troubles(aloud=True) as troubles:
        code = Soak(options, home, troubles).run()
    end_process(code)  # as the studio does


class Soak:
    """One session.

    Args:
        options: of the command line.
        home: for all that is written.
        troubles: what goes wrong.
    """

    def __init__(self, options: argparse.Namespace, home: Path, troubles: Troubles) -> None:
        self.options, self.home, self.troubles = options, home, troubles
        self.readings: list[Reading] = []
        self.gaps: list[float] = []
        self.residents: list[tuple[float, float]] = []  # least and most of each minute, MB
        self.objects = [0, 0]  # before memory is compared, and after

    def run(self) -> int:
        import psutil
        from PySide6.QtCore import QTimer

        from studio.training.config.presets import config_or_preset
        from tests.screenshots import _turn
        from tests.steady.person import Person
        from tests.steady.watch import Heart, count_objects, read

        process, minutes = psutil.Process(), self.options.minutes
        with (
            open_studio(config_or_preset(self.options.preset), self.home, self.options.data) as window,
            training(window.controls, 3),
        ):
            bench = window.controls
            self._begin_trace()
            heart, person = Heart(), Person(window)
            timer = QTimer(interval=round(1000 * self.options.every))
            timer.timeout.connect(person.act)
            timer.start()
            resident: list[float] = []
            look = QTimer(interval=200)
            look.timeout.connect(lambda: resident.append(process.memory_info().rss / 1e6))
            look.start()
            begun = time.monotonic()
            print(f"| {' | '.join(_COLUMNS)} |\n|{'---:|' * len(_COLUMNS)}", flush=True)
            for minute in range(1, minutes + 1):
                _turn(max(0, round(1000 * (begun + 60 * minute - time.monotonic()))))
                self.gaps.append(heart.longest)
                self.readings.append(read(process))
                self.residents.append((min(resident), max(resident)))
                resident.clear()
                self._tell(minute, bench.runs.run.step, person.done)
                self._trace(minute)
                if minute == (self.options.settled + 1) // 2:
                    self.objects[0] = count_objects()
                heart.longest = 0.0
                heart.skip()
            timer.stop()
            look.stop()
            heart.stop()
            self.objects[1] = count_objects()
            for stall in heart.stalls:
                print(f"\n{stall}")
            step = bench.runs.run.step
            marks, evaluations = len(bench.runs.history.marks), len(bench.evaluations.view.history.history)
            print(f"\n{marks} marks, {evaluations} evaluations, {bench.setup.undo_stack.count()} edits to undo")
        return self._judge(step, sum(stall.busy > 1.0 for stall in heart.stalls))

    def _tell(self, minute: int, steps: int, acts: int) -> None:
        now, (least, most) = self.readings[-1], self.residents[-1]
        values = (
            minute, f"{steps:,}", acts, f"{least:.1f}", f"{most:.1f}", f"{now.given:.1f}",
            f"{now.free:.1f}", f"{now.blocks:,}", now.files, now.threads, round(1000 * self.gaps[-1]),
            len(self.troubles.warnings), len(self.troubles.exceptions),
        )  # fmt: skip
        print(f"| {' | '.join(map(str, values))} |", flush=True)

    def _judge(self, steps: int, stalls: int) -> int:
        """Tell what grew since everything had been seen, and what is wrong."""
        settled = min(self.options.settled, len(self.readings))
        first, last = self.readings[settled - 1], self.readings[-1]
        early, late = slice(max(0, settled - _AROUND), settled + _AROUND - 1), slice(1 - 2 * _AROUND, None)
        given = [reading.given for reading in self.readings]
        grown = {name: last.types[name] - first.types[name] for name in last.types}
        most = sorted(grown, key=lambda name: -grown[name])[:12]
        print(f"\n{steps:,} steps. Grown since minute {self.options.settled}, by type:")
        print(", ".join(f"{name} {grown[name]:+,}" for name in most if grown[name] > 0) or "nothing")
        rows = [
            *(
                self._row(what, 20, statistics.median(numbers[late]) - statistics.median(numbers[early]), "MB")
                for what, numbers in (
                    ("resident memory, least of a minute", [least for least, _ in self.residents]),
                    ("resident memory, most of a minute", [most for _, most in self.residents]),
                    ("given out by malloc", given),
                )
            ),
            self._row("Qt objects", None, self.objects[1] - self.objects[0]),
            self._row("open files", None, last.files - first.files),
            self._row("threads", None, last.threads - first.threads),
            self._row("longest gap of the event loop", None, 1000 * max(self.gaps), "ms"),
            self._row("stalls of over 1 s of processor time", 0, stalls),
            self._row("Qt warnings", 0, len(self.troubles.warnings)),
            self._row("exceptions", 0, len(self.troubles.exceptions)),
        ]
        print(f"\n{HEADER}", *rows, sep="\n")
        return int(any(row.target is not None and row.values[0] > row.target for row in rows))

    def _row(self, what: str, target: float | None, value: float, unit: str = "") -> Row:
        return Row(what=what, target=target, values=[value], at_least=False, unit=unit)

    def _begin_trace(self) -> None:
        if self.options.trace:
            import tracemalloc

            tracemalloc.start(12)
            self._before: tracemalloc.Snapshot | None = None

    def _trace(self, minute: int) -> None:
        """The lines of code whose allocations have grown since a third of the time."""
        if not self.options.trace:
            return
        import tracemalloc

        if minute == max(1, self.options.minutes // 3):
            self._before = tracemalloc.take_snapshot()
        elif minute == self.options.minutes and self._before is not None:
            for found in tracemalloc.take_snapshot().compare_to(self._before, "traceback")[:25]:
                grown = f"\n{found.size_diff / 1e6:+.2f} MB, {found.count_diff:+,} blocks"
                print(grown, *found.traceback.format(), sep="\n")


if __name__ == "__main__":
    main()
