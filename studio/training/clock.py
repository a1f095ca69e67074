"""Time spent training: stands still while the run is paused."""

from __future__ import annotations

import time


class Clock:
    """A stop watch."""

    def __init__(self) -> None:
        self._before = 0.0
        self._since: float | None = None

    def start(self) -> None:
        """Count on."""
        self._since = time.perf_counter()

    def stop(self) -> None:
        """Stand still."""
        self._before, self._since = self.seconds, None

    @property
    def seconds(self) -> float:
        """Time counted."""
        return self._before + (time.perf_counter() - self._since if self._since is not None else 0.0)
