import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pytestqt.qtbot import QtBot

from studio.data.digits import DigitsConfig
from studio.data.folder import FolderConfig
from studio.data.idx_sets import MnistConfig
from studio.data.planar.config import MoonsConfig
from studio.errors import UserError
from studio.gui.state.log import Level, LogLine
from studio.gui.state.run_view import RunPhase
from studio.gui.window.controls import Controls
from studio.models.vae.config import VaeConfig
from studio.training.config.energy import EnergyConfig
from studio.training.config.run_config import BatchConfig, CadenceConfig, PerturbationConfig, RunConfig
from studio.training.messages.snapshot import Snapshot
from tests.gui.hands import PATIENCE_MS


class Watch:
    """The controls with a small model, and all that it said."""

    def __init__(self, qtbot: QtBot, bench: Controls) -> None:
        self.qtbot, self.bench = qtbot, bench
        self.lines: list[LogLine] = []
        self.troubles: list[UserError] = []
        self.snapshots: list[Snapshot] = []
        bench.log.line_logged.connect(self.lines.append)
        bench.runs.troubled.connect(lambda event: self.troubles.append(event.error))
        bench.time.snapshot_shown.connect(self.snapshots.append)
        bench.setup.edit(
            model=VaeConfig(),
            batch=BatchConfig(average_size=8),
            cadence=CadenceConfig(log_every=1, sample_every=0.1, samples=4),
            threads=1,
        )

    def wait(self, ready: Any) -> None:
        self.qtbot.waitUntil(ready, timeout=PATIENCE_MS)

    def train(self, steps: int = 3) -> None:
        self.bench.starter.start()
        self.wait(lambda: self.bench.runs.run.step >= steps or not self.bench.runs.run.phase.active)
        assert self.bench.runs.run.phase is RunPhase.RUNNING

    def wait_for(self, phase: RunPhase) -> None:
        self.wait(lambda: self.bench.runs.run.phase is phase)

    def end(self) -> None:
        self.bench.starter.stop()
        self.wait(lambda: not self.bench.starter.blocked)

    @property
    def offsets(self) -> dict[str, float]:
        return self.bench.setup.config.perturbation.offsets

    def text(self, level: Level) -> str:
        return "\n".join(line.text for line in self.lines if line.level is level)


@pytest.fixture
def watch(qtbot: QtBot, controls: Controls) -> Iterator[Watch]:
    watch = Watch(qtbot, controls)
    yield watch
    assert controls.shutdown()


def test_that_an_edit_is_pending_until_the_trainer_has_taken_it_up_be_it_before_the_first_step(watch: Watch) -> None:
    watch.bench.starter.start()
    watch.bench.target.set_offset(2, -1.0)
    watch.wait(lambda: bool(watch.bench.runs.history.marks))
    assert watch.offsets == {"2": -1.0}
    watch.wait(lambda: watch.bench.runs.run.step > 0 and not watch.bench.target.tilt.pending)
    watch.bench.target.set_offset(2, -2.0)
    assert watch.bench.target.tilt.pending
    watch.wait(lambda: not watch.bench.target.tilt.pending)
    _, mark = watch.bench.runs.history.marks
    assert "edit 2" in mark.text
    assert "The target of edit 2 is in force" in watch.text(Level.INFO)
    watch.wait(lambda: watch.snapshots[-1].revision == 2)
    assert 0 < mark.step < watch.bench.runs.run.step
    watch.end()


def test_that_a_stop_saves_and_keeps_the_results_and_another_start_forgets_them(watch: Watch) -> None:
    watch.train()
    watch.end()
    run, history = watch.bench.runs.run, watch.bench.runs.history
    assert len(history) == run.step
    assert not run.unsaved
    assert run.folder is not None
    assert (run.folder / "weights.safetensors").is_file()
    watch.bench.starter.start()
    assert len(watch.bench.runs.history) == 0
    watch.wait(lambda: watch.bench.runs.run.step > 0)
    assert watch.bench.runs.run.folder != run.folder
    watch.end()
    watch.bench.starter.start()
    watch.end()
    assert watch.bench.runs.run.phase is RunPhase.FINISHED
    assert not watch.troubles


def test_that_a_bug_in_a_model_ends_the_run_with_its_traceback_and_not_the_studio(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    from studio.models.vae.model import Vae

    losses = Vae.losses

    def broken(self: Vae, *arguments: Any) -> Any:
        if watch.bench.runs.run.step >= 1:
            raise ZeroDivisionError("a bug on purpose")
        return losses(self, *arguments)

    monkeypatch.setattr(Vae, "losses", broken)
    watch.bench.starter.start()
    watch.wait_for(RunPhase.FAILED)
    (line,) = [line for line in watch.lines if line.level is Level.ERROR]
    assert "a bug on purpose" in line.text
    assert "in broken" in line.detail
    assert not watch.bench.runs.run.unsaved  # what could be saved is
    monkeypatch.setattr(Vae, "losses", losses)
    watch.train()
    watch.end()


def test_that_a_bug_while_data_is_read_is_told_with_its_traceback(
    watch: Watch, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise KeyError("a bug on purpose")

    monkeypatch.setattr("studio.gui.state.loaded_data.load_dataset", broken)
    with watch.qtbot.waitSignal(watch.bench.setup.dataset_failed):
        watch.bench.setup.set_dataset(DigitsConfig())
    assert any("in broken" in line.detail for line in watch.lines)


def test_that_a_target_is_edited_while_the_classes_that_it_is_of_are_read(qtbot: QtBot, watch: Watch) -> None:
    bench, target = watch.bench, PerturbationConfig(offsets={"2": -1.0})
    with qtbot.waitSignal(bench.setup.dataset_changed):
        bench.setup.set_dataset(MoonsConfig())
    with qtbot.waitSignal(bench.setup.dataset_changed):
        bench.setup.set_config(RunConfig(perturbation=target), "Digits")
        assert bench.setup.awaits_data
        bench.target.set_energy(EnergyConfig(temperature=2.0), "Temperature")
        bench.setup.undo_stack.undo()
    assert bench.setup.config.perturbation == target


@pytest.mark.parametrize("from_a_file", [False, True])
def test_that_a_cancelled_data_set_leaves_the_one_in_use(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, from_a_file: bool
) -> None:
    def endless(_config: Any, _root: Path, progress: Any) -> Any:
        while True:
            progress.report("Reading for ever", 0.5)
            threading.Event().wait(0.001)  # leaves Python's lock to the window

    monkeypatch.setattr("studio.gui.state.loaded_data.load_dataset", endless)
    setup, chosen = watch.bench.setup, FolderConfig(path=str(tmp_path))
    if from_a_file:
        setup.set_config(RunConfig(dataset=chosen), "Open")
    else:
        setup.set_dataset(chosen)
    watch.wait(lambda: watch.bench.tasks.view is not None and watch.bench.tasks.view.cancellable)
    assert "still being read" in watch.bench.starter.blocked
    watch.bench.tasks.cancel()
    watch.wait(lambda: not watch.bench.starter.blocked)
    assert setup.config.dataset == DigitsConfig()  # as the images are
    assert watch.bench.target.tilt is not None


def test_that_a_set_being_read_does_not_take_the_place_of_one_that_is_not_here(
    watch: Watch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    go_on = threading.Event()
    digits = watch.bench.setup.images

    def slow(*_: Any) -> Any:
        go_on.wait(PATIENCE_MS / 1000)
        return digits

    monkeypatch.setattr("studio.gui.state.loaded_data.load_dataset", slow)
    watch.bench.setup.set_dataset(FolderConfig(path=str(tmp_path)))
    with watch.qtbot.waitSignal(watch.bench.setup.dataset_failed) as failed:
        watch.bench.setup.set_config(RunConfig(dataset=MnistConfig()), "Open")
    go_on.set()
    watch.wait(lambda: watch.bench.tasks.view is None and not watch.bench.tasks._tasks)
    assert "not in the data folder" in str(failed.args[0])
    assert watch.bench.setup.images is None
    assert "no data set yet" in watch.bench.starter.blocked


def test_that_torch_comes_in_beside_the_window_and_brings_the_devices(qtbot: QtBot, tmp_path: Path) -> None:
    bench = Controls(RunConfig(), data_root=tmp_path / "datasets", runs_root=tmp_path / "runs")
    with qtbot.waitSignals([bench.setup.engine_ready, bench.setup.dataset_changed], timeout=PATIENCE_MS):
        bench.begin()
    assert [value for value, _ in bench.setup.devices][:2] == ["auto", "cpu"]
    assert bench.shutdown()
