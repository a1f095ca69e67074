"""Runs the jobs of a queue, each in a process of its own, so many at once.

A process is ``studio train`` on the job's configuration, which a job takes from the queue and not from any file that
somebody may edit meanwhile; or ``studio resume``, if its run has begun before. What was running when the studio
ended is found by its process and put back into the queue when that is gone.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psutil

from studio.errors import UserError
from studio.files import whole_file
from studio.jobs.job import Job, JobStatus
from studio.jobs.queue import JobQueue
from studio.training.resumption import resume
from studio.training.saved_run import SavedRun

_GRACE_SECONDS = 20.0
_LONGEST_ERROR = 300
_INTERRUPTED = 130
_LEAST_SECONDS = 0.1


@dataclass(slots=True)
class _Process:
    job: Job
    process: subprocess.Popen[bytes]
    output: IO[bytes]
    begun: float
    cancelled: bool = False


class JobRunner:
    """Starts and watches processes; somebody calls `poll` every now and then.

    Args:
        queue: whose jobs run.
        at_once: how many at a time.
        data_root: folder of downloaded data sets; the person's own if absent.
    """

    def __init__(self, queue: JobQueue, *, at_once: int = 1, data_root: Path | None = None) -> None:
        self.queue = queue
        self.at_once = at_once
        self.paused = False
        self._data_root = data_root
        self._running: dict[int, _Process] = {}

    @property
    def busy(self) -> bool:
        """Whether a process of its own is running."""
        return bool(self._running)

    def poll(self) -> bool:
        """Note what has ended, start what is next; whether anything changed."""
        self._take_back_orphans()
        ended = [running for running in self._running.values() if running.process.poll() is not None]
        for running in ended:
            self._conclude(running)
        begun = False
        while not self.paused and len(self._running) < self.at_once:
            job = self.queue.next()
            if job is None:
                break
            if self.queue.claim(job, os.getpid()):
                self._start(job)
                begun = True
        return bool(ended) or begun

    def cancel(self, job: Job) -> None:
        """Stop a job that runs, which saves it, or take one that waits out of turn."""
        running = self._running.get(job.id)
        if running is not None:
            running.cancelled = True
            _interrupt(running.process)
        elif job.status is JobStatus.WAITING:
            self.queue.end(job, JobStatus.CANCELLED)

    def stop(self, patience: float = _GRACE_SECONDS) -> None:
        """End everything in good order; what was running waits for the next time.

        Args:
            patience: seconds to wait. What has not ended by then ends by itself, and whoever opens the queue next puts
                it back.
        """
        self.paused = True
        for running in self._running.values():
            _interrupt(running.process)
        deadline = time.monotonic() + patience
        for running in list(self._running.values()):
            with suppress(subprocess.TimeoutExpired):
                running.process.wait(max(0.01, deadline - time.monotonic()))
                self._conclude(running, put_back=True)
        self._running.clear()

    def _start(self, job: Job) -> None:
        config = self.queue.path.parent / f".job-{job.id}.json"
        with whole_file(config) as file:
            file.write(job.config.encode())
        output = tempfile.TemporaryFile()  # noqa: SIM115 - closed when the process has ended
        process = subprocess.Popen(
            self._command(job, config),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=output,
            start_new_session=os.name == "posix",  # a Ctrl-C in the terminal is the runner's to pass on
        )
        self.queue.started(job, process.pid)
        self._running[job.id] = _Process(job, process, output, time.monotonic())

    def _command(self, job: Job, config: Path) -> Sequence[str]:
        data = ["--data-root", str(self._data_root)] if self._data_root else []
        return [sys.executable, "-m", "studio", *_training(job, config), *data]

    def _conclude(self, running: _Process, *, put_back: bool = False) -> None:
        job, code = running.job, running.process.returncode
        del self._running[job.id]
        error = "" if code in (0, _INTERRUPTED) else _last_line(running.output) or f"exit code {code}"
        running.output.close()
        (self.queue.path.parent / f".job-{job.id}.json").unlink(missing_ok=True)
        status = _status(code, cancelled=running.cancelled, put_back=put_back)
        self.queue.end(job, status, error=error, seconds=time.monotonic() - running.begun)

    def _take_back_orphans(self) -> None:
        """Put back what ran under a studio that is gone."""
        for job in self.queue.jobs():
            if job.status is JobStatus.RUNNING and job.id not in self._running and not _alive(job.pid):
                self.queue.end(job, JobStatus.COMPLETED if _completed(job.folder) else JobStatus.WAITING)


def _alive(pid: int) -> bool:
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def _completed(folder: Path) -> bool:
    """Whether a run came to its end while nobody watched."""
    try:
        return SavedRun.open(folder).summary.get("status") == "completed"
    except UserError:
        return False


def _status(code: int, *, cancelled: bool, put_back: bool) -> JobStatus:
    if code == 0:
        return JobStatus.COMPLETED
    if cancelled:
        return JobStatus.CANCELLED
    return JobStatus.WAITING if put_back or code == _INTERRUPTED else JobStatus.FAILED


def _training(job: Job, config: Path) -> Sequence[str]:
    """What has the run begin, or go on from its last checkpoint if it has begun before."""
    steps = ["--steps", str(job.limit.steps)]
    seconds = job.limit.seconds or 0.0
    try:
        found = resume(job.folder)
    except UserError:
        length = steps if job.limit.steps is not None else ["--minutes", repr(seconds / 60)]
        return ["train", str(config), *length, "--run-dir", str(job.folder)]
    left = max(seconds - found.seconds, _LEAST_SECONDS)
    length = steps if job.limit.steps is not None else ["--minutes", repr(left / 60)]
    return ["resume", str(job.folder), *length]


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    """What Ctrl-C does: the run finishes its step and saves."""
    if os.name == "posix":
        process.send_signal(signal.SIGINT)
    else:
        process.terminate()


def _last_line(output: IO[bytes]) -> str:
    output.seek(0)
    lines = [line.strip() for line in output.read().decode(errors="replace").splitlines() if line.strip()]
    return lines[-1].removeprefix("studio: ")[:_LONGEST_ERROR] if lines else ""
