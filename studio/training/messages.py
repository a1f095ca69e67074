"""What goes between a run and whoever watches it: commands in, events and snapshots out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from studio.errors import UserError
from studio.evaluation.report import Evaluation
from studio.models.diagnostic import Diagnostic
from studio.models.plane import PlaneView
from studio.perturb.perturbation import Perturbation
from studio.training.comparison_messages import (
    CancelComparison,
    ComparePlanners,
    ComparingPlanners,
    PlannersCompared,
)

Images = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPerturbation:
    """Train towards this target from the next step on."""

    perturbation: Perturbation


@dataclass(frozen=True, slots=True)
class Pause:
    """Stay where you are."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Carry on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Take one step, then pause.

    Attributes:
        network: train it alone; empty trains whatever is due.
    """

    network: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDelay:
    """Wait so long after each step from now on, in seconds; 0 does not wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class SampleNow:
    """Draw a sample grid at once."""


@dataclass(frozen=True, slots=True)
class Save:
    """Write the weights to the run folder."""


@dataclass(frozen=True, slots=True)
class Stop:
    """Finish the step under way, save and end."""


@dataclass(frozen=True, slots=True)
class Restore:
    """Go back to the last good state, and pause there; nothing happens if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLearningRate:
    """Step one network with this rate from the next step on."""

    network: str
    rate: float


@dataclass(frozen=True, slots=True)
class EvaluateNow:
    """Evaluate the model of this moment; training waits for it."""


@dataclass(frozen=True, slots=True)
class CancelEvaluation:
    """Give up the evaluation that was asked for, and train on."""


Command = (
    SetPerturbation
    | SetLearningRate
    | SetDelay
    | Pause
    | Resume
    | Step
    | SampleNow
    | ComparePlanners
    | CancelComparison
    | EvaluateNow
    | CancelEvaluation
    | Save
    | Restore
    | Stop
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparing:
    """Something goes on before the first step; fraction in 0…1, or None when unknown."""

    text: str
    fraction: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The first step is next."""

    device: str
    threads: int
    parameters: int
    folder: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PerturbationApplied:
    """From `step` on, batches are planned for `revision`."""

    step: int
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningRateApplied:
    """From `step` on, this network steps with this rate."""

    step: int
    network: str
    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PerturbationRejected:
    """The run keeps its old target."""

    revision: int
    error: UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """One point of the curves and one row of metrics.csv.

    Attributes:
        step: training steps taken.
        seconds: time spent training, pauses left out.
        values: by column name: the batch's size, adjusted_size, average_size, ess, err, skipped; losses and metrics.
    """

    step: int
    seconds: float
    values: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """The run waits at `step`."""

    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Resumed:
    """The run goes on from `step`."""

    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Saved:
    """Weights of `step` are on disk."""

    step: int
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something the person has to mend; the run waits.

    Attributes:
        back_to: step of the last good state, where going back to it would help.
    """

    step: int
    error: UserError
    back_to: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """Training looks unwell; the run goes on."""

    step: int
    error: UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The run is back at `step`, and waits there; the steps after it are undone.

    Attributes:
        left: the step that it was at before.
    """

    step: int
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluating:
    """The evaluation that was asked for goes on; fraction in 0…1."""

    step: int
    text: str
    fraction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationEnded:
    """The evaluation that was asked for came to nothing: it was given up, or there is no judge yet."""

    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """What the model generated, by its averaged weights, as it was at `step`.

    Attributes:
        step: training steps taken.
        seconds: time spent training, pauses left out.
        revision: of the perturbation whose target it was compared with.
    """

    step: int
    seconds: float
    revision: int
    evaluation: Evaluation


class Outcome(StrEnum):
    """How a run ended."""

    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The last event of every run, exactly once.

    Attributes:
        error: what the person can mend, if that ended the run.
        traceback: where a bug ended it; empty otherwise.
    """

    outcome: Outcome
    step: int
    error: UserError | None = None
    traceback: str = ""


Event = (
    Preparing
    | Started
    | PerturbationApplied
    | PerturbationRejected
    | LearningRateApplied
    | Logged
    | Paused
    | Resumed
    | Saved
    | Warned
    | Noticed
    | Restored
    | ComparingPlanners
    | PlannersCompared
    | Evaluating
    | Evaluated
    | EvaluationEnded
    | Finished
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleGrid:
    """Generated images of one moment, from latents that stay the same throughout the run.

    Attributes:
        step: training steps taken.
        raw: by the weights as they are, uint8, shape (n, H, W, C).
        averaged: by their moving average, same shape.
    """

    step: int
    raw: Images
    averaged: Images


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedExamples:
    """The first examples of the batch just trained on.

    Attributes:
        images: uint8, shape (n, H, W, C).
        labels: class index, shape (n,).
        weights: importance weight, shape (n,).
    """

    images: Images
    labels: NDArray[np.int64]
    weights: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneFrame:
    """A model on the plane at one moment.

    Attributes:
        step: training steps taken.
        points: generated from latents that stay the same, in the plane's units, shape (n, 2).
        labels: most probable class of each under the target, shape (n,).
        views: what the model shows of itself; coordinates in −1…1.
    """

    step: int
    points: NDArray[np.float64]
    labels: NDArray[np.int64]
    views: tuple[PlaneView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What the window draws: arrays on the CPU, read-only.

    Attributes:
        step: training steps taken.
        revision: of the perturbation that the last batch was planned for.
        seconds: time spent training, pauses left out.
        epoch: examples seen over examples in the data set.
        examples: examples seen.
        steps_per_second, examples_per_second: over the last second or so.
        grid: the newest sample grid, if there is one.
        planned: examples of the last batch.
        recent_weights: weights of the last batches, float64, shape (m,).
        diagnostics: what the model showed of its inner life when the grid was drawn.
        good_step: step of the last good state, if one is kept.
        plane: the model on the plane, where examples are points.
    """

    step: int
    revision: int
    seconds: float
    epoch: float
    examples: int
    steps_per_second: float
    examples_per_second: float
    grid: SampleGrid | None = None
    planned: PlannedExamples | None = None
    recent_weights: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    diagnostics: tuple[Diagnostic, ...] = ()
    good_step: int | None = None
    plane: PlaneFrame | None = None
