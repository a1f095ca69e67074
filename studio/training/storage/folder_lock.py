"""Who writes into a run's folder: one process at a time, by a lock that the system lets go of when that process ends,
whatever ends it.

``.owner`` in the folder is locked while somebody writes, and says who; what it says unlocked is of the past.
"""

from __future__ import annotations

import json
import os
import socket
import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import BinaryIO
from weakref import finalize

from studio.bootstrap.environment import try_lock
from studio.errors import UserError, reporting

FILE = ".owner"
_LOCKED_AT = 2**30
"""Where the file is locked, far behind what it says: on Windows nobody can read what is locked."""

_LONGEST = 1000
_TRIES = 5
_PAUSE_SECONDS = 0.02
"""Between two tries: `owner_of` locks the file for as long as its look takes."""


class FolderLock:
    """This process as the owner of a run's folder, until it is released.

    Raises UserError if another process, or another run of this one, has it; or the folder cannot be written.
    """

    def __init__(self, folder: Path) -> None:
        file = _own(folder)
        self._end = finalize(self, file.close)
        said = {"process": os.getpid(), "machine": socket.gethostname(), "since": f"{datetime.now():%Y-%m-%d %H:%M:%S}"}
        with suppress(OSError):  # a full disk: the lock holds without a word
            file.truncate(0)
            file.write(json.dumps(said).encode())

    def release(self) -> None:
        """Let others write; once is enough."""
        self._end()


def owner_of(folder: Path) -> str:
    """Who writes into a folder, in words; empty if nobody does, as far as that can be told."""
    with suppress(OSError), (folder / FILE).open("rb") as file:
        return "" if _locks(file) else _said(file)
    return ""


def ensure_free(folder: Path) -> None:
    """Refuse a folder that somebody writes into; raises UserError."""
    said = owner_of(folder)
    if said:
        raise _under_way(folder, said)


def _own(folder: Path) -> BinaryIO:
    path = folder / FILE
    with reporting("The run folder cannot be written", path, "Check that you may write there."):
        flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
        file = os.fdopen(os.open(path, flags, 0o644), "r+b", buffering=0)
    for _ in range(_TRIES):
        if _locks(file):
            return file
        time.sleep(_PAUSE_SECONDS)
    with file:
        raise _under_way(folder, _said(file))


def _locks(file: BinaryIO) -> bool:
    file.seek(_LOCKED_AT)
    free = try_lock(file.fileno())
    file.seek(0)
    return free


def _said(file: BinaryIO) -> str:
    """Who has it, in words."""
    try:
        found = json.loads(file.read(_LONGEST))
        return f"process {int(found['process'])} on {found['machine']!s:.60} has it since {found['since']!s:.19}"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process has it"


def _under_way(folder: Path, said: str) -> UserError:
    return UserError(
        "The run is under way elsewhere",
        f"{folder}: {said}.",
        "Wait until it ends, or stop it there; `studio fork` begins another run from its last checkpoint meanwhile.",
    )
