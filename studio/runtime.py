"""What the C runtime is told before NumPy and torch are loaded: how threads wait, and how memory is kept."""

from __future__ import annotations

import ctypes
import os
import sys

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # parameters of mallopt(3)
_KEPT = 256 << 20
_FROM_HEAP = 32 << 20  # the most that glibc accepts


def prepare_runtime() -> None:
    """Call it before NumPy and torch are imported; whoever sets a variable of the environment keeps their choice."""
    _calm_threads()
    _keep_memory()


def _calm_threads() -> None:
    """Have torch's worker threads spin only briefly for work; read once, when torch is loaded.

    With its default they spin for milliseconds, which they take from the window. A count of 1,000 is too little: they
    fall asleep between two operations, and two threads on two idle cores are no faster than one.

    NumPy's own library of products, OpenBLAS, gets one thread: the window sums over all examples by it, and its threads
    waited for torch's. What the theory panel sums over 60,000 examples took 0.4 s, and up to 3, beside a run on a busy
    machine, and takes 0.08.
    """
    os.environ.setdefault("GOMP_SPINCOUNT", "10000")
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def _keep_memory() -> None:
    """Have glibc keep what is freed, up to 256 MB, in place of giving it back and asking for it anew.

    Batches differ in size where weights do, and with them every buffer of a step: each step gave pages back to the
    system, which hands them out zeroed. A convolutional GAN takes 0.91 of the time for a step.

    All threads take from one heap: with one for each, what training, an evaluation and a judge free at different times
    is kept apart, in pieces of 64 MB that are rarely free as a whole.
    """
    if sys.platform != "linux" or any(name.startswith("MALLOC_") for name in os.environ):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # musl has none
    if mallopt is not None:
        mallopt(_MMAP_THRESHOLD, _FROM_HEAP)
        mallopt(_TRIM_THRESHOLD, _KEPT)
        mallopt(_ARENA_MAX, 1)
