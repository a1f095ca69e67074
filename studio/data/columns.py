"""A number per example from a CSV file: an example's number or file name in one column, its value in the next.

    id,energy          file;energy
    0,1.5              cats/tom.png;-0.2
    7,-0.2             dogs/rex.jpg;1e-3

A first row is a heading if its first cell cannot be meant for an example and its second cannot be meant for a number.
Examples that are not named have the value 0.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from contextlib import closing, suppress
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from studio.data.table import ExampleNames, Row, Table
from studio.perturb.example_features import Column
from studio.progress import Progress

_REPORT_EVERY = 10_000
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_ONE_NUMBER = "ΔH is a number such as -1.36: with a point, and nothing between its digits."


def read_column(
    path: Path,
    count: int,
    files: Sequence[str],
    progress: Progress | None = None,
    *,
    present: NDArray[np.int64] | None = None,
) -> Column:
    """The values of the examples that are present, in their order, and how many of them the file names.

    Args:
        path: of the CSV file, UTF-8.
        count: how many numbers examples have.
        files: name of each example's file as the data set shows it, of length `count`; empty if they have none.
        present: numbers of the examples that could be read; all if absent.

    Raises:
        UserError: it cannot be read, names an example that is not there or twice, or holds what is no finite number;
            with the line.
    """
    progress = progress or Progress()
    names = ExampleNames(count, files)
    table = Table(path=path, names=names, field="perturbation.terms")
    values, seen = np.zeros(count), np.zeros(count, dtype=bool)
    with closing(table.rows()) as rows:
        for place, row in enumerate(rows):
            if place % _REPORT_EVERY == 0:
                progress.report(f"Reading {path.name}")
            if place == 0 and _is_heading(row.cells, names):
                continue
            index, value = _pair(table, row)
            if seen[index]:
                raise table.fault(row.line, f"“{row.cells[0][:60]}” was there before", "Each example may come once.")
            values[index], seen[index] = value, True
    if not seen.any():
        raise table.error("names no example", "every line is empty or a heading", names.hint)
    if present is not None:
        values, seen = values[present], seen[present]
    values.flags.writeable = False
    named, left = int(seen.sum()), int((~seen).sum())
    rest = f"; it is 0 for the other {left:,}" if left else ""
    return Column(values=values, says=f"{path.name} gives {named:,} of {len(seen):,} examples their ΔH{rest}")


def _pair(table: Table, row: Row) -> tuple[int, float]:
    """The example of a row, and its value."""
    if len(row.cells) != 2:
        number = f"{len(row.cells)} cell{'s' if len(row.cells) > 1 else ''}"
        hint = "Each line holds an example and its ΔH, with a comma, a semicolon or a tab between."
        raise table.fault(row.line, f"it has {number}", hint)
    name, text = row.cells
    index = table.names.find(name)
    if index is None:
        raise table.fault(row.line, f"there is no example “{name[:60]}”", table.names.hint)
    if not text:
        hint = "Leave out the lines of examples without one."
        raise table.fault(row.line, f"example “{name[:60]}” has no ΔH", hint)
    value = _number(text)
    if value is None:
        raise table.fault(row.line, f"“{text[:40]}” is not a finite number", _ONE_NUMBER)
    return index, value


def _is_heading(cells: Sequence[str], names: ExampleNames) -> bool:
    """Whether a first row is no example's: a mistyped example or number is an error, and no heading."""
    return len(cells) == 2 and not names.could_be(cells[0]) and bool(cells[1]) and not _could_be_number(cells[1])


def _number(text: str) -> float | None:
    plain = text.replace("−", "-")
    value = float(plain) if _NUMBER.fullmatch(plain) else math.nan
    return value if math.isfinite(value) else None


def _could_be_number(text: str) -> bool:
    """Whether somebody may have meant a number: all that Python takes for one, and commas between digits."""
    with suppress(ValueError):
        float(text.replace("−", "-").replace(",", "").replace(" ", ""))
        return True
    return False
