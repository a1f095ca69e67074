"""The energy panel, used as a person uses it: menus, clicks and keys, on the built-in digits."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtWidgets import (
    QApplication,
    QCheckBox,
    QComboBox,
    QFileDialog,
    QLabel,
    QLineEdit,
    QMenu,
    QToolButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from studio.data.folder import FolderConfig
from studio.errors import UserError
from studio.evaluation import judge
from studio.gui.live.weights import WeightsPanel
from studio.gui.state.tilt_view import TiltView
from studio.gui.target.energy.formula_field import FormulaField
from studio.gui.target.energy.panel import EnergyPanel
from studio.gui.target.energy.term_row import TermRow
from studio.gui.target.offsets.columns import Column, cell_text
from studio.gui.target.offsets.edits import OffsetsEdits
from studio.gui.target.offsets.summary import _OFFSETS_ALONE, Sentence
from studio.gui.target.theory.panel import TheoryPanel
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls
from studio.gui.window.main_window import MainWindow
from studio.perturb.features import measure
from studio.perturb.perturbation import target_shares
from studio.training.config.energy import FormulaTermConfig, JudgeTermConfig, LinearTermConfig
from studio.training.config.run_config import BatchConfig, CadenceConfig, PerturbationConfig, RunConfig
from tests.data.image_folders import write_image_folder
from tests.gui.hands import PATIENCE_MS, Hands, Key, ask_share, find, panel_of, write
from tests.gui.shown import show, show_active


@pytest.fixture
def panel(qtbot: QtBot, controls: Controls, theme: ThemeManager) -> EnergyPanel:
    panel = EnergyPanel(controls.setup, controls.target, controls.energies, theme)
    show(qtbot, panel)
    panel.resize(560, 400)
    return panel


def settle(qtbot: QtBot, bench: Controls) -> None:
    qtbot.waitUntil(lambda: not bench.energies.busy and bench.tasks.view is None, timeout=PATIENCE_MS)


def shown(bench: Controls) -> TiltView:
    assert bench.target.tilt is not None
    return bench.target.tilt


def menu_action(menu: QMenu, *path: str) -> Any:
    (action,) = [each for each in menu.actions() if each.text() == path[0]]
    if len(path) == 1:
        return action
    inner = action.menu()
    assert isinstance(inner, QMenu)
    return menu_action(inner, *path[1:])


def add(qtbot: QtBot, panel: EnergyPanel, *path: str) -> TermRow:
    """Choose an entry of the menu and wait for its row."""
    before = len(panel.rows)
    menu_action(panel.add.menu(), *path).trigger()
    qtbot.waitUntil(lambda: len(panel.rows) == before + 1, timeout=PATIENCE_MS)
    return panel.rows[-1]


def enter(qtbot: QtBot, row: TermRow, name: str, text: str) -> None:
    """Type into a field of a row and press Enter."""
    field = row.findChild(QLineEdit, f"term_{name}") or row.fields[name]
    line = field if isinstance(field, QLineEdit) else field.lineEdit()  # type: ignore[attr-defined]
    write(qtbot, line, text)
    qtbot.keyClick(line, Key.Key_Return)


def test_that_a_formula_shows_an_example_and_completes_names(
    qtbot: QtBot, panel: EnergyPanel, controls: Controls
) -> None:
    row = add(qtbot, panel, "Formula")
    line = row.fields["text"]
    assert isinstance(line, FormulaField)
    line.setFocus()
    line.clear()
    assert line.placeholderText().startswith("such as where(")
    popup = line.popup

    def press(key: Key) -> None:
        qtbot.keyClick(popup if popup.isVisible() else line, key)

    qtbot.keyClicks(line, "whe")
    press(Key.Key_Down)
    press(Key.Key_Return)
    assert line.text() == "where("
    assert not popup.isVisible()
    qtbot.keyClicks(line, "2*SLA")
    press(Key.Key_Escape)
    assert not popup.isVisible()
    qtbot.keyClicks(line, "n")
    press(Key.Key_Down)
    press(Key.Key_Return)
    assert line.text() == "where(2*slant"
    qtbot.keyClicks(line, " > 10, 1, 0) + l")
    assert popup.isVisible()
    qtbot.keyClicks(line, "abel")
    assert not popup.isVisible(), "the name is complete"
    press(Key.Key_Return)
    settle(qtbot, controls)
    assert panel.energy.terms[0].model_dump()["text"] == "where(2*slant > 10, 1, 0) + label"
    qtbot.keyClicks(line, "+")
    qtbot.keyClicks(line, "1e")
    assert not popup.isVisible(), "that is a number"


def term_shares(bench: Controls) -> Any:
    return bench.target.tilt.summary.target


def test_that_the_panel_says_what_will_appear_without_a_data_set(
    qtbot: QtBot, theme: ThemeManager, tmp_path: Path
) -> None:
    bench = Controls(data_root=tmp_path, runs_root=tmp_path)
    panel = EnergyPanel(bench.setup, bench.target, bench.energies, theme)
    show(qtbot, panel)
    assert "Choose a data set under “Change…”" in panel.empty_text
    assert bench.shutdown()


def test_that_a_feature_term_starts_gentle_and_tilts_the_target(
    qtbot: QtBot, panel: EnergyPanel, controls: Controls
) -> None:
    row = add(qtbot, panel, "Linear", "Slant")
    assert isinstance(row.term, LinearTermConfig)
    assert controls.target.tilt.energies is not None
    assert controls.target.tilt.summary.efficiency == pytest.approx(np.exp(-0.25), abs=0.05)
    slant = measure(controls.setup.images.values, ["slant"])["slant"]
    weights = np.exp(-dict(row.term)["slope"] * slant)
    labels = controls.setup.images.labels
    assert term_shares(controls) == pytest.approx(np.bincount(labels, weights=weights) / weights.sum())


def test_that_edits_count_at_enter_and_undo_one_by_one(qtbot: QtBot, panel: EnergyPanel, controls: Controls) -> None:
    row = add(qtbot, panel, "Linear", "Ink")
    first = row.term
    enter(qtbot, row, "slope", "0.2")
    assert dict(controls.setup.config.perturbation.terms[0])["slope"] == 0.2
    assert controls.setup.undo_stack.undoText() == "Slope of linear in ink (term 1)"
    controls.setup.undo_stack.undo()
    assert controls.setup.config.perturbation.terms == (first,)
    assert row.fields["slope"].raw() == dict(first)["slope"]
    controls.setup.undo_stack.undo()
    assert panel.rows == []
    controls.setup.undo_stack.redo()
    assert panel.rows[0].term == first


def test_that_a_term_can_be_gone_to_switched_off_scaled_and_removed(
    qtbot: QtBot, panel: EnergyPanel, controls: Controls
) -> None:
    row = add(qtbot, panel, "Quadratic", "Mean")
    tilted = term_shares(controls)
    qtbot.keyClick(row.findChild(QCheckBox, "term_enabled"), Key.Key_Space)
    assert controls.target.tilt.energies is None
    qtbot.keyClick(row.findChild(QCheckBox, "term_enabled"), Key.Key_Space)
    assert term_shares(controls) == pytest.approx(tilted)
    enter(qtbot, row, "scale", "0")
    assert term_shares(controls) == pytest.approx(controls.target.tilt.dataset.shares)
    qtbot.mouseClick(row.findChild(QToolButton, "term_remove"), Qt.MouseButton.LeftButton)
    assert panel.rows == []
    assert controls.setup.undo_stack.undoText() == "Remove quadratic in mean"
    row = add(qtbot, panel, "Linear", "Ink")
    panel.setFocus()
    panel.edit_term(0)
    focused = QApplication.focusWidget()
    assert focused is not None
    assert row.isAncestorOf(focused)
    panel.edit_term(-1)
    assert panel.add.menu().isVisible()
    panel.add.menu().close()


def test_that_a_formula_is_told_where_it_is_wrong_while_it_is_typed(
    qtbot: QtBot, panel: EnergyPanel, controls: Controls
) -> None:
    row = add(qtbot, panel, "Formula")
    line = find(panel, FormulaField, "term_text")
    line.selectAll()
    qtbot.keyClicks(line, "0.1*inkk")
    assert row.message.isVisibleTo(panel)
    assert "Column 5" in row.message.text()
    assert "Did you mean “ink”" in row.message.text()
    qtbot.keyClick(line, Key.Key_Backspace)
    qtbot.keyClick(line, Key.Key_Backspace)
    popup = line.popup
    assert popup.isVisible()
    assert row.message.isVisibleTo(panel)
    assert popup.geometry().bottom() <= line.mapToGlobal(QPoint(0, 0)).y(), "it does not cover the message"
    qtbot.keyClicks(line, "kk")
    qtbot.keyClick(line, Key.Key_Return)
    assert line.text() == "0.1*inkk"  # to be mended
    assert controls.setup.config.perturbation.terms == (FormulaTermConfig(),)
    qtbot.keyClick(line, Key.Key_Backspace)
    assert not row.message.isVisibleTo(panel)
    qtbot.keyClick(line, Key.Key_Return)
    settle(qtbot, controls)
    assert controls.setup.config.perturbation.terms == (FormulaTermConfig(text="0.1*ink"),)


def test_that_what_is_not_finite_or_out_of_order_is_refused_at_its_row_and_changes_nothing(
    qtbot: QtBot, panel: EnergyPanel, controls: Controls
) -> None:
    row = add(qtbot, panel, "Window", "Contrast")
    before = row.term
    enter(qtbot, row, "low", "99")
    assert "lower end lies above" in row.message.text()
    enter(qtbot, row, "low", "x")
    assert "not a number" in row.message.text()
    assert controls.setup.config.perturbation.terms == (before,)
    row = add(qtbot, panel, "Formula")
    enter(qtbot, row, "text", "log(label)")
    settle(qtbot, controls)
    assert "gives −∞ for example 0 (class “0”), where label = 0" in row.message.text()
    assert controls.setup.config.perturbation.terms[-1] == FormulaTermConfig()
    assert not panel.message.isVisibleTo(panel)


def test_that_temperature_and_clip_say_what_they_give_and_class_offsets_can_be_switched_off(
    qtbot: QtBot, panel: EnergyPanel, controls: Controls
) -> None:
    controls.target.set_offset(2, -2.0)
    assert term_shares(controls)[2] > 0.3
    qtbot.keyClick(panel.sum.offsets_row.findChild(QCheckBox, "energy_offsets_enabled"), Key.Key_Space)
    assert term_shares(controls) == pytest.approx(controls.target.tilt.dataset.shares)
    add(qtbot, panel, "Linear", "Ink")
    warm = controls.target.tilt.summary.efficiency
    line = panel.sum.fields["temperature"].lineEdit()  # type: ignore[attr-defined]
    line.selectAll()
    qtbot.keyClicks(line, "0.25")
    qtbot.keyClick(line, Key.Key_Return)
    assert controls.setup.config.perturbation.temperature == 0.25
    assert controls.target.tilt.summary.efficiency < warm
    qtbot.mouseClick(panel.sum.clip_on, Qt.MouseButton.LeftButton)
    assert controls.setup.config.perturbation.clip == 3.0
    assert "Clipped:" in panel.sum.cost.text()
    assert "total variation" in panel.sum.cost.text()
    qtbot.mouseClick(panel.sum.clip_on, Qt.MouseButton.LeftButton)
    assert controls.setup.config.perturbation.clip is None


def test_that_a_share_typed_beside_terms_is_the_share_that_the_target_has_unless_it_is_clipped_or_offsets_are_off(
    qtbot: QtBot, panel: EnergyPanel, controls: Controls
) -> None:
    add(qtbot, panel, "Linear", "Ink")
    before = term_shares(controls)
    ask_share(controls.target, 2, 0.3)
    after = term_shares(controls)
    assert after[2] == pytest.approx(0.3, rel=1e-9)
    others = np.arange(10) != 2
    assert after[others] / after[others].sum() == pytest.approx(before[others] / before[others].sum(), rel=1e-9)
    OffsetsEdits(controls.target).enter(Column.TARGET, {2: "25", 3: "25"})
    assert term_shares(controls)[2:4] == pytest.approx([0.25, 0.25], rel=1e-9)
    controls.target.set_energy(panel.energy.model_copy(update={"temperature": 3.0}), "T")
    ask_share(controls.target, 5, 0.4)
    assert term_shares(controls)[5] == pytest.approx(0.4, rel=1e-9)
    for change, says in (({"clip": 1.0}, "clipped"), ({"clip": None, "offsets_enabled": False}, "do not count")):
        controls.target.set_energy(panel.energy.model_copy(update=change), "change")
        with pytest.raises(UserError, match=says):
            ask_share(controls.target, 2, 0.3)


def test_that_a_term_that_was_being_measured_while_another_edit_was_undone_is_undone_to_what_there_was(
    qtbot: QtBot, panel: EnergyPanel, controls: Controls
) -> None:
    stack, hotter = controls.setup.undo_stack, panel.energy.model_copy(update={"temperature": 3.0})
    controls.target.set_energy(hotter, "T")
    term = LinearTermConfig(feature="slant", slope=1.0)
    with qtbot.waitSignal(stack.indexChanged):
        controls.target.set_energy(hotter.model_copy(update={"terms": (term,)}), "Add")
        stack.undo()
    qtbot.waitUntil(lambda: panel.energy.terms == (term,))
    stack.undo()
    assert panel.energy.temperature == 1.0


def test_that_the_preview_shows_before_and_after_weights_and_extremes(
    qtbot: QtBot, panel: EnergyPanel, controls: Controls
) -> None:
    assert find(panel, QLabel, "most_favoured").text() == "All alike"
    row = add(qtbot, panel, "Linear", "Ink")
    enter(qtbot, row, "slope", "-0.5")
    shown = panel.preview.plot._shown
    assert shown.name == "ink"
    data, target = shown.series["Data"], shown.series["Target"]
    weights = np.exp(0.5 * data)
    assert target.mean() == pytest.approx(np.average(data, weights=weights), abs=0.05)
    assert not find(panel, QLabel, "most_favoured").pixmap().isNull()
    combo = find(panel, QComboBox, "energy_histogram")
    combo.setFocus()
    qtbot.keyClick(combo, Key.Key_End)
    assert panel.preview.plot._shown.name == "weight"


def test_that_a_csv_column_is_added_by_its_file(
    qtbot: QtBot, panel: EnergyPanel, controls: Controls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "energies.csv"
    path.write_text("id,energy\n0,x\n", encoding="utf-8")
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_: (str(path), ""))
    panel.add.setFocus()
    dialog = QWidget()
    qtbot.addWidget(dialog)
    show_active(qtbot, dialog)  # the window is not active again where a dialog has just gone
    menu_action(panel.add.menu(), "CSV column").trigger()
    qtbot.waitUntil(lambda: panel.message.isVisibleTo(panel))
    assert panel.window().focusWidget() is panel.add
    panel.window().activateWindow()
    assert "Line 2" in panel.message.text() or "names no example" in panel.message.text()
    path.write_text("id,energy\n0,-4\n", encoding="utf-8")
    add(qtbot, panel, "CSV column")
    assert not panel.message.isVisibleTo(panel)
    assert controls.target.tilt.energies.energy[0] == -4
    qtbot.waitUntil(lambda: "energies.csv gives 1 of 1,797 examples their ΔH" in panel.sum.cost.text())


def test_that_a_file_with_terms_that_the_data_set_lacks_says_so_at_the_row(
    qtbot: QtBot, panel: EnergyPanel, controls: Controls
) -> None:
    terms = (LinearTermConfig(feature="ink"), LinearTermConfig(feature="hue"))
    controls.setup.set_config(RunConfig(perturbation=PerturbationConfig(offsets={"2": -1.0}, terms=terms)), "Terms")
    qtbot.waitUntil(lambda: controls.target.tilt is not None and controls.target.tilt.fault is not None)
    settle(qtbot, controls)
    assert "no feature “hue”" in (panel.message.text() or panel.rows[1].message.text())
    assert term_shares(controls) == pytest.approx(target_shares(controls.setup.dataset.counts, [0, 0, -1, *[0] * 7]))
    tilt, said = shown(controls), Sentence.of(shown(controls))
    assert tilt.fault is not None
    assert said.answer == f"What this target comes to is not known. {tilt.fault.title}."
    assert (said.answer_role, said.cost) == ("warning", _OFFSETS_ALONE)
    assert cell_text(tilt, 2, Column.TARGET).startswith("("), "as what is generated for another target"


def test_that_what_a_target_comes_to_is_not_told_before_its_terms_are_measured(
    qtbot: QtBot, controls: Controls, theme: ThemeManager
) -> None:
    """Without them there would be no tilt at all."""
    weights, theory = (
        WeightsPanel(controls.target, controls.time, theme),
        TheoryPanel(controls.target, controls.energies, controls.means, theme),
    )
    for each in (weights, theory):
        show(qtbot, each)
    terms = (LinearTermConfig(feature="ink", slope=0.1),)
    controls.setup.set_config(RunConfig(perturbation=PerturbationConfig(terms=terms)), "Terms")
    qtbot.waitUntil(lambda: controls.target.tilt is not None and controls.target.tilt.uncounted)
    said = Sentence.of(shown(controls))
    assert said.answer == "What this target comes to is not known. Its terms are being measured."
    with pytest.raises(UserError, match="share that an offset gives is not known"):
        ask_share(controls.target, 2, 0.3)  # by the counts alone the offset would be another
    for each in (weights, theory):
        each.draw()
    assert "being measured" in theory.empty_text
    assert not weights.figures
    settle(qtbot, controls)
    assert Sentence.of(shown(controls)).answer.endswith("nothing is evaluated yet.")
    for each in (weights, theory):
        each.draw()
    assert (theory.empty_text, bool(weights.figures)) == ("", True)


def test_that_terms_stay_when_the_data_set_changes_and_are_measured_anew(
    qtbot: QtBot, panel: EnergyPanel, controls: Controls, tmp_path: Path
) -> None:
    add(qtbot, panel, "Linear", "Ink")
    root = write_image_folder(tmp_path / "pets", classes=2, per_class=4)
    with qtbot.waitSignal(controls.setup.dataset_changed):
        controls.setup.set_dataset(FolderConfig(path=str(root), size=8))
    qtbot.waitUntil(lambda: controls.target.tilt is not None and controls.target.tilt.energies is not None)
    tilt = controls.target.tilt
    assert len(tilt.energies.energy) == 8
    assert "Hue" in [action.text() for action in menu_action(panel.add.menu(), "Linear").menu().actions()]


@pytest.mark.slow
def test_that_a_run_under_way_takes_up_terms(qtbot: QtBot, window: MainWindow) -> None:
    hands = Hands(qtbot, window)
    hands.choose("model", "vae")
    cadence = CadenceConfig(log_every=1, sample_every=3600, samples=4)
    hands.bench.setup.edit(batch=BatchConfig(average_size=8), cadence=cadence, threads=1)
    bench, panel = window.controls, panel_of(window, "energy")
    hands.train()
    add(qtbot, panel, "Linear", "Slant")
    hands.wait(
        lambda: bool(bench.runs.history.marks) and bench.target.tilt is not None and not bench.target.tilt.pending
    )
    assert "edit 1" in bench.runs.history.marks[-1].text
    hands.end()


def test_that_every_control_can_be_reached_with_tab(qtbot: QtBot, window: MainWindow) -> None:
    panel = panel_of(window, "energy")
    window.docks["energy"].raise_()
    add(qtbot, panel, "Formula")
    assert find(panel, QLineEdit, "term_text").hasFocus()
    row = add(qtbot, panel, "Quadratic", "Ink")
    panel.add.setFocus()
    reached = set()
    for _ in range(40):
        qtbot.keyClick(QApplication.focusWidget(), Key.Key_Tab)
        focus = QApplication.focusWidget()
        reached.add(focus.objectName())
    wanted = {
        "energy_temperature",
        "energy_clip_on",
        "energy_offsets_enabled",
        "energy_offsets_scale",
        "energy_histogram",
    }
    assert wanted | {field.objectName() for field in row.fields.values()} | {"term_remove"} <= reached  # type: ignore[attr-defined]


def test_that_a_judge_term_trains_the_judge_in_the_background_and_tilts_within_a_class(
    qtbot: QtBot, panel: EnergyPanel, controls: Controls, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(judge, "_SEEN", 2000)  # a rough one will do
    row = add(qtbot, panel, "Judge", "2")
    settle(qtbot, controls)
    assert isinstance(row.term, JudgeTermConfig)
    assert row.term.of == "2"
    assert row.term.slope < 0
    assert term_shares(controls)[2] > 0.11
    tilt = controls.target.tilt
    assert np.ptp(tilt.energies.energy[tilt.dataset.labels == 2]) > 0
    choose = row.fields["of"]
    assert isinstance(choose, QComboBox)
    choose.setFocus()
    qtbot.keyClick(choose, Key.Key_Down)
    settle(qtbot, controls)
    assert dict(controls.setup.config.perturbation.terms[0])["of"] == "3"


def test_that_a_judge_can_be_given_up_while_it_learns(qtbot: QtBot, panel: EnergyPanel, controls: Controls) -> None:
    menu_action(panel.add.menu(), "Judge", "2").trigger()
    qtbot.waitUntil(lambda: controls.tasks.view is not None and "judge" in controls.tasks.view.text)
    assert panel.busy.isVisibleTo(panel)
    controls.tasks.cancel()
    settle(qtbot, controls)
    assert panel.rows == []
