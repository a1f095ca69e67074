"""A line that is shortened."""

from __future__ import annotations

from pytestqt.qtbot import QtBot

from studio.gui.widgets.labels import Elided
from tests.gui.shown import show


def test_that_a_line_keeps_both_ends_and_its_tooltip_has_all_of_it(qtbot: QtBot) -> None:
    line, text = Elided(), "A run with a long name, 30 % twos, second seed"
    show(qtbot, line, 160, 30)
    line.show_text(text, "")
    start, _, end = line.text().partition("…")
    assert text.startswith(start)
    assert text.endswith(end)
    assert min(len(start), len(end)) > 3
    assert text in line.toolTip()
