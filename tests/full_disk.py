"""A disk that is full for as long as a test wants."""

import errno
import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest


class FullDisk:
    """Refuses to write any file under a folder while `full`."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.full = False
        write = Path.open

        def refuse(path: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
            if self.full and set(mode) & set("wax") and path.is_relative_to(folder):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
            return write(path, mode, *rest, **more)

        connect = sqlite3.connect

        def refuse_database(place: str, *rest: Any, **more: Any) -> sqlite3.Connection:
            if self.full and Path(place).is_relative_to(folder):
                raise sqlite3.OperationalError(os.strerror(errno.ENOSPC))
            return connect(place, *rest, **more)

        monkeypatch.setattr(Path, "open", refuse)
        monkeypatch.setattr(sqlite3, "connect", refuse_database)
