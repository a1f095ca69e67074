"""What is set up: each change is told once, and a run that waits for its data set takes no other."""

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from studio.data.digits import DigitsConfig
from studio.data.planar.config import RingConfig
from studio.gui.state.log import Log
from studio.gui.state.run_view import RunPhase
from studio.gui.state.setup import Setup
from studio.gui.state.task_runner import TaskRunner
from studio.gui.window.controls import Controls
from studio.training.config.run_config import PerturbationConfig, RunConfig


@pytest.fixture
def setup(qtbot: QtBot, tmp_path: Path) -> Iterator[Setup]:
    """With the digits; there is no run, no target and no window."""
    tasks = TaskRunner()
    found = Setup(tasks, Log(), data_root=tmp_path, runs_root=tmp_path)
    with qtbot.waitSignal(found.dataset_changed):
        found.set_dataset(DigitsConfig())
    yield found
    assert tasks.join(30.0)


def test_that_a_change_is_told_once_and_no_change_is_not(setup: Setup) -> None:
    told: list[RunConfig] = []
    setup.config_changed.connect(told.append)
    setup.edit(seed=3)
    setup.edit(seed=3)
    assert [config.seed for config in told] == [3]


def test_that_a_run_takes_the_offsets_of_its_own_classes_alone(setup: Setup) -> None:
    setup.edit(perturbation=PerturbationConfig(offsets={"2": -1.0, "3": 0.0, "cat": 5.0}))
    assert setup.run_config().perturbation.offsets == {"2": -1.0}
    assert setup.config.perturbation.offsets["cat"] == 5.0, "for the day the data set is changed back"


def test_that_judges_and_values_are_of_the_data_set_in_use(qtbot: QtBot, setup: Setup, tmp_path: Path) -> None:
    assert setup.images is not None
    assert setup.measured is not None
    assert setup.judges.examples is setup.images
    assert len(setup.measured) == len(setup.images)
    setup.set_data_root(tmp_path / "elsewhere")
    assert setup.judges.data_root == tmp_path / "elsewhere"
    before = setup.measured
    with qtbot.waitSignal(setup.dataset_changed):
        setup.set_dataset(RingConfig(kind="planar_ring"))
    assert setup.measured is not before
    assert setup.judges.examples is setup.images


def test_that_a_run_does_not_go_on_with_another_data_set_than_its_own(
    qtbot: QtBot, controls: Controls, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    config = RunConfig(dataset=RingConfig(kind="planar_ring"))
    found: Any = SimpleNamespace(
        run=tmp_path, step=5, config=config, identity=SimpleNamespace(root_here=lambda _: None)
    )
    found.ensure_current = lambda: None
    monkeypatch.setattr("studio.gui.run.run_starter.resume", lambda *_: found)
    monkeypatch.setattr("studio.gui.run.run_starter.read_past", lambda *_: pytest.fail("its data set is not here"))
    waits: list[bool] = []
    controls.starter.changed.connect(lambda: waits.append(controls.starter.busy))
    controls.starter.resume(tmp_path)
    with qtbot.waitSignal(controls.setup.dataset_changed):
        controls.setup.set_dataset(DigitsConfig())
    assert (waits[0], waits[-1]) == (True, False)
    assert waits == sorted(waits, reverse=True), "it waits once"
    assert controls.runs.run.phase is RunPhase.IDLE
