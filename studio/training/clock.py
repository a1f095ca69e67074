"""The time that a run has spent training."""

from __future__ import annotations

import time


class Clock:
    """Time spent training: stands still while paused."""

    def __init__(self) -> None:
        self._before = 0.0
        self._since: float | None = None

    def start(self) -> None:
        """Let it run; it must stand still."""
        self._since = time.perf_counter()

    def stop(self) -> None:
        """Have it stand still."""
        self._before, self._since = self.seconds, None

    @property
    def seconds(self) -> float:
        """So far."""
        return self._before + (time.perf_counter() - self._since if self._since is not None else 0.0)
