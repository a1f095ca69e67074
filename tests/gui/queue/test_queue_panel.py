"""The queue, driven by clicks and keys; its jobs are lines of Python in place of trainings."""

import json
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from studio.data.folder import FolderConfig
from studio.data.planar.config import MoonsConfig
from studio.errors import UserError
from studio.gui.queue.panel import QueuePanel
from studio.gui.state.log import LogLine
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls
from studio.jobs.attempt import LocalProcesses
from studio.jobs.job import Job, JobStatus
from studio.jobs.queue import JobQueue
from studio.jobs.runner import JobRunner
from studio.paths import state_dir
from studio.perturb.example_features import COLUMN
from studio.training.config.file import parse_config
from studio.training.config.run_config import BatchConfig, PerturbationConfig, StopCondition
from tests.data.image_folders import write_image_folder
from tests.gui.hands import PATIENCE_MS, find, write
from tests.library.made_runs import make_run

REAL = LocalProcesses.command


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalProcesses, "command", lambda self, job, config: [sys.executable, "-c", "pass"])


@pytest.fixture
def panel(qtbot: QtBot, controls: Controls, theme: ThemeManager) -> Iterator[QueuePanel]:
    panel = QueuePanel(controls.setup, controls.queue, controls.sweeps, controls.log, theme)
    qtbot.addWidget(panel)
    panel.resize(430, 240)
    with qtbot.waitExposed(panel):
        panel.show()
    yield panel
    controls.queue.shutdown()


def button(panel: QueuePanel, name: str) -> QAbstractButton:
    return find(panel, QAbstractButton, f"queue_{name}")


def click(qtbot: QtBot, panel: QueuePanel, name: str) -> None:
    qtbot.mouseClick(button(panel, name), Qt.MouseButton.LeftButton)


def column(panel: QueuePanel, place: int) -> list[str]:
    items = [panel.table.item(row, place) for row in range(panel.table.rowCount())]
    return [item.text() for item in items if item is not None]


def queue_three(qtbot: QtBot, controls: Controls, panel: QueuePanel) -> None:
    for name in "abc":
        controls.setup.edit(name=name)
        click(qtbot, panel, "add")


def test_that_an_empty_queue_says_how_to_fill_it_and_what_is_set_up_is_queued_as_it_is_now(
    panel: QueuePanel, controls: Controls, qtbot: QtBot
) -> None:
    assert panel.hint.isVisible()
    assert "Add" in panel.hint.text()
    assert not (state_dir() / "queue.sqlite").exists()
    assert not button(panel, "up").isEnabled()
    queue_three(qtbot, controls, panel)
    assert column(panel, 0) == ["a", "b", "c"]
    assert column(panel, 2) == ["waiting"] * 3
    assert column(panel, 3) == ["5 min"] * 3
    assert "paused" in panel.outlook.text()
    panel.length.amount.selectAll()
    qtbot.keyClicks(panel.length.amount, "250\t")
    panel.length.unit.setFocus()
    qtbot.keyClicks(panel.length.unit, "s")
    click(qtbot, panel, "add")
    assert controls.queue.jobs[3].limit == StopCondition(steps=250)
    assert '"name": "a"' in controls.queue.jobs[0].config
    lines: list[LogLine] = []
    controls.log.line_logged.connect(lines.append)
    panel.length.amount.selectAll()
    qtbot.keyClicks(panel.length.amount, "soon\t")
    click(qtbot, panel, "add")
    assert len(controls.queue.jobs) == 4
    assert "not queued" in lines[-1].text


def test_that_offsets_of_classes_of_other_data_are_not_queued(
    qtbot: QtBot, panel: QueuePanel, controls: Controls
) -> None:
    controls.setup.edit(perturbation=PerturbationConfig(offsets={"2": -1.0, "upper": -0.5}))
    click(qtbot, panel, "add")
    with qtbot.waitSignal(controls.setup.dataset_changed):
        controls.setup.set_dataset(MoonsConfig())
        click(qtbot, panel, "add")  # before its classes are known
    click(qtbot, panel, "add")
    queued = [parse_config(json.loads(job.config), "a job").perturbation.offsets for job in controls.queue.jobs]
    assert queued == [{"2": -1.0}, {"2": -1.0, "upper": -0.5}, {"upper": -0.5}]  # a run refuses those of no class


def test_that_several_runs_are_moved_and_removed_by_keys(qtbot: QtBot, panel: QueuePanel, controls: Controls) -> None:
    queue_three(qtbot, controls, panel)
    panel.table.setFocus(Qt.FocusReason.TabFocusReason)
    assert len(panel.table.chosen()) == 1, "keys act on what is chosen"
    panel.table.selectRow(1)
    qtbot.keyClick(panel.table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(panel.table, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert column(panel, 0) == ["b", "c", "a"]
    assert len(panel.table.chosen()) == 2
    click(qtbot, panel, "cancel")
    assert column(panel, 2) == ["cancelled", "cancelled", "waiting"]
    qtbot.keyClick(panel.table, Qt.Key.Key_Delete)
    assert column(panel, 0) == ["a"]
    queue_three(qtbot, controls, panel)
    panel.table.setFocus()
    qtbot.keyClick(panel.table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(panel.table.chosen()) == 4
    qtbot.keyClick(panel.table, Qt.Key.Key_Delete)
    assert controls.queue.jobs == ()


def test_that_a_run_without_a_name_is_called_by_what_it_trains(
    qtbot: QtBot, panel: QueuePanel, controls: Controls
) -> None:
    controls.setup.edit(perturbation=PerturbationConfig(offsets={"2": -1.36}))
    click(qtbot, panel, "add")
    (job,) = controls.queue.jobs
    assert column(panel, 0) == ["Digits · WGAN-GP · 2 → 29.9 %"]
    assert column(panel, 1) == ["2 → 29.9 %"]
    assert [panel.table.isColumnHidden(place) for place in range(6)] == [False] * 4 + [True] * 2, "nothing has run"
    panel.table.show_jobs([replace(job, attempts=1, status=JobStatus.RUNNING)])
    assert column(panel, 3) == ["prepares"], "its data are read, and its judge may be trained for minutes"
    job = replace(job, folder=make_run(controls.setup.runs_root, "begun", steps=100), attempts=1)
    for limit, done in ((StopCondition(steps=400), "25 % of 400 steps"), (StopCondition(seconds=60), "3 % of 1 min")):
        panel.table.show_jobs([replace(job, limit=limit)])
        assert column(panel, 3) == [done]


def test_that_how_many_run_at_once_is_kept(
    qtbot: QtBot, panel: QueuePanel, controls: Controls, theme: ThemeManager
) -> None:
    panel.at_once.setFocus()
    qtbot.keyClicks(panel.at_once, "\t")
    assert not (state_dir() / "queue.sqlite").exists()  # nothing was changed
    for text, count in (("99", 16), ("3", 3)):
        write(qtbot, panel.at_once, f"{text}\t")
        assert controls.queue.at_once == count
    controls.queue.shutdown()
    again = Controls(controls.setup.config, data_root=controls.setup.data_root, runs_root=controls.setup.runs_root)
    again.queue.begin()
    assert again.queue.at_once == 3
    other = QueuePanel(again.setup, again.queue, again.sweeps, again.log, theme)
    assert other.at_once.raw() == 3
    other.deleteLater()
    again.shutdown()


def test_that_a_queue_that_cannot_be_read_for_a_moment_goes_on(
    qtbot: QtBot, panel: QueuePanel, controls: Controls, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[LogLine] = []
    queue_three(qtbot, controls, panel)
    controls.log.line_logged.connect(lines.append)

    def locked(_: object) -> tuple[Job, ...]:
        raise UserError("The queue cannot be read or written", "database is locked")

    for kind, name in ((JobQueue, "jobs"), (JobRunner, "poll")):
        lines.clear()
        with monkeypatch.context() as patched:
            patched.setattr(kind, name, locked)
            for _ in range(3):
                controls.queue._poll()
        assert [line.text.count("locked") for line in lines] == [1], name
        controls.queue._poll()
    controls.queue.shutdown()
    with monkeypatch.context() as patched:
        patched.setattr(JobQueue, "jobs", locked)
        controls.queue.begin()
    assert column(panel, 0) == ["a", "b", "c"]
    with qtbot.waitSignal(controls.queue.through):
        click(qtbot, panel, "run")


def test_that_runs_are_reordered_left_out_and_removed(qtbot: QtBot, panel: QueuePanel, controls: Controls) -> None:
    queue_three(qtbot, controls, panel)
    panel.table.selectRow(2)
    click(qtbot, panel, "up")
    click(qtbot, panel, "up")
    assert column(panel, 0) == ["c", "a", "b"]
    click(qtbot, panel, "down")  # the same run is still chosen
    assert column(panel, 0) == ["a", "c", "b"]
    click(qtbot, panel, "cancel")
    assert column(panel, 2) == ["waiting", "cancelled", "waiting"]
    click(qtbot, panel, "remove")
    assert column(panel, 0) == ["a", "b"]


def test_that_the_queue_runs_through_and_tells_of_it(qtbot: QtBot, panel: QueuePanel, controls: Controls) -> None:
    lines: list[LogLine] = []
    controls.log.line_logged.connect(lines.append)
    queue_three(qtbot, controls, panel)
    with qtbot.waitSignal(controls.queue.through):
        click(qtbot, panel, "run")
        assert button(panel, "run").text() == "Pause the queue"
    assert column(panel, 2) == ["completed"] * 3
    assert panel.outlook.text() == "All runs have ended."
    assert sum("was completed" in line.text for line in lines) == 3
    panel.table.selectRow(0)
    click(qtbot, panel, "run")
    click(qtbot, panel, "retry")
    assert column(panel, 2) == ["waiting", "completed", "completed"]


@pytest.mark.slow
@pytest.mark.parametrize("changed", ["class 1/1.png", "energies.csv"])
def test_that_data_which_have_changed_since_a_run_was_queued_are_refused_until_it_is_tried_again(
    qtbot: QtBot,
    panel: QueuePanel,
    controls: Controls,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    changed: str,
) -> None:
    monkeypatch.setattr(LocalProcesses, "command", REAL)
    images = write_image_folder(tmp_path / "images", classes=2)
    energies = tmp_path / "energies.csv"
    energies.write_text("".join(f"{number}, 0.5\n" for number in range(7)))
    term = {"kind": "column", "path": str(energies)}
    with qtbot.waitSignal(controls.setup.dataset_changed):
        controls.setup.set_dataset(FolderConfig(path=str(images)))
    controls.setup.edit(
        batch=BatchConfig(average_size=2), perturbation=PerturbationConfig.model_validate({"terms": [term]})
    )
    controls.setup.measured.prepare([f"{COLUMN}csv:{energies}"])
    panel.length.amount.selectAll()
    qtbot.keyClicks(panel.length.amount, "2\t")
    panel.length.unit.setFocus()
    qtbot.keyClicks(panel.length.unit, "s")
    click(qtbot, panel, "add")
    if changed == energies.name:
        energies.write_text("".join(f"{number}, {number}\n" for number in range(7)))
    else:
        (images / changed).unlink()
    with qtbot.waitSignal(controls.queue.through, timeout=PATIENCE_MS):
        click(qtbot, panel, "run")
    assert column(panel, 2) == ["failed"]
    remark = column(panel, 5)[0]
    assert "changed since the run was queued" in remark
    assert ("“class 1” has 3 images instead of 4" if changed != energies.name else str(energies)) in remark
    assert "Retry" in remark
    assert not controls.queue.jobs[0].folder.exists()
    panel.table.selectRow(0)
    with qtbot.waitSignal(controls.queue.through, timeout=PATIENCE_MS):
        click(qtbot, panel, "retry")
    assert column(panel, 2) == ["completed"], column(panel, 5)


def test_that_a_queue_goes_on_after_a_restart(
    qtbot: QtBot, panel: QueuePanel, controls: Controls, tmp_path: Path
) -> None:
    queue_three(qtbot, controls, panel)
    click(qtbot, panel, "run")
    controls.queue.shutdown()
    again = Controls(controls.setup.config, data_root=tmp_path / "datasets", runs_root=controls.setup.runs_root)
    with qtbot.waitSignal(again.queue.through):
        again.queue.begin()
    assert [job.status for job in again.queue.jobs] == [JobStatus.COMPLETED] * 3
    again.shutdown()


def test_that_runs_whose_folder_was_moved_go_on_where_it_is_now(
    qtbot: QtBot, panel: QueuePanel, controls: Controls, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Path] = []

    def command(self: LocalProcesses, job: Job, config: Path) -> list[str]:
        started.append(job.folder)
        return [sys.executable, "-c", "pass"]

    monkeypatch.setattr(LocalProcesses, "command", command)
    said: list[LogLine] = []
    controls.log.line_logged.connect(said.append)
    queue_three(qtbot, controls, panel)
    begun, failed, _ = controls.queue.jobs  # of which two are given some steps, after which they stopped
    before = controls.setup.runs_root
    queue = JobQueue(state_dir() / "queue.sqlite")
    for job, status in ((begun, JobStatus.WAITING), (failed, JobStatus.FAILED)):
        make_run(before, job.folder.name, steps=100)
        queue.claim(job, 1)
        queue.end(job, status)
    now = before.rename(before.with_name("renamed"))
    click(qtbot, panel, "run")
    qtbot.waitUntil(lambda: not controls.queue.running)
    assert [f"{before} is not there" in line.text for line in said[-2:]] == [False, True]
    assert not started
    assert not before.exists()
    controls.library.choose_root(now)
    places = [now / job.folder.name for job in (begun, failed, controls.queue.jobs[2])]
    assert [job.folder for job in controls.queue.jobs] == places
    for row, place in enumerate(places):
        item = panel.table.item(row, 0)
        assert item is not None
        assert (item.text(), str(place) in item.toolTip()) == ("abc"[row], True)
    panel.table.selectRow(1)
    click(qtbot, panel, "retry")
    with qtbot.waitSignal(controls.queue.through):
        click(qtbot, panel, "run")
    assert started == places
    assert not before.exists()


def test_that_two_windows_run_no_more_than_is_said_in_either_and_stop_together(
    qtbot: QtBot, panel: QueuePanel, controls: Controls, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    endless = [sys.executable, "-c", "import time; time.sleep(600)"]
    monkeypatch.setattr(LocalProcesses, "command", lambda self, job, config: endless)
    queue_three(qtbot, controls, panel)
    click(qtbot, panel, "run")
    other = Controls(controls.setup.config, data_root=tmp_path / "datasets", runs_root=controls.setup.runs_root)
    other.queue.begin()
    for _ in range(2):
        with qtbot.waitSignal(other.queue.changed):
            pass
    assert column(panel, 2) == ["running", "waiting", "waiting"]
    other.queue.set_at_once(2)
    qtbot.waitUntil(lambda: column(panel, 2) == ["running", "running", "waiting"])
    assert panel.at_once.raw() == 2
    other.queue.run(False)
    qtbot.waitUntil(lambda: button(panel, "run").text() == "Run the queue")
    said: list[LogLine] = []
    other.log.line_logged.connect(said.append)
    other.queue.cancel(other.queue.jobs)
    assert "Another window began a" in said[-1].text
    qtbot.waitUntil(lambda: column(panel, 2)[2] == "cancelled")
    assert column(panel, 2)[0] == "running"
    assert other.shutdown()


def test_that_a_damaged_queue_is_told_in_the_log(qtbot: QtBot, panel: QueuePanel, controls: Controls) -> None:
    lines: list[LogLine] = []
    controls.log.line_logged.connect(lines.append)
    state_dir().mkdir(parents=True, exist_ok=True)
    (state_dir() / "queue.sqlite").write_bytes(b"damaged" * 1000)
    click(qtbot, panel, "add")
    assert "queue" in lines[-1].text
    assert controls.queue.jobs == ()


def test_that_a_queued_tilt_is_called_as_a_run_is(panel: QueuePanel, controls: Controls, qtbot: QtBot) -> None:
    """By shares, where its turn wants the data that are known; by ΔH where they are not."""
    controls.setup.edit(perturbation=PerturbationConfig(offsets={"2": -1.3667}))
    click(qtbot, panel, "add")
    other = controls.setup.config.model_copy(update={"dataset": MoonsConfig()})
    controls.queue.add(other, StopCondition(steps=9))
    assert column(panel, 1) == ["2 → 30 %", "2 −1.37"]
    assert [name.rpartition(" · ")[2] for name in column(panel, 0)] == ["2 → 30 %", "2 −1.37"]


def test_that_a_tilt_of_two_classes_is_read_where_there_is_room(
    panel: QueuePanel, controls: Controls, qtbot: QtBot
) -> None:
    controls.setup.edit(perturbation=PerturbationConfig(offsets={"2": -1.3667, "3": -1.0}))
    click(qtbot, panel, "add")
    panel.resize(1000, 400)
    table = panel.table
    qtbot.waitUntil(lambda: table.sizeHintForColumn(1) <= table.columnWidth(1))


def test_that_a_queued_run_on_a_folder_is_called_by_the_folder_as_a_run_is(
    panel: QueuePanel, controls: Controls, qtbot: QtBot, tmp_path: Path
) -> None:
    images = write_image_folder(tmp_path / "School garden", classes=2)
    with qtbot.waitSignal(controls.setup.dataset_changed):
        controls.setup.set_dataset(FolderConfig(path=str(images)))
    click(qtbot, panel, "add")
    assert column(panel, 0) == ["School garden · WGAN-GP · no tilt"]
