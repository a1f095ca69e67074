"""The offsets table on the clipboard: rows by line, columns by tab, as spreadsheets have it. No Qt."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from studio.errors import UserError
from studio.gui.state.view_state import TiltView
from studio.gui.target.offsets.columns import HEADERS, Column, exact_text

Cell = tuple[int, int]
_FIELD = "perturbation.offsets"


def copied(view: TiltView, cells: Collection[Cell]) -> str:
    """The rectangle around `cells`, (row, column) each; cells in it that are not selected stay empty."""
    if not cells:
        return ""
    rows = range(min(row for row, _ in cells), max(row for row, _ in cells) + 1)
    columns = range(min(column for _, column in cells), max(column for _, column in cells) + 1)
    chosen = set(cells)
    return "\n".join(
        "\t".join(exact_text(view, row, Column(column)) if (row, column) in chosen else "" for column in columns)
        for row in rows
    )


def pasted(view: TiltView, text: str, anchor: Cell, rows: Sequence[int]) -> tuple[Column, dict[int, str]]:
    """Which cells a pasted text sets: the column, and texts by row.

    Args:
        view: the tilt in the table.
        text: what the clipboard holds.
        anchor: the cell, (row, column), at which the block begins.
        rows: selected rows; a single value fills them all.

    Raises:
        UserError: nothing of it lands in a column that can be edited, or it has more rows than the table from there on.
    """
    block = [line.split("\t") for line in text.replace("\r\n", "\n").replace("\r", "\n").rstrip("\n").split("\n")]
    if not text.strip():
        raise UserError("There is nothing to paste", "The clipboard holds no text.", field=_FIELD)
    first_row, first_column = anchor
    column, offset = _landing(first_column, max(len(line) for line in block))
    if len(block) == 1 and len(rows) > 1:
        return column, {row: block[0][offset].strip() for row in rows}
    room = len(view.dataset.class_names) - first_row
    if len(block) > room:
        raise UserError(
            f"{len(block)} rows do not fit here",
            f"From this cell on the table has {room}.",
            "Select the first row and paste again.",
            field=_FIELD,
        )
    texts = {first_row + i: line[offset].strip() for i, line in enumerate(block) if len(line) > offset}
    filled = {row: cell for row, cell in texts.items() if cell}
    if not filled:
        title = HEADERS[column].title
        raise UserError("There is nothing to paste", f"What lands in “{title}” is empty.", field=_FIELD)
    return column, filled


def _landing(first: int, width: int) -> tuple[Column, int]:
    """The leftmost editable column that a block of this width covers, and its place in the block."""
    for place in range(width):
        if first + place < len(Column) and Column(first + place).editable:
            return Column(first + place), place
    raise UserError("This column cannot be edited", "Paste into “Offset ΔH” or “Target p′”.", field=_FIELD)
