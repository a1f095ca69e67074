"""What a watcher may tell a run; it acts between two steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from studio.perturb.perturbation import Perturbation
from studio.training.config.run_config import HoldConfig
from studio.training.messages.latents import LatentPoint, Latents


class Change:
    """A setting of a run under way that a person changes, from the next step on."""

    __slots__ = ()


class SideTask:
    """Has to do with what a run does beside training, and begins it or calls it off."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SetPerturbation(Change):
    """Train towards this target from the next step on."""

    perturbation: Perturbation


@dataclass(frozen=True, slots=True, kw_only=True)
class SetHold(Change):
    """Hold the shares from the next step on, or no longer."""

    hold: HoldConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLearningRate(Change):
    """Step one network with this rate from the next step on."""

    network: str
    rate: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SetBatchSize(Change):
    """Plan batches of this B_avg from the next step on."""

    average_size: float


@dataclass(frozen=True, slots=True, kw_only=True)
class SetDelay:
    """Wait so long after each step from now on, in seconds; 0 does not wait."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Pause:
    """Stay where you are."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Carry on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Take one step of one network, or if that is empty of whatever is due, then pause."""

    network: str = ""


@dataclass(frozen=True, slots=True)
class SampleNow:
    """Draw a sample grid at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SetLatents:
    """Show samples of these latents from now on, and at once."""

    latents: Latents


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowBetween:
    """Draw the way between two or four samples, at once and with each grid from now on; none ends it."""

    points: tuple[LatentPoint, ...] = ()
    averaged: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparePlanners(SideTask):
    """Measure every planner's gradients at the parameters as they are, about so long; no step is taken meanwhile."""

    seconds: float = 8.0


@dataclass(frozen=True, slots=True)
class CancelComparison(SideTask):
    """Call a comparison of planners off."""


@dataclass(frozen=True, slots=True)
class EvaluateNow(SideTask):
    """Evaluate the model of this moment; training waits for it."""


@dataclass(frozen=True, slots=True)
class CancelEvaluation(SideTask):
    """Give up the evaluation that was asked for, and train on."""


@dataclass(frozen=True, slots=True)
class Save:
    """Write the weights to the run folder."""


@dataclass(frozen=True, slots=True)
class Restore:
    """Go back to the last good state, and pause there; nothing happens if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SaveElsewhere:
    """Move the run into a new folder under `root`, save there, and go on: where its own can no longer be written."""

    root: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """Finish the step under way, save and end; unless it insists, a run that cannot be saved waits, so as to lose
    nothing.
    """

    insist: bool = False


Command = (
    SetPerturbation
    | SetHold
    | SetLearningRate
    | SetBatchSize
    | SetDelay
    | Pause
    | Resume
    | Step
    | SampleNow
    | SetLatents
    | ShowBetween
    | ComparePlanners
    | CancelComparison
    | EvaluateNow
    | CancelEvaluation
    | Save
    | SaveElsewhere
    | Restore
    | Stop
)


def without_outdated(commands: Sequence[Command]) -> list[Command]:
    """The commands but those that a later one makes void, as of a dragged slider's targets only the last counts."""
    last = {_subject(command): command for command in commands}
    return [command for command in commands if _subject(command) is None or command is last[_subject(command)]]


def _subject(command: Command) -> object:
    """What a command sets that a later one sets anew; None for those that each count."""
    match command:
        case SetPerturbation():
            return SetPerturbation
        case SetHold() | SetBatchSize() | SetDelay() | SetLatents() | ShowBetween():
            return type(command)
        case SetLearningRate():
            return SetLearningRate, command.network
        case _:
            return None
