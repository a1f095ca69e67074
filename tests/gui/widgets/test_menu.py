"""A menu that is open when its button is switched off."""

from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QApplication, QMenu, QWidget
from pytestqt.qtbot import QtBot

from studio.gui.target.energy.add_term import AddTermButton
from studio.gui.widgets.buttons import menu_button
from studio.gui.widgets.layouts import column_of


def test_that_an_open_menu_leaves_with_what_it_belongs_to(qtbot: QtBot) -> None:
    page, (layers, menu), add = QWidget(), menu_button("layers", "Layers", "What is drawn."), AddTermButton()
    qtbot.addWidget(page)
    column_of(layers, add, inside=page)
    menu.addAction("Samples")
    add.offer((), ())
    page.show()
    for button, opened in ((layers, menu), (add, add.menu())):
        _open(qtbot, opened)
        button.setEnabled(False)
        assert QApplication.activePopupWidget() is None
        button.setEnabled(True)
        _open(qtbot, opened)
        qtbot.keyClick(opened, Qt.Key.Key_Escape)
        assert not opened.isVisible()


def _open(qtbot: QtBot, menu: QMenu) -> None:
    menu.popup(QPoint(50, 50))
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is menu)
