"""Where a run is, as panels show it, and where it is after each of its messages. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from studio.training.messages.events import (
    Event,
    Finished,
    Moved,
    Outcome,
    Paused,
    Restored,
    Resumed,
    Saved,
    Started,
    ThreadsChanged,
    Warned,
)
from studio.training.messages.snapshot import Snapshot


class RunPhase(StrEnum):
    """Where a run is."""

    IDLE = "idle"
    PREPARING = "preparing"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    FINISHED = "finished"
    FAILED = "failed"

    @property
    def active(self) -> bool:
        """A thread is at work or waits."""
        return self in (RunPhase.PREPARING, RunPhase.RUNNING, RunPhase.PAUSED, RunPhase.STOPPING)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """What the toolbar and status line say of the run.

    Attributes:
        saves: how often it was saved, also where no step was taken since.
        threads: of the processor that compute, fewer while other programs keep it busy.
        good_step: step of the last good state, to which one can go back; None if there is none.
    """

    phase: RunPhase = RunPhase.IDLE
    step: int = 0
    seconds: float = 0.0
    epoch: float = 0.0
    steps_per_second: float = 0.0
    examples_per_second: float = 0.0
    device: str = ""
    threads: int = 0
    folder: Path | None = None
    saved_step: int = -1
    saves: int = 0
    good_step: int | None = None

    @property
    def unsaved(self) -> bool:
        """There are results that would be lost with the next start."""
        return self.step > 0 and self.saved_step < self.step


def run_after(view: RunView, message: Event | Snapshot) -> RunView:
    """What the toolbar says after a run's message."""
    match message:
        case Snapshot():
            return replace(
                view,
                step=message.step,
                seconds=message.seconds,
                epoch=message.epoch,
                steps_per_second=message.steps_per_second,
                examples_per_second=message.examples_per_second,
                good_step=message.good_step,
            )
        case Started():
            begun = replace(view, phase=RunPhase.RUNNING, device=message.device, folder=message.folder)
            return replace(begun, threads=message.threads)
        case ThreadsChanged():
            return replace(view, threads=message.threads)
        case Paused():
            return replace(view, phase=_unless_stopping(view, RunPhase.PAUSED), step=message.step)
        case Resumed():
            return replace(view, phase=_unless_stopping(view, RunPhase.RUNNING))
        case Saved():
            return replace(view, saved_step=message.step, saves=view.saves + 1)
        case Moved():
            return replace(view, folder=message.path)
        case Warned(unsaved=True):
            return replace(view, phase=RunPhase.PAUSED, step=message.step)
        case Warned(back_to=int() as step):
            return replace(view, good_step=step)
        case Restored():
            saved = min(view.saved_step, message.step)
            return replace(view, step=message.step, saved_step=saved, good_step=message.step)
        case Finished():
            phase = RunPhase.FAILED if message.outcome is Outcome.FAILED else RunPhase.FINISHED
            return replace(view, phase=phase, step=message.step, good_step=None)
        case _:
            return view


def _unless_stopping(view: RunView, phase: RunPhase) -> RunPhase:
    return RunPhase.STOPPING if view.phase is RunPhase.STOPPING else phase
