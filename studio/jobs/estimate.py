"""When a queue will be through: what is known of each job's duration, laid end to end.

A job that trains for minutes takes them; one that trains for steps takes as long for each as those of its data, its
kind of model and its size of batches that were completed. What a process takes beside training is as little as it was
for any of them: the first one may have had to train the judge of the data.
"""

from __future__ import annotations

import json
import statistics
from collections.abc import Sequence
from contextlib import suppress
from functools import cache, lru_cache
from pathlib import Path

from studio.errors import UserError
from studio.jobs.job import Job, JobStatus
from studio.training.config.run_config import StopCondition
from studio.training.config.sweep_mark import MOST_RUNS
from studio.training.storage.metrics import newest_point

_BESIDE = 10.0
"""Seconds a process takes before its first step and after its last, unless two tell or more."""


def seconds_left(jobs: Sequence[Job], at_once: int) -> float | None:
    """Seconds until the last job of a queue has ended, about; None while nothing tells how long a job takes."""
    left = [job for job in jobs if not job.status.ended]
    whole = cache(lambda limit, work: _seconds_for(limit, work, jobs))
    durations = [_left(job, whole(job.limit, work_of(job.config))) for job in left]
    known = [each for each in durations if each is not None]
    if len(known) < len(durations):
        return None
    return max([sum(known) / at_once, *known], default=0.0)


def seconds_for(limit: StopCondition, config: str, jobs: Sequence[Job]) -> float | None:
    """Seconds that a run of this length and configuration, as JSON, takes, about, going by the jobs that were
    completed; None if none tells.
    """
    return _seconds_for(limit, work_of(config), jobs)


@lru_cache(maxsize=2 * MOST_RUNS)
def work_of(config: str) -> str:
    """What decides how long a step of a configuration, as JSON, takes, about."""
    found = json.loads(config)
    return json.dumps([found["dataset"], found["model"]["kind"], found["batch"]["average_size"]])


def _seconds_for(limit: StopCondition, work: str, jobs: Sequence[Job]) -> float | None:
    alike = [job for job in jobs if job.status is JobStatus.COMPLETED and work_of(job.config) == work]
    told = [(job.seconds, *_whole(job.folder, job.seconds, job.limit.steps)) for job in alike]
    more = min(max(taken - seconds, 0.0) for taken, _, seconds in told) if len(told) > 1 else _BESIDE
    if limit.seconds is not None:
        return limit.seconds + more
    paces = [seconds / steps for _, steps, seconds in told if steps]
    return statistics.median(paces) * (limit.steps or 0) + more if paces else None


@lru_cache(maxsize=2 * MOST_RUNS)
def _whole(folder: Path, seconds: float, steps: int | None) -> tuple[int, float]:
    """Steps and seconds of training of a job that was completed in so many seconds; about, if its folder is gone."""
    found = _trained(folder)
    return found if found[0] else (steps or 0, max(seconds - _BESIDE, 0.0))


def _trained(folder: Path) -> tuple[int, float]:
    """Steps and seconds of training so far."""
    with suppress(UserError):  # amid being written, or damaged, which is told elsewhere
        return newest_point(folder)
    return 0, 0.0


def _left(job: Job, whole: float | None) -> float | None:
    """What is left of a job's duration; one that takes longer than expected is about to end."""
    return None if whole is None else max(whole - _trained(job.folder)[1], 0.0)
