"""How often the window looks at a run: as often as is pleasant, and less often where drawing would slow training.

Window and training share the processor and the interpreter, so what the one takes the other waits for. The cost of a
look is the processor time that the window's thread has spent since the look before, painting included; looks are so
far apart that it stays a small share of the time.
"""

from __future__ import annotations

import time

_SHARE = 0.04
_MEMORY = 0.8  # of the mean cost, at each look


class RefreshRate:
    """Milliseconds from one look to the next.

    Args:
        fastest, slowest: bounds of it.
    """

    def __init__(self, fastest: int, slowest: int) -> None:
        self._fastest, self._slowest = fastest, slowest
        self._cost = fastest / 1000 * _SHARE
        self._spent = time.thread_time()

    def next(self) -> int:
        """After a look, in the thread that draws: how long until the next one."""
        before, self._spent = self._spent, time.thread_time()
        self._cost = _MEMORY * self._cost + (1 - _MEMORY) * (self._spent - before)
        return min(max(round(1000 * self._cost / _SHARE), self._fastest), self._slowest)
