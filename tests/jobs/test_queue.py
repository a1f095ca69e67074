"""The list of jobs: order, what it keeps, and that it outlives whoever wrote it; and when it will be
through.
"""

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from studio.errors import UserError
from studio.jobs.estimate import seconds_for, seconds_left
from studio.jobs.job import Job, JobStatus
from studio.jobs.queue import JobQueue
from studio.process import mark_of
from studio.training.config.assignments import with_settings
from studio.training.config.run_config import RunConfig, StopCondition
from studio.training.config.sweep_mark import SweepMark
from studio.training.storage.fingerprints import Fingerprints
from tests.library.made_runs import make_run


@pytest.fixture
def queue(tmp_path: Path) -> JobQueue:
    queue = JobQueue(tmp_path / "queue.sqlite")
    for name in "abc":
        queue.add(RunConfig(name=name), StopCondition(steps=5), tmp_path / name)
    return queue


def titles(queue: JobQueue) -> str:
    return "".join(job.title for job in queue.jobs())


def named(queue: JobQueue, title: str) -> Job:
    return next(job for job in queue.jobs() if job.title == title)


def test_that_jobs_wait_in_order_with_the_configuration_of_their_time(queue: JobQueue, tmp_path: Path) -> None:
    again = JobQueue(queue.path)
    first = again.next()
    assert first is not None
    assert first == queue.jobs()[0]
    assert (first.title, first.folder, first.limit, first.status) == (
        "a",
        tmp_path / "a",
        StopCondition(steps=5),
        "waiting",
    )
    assert first.config == RunConfig(name="a").to_json()


@pytest.mark.parametrize(
    ("title", "by", "order"), [("c", -1, "acb"), ("c", -9, "cab"), ("a", 1, "bac"), ("a", 9, "bca")]
)
def test_that_jobs_can_be_reordered(queue: JobQueue, title: str, by: int, order: str) -> None:
    queue.move([named(queue, title)], by)
    assert titles(queue) == order


def test_that_several_jobs_move_as_one_and_stop_at_the_end(queue: JobQueue) -> None:
    both = [named(queue, "b"), named(queue, "c")]
    queue.move(both, -1)
    assert titles(queue) == "bca"
    queue.move(both, -1)
    assert titles(queue) == "bca"
    queue.move(both, 1)
    queue.move(both, 1)
    assert titles(queue) == "abc"


def test_that_only_one_program_gets_a_job(queue: JobQueue) -> None:
    job = queue.jobs()[0]
    assert queue.claim(job, os.getpid())
    assert named(queue, "a").born == mark_of(os.getpid())
    assert not JobQueue(queue.path).claim(job, 2)
    following = queue.next()
    assert following.title == "b"


def test_that_an_ended_job_can_be_tried_again_and_its_time_adds_up(queue: JobQueue) -> None:
    for seconds in (2.0, 3.0):
        assert queue.claim(named(queue, "a"), 1)
        queue.end(named(queue, "a"), JobStatus.FAILED, error="no room", seconds=seconds)
        failed = named(queue, "a")
        assert (failed.status, failed.error, failed.pid) == (JobStatus.FAILED, "no room", 0)
        queue.retry(failed)
    job = named(queue, "a")
    assert (job.status, job.error, job.seconds, job.attempts) == (JobStatus.WAITING, "", 5.0, 2)


def test_that_a_job_is_removed_unless_it_runs(queue: JobQueue) -> None:
    queue.claim(named(queue, "a"), 1)
    for title in "ab":
        queue.remove(named(queue, title))
    assert titles(queue) == "ac"


def test_that_ids_are_never_used_again(queue: JobQueue, tmp_path: Path) -> None:
    last = named(queue, "c")
    queue.remove(last)
    assert queue.add(RunConfig(), StopCondition(steps=1), tmp_path / "d") > last.id


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be one" * 30, b"SQLite format 3\0" * 99])
def test_that_a_damaged_file_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "queue.sqlite").write_bytes(content)
    with pytest.raises(UserError, match="move it away"):
        JobQueue(tmp_path / "queue.sqlite")


@pytest.mark.parametrize(("version", "age"), [(2, "older"), (99, "newer")])
def test_that_a_file_of_another_version_is_refused(queue: JobQueue, version: int, age: str) -> None:
    with closing(sqlite3.connect(queue.path)) as database:
        database.execute(f"PRAGMA user_version={version}")
    with pytest.raises(UserError, match=f"{age} version of the studio.*version {version}"):
        JobQueue(queue.path)


def test_that_how_many_run_at_once_and_a_sweep_outlive_the_program(queue: JobQueue, tmp_path: Path) -> None:
    mark = SweepMark(sweep="s", title="S", number=1, count=2, settings=("seed",), values={"seed": 3})
    queue.add(RunConfig(), StopCondition(steps=1), tmp_path / "d", "d", mark)
    queue.set_at_once(3)
    queue.set_running(True)
    again = JobQueue(queue.path)
    assert (again.running, again.at_once) == (True, 3)
    assert named(again, "d").sweep == mark
    assert named(again, "a").sweep is None


def test_that_a_queue_of_before_data_were_noted_opens_with_nothing_known_of_them(queue: JobQueue) -> None:
    jobs = queue.jobs()
    with closing(sqlite3.connect(queue.path)) as database, database:
        database.execute("ALTER TABLE job DROP COLUMN data")
        database.execute("PRAGMA user_version=3")
    again = JobQueue(queue.path)
    assert again.jobs() == jobs
    assert {job.data for job in jobs} == {""}
    again.add(
        RunConfig(), StopCondition(steps=1), queue.path.parent / "d", "d", data=Fingerprints(data="x", classes={})
    )
    assert named(JobQueue(queue.path), "d").data


def test_that_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError):
        JobQueue(tmp_path / "file" / "queue.sqlite")


CONFIG = RunConfig().to_json()


def job(limit: StopCondition, status: JobStatus = JobStatus.WAITING, seconds: float = 0.0) -> Job:
    return Job(id=1, place=0, title="", config=CONFIG, limit=limit, folder=Path("x"), status=status, seconds=seconds)


MINUTE, STEPS = StopCondition(seconds=60), StopCondition(steps=100)


@pytest.mark.parametrize(
    ("jobs", "at_once", "expected"),
    [
        ([], 1, 0.0),
        ([job(MINUTE), job(MINUTE)], 1, 140.0),
        ([job(MINUTE), job(MINUTE)], 2, 70.0),
        ([job(MINUTE), job(MINUTE), job(StopCondition(seconds=600))], 2, 610.0),
        ([job(STEPS)], 1, None),
        ([job(STEPS, JobStatus.COMPLETED, 30.0), job(STEPS, JobStatus.COMPLETED, 50.0), job(STEPS)], 1, 40.0),
        ([job(STEPS, JobStatus.FAILED, 30.0), job(STEPS)], 1, None),
        ([job(MINUTE, JobStatus.COMPLETED, 70.0)], 1, 0.0),
    ],
)
def test_that_durations_are_laid_end_to_end(jobs: list[Job], at_once: int, expected: float | None) -> None:
    left = seconds_left(jobs, at_once)
    assert left == expected if expected is None else left == pytest.approx(expected)


def test_that_steps_of_another_number_take_as_long_each() -> None:
    completed = job(StopCondition(steps=1000), JobStatus.COMPLETED, 110.0)
    assert seconds_for(StopCondition(steps=500), CONFIG, [completed]) == pytest.approx(60.0)
    assert seconds_for(StopCondition(steps=1000), CONFIG, [completed]) == pytest.approx(110.0)
    assert seconds_for(StopCondition(steps=1000), CONFIG, []) is None


def test_that_jobs_of_another_model_or_other_data_or_batches_tell_nothing() -> None:
    completed = job(STEPS, JobStatus.COMPLETED, 30.0)
    for change, alike in (
        ("model.kind=diffusion", False),
        ("dataset.kind=mnist", False),
        ("batch.average_size=256", False),
        ("perturbation.offsets.2=-1", True),
        ("seed=3", True),
    ):
        config = with_settings(RunConfig(), [change]).to_json()
        assert (seconds_for(STEPS, config, [completed]) is not None) == alike, change


def test_that_the_judge_that_the_first_run_has_trained_is_none_of_the_others(tmp_path: Path) -> None:
    """Nor is it taken off what a run has still to train."""
    first, second, third, fourth = (
        replace(job(STEPS, JobStatus.COMPLETED, seconds), folder=make_run(tmp_path, name))
        for name, seconds in (("a", 300.0), ("b", 14.0), ("c", 15.0), ("d", 0.0))
    )  # each of which trained for 2 s
    assert seconds_for(STEPS, CONFIG, [first]) == pytest.approx(2 + 10)
    assert seconds_for(STEPS, CONFIG, [first, second]) == pytest.approx(2 + 12)
    prepares = replace(job(STEPS, JobStatus.RUNNING, 250.0), folder=tmp_path / "new")
    for waiting, left in ((prepares, 14.0), (replace(fourth, status=JobStatus.RUNNING), 12.0)):
        assert seconds_left([first, second, third, waiting], 1) == pytest.approx(left)


def test_that_what_a_job_has_trained_for_is_taken_off(tmp_path: Path) -> None:
    running = replace(job(MINUTE, JobStatus.RUNNING), folder=make_run(tmp_path, "run", steps=2500))
    assert seconds_left([running, job(MINUTE)], 1) == pytest.approx(70 - 50 + 70)
    late = replace(running, folder=make_run(tmp_path, "late", steps=10_000))
    assert seconds_left([late], 1) == 0.0
