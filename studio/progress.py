"""Progress of something that takes over a second, and a way to cancel it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from studio.errors import Cancelled


class Progress:
    """Handed to a long operation, which calls `report` as it goes; safe to `cancel` from another thread.

    Whatever takes one may end with `Cancelled`, and then leaves nothing half done.

    Args:
        listener: called with (text, fraction) at each report; the fraction is in 0…1, or None when unknown.
    """

    def __init__(self, listener: Callable[[str, float | None], None] | None = None) -> None:
        self._listener = listener
        self._cancelled = threading.Event()

    def report(self, text: str, fraction: float | None = None) -> None:
        """Say what is going on; raises Cancelled if the person cancelled: undo what is half done and let it pass."""
        self.check()
        if self._listener is not None:
            self._listener(text, fraction)

    def check(self) -> None:
        if self._cancelled.is_set():
            raise Cancelled

    def part(self, start: float, stop: float) -> Progress:
        """The progress of one part of the operation, whose 0…1 is this one's ``start``…``stop``; cancelled with it."""

        def listen(text: str, fraction: float | None) -> None:
            if self._listener is not None:
                self._listener(text, None if fraction is None else start + (stop - start) * fraction)

        part = Progress(listen)
        part._cancelled = self._cancelled
        return part

    def cancel(self) -> None:
        self._cancelled.set()
