"""Names from outside are shown letter by letter, whatever they hold."""

import re
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QLabel, QWidget
from pytestqt.qtbot import QtBot

from studio.data.folder import FolderConfig
from studio.gui.setup.folder_preview import FolderPreviewDialog
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.main_window import MainWindow
from tests.data.image_folders import write_image

MARKED = "<b>bold<b> &amp; <i>"
CLASSES = ("<h1>cat", "<s>dog")


@pytest.fixture
def marked(tmp_path: Path) -> Path:
    """A folder whose name and classes look like markup."""
    root = tmp_path / MARKED
    try:
        for name in CLASSES:
            for number in range(8):
                write_image(root / name / f"{number}<u>.png", (30 * number, 0, 0))
    except OSError:
        pytest.skip("this system has no such names")
    (root / CLASSES[0] / "<u>bad.png").write_text("no image")
    return root


def rendered(root: QWidget) -> list[str]:
    """Texts and tooltips that hold a name from outside as markup."""
    found = []
    for widget in root.findChildren(QWidget):
        if isinstance(widget, QLabel) and widget.textFormat() is not Qt.TextFormat.PlainText:
            found.append(widget.text())
        found.append(widget.toolTip())
    return [text for text in found if re.search(r"<(b|i|h1|s|u)>", text)]


def test_that_the_preview_of_a_folder_renders_no_name(qtbot: QtBot, theme: ThemeManager, marked: Path) -> None:
    dialog = FolderPreviewDialog(FolderConfig(path=str(marked)), theme)
    qtbot.addWidget(dialog)
    dialog.show()
    qtbot.waitUntil(dialog.load.isEnabled)
    assert MARKED in dialog.place.text()
    assert rendered(dialog) == []
    dialog._entered(FolderConfig(path=str(marked / "nothing")))
    qtbot.waitUntil(dialog.message.isVisible)
    assert MARKED in dialog.message.text()
    assert rendered(dialog) == []
    dialog.reject()


def test_that_no_panel_renders_the_name_of_a_set_or_a_class(
    qtbot: QtBot, window: MainWindow, all_panels: None, marked: Path
) -> None:
    bench = window.controls
    with qtbot.waitSignal(bench.setup.dataset_changed):
        bench.setup.set_dataset(FolderConfig(path=str(marked), size=8))
    for dock in window.docks.values():
        dock.show()
        dock.raise_()
    QApplication.processEvents()
    assert bench.setup.dataset.class_names == CLASSES
    assert rendered(window) == []
