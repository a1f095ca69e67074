"""The offsets table on the clipboard: rows by line, columns by tab, as spreadsheets have it. No Qt."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from studio.errors import UserError
from studio.gui.state.tilt_view import TiltView
from studio.gui.target.offsets.columns import HEADERS, Column, exact_text

Cell = tuple[int, int]
_FIELD = "perturbation.offsets"


def copied(view: TiltView, cells: Collection[Cell], columns: Sequence[Column], classes: Sequence[int]) -> str:
    """The rectangle around `cells`, (class, column) each; cells in it that are not selected stay empty."""
    chosen = {(place, Column(column)) for place, column in cells if Column(column) in columns}
    rows = [at for at, place in enumerate(classes) if any((place, column) in chosen for column in columns)]
    across = [at for at, column in enumerate(columns) if any((place, column) in chosen for place in classes)]
    if not chosen:
        return ""
    return "\n".join(
        "\t".join(
            exact_text(view, place, column) if (place, column) in chosen else ""
            for column in columns[across[0] : across[-1] + 1]
        )
        for place in classes[rows[0] : rows[-1] + 1]
    )


def pasted(
    text: str, anchor: Cell, selected: Sequence[int], columns: Sequence[Column], classes: Sequence[int]
) -> tuple[Column, dict[int, str]]:
    """Which cells a pasted text sets: the column, and texts by class.

    Args:
        anchor: the cell, (class, column), at which the block begins.
        selected: classes; a single value fills them all.

    Raises:
        UserError: nothing of it lands in a column that can be edited, or it has more rows than the table from there on.
    """
    block = [line.split("\t") for line in text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")]
    if not text.strip():
        raise UserError("There is nothing to paste", "The clipboard holds no text.", field=_FIELD)
    first, column = anchor
    below = classes[classes.index(first) :]
    column, offset = _landing(column, max(len(line) for line in block), columns)
    if len(block) == 1 and len(selected) > 1:
        return column, {place: block[0][offset].strip() for place in selected}
    if len(block) > len(below):
        raise UserError(
            f"{len(block)} rows do not fit here",
            f"From this cell on the table has {len(below)}.",
            "Select the first row and paste again.",
            field=_FIELD,
        )
    texts = {place: line[offset].strip() for place, line in zip(below, block, strict=False) if len(line) > offset}
    filled = {place: cell for place, cell in texts.items() if cell}
    if not filled:
        title = HEADERS[column].title
        raise UserError("There is nothing to paste", f"What lands in “{title}” is empty.", field=_FIELD)
    return column, filled


def _landing(first: int, width: int, columns: Sequence[Column]) -> tuple[Column, int]:
    """The leftmost editable column that a block of this width covers, and its place in the block."""
    covered = [column for column in columns if column >= first][:width]
    for place, column in enumerate(covered):
        if column.editable:
            return column, place
    raise UserError("This column cannot be edited", "Paste into “Offset ΔH” or “Share p′”.", field=_FIELD)
