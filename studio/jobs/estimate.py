"""When a queue will be through: what is known of each job's duration, laid end to end.

A job that trains for minutes takes them; one that trains for steps takes as long for each as those that were completed,
of the same number if there are any.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence

from studio.jobs.job import Job, JobStatus
from studio.training.config.run_config import StopCondition

_START_UP = 10.0
"""Seconds a process takes before its first step and after its last."""


def seconds_left(jobs: Sequence[Job], at_once: int, now: float | None = None) -> float | None:
    """Seconds until the last job of a queue has ended, about; None while nothing tells how long a job takes."""
    moment = time.time() if now is None else now
    left = [job for job in jobs if not job.status.ended]
    durations = [_left(job, jobs, moment) for job in left]
    known = [each for each in durations if each is not None]
    if len(known) < len(durations):
        return None
    return max([sum(known) / at_once, *known], default=0.0)


def seconds_for(limit: StopCondition, jobs: Sequence[Job]) -> float | None:
    """Seconds that a run of this length takes, about, going by the jobs that were completed; None if none tells."""
    if limit.seconds is not None:
        return limit.seconds + _START_UP
    completed = [job for job in jobs if job.status is JobStatus.COMPLETED and job.limit.steps]
    alike = [job.seconds for job in completed if job.limit == limit]
    if alike:
        return statistics.median(alike)
    paces = [max(job.seconds - _START_UP, 0.0) / job.limit.steps for job in completed if job.limit.steps]
    return statistics.median(paces) * (limit.steps or 0) + _START_UP if paces else None


def _left(job: Job, jobs: Sequence[Job], now: float) -> float | None:
    """What is left of a job's duration; one that takes longer than expected is about to end."""
    whole = seconds_for(job.limit, jobs)
    if whole is None:
        return None
    taken = job.seconds + (now - job.begun if job.begun else 0.0)
    return max(whole - taken, 0.0)
