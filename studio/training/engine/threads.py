"""How many processor threads training takes, while other programs may want the processor too.

Each operation of torch waits for the slowest of its threads. On two idle cores a second thread makes convolutions
1.3 to 1.6 times as fast; beside one busy program it makes a step four times as slow, and more, because some thread
always waits for its turn. So training begins with as many threads as its data can use and tries half as many when other
programs are busy or steps have become slow; with fewer threads it tries more again, every now and then. Fewer must be
clearly faster. A run on a quiet machine tries nothing and keeps one number of threads, and with it its exact results.
"""

from __future__ import annotations

import math
import os
import statistics
import time
from collections.abc import Callable

import psutil

_WARM_UP, _WINDOW = 10, 10
_SLOW = 1.5  # times its best: a reason to look whether the processor is shared
_CLEARLY = 0.8  # of the time with more threads
_SOON, _LATE = 15.0, 240.0  # seconds of training until more threads are tried
_SHARED = 0.2
_SMALL = 400
"""Numbers in an example up to which a second thread gains nothing: points, and images of up to 20×20 grey pixels."""

_own_choice: list[int] = []
"""What torch had chosen before it was overruled, first of all; so that a later run can have it again."""


def use_threads(wanted: int) -> int:
    """Set the number of threads that torch computes with, and return it; 0 leaves it to torch: one a physical core."""
    import torch

    if wanted:
        _own_choice.append(torch.get_num_threads())
        torch.set_num_threads(wanted)
    elif _own_choice:
        torch.set_num_threads(_own_choice[0])
        _own_choice.clear()
    return torch.get_num_threads()


def useful_threads(numbers: int) -> int:
    """How many threads examples of so many numbers can use; 0 for as many as there are."""
    return 1 if numbers <= _SMALL else 0


class OtherPrograms:
    """What the rest of the machine does, since this was made."""

    def __init__(self) -> None:
        self._begun, self._own, self._idle = time.perf_counter(), time.process_time(), psutil.cpu_times().idle

    def busy(self) -> bool:
        """Whether other programs have used more than a fifth of one core."""
        elapsed = time.perf_counter() - self._begun
        used = elapsed * (os.cpu_count() or 1) - (psutil.cpu_times().idle - self._idle)
        return bool(used - (time.process_time() - self._own) > _SHARED * elapsed)


class ThreadGuard:
    """Watches how long steps take, and has fewer threads, of `most`, compute while that is faster.

    `apply` sets their number; `busy` tells whether other programs have been busy while training warmed up.
    """

    def __init__(self, most: int, apply: Callable[[int], object], busy: Callable[[], bool] | None = None) -> None:
        self._most = most
        self._apply = apply
        self.count = most
        self._trial = 0
        self._times: list[float] = []
        self._best = math.inf
        self._warm = 0
        self._busy = busy or OtherPrograms().busy
        self._since, self._patience = 0.0, _SOON

    def note(self, seconds: float) -> bool:
        """Take in how long a step took; whether the number of threads has been changed for good."""
        if self._most == 1:
            return False
        self._since += seconds
        if self._warm < _WARM_UP:
            self._warm += 1
            if self._warm == _WARM_UP and self._busy():
                self._best = 0.0  # whatever the pace, fewer threads are to be tried
            return False
        self._times.append(seconds)
        if len(self._times) < _WINDOW:
            return False
        pace = statistics.fmean(self._times)
        self._times.clear()
        if self._trial:
            return self._judge(pace)
        self._watch(pace)
        return False

    def _watch(self, pace: float) -> None:
        slow = pace > _SLOW * self._best
        self._best = pace if slow else min(self._best, pace)
        if slow and self.count > 1:
            self._try(self.count // 2)
        elif self.count < self._most and self._since > self._patience:
            self._try(min(2 * self.count, self._most))

    def _try(self, count: int) -> None:
        self._trial = count
        self._since = 0.0
        self._apply(count)

    def _judge(self, pace: float) -> bool:
        trial, self._trial = self._trial, 0
        fewer, more = (pace, self._best) if trial < self.count else (self._best, pace)
        better = (fewer < _CLEARLY * more) == (trial < self.count)
        if better:
            self.count, self._best, self._patience = trial, pace, _SOON
        else:
            self._apply(self.count)
            self._patience = min(2 * self._patience, _LATE)
        return better
