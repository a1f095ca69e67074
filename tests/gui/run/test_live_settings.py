"""What reaches a run under way: learning rates from the set-up, and the way back to the last good state."""

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLabel, QMessageBox, QPushButton, QWidget

from studio.gui.forms.number_field import NumberField
from studio.gui.state.log import LogLine
from studio.gui.state.run_view import RunPhase
from studio.models.catalog import MODELS
from studio.models.vae.config import VaeConfig
from studio.training.config.run_config import BatchConfig, CadenceConfig
from studio.training.run import recovery
from tests.gui.hands import Hands, enter, find, write

Key = Qt.Key


@pytest.fixture
def hands(hands: Hands) -> Hands:
    """At a window whose runs are quick and log every step."""
    cadence = CadenceConfig(log_every=1, sample_every=60, samples=4)
    hands.bench.setup.edit(model=VaeConfig(), batch=BatchConfig(average_size=8), cadence=cadence, threads=1)
    return hands


def rate_field(hands: Hands) -> NumberField:
    part: QWidget = hands.find(QWidget, "autoencoder_optimiser")
    return find(part, NumberField, "learning_rate")


def test_that_every_model_has_a_rate_for_each_optimiser() -> None:
    for config in (spec.config.model_validate({"kind": spec.kind}) for spec in MODELS):
        rates = config.learning_rates
        assert rates
        assert all(config.optimiser(network).learning_rate == rate for network, rate in rates.items())


def test_that_learning_rates_alone_can_be_edited_while_it_trains(hands: Hands) -> None:
    assert rate_field(hands).isEnabled()
    hands.train()
    form = rate_field(hands).parentWidget()
    assert rate_field(hands).isEnabled()
    assert not hands.find(NumberField, "beta").isEnabled()
    kind = form.findChild(QComboBox, "kind")
    assert not kind.isEnabled()
    assert "Stop the run" in kind.toolTip()
    assert not hands.find(QComboBox, "model").isEnabled()
    hands.end()
    assert kind.isEnabled()
    assert "Stop the run" not in kind.toolTip()


@pytest.mark.slow
def test_that_a_rate_reaches_the_run_when_its_entry_is_finished(hands: Hands) -> None:
    lines: list[LogLine] = []
    hands.bench.log.line_logged.connect(lines.append)
    hands.train()
    field = rate_field(hands)
    write(hands.qtbot, field, "5e-4")
    hands.wait(lambda step=hands.bench.runs.run.step: hands.bench.runs.run.step > step + 2)
    assert not [line for line in lines if "Learning rate" in line.text], "5 alone would have been a disaster"
    hands.qtbot.keyClick(field, Key.Key_Return)
    hands.wait(lambda: any("Learning rate of the autoencoder is 0.0005" in line.text for line in lines))
    assert any("set to 0.0005" in mark.text for mark in hands.bench.runs.history.marks)
    assert hands.bench.setup.config.model.optimiser("autoencoder").learning_rate == 5e-4
    hands.end()


def test_that_a_bad_rate_stays_beside_its_field(hands: Hands) -> None:
    hands.train()
    field = rate_field(hands)
    enter(hands.qtbot, field, "-3")
    form = field.parentWidget()
    message = form.findChild(QLabel, "learning_rate_message")
    assert "range" in message.text()
    hands.wait(lambda step=hands.bench.runs.run.step: hands.bench.runs.run.step > step + 2)
    assert not hands.bench.runs.history.marks
    hands.end()


@pytest.mark.slow
def test_that_a_run_that_diverges_goes_back_by_a_click_and_on(hands: Hands, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recovery, "_SECONDS", 1e9)  # or a later state is good by the time that it diverges
    hands.train()
    hands.wait(lambda: hands.bench.runs.run.good_step is not None)
    restore = hands.window.actions_of_run["restore"]
    assert not restore.isEnabled(), "it does not wait"
    good = hands.bench.runs.run.good_step
    assert good is not None
    enter(hands.qtbot, rate_field(hands), "10")
    hands.wait(lambda: hands.window.findChild(QMessageBox, "error_box") is not None)
    box = hands.window.findChild(QMessageBox, "error_box")
    assert box.text() == "Training has diverged"
    button = box.findChild(QPushButton, "go_back")
    assert button.text().replace("&", "") == f"Go back to step {good:,}"
    assert restore.isEnabled()
    hands.qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    hands.wait(lambda: hands.bench.runs.run.step == good)
    assert hands.bench.runs.run.phase is RunPhase.PAUSED
    assert hands.bench.runs.history.steps[-1] <= good
    assert any("Went back" in mark.text for mark in hands.bench.runs.history.marks)
    enter(hands.qtbot, rate_field(hands), "1e-4")
    hands.press("pause")
    hands.wait(lambda: hands.bench.runs.run.step > good + 5)
    hands.end()


@pytest.mark.slow
def test_that_the_menu_goes_back_too_while_it_is_paused(hands: Hands) -> None:
    hands.train()
    hands.pause()
    restore = hands.window.actions_of_run["restore"]
    hands.wait(restore.isEnabled)
    assert f"(step {hands.bench.runs.run.good_step:,})" in restore.text()
    hands.key(Key.Key_B, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    hands.wait(lambda: hands.bench.runs.run.step == hands.bench.runs.run.good_step)
    hands.end()
    assert not restore.isEnabled()
