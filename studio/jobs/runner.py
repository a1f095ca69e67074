"""Runs the jobs of a queue, so many at once, by whatever workers it is given.

A job's configuration comes from the queue and not from any file that somebody may edit meanwhile; its run goes on from
its last checkpoint if it has begun before. What was running when the studio ended is found by its process and put back
into the queue when that is gone; so is at once what a lost worker left.
"""

from __future__ import annotations

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import assert_never

from studio.errors import UserError, reporting
from studio.files import whole_file
from studio.jobs.attempt import Attempt, Ending, LocalProcesses, Outcome, Workers, noted_of
from studio.jobs.job import Job, JobStatus
from studio.jobs.queue import JobQueue
from studio.names import listed
from studio.process import is_running
from studio.training.config.sweep_mark import FILE as SWEEP
from studio.training.config.sweep_mark import write_mark
from studio.training.storage.run import Run
from studio.training.storage.run_folder import has_anything

ANEW = "It began anew: its folder has nothing of the attempts before."
_GRACE_SECONDS = 20.0
_MOST_ATTEMPTS = 5
"""A job whose worker is lost that often is taken to be the reason."""


@dataclass(slots=True)
class _Running:
    job: Job
    attempt: Attempt
    begun: float
    remark: str
    cancelled: bool = False


class JobRunner:
    """Starts and watches attempts by workers, by default processes of this machine; somebody calls `poll` often."""

    def __init__(self, queue: JobQueue, *, at_once: int = 1, workers: Workers | None = None) -> None:
        self.queue = queue
        self.at_once = at_once
        self.paused = False
        self._workers = workers or LocalProcesses()
        self._running: dict[int, _Running] = {}

    @property
    def busy(self) -> bool:
        return bool(self._running)

    def poll(self) -> bool:
        """Note what has ended, start what is next; whether anything changed."""
        self._take_back_orphans()
        changed = False
        for running in list(self._running.values()):
            ending = running.attempt.ending()
            if ending is not None:
                self._conclude(running, ending)
                changed = True
        while not self.paused and len(self.queue.running_jobs()) < self.at_once:  # another studio's among them
            job = self.queue.next()
            if job is None:
                break
            if self.queue.claim(job, os.getpid()):
                self._start(job)
                changed = True
        return changed

    def cancel(self, *jobs: Job) -> None:
        """Stop jobs that run, which saves them, and take those that wait out of turn; UserError where another program
        has one that runs.
        """
        for job in jobs:
            running = self._running.get(job.id)
            if running is not None:
                running.cancelled = True
                running.attempt.interrupt()
        self.queue.cancel(*jobs)
        elsewhere = [job.title for job in jobs if job.status is JobStatus.RUNNING and job.id not in self._running]
        if elsewhere:
            hint = "Cancel there, or wait until it has ended."
            raise UserError("A run cannot be cancelled from here", f"Another window began {listed(elsewhere)}.", hint)

    def stop(self, patience: float = _GRACE_SECONDS) -> None:
        """End everything in good order; what was running waits for the next time.

        What has not ended after `patience` seconds ends by itself, and whoever opens the queue next puts it back.
        """
        self.paused = True
        for running in self._running.values():
            running.attempt.interrupt()
        deadline = time.monotonic() + patience
        for running in list(self._running.values()):
            ending = running.attempt.ending(max(0.01, deadline - time.monotonic()))
            if ending is not None:
                self._conclude(running, ending, put_back=True)
        self._running.clear()
        self._workers.close()

    def _start(self, job: Job) -> None:
        config, remark = self._config(job), ""
        try:
            with reporting("The run folder cannot be read", job.folder):
                remark = ANEW if job.attempts and not has_anything(job.folder) else ""
            with whole_file(config) as file:
                file.write(job.config.encode())
            if job.data:
                with whole_file(noted_of(config)) as file:
                    file.write(job.data.encode())
            if job.sweep is not None and not (job.folder / SWEEP).exists():
                write_mark(job.folder, job.sweep)
            attempt = self._workers.start(job, config)
        except UserError as error:
            self.queue.end(job, JobStatus.FAILED, error=str(error))
            return
        self.queue.started(job, attempt.pid, remark)
        self._running[job.id] = _Running(job, attempt, time.monotonic(), remark)

    def _config(self, job: Job) -> Path:
        return self.queue.path.parent / f".job-{job.id}.json"

    def _conclude(self, running: _Running, ending: Ending, *, put_back: bool = False) -> None:
        job = running.job
        del self._running[job.id]
        for file in (self._config(job), noted_of(self._config(job))):
            file.unlink(missing_ok=True)
        status = _status(ending, job, cancelled=running.cancelled, put_back=put_back)
        self.queue.end(job, status, error=ending.error or running.remark, seconds=time.monotonic() - running.begun)

    def _take_back_orphans(self) -> None:
        """Put back what ran under a studio that is gone."""
        for job in self.queue.running_jobs():
            if job.id not in self._running and not is_running(job.pid, job.born):
                status = JobStatus.COMPLETED if _completed(job.folder) else JobStatus.WAITING
                self.queue.end(job, status, seconds=max(0.0, _written(job.folder) - job.begun))


def _written(folder: Path) -> float:
    """When something in a folder was written last, in seconds since 1970; 0 if there is nothing."""
    with suppress(OSError):
        return max((path.stat().st_mtime for path in folder.iterdir()), default=0.0)
    return 0.0


def _completed(folder: Path) -> bool:
    """Whether a run came to its end while nobody watched."""
    try:
        return Run.open(folder).summary.get("status") == "completed"
    except UserError:
        return False


def _status(ending: Ending, job: Job, *, cancelled: bool, put_back: bool) -> JobStatus:
    match ending.outcome:
        case Outcome.COMPLETED:
            return JobStatus.COMPLETED
        case _ if cancelled:
            return JobStatus.CANCELLED
        case _ if put_back:
            return JobStatus.WAITING
        case Outcome.INTERRUPTED:
            return JobStatus.WAITING
        case Outcome.LOST:
            return JobStatus.WAITING if job.attempts + 1 < _MOST_ATTEMPTS else JobStatus.FAILED
        case Outcome.FAILED:
            return JobStatus.FAILED
        case _:
            assert_never(ending.outcome)
