"""What belongs to another run is dimmed, and says whose it is without covering any of it."""

from PySide6.QtWidgets import QLabel
from pytestqt.qtbot import QtBot

from studio.gui.widgets.live_panel import LivePanel
from studio.gui.widgets.theme import ThemeManager
from tests.gui.shown import show


class OfRun(LivePanel):
    OF_RUN = True


def test_that_the_owner_stands_above_what_is_dimmed(qtbot: QtBot, theme: ThemeManager) -> None:
    panel, text = OfRun(theme), QLabel("first row")
    panel.body.addWidget(text)
    panel.show_body()
    show(qtbot, panel, 300, 120)
    before = text.geometry()
    panel.set_figures("ESS 42")
    panel.show_owner("of “twos”, step 102")
    assert not panel.figures, "no veil is over the head of a card"
    qtbot.waitUntil(lambda: text.geometry() != before)
    assert panel.veil.isVisible()
    assert text.mapTo(panel, text.rect().topLeft()).y() >= panel.veil.room
    panel.show_owner("")
    qtbot.waitUntil(lambda: text.geometry() == before)
