"""Between the training thread and its watcher: a command inbox, a bounded event log and a slot for the newest snapshot.

Nothing here waits for the watcher, so a slow window never slows training; it finds the newest snapshot, and a count of
the log points that it was too late for.
"""

from __future__ import annotations

import queue
import threading
from collections import deque

from studio.training.messages.commands import Command
from studio.training.messages.events import Event, Logged
from studio.training.messages.snapshot import Snapshot


class Mailbox:
    """Safe for one training thread and one watcher, for whom so many log points are kept; other events are few and all
    kept.
    """

    def __init__(self, capacity: int = 10_000) -> None:
        self._commands: queue.SimpleQueue[Command] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._events: deque[Event] = deque()
        self._capacity = capacity
        self._logged = 0
        self._dropped = 0
        self._snapshot: Snapshot | None = None

    def send(self, command: Command) -> None:
        """Watcher: hand the run a command; it acts between two steps."""
        self._commands.put(command)

    def commands(self, *, wait: float | None = None) -> list[Command]:
        """Run: all commands that have come; a run that is paused waits some seconds for the first one."""
        found: list[Command] = []
        try:
            if wait is not None:
                found.append(self._commands.get(timeout=wait))
            while True:
                found.append(self._commands.get_nowait())
        except queue.Empty:
            return found

    def post(self, event: Event) -> None:
        """Run: report an event; the oldest log points give way when nobody reads them."""
        with self._lock:
            if isinstance(event, Logged):
                if self._logged >= self._capacity:
                    oldest = next(index for index, kept in enumerate(self._events) if isinstance(kept, Logged))
                    del self._events[oldest]
                    self._dropped += 1
                else:
                    self._logged += 1
            self._events.append(event)

    def events(self) -> tuple[list[Event], int]:
        """Watcher: all events since the last call, oldest first, and how many log points had to be dropped."""
        with self._lock:
            events, dropped = list(self._events), self._dropped
            self._events.clear()
            self._logged = self._dropped = 0
        return events, dropped

    @property
    def snapshot_wanted(self) -> bool:
        """Run: whether the last snapshot has been taken, so that making another is of use."""
        return self._snapshot is None

    def offer(self, snapshot: Snapshot) -> None:
        """Run: put the newest snapshot into the slot, in place of one not taken."""
        with self._lock:
            self._snapshot = snapshot

    def take_snapshot(self) -> Snapshot | None:
        """Watcher: the newest snapshot, if there is one since the last call."""
        with self._lock:
            snapshot, self._snapshot = self._snapshot, None
        return snapshot
