"""Python's cyclic garbage, collected on the window's thread alone.

Automatic collection runs in whichever thread happens to allocate, the training thread included. What it finds there may
be a forgotten widget with its timers and children, and destroying those away from the window's thread ends the process
or locks it up. So automatic collection is off while there is a window, and a timer does the same work by the same
thresholds.
"""

from __future__ import annotations

import gc

from PySide6.QtCore import QObject, QTimer, Slot

from studio.training.engine.memory import give_back

_PERIOD = 500
"""Milliseconds between two looks. A young collection costs well under one; what trains makes little cyclic garbage."""

_GIVE_BACK = 15_000
"""Milliseconds between two times at which memory that nobody uses goes back to the system."""


class GarbageCollector(QObject):
    """Collects on the thread that made it, from now until `stop`."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        gc.disable()
        gc.freeze()  # modules, mostly
        self._timer = QTimer(self, interval=_PERIOD)
        self._timer.timeout.connect(collect_due)
        self._timer.start()
        self._returns = QTimer(self, interval=_GIVE_BACK)
        self._returns.timeout.connect(give_back)
        self._returns.start()

    def stop(self) -> None:
        """Give automatic collection back to the interpreter."""
        self._timer.stop()
        self._returns.stop()
        gc.enable()

    @Slot()
    def settle(self) -> None:
        """Collect once, and never look again at what is left: torch's half a million objects stay for good."""
        gc.collect()
        gc.freeze()


def collect_due() -> None:
    """Collect the oldest generation that is past its threshold, and all younger ones."""
    over = [count > threshold for count, threshold in zip(gc.get_count(), gc.get_threshold(), strict=True)]
    for generation in (2, 1, 0):
        if over[generation]:
            gc.collect(generation)
            return
