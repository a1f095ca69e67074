"""A run on disk while it trains: what is written when, and what a full disk does to it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from studio.errors import UserError
from studio.perturb.perturbation import Perturbation
from studio.training.config.run_config import StopCondition
from studio.training.messages.commands import Pause, Resume, SampleNow, Save, SaveElsewhere, SetLearningRate, Step, Stop
from studio.training.messages.events import (
    LearningRateApplied,
    Logged,
    Moved,
    Noticed,
    Outcome,
    PerturbationApplied,
    Restored,
    Saved,
    Warned,
)
from studio.training.messages.marks import MarkKind
from studio.training.messages.snapshot import SampleGrid
from studio.training.run.loop import RunLoop
from studio.training.storage.frames import Frame, FrameStore
from studio.training.storage.recorder import Recorder
from studio.training.storage.resumption import resume
from studio.training.storage.run import Run
from studio.training.storage.run_identity import (
    RunIdentity,
    is_of_another_target,
    noted_of_step,
    noted_targets,
    read_summary,
    target_since,
)
from tests.full_disk import FullDisk
from tests.training.conftest import steps, tiny_config
from tests.training.played import Played, Script, target


@pytest.fixture
def disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FullDisk:
    """Below everything that a run writes: files written whole and databases appended to."""
    return FullDisk(tmp_path, monkeypatch)


def test_that_save_writes_while_the_run_goes_on(run_path: Path) -> None:
    run = Played(folder=run_path)

    def script() -> Script:
        yield from steps(3)
        yield [Save()]
        assert run.all_of(Saved) == [Saved(step=3, path=run_path)]
        assert Run.open(run_path).summary["status"] == "running"
        assert run.logged() == [1, 2, 3]
        yield [Stop()]

    run.run(script())
    assert Run.open(run_path).summary["status"] == "stopped"
    assert run.all_of(Saved)[-1] == Saved(step=4, path=run_path)


def test_that_a_full_disk_pauses_and_loses_nothing(disk: FullDisk, run_path: Path) -> None:
    run = Played(folder=run_path)

    def script() -> Script:
        yield from steps(3)
        disk.full = True
        yield [SampleNow()]
        (warned,) = run.all_of(Warned)
        assert "No space left" in str(warned.error)
        assert warned.error.hint
        for _ in range(3):
            yield []
            assert run.trainer.step_count == 3
        yield [Step()]  # goes on in memory, if the person wants
        disk.full = False
        yield [Resume()]
        yield [SampleNow()]
        assert run.logged() == [1, 2, 3, 4, 5]
        yield [Stop()]

    assert run.run(script()) is Outcome.STOPPED
    assert run.logged() == list(range(1, run.trainer.step_count + 1))
    assert len(run.all_of(Warned)) == 1
    assert Run.open(run_path).summary["steps"] == run.trainer.step_count


def test_that_a_disk_full_from_the_start_pauses_before_the_first_step(disk: FullDisk, run_path: Path) -> None:
    run = Played(folder=run_path)
    disk.full = True

    def script() -> Script:
        yield []
        assert run.trainer.step_count == 0
        assert len(run.all_of(Warned)) == 1
        disk.full = False
        yield [Resume()]
        yield from steps(2)

    assert run.run(script()) is Outcome.STOPPED
    assert len(run.logged()) == 3


def test_that_a_complete_run_waits_until_there_is_room_to_save_it(disk: FullDisk, run_path: Path) -> None:
    run = Played(folder=run_path, limit=StopCondition(steps=2))

    def script() -> Script:
        yield from steps(2)
        disk.full = True
        yield []
        yield [Save()]
        disk.full = False
        yield [Resume()]

    assert run.run(script()) is Outcome.COMPLETED
    assert len(run.all_of(Warned)) == 2
    assert Run.open(run_path).summary["status"] == "completed"
    assert len(run.logged()) == 2


def test_that_a_stopped_run_that_cannot_be_saved_waits_until_it_can(disk: FullDisk, run_path: Path) -> None:
    run = Played(folder=run_path)

    def script() -> Script:
        yield from steps(2)
        disk.full = True
        yield [Stop()]
        (warned,) = run.all_of(Warned)
        assert (warned.unsaved, warned.stopping) == (True, True)
        yield []
        yield [Stop()]
        disk.full = False
        yield [Stop()]

    assert run.run(script()) is Outcome.STOPPED
    assert len(run.all_of(Warned)) == 2
    assert Run.open(run_path).summary["steps"] == run.trainer.step_count == 2


def test_that_a_stop_that_insists_ends_it_with_the_reason(disk: FullDisk, run_path: Path) -> None:
    run = Played(folder=run_path)

    def script() -> Script:
        yield from steps(2)
        disk.full = True
        yield [Stop()]
        yield [Stop(insist=True)]

    with pytest.raises(UserError, match="No space left"):
        run.run(script())
    assert run.all_of(Saved) == []


@pytest.mark.parametrize("stopping", [False, True])
def test_that_saving_elsewhere_moves_the_run_and_continues_it(run_path: Path, tmp_path: Path, stopping: bool) -> None:
    """The folder's parent is taken away from under it, as a removed drive would be."""
    run = Played(folder=run_path)
    new = tmp_path / "other" / run_path.name
    gone = tmp_path / "gone"

    def script() -> Script:
        yield from steps(2)
        yield [Save()]
        run_path.rename(gone)
        run_path.write_text("in the way")
        yield [Stop() if stopping else SampleNow()]
        assert run.all_of(Warned)[-1].unsaved
        yield [SaveElsewhere(root=run_path)]  # no folder either
        assert len(run.all_of(Warned)) == 2
        yield [SaveElsewhere(root=tmp_path / "other")]
        assert not stopping
        yield from steps(1)

    assert run.run(script()) is Outcome.STOPPED
    assert run.all_of(Moved) == [Moved(step=3, path=new)]
    assert Run.open(new).summary["steps"] == run.trainer.step_count == (3 if stopping else 5)
    assert resume(new).step == run.trainer.step_count


def test_that_all_that_can_be_read_goes_along(run_path: Path, tmp_path: Path) -> None:
    run = Played(folder=run_path)
    run.run([*steps(2), [Save()], [SaveElsewhere(root=tmp_path / "other")]])
    run.folder = tmp_path / "other" / run_path.name
    assert run.logged() == list(range(1, run.trainer.step_count + 1))
    assert FrameStore(run.folder).steps[0] == 0


def test_that_a_value_that_comes_later_gets_a_column(run_path: Path) -> None:
    """The generator's loss first comes with the third step, when rows of the critic's are already on disk."""
    run = Played(tiny_config("wgan_gp", model={"critic_steps": 3}), run_path)

    def script() -> Script:
        yield from steps(2)
        yield [Save()]
        assert "loss_generator" not in run.metrics().columns
        yield from steps(2)

    run.run(script())
    columns = run.metrics().columns
    assert np.isfinite(columns["loss_generator"]).tolist() == [False, False, True, True, True]
    assert np.isfinite(columns["loss_critic"]).all()


def test_that_what_happened_is_kept_with_its_step(run_path: Path) -> None:
    run = Played(folder=run_path)
    network = next(iter(run.trainer.networks))
    edit, rate = target(1, 0, -1, revision=1), SetLearningRate(network=network, rate=0.5)
    run.run([*steps(2), [edit], [rate], [Pause()], [Resume()]])
    marks = run.metrics().marks
    kinds = [(2, MarkKind.EDIT), (3, MarkKind.RATE), (4, MarkKind.RESUMED)]
    assert [(mark.step, mark.kind) for mark in marks] == kinds
    assert marks[0].text == "ΔH edited at step 2 (edit 1)"


def recorded(path: Path) -> tuple[Played, Recorder]:
    run = Played(folder=path)
    assert run.loop._recorder is not None
    return run, run.loop._recorder


def test_that_going_back_takes_back_what_was_written_of_the_steps_after(run_path: Path) -> None:
    run, recorder = recorded(run_path)
    grid = SampleGrid(step=0, raw=np.zeros((1, 2, 2, 1), np.uint8), averaged=np.zeros((1, 2, 2, 1), np.uint8))
    for step in (10, 20, 30):
        recorder.hear(Logged(step=step, seconds=step, values={"loss": step}))
        recorder.hear(Noticed(step=step, error=UserError("Unwell")))
        recorder.save_frame(Frame(grid=replace(grid, step=step), seconds=step))
    recorder.hear(Logged(step=40, seconds=40, values={}))
    recorder.hear(Restored(step=20, left=45))
    recorder.hear(Logged(step=30, seconds=50, values={"loss": 7.0}))
    recorder.flush()
    metrics = run.metrics()
    assert metrics.steps.tolist() == [10, 20, 30]
    assert metrics.columns["loss"].tolist() == [10, 20, 7]
    assert [(mark.step, mark.kind) for mark in metrics.marks] == [
        (10, MarkKind.WARNING),
        (20, MarkKind.WARNING),
        (20, MarkKind.RETURN),
    ]
    assert FrameStore(run_path).steps.tolist() == [10, 20]


def test_that_target_and_rate_stay_in_force_from_the_step_that_is_gone_back_to(run_path: Path) -> None:
    run, recorder = recorded(run_path)
    for step in (10, 30, 40):
        run.trainer.retarget(Perturbation(offsets=(0.0, step / 10, 0.0), revision=step))
        recorder.hear(PerturbationApplied(step=step, revision=step))
        recorder.hear(LearningRateApplied(step=step, network="autoencoder", rate=step / 1e5))
    recorder.hear(Restored(step=20, left=45))
    recorder.save(None, 1.0)
    summary = Run.open(run_path).summary
    edits = [(each["step"], each["revision"], each["offsets"]["bee"]) for each in summary["edits"]]
    assert edits == [(10, 10, 1.0), (20, 40, 4.0)]
    assert [(each["step"], each["learning_rate"]) for each in summary["learning_rates"]] == [(10, 1e-4), (20, 4e-4)]


def test_that_going_back_is_written_once_to_each_file(monkeypatch: pytest.MonkeyPatch, run_path: Path) -> None:
    """Metrics may find room where frames do not: the next try must not take back what was written since."""
    run, recorder = recorded(run_path)
    for step in (10, 20):
        recorder.hear(Logged(step=step, seconds=step, values={}))
    recorder.flush()
    recorder.hear(Restored(step=10, left=20))
    recorder.hear(Logged(step=15, seconds=30, values={}))

    def full(*_: object, **__: object) -> None:
        raise UserError("The disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("studio.training.storage.recorder.append_frames", full)
        with pytest.raises(UserError):
            recorder.flush()
    recorder.flush()
    assert run.logged() == [10, 15]


def test_that_samples_after_an_edit_are_of_the_target_that_their_weights_learned(run_path: Path) -> None:
    """Also where the run has gone on from there, or back to there."""

    def kept() -> tuple[int, int, float]:
        frame = FrameStore(run_path).at(10**6)
        return frame.step, frame.revision, frame.offsets["ant"]

    Played(folder=run_path).run([*steps(2), [target(1, 0, -1, revision=1), SampleNow(), Stop()]])
    step, revision, offset = kept()
    assert (revision, offset) == (0, 0.0)
    found = resume(run_path)
    again = Played(found.config)
    notes = found.load_into(again.trainer)
    recorder = Recorder(found.folder(), again.trainer, notes)
    assert RunLoop(again.trainer, again.mailbox, recorder)._reporter.snapshot(None).revision == 0
    grid = SampleGrid(step=step, raw=np.zeros((1, 2, 2, 1), np.uint8), averaged=np.zeros((1, 2, 2, 1), np.uint8))
    recorder.save_frame(Frame(grid=grid, seconds=1.0))
    assert kept() == (step, 0, 0.0)
    recorder.save_frame(Frame(grid=replace(grid, step=step + 1), seconds=1.0))
    assert kept() == (step + 1, 1, 1.0)
    recorder.hear(Restored(step=step - 1, left=step + 1))
    recorder.save_frame(Frame(grid=replace(grid, step=step - 1), seconds=1.0))
    assert kept() == (step - 1, 0, 0.0)
    recorder.release()


def test_that_numbers_since_the_last_save_are_of_the_target_of_their_steps(run_path: Path) -> None:
    """As who looks at a run that trains elsewhere, or was killed, finds them."""

    def script() -> Script:
        yield from steps(3)
        yield [target(1, 0, -1, revision=1)]
        yield [Save()]
        yield [target(0, 2, 0, revision=2)]
        yield from steps(3)
        yield [SampleNow()]
        saved, summary, frame = RunIdentity.read(run_path), read_summary(run_path), FrameStore(run_path).at(10**6)
        assert (saved.target.offsets, saved.learned) == ({"ant": 1.0, "cat": -1.0}, None)
        assert saved.trained.perturbation.offsets == {"bee": 2.0}
        assert frame.revision == 2
        assert noted_of_step(summary["began_with"], summary["edits"], frame.step) == summary["edits"][-1]
        assert noted_targets(summary)[2].offsets == {"bee": 2.0}
        edits = [each["step"] for each in summary["edits"]]
        assert target_since(summary) == edits[1]
        assert is_of_another_target(summary, step=edits[1])
        assert not is_of_another_target(summary, step=edits[1] + 1)
        assert not is_of_another_target(summary, revision=2)
        yield [Stop()]

    Played(folder=run_path).run(script())
    assert RunIdentity.read(run_path).target.offsets == {"bee": 2.0}


def test_that_edits_are_in_the_summary(run_path: Path) -> None:
    run = Played(folder=run_path)
    run.run([*steps(2), [target(1, 0, -1, revision=1)]])
    summary = Run.open(run_path).summary
    offsets = {"ant": 1.0, "bee": 0.0, "cat": -1.0}
    assert summary["edits"] == [{"step": 2, "revision": 1, "offsets": offsets, "gauge": "normalised"}]
    assert summary["began_with"] == {"revision": 0, "offsets": dict.fromkeys(offsets, 0.0), "gauge": "normalised"}
    assert summary["offsets"] == offsets
    assert Run.open(run_path).revision == 1
