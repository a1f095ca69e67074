"""A number per example from a CSV file: an example's number or file name in one column, its value in the next.

    id,energy          file;energy
    0,1.5              cats/tom.png;-0.2
    7,-0.2             dogs/rex.jpg;1e-3

Commas, semicolons or tabs stand between the two: what a first line such as ``sep=;`` says, or else whichever has
most of the first rows begin with an example. A first row is a heading if its first cell cannot be meant for an
example and its second cannot be meant for a number. Examples that are not named have the value 0.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

import numpy as np
from numpy.typing import NDArray

from studio.errors import UserError
from studio.names import composed
from studio.perturb.example_features import Column
from studio.progress import Progress

_INDEX = re.compile(r"([0-9]{1,12})(\.0*)?")
_NUMERIC = re.compile(r"[+\-−]?[\d.,]+([eE].*)?")
_FIELD = "perturbation.terms"
_LARGEST_BYTES = 256 * 2**20
_REPORT_EVERY = 10_000
_SAMPLE = 50  # rows by which the separator is found
_SEPARATORS = (",", ";", "\t")  # the first where nothing tells
_SAYS_SEPARATOR = re.compile(r'"?sep=([^"\r\n])"?\s*', re.IGNORECASE)
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_ONE_NUMBER = "ΔH is a number such as -1.36: with a point, and nothing between its digits."


class ExampleNames:
    """The names of a data set's examples, which have `count` numbers, and a file each or none.

    A file's name counts as the data set shows it; failing that with either slash, without ``./`` and however its
    accents are composed, where only one file is called so.
    """

    def __init__(self, count: int, files: Sequence[str] = ()) -> None:
        self._count, self._files = count, files
        self._exact = {name: index for index, name in enumerate(files)}

    @cached_property
    def _plain(self) -> dict[str, int | None]:
        """Each file by its plain name; None where more than one has it."""
        found: dict[str, int | None] = {}
        for index, name in enumerate(map(_plain, self._files)):
            found[name] = None if name in found else index
        return found

    @cached_property
    def _endings(self) -> frozenset[str]:
        return frozenset(map(_ending, self._files)) - {""}

    def find(self, text: str) -> int | None:
        """The number of the example that is called so; None if there is none, or more than one."""
        index = self._exact.get(text)
        if index is None and self._files:
            index = self._plain.get(_plain(text))
        if index is not None:
            return index
        number = _INDEX.fullmatch(text)
        return int(number[1]) if number and int(number[1]) < self._count else None

    def could_be(self, text: str) -> bool:
        """Whether somebody may have meant an example: one that is there, any number, or a file of such a kind."""
        return self.find(text) is not None or _NUMERIC.fullmatch(text) is not None or _ending(text) in self._endings

    @property
    def hint(self) -> str:
        named = f", or file names such as {self._files[0]}" if self._files else ""
        return f"Examples are named by number, 0…{self._count - 1:,}{named}."


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def _plain(name: str) -> str:
    return composed(name).replace("\\", "/").removeprefix("./")


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    cells: list[str]


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
    values, seen = np.zeros(count), np.zeros(count, dtype=bool)
    with closing(_rows(path, names)) as rows:
        for place, row in enumerate(rows):
            if place % _REPORT_EVERY == 0:
                progress.report(f"Reading {path.name}")
            if place == 0 and _is_heading(row.cells, names):
                continue
            index, value = _pair(path, row, names)
            if seen[index]:
                raise _fault(path, row.line, f"“{row.cells[0][:60]}” was there before", "Each example may come once.")
            values[index], seen[index] = value, True
    if not seen.any():
        raise UserError("The CSV file names no example", f"{path}.", names.hint, field=_FIELD)
    if present is not None:
        values, seen = values[present], seen[present]
    values.flags.writeable = False
    named, left = int(seen.sum()), int((~seen).sum())
    rest = f"it is 0 for the other {left:,}" if left else "all of them"
    return Column(values=values, says=f"{path.name} gives {named:,} of {len(seen):,} examples their ΔH; {rest}")


def _pair(path: Path, row: _Row, names: ExampleNames) -> tuple[int, float]:
    """The example of a row, and its value."""
    if len(row.cells) != 2:
        number = f"{len(row.cells)} cell{'s' if len(row.cells) > 1 else ''}"
        hint = "Each line holds an example and its ΔH, with a comma, a semicolon or a tab between."
        raise _fault(path, row.line, f"it has {number}", hint)
    name, text = row.cells
    index = names.find(name)
    if index is None:
        raise _fault(path, row.line, f"there is no example “{name[:60]}”", names.hint)
    if not text:
        raise _fault(path, row.line, f"example “{name[:60]}” has no ΔH", "Leave out the lines of examples without one.")
    value = _number(text)
    if value is None:
        raise _fault(path, row.line, f"“{text[:40]}” is not a finite number", _ONE_NUMBER)
    return index, value


def _is_heading(cells: Sequence[str], names: ExampleNames) -> bool:
    """Whether a first row is no example's: a mistyped example or number is an error, and no heading."""
    return len(cells) == 2 and not names.could_be(cells[0]) and bool(cells[1]) and not _could_be_number(cells[1])


def _rows(path: Path, names: ExampleNames) -> Generator[_Row, None, None]:
    """Rows that are not empty, with cells without spaces around them."""
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise UserError("The CSV file is too large", f"{path}: over {_LARGEST_BYTES // 2**20} MB.", field=_FIELD)
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from _split(file, names)
    except OSError as error:
        raise UserError("The CSV file cannot be opened", f"{path}: {error.strerror or error}.", field=_FIELD) from error
    except (UnicodeDecodeError, csv.Error, ValueError) as error:
        hint = "Save it as UTF-8." if isinstance(error, UnicodeDecodeError) else "Quotes stand around whole cells."
        raise UserError("The CSV file cannot be read", f"{path}: {error}.", hint, field=_FIELD) from error


def _split(file: TextIO, names: ExampleNames) -> Iterator[_Row]:
    first = file.readline()
    said = _SAYS_SEPARATOR.fullmatch(first)
    if said:
        yield from _rows_of(file, said[1], 1)
        return
    sample = [first, *islice(file, _SAMPLE)]
    yield from _rows_of(chain(sample, file), _separator(sample, names), 0)


def _rows_of(lines: Iterator[str], separator: str, before: int) -> Iterator[_Row]:
    reader, line = csv.reader(lines, delimiter=separator, strict=True), before + 1
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield _Row(line, cells)
            line = before + reader.line_num + 1
    except csv.Error as error:
        raise csv.Error(f"line {line:,}: {error}") from error


def _separator(sample: Sequence[str], names: ExampleNames) -> str:
    """The one by which most of these lines begin with an example; or are pairs; or that divides them at all."""

    def found(separator: str) -> tuple[int, int, int]:
        divided: list[list[str]] = []
        with suppress(csv.Error):
            divided.extend(row.cells for row in _rows_of(iter(sample), separator, 0) if len(row.cells) > 1)
        named = sum(names.find(cells[0]) is not None for cells in divided)
        return named, sum(len(cells) == 2 for cells in divided), len(divided)

    return max(_SEPARATORS, key=found)


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


def _fault(path: Path, line: int, message: str, hint: str) -> UserError:
    return UserError(f"Line {line:,} of the CSV file cannot be used", f"{path.name}: {message}.", hint, field=_FIELD)
