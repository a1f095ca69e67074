"""What the desktop is told when the queue is through."""

from datetime import datetime

import pytest
from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from studio.gui.widgets import messages
from studio.gui.widgets.messages import notify
from studio.number_text import format_eta
from tests.gui.shown import show_active


class Tray(QObject):
    """Stands in for the tray, which this platform has not."""

    messageClicked = Signal()  # noqa: N815 - Qt's own name
    told: list[tuple[str, str]]

    def __init__(self, _icon: object, parent: QWidget) -> None:
        super().__init__(parent)

    @staticmethod
    def isSystemTrayAvailable() -> bool:
        return True

    @staticmethod
    def supportsMessages() -> bool:
        return True

    def setToolTip(self, _text: str) -> None: ...

    def show(self) -> None: ...

    def hide(self) -> None: ...

    def showMessage(self, title: str, text: str, _icon: object, _milliseconds: int) -> None:
        Tray.told.append((title, text))


@pytest.fixture(autouse=True)
def tray(monkeypatch: pytest.MonkeyPatch) -> None:
    Tray.told = []
    monkeypatch.setattr(messages, "QSystemTrayIcon", Tray)
    monkeypatch.setattr(messages, "_SHOWN", 50)


def test_that_who_does_not_look_is_told_and_a_click_brings_the_window(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    notify("The queue is through", "3 of 3 runs were completed.", window)
    assert Tray.told == [("The queue is through", "3 of 3 runs were completed.")]
    icon = window.findChild(Tray)
    window.show()
    with qtbot.waitActive(window):
        icon.messageClicked.emit()
    qtbot.waitUntil(lambda: window.findChild(Tray) is None)


def test_that_who_looks_is_not_disturbed(qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    show_active(qtbot, window)
    notify("The queue is through", "", window)
    assert Tray.told == []


@pytest.mark.parametrize(("seconds", "told"), [(600, "22:10"), (3 * 3600, "01:00 on Thu 26 Nov")])
def test_that_a_time_of_another_day_has_its_day(seconds: float, told: str) -> None:
    assert format_eta(seconds, datetime(2026, 11, 25, 22, 0)) == told
