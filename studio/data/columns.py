"""A number per example from a CSV file: an example's number or file name in one column, its value in the next.

    id,energy          file,energy
    0,1.5              cats/tom.png,-0.2
    7,-0.2             dogs/rex.jpg,1e-3

A first row whose second cell is no number is a heading. Examples that are not named have the value 0.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from studio.errors import UserError
from studio.progress import Progress

_FIELD = "perturbation.terms"
_LARGEST_BYTES = 256 * 2**20
_REPORT_EVERY = 10_000


def read_column(path: Path, count: int, files: Sequence[str], progress: Progress | None = None) -> NDArray[np.float64]:
    """The values, shape (count,), read-only.

    Args:
        path: of the CSV file, UTF-8; commas, or semicolons if there is no comma in its first line.
        count: number of examples.
        files: name of each example's file as the data set shows it, of length `count`; empty if they have none.
        progress: told how far it is; may cancel.

    Raises:
        UserError: it cannot be read, names an example that is not there or twice, or holds what is no finite number;
            with the line.
    """
    progress = progress or Progress()
    known = {name: index for index, name in enumerate(files)}
    values, seen = np.zeros(count), np.zeros(count, dtype=bool)
    for line, cells in _rows(path):
        if line % _REPORT_EVERY == 0:
            progress.report(f"Reading {path.name}")
        if len(cells) != 2:
            raise _fault(path, line, f"it has {len(cells)} cells", "Each line holds an example and its ΔH.")
        value = _number(cells[1])
        if value is None and line == 1:
            continue
        if value is None:
            raise _fault(path, line, f"“{cells[1][:40]}” is not a finite number", "ΔH is a number such as −1.36.")
        index = known.get(cells[0], _index(cells[0], count))
        if index is None:
            raise _fault(path, line, f"there is no example “{cells[0][:60]}”", _naming(count, files))
        if seen[index]:
            raise _fault(path, line, f"“{cells[0][:60]}” was there before", "Each example may come once.")
        values[index], seen[index] = value, True
    if not seen.any():
        raise UserError("The CSV file names no example", f"{path}.", _naming(count, files), field=_FIELD)
    values.flags.writeable = False
    return values


def _rows(path: Path) -> Iterator[tuple[int, list[str]]]:
    """Line numbers from 1, and cells without spaces around them; empty lines are left out."""
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise UserError("The CSV file is too large", f"{path}: over {_LARGEST_BYTES // 2**20} MB.", field=_FIELD)
        with path.open(encoding="utf-8-sig", newline="") as file:
            first = file.readline()
            file.seek(0)
            for number, row in enumerate(csv.reader(file, delimiter="," if "," in first else ";"), start=1):
                cells = [cell.strip() for cell in row]
                if any(cells):
                    yield number, cells
    except OSError as error:
        raise UserError("The CSV file cannot be opened", f"{path}: {error.strerror or error}.", field=_FIELD) from error
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        raise UserError(
            "The CSV file cannot be read", f"{path}: {error}.", "Save it as UTF-8.", field=_FIELD
        ) from error


def _number(text: str) -> float | None:
    try:
        value = float(text.replace("−", "-"))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _index(text: str, count: int) -> int | None:
    if not (text.isascii() and text.isdigit() and len(text) < 12):
        return None
    return int(text) if int(text) < count else None


def _naming(count: int, files: Sequence[str]) -> str:
    named = f", or file names such as {files[0]}" if files else ""
    return f"Examples are named by number, 0…{count - 1:,}{named}."


def _fault(path: Path, line: int, message: str, hint: str) -> UserError:
    return UserError(f"Line {line:,} of the CSV file cannot be used", f"{path.name}: {message}.", hint, field=_FIELD)
