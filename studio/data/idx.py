"""IDX files, the format of MNIST and its relatives, read without torch.

A header of big-endian numbers (two zero bytes, a type code, the number of dimensions D, then D sizes of four bytes
each) and the values behind it, last dimension fastest. Source: Y. LeCun, C. Cortes, C. Burges, "The MNIST database".
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from studio.errors import UserError, reporting

_UNSIGNED_BYTE = 0x08


def _damaged(path: Path, what: str) -> UserError:
    return UserError(
        "A data file is damaged",
        f"{path} {what}.",
        "Delete this file; the studio then downloads it again.",
        field="dataset",
    )


def read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The values of an IDX file of unsigned bytes, which must have that number of dimensions (1: labels, 3: images).

    The whole header is checked against the file's length before anything is read, so that a file of any content gives
    the array or one UserError.
    """
    start = 4 + 4 * dimensions
    with reporting("A data file cannot be read", path, "Check that you may read it.", field="dataset"):
        length = path.stat().st_size
        with path.open("rb") as file:
            header = file.read(start)
            if not header:
                raise _damaged(path, "is empty")
            if len(header) >= 4 and header[:4] != bytes([0, 0, _UNSIGNED_BYTE, dimensions]):
                raise _damaged(path, f"is not an IDX file of bytes in {dimensions} dimensions: its header is wrong")
            if len(header) < start:
                raise _damaged(path, f"is truncated: its header has {len(header)} of {start} bytes")
            shape = tuple(int(size) for size in np.frombuffer(header, dtype=">u4", offset=4))
            expected = start + math.prod(shape)
            if length < expected:
                raise _damaged(path, f"is truncated: it has {length:,} of {expected:,} bytes")
            if length > expected:
                raise _damaged(path, f"is too long: it has {length:,} instead of {expected:,} bytes")
            values = np.fromfile(file, dtype=np.uint8)
    if values.size != math.prod(shape):
        raise _damaged(path, "changed while it was read")
    return values.reshape(shape)


def read_images(path: Path) -> NDArray[np.uint8]:
    """Images of an IDX file, shape (N, H, W); raises UserError as `read_idx`, or if there is no pixel in it."""
    images = read_idx(path, 3)
    if images.size == 0:
        raise _damaged(path, "has no pixel: its header says {} × {} × {}".format(*images.shape))
    return images


def read_labels(path: Path, classes: int, count: int) -> NDArray[np.int64]:
    """Labels of an IDX file, shape (count,), in 0…classes − 1; raises UserError as `read_idx`, or if they are not."""
    labels = read_idx(path, 1)
    if len(labels) != count:
        raise _damaged(path, f"has {len(labels):,} labels for {count:,} images")
    if int(labels.max(initial=0)) >= classes:
        raise _damaged(path, f"has the label {labels.max()}, but only 0…{classes - 1} stand for a class")
    return labels.astype(np.int64)
