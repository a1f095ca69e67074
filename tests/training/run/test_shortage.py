"""Memory that runs out in a step: the run goes back to where it is whole, and on with a smaller batch."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from studio.errors import UserError
from studio.training.config.file import read_config
from studio.training.config.planners import PlannerKind
from studio.training.config.run_config import RunConfig, StopCondition
from studio.training.engine.memory import out_of_memory
from studio.training.engine.trainer import Trainer
from studio.training.messages.commands import Command, Resume, Save, SetBatchSize
from studio.training.messages.events import BatchSizeApplied, Noticed, Outcome, Restored, Warned
from studio.training.run.recovery import smaller_batch
from studio.training.storage.resumption import resume
from studio.training.storage.run import Run
from tests.training.conftest import steps, tiny_config, tiny_images
from tests.training.played import Played
from tests.training.run.test_resume import same_to_the_bit

Script = Iterator[list[Command]]


def plant(run: Played, monkeypatch: pytest.MonkeyPatch, at: int, error: Callable[[], Exception]) -> None:
    """Memory runs out in the generator's phase of that step, when the critic's is done, for batches of 8."""
    whole = run.trainer._learner._run_phase

    def phase(*given: object) -> None:
        if run.trainer.step_count == at and given[0].network != "critic" and given[2] >= 8:  # type: ignore[attr-defined, operator]
            raise error()
        whole(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(run.trainer._learner, "_run_phase", phase)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate 1 bytes"),
    ],
)
def test_that_a_full_memory_is_known_by_what_torch_says_of_it(error: Exception) -> None:
    told = out_of_memory(error, "Make room.")
    assert "not enough memory" in told.title


def test_that_a_run_short_of_memory_waits_where_it_was_whole_and_goes_on_with_half(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run = Played(tiny_config("gan"), tmp_path / "run")
    plant(run, monkeypatch, 5, MemoryError)

    def script() -> Script:
        yield from steps(3)
        yield [Save()]
        yield from steps(3)  # the sixth runs short
        (warned,) = run.all_of(Warned)
        assert warned.smaller == 4.0
        assert "not enough memory" in warned.error.title
        assert "smaller batch" in warned.error.hint
        assert run.trainer.step_count == 3, "at the checkpoint"
        kept = resume(tmp_path / "run")
        twin = Trainer(tiny_config("gan"), tiny_images())
        kept.load_into(twin)
        for name, tensor in run.trainer.model.state_dict().items():
            assert torch.equal(tensor, twin.model.state_dict()[name]), name
        yield [SetBatchSize(average_size=warned.smaller), Resume()]
        yield from steps(6)

    assert run.run(script()) is Outcome.STOPPED
    (applied,) = run.all_of(BatchSizeApplied)
    assert (applied.step, applied.average_size) == (3, 4.0)
    assert run.all_of(Restored)[0].step == 3
    metrics = run.metrics()
    assert metrics.steps.tolist() == list(range(1, run.trainer.step_count + 1))
    assert metrics.columns["average_size"].tolist()[:4] == [8, 8, 8, 4]
    assert read_config(tmp_path / "run" / "config.json").batch.average_size == 4
    assert "B_avg set to 4" in [mark.text for mark in metrics.marks][-2]


def test_that_a_run_back_before_its_first_step_is_saved_whole(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run = Played(tiny_config("gan"), tmp_path / "run")
    plant(run, monkeypatch, 0, MemoryError)
    run.run(steps(3))
    assert run.all_of(Restored)[0].step == 0
    found = resume(tmp_path / "run")
    other = Trainer(found.config, tiny_images())
    found.load_into(other)
    same_to_the_bit(run.trainer, other)


def test_that_the_last_good_state_is_newer_than_the_checkpoint(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run = Played(tiny_config("gan"), tmp_path / "run")
    plant(run, monkeypatch, 5, MemoryError)

    def script() -> Script:
        yield from steps(4)
        run.loop._recovery._good.keep(1e9)
        yield from steps(3)
        assert run.trainer.step_count == 4

    run.run(script())


def test_that_a_run_without_a_way_back_ends_with_the_message(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Played(tiny_config("gan"))
    plant(run, monkeypatch, 0, MemoryError)
    with pytest.raises(UserError, match="not enough memory"):
        run.run(steps(3))


def test_that_another_error_is_still_a_bug(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run = Played(tiny_config("gan"), tmp_path / "run")
    plant(run, monkeypatch, 2, lambda: RuntimeError("shapes do not match"))
    with pytest.raises(RuntimeError, match="shapes"):
        run.run(steps(5))


def test_that_half_of_a_batch_is_a_whole_number_or_nothing() -> None:
    assert [smaller_batch(size) for size in (64.0, 9.0, 2.0, 1.5, 1.0)] == [32.0, 4.0, 1.0, None, None]


def test_that_a_batch_that_cannot_be_is_refused_and_the_old_one_stays(tmp_path: Path) -> None:
    run = Played(folder=tmp_path / "run")
    run.run([[SetBatchSize(average_size=1e4)], *steps(2)])
    assert "more examples than the data set has" in run.all_of(Noticed)[0].error.title
    assert run.trainer.config.batch.average_size == 8
    assert not run.all_of(BatchSizeApplied)


@pytest.mark.parametrize("size", [0.5, 0.0, 1e5, float("nan")])
def test_that_a_batch_size_that_no_configuration_has_is_refused(size: float) -> None:
    trainer = Trainer(tiny_config(), tiny_images())
    with pytest.raises(UserError, match="Batch size"):
        trainer.set_batch_size(size)
    assert trainer.config.batch.average_size == trainer._planner.average_size == 8


@pytest.mark.parametrize("planner", PlannerKind)
def test_that_batches_keep_their_average_before_and_after(planner: PlannerKind) -> None:
    config = tiny_config(batch={"average_size": 9, "planner": planner}, perturbation={"offsets": {"cat": -1.0}})
    trainer = Trainer(config, tiny_images())
    sizes = [trainer._planner.next().adjusted_size for _ in range(30)]
    trainer.set_batch_size(4.0)
    smaller = [trainer._planner.next() for _ in range(60)]
    assert {plan.average_size for plan in smaller} == {4.0}
    total = sum(sizes) + sum(plan.adjusted_size for plan in smaller)
    assert total == pytest.approx(30 * 9 + 60 * 4, abs=25 if planner is PlannerKind.FIXED_SIZE else 5)
    seen = np.bincount(np.concatenate([plan.indices for plan in smaller]), minlength=120)
    assert seen.max() <= 10


@pytest.mark.parametrize("planner", PlannerKind)
def test_that_a_run_with_another_batch_is_resumed_to_the_bit(planner: PlannerKind, tmp_path: Path) -> None:
    config = tiny_config(batch={"average_size": 9, "planner": planner})
    run = Played(config, tmp_path / "run")
    run.run([*steps(7), [SetBatchSize(average_size=4.0)], *steps(5)])
    assert again(tmp_path / "run", run.trainer)


def again(path: Path, trainer: Trainer) -> bool:
    """Whether the run in a folder, taken up and trained on, is this one trained on."""
    found = resume(path)
    assert found.config.batch.average_size == 4
    other = Trainer(found.config, tiny_images())
    found.load_into(other)
    for each in (trainer, other):
        for _ in range(5):
            each.step()
    same_to_the_bit(trainer, other)
    return True


def test_that_a_checkpoint_from_before_the_change_is_gone_on_from(tmp_path: Path) -> None:
    """As where the process is killed between the two files."""
    config = tiny_config(batch={"average_size": 32})
    path = tmp_path / "run"
    run = Played(config, path, StopCondition(steps=9))
    run.run(steps(20))
    batch = config.batch.model_copy(update={"average_size": 2.0})
    changed: RunConfig = config.model_copy(update={"batch": batch})
    (path / "config.json").write_text(changed.to_json())
    found = resume(path)
    other = Trainer(found.config, tiny_images())
    found.load_into(other)
    assert other.step().plan.average_size == 2
    assert Run.open(path).summary["steps"] == 9
