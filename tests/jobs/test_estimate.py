"""When a queue will be through."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from studio.jobs.estimate import seconds_for, seconds_left
from studio.jobs.job import Job, JobStatus
from studio.training.config.run_config import StopCondition


def job(limit: StopCondition, status: JobStatus = JobStatus.WAITING, seconds: float = 0.0) -> Job:
    return Job(id=1, place=0, title="", config="", limit=limit, folder=Path("x"), status=status, seconds=seconds)


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
    assert seconds_for(StopCondition(steps=500), [completed]) == pytest.approx(60.0)
    assert seconds_for(StopCondition(steps=1000), [completed]) == pytest.approx(110.0)
    assert seconds_for(StopCondition(steps=1000), []) is None


def test_that_what_a_job_has_run_for_is_taken_off() -> None:
    running = replace(job(MINUTE, JobStatus.RUNNING, 20.0), begun=1000.0)
    assert seconds_left([running, job(MINUTE)], 1, now=1030.0) == pytest.approx(70 - 50 + 70)
    assert seconds_left([running], 1, now=9999.0) == 0.0
