"""What is on the screen before the window, and that it goes when the window comes."""

import subprocess
import sys
from pathlib import Path

import pytest
from PySide6.QtCore import QSettings
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QApplication

from studio.gui.widgets.theme import ThemeMode
from studio.gui.window.splash import picture, theme_of_person
from studio.theme_tokens import load_tokens

_OPENING = """
import sys
from PySide6.QtWidgets import QApplication
from studio.gui.window.splash import show_splash

splash = show_splash()
assert splash.isVisible() and splash.grab().width() > 100
loaded = {"numpy", "pydantic", "pyqtgraph", "torch"} & set(sys.modules)
assert not loaded, f"the splash waits for {loaded}"

from PySide6.QtCore import QTimer
from studio.gui.application import end_process, run_application

def look():
    (window,) = (one for one in QApplication.topLevelWidgets() if one.objectName() == "main_window")
    if window.isVisible() and not splash.isVisible():
        print("the window alone", flush=True)
        timer.stop()
        window.close()

timer = QTimer(interval=10)
timer.timeout.connect(look)
timer.start()
end_process(run_application(splash=splash))
"""


@pytest.mark.slow
def test_that_the_splash_waits_for_no_library_and_goes_when_the_window_is_there(private_home: Path) -> None:
    root = Path(__file__).parents[3]
    command = [sys.executable, "-c", _OPENING]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False, timeout=100)
    assert (done.returncode, done.stdout) == (0, "the window alone\n"), done.stderr


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("ratio", [1.0, 1.5])
def test_that_it_is_drawn_sharp_and_in_the_look(qapp: QApplication, dark: bool, ratio: float) -> None:
    tokens = load_tokens(dark=dark)
    pixmap = picture(tokens, ratio)
    image = pixmap.toImage()
    assert pixmap.devicePixelRatio() == ratio
    assert image.pixelColor(10, 10) == QColor(tokens.raised)
    assert image.pixelColor(0, image.height() // 2) == QColor(tokens.border)
    margin = image.copy(image.width() - round(20 * ratio), 10, round(10 * ratio), image.height() - 20)
    assert {margin.pixel(x, y) for x in range(margin.width()) for y in range(margin.height())} == {margin.pixel(0, 0)}


@pytest.mark.parametrize(("kept", "mode"), [("dark", ThemeMode.DARK), ("mauve", ThemeMode.SYSTEM)])
def test_that_a_look_that_is_no_look_is_the_systems(
    qapp: QApplication, tmp_path: Path, kept: str, mode: ThemeMode
) -> None:
    settings = QSettings(str(tmp_path / "studio.ini"), QSettings.Format.IniFormat)
    settings.setValue("theme", kept)
    assert theme_of_person(settings).mode is mode
