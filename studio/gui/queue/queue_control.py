"""The queue beside the run: jobs in processes of their own, started one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from studio.errors import UserError
from studio.gui.state.log import Level, Log
from studio.gui.state.setup import Setup
from studio.jobs.attempt import LocalProcesses
from studio.jobs.awake import Awake
from studio.jobs.estimate import seconds_left
from studio.jobs.job import Job, JobStatus
from studio.jobs.queue import JobQueue
from studio.jobs.runner import JobRunner
from studio.jobs.sweep import Sweep
from studio.training.config.run_config import RunConfig, StopCondition
from studio.training.config.run_title import run_title

_PERIOD = 500
_PATIENCE = 1.0
"""Seconds that the closing window waits for its jobs; those that take longer to save end by themselves."""
_ENDINGS = {JobStatus.COMPLETED: "was completed", JobStatus.FAILED: "failed", JobStatus.CANCELLED: "was cancelled"}


class QueueControl(QObject):
    """Watches the person's queue; its file is made when the first job comes."""

    changed = Signal()  # jobs or whether they are started
    job_ended = Signal()
    through = Signal()  # the last job has ended

    def __init__(self, path: Path, setup: Setup, log: Log, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._log, self._path, self._setup = log, path, setup
        self._runner: JobRunner | None = None
        self.jobs: tuple[Job, ...] = ()
        self._told = ""  # the last error, which is not told again at every look
        self._awake = Awake()
        self._timer = QTimer(self, interval=_PERIOD)
        self._timer.timeout.connect(self._poll)
        self.at_once = 1

    @property
    def running(self) -> bool:
        return self._runner is not None and not self._runner.paused

    @property
    def seconds_left(self) -> float | None:
        """Until all jobs have ended, about; None while that is unknown."""
        return seconds_left(self.jobs, self.at_once)

    def begin(self) -> None:
        """Take up a queue that is there from an earlier time, and go on with it if it was running then."""
        if self._path.exists():
            self._try(self._open)

    def add(self, config: RunConfig, limit: StopCondition) -> None:
        """Queue a run of a configuration as it is now."""

        def act() -> None:
            queue = self._open().queue
            data = self._setup.dataset
            known = data is not None and config.dataset == self._setup.config.dataset
            counts = dict(zip(data.class_names, data.counts.tolist(), strict=True)) if known and data else None
            title = run_title(config, counts)
            folder = self._setup.runs_root / f"queued_{datetime.now():%Y-%m-%d_%H-%M-%S-%f}"
            queue.add(config, limit, folder, title)
            self._log.add(f"Queued: {title}")

        self._act(act)

    def add_sweep(self, sweep: Sweep, title: str) -> tuple[int, ...]:
        """Queue all runs of a sweep, or none.

        Returns:
            the jobs' ids.
        """
        ids: list[int] = []

        def act() -> None:
            marks = sweep.marks(title)
            folders = [self._setup.runs_root / f"{mark.sweep}_{mark.number:03d}" for mark in marks]
            ids.extend(self._open().queue.add_sweep(sweep, marks, folders))
            self._log.add(f"Queued: {title}, {len(ids)} runs")

        self._act(act)
        return tuple(ids)

    def remove_waiting(self, ids: Sequence[int]) -> None:
        """Take those of these jobs off the list that have not begun."""

        def act() -> None:
            count = self._open().queue.remove_waiting(ids)
            self._log.add(f"Taken off the queue: {count} runs")

        self._act(act)

    def run(self, running: bool) -> None:
        """Start jobs from now on, or start no more; one that runs is not touched."""

        def act() -> None:
            runner = self._open()
            runner.queue.set_running(running)
            runner.paused = not running

        self._act(act)
        self._poll()

    def set_at_once(self, count: int) -> None:
        """How many jobs run at a time."""

        def act() -> None:
            runner = self._open()
            runner.queue.set_at_once(count)
            runner.at_once = self.at_once = count

        self._act(act)

    def cancel(self, jobs: Sequence[Job]) -> None:
        """Stop those that run, which are saved, and leave out those that wait."""
        self._act(lambda: self._open().cancel(*jobs))

    def retry(self, jobs: Sequence[Job]) -> None:
        self._act(lambda: self._open().queue.retry(*jobs))

    def remove(self, jobs: Sequence[Job]) -> None:
        """Take jobs off the list; their run folders stay."""
        self._act(lambda: self._open().queue.remove(*jobs))

    def move(self, jobs: Sequence[Job], by: int) -> None:
        """Let jobs run earlier (negative) or later."""
        self._act(lambda: self._open().queue.move(jobs, by))

    def shutdown(self) -> None:
        """Have what runs save and end by itself; the next start goes on with it."""
        self._timer.stop()
        self._awake.let_sleep()
        if self._runner is not None:
            self._runner.stop(_PATIENCE)
            self._runner = None

    def _open(self) -> JobRunner:
        if self._runner is None:
            queue = JobQueue(self._path)
            self.at_once = queue.at_once
            self._runner = JobRunner(queue, at_once=self.at_once, workers=LocalProcesses(self._setup.data_root))
            self._runner.paused = not queue.running
            self._timer.start()
            self._look()
        return self._runner

    def _act(self, act: Callable[[], object]) -> None:
        self._try(act)
        self._look()

    def _try(self, act: Callable[[], object]) -> None:
        try:
            act()
        except UserError as error:
            if str(error) != self._told:
                self._told = str(error)
                self._log.add_error(error)

    @Slot()
    def _poll(self) -> None:
        if self._runner is not None:
            self._try(self._runner.poll)
            self._look()

    def _look(self) -> None:
        """Take in how the jobs stand, and tell of those that have ended."""
        runner = self._runner
        if runner is None:
            return
        before = {job.id: job.status for job in self.jobs}
        read: list[tuple[Job, ...]] = []
        self._try(lambda: read.append(runner.queue.jobs()))
        if not read:
            return
        self._told = ""
        (found,) = read
        if found != self.jobs:
            self.jobs = found
            ended = [job for job in found if job.status.ended and before.get(job.id) is JobStatus.RUNNING]
            for job in ended:
                self._tell(job)
                self.job_ended.emit()
            if ended and all(job.status.ended for job in found):
                self.through.emit()
        if runner.busy:
            self._awake.keep()
        else:
            self._awake.let_sleep()
        self.changed.emit()

    def _tell(self, job: Job) -> None:
        level = Level.WARNING if job.status is JobStatus.FAILED else Level.INFO
        reason = f": {job.error}" if job.error else f"; it is in {job.folder}"
        self._log.add(f"Queue: {job.title} {_ENDINGS[job.status]}{reason}", level)
