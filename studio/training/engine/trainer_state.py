"""What a trainer holds at one moment, copied: what training has made, and what it goes by."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from studio.errors import UserError
from studio.perturb.hold import Hold
from studio.perturb.perturbation import Perturbation
from studio.perturb.planner import Planner

Tensors = Mapping[str, Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainerState:
    """Everything that training changes in a model, copied, tensors by name; what the next steps go by is left out.

    That is how often the average was updated, what each network's rule has accumulated, the last losses and metrics,
    and what was corrected of the target.
    """

    step: int
    model: Tensors
    average: Tensors
    updates: int
    optimisers: Mapping[str, Tensors]
    scalars: Tensors
    held: Held

    @property
    def bytes(self) -> int:
        """Memory of model and average; the rules' is about as much again."""
        return sum(tensor.nbytes for part in (self.model, self.average) for tensor in part.values())

    @property
    def finite(self) -> bool:
        """Whether everything in it is a number, so that training can go on from it."""
        return all(all_finite(part.values()) for part in (self.model, self.average, *self.optimisers.values()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """Where holding a run's shares stands: the step and the judge, by fingerprint, that it looked by last,
    the revision of the target that it holds, and what was corrected, length K, before that was changed last, after
    which step; empty if it never was.
    """

    hold: Hold
    step: int = 0
    judge: str = ""
    revision: int = 0
    before: tuple[float, ...] = ()
    changed: int = 0

    def learned(self, step: int) -> Hold:
        """As weights of this step know it: what is corrected after the very step counts from the next one on."""
        return replace(self.hold, correction=self.before) if self.before and step == self.changed else self.hold

    def moved(self, step: int, hold: Hold) -> Held:
        """After a step the hold is another."""
        return replace(self, hold=hold, before=self.learned(step).correction, changed=step)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResumeState:
    """What the next steps depend on besides that state: with both, a run goes on as if it had never stopped.

    Attributes:
        skipped: empty steps passed over so far.
        perturbation: the target in force, as asked.
        planner: the planner's place, arrays by name.
        planning: state of the planner's random stream, as NumPy has it.
        noise: state of the model's random stream, uint8, shape (n,).
        rates: learning rate of each network, before it falls.
        taken: steps that each network's optimiser has taken.
    """

    skipped: int
    perturbation: Perturbation
    planner: Mapping[str, NDArray[np.generic]]
    planning: Mapping[str, Any]
    noise: Tensor
    rates: Mapping[str, float]
    taken: Mapping[str, int]


def all_finite(tensors: Iterable[Tensor]) -> bool:
    """Whether they hold finite numbers only."""
    return all(bool(tensor.isfinite().all()) for tensor in tensors)


def copied(tensors: Tensors) -> dict[str, Tensor]:
    """The same tensors, which nobody else changes."""
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def ensure_alike(what: str, found: Tensors, wanted: Tensors) -> None:
    """Refuse tensors other than those wanted but for values: raises UserError if names, shapes or types differ."""
    for name in sorted(found.keys() | wanted.keys()):
        one, other = found.get(name), wanted.get(name)
        if one is None or other is None or one.shape != other.shape or one.dtype != other.dtype:
            raise wrong_state(f"{what}, {name[:80]}: {_form(one)} instead of {_form(other)}.")


def ensure_classes(classes: int, perturbation: Perturbation, held: Held) -> None:
    """Refuse a target that is not of so many classes: raises UserError."""
    if len(perturbation.offsets) != classes:
        raise wrong_state(f"It has {len(perturbation.offsets)} offsets; the data have {classes} classes.")
    if len(held.hold.correction) != classes:
        raise wrong_state("What is corrected of its offsets is not of these classes.")


def wrong_state(message: str) -> UserError:
    """A state that belongs to something else."""
    return UserError(
        "The checkpoint does not fit its run",
        message,
        "It belongs to another configuration or other data, or it is damaged; try an earlier one.",
    )


def _form(tensor: Tensor | None) -> str:
    return "nothing" if tensor is None else f"{tensor.dtype} {tuple(tensor.shape)}".removeprefix("torch.")


def set_planning(planner: Planner, rng: np.random.Generator, found: ResumeState) -> None:
    """Put a planner and its stream where they were; raises UserError if they cannot have been there."""
    try:
        planner.restore(found.planner)
    except ValueError as error:
        raise wrong_state(f"The planner's place: {error}.") from error
    state = found.planning
    try:
        inner = state["state"]
        if not (0 <= inner["state"] < 2**128 and 0 <= inner["inc"] < 2**128 and inner["inc"] % 2):
            raise ValueError("it is out of range")
        rng.bit_generator.state = {**state, "state": dict(inner)}
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise wrong_state(f"The planner's random stream: {error}.") from error


def set_noise(rng: torch.Generator, state: Tensor) -> None:
    """Put a torch stream into a state; raises UserError if it is no state of such a stream on that kind of device."""
    now = rng.get_state()
    if state.dtype != now.dtype or state.shape != now.shape or (rng.device.type == "cpu" and not _in_order(state)):
        raise wrong_state("The model's random stream is damaged, or of another kind of device.")
    try:
        rng.set_state(state.cpu())
    except RuntimeError as error:
        raise wrong_state(f"The model's random stream: {str(error).splitlines()[0]}.") from error


def _in_order(state: Tensor) -> bool:
    """Whether a Mersenne twister's counters agree: torch checks each alone, and would read beyond its end."""
    left = int(state[8:12].view(torch.int32))
    following = int(state[16:24].view(torch.int64))
    return (left, following) == (1, 0) or (left >= 1 and left + following == 625)
