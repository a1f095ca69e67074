"""Rows of a CSV file that are of examples, each of which one cell names, by its number or its file.

Commas, semicolons or tabs stand between the cells: what a first line such as ``sep=;`` says, or else whichever has most
of the first rows begin with an example.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Generator, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import TextIO

from studio.errors import UserError
from studio.names import composed

_INDEX = re.compile(r"([0-9]{1,12})(\.0*)?")
_NUMERIC = re.compile(r"[+\-−]?[\d.,]+([eE].*)?")
_LARGEST_BYTES = 256 * 2**20
_SAMPLE = 50  # rows by which the separator is found
_SEPARATORS = (",", ";", "\t")  # the first where nothing tells
_SAYS_SEPARATOR = re.compile(r'"?sep=([^"\r\n])"?\s*', re.IGNORECASE)


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
        for index, name in enumerate(map(plain_name, self._files)):
            found[name] = None if name in found else index
        return found

    @cached_property
    def _endings(self) -> frozenset[str]:
        return frozenset(map(_ending, self._files)) - {""}

    def find(self, text: str) -> int | None:
        """The number of the example that is called so; None if there is none, or more than one."""
        index = self._exact.get(text)
        if index is None and self._files:
            index = self._plain.get(plain_name(text))
        if index is not None:
            return index
        number = _INDEX.fullmatch(text)
        return int(number[1]) if number and int(number[1]) < self._count else None

    def could_be(self, text: str) -> bool:
        """Whether somebody may have meant an example: one that is there, any number, or a file of such a kind."""
        return self.find(text) is not None or _NUMERIC.fullmatch(text) is not None or _ending(text) in self._endings

    @property
    def hint(self) -> str:
        named = f", or with a file name such as {self._files[0]}" if self._files else ""
        return f"Lines begin with the number of an example, 0…{self._count - 1:,}{named}."


def _ending(name: str) -> str:
    return name.rpartition(".")[2].lower() if "." in name else ""


def plain_name(name: str) -> str:
    """A file's name with slashes, without ``./``, and with composed accents."""
    return composed(name).replace("\\", "/").removeprefix("./")


@dataclass(frozen=True, slots=True)
class Row:
    """Its cells, and the line where it begins, from 1."""

    line: int
    cells: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A CSV file, UTF-8, whose rows name examples; what is wrong with it is a fault of that field of the settings."""

    path: Path
    names: ExampleNames
    field: str

    def rows(self) -> Generator[Row, None, None]:
        """Those that are not empty, with cells without spaces around them; raises UserError if it cannot be read."""
        try:
            if self.path.stat().st_size > _LARGEST_BYTES:
                raise self.error("is too large", f"over {_LARGEST_BYTES // 2**20} MB")
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                yield from _split(file, self.names)
        except OSError as error:
            raise self.error("cannot be opened", f"{error.strerror or error}") from error
        except (UnicodeDecodeError, csv.Error, ValueError) as error:
            hint = "Save it as UTF-8." if isinstance(error, UnicodeDecodeError) else "Quotes stand around whole cells."
            raise self.error("cannot be read", f"{error}", hint) from error

    def error(self, what: str, why: str, hint: str = "") -> UserError:
        """That the file is or lacks something."""
        return UserError(f"The CSV file {what}", f"{self.path}: {why}.", hint, field=self.field)

    def fault(self, line: int, why: str, hint: str) -> UserError:
        """That a line is wrong."""
        title = f"Line {line:,} of the CSV file cannot be used"
        return UserError(title, f"{self.path.name}: {why}.", hint, field=self.field)


def _split(file: TextIO, names: ExampleNames) -> Iterator[Row]:
    first = file.readline()
    said = _SAYS_SEPARATOR.fullmatch(first)
    if said:
        yield from _divided(file, said[1], 1)
        return
    sample = [first, *islice(file, _SAMPLE)]
    yield from _divided(chain(sample, file), _separator(sample, names), 0)


def _divided(lines: Iterator[str], separator: str, before: int) -> Iterator[Row]:
    reader, line = csv.reader(lines, delimiter=separator, strict=True), before + 1
    try:
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                yield Row(line, cells)
            line = before + reader.line_num + 1
    except csv.Error as error:
        raise csv.Error(f"line {line:,}: {error}") from error


def _separator(sample: Sequence[str], names: ExampleNames) -> str:
    """The one by which most of these lines begin with an example; or are pairs; or that divides them at all."""

    def found(separator: str) -> tuple[int, int, int]:
        divided: list[list[str]] = []
        with suppress(csv.Error):
            divided.extend(row.cells for row in _divided(iter(sample), separator, 0) if len(row.cells) > 1)
        named = sum(names.find(cells[0]) is not None for cells in divided)
        return named, sum(len(cells) == 2 for cells in divided), len(divided)

    return max(_SEPARATORS, key=found)
