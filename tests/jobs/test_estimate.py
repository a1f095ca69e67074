"""When a queue will be through."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.jobs.estimate import seconds_left
from studio.jobs.job import Job, JobStatus
from studio.training.limit import Limit


def job(limit: Limit, status: JobStatus = JobStatus.WAITING, seconds: float = 0.0) -> Job:
    return Job(id=1, place=0, title="", config="", limit=limit, folder=Path("x"), status=status, seconds=seconds)


MINUTE, STEPS = Limit(seconds=60), Limit(steps=100)


@pytest.mark.parametrize(
    ("jobs", "at_once", "expected"),
    [
        ([], 1, 0.0),
        ([job(MINUTE), job(MINUTE)], 1, 140.0),
        ([job(MINUTE), job(MINUTE)], 2, 70.0),
        ([job(MINUTE), job(MINUTE), job(Limit(seconds=600))], 2, 610.0),
        ([job(STEPS)], 1, None),
        ([job(STEPS, JobStatus.COMPLETED, 30.0), job(STEPS, JobStatus.COMPLETED, 50.0), job(STEPS)], 1, 40.0),
        ([job(STEPS, JobStatus.FAILED, 30.0), job(STEPS)], 1, None),
        ([job(MINUTE, JobStatus.COMPLETED, 70.0)], 1, 0.0),
    ],
)
def test_that_durations_are_laid_end_to_end(jobs: list[Job], at_once: int, expected: float | None) -> None:
    left = seconds_left(jobs, at_once)
    assert left == expected if expected is None else left == pytest.approx(expected)
