"""Whether a process of this machine still works, told by its number and its start: numbers are given out again."""

from __future__ import annotations

import sys
from pathlib import Path

import psutil  # before torch's libraries: whoever loads one beside them waits for them, and Python's lock with it

_STARTED = 19
"""Place among what follows a process's name in its `/proc/…/stat`: ticks from the start of the machine to its own."""

_SLACK_SECONDS = 2.0
"""By which a start is told otherwise from one time to the next."""


def start_of(pid: int) -> float:
    """When a process began, in seconds since 1970 as the clock has it now; 0 if there is none of that number, or it has
    ended already.
    """
    try:
        process = psutil.Process(pid)
        return 0.0 if process.status() == psutil.STATUS_ZOMBIE else float(process.create_time())
    except (psutil.Error, ValueError, OverflowError):
        return 0.0


def mark_of(pid: int) -> float:
    """What tells a process that works from others of its number, and stays as it is when the clock is set; else 0."""
    started = start_of(pid)
    if not started or sys.platform != "linux":
        return started  # elsewhere the system notes the time itself
    try:
        return float(Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[_STARTED])
    except (OSError, IndexError, ValueError):
        return 0.0


def is_running(pid: int, mark: float) -> bool:
    """Whether the process of that number that had this mark still works; before there were marks, it was its start."""
    return mark > 0 and (mark_of(pid) == mark or abs(start_of(pid) - mark) < _SLACK_SECONDS)
