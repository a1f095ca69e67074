"""When a queue will be through: what is known of each job's duration, laid end to end."""

from __future__ import annotations

import statistics
from collections.abc import Sequence

from studio.jobs.job import Job, JobStatus

_START_UP = 10.0
"""Seconds a process takes before its first step and after its last."""


def seconds_left(jobs: Sequence[Job], at_once: int) -> float | None:
    """Seconds until the last job has ended, about; None while nothing tells how long a job takes.

    Args:
        jobs: all of the queue.
        at_once: how many run at a time.
    """
    left = [job for job in jobs if not job.status.ended]
    durations = [_duration(job, jobs) for job in left]
    known = [each for each in durations if each is not None]
    if len(known) < len(durations):
        return None
    return max([sum(known) / at_once, *known], default=0.0)


def _duration(job: Job, jobs: Sequence[Job]) -> float | None:
    if job.limit.seconds is not None:
        return job.limit.seconds + _START_UP
    alike = [each.seconds for each in jobs if each.status is JobStatus.COMPLETED and each.limit == job.limit]
    return statistics.median(alike) if alike else None
