"""The classes of a folder's images from its file ``labels.csv``, in which a line names an image and its class.

    file,class         id;split;label
    tom.png,cat        001;train;cat
    cats/rex.jpg,dog   002;test;

Two columns need no heading. The class of an image is not known if no line names it, or its cell is empty, −1 or
“unlabelled”.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path, PurePosixPath

from studio.data.table import ExampleNames, Row, Table, plain_name
from studio.names import file_system_key, shown_name
from studio.progress import Progress

_FILE = (
    r"(image|img|picture|photo)?(file|path)(name|path)?s?",
    r"(image|img|picture|photo)(name)?s?",
    "name|(image|img)?id",
)
_CLASS = (r"class(es|name)?|label(s|name)?", r"categor(y|ies)|target|species|breed")
"""What the columns may be called, the first kind of name that there is."""
_UNKNOWN = re.compile(r"|-1|−1|unlabell?ed", re.IGNORECASE)
_LAYOUT = (
    "Each line holds a file's name and its class. Of more than two columns, call these “file” and “class”. "
    "If the file is for something else, give it another name."
)
_REPORT_EVERY = 10_000


def is_label_table(path: Path) -> bool:
    """Whether a file is called so."""
    return file_system_key(path.name) == "labels.csv"


class _Images(ExampleNames):
    """Images by their path below the folder or, where only one is called so, their name with or without its ending."""

    def __init__(self, files: Sequence[str]) -> None:
        super().__init__(0, files)
        self._short: dict[str, int | None] = {}
        for index, path in enumerate(map(PurePosixPath, files)):
            for name in {path.name, path.stem, str(path.with_suffix(""))}:
                self._short[name] = None if name in self._short else index

    def find(self, text: str) -> int | None:
        index = super().find(text)
        return index if index is not None else self._short.get(plain_name(text))

    @property
    def hint(self) -> str:
        return f"Images are named as {self._files[0]} is, by a name that no other has." if self._files else ""


def read_labels(path: Path, files: Sequence[str], progress: Progress) -> list[str | None]:
    """The class of each image, None where it is not known.

    Args:
        path: of the CSV file, UTF-8.
        files: path of each image below the folder, with slashes.

    Raises:
        UserError: it cannot be read, its columns are not known, or it names an image that is not there or twice, or
            fewer than two classes.
    """
    names = _Images(files)
    table = Table(path=path, names=names, field="dataset.path")
    found: list[str | None] = [None] * len(files)
    seen: set[int] = set()
    with closing(table.rows()) as rows:
        for place, row in enumerate(rows):
            if place % _REPORT_EVERY == 0:
                progress.report(f"Reading {path.name}")
            if place == 0 and not any(map(names.could_be, row.cells)):
                width, columns = len(row.cells), _columns(table, row)
                continue
            if place == 0:
                width, columns = 2, (0, 1)
            if len(row.cells) != width:
                raise table.fault(row.line, f"it has {len(row.cells)} cells and not {width}", _LAYOUT)
            name, label = (row.cells[column] for column in columns)
            index = names.find(name)
            if index is None:
                raise table.fault(row.line, f"there is no image “{name[:60]}”, or more than one", names.hint)
            if index in seen:
                raise table.fault(row.line, f"“{name[:60]}” was there before", "Each image may come once.")
            seen.add(index)
            found[index] = None if _UNKNOWN.fullmatch(label) else shown_name(label)
    if len(count := set(found) - {None}) < 2:
        raise table.error("does not tell classes apart", f"it names {len(count)} of them", _LAYOUT)
    return found


def _columns(table: Table, heading: Row) -> tuple[int, int]:
    """Where the file's name and its class stand."""
    words = [re.sub(r"[\W_]", "", cell.casefold()) for cell in heading.cells]
    places = []
    for what, kinds in (("file names", _FILE), ("classes", _CLASS)):
        found = (place for kind in kinds for place, word in enumerate(words) if re.fullmatch(kind, word))
        if (place := next(found, None)) is None:
            cells = ", ".join(cell[:30] for cell in heading.cells[:9])
            raise table.fault(heading.line, f"no column is called as one of {what} is ({cells})", _LAYOUT)
        places.append(place)
    return places[0], places[1]
