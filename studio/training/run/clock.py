"""Time spent training, which stands still while the run is paused, and how fast it goes."""

from __future__ import annotations

import time
from collections import deque

_SECONDS = 2.0


class Stopwatch:
    """A stop watch that goes on from some seconds."""

    def __init__(self, seconds: float = 0.0) -> None:
        self._before = seconds
        self._since: float | None = None

    def start(self) -> None:
        self._since = time.perf_counter()

    def stop(self) -> None:
        self._before, self._since = self.seconds, None

    @property
    def seconds(self) -> float:
        return self._before + (time.perf_counter() - self._since if self._since is not None else 0.0)


class Throughput:
    """Steps and examples a second, over the last two seconds."""

    def __init__(self) -> None:
        self._points: deque[tuple[float, int, int]] = deque()

    def after(self, seconds: float, steps: int, examples: int) -> tuple[float, float]:
        """Steps and examples a second, now that the run has taken so many in so many seconds of training."""
        self._points.append((seconds, steps, examples))
        while len(self._points) > 2 and self._points[1][0] < seconds - _SECONDS:
            self._points.popleft()
        then, steps_then, examples_then = self._points[0]
        elapsed = max(seconds - then, 1e-9)
        return (steps - steps_then) / elapsed, (examples - examples_then) / elapsed

    def forget(self) -> None:
        self._points.clear()
