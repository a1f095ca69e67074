"""The queue beside the run: jobs in processes of their own, started one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot

from studio.errors import UserError, reporting
from studio.gui.state.log import Level, Log
from studio.gui.state.setup import Setup
from studio.jobs.attempt import LocalProcesses
from studio.jobs.awake import Awake
from studio.jobs.estimate import seconds_left
from studio.jobs.job import Job, JobStatus
from studio.jobs.queue import JobQueue
from studio.jobs.runner import JobRunner
from studio.jobs.sweep import Sweep
from studio.library.run_summary import stamp_of
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
            with self._acting():
                self._open()

    def add(self, config: RunConfig, limit: StopCondition) -> None:
        """Queue a run of a configuration as it is now."""
        with self._acting():
            queue = self._open().queue
            data, images = self._setup.fingerprints(config), self._setup.images
            title = run_title(config)
            if data is not None and images is not None:  # its turn refuses other data
                title = run_title(config, data.classes, images.name)
            folder = self._root() / f"queued_{datetime.now():%Y-%m-%d_%H-%M-%S-%f}"
            queue.add(config, limit, folder, title, data=data)
            self._log.add(f"Queued: {title}")

    def add_sweep(self, sweep: Sweep, title: str) -> tuple[int, ...]:
        """Queue all runs of a sweep, or none; the jobs' ids."""
        ids: tuple[int, ...] = ()
        with self._acting():
            marks = sweep.marks(title)
            root = self._root()
            folders = [root / f"{mark.sweep}_{mark.number:03d}" for mark in marks]
            ids = self._open().queue.add_sweep(sweep, marks, folders, self._setup.fingerprints)
            self._log.add(f"Queued: {title}, {len(ids)} runs")
        return ids

    def remove_waiting(self, ids: Sequence[int]) -> None:
        """Take those of these jobs off the list that have not begun."""
        with self._acting():
            count = self._open().queue.remove_waiting(ids)
            self._log.add(f"Taken off the queue: {count} runs")

    def run(self, running: bool) -> None:
        """Start jobs from now on, or start no more; one that runs is not touched."""
        with self._acting():
            runner = self._open()
            runner.queue.set_running(running)
            runner.paused = not running
        self._poll()

    def set_at_once(self, count: int) -> None:
        """How many jobs run at a time."""
        with self._acting():
            runner = self._open()
            runner.queue.set_at_once(count)
            runner.at_once = self.at_once = count

    def cancel(self, jobs: Sequence[Job]) -> None:
        """Stop those that run, which are saved, and leave out those that wait."""
        with self._acting():
            self._open().cancel(*jobs)

    def retry(self, jobs: Sequence[Job]) -> None:
        with self._acting():
            self._open().queue.retry(*jobs)

    def remove(self, jobs: Sequence[Job]) -> None:
        """Take jobs off the list; their run folders stay."""
        with self._acting():
            self._open().queue.remove(*jobs)

    def move(self, jobs: Sequence[Job], by: int) -> None:
        """Let jobs run earlier (negative) or later."""
        with self._acting():
            self._open().queue.move(jobs, by)

    @Slot()
    def follow_runs(self) -> None:
        """The workspace is another, or called otherwise: look for the runs of jobs that were moved there with it."""
        if self._runner is not None:
            with self._acting():
                self._relocate(self._runner.queue)

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
            self._relocate(queue)
            self.at_once = queue.at_once
            runner = JobRunner(queue, at_once=self.at_once, workers=LocalProcesses(self._setup.data_root))
            runner.paused = not queue.running
            self._runner = runner  # whose queue could be read
            self._timer.start()
        return self._runner

    def _root(self) -> Path:
        """The workspace, which is there once a job is queued, so that none begins where it is not any more."""
        root = self._setup.runs_root
        with reporting("The folder of the runs cannot be made", root, "Choose another one."):
            root.mkdir(parents=True, exist_ok=True)
        return root

    def _relocate(self, queue: JobQueue) -> None:
        root = self._setup.runs_root
        moved = {job.id: root / job.folder.name for job in queue.jobs() if _has_moved(job, root)}
        if moved:
            queue.relocate(moved)

    def _pause_if_gone(self, queue: JobQueue) -> None:
        """Start nothing where the folder of the runs is gone: what had begun there would begin anew."""
        waiting = [job.folder.parent for job in self.jobs if job.status is JobStatus.WAITING]
        gone = next((root for root in waiting[: self.at_once] if not root.exists()), None)
        if gone is not None:
            queue.set_running(False)
            hint = (
                "Choose where it is now, under “Workspace…” of the runs, and run the queue; or remove its runs from it."
            )
            self._log.add_error(UserError("The queue is paused", f"{gone} is not there.", hint))

    @contextmanager
    def _acting(self) -> Iterator[None]:
        """Look how the jobs stand once something was done to them, or could not be; tell what cannot be, once."""
        try:
            try:
                yield
            finally:
                self._look()
        except UserError as error:
            if str(error) != self._told:
                self._told = str(error)
                self._log.add_error(error)
        else:
            self._told = ""

    @Slot()
    def _poll(self) -> None:
        runner = self._runner
        if runner is not None:
            with self._acting():
                if runner.queue.running:
                    self._pause_if_gone(runner.queue)
                runner.paused = not runner.queue.running  # as another window may have said
                runner.at_once = self.at_once = runner.queue.at_once
                runner.poll()

    def _look(self) -> None:
        """Take in how the jobs stand, and tell of those that have ended."""
        if self._runner is None:
            return
        found = self._runner.queue.jobs()
        before = {job.id: job.status for job in self.jobs}
        if found != self.jobs:
            self.jobs = found
            ended = [job for job in found if job.status.ended and before.get(job.id) is JobStatus.RUNNING]
            for job in ended:
                self._tell(job)
                self.job_ended.emit()
            if ended and all(job.status.ended for job in found):
                self.through.emit()
        if self._runner.busy:
            self._awake.keep()
        else:
            self._awake.let_sleep()
        self.changed.emit()

    def _tell(self, job: Job) -> None:
        level = Level.WARNING if job.status is JobStatus.FAILED else Level.INFO
        reason = f": {job.error}" if job.error else f"; it is in {job.folder}"
        self._log.add(f"Queue: {job.title} {_ENDINGS[job.status]}{reason}", level)


def _has_moved(job: Job, root: Path) -> bool:
    """Whether the run of a job is in this workspace now; one that has not begun is where there is a folder for it."""
    if job.status is JobStatus.RUNNING or job.folder.parent == root or stamp_of(job.folder):
        return False
    return bool(stamp_of(root / job.folder.name)) or not (job.attempts or job.folder.parent.exists())
