"""Lines that are shortened, and those that wrap."""

from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from studio.gui.widgets.labels import Elided, plain_label
from studio.gui.widgets.tooltip import tooltip
from studio.gui.window.toolbar import SetupPath
from tests.gui.shown import show


def test_that_a_line_keeps_both_ends_and_its_tooltip_has_all_of_it(qtbot: QtBot) -> None:
    line, text = Elided(), "A run with a long name, thirty twos, second seed"
    show(qtbot, line, 160, 30)
    line.show_text(text, "")
    start, _, end = line.text().partition("…")
    assert text.startswith(start)
    assert text.endswith(end)
    assert min(len(start), len(end)) > 3
    assert text in line.toolTip()


def test_that_the_path_of_the_set_up_loses_its_batch_first_then_its_data_and_never_its_model(qtbot: QtBot) -> None:
    path = SetupPath()
    show(qtbot, path, 600, 30)
    assert path.show_setup("Plane: parallel lines", "WGAN-GP", "64 a batch") == path.text()
    path.resize(path.sizeHint().width() - 5, 30)
    assert path.text() == "Plane: parallel lines ▸ WGAN-GP"
    path.resize(path.fontMetrics().horizontalAdvance("Plane: … ▸ WGAN-GP") + 8, 30)
    start, _, end = path.text().partition("…")
    assert "Plane: parallel lines".startswith(start or "none")
    assert end == " ▸ WGAN-GP"
    path.resize(path.minimumWidth(), 30)
    assert path.text() == "… ▸ WGAN-GP"
    assert "64 a batch" in path.toolTip()


def test_that_a_label_that_wraps_breaks_no_share(qtbot: QtBot) -> None:
    label = plain_label("The data is worth 68 % of itself", wraps=True)
    qtbot.addWidget(label)
    assert QLabel.text(label) == "The data is worth 68\xa0% of itself"
    assert label.text() == "The data is worth 68 % of itself"
    assert "68\xa0% of itself" in tooltip(label.text())
