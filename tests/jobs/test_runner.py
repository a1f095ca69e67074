"""Jobs in processes of their own: how each ends, and what is left when the studio ends first."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from studio.jobs.job import Job, JobStatus
from studio.jobs.queue import JobQueue
from studio.jobs.runner import JobRunner
from studio.training.config import RunConfig
from studio.training.limit import Limit

PATIENCE_S = 60


@pytest.fixture
def queue(tmp_path: Path) -> JobQueue:
    return JobQueue(tmp_path / "queue.sqlite")


@pytest.fixture
def stand_in(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Has jobs run a line of Python in place of a training; it finds the job's folder in sys.argv[1]."""

    def use(line: str) -> None:
        monkeypatch.setattr(
            JobRunner, "_command", lambda self, job, config: [sys.executable, "-c", line, str(job.folder), str(config)]
        )

    return use


def add(queue: JobQueue, count: int = 1) -> tuple[Job, ...]:
    for number in range(count):
        queue.add(RunConfig(name=f"job {number}"), Limit(steps=3), queue.path.parent / f"run-{number}")
    return queue.jobs()


def poll_until(runner: JobRunner, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        runner.poll()
        time.sleep(0.02)


def statuses(queue: JobQueue) -> list[str]:
    return [job.status.value for job in queue.jobs()]


def test_that_jobs_run_in_order_so_many_at_once(queue: JobQueue, stand_in: Callable[[str], None]) -> None:
    stand_in("import time; time.sleep(0.2)")
    add(queue, 3)
    runner = JobRunner(queue, at_once=2)
    runner.poll()
    assert statuses(queue) == ["running", "running", "waiting"]
    poll_until(runner, lambda: all(job.status.ended for job in queue.jobs()))
    assert statuses(queue) == ["completed"] * 3
    assert all(job.seconds > 0.1 for job in queue.jobs())
    assert not runner.busy


def test_that_a_job_gets_the_configuration_it_was_queued_with(queue: JobQueue, stand_in: Callable[[str], None]) -> None:
    stand_in("import sys, shutil; shutil.copy(sys.argv[2], sys.argv[1] + '.json')")
    (job,) = add(queue)
    runner = JobRunner(queue)
    poll_until(runner, lambda: queue.jobs()[0].status.ended)
    assert Path(f"{job.folder}.json").read_text() == job.config
    assert sorted(path.name for path in queue.path.parent.glob(".job*")) == []


def test_that_a_failure_keeps_its_last_words_and_the_next_job_runs(
    queue: JobQueue, stand_in: Callable[[str], None]
) -> None:
    stand_in("import sys; sys.exit('studio: no room on the disk' if sys.argv[1].endswith('0') else 0)")
    add(queue, 2)
    runner = JobRunner(queue)
    poll_until(runner, lambda: all(job.status.ended for job in queue.jobs()))
    failed, completed = queue.jobs()
    assert (failed.status, failed.error) == (JobStatus.FAILED, "no room on the disk")
    assert completed.status is JobStatus.COMPLETED


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_that_a_job_can_be_cancelled_and_tried_again(queue: JobQueue, stand_in: Callable[[str], None]) -> None:
    stand_in("import sys, time\nopen(sys.argv[1], 'w')\ntry: time.sleep(60)\nexcept KeyboardInterrupt: sys.exit(130)")
    (job,) = add(queue)
    runner = JobRunner(queue)
    poll_until(runner, job.folder.exists)
    time.sleep(0.1)
    runner.cancel(job)
    poll_until(runner, lambda: queue.jobs()[0].status.ended)
    assert statuses(queue) == ["cancelled"]
    stand_in("pass")
    queue.retry(queue.jobs()[0])
    poll_until(runner, lambda: queue.jobs()[0].status.ended)
    assert statuses(queue) == ["completed"]


@pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
def test_that_what_ran_when_the_studio_ended_waits_for_the_next_time(
    queue: JobQueue, stand_in: Callable[[str], None]
) -> None:
    stand_in("import sys, time\nopen(sys.argv[1], 'w')\ntry: time.sleep(60)\nexcept KeyboardInterrupt: sys.exit(130)")
    (job,) = add(queue)
    runner = JobRunner(queue)
    poll_until(runner, job.folder.exists)
    time.sleep(0.1)
    runner.stop()
    assert statuses(queue) == ["waiting"]
    assert not runner.poll()


def test_that_a_job_whose_process_is_gone_is_put_back(queue: JobQueue, stand_in: Callable[[str], None]) -> None:
    stand_in("pass")
    (job,) = add(queue)
    queue.claim(job, pid=2**22 + 12345)  # of a studio that was killed; no such process can exist
    runner = JobRunner(queue)
    poll_until(runner, lambda: queue.jobs()[0].status is JobStatus.COMPLETED)
    assert queue.jobs()[0].attempts == 2


def test_that_a_paused_queue_starts_nothing(queue: JobQueue, stand_in: Callable[[str], None]) -> None:
    stand_in("pass")
    (job,) = add(queue)
    runner = JobRunner(queue)
    runner.paused = True
    assert not runner.poll()
    runner.cancel(job)
    assert statuses(queue) == ["cancelled"]
