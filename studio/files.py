"""Files that are there whole or not at all.

Bytes go to a hidden neighbour of the file, which takes the file's place only when everything went well.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from studio.errors import UserError


@contextmanager
def whole_file(path: Path) -> Iterator[BinaryIO]:
    """Write a file that appears under its name when the block ends; if it raises, no new folder is left either.

    Args:
        path: the file; its folder is made.

    Raises:
        UserError: the folder cannot be written or the disk is full.
    """
    if not path.name:
        raise UserError("This is not a file's name", f"“{path}” is a folder.", "Choose a file in it.")
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    made: list[Path] = []
    try:
        made = [folder for folder in path.parents if not folder.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_left_over_parts(path)
        with part.open("wb") as file:
            yield file
        part.replace(path)
        made.clear()
    except OSError as error:
        raise UserError(
            "A file could not be written",
            f"{path}: {error.strerror or error}.",
            "Make room on the disk, or choose a folder that you may write to.",
        ) from error
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
            for folder in made:
                folder.rmdir()


def _remove_left_over_parts(path: Path) -> None:
    """Remove what a process that was killed half-way left behind."""
    pattern = re.compile(rf"\.{re.escape(path.name)}\.(\d+)\.part")
    for neighbour in path.parent.iterdir():
        match = pattern.fullmatch(neighbour.name)
        if match and not _is_running(int(match[1])):
            neighbour.unlink(missing_ok=True)


def _is_running(pid: int) -> bool:
    import psutil

    return bool(psutil.pid_exists(pid))


def append_whole(path: Path, data: bytes) -> None:
    """Add to a file, or leave it as it was: half a line would spoil those that follow.

    Raises:
        OSError: it cannot be written.
    """
    with path.open("ab", buffering=0) as file:
        size = file.tell()
        try:
            if file.write(data) < len(data):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            file.truncate(size)
            raise
