from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Literal

import pytest
from pydantic import model_validator
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import QFileDialog, QLabel, QLineEdit, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from studio.data.catalog import DATASETS
from studio.errors import UserError
from studio.gui.forms.fields import ChoiceField, SwitchField
from studio.gui.forms.forms import SettingsForm
from studio.gui.forms.number_field import NumberField
from studio.gui.widgets.foldable import Folds
from studio.gui.widgets.theme import ThemeManager
from studio.models.adversarial.config import Constraint, LipschitzConfig
from studio.models.catalog import MODELS
from studio.names import readable
from studio.settings import Settings, setting
from studio.training.config.run_config import RunConfig
from tests.gui.hands import find, wheel
from tests.gui.shown import show

Key = Qt.Key


class Colour(StrEnum):
    DARK_RED = "dark_red"
    RGB = "rgb"


class Inner(Settings):
    rate: float = setting(1e-3, "Rate", "Size of a step.", log=True, gt=0, le=10)


class Sample(Settings):
    kind: Literal["sample"] = "sample"
    size: int = setting(32, "Size", "Edge of an image.", unit="px", step=8, ge=8, le=128)
    fraction: float = setting(0.5, "Fraction", "A part.", step=0.25, ge=0, lt=1)
    colour: Colour = setting(Colour.DARK_RED, "Colour", "What it looks like.")
    mode: Literal["fast", "slow"] = setting("fast", "Mode", "How.")
    shuffled: bool = setting(False, "Shuffled", "In any order.")
    code: str = setting("ab", "Code", "Two letters.", pattern="^[a-z]{2}$")
    place: str = setting("", "Place", "A folder.", path="folder")
    hidden: int = setting(1, "Hidden", "Seldom needed.", ge=0, le=9)
    inner: Inner = setting(Inner(rate=2e-3), "Inner", "A part of its own.")

    @model_validator(mode="after")
    def fast_is_small(self) -> Sample:
        if self.mode == "fast" and self.size > 100:
            raise ValueError("Fast works up to 100 px.")
        return self


class Hand:
    """A form, and someone who fills it in."""

    def __init__(self, qtbot: QtBot, form: SettingsForm) -> None:
        self.qtbot, self.form = qtbot, form
        self.told: list[Sample] = []
        form.changed.connect(self.told.append)

    def field(self, name: str) -> QWidget:
        return find(self.form, QWidget, name)

    def number(self, name: str) -> NumberField:
        field = self.field(name)
        assert isinstance(field, NumberField)
        return field

    def line(self, name: str) -> QLineEdit:
        field = self.field(name)
        return field.lineEdit() if isinstance(field, NumberField) else field.findChild(QLineEdit) or field  # type: ignore[return-value]

    def enter(self, name: str, text: str) -> None:
        line = self.line(name)
        line.setFocus()
        line.selectAll()
        self.qtbot.keyClick(line, Key.Key_Delete)
        self.qtbot.keyClicks(line, text)
        self.qtbot.keyClick(line, Key.Key_Return)

    def press(self, name: str) -> None:
        button = self.form.findChild(QToolButton, name)
        assert button.isVisible()
        self.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    def message(self, name: str) -> str:
        label = self.form.findChild(QLabel, f"{name}_message")
        return label.text() if label.isVisible() else ""

    @property
    def value(self) -> Sample:
        value = self.form.value()
        assert isinstance(value, Sample)
        return value


@pytest.fixture
def hand(qtbot: QtBot, theme: ThemeManager) -> Hand:
    folds = Folds()
    folds.show({"inner"})
    form = SettingsForm(Sample, theme, folds=folds)
    qtbot.addWidget(form)
    form.resize(300, 600)
    with qtbot.waitExposed(form):
        form.show()
    form.activateWindow()
    return Hand(qtbot, form)


def test_that_each_kind_of_field_can_be_changed(hand: Hand) -> None:
    hand.enter("size", "64")
    hand.enter("fraction", "0,75")
    hand.field("colour").setFocus()
    hand.qtbot.keyClick(hand.field("colour"), Key.Key_Down)
    hand.field("mode").setFocus()
    hand.qtbot.keyClick(hand.field("mode"), Key.Key_Down)
    switch = hand.field("shuffled")
    assert isinstance(switch, SwitchField)
    hand.qtbot.mouseClick(switch, Qt.MouseButton.LeftButton, pos=QPoint(8, switch.height() // 2))
    hand.enter("code", "xy")
    hand.enter("rate", "5e-4")
    assert hand.value == Sample(
        size=64, fraction=0.75, colour=Colour.RGB, mode="slow", shuffled=True, code="xy", inner=Inner(rate=5e-4)
    )
    assert hand.told[-1] == hand.value


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("size", "abc", "“abc” is not a number."),
        ("size", "", "A number is missing."),
        ("size", "4", "from 8 to 128"),
        ("size", "9.5", "whole number"),
        ("fraction", "1", "from 0 to below 1"),
        ("rate", "0", "above 0 to 10"),
        ("rate", "1e308", "above 0 to 10"),
        ("rate", "NaN", "“NaN” is not a number."),
        ("code", "toolong", "“toolong” does not have the right form."),
    ],
)
def test_that_a_bad_entry_is_explained_beside_its_field_and_changes_nothing(
    hand: Hand, name: str, text: str, told: str
) -> None:
    hand.enter(name, text)
    assert told in hand.message(name)
    assert hand.line(name).text() == text or hand.line(name).text() == f"{text} px"
    assert hand.value == Sample()
    assert hand.told[-1:] in ([], [Sample()])


def test_that_a_good_field_is_taken_while_another_is_bad_which_stays_as_it_was_typed(hand: Hand) -> None:
    hand.enter("size", "abc")
    hand.enter("code", "xy")
    assert hand.value == Sample(code="xy")
    assert hand.message("size")
    hand.form.set_value(hand.value)
    assert hand.line("size").text() == "abc", "the same settings are shown again"
    assert hand.message("size")
    hand.enter("size", "16")
    assert hand.message("size") == ""
    assert hand.value == Sample(code="xy", size=16)


def test_that_a_rule_over_several_fields_speaks_below_the_form(hand: Hand) -> None:
    hand.enter("size", "120")
    label = hand.form.findChild(QLabel, "form_message")
    assert label.text() == "Fast works up to 100 px."
    assert hand.value == Sample()


def test_that_reset_shows_only_when_there_is_something_to_reset(hand: Hand) -> None:
    reset = hand.form.findChild(QToolButton, "rate_reset")
    assert not reset.isVisible()
    hand.enter("rate", "1")
    hand.press("rate_reset")
    assert hand.value.inner == Inner(rate=2e-3)
    assert not reset.isVisible()
    hand.enter("size", "abc")
    hand.press("size_reset")
    assert hand.message("size") == ""
    assert hand.line("size").text() == "32 px"


def test_that_the_wheel_changes_only_the_field_with_the_focus(hand: Hand) -> None:
    hand.field("code").setFocus()
    for name in ("size", "colour", "rate"):
        wheel(hand.field(name), 1)
    assert hand.value == Sample()
    hand.field("size").setFocus()
    wheel(hand.field("size"), 2)
    assert hand.value == Sample(size=48)


def test_that_steps_stay_in_range_and_a_log_field_climbs_one_two_five(hand: Hand) -> None:
    for _ in range(3):
        hand.qtbot.keyClick(hand.number("fraction"), Key.Key_Up)
    assert hand.value.fraction == 0.75
    rates = []
    for _ in range(3):
        hand.qtbot.keyClick(hand.number("rate"), Key.Key_Up)
        rates.append(hand.value.inner.rate)
    assert rates == [5e-3, 1e-2, 2e-2]
    hand.enter("rate", "0.001")
    assert hand.line("rate").text() == "1e-3"
    hand.qtbot.keyClick(hand.number("rate"), Key.Key_Down)
    assert hand.value.inner.rate == 5e-4


def test_that_a_group_is_folded_away_and_says_how_much_of_it_is_changed(hand: Hand) -> None:
    header = hand.form.findChild(QToolButton, "fold")
    hand.qtbot.mouseClick(header, Qt.MouseButton.LeftButton)
    assert not hand.field("rate").isVisible()
    hand.qtbot.mouseClick(header, Qt.MouseButton.LeftButton)
    hand.enter("rate", "0.1")
    assert header.text() == "Inner (1 changed)"
    assert hand.form.changes == 1


def test_that_a_folder_can_be_browsed_for(hand: Hand, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    browse = find(hand.form, QPushButton, "browse")
    hand.qtbot.mouseClick(browse, Qt.MouseButton.LeftButton)
    assert hand.value.place == str(tmp_path)


def test_that_an_error_from_outside_is_shown_at_its_path(hand: Hand) -> None:
    hand.press("fold")
    assert not hand.field("rate").isVisible()
    hand.form.show_error(UserError("Too fast", "It diverges"), ["inner", "rate"])
    assert hand.message("rate") == "Too fast. It diverges."


def test_that_choices_read_well() -> None:
    assert [readable(value) for value in ("error_carry", "mlp", "sgd", "adam", "auto", Colour.RGB)] == [
        "Error carry", "MLP", "SGD", "Adam", "Auto", "RGB",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "kind",
    [*(spec.config for spec in MODELS), *(spec.config for spec in DATASETS), RunConfig],
    ids=lambda kind: kind.__name__,
)
def test_that_every_setting_of_the_studio_has_a_row_that_explains_it(
    qtbot: QtBot, theme: ThemeManager, kind: type[Settings]
) -> None:
    form = SettingsForm(kind, theme, exclude=("dataset", "model", "perturbation"))
    qtbot.addWidget(form)
    assert form.value() == kind()
    for field in (*form.findChildren(NumberField), *form.findChildren(ChoiceField), *form.findChildren(SwitchField)):
        assert field.accessibleName()
        assert field.toolTip()
    assert form.minimumSizeHint().width() <= 270


def test_that_a_row_is_left_out_while_its_condition_is_not_met(qtbot: QtBot, theme: ThemeManager) -> None:
    form = SettingsForm(LipschitzConfig, theme)
    show(qtbot, form)

    def seen() -> set[str]:
        rows = ("clip", "penalty_weight", "penalty_sides", "spectral_weight", "parameter_weight")
        return {name for name in rows if find(form, QWidget, name).isVisible()}

    shown: dict[Constraint, set[str]] = {
        Constraint.NONE: set(),
        Constraint.CLIP: {"clip"},
        Constraint.GRADIENT_PENALTY: {"penalty_weight", "penalty_sides"},
        Constraint.SPECTRAL_PENALTY: {"spectral_weight"},
        Constraint.PARAMETER_PENALTY: {"parameter_weight"},
    }
    for kind, rows in shown.items():
        form.set_value(LipschitzConfig(kind=kind))
        assert seen() == rows
