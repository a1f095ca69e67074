"""The log: whoever has something to tell puts a line into it, and whoever shows lines listens to it alone."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum
from typing import assert_never

from PySide6.QtCore import QObject, Signal, Slot

from studio.errors import UserError
from studio.names import spoken
from studio.training.messages.events import (
    BatchSizeApplied,
    ComparingPlanners,
    Evaluated,
    Evaluating,
    EvaluationEnded,
    Event,
    Finished,
    HoldApplied,
    LatentsApplied,
    LearningRateApplied,
    Logged,
    Moved,
    Noticed,
    Paused,
    PerturbationApplied,
    PerturbationRejected,
    PlannersCompared,
    Preparing,
    Remarked,
    Restored,
    Resumed,
    Saved,
    Started,
    ThreadsChanged,
    Warned,
)


class Level(StrEnum):
    """Weight of a log line."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of the log panel.

    Attributes:
        detail: more of it, such as a traceback, unfolded on demand.
    """

    text: str
    level: Level = Level.INFO
    detail: str = ""
    when: float = field(default_factory=time.time)

    @classmethod
    def of_error(cls, error: UserError, level: Level = Level.ERROR) -> LogLine:
        return cls(text=str(error), level=level)


def line_of(event: Event) -> LogLine | None:
    """The log line of an event; None for those that are no news."""
    match event:
        case Preparing(text=text) | Remarked(text=text):
            return LogLine(text=text)
        case Started(device=device, threads=threads, parameters=parameters, folder=folder, step=step):
            since = f" from step {step:,} on" if step else ""
            place = f", recorded in {folder}" if folder else ", not recorded"
            text = f"Training {parameters:,} parameters on {device} with {threads_words(threads)}{since}{place}"
            return LogLine(text=text)
        case PerturbationApplied() | HoldApplied() | LearningRateApplied() | BatchSizeApplied() | LatentsApplied():
            return LogLine(text=f"{_change(event)} from step {event.step:,}")
        case PerturbationRejected(error=error):
            return LogLine(text=f"The run keeps its old target. {error}", level=Level.WARNING)
        case Paused() | Resumed() | Restored() | Saved() | Moved():
            return LogLine(text=_place(event))
        case Warned(error=error) | Noticed(error=error):
            return LogLine.of_error(error, Level.WARNING)
        case Finished():
            return _last_line(event)
        case PlannersCompared(step=step, report=report) if report is not None:
            return LogLine(text=f"Planners compared at step {step:,}. {report.advice.reason}")
        case ThreadsChanged():  # with every change of the machine's load: the status line has it
            return None
        case Logged() | ComparingPlanners() | PlannersCompared() | Evaluating() | Evaluated() | EvaluationEnded():
            return None
        case _:
            assert_never(event)


def _change(event: PerturbationApplied | HoldApplied | LearningRateApplied | BatchSizeApplied | LatentsApplied) -> str:
    match event:
        case HoldApplied(on=on):
            return f"Shares are {'held' if on else 'no longer held'}"
        case PerturbationApplied(revision=revision):
            return f"The target of edit {revision} is in force"
        case LearningRateApplied(network=network, rate=rate):
            return f"Learning rate of the {spoken(network)} is {rate:g}"
        case BatchSizeApplied(average_size=size):
            return f"Batches of B_avg = {size:g}"
        case LatentsApplied(latents=latents):
            pins = f", {len(latents.pins)} of them pinned" if latents.pins else ""
            return f"Samples by latents of seed {latents.seed}{pins}"
        case _:
            assert_never(event)


def threads_words(count: int) -> str:
    """So many threads of the processor."""
    return "1 thread" if count == 1 else f"{count} threads"


def _place(event: Paused | Resumed | Restored | Saved | Moved) -> str:
    match event:
        case Paused(step=step):
            return f"Paused at step {step:,}"
        case Resumed(step=step):
            return f"Resumed at step {step:,}"
        case Restored(step=step, left=left):
            return f"Back at step {step:,}, from step {left:,}; resume to go on from here"
        case Saved(step=step, path=path):
            return f"Saved step {step:,} to {path}"
        case Moved(path=path):
            return f"The run is kept in {path} from now on"
        case _:
            assert_never(event)


def _last_line(event: Finished) -> LogLine:
    if event.error is not None:
        return LogLine.of_error(event.error)
    if event.traceback:
        reason = event.traceback.strip().splitlines()[-1]
        text = f"The run failed at step {event.step:,}: {reason}. This is a bug in the studio; the rest goes on."
        return LogLine(text=text, level=Level.ERROR, detail=event.traceback)
    return LogLine(text=f"Run {event.outcome} at step {event.step:,}")


class Log(QObject):
    """Takes lines and passes them on; keeps none."""

    line_logged = Signal(object)  # LogLine

    def add(self, text: str, level: Level = Level.INFO) -> None:
        self.add_line(LogLine(text=text, level=level))

    def add_error(self, error: UserError, level: Level = Level.ERROR) -> None:
        self.add_line(LogLine.of_error(error, level))

    @Slot(object)
    def add_line(self, line: LogLine) -> None:
        """Put in a line with all that it has, such as a traceback."""
        self.line_logged.emit(line)
