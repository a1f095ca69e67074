"""Whether a process of this machine still works, told by its number and its start: numbers are given out again."""

from __future__ import annotations

import psutil  # before torch's libraries: whoever loads one beside them waits for them, and Python's lock with it

_SLACK_SECONDS = 2.0
"""A start is kept in ticks of a clock that may be set meanwhile."""


def start_of(pid: int) -> float:
    """When a process began, in seconds since 1970; 0 if there is none of that number, or it has ended already."""
    try:
        process = psutil.Process(pid)
        return 0.0 if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except (psutil.Error, ValueError, OverflowError):
        return 0.0


def is_running(pid: int, began: float) -> bool:
    """Whether the process of that number that began then, in seconds since 1970, still works."""
    found = start_of(pid)
    return found > 0 and abs(found - began) < _SLACK_SECONDS
