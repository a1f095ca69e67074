"""Where the pixels of a data set lie: in memory, if there is room, which is told before a machine swaps to a halt.

Else they lie in a file that only this process sees. Pages of it are in memory as far as there is room, and go to the
disk where there is none. It has no name once it is open, so that nothing is left of it when the process ends, whatever
ends it.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from math import prod

import numpy as np
from numpy.typing import NDArray

from studio.errors import UserError
from studio.paths import cache_dir

RESERVE = 256 * 2**20
"""Bytes that stay free for everything else."""
_SHARE = 0.5
"""Of the memory that can be used; the rest is for the model and for what looks at the data."""
_CHUNK_BYTES = 2**24


def format_bytes(count: int) -> str:
    """A size as people read it, in decimal units: ``"47.0 MB"``."""
    if count < 1000:
        return f"{count} bytes"
    size = float(count)
    for unit in ("kB", "MB", "GB"):
        size /= 1000
        if size < 999.95:
            return f"{size:.1f} {unit}"
    return f"{size / 1000:,.1f} TB"


def available_bytes() -> int:
    """Memory that can be used without swapping."""
    import psutil

    return int(psutil.virtual_memory().available)


def ensure_it_fits(title: str, needed: int) -> None:
    """Refuse a data set; raises UserError if less than `needed` bytes and a reserve of 256 MiB is free."""
    available = available_bytes()
    if needed + RESERVE > available:
        raise UserError(
            "The data set does not fit into memory",
            f"{title} needs {format_bytes(needed)}; {format_bytes(max(available - RESERVE, 0))} can be used now.",
            "Close other programs, or choose a smaller data set, smaller images or grey instead of colour.",
            field="dataset",
        )


def fits_in_memory(count: int) -> bool:
    """Whether so many bytes are to be held in memory."""
    return count <= _SHARE * max(0, available_bytes() - RESERVE)


def room_for(shape: tuple[int, ...]) -> NDArray[np.uint8]:
    """An array of bytes, to be filled; raises UserError if there is no room for it in memory, nor on the disk."""
    size = prod(shape)
    if not size or fits_in_memory(size):
        return np.empty(shape, np.uint8)
    folder = cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
        if size + RESERVE <= free:
            with tempfile.TemporaryFile(dir=folder) as file:
                if hasattr(os, "posix_fallocate"):  # so that a disk that fills up later cannot end the process
                    os.posix_fallocate(file.fileno(), 0, size)
                else:
                    file.truncate(size)
                return np.asarray(np.memmap(file, np.uint8, "r+", shape=shape))
        why = f"{format_bytes(free)} are free in {folder}"
    except OSError as error:
        why = f"no file can be made in {folder}: {error.strerror or error}"
    raise UserError(
        "The data set fits neither into memory nor on the disk",
        f"{format_bytes(size)} are needed; {why}.",
        "Close other programs, make room on the disk, or choose smaller images or grey instead of colour.",
        field="dataset",
    )


def first_channel(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A copy of the first channel of images (N, H, W, C), shape (N, H, W, 1)."""
    copy = room_for((*images.shape[:3], 1))
    step = max(1, _CHUNK_BYTES // max(1, prod(images.shape[1:])))
    for start in range(0, len(images), step):
        copy[start : start + step] = images[start : start + step, ..., :1]
    return copy
