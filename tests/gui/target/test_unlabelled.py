"""The window on a folder of images without labels, used by clicks and keys."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QFileDialog, QLabel, QPushButton, QTableWidget, QToolButton
from pytestqt.qtbot import QtBot

from studio.data.digits import DigitsConfig, load_digits
from studio.data.folder import FolderConfig
from studio.gui.forms.fields import JudgeField
from studio.gui.target.energy.panel import EnergyPanel
from studio.gui.target.energy.term_row import TermRow
from studio.gui.target.terms import term_words
from studio.gui.window.controls import Controls
from studio.gui.window.main_window import MainWindow
from studio.progress import Progress
from studio.training.config.energy import EnergyConfig, FormulaTermConfig, JudgeTermConfig
from tests.data.idx_files import write_idx_set
from tests.data.image_folders import write_image_folder, write_loose_images
from tests.gui.hands import PATIENCE_MS, Hands, Key
from tests.gui.target.test_energy_panel import add, enter, settle

pytestmark = pytest.mark.usefixtures("kept_judge")


@pytest.fixture
def loose(qtbot: QtBot, window: MainWindow, tmp_path: Path) -> MainWindow:
    """200 digits of which nobody has said which is which are loaded."""
    images = load_digits(DigitsConfig(), Path("unused"), Progress()).images[:200]
    bench = window.controls
    with qtbot.waitSignal(bench.setup.dataset_changed):
        bench.setup.set_dataset(FolderConfig(path=str(write_loose_images(tmp_path / "scans", images)), size=8))
    return window


def panel(window: MainWindow, name: str) -> Any:
    dock = window.docks[name]
    dock.show()
    dock.raise_()
    return dock.widget()


def add_judge(qtbot: QtBot, window: MainWindow) -> tuple[EnergyPanel, TermRow]:
    """Favour what the judge of the digits takes for a 2."""
    energy = panel(window, "energy")
    row = add(qtbot, energy, "Judge", "As Digits", "2")
    settle(qtbot, window.controls)
    return energy, row


def judge_term(bench: Controls) -> JudgeTermConfig:
    (term,) = bench.setup.config.perturbation.terms
    assert isinstance(term, JudgeTermConfig)
    return term


def test_that_shares_and_offsets_say_why_there_are_none(qtbot: QtBot, loose: MainWindow) -> None:
    shares = panel(loose, "shares")
    assert "There are no classes to train a judge on" in shares.empty_text
    assert "“Judge of”" in shares.empty_text
    setup = panel(loose, "setup")
    choice = setup.findChild(JudgeField, "judge")
    choice.setFocus()
    while choice.currentText() != "Digits":
        qtbot.keyClick(choice, Key.Key_Down)
    assert loose.controls.setup.config.evaluation.judge == "digits"
    assert "Press Start" in shares.empty_text
    offsets = panel(loose, "offsets")
    empty = offsets.findChild(QLabel, "offsets_empty")
    qtbot.waitUntil(empty.isVisible)
    assert not offsets.summary.answer.isVisible(), "nor an empty line"
    assert empty.text().startswith("scans has no classes to give offsets to.")
    for name in ("preset_zero", "preset_balance", "preset_only", "preset_invert"):
        assert not offsets.findChild(QAbstractButton, name).isEnabled()
    with qtbot.waitSignal(loose.controls.setup.dataset_changed):
        loose.controls.setup.set_dataset(DigitsConfig())
    assert not empty.isVisible()
    assert offsets.findChild(QAbstractButton, "preset_zero").isEnabled()


def test_that_the_judge_of_another_set_tilts_and_its_log_odds_are_seen_before_and_after(
    qtbot: QtBot, loose: MainWindow
) -> None:
    energy, row = add_judge(qtbot, loose)
    term = judge_term(loose.controls)
    assert (term.of, term.data) == ("2", "digits")
    assert term.slope < 0
    loose.controls.target.set_energy(EnergyConfig(terms=(term.model_copy(update={"slope": -0.05}),)), "slope")
    assert term_words(judge_term(loose.controls)) == "−0.05·log-odds of 2"
    preview = energy.preview
    assert preview.choice.currentText() == "Judge: 2 (digits)"
    assert preview.plot.accessibleName() == "Judge: 2 (digits) before and after"
    tilt, measured = loose.controls.target.tilt, loose.controls.energies.measured
    odds = measured.values(preview.choice.currentData())
    weights = np.exp(-tilt.energies.energy)
    assert weights @ odds / weights.sum() > odds.mean() + 0.1
    assert tilt.summary.efficiency < 0.99
    theory = panel(loose, "theory")
    theory.controls.choice.setFocus()
    qtbot.keyClick(theory.controls.choice, Key.Key_End)
    assert theory.controls.choice.currentText() == "Judge: 2 (digits)"
    qtbot.waitUntil(lambda: theory.theory is not None)
    assert theory.theory.moments.mean == pytest.approx(odds.mean())
    assert theory.plots.by_name["mean"].labels["left"] == "mean log-odds of 2 (nats)"
    panel(loose, "energy")
    qtbot.mouseClick(row.findChild(QToolButton, "term_remove"), Qt.MouseButton.LeftButton)
    settle(qtbot, loose.controls)
    assert preview.choice.findText("Judge: 2 (digits)") < 0


def test_that_the_row_changes_whose_judge_it_asks(
    qtbot: QtBot, loose: MainWindow, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pets = write_image_folder(tmp_path / "pets", classes=2, per_class=8)
    energy, row = add_judge(qtbot, loose)
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: "")
    data = row.fields["data"]
    assert isinstance(data, JudgeField)
    data.setFocus()
    qtbot.keyClick(data, Key.Key_End)
    assert judge_term(loose.controls).data == "digits"
    assert data.currentText() == "Digits"
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(pets))
    qtbot.keyClick(data, Key.Key_End)
    settle(qtbot, loose.controls)
    assert judge_term(loose.controls).data == f"folder:{pets}"
    assert judge_term(loose.controls).of == "class 1"
    (row,) = energy.rows
    of, data = row.fields["of"], row.fields["data"]
    assert isinstance(of, QComboBox)
    assert isinstance(data, JudgeField)
    assert data.currentText() == "Folder pets"
    assert [of.itemText(place) for place in range(of.count())] == ["class 1", "class 2"]
    of.setFocus()
    qtbot.keyClick(of, Key.Key_Down)
    settle(qtbot, loose.controls)
    assert judge_term(loose.controls).of == "class 2"
    loose.controls.setup.undo_stack.undo()
    loose.controls.setup.undo_stack.undo()
    assert judge_term(loose.controls).data == "digits"
    assert energy.rows[0].fields["of"].raw() == "2"


def test_that_a_formula_asks_for_its_judge_once_it_needs_one(qtbot: QtBot, loose: MainWindow) -> None:
    energy = panel(loose, "energy")
    row = add(qtbot, energy, "Formula")
    data = row.fields["data"]
    assert isinstance(data, JudgeField)
    assert not data.isVisible()
    enter(qtbot, row, "text", "-0.05*log_odds(2)")
    settle(qtbot, loose.controls)
    assert row.message.text().startswith("There are no classes to train a judge on")
    assert data.isVisible()
    data.setFocus()
    qtbot.keyClick(data, Key.Key_Down)
    settle(qtbot, loose.controls)
    assert row.message.text() == ""
    (term,) = loose.controls.setup.config.perturbation.terms
    assert isinstance(term, FormulaTermConfig)
    assert (term.data, term.text) == ("digits", "-0.05*log_odds(2)")
    assert data.isVisible()
    tilt = loose.controls.target.tilt
    assert 0.1 < tilt.summary.efficiency < 0.99


def test_that_a_judge_whose_data_are_not_here_is_told_at_its_row_until_they_are(
    qtbot: QtBot, loose: MainWindow, tmp_path: Path
) -> None:
    energy, row = add_judge(qtbot, loose)
    data = row.fields["data"]
    assert isinstance(data, JudgeField)
    data.setFocus()
    qtbot.keyClick(data, Key.Key_Down)
    settle(qtbot, loose.controls)
    assert row.message.text().startswith("MNIST is not in the data folder yet")
    assert judge_term(loose.controls).data == "digits"
    assert energy.message.isHidden()
    write_idx_set(tmp_path / "elsewhere")
    loose.controls.setup.set_data_root(tmp_path / "elsewhere")
    qtbot.keyClick(data, Key.Key_Up)
    qtbot.keyClick(data, Key.Key_Down)
    settle(qtbot, loose.controls)
    assert judge_term(loose.controls).data == "mnist"


@pytest.mark.slow
def test_that_a_run_on_them_is_judged_compared_and_foreseen(qtbot: QtBot, quick_hands: Hands, tmp_path: Path) -> None:
    window, bench = quick_hands.window, quick_hands.bench
    images = load_digits(DigitsConfig(), Path("unused"), Progress()).images[:200]
    with qtbot.waitSignal(bench.setup.dataset_changed):
        bench.setup.set_dataset(FolderConfig(path=str(write_loose_images(tmp_path / "scans", images)), size=8))
    judged = bench.setup.config.evaluation.model_copy(update={"judge": "digits", "samples": 40})
    bench.setup.edit(evaluation=judged)
    add_judge(qtbot, window)
    quick_hands.train()
    shares = panel(window, "shares")
    qtbot.mouseClick(shares.evaluate, Qt.MouseButton.LeftButton)
    quick_hands.wait(lambda: shares.bars.bars is not None)
    latest = bench.evaluations.view.latest
    found = latest.evaluation
    assert (found.judge, found.class_names) == ("Digits", tuple("0123456789"))
    assert found.target[2] > found.data[2]
    assert shares.bars.bars.names[-1] == "unsure"
    theory = panel(window, "theory")
    quick_hands.wait(lambda: theory.theory is not None)
    assert theory.controls.choice.currentData() == "ink"
    assert theory.legend.chips["generated"].text().removeprefix("Generated").strip() != "–"
    planners = panel(window, "planners")
    qtbot.mouseClick(planners.findChild(QPushButton, "planners_compare"), Qt.MouseButton.LeftButton)
    quick_hands.wait(lambda: planners.report is not None)
    assert planners.findChild(QTableWidget, "planners_table").rowCount() == 5
    quick_hands.end()
    evaluate = window.actions_of_run["evaluate"]
    bench.setup.edit(evaluation=judged.model_copy(update={"judge": ""}))
    with qtbot.waitSignal(bench.log.line_logged) as line:
        evaluate.trigger()
    assert "There are no classes to train a judge on" in line.args[0].text
    bench.setup.edit(evaluation=judged)
    with qtbot.waitSignal(bench.evaluations.evaluated, timeout=PATIENCE_MS):
        evaluate.trigger()
