"""Whether the studio is as fast as it should be: all that is measured against targets, as one table.

python -m tests.benchmarks [--data DIR]

Each benchmark runs in a process of its own, one after the other, since threads, caches and imports of one would be felt
by the next. An hour's memory is not among them: see `soak`.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.options import parser_of
from tests.benchmarks.table import show

_PLAIN = ("start_up", "window_latency", "planner_cost", "data_size", "frame_cost")
_ON_MNIST = ("throughput", "machine_use", "window_cost", "evaluation_cost")
_ROOT = Path(__file__).resolve().parents[2]


def main() -> None:
    parser = parser_of(__doc__, data=True)
    options = parser.parse_args()
    print(f"{os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}\n")
    show(lines(options.data.resolve()))


def lines(data: Path) -> Iterator[str]:
    for name in _PLAIN:
        yield from _lines_of(name)
    for name in _ON_MNIST:
        yield from _lines_of(name, "--data", str(data))


def _lines_of(name: str, *arguments: str) -> Iterator[str]:
    command = [sys.executable, "-u", "-m", f"{__package__}.{name}", *arguments]
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        found = (line.rstrip() for line in process.stdout)
        yield from (line for line in found if line.startswith("|") and not line.startswith(("| what |", "|---")))
    if process.returncode:
        yield f"| {name} | – | – | – | – | no | it failed: run `python -m {__package__}.{name}` |"


if __name__ == "__main__":
    main()
