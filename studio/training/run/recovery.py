"""Whether a run is well, and its way back to where it was: after it diverged, or when memory ran out amid a step.

A step that was broken off leaves the trainer with one network stepped and the other not. The run then goes back to its
newest whole state, in memory or on disk; batches and random numbers go on from where they are.
"""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from studio.errors import UserError
from studio.training.engine.memory import out_of_memory
from studio.training.messages.events import Event, Noticed, Restored
from studio.training.storage.checkpoint_store import CheckpointStore
from studio.training.storage.health import Health, diverged

if TYPE_CHECKING:
    from studio.training.engine.learner import StepReport
    from studio.training.engine.trainer import Trainer
    from studio.training.engine.trainer_state import TrainerState
    from studio.training.storage.recorder import Recorder

_SECONDS = 5.0
_COST = 100.0  # copying may take a hundredth of the time at most
_MOST_BYTES = 512 * 2**20
_HINT = "Resume with a smaller batch, or once other programs are closed; a narrower model takes less, too."


class LastGood:
    """The last good states of one trainer, in memory; none that is larger than `most_bytes`.

    Two are kept, some seconds apart, and the older one is offered: the newer may already have been on its way out.
    """

    def __init__(self, trainer: Trainer, most_bytes: int = _MOST_BYTES) -> None:
        self._trainer = trainer
        self._most_bytes = most_bytes
        self._kept: deque[TrainerState] = deque(maxlen=2)
        self._next = 0.0
        self._too_large = False

    @property
    def step(self) -> int | None:
        """Training steps behind the state on offer; None if there is none."""
        return self._kept[0].step if self._kept else None

    def keep(self, seconds: float) -> None:
        """The run is well after so many seconds of training: keep its state, unless it is too soon or too much."""
        if seconds < self._next or self._too_large:
            return
        began = time.perf_counter()
        state = self._trainer.state()
        self._too_large = state.bytes > self._most_bytes
        if not self._too_large:
            self._kept.append(state)
        self._next = seconds + max(_SECONDS, _COST * (time.perf_counter() - began))

    @property
    def newest(self) -> int | None:
        """Training steps behind the newest state; None if there is none."""
        return self._kept[-1].step if self._kept else None

    def restore(self, *, newest: bool = False) -> int | None:
        """Put the trainer back, into the newest state or the one on offer; its step, or None if nothing was kept."""
        if not self._kept:
            return None
        state = self._kept[-1 if newest else 0]
        self._trainer.restore(state)
        self._kept.clear()
        self._kept.append(state)
        return state.step


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenStep:
    """A step that came to nothing: why, and where the run is now.

    Attributes:
        back_to: step of the last good state, where going back to it would help.
        undone: the run is back at an earlier step.
        smaller: B_avg of batches that would take less memory, if that ran out.
    """

    error: UserError
    back_to: int | None = None
    undone: bool = False
    smaller: float | None = None


class Recovery:
    """Of one run; one without a recorder has no checkpoints."""

    def __init__(self, trainer: Trainer, recorder: Recorder | None, tell: Callable[[Event], None]) -> None:
        self._trainer = trainer
        self._recorder = recorder
        self._tell = tell
        self._health = Health()
        self._good = LastGood(trainer)

    @property
    def good_step(self) -> int | None:
        return self._good.step

    def step(self, network: str) -> StepReport | BrokenStep:
        """Have the trainer take a step of one network, or of whatever is due; where memory runs out amid it, go back to
        where the run is whole, and UserError if it is so nowhere.
        """
        try:
            return self._trainer.step(network)
        except UserError as error:  # a model that has seen itself diverge
            return BrokenStep(error=error, back_to=self.good_step)
        except Exception as error:
            short = out_of_memory(error, _HINT)
            if short is None:
                raise
        # From here on the error no longer holds on to what filled the memory.
        if not self._to_newest():
            raise short
        return BrokenStep(error=short, undone=True, smaller=smaller_batch(self._trainer.config.batch.average_size))

    def examine(self, values: Mapping[str, float], seconds: float) -> UserError | None:
        """Tell of a run that looks unwell, keep the state of one that is well; what to tell if it has diverged."""
        step = self._trainer.step_count
        error = diverged(step, values)
        if error is not None:
            return error
        for found in self._health.look(values):
            self._tell(Noticed(step=step, error=found))
        if self._health.well:
            self._good.keep(seconds)
        return None

    def to_last_good(self) -> bool:
        left, step = self._trainer.step_count, self._good.restore()
        return self._returned(left, step)

    def _to_newest(self) -> bool:
        """Go back to the newest whole state after a broken step; whether there is one. UserError if it is damaged."""
        _hand_back(self._trainer)
        left, kept = self._trainer.step_count, -1 if self._good.newest is None else self._good.newest
        if self._recorder is not None:
            store = CheckpointStore(self._recorder.folder.path)
            checkpoint = max((step for step in store.steps if step <= left), default=-1)
            if checkpoint > kept:
                return self._returned(left, _read_state(self._trainer, store.find(checkpoint)))
        return self._returned(left, self._good.restore(newest=True))

    def _returned(self, left: int, step: int | None) -> bool:
        if step is None:
            return False
        self._health = Health()
        self._tell(Restored(step=step, left=left))
        return True


def smaller_batch(average_size: float) -> float | None:
    """The B_avg on offer in place of one that is too large, half of it; None where it cannot be smaller."""
    half = float(math.floor(average_size / 2))
    return half if half >= 1 else None


def _read_state(trainer: Trainer, path: Path) -> int:
    from studio.training.storage.checkpoint import read_checkpoint

    checkpoint = read_checkpoint(path)
    trainer.restore(checkpoint.state, checkpoint.resume_state.taken)
    return trainer.step_count


def _hand_back(trainer: Trainer) -> None:
    """Give back what torch holds of a GPU's memory for later."""
    import torch

    if trainer.device.type == "cuda":
        torch.cuda.empty_cache()
