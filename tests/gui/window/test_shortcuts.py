"""The list of all keys."""

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QScrollArea

import studio.gui
from studio.gui.window.shortcuts import keys_of
from tests.gui.hands import Hands, Key

_OF_DIALOGS = {"folder_preview", "sweep_dialog"}
"""Take keys to close or not to close, which every dialog does."""


def test_that_f1_lists_every_key_with_where_it_works(hands: Hands) -> None:
    hands.key(Key.Key_F1)
    dialog = hands.find(QDialog, "shortcuts")
    found = keys_of(hands.window)
    assert found["Run"]["Start"] == "F5"
    assert found["Go"]["Set-up"] == "Alt+1"
    assert found["Samples"] == {"Re-roll": "R", "Pin": "P", "Between": "B", "At once": "A", "Back": "Esc"}
    assert found["In the table of classes"]["Set ΔH back to 0"] == "Del"
    assert found["In the plane"]["Heat map"] == "H"
    assert dialog.width() <= dialog.screen().availableSize().width()
    assert dialog.height() <= dialog.screen().availableSize().height()
    (list_of_keys,) = dialog.findChildren(QScrollArea)
    assert list_of_keys.widget().width() <= list_of_keys.viewport().width()
    hands.qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    hands.wait(lambda: hands.window.findChild(QDialog, "shortcuts") is None)


def test_that_every_widget_that_takes_keys_declares_them() -> None:
    sources = Path(studio.gui.__path__[0]).rglob("*.py")
    silent = {
        source.stem
        for source in sources
        if "def keyPressEvent" in (text := source.read_text(encoding="utf-8")) and "KEYS = KeyHelp(" not in text
    }
    assert silent <= _OF_DIALOGS | {"sweep_table"}
