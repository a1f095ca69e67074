"""A run in its thread: whatever happens, it ends with exactly one `Finished`, and its thread with it."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from studio.data.image_set import ImageSet
from studio.models.vae.model import Vae
from studio.perturb.perturbation import Perturbation
from studio.progress import Progress
from studio.training.config.run_config import StopCondition
from studio.training.messages.commands import Pause, Resume, SampleNow, Save, SetPerturbation, Step, Stop
from studio.training.messages.events import (
    Finished,
    Logged,
    Outcome,
    Paused,
    PerturbationApplied,
    Preparing,
    Resumed,
    Saved,
    Started,
)
from studio.training.run.session import folder_for, folder_under
from studio.training.storage.frames import FrameStore
from studio.training.storage.run import Run
from tests.training.conftest import DEADLINE_S, WatchedRun, tiny_config, tiny_images

Start = Callable[..., WatchedRun]


def test_that_a_complete_run_says_so(start_run: Start, run_path: Path) -> None:
    config = tiny_config()
    finished = (run := start_run(config, limit=StopCondition(steps=5), folder=folder_for(run_path, config))).finish()
    assert finished == Finished(outcome=Outcome.COMPLETED, step=5)
    (started,) = run.all_of(Started)
    assert (started.device, started.folder) == ("cpu", run_path)
    assert started.parameters > 0
    assert run.events.index(started) > max(run.events.index(event) for event in run.all_of(Preparing))
    assert len(run.all_of(Logged)) == 5
    assert run.handle.join(0)
    assert Run.open(run_path).summary["status"] == "completed"


def test_that_a_stopped_run_says_so_and_is_saved(start_run: Start, tmp_path: Path) -> None:
    config = tiny_config()
    run = start_run(config, folder=folder_under(tmp_path / "runs", config))
    run.wait_for(Logged)
    run.send(Stop())
    finished = run.finish()
    assert finished.outcome is Outcome.STOPPED
    (saved,) = run.all_of(Saved)
    assert saved.step == finished.step > 0
    assert Run.open(saved.path).weights("average")


def test_that_a_run_is_steered_from_another_thread(start_run: Start, run_path: Path) -> None:
    config = tiny_config()
    run = start_run(config, folder=folder_for(run_path, config))
    run.wait_for(Logged)
    run.send(Pause())
    paused = run.wait_for(Paused)
    run.send(SetPerturbation(perturbation=Perturbation(offsets=(0.0, -1.0, 1.0), revision=9)))
    assert run.wait_for(PerturbationApplied) == PerturbationApplied(step=paused.step, revision=9)
    run.send(Step())
    assert run.wait_for(Paused).step == paused.step + 1
    run.send(SampleNow())
    run.send(Save())
    assert run.wait_for(Saved).step == paused.step + 1
    assert paused.step + 1 in FrameStore(run_path).steps
    snapshot = run.handle.take_snapshot()
    assert snapshot.step == paused.step + 1
    run.send(Resume())
    resumed = run.wait_for(Resumed)
    assert run.wait_for(Logged, lambda point: point.step > resumed.step).step == resumed.step + 1
    run.send(Stop())
    assert run.finish().outcome is Outcome.STOPPED


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 8 bytes"),
    ],
)
def test_that_a_full_memory_is_something_the_person_can_mend(
    error: Exception, start_run: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    def losses(*_: object) -> None:
        raise error

    monkeypatch.setattr(Vae, "losses", losses)
    finished = start_run().finish()
    assert finished.outcome is Outcome.FAILED
    assert "not enough memory" in finished.error.title
    assert "smaller batch" in finished.error.hint
    assert finished.traceback == ""


def test_that_a_fault_of_the_configuration_ends_it_with_its_message(start_run: Start, run_path: Path) -> None:
    config = tiny_config(perturbation={"offsets": {"dog": 1.0}})
    run = start_run(config, folder=folder_for(run_path, config))
    finished = run.finish()
    assert finished.outcome is Outcome.FAILED
    assert finished.error.field == "perturbation.offsets"
    assert run.all_of(Started) == []
    assert not run_path.exists()


def test_that_a_stop_while_data_are_loading_cancels(start_run: Start, run_path: Path) -> None:
    loading = threading.Event()

    def data(progress: Progress) -> ImageSet:
        deadline = threading.Event()
        loading.set()
        while True:
            progress.report("reading", 0.5)
            deadline.wait(0.005)

    config = tiny_config()
    run = start_run(config, data=data, folder=folder_for(run_path, config))
    assert loading.wait(DEADLINE_S)
    run.send(Stop())
    assert run.finish() == Finished(outcome=Outcome.STOPPED, step=0)
    assert not run_path.exists()


def test_that_a_stop_that_comes_before_everything_leaves_nothing(start_run: Start, run_path: Path) -> None:
    config = tiny_config()
    released = threading.Event()

    def data(_: Progress) -> ImageSet:
        assert released.wait(DEADLINE_S)
        return tiny_images()

    run = start_run(config, data=data, folder=folder_for(run_path, config))
    run.send(Stop())
    released.set()
    assert run.finish().outcome is Outcome.STOPPED
    assert not run_path.exists()


def test_that_nobody_need_be_watching(start_run: Start) -> None:
    run = start_run(limit=StopCondition(steps=200))
    assert run.handle.join(DEADLINE_S)
    run.send(Pause())
    assert run.finish().step == 200
    events, dropped = run.handle.events()
    assert (events, dropped) == ([], 0)
