"""One run that waits for its turn, runs in a process of its own, or has ended."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from studio.training.config.run_config import StopCondition
from studio.training.config.sweep_mark import SweepMark


class JobStatus(StrEnum):
    """Where a job stands."""

    WAITING = "waiting"
    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def ended(self) -> bool:
        return self in (JobStatus.COMPLETED, JobStatus.FAILED, JobStatus.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A run in the queue.

    Attributes:
        id: of the queue; never used again.
        place: jobs run in its order.
        config: the configuration as JSON, as it was when the job was queued; later edits do not reach it.
        error: what went wrong, a line, if something did; or what else is remarkable.
        pid: of its process while it runs, else 0.
        born: mark of that process, which tells it from later ones of its number.
        seconds: it has run for, all attempts together.
        attempts: how often it was started.
        begun: when the attempt under way began, in seconds since 1970; 0 while it does not run.
        sweep: its place in a sweep, if it belongs to one.
        data: fingerprints of its data as JSON, as they were when it was queued; empty where that is not known.
    """

    id: int
    place: float
    title: str
    config: str
    limit: StopCondition
    folder: Path
    status: JobStatus = JobStatus.WAITING
    error: str = ""
    pid: int = 0
    born: float = 0.0
    seconds: float = 0.0
    attempts: int = 0
    begun: float = 0.0
    sweep: SweepMark | None = None
    data: str = ""
