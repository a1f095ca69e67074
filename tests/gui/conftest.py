"""The controls with the built-in digits, the light look, and the window around them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from studio.gui.widgets.theme import ThemeManager, ThemeMode
from studio.gui.window.controls import Controls
from studio.gui.window.main_window import MainWindow
from studio.models.vae.config import VaeConfig
from tests.gui.hands import Hands
from tests.gui.lending import PLAIN, Lender
from tests.gui.look import put_on
from tests.gui.shown import show_active

_WAITS: dict[str, int | tuple[int, int]] = {
    "state.task_runner._POLL": 5,
    "setup.folder_preview._POLL_MS": 5,
    "setup.data._SETTLE_MS": 30,
    "queue.queue_control._PERIOD": 20,
    "queue.sweep_dialog._PAUSE": 10,
    "run.run_starter.DRAW_INTERVALS": (10, 30),
}
"""Milliseconds, of what the window does every now and then: thousands of tests would wait for it."""


@pytest.fixture(autouse=True, scope="session")
def quick_timers() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name, wait in _WAITS.items():
            patch.setattr(f"studio.gui.{name}", wait)
        yield


@pytest.fixture(autouse=True)
def keys_let_go() -> Iterator[None]:
    """No test finds Shift or Ctrl held, as the last click or key of another one would leave it to the application."""
    yield
    if QApplication.keyboardModifiers():
        QTest.keyRelease(QWidget(), Qt.Key.Key_Shift)


@pytest.fixture(autouse=True, scope="session")
def patient_waits() -> Iterator[None]:
    """What a test waits for comes within 5 s on any machine that is not busy with other things."""
    with pytest.MonkeyPatch.context() as patch:
        for wait in (QtBot.waitUntil, QtBot.waitSignal, QtBot.waitSignals, QtBot.waitExposed, QtBot.waitActive):
            patch.setattr(wait, "__kwdefaults__", (wait.__kwdefaults__ or {}) | {"timeout": 30_000})
        patch.setattr(Controls.shutdown, "__defaults__", (30.0,))
        yield


@pytest.fixture
def theme(qtbot: QtBot) -> ThemeManager:
    return ThemeManager(ThemeMode.LIGHT)


@pytest.fixture
def dressed(theme: ThemeManager, qapp: QApplication) -> Iterator[ThemeManager]:
    """The look, put on for one test: heights and widths are the style sheet's doing."""
    with put_on(theme, qapp):
        yield theme


@pytest.fixture
def controls(qtbot: QtBot, tmp_path: Path) -> Iterator[Controls]:
    """Digits are loaded; torch is not. Nothing is evaluated unless a test asks for it: that would train a judge."""
    bench = Controls(PLAIN, data_root=tmp_path / "datasets", runs_root=tmp_path / "runs")
    with qtbot.waitSignal(bench.setup.dataset_changed):
        bench.setup.set_dataset(bench.setup.config.dataset)
    yield bench
    assert bench.shutdown()


@pytest.fixture
def settings(tmp_path: Path) -> QSettings:
    """Of a person who works in the Workbench."""
    found = QSettings(str(tmp_path / "studio.ini"), QSettings.Format.IniFormat)
    found.setValue("workbench", True)
    return found


@pytest.fixture
def own_window(
    qtbot: QtBot, controls: Controls, theme: ThemeManager, settings: QSettings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[MainWindow]:
    """The Workbench, active; digits are loaded, torch is not. Panels behind others are made when they are seen."""
    window = MainWindow(controls, theme, settings)
    show_active(qtbot, window)
    yield window
    monkeypatch.setattr(window, "_may_lose", lambda *_: True)
    window.close()
    window.deleteLater()


@pytest.fixture(scope="module")
def lender(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, qapp: QApplication
) -> Iterator[Lender]:
    """Of the Workbench, or of the page in a module that says so by `ON_PAGE`."""
    lender = Lender(tmp_path_factory.mktemp("lent"), in_docks=not getattr(request.module, "ON_PAGE", False))
    yield lender
    lender.close()


@pytest.fixture
def window(request: pytest.FixtureRequest, qtbot: QtBot) -> Iterator[MainWindow]:
    """Lent by the module, unless the test asks for one of its own, or for something that such a one is made of."""
    if {"own_window", "controls", "theme", "settings"} & set(request.fixturenames):
        yield request.getfixturevalue("own_window")
        return
    lender: Lender = request.getfixturevalue("lender")
    yield lender.lend(qtbot)
    lender.take_back(qtbot)


@pytest.fixture
def all_panels(window: MainWindow) -> None:
    """As in the studio soon after it is opened; takes as long again as the window itself."""
    window.views.make_panels()


@pytest.fixture
def hands(qtbot: QtBot, window: MainWindow) -> Hands:
    return Hands(qtbot, window)


@pytest.fixture
def quick_hands(hands: Hands) -> Hands:
    """At a window whose runs are quick and log every step."""
    cadence = hands.bench.setup.config.cadence.model_copy(update={"log_every": 1, "samples": 9})
    hands.bench.setup.edit(model=VaeConfig(), cadence=cadence, threads=1)
    return hands
