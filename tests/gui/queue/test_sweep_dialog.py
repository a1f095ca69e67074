"""The dialog that puts a sweep together, by keys alone; what it makes goes into the queue and can be taken back."""

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit
from pytestqt.qtbot import QtBot

from studio.gui.queue.panel import QueuePanel
from studio.gui.queue.sweep_dialog import SweepDialog
from studio.gui.queue.sweep_fields import BadValuesError, SweptField, parse_values, sweepable
from studio.gui.queue.sweep_window import SweepWindow
from studio.gui.state.log import LogLine
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls
from studio.gui.window.main_window import MainWindow
from studio.jobs.sweep_plan import Combination
from studio.paths import state_dir
from studio.training.config.run_config import PerturbationConfig, RunConfig
from tests.gui.hands import click, write

Key = Qt.Key
CLASSES = ("0", "1", "2")
CONFIG = RunConfig(name="mine", perturbation=PerturbationConfig(offsets={"2": -1.5}))


def field(path: str) -> SweptField:
    return next(each for each in sweepable(CONFIG, CLASSES) if each.path == path)


@pytest.fixture
def dialog(qtbot: QtBot, theme: ThemeManager) -> Iterator[SweepDialog]:
    dialog = SweepDialog(CONFIG, CLASSES, lambda limit, number: None if limit.steps else 310.0 * number, 7200.0, theme)
    with qtbot.waitActive(dialog):
        dialog.show()
    yield dialog
    dialog.close()
    dialog.deleteLater()


def names(dialog: SweepDialog) -> list[str]:
    return [dialog.preview.item(row).text() for row in range(dialog.preview.count())]


@pytest.mark.parametrize(
    ("path", "text", "values"),
    [
        ("perturbation.offsets.2", "-1, −2,  3.5", (-1.0, -2.0, 3.5)),
        ("perturbation.offsets.2", "0,5; 1", (0.5, 1.0)),
        ("perturbation.offsets.2", "1 2 3", (1.0, 2.0, 3.0)),
        ("seed", "0,1", (0, 1)),
        ("batch.planner", "Error carry, stratified", ("error_carry", "stratified")),
        ("model.kind", "VAE, rbm", ("vae", "rbm")),
        ("perturbation.offsets_enabled", "on, off", (True, False)),
        ("device", "cpu", ("cpu",)),
        ("perturbation.clip", "1, 2.5", (1.0, 2.5)),
        ("perturbation.offsets.2", "−2 to 0 in 5", (-2.0, -1.5, -1.0, -0.5, 0.0)),
        ("batch.average_size", "1 to 1000 in 4 log", (1.0, 10.0, 100.0, 1000.0)),
        ("seed", " 0 TO 4 in 3", (0, 2, 4)),
    ],
)
def test_that_values_are_read_as_a_person_writes_them(path: str, text: str, values: tuple[object, ...]) -> None:
    assert parse_values(text, field(path)) == values


@pytest.mark.parametrize(
    ("path", "text", "told"),
    [
        ("perturbation.offsets.2", " ", "Give its values"),
        ("perturbation.offsets.2", "1, x", "“x” is not a number"),
        ("perturbation.offsets.2", "1, 701", "701 is out of range: from −700 to 700"),
        ("perturbation.offsets.2", "-1, -1", "−1.0 comes twice"),
        ("seed", "1.5", "1.5 is no whole number"),
        ("batch.planner", "fast", "“fast” is none of Error carry"),
        ("seed", ",".join(map(str, range(201))), "201 values"),
        ("perturbation.offsets.2", "0 to 10 in 3, log", "above 0"),
        ("perturbation.offsets.2", "0 to 10 in 2.5", "A range has 2 to 200 values"),
        ("perturbation.offsets.2", "0 to 701 in 3", "701 is out of range"),
        ("perturbation.offsets.2", "0 to x in 3", "“x” is not a number"),
        ("seed", "0 to 2 in 6", "comes twice"),
    ],
)
def test_that_values_that_cannot_be_taken_are_told(path: str, text: str, told: str) -> None:
    with pytest.raises(BadValuesError, match=told):
        parse_values(text, field(path))


def test_that_every_setting_is_on_offer_with_what_it_takes() -> None:
    paths = {each.path for each in sweepable(CONFIG, CLASSES)}
    assert {"perturbation.offsets.0", "model.kind", "dataset.kind", "batch.average_size", "seed"} <= paths
    assert any(path.startswith("model.") and path.endswith("learning_rate") for path in paths)
    assert not paths & {"name", "schema_version"}
    assert field("batch.average_size").expected == "numbers in examples, from 1 to 65536"


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("batch.planner", "error carry, STRATIFIED", "2 values: Error carry, Stratified"),
        ("model.kind", "wgan-gp, vae", "2 values: WGAN-GP, VAE"),
        ("perturbation.offsets.2", "-1", "1 value: −1"),
    ],
)
def test_that_values_are_called_what_the_set_up_calls_them(
    path: str, text: str, said: str, dialog: SweepDialog
) -> None:
    row = dialog.vary(field(path))
    row.values.setText(text)
    row.show_state()
    assert row.message.text() == said


def test_that_it_begins_with_the_class_that_is_tilted_most_and_nothing_wrong(qtbot: QtBot, dialog: SweepDialog) -> None:
    (row,) = dialog.rows
    assert row.field.path == "perturbation.offsets.2"
    assert QApplication.focusWidget() is row.values
    assert dialog.summary.text() == "Give the values above."
    assert dialog.summary.property("role") == "muted"
    qtbot.keyClick(row.values, Key.Key_Return)
    assert dialog.isVisible()
    assert dialog.summary.property("role") == "error"
    for widget in (*dialog.findChildren(QLineEdit, "sweep_values"), dialog.name, dialog.choice, dialog.preview):
        assert widget.accessibleName()
        assert widget.toolTip()
    assert not any("&" in label.text() for label in dialog.findChildren(QLabel) if label.buddy() is None)


def test_that_what_is_queued_before_them_is_none_of_their_training(
    qtbot: QtBot, dialog: SweepDialog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("studio.gui.queue.sweep_dialog.format_eta", str)
    write(qtbot, dialog.rows[0].values, "-1, -2")
    qtbot.waitUntil(lambda: bool(names(dialog)))
    assert dialog.summary.text().startswith("2 runs, about 10 min of training; through at about 7820.0 if ")
    dialog._before = None
    dialog.show_plan()
    assert dialog.summary.text() == "2 runs, about 10 min of training."


def test_that_runs_their_time_and_names_are_shown_while_one_types(qtbot: QtBot, dialog: SweepDialog) -> None:
    write(qtbot, dialog.rows[0].values, "-1, -2")
    qtbot.waitUntil(lambda: bool(names(dialog)))
    assert "2 runs, about 10 min" in dialog.summary.text()
    assert names(dialog) == ["ΔH(2)=−1", "ΔH(2)=−2"]
    assert dialog.title == "ΔH of 2 of mine"
    dialog.seeds.setFocus()
    qtbot.keyClick(dialog.seeds, Key.Key_Up)
    qtbot.waitUntil(lambda: len(names(dialog)) == 4)
    dialog.length.unit.setFocus()
    qtbot.keyClick(dialog.length.unit, Key.Key_Down)
    qtbot.waitUntil(lambda: "is known once" in dialog.summary.text())


def test_that_a_set_up_without_a_name_is_called_by_its_data_and_its_model(qtbot: QtBot, theme: ThemeManager) -> None:
    dialog = SweepDialog(RunConfig(), CLASSES, lambda *_: None, None, theme)
    qtbot.addWidget(dialog)
    assert "Every run is “Digits · WGAN-GP” as it is set up now" in dialog.findChildren(QLabel)[0].text()
    assert dialog.title == "ΔH of 0 of Digits · WGAN-GP"


def test_that_another_setting_is_found_by_a_part_of_its_name(qtbot: QtBot, dialog: SweepDialog) -> None:
    line = dialog.choice.lineEdit()
    assert line is not None
    write(qtbot, line, "B_avg")
    qtbot.keyClick(line, Key.Key_Return)
    row = dialog.rows[1]
    assert row.field.path == "batch.average_size"
    write(qtbot, row.values, "16 to 64 in 3 log")
    write(qtbot, dialog.rows[0].values, "-1, -2")
    qtbot.waitUntil(lambda: len(names(dialog)) == 6)
    assert row.message.text() == "3 values: 16, 32, 64"
    write(qtbot, line, "learning")
    dialog.vary_button.setFocus()
    qtbot.keyClick(dialog.vary_button, Key.Key_Space)
    assert "settings have “learning”" in dialog.summary.text()
    write(qtbot, line, "nothing of the kind")
    qtbot.keyClick(line, Key.Key_Return)
    assert "No setting has" in dialog.summary.text()
    assert len(dialog.rows) == 2


def test_that_a_fault_stands_beside_its_values_and_keeps_the_dialog_open(qtbot: QtBot, dialog: SweepDialog) -> None:
    row = dialog.rows[0]
    write(qtbot, row.values, "-1, 900")
    qtbot.keyClick(row.values, Key.Key_Return)
    assert dialog.isVisible()
    assert row.message.text() == "900 is out of range: from −700 to 700."
    assert row.values.property("invalid") == "true"
    assert dialog.summary.text() == f"Correct the values above: {row.message.text()}"
    write(qtbot, row.values, "-1, -2, -3")
    dialog.vary(field("seed"))
    write(qtbot, dialog.rows[1].values, "1, 2")
    dialog.combination.setFocus()
    qtbot.keyClick(dialog.combination, Key.Key_Down)
    qtbot.waitUntil(lambda: "must be equally many" in dialog.summary.text())
    assert Combination(dialog.combination.currentData()) is Combination.LIST
    write(qtbot, dialog.seeds.lineEdit(), "many")
    qtbot.waitUntil(lambda: "not a number" in dialog.summary.text())


def test_that_a_setting_can_be_left_out_again(qtbot: QtBot, dialog: SweepDialog) -> None:
    remove = dialog.table.cellWidget(0, 3)
    remove.setFocus()
    qtbot.keyClick(remove, Key.Key_Space)
    assert dialog.rows == []
    qtbot.waitUntil(lambda: "Nothing varies yet" in dialog.summary.text())
    dialog.seeds.setFocus()
    qtbot.keyClick(dialog.seeds, Key.Key_Up)
    qtbot.waitUntil(lambda: names(dialog) == ["Seed=0", "Seed=1"])
    qtbot.keyClick(dialog, Key.Key_Escape)
    assert dialog.sweep is None


def test_that_models_without_the_setting_are_told_when_the_sweep_is_added(qtbot: QtBot, dialog: SweepDialog) -> None:
    dialog.vary(field("model.kind"))
    write(qtbot, dialog.rows[0].values, "-1")
    write(qtbot, dialog.rows[1].values, "WGAN-GP, VAE")
    own = next(each for each in sweepable(CONFIG, CLASSES) if each.path == "model.critic_steps")
    dialog.vary(own)
    write(qtbot, dialog.rows[2].values, "1, 2")
    qtbot.keyClick(dialog.rows[2].values, Key.Key_Return)
    assert dialog.isVisible()
    assert "critic_steps" in dialog.summary.text()


def test_that_a_sweep_is_queued_as_it_is_now_and_can_be_undone(
    qtbot: QtBot, controls: Controls, theme: ThemeManager
) -> None:
    panel = QueuePanel(controls.setup, controls.queue, controls.sweeps, controls.log, theme)
    qtbot.addWidget(panel)
    with qtbot.waitActive(panel):
        panel.show()
    controls.setup.edit(name="base")
    click(qtbot, panel, "queue_sweep")
    dialog = panel.findChild(SweepDialog)
    write(qtbot, dialog.rows[0].values, "-1, -2")
    write(qtbot, dialog.name, "two tilts")
    qtbot.keyClick(dialog.name, Key.Key_Return)
    jobs = controls.queue.jobs
    assert [job.title for job in jobs] == ["ΔH(0)=-1", "ΔH(0)=-2"]
    assert jobs[0].sweep.title == "two tilts"
    assert jobs[0].folder.parent == controls.setup.runs_root
    shown = [panel.table.item(place, 0) for place in range(panel.table.rowCount())]
    assert [item.text() for item in shown if item is not None] == ["ΔH(0)=-1", "ΔH(0)=-2"]
    controls.setup.undo_stack.undo()
    assert not controls.queue.jobs
    controls.setup.undo_stack.redo()
    assert [job.title for job in controls.queue.jobs] == ["ΔH(0)=-1", "ΔH(0)=-2"]
    assert (state_dir() / "queue.sqlite").exists()
    controls.queue.shutdown()


@pytest.mark.usefixtures("all_panels")
def test_that_menu_and_keys_open_the_dialog_and_the_results(qtbot: QtBot, window: MainWindow) -> None:
    lines: list[LogLine] = []
    window.controls.log.line_logged.connect(lines.append)
    results = window.findChild(QAction, "run_sweep_results")
    results.trigger()
    assert "no sweep yet" in lines[-1].text
    qtbot.keyClick(window, Key.Key_W, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    dialog = window.findChild(SweepDialog)
    write(qtbot, dialog.rows[0].values, "-1, -2")
    qtbot.keyClick(dialog.rows[0].values, Key.Key_Return)
    assert len(window.controls.queue.jobs) == 2
    qtbot.keyClick(window, Key.Key_R, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    shown = window.findChild(SweepWindow)
    qtbot.waitUntil(lambda: shown.table.rowCount() == 2)
    assert "0 of 2" in shown.message.text()
    shown.close()
