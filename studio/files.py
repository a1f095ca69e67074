"""Files that are there whole or not at all.

Bytes go to a hidden neighbour of the file, which takes the file's place only when everything went well.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from studio.errors import UserError


@contextmanager
def whole_file(path: Path, *, durable: bool = False) -> Iterator[BinaryIO]:
    """Write a file that appears under its name when the block ends; if it raises, no new folder is left either.

    A durable one is on the disk before it appears, so that even a machine that loses its power has it whole. Raises
    UserError if the folder cannot be written or the disk is full.
    """
    if not path.name:
        raise UserError("This is not a file's name", f"“{path}” is a folder.", "Choose a file in it.")
    part = part_of(path)
    made: list[Path] = []
    try:
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise UserError("This is not a file", f"{path} is a device or a pipe.", "Choose the name of a file.")
        made = [folder for folder in path.parents if not folder.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        _remove_left_over_parts(path.parent, re.escape(path.name))
        with part.open("wb") as file:
            yield file
            if durable:
                file.flush()
                os.fsync(file.fileno())
        part.replace(path)
        if durable:
            _sync_folder(path.parent)
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


def read_bytes(path: Path, most: int = 2**26) -> bytes:
    """What a regular file of so many bytes at most holds; raises OSError if it is none, larger, or cannot be read."""
    found = path.stat()
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "It is no file", str(path))
    if found.st_size > most:
        raise OSError(errno.EFBIG, f"It is larger than {most / 2**20:g} MiB", str(path))
    return path.read_bytes()


def part_of(path: Path) -> Path:
    """Where this process writes what is to appear as `path`; `remove_left_overs` knows such names."""
    return path.with_name(f".{path.name}.{os.getpid()}-{_mark(os.getpid())}.part")


def remove_left_overs(folder: Path) -> None:
    """Remove what processes that were killed half-way left behind in a folder, as far as that can be done."""
    with suppress(OSError):
        _remove_left_over_parts(folder, r".+")


def _remove_left_over_parts(folder: Path, name: str) -> None:
    pattern = re.compile(rf"\.{name}\.(\d+)(?:-(\d+))?\.part")
    for neighbour in folder.iterdir():
        match = pattern.fullmatch(neighbour.name)
        if match and not _is_being_written(int(match[1]), match[2]):
            neighbour.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Have the folder's own entries on the disk; only systems that can open folders can be asked to."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def _is_being_written(pid: int, mark: str | None) -> bool:
    """Whether a process of that number, and that mark, works; parts of before there were marks have none."""
    found = _mark(pid)
    return found != "0" and mark in (None, found)


def _mark(pid: int) -> str:
    """What tells a process from later ones of its number, whatever the clock; "0" if there is none."""
    from studio.process import mark_of

    return f"{mark_of(pid):.0f}"
