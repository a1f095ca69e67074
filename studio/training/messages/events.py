"""What a run tells its watcher, in order and once; only old points of the curves may be left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from studio.errors import UserError
from studio.evaluation.evaluation import Evaluation
from studio.training.messages.latents import Latents
from studio.training.messages.planner_report import PlannerReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparing:
    """Something goes on before the first step; fraction in 0…1, or None when unknown."""

    text: str
    fraction: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """The first step is next, or where the run goes on from a checkpoint, the one after `step`."""

    device: str
    threads: int
    parameters: int
    folder: Path | None
    step: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Remarked:
    """What a person should know of the data that the run trains on; `text` is a sentence without a full stop."""

    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PerturbationApplied:
    """From `step` on, batches are planned for `revision`."""

    step: int
    revision: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PerturbationRejected:
    """The run keeps its old target."""

    revision: int
    error: UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldApplied:
    """From `step` on, the shares are held, or no longer."""

    step: int
    on: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LearningRateApplied:
    """From `step` on, this network steps with this rate."""

    step: int
    network: str
    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class BatchSizeApplied:
    """From `step` on, batches are planned for this B_avg."""

    step: int
    average_size: float


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentsApplied:
    """From `step` on, sample grids show these latents."""

    step: int
    latents: Latents


@dataclass(frozen=True, slots=True, kw_only=True)
class ThreadsChanged:
    """From `step` on, so many processor threads compute: other programs keep the processor busy, or do so no longer."""

    step: int
    threads: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """One point of the curves, `seconds` into training, pauses left out.

    `values` are by column name: the batch's size, adjusted_size, average_size, ess, err, skipped; losses and metrics.
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
    """All of the run up to `step` is on disk; its weights, too, unless it has diverged."""

    step: int
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Moved:
    """The run is kept in another folder from `step` on."""

    step: int
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Warned:
    """Something the person has to mend; the run waits.

    Attributes:
        back_to: step of the last good state, where going back to it would help.
        unsaved: something could not be written, where saving elsewhere would help.
        stopping: the run was to stop, and waits only because it cannot be saved.
        smaller: memory ran out, where batches of this B_avg would help.
    """

    step: int
    error: UserError
    back_to: int | None = None
    unsaved: bool = False
    stopping: bool = False
    smaller: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticed:
    """Training looks unwell; the run goes on."""

    step: int
    error: UserError


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """The run is back at `step` from the one that it left, and waits there; the steps in between are undone."""

    step: int
    left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparingPlanners:
    """A comparison of planners is under way; fraction in 0…1."""

    fraction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannersCompared:
    """The answer to `ComparePlanners`; None if it was called off."""

    step: int
    report: PlannerReport | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluating:
    """The evaluation that was asked for goes on; fraction in 0…1."""

    step: int
    text: str
    fraction: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """What the model generated, by its averaged weights, as it was at `step`, `seconds` into training, pauses left out.

    `revision` is that of the perturbation whose target it was compared with.
    """

    step: int
    seconds: float
    revision: int
    evaluation: Evaluation


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationEnded:
    """The evaluation that was asked for came to nothing: it was given up, or there is no judge yet."""

    step: int


class Outcome(StrEnum):
    """How a run ended."""

    COMPLETED = "completed"
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """The last event of every run, exactly once, with what the person can mend, or a bug's traceback, if any."""

    outcome: Outcome
    step: int
    error: UserError | None = None
    traceback: str = ""


Event = (
    Preparing
    | Started
    | Remarked
    | PerturbationApplied
    | PerturbationRejected
    | HoldApplied
    | LearningRateApplied
    | BatchSizeApplied
    | LatentsApplied
    | ThreadsChanged
    | Logged
    | Paused
    | Resumed
    | Saved
    | Moved
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
