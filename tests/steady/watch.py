"""What a long session may not let grow: memory, objects, files, threads; and how long the window stands still."""

from __future__ import annotations

import ctypes
import faulthandler
import gc
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import IO, Any

import psutil
from PySide6.QtCore import QObject, QTimer
from PySide6.QtWidgets import QApplication

_MB = 1_000_000
_BEAT = 10


class _MallInfo(ctypes.Structure):
    """What glibc's malloc knows of itself, in bytes."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in (
            "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost",
        )
    ]  # fmt: skip


def malloc_info() -> tuple[float, float]:
    """Megabytes that malloc has given out, and that it holds free; NaN where the system's is another."""
    try:
        ask = ctypes.CDLL(None).mallinfo2
    except AttributeError:
        return float("nan"), float("nan")
    ask.restype = _MallInfo
    found = ask()
    return (found.uordblks + found.hblkhd) / _MB, found.fordblks / _MB


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The process at one moment.

    Attributes:
        given, free: by malloc, MB; memory of large arrays counts in `given`.
        blocks: that Python has allocated.
        types: objects that Python's collector follows, by type; torch's own at the start are left out.
    """

    given: float
    free: float
    blocks: int
    types: Counter[str]
    files: int
    threads: int


def read(process: psutil.Process) -> Reading:
    """A reading of now; takes some 100 ms."""
    given, free = malloc_info()
    return Reading(
        given=given,
        free=free,
        blocks=sys.getallocatedblocks(),
        types=Counter(type(each).__qualname__ for each in gc.get_objects()),
        files=process.num_fds() if hasattr(process, "num_fds") else len(process.open_files()),
        threads=process.num_threads(),
    )


def count_objects() -> int:
    """Objects that hang below windows and the application in Qt.

    Each gets a Python side that stays, so whoever asks every minute makes memory grow.
    """
    roots: list[Any] = [*QApplication.topLevelWidgets(), QApplication.instance()]
    return sum(1 + len(root.findChildren(QObject)) for root in roots)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stall:
    """The window stood still.

    Attributes:
        seconds: on the clock.
        busy: seconds of processor time that its thread used meanwhile; few of many where the machine was busy.
        others: that all other threads of this process used; one that would not let go of Python's lock shows here.
        where: its stack while it did, innermost first.
    """

    seconds: float
    busy: float
    others: float
    where: str

    def __str__(self) -> str:
        spent = f"{self.busy:.2f} s of them busy, other threads {self.others:.2f} s"
        return f"stood still for {self.seconds:.2f} s, {spent}:\n{self.where}"


class Heart(QObject):
    """Beats in the event loop, and notes where the window's thread is whenever it has not for too long.

    Args:
        patience: seconds without a beat that count as a stall.
    """

    def __init__(self, patience: float = 1.0) -> None:
        super().__init__()
        self.longest = 0.0
        self.stalls: list[Stall] = []
        self._patience = patience
        self._window = threading.get_ident()
        self._where = ""
        self.skip()
        self._over = threading.Event()
        self._timer = QTimer(self, interval=_BEAT)
        self._timer.timeout.connect(self.beat)
        self._timer.start()
        self._watcher = threading.Thread(target=self._watch, name="heart")
        self._watcher.start()

    def beat(self) -> None:
        gap = time.perf_counter() - self._last
        self.longest = max(self.longest, gap)
        if gap > self._patience:
            busy, all_busy = time.thread_time() - self._used, time.process_time() - self._used_by_all
            self.stalls.append(Stall(seconds=gap, busy=busy, others=all_busy - busy, where=self._where))
        self.skip()

    def skip(self) -> None:
        """What came since the last beat is not to be counted."""
        self._last, self._where = time.perf_counter(), ""
        self._used, self._used_by_all = time.thread_time(), time.process_time()

    def stop(self) -> None:
        self._timer.stop()
        self._over.set()
        self._watcher.join()

    def _watch(self) -> None:
        with tempfile.TemporaryFile() as file:
            while not self._over.wait(self._patience / 4):
                if time.perf_counter() - self._last > 0.75 * self._patience and not self._where:
                    self._where = self._look(file)

    def _look(self, file: IO[bytes]) -> str:
        """The stack of the window's thread, innermost first.

        Not by a frame of it: whoever holds that keeps its variables alive, such as a painter whose painting is over.
        """
        file.seek(0)
        file.truncate()
        faulthandler.dump_traceback(file)
        file.seek(0)
        stacks = file.read().decode().split("\n\n")
        mine = [stack for stack in stacks if f"0x{self._window:016x}" in stack]
        return "\n".join(mine[0].splitlines()[1:14]) if mine else ""
