"""Folders of runs as they were before metrics.sqlite: metrics.csv, a row per logged step, and a PNG per sample grid;
and the checksum of a data set in checkpoints of version 1.
"""

from __future__ import annotations

import csv
import re
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from studio.data.example_set import ExampleSet
from studio.errors import UserError
from studio.training.messages.snapshot import Images

_METRICS = "metrics.csv"
_PIECE = 4096
_GRID = re.compile(r"step-(\d{1,12})\.png")


def read_table(folder: Path) -> dict[str, NDArray[np.float64]]:
    """Columns of metrics.csv by name, shape (n,), NaN where a cell is empty; nothing if there is no such file.

    Raises:
        UserError: the file is damaged.
    """
    path = folder / _METRICS
    if not path.exists():
        return {}
    try:
        with path.open(newline="", encoding="utf-8") as file:
            names, *rows = csv.reader(file)
        table = np.array([[float(cell or "nan") for cell in row] for row in rows]).reshape(len(rows), len(names))
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(
            "The metrics cannot be read", f"{path}: {error}.", "The file is damaged, or was changed after the run."
        ) from error
    return {name: table[:, index] for index, name in enumerate(names)}


def grid_files(folder: Path) -> dict[int, Path]:
    """Pictures of sample grids by step, ascending."""
    found = {int(match[1]): path for path in folder.glob("samples/*.png") if (match := _GRID.fullmatch(path.name))}
    return dict(sorted(found.items()))


def read_grid(path: Path) -> Images:
    """A picture of a sample grid, uint8, shape (height, width, 1 or 3).

    Raises:
        UserError: it is damaged.
    """
    from PIL import Image

    try:
        with Image.open(path, formats=["PNG"]) as picture:
            found = np.asarray(picture.convert("L" if picture.mode in ("1", "L") else "RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UserError("A sample grid cannot be read", f"{path}: {error}.", "The file is damaged.") from error
    return found.reshape(*found.shape[:2], -1)


def ensure_checksum(wanted: str, data: ExampleSet) -> None:
    """Refuse data that are not those of a checkpoint of version 1.

    Args:
        wanted: number of the examples that are trained on, and a checksum of classes, labels and values.
        data: the examples that are trained on.

    Raises:
        UserError: they are others.
    """
    checksum = zlib.crc32("\0".join(data.class_names).encode(errors="replace"))
    pieces = [slice(start, start + _PIECE) for start in range(0, len(data), _PIECE)]
    for piece in pieces:
        checksum = zlib.crc32(data.labels[piece].tobytes(), checksum)
    for piece in pieces:
        checksum = zlib.crc32(data.rows(piece).tobytes(), checksum)
    if wanted != f"{len(data)}-{checksum:08x}":
        raise UserError(
            "The data set is not the one that the run was trained on",
            f"{data.name} has changed since.",
            "Bring it back as it was, or train a new run.",
            field="dataset",
        )
