"""A run on disk while it trains: what is written when, and what a full disk does to it."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from studio.errors import UserError
from studio.training.commands import Resume, SampleNow, Save, SaveElsewhere, Step, Stop
from studio.training.events import Moved, Outcome, Saved, Warned
from studio.training.limit import Limit
from studio.training.resumption import resume
from studio.training.store import SavedRun
from tests.training.conftest import steps, tiny_config
from tests.training.played import Played, Script, target


class Disk:
    """Full whenever a test says so."""

    def __init__(self) -> None:
        self.full = False

    def guard(self, write: Callable[..., Any]) -> Callable[..., Any]:
        def guarded(*arguments: Any, **options: Any) -> Any:
            if self.full:
                raise OSError(errno.ENOSPC, "No space left on device")
            return write(*arguments, **options)

        return guarded


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Disk:
    """Below everything the store writes: files written whole and rows appended."""
    disk = Disk()
    monkeypatch.setattr(Path, "open", disk.guard(Path.open))
    return disk


def test_that_save_writes_while_the_run_goes_on(run_path: Path) -> None:
    run = Played(folder=run_path)

    def script() -> Script:
        yield from steps(3)
        yield [Save()]
        assert run.all_of(Saved) == [Saved(step=3, path=run_path)]
        assert SavedRun.open(run_path).summary["status"] == "running"
        assert len(run.rows()) == 3
        yield [Stop()]

    run.run(script())
    assert SavedRun.open(run_path).summary["status"] == "stopped"
    assert run.all_of(Saved)[-1] == Saved(step=4, path=run_path)


def test_that_a_full_disk_pauses_and_loses_nothing(disk: Disk, run_path: Path) -> None:
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
        assert [row["step"] for row in run.rows()] == ["1", "2", "3", "4", "5"]
        yield [Stop()]

    assert run.run(script()) is Outcome.STOPPED
    assert [row["step"] for row in run.rows()] == [str(step) for step in range(1, run.trainer.step_count + 1)]
    assert len(run.all_of(Warned)) == 1
    assert SavedRun.open(run_path).summary["steps"] == run.trainer.step_count


def test_that_a_disk_full_from_the_start_pauses_before_the_first_step(disk: Disk, run_path: Path) -> None:
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
    assert len(run.rows()) == 3


def test_that_a_complete_run_waits_until_there_is_room_to_save_it(disk: Disk, run_path: Path) -> None:
    run = Played(folder=run_path, limit=Limit(steps=2))

    def script() -> Script:
        yield from steps(2)
        disk.full = True
        yield []
        yield [Save()]
        disk.full = False
        yield [Resume()]

    assert run.run(script()) is Outcome.COMPLETED
    assert len(run.all_of(Warned)) == 2
    assert SavedRun.open(run_path).summary["status"] == "completed"
    assert len(run.rows()) == 2


def test_that_a_stopped_run_that_cannot_be_saved_waits_until_it_can(disk: Disk, run_path: Path) -> None:
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
    assert SavedRun.open(run_path).summary["steps"] == run.trainer.step_count == 2


def test_that_a_stop_that_insists_ends_it_with_the_reason(disk: Disk, run_path: Path) -> None:
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
    assert SavedRun.open(new).summary["steps"] == run.trainer.step_count == (3 if stopping else 5)
    assert resume(new).step == run.trainer.step_count


def test_that_all_that_can_be_read_goes_along(run_path: Path, tmp_path: Path) -> None:
    run = Played(folder=run_path)

    def script() -> Script:
        yield from steps(2)
        yield [Save()]
        yield [SaveElsewhere(root=tmp_path / "other")]

    run.run(script())
    run.folder = tmp_path / "other" / run_path.name
    assert [row["step"] for row in run.rows()] == [str(step) for step in range(1, run.trainer.step_count + 1)]
    assert (run.folder / "samples" / "step-00000000.png").is_file()


def test_that_half_a_row_is_taken_back_when_the_disk_fills_up(monkeypatch: pytest.MonkeyPatch, run_path: Path) -> None:
    """A write that stops half-way would spoil the next row, and what is tried again would be there twice."""
    run = Played(folder=run_path)

    class Short:
        """The file, taking no more than 7 bytes at once."""

        def __init__(self, file: Any) -> None:
            self.file = file

        def __enter__(self) -> Short:
            return self

        def __exit__(self, *_: object) -> None:
            self.file.close()

        def write(self, data: bytes) -> int:
            return int(self.file.write(data[:7]))

        def __getattr__(self, name: str) -> Any:
            return getattr(self.file, name)

    whole = Path.open

    def script() -> Script:
        yield from steps(2)
        yield [Save()]
        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", lambda path, mode, **options: Short(whole(path, mode, **options)))
            yield [Save()]
            assert len(run.all_of(Warned)) == 1
        assert len(run.rows()) == 2
        yield [Resume()]
        yield [Stop()]

    run.run(script())
    assert [row["step"] for row in run.rows()] == [str(step) for step in range(1, run.trainer.step_count + 1)]


def test_that_a_value_that_comes_later_gets_a_column(run_path: Path) -> None:
    """The generator's loss first comes with the third step, when rows of the critic's are already on disk."""
    run = Played(tiny_config("wgan_gp", model={"critic_steps": 3}), run_path)

    def script() -> Script:
        yield from steps(2)
        yield [Save()]
        assert "loss_generator" not in run.rows()[0]
        yield from steps(2)

    run.run(script())
    rows = run.rows()
    assert [bool(row["loss_generator"]) for row in rows] == [False, False, True, True, True]
    assert all(row["loss_critic"] for row in rows)
    assert None not in rows[-1]


def test_that_edits_are_in_the_summary(run_path: Path) -> None:
    run = Played(folder=run_path)

    def script() -> Script:
        yield from steps(2)
        yield [target(1, 0, -1, revision=1)]

    run.run(script())
    summary = SavedRun.open(run_path).summary
    offsets = {"ant": 1.0, "bee": 0.0, "cat": -1.0}
    assert summary["edits"] == [{"step": 2, "revision": 1, "offsets": offsets}]
    assert summary["offsets"] == offsets
