import json
from pathlib import Path

import pytest
from PySide6.QtWidgets import QFileDialog, QMenu, QTableView

from studio.gui.state.run_view import RunPhase, RunView
from studio.gui.target.offsets.columns import Column
from studio.training.config.file import read_config
from studio.training.config.presets import config_or_preset, presets
from studio.training.config.run_config import RunConfig
from studio.training.messages.events import Finished, Outcome
from tests.gui.hands import Hands, Key, Modifier, ask_share
from tests.library.made_runs import make_config, make_run

CTRL = Modifier.ControlModifier


@pytest.fixture
def choice(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What the file dialogs answer, one after the other; nothing is a cancelled dialog."""
    answers: list[Path] = []

    def answer(*_: object) -> tuple[str, str]:
        return (str(answers.pop(0)) if answers else "", "")

    monkeypatch.setattr(QFileDialog, "getOpenFileName", answer)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    return answers


def recent(hands: Hands) -> list[str]:
    """Entries of the submenu as it can be opened: none where it is off."""
    menu = hands.file_menu("Open &recent")
    return [action.text() for action in menu.actions()] if menu.isEnabled() else []


def test_that_presets_stand_under_their_data_by_the_names_of_their_runs(hands: Hands) -> None:
    menu = hands.file_menu("&Presets")
    assert [part.text() for part in menu.actions()] == ["Digits", "MNIST", "Points of the plane"]
    hands.file_menu("&Presets")
    parts = [part.menu() for part in menu.actions()]
    entries = [[entry.text() for entry in part.actions()] for part in parts if isinstance(part, QMenu)]
    assert "MNIST, 30 % twos, Diffusion" in entries[1]
    assert sum(map(len, entries)) == len(presets()), "opening the menu again adds nothing"


def write(path: Path, **fields: object) -> Path:
    path.write_text(json.dumps(json.loads(RunConfig().to_json()) | fields))
    return path


def test_that_what_is_saved_opens_as_it_was(hands: Hands, choice: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "tilted twos.json"
    hands.enter(2, Column.TARGET, "30")
    offsets = hands.bench.target.class_offsets()
    choice.append(path.with_suffix(""))  # the ending is added
    hands.key(Key.Key_S, CTRL)
    assert read_config(path) == hands.bench.setup.config
    assert hands.window.windowTitle() == "tilted twos.json – Perturbation Studio"
    hands.enter(2, Column.OFFSET, "0")
    hands.key(Key.Key_S, CTRL)  # knows its file now
    assert read_config(path).perturbation.offsets == {}
    hands.key(Key.Key_Z, CTRL)
    hands.key(Key.Key_S, CTRL)
    hands.enter(2, Column.OFFSET, "1")
    choice.append(path)
    hands.key(Key.Key_O, CTRL)
    assert hands.bench.target.class_offsets() == offsets
    assert hands.bench.setup.undo_stack.undoText() == f"Open {path.name}"
    hands.key(Key.Key_Z, CTRL)
    assert hands.bench.target.class_offsets()[2] == 1


def test_that_a_preset_is_undone_in_one_step_with_its_data_set(hands: Hands) -> None:
    bench, stack = hands.bench, hands.bench.setup.undo_stack
    hands.enter(2, Column.TARGET, "30")
    before = bench.setup.config
    planar = hands.preset("planar-gan")
    with hands.qtbot.waitSignal(bench.setup.dataset_changed):
        planar.trigger()
    bench.setup.edit(seed=7)
    preset = bench.setup.config
    table = hands.find(QTableView, "offsets_table")  # whatever has the keyboard once other data are there
    assert preset.dataset != before.dataset
    with hands.qtbot.waitSignal(bench.setup.dataset_changed):
        hands.qtbot.keyClick(table, Key.Key_Z, CTRL)
    assert bench.setup.config == before
    assert bench.setup.dataset.class_names[2] == "2"
    assert stack.undoText() == "Share of 2"
    with hands.qtbot.waitSignal(bench.setup.dataset_changed):
        hands.qtbot.keyClick(table, Key.Key_Y, CTRL)
    assert bench.setup.config == preset  # with what was edited since


def test_that_no_set_up_comes_back_under_a_run(hands: Hands) -> None:
    bench, stack = hands.bench, hands.bench.setup.undo_stack
    bench.setup.set_config(bench.setup.config.model_copy(update={"seed": 7}), "Preset")
    bench.runs._set_run(RunView(phase=RunPhase.RUNNING, step=1))
    hands.key(Key.Key_Z, CTRL)
    assert bench.setup.config.seed == 7
    ask_share(bench.target, 2, 0.3)  # can be undone as ever
    hands.key(Key.Key_Z, CTRL)
    assert bench.target.class_offsets()[2] == 0
    hands.qtbot.waitUntil(lambda: not stack.canUndo() and stack.canRedo())
    hands.key(Key.Key_Z, CTRL)
    assert bench.setup.config.seed == 7
    bench.runs._set_run(RunView(phase=RunPhase.FINISHED, step=1))
    hands.key(Key.Key_Z, CTRL)
    assert bench.setup.config.seed == 0


def test_that_a_file_is_opened_under_a_run_once_that_is_stopped(
    hands: Hands, choice: list[Path], tmp_path: Path
) -> None:
    choice.append(write(tmp_path / "seven.json", seed=7))
    hands.bench.runs._set_run(RunView(phase=RunPhase.RUNNING, step=1))
    with hands.answering("Stop, save and open it"):
        hands.key(Key.Key_O, CTRL)
    assert hands.bench.setup.config.seed == 0
    hands.bench.runs._on_news(None, [Finished(outcome=Outcome.STOPPED, step=2)], 0)
    assert hands.bench.setup.config.seed == 7


def test_that_the_title_names_the_file_only_while_that_is_what_the_window_is_about(
    hands: Hands, tmp_path: Path
) -> None:
    window, bench = hands.window, hands.bench
    window.files.open(write(tmp_path / "seven.json", seed=7))
    assert window.windowTitle() == "seven.json – Perturbation Studio"
    with hands.qtbot.waitSignal(bench.time.frame_shown):
        bench.time.open(make_run(bench.setup.runs_root, "old", make_config("an old run")))
    assert window.windowTitle() == "an old run – Perturbation Studio"
    bench.subjects.leave()
    assert window.windowTitle() == "seven.json – Perturbation Studio"


def test_that_a_dialog_that_is_cancelled_changes_nothing(hands: Hands, choice: list[Path]) -> None:
    before = hands.bench.setup.config
    hands.key(Key.Key_O, CTRL)
    hands.key(Key.Key_S, CTRL)
    assert hands.bench.setup.config is before
    assert hands.window.windowTitle() == "Perturbation Studio"
    assert not choice


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('{"schema_version": 2, "colour": "red"}', "newer version of the studio"),
        ('{"colour": "red"}', "colour is not a setting that this version knows"),
        ('{"seed": "abc"', "not valid JSON"),
    ],
)
def test_that_a_bad_file_is_told_in_a_box_and_the_edits_survive(
    hands: Hands, choice: list[Path], tmp_path: Path, content: str, told: str
) -> None:
    hands.enter(2, Column.TARGET, "30")
    before = hands.bench.setup.config
    path = tmp_path / "bad.json"
    path.write_text(content)
    choice.append(path)
    with hands.answering("OK") as said:
        hands.key(Key.Key_O, CTRL)
    (text,) = said
    assert told in text
    assert "bad.json" in text
    assert hands.bench.setup.config is before
    assert hands.bench.setup.undo_stack.canUndo()
    assert hands.window.windowTitle() == "Perturbation Studio"


def test_that_a_place_that_cannot_be_written_is_told_in_a_box(hands: Hands, choice: list[Path], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    choice.append(tmp_path / "file" / "configuration.json")
    with hands.answering("OK") as said:
        hands.key(Key.Key_S, CTRL)
    assert "could not be written" in said[0]
    assert hands.window.windowTitle() == "Perturbation Studio"


def test_that_recent_files_are_listed_newest_first_and_forgotten_once_gone(
    hands: Hands, choice: list[Path], tmp_path: Path
) -> None:
    assert recent(hands) == []
    first, second = write(tmp_path / "first.json", seed=1), write(tmp_path / "R&D.json", seed=2)
    for path in (first, second):
        choice.append(path)
        hands.key(Key.Key_O, CTRL)
        hands.wait(lambda: hands.bench.tasks.view is None)
    assert hands.bench.setup.config.seed == 2
    assert [name.replace("&&", "&") for name in recent(hands)] == [str(second), str(first)]
    first.unlink()
    with hands.answering("OK") as said:
        hands.window.files.open(first)
    assert "cannot be opened" in said[0]
    second.unlink()
    with hands.answering("OK"):
        hands.window.files.open(second)
    assert recent(hands) == []


def test_that_a_preset_opens_and_saving_asks_for_a_name_of_ones_own(
    hands: Hands, choice: list[Path], tmp_path: Path
) -> None:
    before = config_or_preset("digits-vae")
    hands.preset("digits-vae").trigger()
    hands.wait(lambda: hands.bench.tasks.view is None)
    assert hands.bench.setup.config.model.kind == "vae"
    choice.append(tmp_path / "mine.json")
    hands.key(Key.Key_S, CTRL)
    assert config_or_preset("digits-vae") == before
    assert read_config(tmp_path / "mine.json") == hands.bench.setup.config


def test_that_the_file_the_window_was_opened_on_is_the_one_saved(hands: Hands, tmp_path: Path) -> None:
    path = write(tmp_path / "given.json")
    hands.window.files.begin_with(path)
    assert hands.window.windowTitle() == "given.json – Perturbation Studio"
    hands.enter(2, Column.OFFSET, "1")
    hands.key(Key.Key_S, CTRL)
    assert read_config(path).perturbation.offsets == {"2": 1.0}
