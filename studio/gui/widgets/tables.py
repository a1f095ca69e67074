"""Tables of rows to choose, all made alike."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractItemView, QTableView, QTableWidget, QTableWidgetItem

from studio.gui.widgets.tooltip import tooltip

_Item = TypeVar("_Item", bound=QTableWidgetItem)


def read_only(table: QTableWidget) -> None:
    """Rows that are chosen as a whole, without numbers; Tab goes on to the next control."""
    table.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    table.setTabKeyNavigation(False)
    table.setWordWrap(False)
    table.verticalHeader().hide()
    table.horizontalHeader().setHighlightSections(False)


def choose_row(table: QTableView, reason: Qt.FocusReason) -> None:
    """Choose the row that the keyboard comes to, if none is chosen: keys act on rows that are."""
    by_key = reason in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
    if by_key and table.model().rowCount() and not table.selectionModel().hasSelection():
        table.selectRow(max(table.currentIndex().row(), 0))


def set_heads(table: QTableWidget, heads: Sequence[tuple[str, str]], *, right_from: int) -> None:
    """Titles of the columns with what they say; flush right from that column on."""
    for place, (title, tip) in enumerate(heads):
        item = cell(QTableWidgetItem(title), right=place >= right_from)
        item.setToolTip(tooltip(tip))
        table.setHorizontalHeaderItem(place, item)


def cell(item: _Item, *, right: bool) -> _Item:
    """The item, flush right as numbers are, or left."""
    side = Qt.AlignmentFlag.AlignRight if right else Qt.AlignmentFlag.AlignLeft
    item.setTextAlignment(side | Qt.AlignmentFlag.AlignVCenter)
    return item
