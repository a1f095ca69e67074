"""The queue, driven by clicks and keys; its jobs are lines of Python in place of trainings."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton
from pytestqt.qtbot import QtBot

from studio.errors import UserError
from studio.gui.queue.panel import QueuePanel
from studio.gui.state.log import LogLine
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.workbench import Workbench
from studio.jobs.attempt import LocalProcesses
from studio.jobs.job import Job, JobStatus
from studio.jobs.queue import JobQueue
from studio.paths import state_dir
from studio.training.config.run_config import PerturbationConfig, StopCondition
from tests.gui.hands import find
from tests.library.made_runs import make_run


@pytest.fixture(autouse=True)
def stand_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(LocalProcesses, "command", lambda self, job, config: [sys.executable, "-c", "pass"])


@pytest.fixture
def panel(qtbot: QtBot, workbench: Workbench, theme: ThemeManager) -> Iterator[QueuePanel]:
    panel = QueuePanel(workbench.setup, workbench.queue, workbench.sweeps, workbench.log, theme)
    qtbot.addWidget(panel)
    panel.resize(430, 240)
    with qtbot.waitExposed(panel):
        panel.show()
    yield panel
    workbench.queue.shutdown()


def button(panel: QueuePanel, name: str) -> QAbstractButton:
    return find(panel, QAbstractButton, f"queue_{name}")


def click(qtbot: QtBot, panel: QueuePanel, name: str) -> None:
    qtbot.mouseClick(button(panel, name), Qt.MouseButton.LeftButton)


def column(panel: QueuePanel, place: int) -> list[str]:
    items = [panel.table.item(row, place) for row in range(panel.table.rowCount())]
    return [item.text() for item in items if item is not None]


def queue_three(qtbot: QtBot, workbench: Workbench, panel: QueuePanel) -> None:
    for name in "abc":
        workbench.setup.edit(name=name)
        click(qtbot, panel, "add")


def test_that_an_empty_queue_says_how_to_fill_it_and_what_is_set_up_is_queued_as_it_is_now(
    panel: QueuePanel, workbench: Workbench, qtbot: QtBot
) -> None:
    assert panel.hint.isVisible()
    assert "Add" in panel.hint.text()
    assert not (state_dir() / "queue.sqlite").exists()
    assert not button(panel, "up").isEnabled()
    queue_three(qtbot, workbench, panel)
    assert column(panel, 0) == ["a", "b", "c"]
    assert column(panel, 2) == ["waiting"] * 3
    assert column(panel, 3) == ["5 min"] * 3
    assert "paused" in panel.outlook.text()
    panel.length.amount.selectAll()
    qtbot.keyClicks(panel.length.amount, "250\t")
    panel.length.unit.setFocus()
    qtbot.keyClicks(panel.length.unit, "s")
    click(qtbot, panel, "add")
    assert workbench.queue.jobs[3].limit == StopCondition(steps=250)
    assert '"name": "a"' in workbench.queue.jobs[0].config
    lines: list[LogLine] = []
    workbench.log.line_logged.connect(lines.append)
    panel.length.amount.selectAll()
    qtbot.keyClicks(panel.length.amount, "soon\t")
    click(qtbot, panel, "add")
    assert len(workbench.queue.jobs) == 4
    assert "not queued" in lines[-1].text


def test_that_several_runs_are_moved_and_removed_by_keys(qtbot: QtBot, panel: QueuePanel, workbench: Workbench) -> None:
    queue_three(qtbot, workbench, panel)
    panel.table.setFocus()
    panel.table.selectRow(1)
    qtbot.keyClick(panel.table, Qt.Key.Key_Down, Qt.KeyboardModifier.ShiftModifier)
    qtbot.keyClick(panel.table, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    assert column(panel, 0) == ["b", "c", "a"]
    assert len(panel.table.chosen()) == 2
    click(qtbot, panel, "cancel")
    assert column(panel, 2) == ["cancelled", "cancelled", "waiting"]
    qtbot.keyClick(panel.table, Qt.Key.Key_Delete)
    assert column(panel, 0) == ["a"]
    queue_three(qtbot, workbench, panel)
    panel.table.setFocus()
    qtbot.keyClick(panel.table, Qt.Key.Key_A, Qt.KeyboardModifier.ControlModifier)
    assert len(panel.table.chosen()) == 4
    qtbot.keyClick(panel.table, Qt.Key.Key_Delete)
    assert workbench.queue.jobs == ()


def test_that_a_run_without_a_name_is_called_by_what_it_trains(
    qtbot: QtBot, panel: QueuePanel, workbench: Workbench
) -> None:
    workbench.setup.edit(perturbation=PerturbationConfig(offsets={"2": -1.36}))
    click(qtbot, panel, "add")
    (job,) = workbench.queue.jobs
    assert column(panel, 0) == ["Digits · WGAN-GP · 2 → 29.9 %"]
    assert column(panel, 1) == ["2 −1.36"]
    assert [panel.table.isColumnHidden(place) for place in range(6)] == [False] * 4 + [True] * 2, "nothing has run"
    job = replace(job, folder=make_run(workbench.setup.runs_root, "begun", steps=100), attempts=1)
    for limit, done in ((StopCondition(steps=400), "25 % of 400 steps"), (StopCondition(seconds=60), "3 % of 1 min")):
        panel.table.show_jobs([replace(job, limit=limit)])
        assert column(panel, 3) == [done]


def test_that_how_many_run_at_once_is_kept(
    qtbot: QtBot, panel: QueuePanel, workbench: Workbench, theme: ThemeManager
) -> None:
    panel.at_once.setFocus()
    qtbot.keyClicks(panel.at_once, "\t")
    assert not (state_dir() / "queue.sqlite").exists()  # nothing was changed
    for text, count in (("99", 16), ("3", 3)):
        panel.at_once.setFocus()
        panel.at_once.selectAll()
        qtbot.keyClicks(panel.at_once, f"{text}\t")
        assert workbench.queue.at_once == count
    workbench.queue.shutdown()
    again = Workbench(workbench.setup.config, data_root=workbench.setup.data_root, runs_root=workbench.setup.runs_root)
    again.queue.begin()
    assert again.queue.at_once == 3
    other = QueuePanel(again.setup, again.queue, again.sweeps, again.log, theme)
    assert other.at_once.raw() == 3
    other.deleteLater()
    again.shutdown()


def test_that_a_queue_that_cannot_be_read_for_a_moment_goes_on(
    qtbot: QtBot, panel: QueuePanel, workbench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[LogLine] = []
    queue_three(qtbot, workbench, panel)
    workbench.log.line_logged.connect(lines.append)

    def locked(self: JobQueue) -> tuple[Job, ...]:
        raise UserError("The queue cannot be read or written", "database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(JobQueue, "jobs", locked)
        for _ in range(3):
            workbench.queue._poll()
    assert [line.text.count("locked") for line in lines] == [1]
    assert column(panel, 0) == ["a", "b", "c"]
    with qtbot.waitSignal(workbench.queue.through, timeout=30_000):
        click(qtbot, panel, "run")


def test_that_runs_are_reordered_left_out_and_removed(qtbot: QtBot, panel: QueuePanel, workbench: Workbench) -> None:
    queue_three(qtbot, workbench, panel)
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


def test_that_the_queue_runs_through_and_tells_of_it(qtbot: QtBot, panel: QueuePanel, workbench: Workbench) -> None:
    lines: list[LogLine] = []
    workbench.log.line_logged.connect(lines.append)
    queue_three(qtbot, workbench, panel)
    with qtbot.waitSignal(workbench.queue.through, timeout=30_000):
        click(qtbot, panel, "run")
        assert button(panel, "run").text() == "Pause the queue"
    assert column(panel, 2) == ["completed"] * 3
    assert panel.outlook.text() == "All runs have ended."
    assert sum("was completed" in line.text for line in lines) == 3
    panel.table.selectRow(0)
    click(qtbot, panel, "run")
    click(qtbot, panel, "retry")
    assert column(panel, 2) == ["waiting", "completed", "completed"]


def test_that_a_queue_goes_on_after_a_restart(
    qtbot: QtBot, panel: QueuePanel, workbench: Workbench, tmp_path: Path
) -> None:
    queue_three(qtbot, workbench, panel)
    click(qtbot, panel, "run")
    workbench.queue.shutdown()
    again = Workbench(workbench.setup.config, data_root=tmp_path / "datasets", runs_root=workbench.setup.runs_root)
    with qtbot.waitSignal(again.queue.through, timeout=30_000):
        again.queue.begin()
    assert [job.status for job in again.queue.jobs] == [JobStatus.COMPLETED] * 3
    again.shutdown()


def test_that_a_damaged_queue_is_told_in_the_log(qtbot: QtBot, panel: QueuePanel, workbench: Workbench) -> None:
    lines: list[LogLine] = []
    workbench.log.line_logged.connect(lines.append)
    state_dir().mkdir(parents=True, exist_ok=True)
    (state_dir() / "queue.sqlite").write_bytes(b"damaged" * 1000)
    click(qtbot, panel, "add")
    assert "queue" in lines[-1].text
    assert workbench.queue.jobs == ()
