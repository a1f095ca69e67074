"""What the panels show: frozen values, built by pure functions from the core's own types. No Qt."""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from enum import StrEnum
from pathlib import Path
from typing import assert_never

import numpy as np
from numpy.typing import NDArray

from studio.data.example_set import ExampleSet
from studio.data.planar.plane import Plane
from studio.data.scale import Values
from studio.errors import UserError
from studio.perturb.diagnostics import Strength, TiltSummary, summarise, summarise_examples
from studio.perturb.energy import ExampleEnergies
from studio.perturb.perturbation import Perturbation
from studio.training.events import (
    ComparingPlanners,
    Evaluated,
    Evaluating,
    EvaluationEnded,
    Event,
    Finished,
    LearningRateApplied,
    Logged,
    Moved,
    Noticed,
    Outcome,
    Paused,
    PerturbationApplied,
    PerturbationRejected,
    PlannersCompared,
    Preparing,
    Restored,
    Resumed,
    Saved,
    Started,
    ThreadsChanged,
    Warned,
)
from studio.training.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetView:
    """The data set in use.

    Attributes:
        counts: examples per class, shape (K,).
        shares: p per class, shape (K,).
        thumbnails: a picture of each class, uint8, shape (K, H, W, C).
        labels: class of every example, shape (N,); for histograms over the data set.
        noun, form: what the examples are and what form they have, in words.
        plane: where the examples are points, with its exact densities; None for images.
        points: those points, float32, shape (N, 1, 1, 2); none for images.
    """

    name: str
    class_names: tuple[str, ...]
    counts: NDArray[np.int64]
    shares: NDArray[np.float64]
    thumbnails: NDArray[np.uint8]
    labels: NDArray[np.int64]
    noun: str
    form: str
    plane: Plane | None
    points: Values

    @classmethod
    def of(cls, images: ExampleSet) -> DatasetView:
        """The view of a loaded set."""
        counts = images.counts
        return cls(
            name=images.name,
            class_names=images.class_names,
            counts=counts,
            shares=counts / counts.sum(),
            thumbnails=images.thumbnails(),
            labels=images.labels,
            noun=images.noun,
            form=images.form,
            plane=images.plane,
            points=images.values[: len(images) if images.plane is not None else 0],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TiltView:
    """The target as edited, and what it costs.

    Attributes:
        summary: target shares, weights, ESS/n, expected examples a batch, verdict.
        reason: the verdict in words, with its numbers.
        pending: a run is under way and has not yet taken this target up.
        generated: share per class in what the model generates, shape (K,); None until evaluated.
        energies: ΔH of every example; None where it depends on the class alone, or is not known yet.
        fault: why the terms do not count in what is shown; None if they do.
    """

    perturbation: Perturbation
    dataset: DatasetView
    summary: TiltSummary
    reason: str
    pending: bool = False
    generated: NDArray[np.float64] | None = None
    energies: ExampleEnergies | None = None
    fault: UserError | None = None

    @classmethod
    def of(
        cls,
        perturbation: Perturbation,
        dataset: DatasetView,
        average_size: float,
        *,
        pending: bool,
        energies: ExampleEnergies | None = None,
        fault: UserError | None = None,
    ) -> TiltView:
        """Judge a target over a data set; without the energies of its examples, by its class offsets alone."""
        if energies is not None:
            summary = summarise_examples(perturbation, energies, dataset.labels, average_size)
        else:
            perturbation = replace(perturbation, energy=replace(perturbation.energy, terms=(), clip=None))
            summary = summarise(perturbation, dataset.counts, average_size)
        return cls(
            perturbation=perturbation,
            dataset=dataset,
            summary=summary,
            reason=verdict_reason(summary),
            pending=pending,
            energies=energies,
            fault=fault,
        )

    @property
    def weight_groups(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """log w and number of examples: per class, or per example where examples of a class differ."""
        counts = self.dataset.counts
        if self.energies is None:
            present = counts > 0
            return self.perturbation.class_log_weights(counts)[present], counts[present].astype(np.float64)
        logs = self.perturbation.example_log_weights(self.dataset.labels, counts, self.energies)
        return logs, np.ones(len(logs))


def verdict_reason(summary: TiltSummary) -> str:
    """Why a tilt is called what it is called."""
    percent = 100 * summary.efficiency
    effective = f"The weighted data is worth {percent:.3g} % of its examples (Kish's effective sample size)."
    match summary.strength:
        case Strength.NONE:
            return "All offsets are equal, so the target is the data as it is."
        case Strength.GENTLE:
            return f"{effective} Gradients stay about as steady as without a tilt."
        case Strength.STRONG:
            return f"{effective} Gradients are noisier: a larger B_avg or a longer run makes up for it."
        case Strength.TOO_STRONG:
            return f"{effective} A few examples dominate, and the model may memorise them: use smaller offsets."


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
        good_step: step of the last good state, to which one can go back; None if there is none.
    """

    phase: RunPhase = RunPhase.IDLE
    step: int = 0
    seconds: float = 0.0
    epoch: float = 0.0
    steps_per_second: float = 0.0
    examples_per_second: float = 0.0
    device: str = ""
    folder: Path | None = None
    saved_step: int = -1
    good_step: int | None = None

    @property
    def unsaved(self) -> bool:
        """There are results that would be lost with the next start."""
        return self.step > 0 and self.saved_step < self.step


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
        """An error as a log line."""
        return cls(text=str(error), level=level)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """Something that goes on in the background and takes over a second.

    Attributes:
        fraction: 0…1, or None when unknown.
        cancellable: whether `Workbench.cancel_task` has an effect.
    """

    text: str
    fraction: float | None = None
    cancellable: bool = True


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
            return replace(view, phase=RunPhase.RUNNING, device=message.device, folder=message.folder)
        case Paused():
            return replace(view, phase=_unless_stopping(view, RunPhase.PAUSED), step=message.step)
        case Resumed():
            return replace(view, phase=_unless_stopping(view, RunPhase.RUNNING))
        case Saved():
            return replace(view, saved_step=message.step)
        case Moved():
            return replace(view, folder=message.path)
        case Warned(unsaved=True):
            return replace(view, phase=RunPhase.PAUSED, step=message.step)
        case Warned(back_to=int() as step):
            return replace(view, good_step=step)
        case Restored():
            return replace(view, step=message.step, good_step=message.step)
        case Finished():
            phase = RunPhase.FAILED if message.outcome is Outcome.FAILED else RunPhase.FINISHED
            return replace(view, phase=phase, step=message.step, good_step=None)
        case _:
            return view


def _unless_stopping(view: RunView, phase: RunPhase) -> RunPhase:
    return RunPhase.STOPPING if view.phase is RunPhase.STOPPING else phase


def line_of(event: Event) -> LogLine | None:
    """The log line of an event; None for those that are no news."""
    match event:
        case Preparing(text=text):
            return LogLine(text=text)
        case Started(device=device, threads=threads, parameters=parameters, folder=folder, step=step):
            since = f" from step {step:,} on" if step else ""
            place = f", recorded in {folder}" if folder else ", not recorded"
            text = f"Training {parameters:,} parameters{since} on {device} with {_threads(threads)}{place}"
            return LogLine(text=text)
        case PerturbationApplied(step=step, revision=revision):
            return LogLine(text=f"Offsets (revision {revision}) in force from step {step:,}")
        case LearningRateApplied(step=step, network=network, rate=rate):
            return LogLine(text=f"Learning rate of the {spoken(network)} is {rate:g} from step {step:,}")
        case ThreadsChanged(step=step, threads=threads):
            return LogLine(text=f"{_threads(threads)} from step {step:,}, as other programs leave room".capitalize())
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
        case Logged() | ComparingPlanners() | PlannersCompared() | Evaluating() | Evaluated() | EvaluationEnded():
            return None
        case _:
            assert_never(event)


def _threads(count: int) -> str:
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


def spoken(name: str) -> str:
    """A snake_case name in words."""
    return name.replace("_", " ")
