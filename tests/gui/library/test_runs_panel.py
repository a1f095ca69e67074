"""The table of runs, as a person uses it: search, sort, names, tags, notes, the trash, and the way back to a set-up."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt, QUrl
from PySide6.QtGui import QAction, QDesktopServices
from PySide6.QtWidgets import QApplication, QFileDialog, QInputDialog, QLabel, QLineEdit, QMenu, QToolButton
from pytestqt.qtbot import QtBot
from safetensors import safe_open

from studio.gui.library.actions import menu_of
from studio.gui.library.columns import HEADERS, Column, in_order
from studio.gui.library.panel import RunsPanel
from studio.gui.library.table_model import THUMBNAIL
from studio.gui.live.curves import LOSSES
from studio.gui.plots.curves import CurvesPanel
from studio.gui.state.run_view import RunPhase, RunView
from studio.gui.state.subject import Offer
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls
from studio.library.export.archive import pack
from studio.library.export.formats import FORMATS, ExportFormat
from studio.library.notes import RunNotes, read_notes, write_notes
from studio.library.run_summary import RunSummary, summary_of
from studio.paths import runs_root
from studio.training.storage.fingerprints import Fingerprints
from studio.training.storage.folder_lock import FolderLock
from studio.training.storage.metrics import read_metrics
from tests.gui.hands import PATIENCE_MS, Hands, enter, find, panel_of, write
from tests.gui.shown import show
from tests.library.made_runs import add_weights, make_config, make_run, record_evaluation

Key = Qt.Key
LEFT = Qt.MouseButton.LeftButton
CHECKED, UNCHECKED = Qt.ItemDataRole.CheckStateRole, Qt.CheckState.Unchecked


@pytest.fixture
def three_runs(controls: Controls) -> Path:
    root = controls.setup.runs_root
    assert controls.setup.images is not None
    data = {"data": Fingerprints.of(controls.setup.images).model_dump()}
    twos = make_run(root, "a", make_config("twos", offsets={"2": -1.36}), steps=500, summary=data)
    record_evaluation(add_weights(twos), 500, 0.03, 12.0)
    write_notes(twos, RunNotes(tags=("paper",), notes="Looks right."))
    plain = make_run(root, "b", make_config("plain", "wgan_gp"), steps=90, summary={"started": "2026-05-01T00:00:00"})
    record_evaluation(plain, 60, 0.2, 8.0)
    bad = make_run(root, "c")
    (bad / "config.json").write_text("{")
    return root


@pytest.fixture
def panel(qtbot: QtBot, controls: Controls, theme: ThemeManager, three_runs: Path) -> RunsPanel:
    panel = RunsPanel(controls.library, controls.sweeps, controls.time, controls.starter, theme)
    show(qtbot, panel, 900, 420)
    qtbot.waitUntil(lambda: len(panel.model.shown) == 3 and not panel.library.busy)
    return panel


def names(panel: RunsPanel) -> list[str]:
    return [run.name for run in panel.model.shown]


def click(qtbot: QtBot, panel: RunsPanel, name: str, column: Column = Column.NAME, held: bool = False) -> None:
    index = panel.model.index(names(panel).index(name), column)
    panel.view.scrollTo(index)
    modifier = Qt.KeyboardModifier.ControlModifier if held else Qt.KeyboardModifier.NoModifier
    qtbot.mouseClick(panel.view.viewport(), LEFT, modifier, panel.view.visualRect(index).center())


def text(panel: RunsPanel, name: str, column: Column) -> str:
    return str(panel.model.index(names(panel).index(name), column).data())


def test_that_an_empty_workspace_says_how_to_fill_it(qtbot: QtBot, controls: Controls, theme: ThemeManager) -> None:
    panel = RunsPanel(controls.library, controls.sweeps, controls.time, controls.starter, theme)
    show(qtbot, panel)
    assert "listed once it has begun" in panel.empty_text
    assert str(controls.setup.runs_root) in panel.empty_text


def test_that_each_run_stands_there_with_its_numbers(panel: RunsPanel) -> None:
    assert names(panel) == ["plain", "twos", "c"]  # newest first; of the last it is not known
    shown = {column: text(panel, "twos", column) for column in Column}
    assert shown == {
        Column.NAME: "twos",
        Column.DATASET: "Digits",
        Column.MODEL: "VAE",
        Column.TILT: "2\xa0→\xa029.9\xa0%",
        Column.STEPS: "500",
        Column.TIME: "00:10",
        Column.SHARE_ERROR: "0.0300",
        Column.FRECHET: "12",
        Column.STATUS: "completed",
        Column.TAGS: "paper",
        Column.STARTED: "2026-01-02 03:04",
    }
    assert text(panel, "plain", Column.SHARE_ERROR) == "0.200 (step\xa060)"
    assert text(panel, "c", Column.STATUS) == "damaged"
    index = panel.model.index(names(panel).index("c"), Column.STATUS)
    assert "not valid JSON" in index.data(Qt.ItemDataRole.ToolTipRole)
    assert not panel.model.index(0, 0).data(Qt.ItemDataRole.DecorationRole).isNull()


def test_that_what_was_measured_of_a_run_under_way_says_at_which_step_once_that_is_not_the_last(
    panel: RunsPanel, controls: Controls, three_runs: Path
) -> None:
    running = RunView(phase=RunPhase.RUNNING, step=500, seconds=10.0, folder=three_runs / "a")
    columns = (Column.STEPS, Column.TIME, Column.SHARE_ERROR, Column.FRECHET)
    controls.runs._set_run(running)
    assert [text(panel, "twos", column) for column in columns] == ["500", "00:10", "0.0300", "12"]
    told: list[int] = []
    panel.model.dataChanged.connect(lambda first, _last, _roles: told.append(first.column()))
    controls.runs._set_run(replace(running, step=1500, seconds=30.0))
    at = "(step\xa0500)"
    assert [text(panel, "twos", column) for column in columns] == ["1,500", "00:30", f"0.0300 {at}", f"12 {at}"]
    assert set(columns) <= set(told)
    controls.runs._set_run(RunView())


@pytest.mark.usefixtures("dressed")
def test_that_a_narrow_table_has_whole_names_share_error_steps_and_status_in_sight(
    qtbot: QtBot, panel: RunsPanel, three_runs: Path
) -> None:
    long = make_run(three_runs, "d", make_config("MNIST · WGAN-GP · 2 → 30 %"), steps=11_760)
    record_evaluation(long, 11_000, 0.0312, 12.34)
    panel.resize(500, 420)  # as in the Workbench of 1,280 pixels
    panel.library.refresh()
    qtbot.waitUntil(lambda: len(panel.model.shown) == 4)
    view = panel.view
    for column in (Column.NAME, Column.SHARE_ERROR, Column.STEPS, Column.STATUS):
        index = panel.model.index(panel.model.row_of("d"), column)
        assert view.visualRect(index).right() <= view.viewport().width()
        room = view.columnWidth(column) - (2 * THUMBNAIL if column is Column.NAME else 0)
        lines = view.fontMetrics().boundingRect(
            0, 0, room - 6, 1000, Qt.TextFlag.TextWordWrap, view.model().data(index)
        )
        assert lines.height() <= view.rowHeight(index.row()), "in two lines at most"
        assert lines.width() <= room - 6
    panel.resize(364, 420)  # of 960
    index = panel.model.index(panel.model.row_of("d"), Column.SHARE_ERROR)
    qtbot.waitUntil(lambda: view.visualRect(index).right() <= view.viewport().width())
    view.setColumnWidth(Column.NAME, 400)
    panel.resize(500, 420)
    qtbot.waitUntil(lambda: view.viewport().width() > 400)
    assert view.columnWidth(Column.NAME) == 400, "as a person wants it"


def test_that_a_click_on_a_header_sorts(qtbot: QtBot, panel: RunsPanel) -> None:
    header = panel.view.horizontalHeader()

    def sort_by(column: Column) -> None:
        place = QPoint(header.sectionViewportPosition(column) + 10, header.height() // 2)
        qtbot.mouseClick(header.viewport(), LEFT, pos=place)

    sort_by(Column.STEPS)
    assert names(panel)[1:] == ["plain", "twos"]
    sort_by(Column.STEPS)
    assert names(panel)[0] == "twos"
    sort_by(Column.SHARE_ERROR)
    assert names(panel) == ["twos", "plain", "c"]  # what was never evaluated comes last
    sort_by(Column.SHARE_ERROR)
    assert names(panel) == ["plain", "twos", "c"]


def test_that_every_column_sorts_and_explains_itself() -> None:
    runs = [
        RunSummary(folder="a", name="A"),
        RunSummary(folder="b", name="B", share_error=0.1, tags=("x",), frechet=1.0),
    ]
    for column in Column:
        assert {run.folder for run in in_order(runs, column, descending=True)} == {"a", "b"}
        assert HEADERS[column].tip.endswith(".")


def test_that_the_search_looks_at_all_that_is_said(qtbot: QtBot, panel: RunsPanel) -> None:
    search = panel.findChild(QLineEdit, "runs_search")
    count = panel.findChild(QLabel, "runs_count")
    for typed, found in (
        ("PAPER", ["twos"]),
        ("looks vae", ["twos"]),
        ("wgan", ["plain"]),
        ("damaged", ["c"]),
        ("nothing", []),
    ):
        search.clear()
        qtbot.keyClicks(search, typed)
        assert names(panel) == found, typed
        assert count.text() == f"{len(found)} of 3 runs"
    search.clear()
    assert count.text() == "3 runs"


def test_that_a_run_is_renamed_by_key_and_tagged_by_key(qtbot: QtBot, panel: RunsPanel, three_runs: Path) -> None:
    click(qtbot, panel, "twos", Column.STEPS)
    qtbot.keyClick(panel.view, Key.Key_F2)
    _type(qtbot, panel, "thirty per cent")
    qtbot.waitUntil(lambda: "thirty per cent" in names(panel))
    click(qtbot, panel, "thirty per cent", Column.TAGS)
    qtbot.keyClick(panel.view, Key.Key_F2)
    _type(qtbot, panel, "best,  of all , best")
    qtbot.waitUntil(lambda: text(panel, "thirty per cent", Column.TAGS) == "best, of all")
    assert read_notes(three_runs / "a") == RunNotes(
        name="thirty per cent", tags=("best", "of all"), notes="Looks right."
    )
    assert panel.view.folders() == ["a"]


def _type(qtbot: QtBot, panel: RunsPanel, typed: str) -> None:
    (editor,) = [line for line in panel.view.findChildren(QLineEdit) if line.isVisible()]
    enter(qtbot, editor, typed)


def test_that_notes_are_kept_when_another_run_is_selected(qtbot: QtBot, panel: RunsPanel, three_runs: Path) -> None:
    assert not panel.notes.isEnabled()
    click(qtbot, panel, "twos")
    assert panel.notes.toPlainText() == "Looks right."
    write(qtbot, panel.notes, "Wrong after all.")
    click(qtbot, panel, "plain")
    assert read_notes(three_runs / "a").notes == "Wrong after all."
    assert panel.notes.toPlainText() == ""
    assert read_notes(three_runs / "b") == RunNotes()
    click(qtbot, panel, "twos")
    assert panel.notes.toPlainText() == "Wrong after all."


def test_that_notes_that_cannot_be_written_are_told_of(qtbot: QtBot, panel: RunsPanel, three_runs: Path) -> None:
    (three_runs / "a" / "notes.json").write_text("{")
    panel.library.rename("a", "other")
    message = panel.findChild(QLabel, "runs_message")
    assert "notes cannot be read" in message.text()
    assert message.isVisible()
    panel.library.rename("b", "x" * 200)
    assert "too long" in message.text()


def test_that_a_click_selects_and_a_double_click_or_enter_looks_at_a_run(
    qtbot: QtBot, panel: RunsPanel, controls: Controls
) -> None:
    with qtbot.assertNotEmitted(controls.time.run_shown, wait=300):
        click(qtbot, panel, "twos")
    assert panel.view.folders() == ["a"]
    with qtbot.waitSignal(controls.time.frame_shown):
        index = panel.model.index(names(panel).index("twos"), Column.NAME)
        qtbot.mouseDClick(panel.view.viewport(), LEFT, pos=panel.view.visualRect(index).center())
    assert controls.subjects.subject.name == "Looking at “twos”"
    with qtbot.waitSignal(controls.log.line_logged) as told:
        qtbot.mouseDClick(panel.view.viewport(), LEFT, pos=panel.view.visualRect(index).center())
    assert told.args[0].text == "“twos” is shown already, at step 500"
    click(qtbot, panel, "plain")
    assert controls.subjects.subject.name == "Looking at “twos”"
    with qtbot.waitSignal(controls.time.frame_shown):
        qtbot.keyClick(panel.view, Key.Key_Return)
    assert controls.subjects.subject.name == "Looking at “plain”"
    click(qtbot, panel, "c")
    qtbot.keyClick(panel.view, Key.Key_Return)
    message = panel.findChild(QLabel, "runs_message")
    qtbot.waitUntil(message.isVisible)
    assert "not valid JSON" in message.text()
    assert controls.time.view.title == "plain"


def test_that_a_chosen_run_is_resumed_by_its_button_and_several_show_none(
    qtbot: QtBot, panel: RunsPanel, controls: Controls, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Path] = []
    panel.resume_asked.connect(asked.append)
    button = find(panel, QToolButton, "runs_resume_chosen")
    assert not button.isEnabled()
    click(qtbot, panel, "twos")
    qtbot.mouseClick(button, LEFT)
    assert asked == [controls.library.root / "a"]
    click(qtbot, panel, "plain", held=True)
    assert not button.isEnabled()
    click(qtbot, panel, "c")  # damaged
    assert not button.isEnabled()
    click(qtbot, panel, "twos")
    click(qtbot, panel, "plain", held=True)
    qtbot.keyClick(panel.view, Key.Key_Return)
    assert controls.time.view.title == ""
    assert sorted(panel.view.folders()) == ["a", "b"]


@pytest.fixture
def menu(qtbot: QtBot, panel: RunsPanel) -> Iterator[QMenu]:
    """The menu of the run “twos”, opened with the menu key's event."""
    click(qtbot, panel, "twos")
    panel.view.menu_asked.emit(panel.mapToGlobal(QPoint(5, 5)))
    menu = find(panel, QMenu, "runs_menu")
    yield menu
    menu.close()


def test_that_a_run_is_chosen_once_the_keyboard_comes_to_the_table(qtbot: QtBot, panel: RunsPanel) -> None:
    """A table of one run had none that keys could choose."""
    panel.search.setText("twos")
    panel.view.setFocus(Qt.FocusReason.MouseFocusReason)
    assert not panel.view.folders()
    panel.search.setFocus()
    for _ in range(9):
        if not panel.view.hasFocus():
            qtbot.keyClick(QApplication.focusWidget(), Key.Key_Tab)
    assert panel.view.folders() == ["a"]
    assert find(panel, QToolButton, "runs_more").isEnabled()


def test_that_the_menu_of_runs_is_also_below_a_button(qtbot: QtBot, panel: RunsPanel) -> None:
    """Comparing and exporting are not for those alone who try the right button of the mouse."""
    button = find(panel, QToolButton, "runs_more")
    assert not button.isEnabled()
    click(qtbot, panel, "twos")
    qtbot.mouseClick(button, LEFT)
    menu = find(panel, QMenu, "runs_menu")
    assert save_menu(menu).isEnabled()
    menu.close()


def action(menu: QMenu, name: str) -> QAction:
    (found,) = [each for each in menu.actions() if each.objectName() == f"runs_{name}"]
    return found


def save_menu(menu: QMenu) -> QMenu:
    return find(menu, QMenu, "runs_save")


def test_that_every_entry_of_the_menu_explains_itself(menu: QMenu) -> None:
    few = ("runs_compare", "runs_sweep")  # one run of no sweep is chosen
    for each in (*menu.actions(), *save_menu(menu).actions()):
        assert each.isSeparator() or (each.toolTip() and each.isEnabled() is (each.objectName() not in few))
    keys = [each.text()[each.text().index("&") + 1].casefold() for each in save_menu(menu).actions() if each.text()]
    assert len(keys) == len(set(keys))


def test_that_a_set_up_like_an_old_run_is_asked_for_and_its_folder_opened(
    qtbot: QtBot, menu: QMenu, panel: RunsPanel, three_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with qtbot.waitSignal(panel.like_asked) as asked:
        action(menu, "duplicate").trigger()
    assert asked.args == [three_runs / "a"]
    opened: list[str] = []

    def open_url(url: QUrl) -> bool:
        opened.append(url.toLocalFile())
        return True

    monkeypatch.setattr(QDesktopServices, "openUrl", open_url)
    action(menu, "open").trigger()
    assert opened == [str(three_runs / "a")]


SLOW = ("onnx", "torch-export", "classes")
"""Formats that import much in a process of their own, or train a judge."""


@pytest.mark.parametrize(
    "kind", [pytest.param(kind, id=kind.name, marks=[pytest.mark.slow] * (kind.name in SLOW)) for kind in FORMATS]
)
def test_that_a_run_is_exported_and_told_of(
    kind: ExportFormat, qtbot: QtBot, menu: QMenu, panel: RunsPanel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "out"), ""))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path))
    monkeypatch.setattr(QInputDialog, "getInt", lambda *_: (7, True))
    action(save_menu(menu), kind.name).trigger()
    message = panel.findChild(QLabel, "runs_message")
    ending = next(iter(kind.endings), "")
    out = tmp_path / f"out{ending}" if ending else tmp_path / f"a-{kind.name}"
    qtbot.waitUntil(lambda: message.text().endswith(f" in {out}"), timeout=240_000)
    assert len(message.text()) > len(f" in {out}")
    assert not kind.draws or "7 samples" in message.text() or "unsure" in message.text()
    files = [path for path in (out, *out.rglob("*")) if path.is_file()]
    assert sum(path.stat().st_size for path in files) > 100


@pytest.mark.parametrize("dialog", ["getInt", "getSaveFileName"])
def test_that_an_export_is_given_up_at_either_question(
    dialog: str, menu: QMenu, panel: RunsPanel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(QInputDialog, "getInt", lambda *_: (7, dialog != "getInt"))
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: ("", ""))
    action(save_menu(menu), "npz").trigger()
    assert panel.library.tasks.join(PATIENCE_MS / 1000)
    message = panel.findChild(QLabel, "runs_message")
    assert message.text() == ""


def test_that_raw_weights_are_chosen_in_the_menu_and_stay_chosen(
    menu: QMenu, panel: RunsPanel, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (averaged,) = [each for each in save_menu(menu).actions() if each.objectName() == "runs_averaged"]
    assert averaged.isChecked()
    averaged.trigger()
    asked: list[str] = []

    def answer(_: object, title: str, *__: object) -> tuple[str, str]:
        asked.append(title)
        return str(tmp_path / "out"), ""

    monkeypatch.setattr(QFileDialog, "getSaveFileName", answer)
    action(save_menu(menu), "csv").trigger()
    action(save_menu(menu), "weights").trigger()
    assert asked == ["Save “twos” as", "Save “twos” by its raw weights of step 500 as"]
    qtbot.waitUntil((tmp_path / "out.safetensors").exists)
    with safe_open(tmp_path / "out.safetensors", framework="np") as file:
        kept = file.get_tensor("autoencoder.decoder.0.weight")
    with safe_open(panel.library.root / "a" / "weights.safetensors", framework="np") as file:
        assert (kept == file.get_tensor("model.autoencoder.decoder.0.weight")).all()
    again = menu_of(panel.actions_of_runs, panel.exports, panel.library.root, panel.view.folders(), panel)
    (averaged,) = [each for each in save_menu(again).actions() if each.objectName() == "runs_averaged"]
    assert not averaged.isChecked()


@pytest.mark.slow
def test_that_an_export_apart_says_what_failed_and_can_be_called_off(
    menu: QMenu, panel: RunsPanel, qtbot: QtBot, three_runs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (three_runs / "a" / "weights.safetensors").unlink()
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "out"), ""))
    message = panel.findChild(QLabel, "runs_message")
    action(save_menu(menu), "torch-export").trigger()
    qtbot.waitUntil(lambda: "weights cannot be read" in message.text(), timeout=PATIENCE_MS)
    message.clear()
    action(save_menu(menu), "torch-export").trigger()
    qtbot.waitUntil(lambda: panel.library.tasks.view is not None)
    panel.library.tasks.cancel()
    qtbot.waitUntil(lambda: panel.library.tasks.view is None)
    assert message.text() == ""


def test_that_a_zip_is_taken_in_and_a_broken_one_told_of(
    qtbot: QtBot, panel: RunsPanel, tmp_path: Path, three_runs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pack(three_runs / "a", tmp_path / "a.zip")
    (tmp_path / "b.zip").write_bytes(b"PK")
    button = panel.findChild(QToolButton, "runs_import")
    message = panel.findChild(QLabel, "runs_message")
    assert button is not None
    for name, said in (("a", "Imported a-2"), ("b", "cannot be opened")):
        monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_, name=name: (str(tmp_path / f"{name}.zip"), ""))
        qtbot.mouseClick(button, LEFT)
        qtbot.waitUntil(lambda said=said: said in message.text())  # type: ignore[misc]
    qtbot.waitUntil(lambda: names(panel).count("twos") == 2)


def raised(hands: Hands) -> RunsPanel:
    """The panel of the window, in front, which looks again."""
    panel = panel_of(hands.window, "runs")
    hands.window.docks["runs"].raise_()
    return panel


def test_that_the_trash_is_asked_about_for_one_run_and_for_all_and_can_be_brought_back_from(
    quick_hands: Hands, three_runs: Path, private_home: Path
) -> None:
    panel = raised(quick_hands)
    quick_hands.wait(lambda: len(panel.model.shown) == 3 and not panel.library.busy)
    click(quick_hands.qtbot, panel, "twos")
    with quick_hands.answering("Keep") as said:
        quick_hands.qtbot.keyClick(panel.view, Key.Key_Delete)
    assert "“twos”" in said[0]
    assert (three_runs / "a").is_dir()
    with quick_hands.answering("Move to the trash"):
        quick_hands.qtbot.keyClick(panel.view, Key.Key_Delete)
    assert not (three_runs / "a").exists()
    quick_hands.wait(lambda: "twos" not in names(panel))
    assert list(private_home.rglob("config.json"))
    click(quick_hands.qtbot, panel, "plain")
    quick_hands.qtbot.keyClick(panel.view, Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert panel.view.folders() == [run.folder for run in panel.model.shown]
    with quick_hands.answering("Move to the trash") as said:
        quick_hands.qtbot.keyClick(panel.view, Key.Key_Delete)
    assert "Move 2 runs" in said[0]
    quick_hands.wait(lambda: not panel.model.shown)


def test_that_a_run_that_is_thrown_away_is_not_offered_any_more(quick_hands: Hands, three_runs: Path) -> None:
    panel, subjects = raised(quick_hands), quick_hands.bench.subjects
    quick_hands.wait(lambda: len(panel.model.shown) == 3 and not panel.library.busy)
    subjects.offer(Offer(title="twos", folder=three_runs / "a", step=500))
    for name, offered in (("plain", True), ("twos", False)):
        click(quick_hands.qtbot, panel, name)
        with quick_hands.answering("Move to the trash"):
            quick_hands.qtbot.keyClick(panel.view, Key.Key_Delete)
        quick_hands.wait(lambda name=name: name not in names(panel))
        assert (subjects.subject.offer is not None) == offered
    assert quick_hands.window.banner.state.accessibleName() == ""


def test_that_a_run_under_way_is_listed_with_its_state_and_is_not_thrown_away(quick_hands: Hands) -> None:
    panel = raised(quick_hands)
    quick_hands.train()
    quick_hands.wait(lambda: len(panel.model.shown) == 1)
    folder = panel.model.shown[0].folder
    assert panel.model.index(0, Column.STATUS).data() == "running"
    panel.library.trash([folder])
    assert "under way" in quick_hands.find(QLabel, "runs_message").text()
    quick_hands.end()
    quick_hands.wait(lambda: panel.model.shown[0].status == "stopped")
    assert panel.model.shown[0].thumbnail


def test_that_another_workspace_is_chosen_and_remembered(
    qtbot: QtBot, panel: RunsPanel, controls: Controls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_run(tmp_path / "others", "z", make_config("elsewhere"))
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_: str(tmp_path / "others"))
    find(panel, QToolButton, "runs_workspace").click()
    qtbot.waitUntil(lambda: names(panel) == ["elsewhere"])
    assert controls.setup.runs_root == runs_root() == tmp_path / "others"


def test_that_ticked_runs_lie_over_the_curves_that_are_shown_and_say_whose_they_are(
    qtbot: QtBot, panel: RunsPanel, controls: Controls, theme: ThemeManager
) -> None:
    losses = CurvesPanel(LOSSES, controls.time, theme)
    show(qtbot, losses)
    with qtbot.waitSignal(controls.time.frame_shown):
        panel.open("a")
    own = [chip.title for chip in losses.legend.chips.values()]
    row = panel.model.row_of("b")
    box = panel.model.index(row, Column.NAME)
    assert box.data(CHECKED) == UNCHECKED
    panel.model.setData(box, Qt.CheckState.Checked.value, CHECKED)
    qtbot.waitUntil(lambda: len(losses.legend.chips) > len(own))
    assert [chip.title for chip in losses.legend.chips.values()] == [*own, "Autoencoder loss of plain"]
    curve = losses.plots["values"].curves[-1]
    found = read_metrics(controls.library.root / "b")
    x, _ = losses.plots["values"]._drawn[curve.name].line.getData()
    assert (x[-1], curve.value(controls.time.history)) == (found.steps[-1], found.columns["loss_autoencoder"][-1])
    controls.library.rename("b", "mine")
    assert [chip.title for chip in losses.legend.chips.values()] == [*own, "Autoencoder loss of mine"]
    controls.library.rename("a", "mine")
    assert [chip.title for chip in losses.legend.chips.values()] == [*own, "Autoencoder loss of mine (b)"]
    panel.model.setData(panel.model.index(panel.model.row_of("a"), Column.NAME), Qt.CheckState.Checked.value, CHECKED)
    qtbot.waitUntil(lambda: len(controls.overlays.runs) == 2)
    assert len(losses.legend.chips) == len(own) + 1, "the run that is shown does not lie over itself"
    panel.model.setData(box, Qt.CheckState.Unchecked.value, CHECKED)
    assert len(losses.legend.chips) == len(own)


def test_that_runs_that_came_meanwhile_are_there_when_the_table_is_seen_again(
    qtbot: QtBot, panel: RunsPanel, three_runs: Path
) -> None:
    """As on the page, where it is lent by its dock."""
    panel.hide()
    make_run(three_runs, "d", make_config("swept"))
    panel.show()
    qtbot.waitUntil(lambda: "swept" in names(panel))


def test_that_a_run_under_way_elsewhere_says_so_for_as_long_as_it_is(
    panel: RunsPanel, controls: Controls, three_runs: Path
) -> None:
    controls.library.entries = [replace(summary_of(three_runs / "a"), status="unfinished")]
    controls.library.changed.emit()
    assert text(panel, "twos", Column.STATUS) == "unfinished"
    owner = FolderLock(three_runs / "a")
    assert text(panel, "twos", Column.STATUS) == "elsewhere"
    owner.release()
    assert text(panel, "twos", Column.STATUS) == "unfinished"


def test_that_a_run_says_how_far_it_is_of_its_limit(panel: RunsPanel, controls: Controls, three_runs: Path) -> None:
    summary = json.loads((three_runs / "a" / "summary.json").read_text())
    (three_runs / "a" / "summary.json").write_text(json.dumps(summary | {"step_limit": 2000, "status": "running"}))
    controls.library.entries = [summary_of(three_runs / "a")]
    controls.library.changed.emit()
    cell = panel.model.index(0, Column.STEPS)
    assert cell.data() == f"{summary['steps']:,} of 2,000"
    controls.runs._set_run(RunView(phase=RunPhase.RUNNING, step=1234, folder=three_runs / "a"))
    assert panel.model.index(0, Column.STEPS).data() == "1,234 of 2,000"
    controls.runs._set_run(RunView(phase=RunPhase.RUNNING, step=2000, folder=three_runs / "a"))
    assert panel.model.index(0, Column.STEPS).data() == "2,000"
