"""What walking a layout leaves behind."""

from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from studio.gui.widgets.flow_layout import FlowLayout
from studio.gui.widgets.tab_order import follow_layout
from tests.gui.layout_items import count_layout_items


def test_that_tab_visits_nested_layouts_as_they_read(qtbot: QtBot) -> None:
    """Made in another order than they are laid out."""
    last, row, flow, first = (QPushButton(text) for text in ("last", "row", "flow", "first"))
    box = QWidget()
    qtbot.addWidget(box)
    column = QVBoxLayout(box)
    column.addWidget(first)
    beside, wrapped = QHBoxLayout(), FlowLayout()
    column.addLayout(beside)
    beside.addWidget(row)
    column.addLayout(wrapped)
    wrapped.addWidget(flow)
    column.addWidget(last)
    follow_layout(box)
    first.setFocus()
    visited = [box.focusWidget()]
    while visited[-1] is not last and box.focusNextChild():
        visited.append(box.focusWidget())
    assert visited == [first, row, flow, last]


def test_that_no_item_of_a_layout_is_left_for_another_object_to_be_taken_for(qtbot: QtBot) -> None:
    box = QWidget()
    qtbot.addWidget(box)
    column = QVBoxLayout(box)
    for _ in range(3):
        column.addWidget(QPushButton())
    before = count_layout_items()
    follow_layout(box)
    assert count_layout_items() == before
