"""The looks: colours that can be told apart and read, and a manager that follows or obeys."""

import itertools
import re
import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QIcon, QImage
from PySide6.QtWidgets import QApplication, QCheckBox, QComboBox, QPushButton, QRadioButton, QSpinBox
from pytestqt.qtbot import QtBot

from studio.gui.widgets import stylesheet as stylesheet_module
from studio.gui.widgets import theme as theme_module
from studio.gui.widgets.theme import ThemeManager, ThemeMode, palette_of
from studio.paths import resources
from studio.theme_tokens import Tokens, load_tokens

# Machado, Oliveira and Fernandes (2009), severity 1, on linear RGB.
_VISION = {
    "normal": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}


def _linear(colour: str) -> NDArray[np.float64]:
    value = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(value <= 0.04045, value / 12.92, ((value + 0.055) / 1.055) ** 2.4)


def _oklab(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    cones = np.array([[0.41222, 0.53633, 0.05145], [0.21190, 0.68070, 0.10740], [0.08830, 0.28172, 0.62998]])
    mix = np.array([[0.21045, 0.79362, -0.00407], [1.97800, -2.42859, 0.45059], [0.02590, 0.78277, -0.80868]])
    return mix @ np.cbrt(cones @ linear)


def _contrast(first: str, second: str) -> float:
    low, high = sorted(float(_linear(colour) @ [0.2126, 0.7152, 0.0722]) for colour in (first, second))
    return (high + 0.05) / (low + 0.05)


def _colours(image: QImage) -> set[str]:
    """Of every pixel that nothing shines through."""
    pixels = (image.pixelColor(x, y) for x in range(image.width()) for y in range(image.height()))
    return {pixel.name() for pixel in pixels if pixel.alpha() == 255}


@pytest.fixture(params=[False, True], ids=["light", "dark"])
def tokens(request: pytest.FixtureRequest) -> Tokens:
    return load_tokens(dark=request.param)


def _nearest(colours: tuple[str, ...], vision: str) -> float:
    seen = [_oklab(np.clip(_VISION[vision] @ _linear(colour), 0, 1)) for colour in colours]
    return min(float(np.linalg.norm(a - b)) for a, b in itertools.combinations(seen, 2))


@pytest.mark.parametrize("vision", _VISION)
def test_that_the_first_ten_class_colours_differ_for_every_eye(tokens: Tokens, vision: str) -> None:
    assert _nearest(tokens.classes[:10], vision) > 0.065  # 0.02 is just noticeable side by side


def test_that_47_classes_have_a_colour_each(tokens: Tokens) -> None:
    assert len(set(tokens.classes)) >= 47
    assert _nearest(tokens.classes, "normal") > 0.02


def test_that_class_colours_stand_out_from_the_plot(tokens: Tokens) -> None:
    least = 3.0 if tokens.dark else 2.2
    assert all(_contrast(colour, tokens.surface) >= least for colour in tokens.classes)


@pytest.mark.parametrize("ground", ["window", "surface", "raised"])
@pytest.mark.parametrize("name", ["text", "muted", "warning", "error", "ok"])
def test_that_text_can_be_read(tokens: Tokens, name: str, ground: str) -> None:
    assert _contrast(getattr(tokens, name), getattr(tokens, ground)) >= 4.5


def test_that_selected_text_and_focus_rings_can_be_seen(tokens: Tokens) -> None:
    assert _contrast(tokens.on_accent, tokens.accent) >= 4.5
    assert _contrast(tokens.focus, tokens.window) >= 3


def test_that_a_class_keeps_its_colour_beyond_the_palette(tokens: Tokens) -> None:
    assert tokens.class_colour(len(tokens.classes) + 3) == tokens.class_colour(3)


def test_that_the_manager_does_as_it_is_told(qtbot: QtBot) -> None:
    theme = ThemeManager(ThemeMode.LIGHT)
    with qtbot.waitSignal(theme.changed) as changed:
        theme.set_mode("dark")
    assert theme.tokens.dark
    assert theme.mode is ThemeMode.DARK
    assert changed.args == [theme.tokens]
    with qtbot.assertNotEmitted(theme.changed):
        theme.set_mode(ThemeMode.DARK)


def test_that_the_manager_follows_the_system(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theme_module, "_system_is_dark", lambda: True)
    theme = ThemeManager(ThemeMode.SYSTEM)
    assert theme.tokens.dark
    monkeypatch.setattr(theme_module, "_system_is_dark", lambda: False)
    theme.set_mode(ThemeMode.SYSTEM)
    assert not theme.tokens.dark


def test_that_the_application_is_dressed(dressed: ThemeManager, qapp: QApplication) -> None:
    for mode in (ThemeMode.DARK, ThemeMode.LIGHT):
        dressed.set_mode(mode)
        assert qapp.palette().window().color() == QColor(dressed.tokens.window)
        assert dressed.tokens.focus in qapp.styleSheet()


@pytest.mark.parametrize("name", ["pictures", 'it\'s (a) "folder"'])
def test_that_a_sheet_draws_its_pictures_wherever_they_lie(
    name: str, qtbot: QtBot, tokens: Tokens, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(resources() / "pictures", tmp_path / name / "pictures")
    monkeypatch.setattr(stylesheet_module, "resources", lambda: tmp_path / name)
    box, radio, number, choice = QCheckBox(), QRadioButton(), QSpinBox(), QComboBox()
    box.setChecked(True)
    radio.setChecked(True)
    for widget, colour in ((box, "on_accent"), (radio, "on_accent"), (number, "muted"), (choice, "muted")):
        qtbot.addWidget(widget)
        widget.setStyleSheet(stylesheet_module.stylesheet(tokens))
        assert getattr(tokens, colour) in _colours(widget.grab().toImage())


@pytest.mark.parametrize("path", sorted((resources() / "pictures").glob("*.svg")), ids=lambda path: path.stem)
def test_that_a_picture_has_a_colour_of_its_look(path: Path) -> None:
    look = load_tokens(dark=path.stem.endswith("-dark"))
    colour = look.muted if path.stem.startswith("arrow") else look.on_accent
    assert set(re.findall(r"#[0-9a-f]{6}", path.read_text(encoding="utf-8"))) == {colour}


def test_that_disabled_text_is_fainter(tokens: Tokens, qtbot: QtBot) -> None:
    palette = palette_of(tokens)
    disabled = palette.color(palette.ColorGroup.Disabled, palette.ColorRole.Text).name()
    assert _contrast(disabled, tokens.surface) < _contrast(tokens.text, tokens.surface)
    assert _contrast(disabled, tokens.surface) > 2


@pytest.mark.parametrize("path", sorted((resources() / "icons").glob("*.svg")), ids=lambda path: path.stem)
def test_that_an_icon_is_drawn_in_the_text_colour(path: Path, qtbot: QtBot) -> None:
    theme = ThemeManager(ThemeMode.DARK)
    colours = _colours(theme.icon(path.stem).pixmap(48).toImage())
    assert colours
    if "currentColor" in path.read_text(encoding="utf-8"):
        assert theme.tokens.text in colours


@pytest.mark.parametrize("size", [15, 40, 96])
def test_that_an_icon_is_drawn_at_the_size_that_is_asked_for(size: int, qtbot: QtBot) -> None:
    picture = ThemeManager(ThemeMode.LIGHT).icon("stop").pixmap(size).toImage()
    assert (picture.width(), picture.height()) == (size, size)
    middle = {picture.pixelColor(size // 2, y).alpha() for y in range(size)}
    assert {0, 255} <= middle  # of ink and none, with at most an edge between them
    assert len(middle) <= 4


def test_that_an_icon_without_room_is_none() -> None:
    assert ThemeManager(ThemeMode.LIGHT).icon("stop").pixmap(QSize(0, 16)).isNull()  # a warning of Qt's would fail it


def test_that_a_bound_icon_changes_with_the_look_until_its_button_is_gone(qtbot: QtBot) -> None:
    theme = ThemeManager(ThemeMode.LIGHT)
    button, doomed = QPushButton(), QPushButton()
    qtbot.addWidget(button)
    theme.bind_icon(button, "start")
    theme.bind_icon(doomed, "stop")
    before = button.icon().cacheKey()
    doomed.deleteLater()
    qtbot.wait(1)
    theme.set_mode("dark")
    assert button.icon().cacheKey() != before
    disabled = button.icon().pixmap(32, QIcon.Mode.Disabled).toImage()
    assert disabled.pixelColor(14, 16).name() == theme.tokens.disabled
