"""Jobs in processes of their own: how each ends, and what is left when the studio ends first."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from studio.jobs.attempt import Ending, LocalProcesses, Outcome, command_of
from studio.jobs.job import Job, JobStatus
from studio.jobs.queue import JobQueue
from studio.jobs.runner import ANEW, JobRunner
from studio.training.config.assignments import with_settings
from studio.training.config.run_config import EvaluationConfig, RunConfig, StopCondition
from studio.training.config.sweep_mark import SweepMark, read_mark
from studio.training.engine.trainer import Trainer
from studio.training.storage.recorder import Recorder
from studio.training.storage.run_folder import RunFolder
from tests.library.made_runs import make_run
from tests.training.conftest import tiny_config, tiny_images

PATIENCE_S = 110
"""A process that trains imports torch first, which takes a minute on a machine that is busy enough."""


@pytest.fixture
def queue(tmp_path: Path) -> JobQueue:
    return JobQueue(tmp_path / "queue.sqlite")


StandIn = Callable[[str], None]


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> StandIn:
    """Has jobs run a line of Python in place of a training; it finds the job's folder in sys.argv[1]."""

    def use(line: str) -> None:
        command = [sys.executable, "-c", line]
        monkeypatch.setattr(
            LocalProcesses, "command", lambda self, job, config: [*command, str(job.folder), str(config)]
        )

    return use


def add(queue: JobQueue, count: int = 1) -> tuple[Job, ...]:
    for number in range(count):
        queue.add(RunConfig(name=f"job {number}"), StopCondition(steps=3), queue.path.parent / f"run-{number}")
    return queue.jobs()


def poll_until(runner: JobRunner, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        runner.poll()
        time.sleep(0.02)


def shorten(queue: JobQueue, steps: int) -> None:
    """Have its jobs be complete at that step."""
    with closing(sqlite3.connect(queue.path)) as database, database:
        database.execute("UPDATE job SET steps=?", (steps,))


def statuses(queue: JobQueue) -> list[str]:
    return [job.status.value for job in queue.jobs()]


def test_that_jobs_run_in_order_so_many_at_once(queue: JobQueue, stand_in: StandIn) -> None:
    stand_in("import time; time.sleep(0.2)")
    add(queue, 3)
    runner = JobRunner(queue, at_once=2)
    runner.poll()
    assert statuses(queue) == ["running", "running", "waiting"]
    poll_until(runner, lambda: all(job.status.ended for job in queue.jobs()))
    assert statuses(queue) == ["completed"] * 3
    assert all(job.seconds > 0.1 for job in queue.jobs())
    assert not runner.busy


def test_that_a_job_gets_the_configuration_it_was_queued_with(queue: JobQueue, stand_in: StandIn) -> None:
    stand_in("import sys, shutil; shutil.copy(sys.argv[2], sys.argv[1] + '.json')")
    (job,) = add(queue)
    runner = JobRunner(queue)
    poll_until(runner, lambda: queue.jobs()[0].status.ended)
    assert Path(f"{job.folder}.json").read_text() == job.config
    assert sorted(path.name for path in queue.path.parent.glob(".job*")) == []


def test_that_a_failure_keeps_its_last_words_and_the_next_job_runs(queue: JobQueue, stand_in: StandIn) -> None:
    stand_in("import sys; sys.exit('studio: no room on the disk' if sys.argv[1].endswith('0') else 0)")
    add(queue, 2)
    runner = JobRunner(queue)
    poll_until(runner, lambda: all(job.status.ended for job in queue.jobs()))
    failed, completed = queue.jobs()
    assert (failed.status, failed.error) == (JobStatus.FAILED, "no room on the disk")
    assert completed.status is JobStatus.COMPLETED


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_that_a_job_can_be_cancelled_and_tried_again(queue: JobQueue, stand_in: StandIn) -> None:
    stand_in("import sys, time\nopen(sys.argv[1], 'w')\ntime.sleep(60)")
    (job,) = add(queue)
    runner = JobRunner(queue)
    poll_until(runner, job.folder.exists)
    runner.cancel(job)
    poll_until(runner, lambda: queue.jobs()[0].status.ended)
    assert statuses(queue) == ["cancelled"]
    stand_in("pass")
    queue.retry(queue.jobs()[0])
    poll_until(runner, lambda: queue.jobs()[0].status.ended)
    assert statuses(queue) == ["completed"]


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_that_what_ran_when_the_studio_ended_waits_for_the_next_time(queue: JobQueue, stand_in: StandIn) -> None:
    stand_in("import sys, time\nopen(sys.argv[1], 'w')\ntime.sleep(60)")
    (job,) = add(queue)
    runner = JobRunner(queue)
    poll_until(runner, job.folder.exists)
    runner.stop()
    assert statuses(queue) == ["waiting"]
    assert not runner.poll()


def test_that_a_job_whose_process_is_gone_is_put_back(queue: JobQueue, stand_in: StandIn) -> None:
    stand_in("pass")
    (job,) = add(queue)
    queue.claim(job, pid=2**22 + 12345)  # of a studio that was killed; no such process can exist
    runner = JobRunner(queue)
    poll_until(runner, lambda: queue.jobs()[0].status is JobStatus.COMPLETED)
    assert queue.jobs()[0].attempts == 2


@pytest.mark.parametrize("status", ["completed", "running"])
def test_that_a_job_whose_end_nobody_saw_has_taken_until_its_run_was_written_last(status: str, queue: JobQueue) -> None:
    (job,) = add(queue)
    make_run(queue.path.parent, "run-0", summary={"status": status})
    queue.claim(job, pid=2**22 + 12345)
    begun = queue.jobs()[0].begun
    for path in job.folder.iterdir():
        os.utime(path, (begun + 90, begun + 90))
    runner = JobRunner(queue)
    runner.paused = True
    runner.poll()
    assert queue.jobs()[0].status is (JobStatus.COMPLETED if status == "completed" else JobStatus.WAITING)
    assert queue.jobs()[0].seconds == pytest.approx(90, abs=0.01)


@pytest.mark.parametrize(
    "pid", [1, os.getpid(), os.getppid(), -1, 0, 2**70], ids=["1", "own", "parent", "-1", "0", "huge"]
)
def test_that_a_job_whose_process_has_left_its_number_to_another_is_put_back(
    queue: JobQueue, stand_in: StandIn, pid: int
) -> None:
    """As in a container, where the studio is number 1 again when it is started anew."""
    stand_in("pass")
    (job,) = add(queue)
    queue.claim(job, os.getpid())
    with closing(sqlite3.connect(queue.path)) as database, database:
        database.execute("UPDATE job SET pid=?, born=born-1000000", (min(pid, 2**62),))
    runner = JobRunner(queue)
    poll_until(runner, lambda: queue.jobs()[0].status is JobStatus.COMPLETED)
    assert queue.jobs()[0].attempts == 2


@pytest.mark.parametrize("emptied", [True, False])
def test_that_a_job_whose_run_is_gone_says_that_it_begins_anew(
    queue: JobQueue, stand_in: StandIn, tmp_path: Path, *, emptied: bool
) -> None:
    stand_in("pass")
    (job,) = add(queue)
    runner = JobRunner(queue)
    poll_until(runner, lambda: queue.jobs()[0].status is JobStatus.COMPLETED)
    assert queue.jobs()[0].error == "", "nobody awaits anything of a first attempt"
    if emptied:
        job.folder.mkdir()
    queue.retry(queue.jobs()[0])
    runner.poll()
    assert queue.jobs()[0].error == ANEW
    poll_until(runner, lambda: queue.jobs()[0].status is JobStatus.COMPLETED)
    assert queue.jobs()[0].error == ANEW
    if not emptied:
        make_run(tmp_path, job.folder.name + "-whole").rename(job.folder)
    queue.retry(queue.jobs()[0])
    poll_until(runner, lambda: queue.jobs()[0].status is JobStatus.COMPLETED)
    assert queue.jobs()[0].error == (ANEW if emptied else ""), "there is something in it"


def test_that_a_job_that_another_studio_runs_is_left_alone(queue: JobQueue, stand_in: StandIn) -> None:
    stand_in("pass")
    (job,) = add(queue)
    queue.claim(job, os.getpid())
    JobRunner(queue).poll()
    assert statuses(queue) == ["running"]


class Losing:
    """Workers that are lost as soon as they have a job."""

    pid = os.getpid()

    def start(self, job: Job, config: Path) -> Losing:
        return self

    def ending(self, patience: float = 0.0) -> Ending:
        return Ending(outcome=Outcome.LOST, error="its worker was lost")

    def interrupt(self) -> None: ...

    def close(self) -> None: ...


def test_that_a_job_that_loses_its_worker_again_and_again_fails_at_last(queue: JobQueue) -> None:
    add(queue)
    runner = JobRunner(queue, workers=Losing())
    runner.poll()
    runner.paused = True
    runner.poll()
    assert [(job.status, job.error) for job in queue.jobs()] == [(JobStatus.WAITING, "its worker was lost")]
    runner.paused = False
    poll_until(runner, lambda: queue.jobs()[0].status.ended)
    assert (queue.jobs()[0].status, queue.jobs()[0].attempts) == (JobStatus.FAILED, 5)


def test_that_a_run_of_a_sweep_finds_its_place_in_its_folder(queue: JobQueue, stand_in: StandIn) -> None:
    stand_in("import os, sys; sys.exit(0 if os.listdir(sys.argv[1]) == ['sweep.json'] else 'studio: no mark')")
    mark = SweepMark(sweep="s", number=1, count=1, values={"seed": 3})
    folder = queue.path.parent / "run"
    queue.add(RunConfig(), StopCondition(steps=3), folder, sweep=mark)
    runner = JobRunner(queue)
    poll_until(runner, lambda: queue.jobs()[0].status.ended)
    assert (queue.jobs()[0].status, queue.jobs()[0].error) == (JobStatus.COMPLETED, "")
    assert read_mark(folder) == mark


def test_that_a_job_whose_folder_cannot_be_made_fails_and_the_next_one_runs(queue: JobQueue, stand_in: StandIn) -> None:
    stand_in("pass")
    (queue.path.parent / "file").write_text("")
    mark = SweepMark(sweep="s", number=1, count=1)
    queue.add(RunConfig(), StopCondition(steps=3), queue.path.parent / "file" / "run", sweep=mark)
    add(queue)
    runner = JobRunner(queue)
    poll_until(runner, lambda: all(job.status.ended for job in queue.jobs()))
    assert statuses(queue) == ["failed", "completed"]
    assert "could not be written" in queue.jobs()[0].error


def test_that_images_are_evaluated_unless_there_is_no_time_for_it(queue: JobQueue) -> None:
    for changes in ([], ["evaluation.budget=0"], ["dataset.kind=planar_ring"]):
        queue.add(with_settings(RunConfig(), changes), StopCondition(steps=3), queue.path.parent / "run")
    commands = [command_of(job, Path("config.json"), None) for job in queue.jobs()]
    assert ["--evaluate" in command for command in commands] == [True, False, False]


def test_that_a_run_that_was_interrupted_while_it_was_evaluated_at_its_end_is_evaluated_and_not_trained(
    queue: JobQueue, tmp_path: Path
) -> None:
    """It would be refused, as it is at that step already."""
    config, folder = tiny_config("vae"), tmp_path / "run"
    trainer = Trainer(config, tiny_images())
    recorder = Recorder(RunFolder.at(folder, config), trainer)
    for _ in range(3):
        trainer.step()
    recorder.save(None, 1.0)
    recorder.release()
    queue.add(config, StopCondition(steps=3), folder)
    queue.add(config, StopCondition(steps=4), folder)
    done, more = (command_of(job, Path("config.json"), tmp_path) for job in queue.jobs())
    samples, out = str(config.evaluation.samples), str(folder / "evaluation.json")
    assert done == ["evaluate", str(folder), "--count", samples, "--json", out, "--data-root", str(tmp_path)]
    assert more[:4] == ["resume", str(folder), "--steps", "4"]


def test_that_a_paused_queue_starts_nothing(queue: JobQueue, stand_in: StandIn) -> None:
    stand_in("pass")
    (job,) = add(queue)
    runner = JobRunner(queue)
    runner.paused = True
    assert not runner.poll()
    runner.cancel(job)
    assert statuses(queue) == ["cancelled"]


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_that_a_job_is_cancelled_and_saved_where_ctrl_c_is_ignored(queue: JobQueue) -> None:
    config = RunConfig(name="long", threads=1, evaluation=EvaluationConfig(budget=0))
    queue.add(config, StopCondition(steps=10**6), queue.path.parent / "run")
    runner = JobRunner(queue)
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)  # as below a shell's command in the background
    try:
        runner.poll()
    finally:
        signal.signal(signal.SIGINT, before)
    (job,) = queue.jobs()
    poll_until(runner, (job.folder / "metrics.sqlite").exists)
    runner.cancel(job)
    poll_until(runner, lambda: queue.jobs()[0].status.ended)
    assert statuses(queue) == ["cancelled"]
    assert list((job.folder / "checkpoints").iterdir())
