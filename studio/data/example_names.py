"""What a table calls an example: its number from 0, or its file's name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

from studio.names import composed

_INDEX = re.compile(r"([0-9]{1,12})(\.0*)?")
_NUMERIC = re.compile(r"[+\-−]?[\d.,]+([eE].*)?")


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
