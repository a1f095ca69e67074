"""Whether a run is well, and its way back to where it was: after it diverged, or when memory ran out amid a step.

A step that was broken off leaves the trainer with one network stepped and the other not. The run then goes back to its
newest whole state, in memory or on disk; batches and random numbers go on from where they are.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from studio.errors import UserError
from studio.training.engine.memory import out_of_memory
from studio.training.messages.events import Event, Noticed, Restored
from studio.training.run.last_good import LastGood
from studio.training.storage.checkpoint_store import CheckpointStore
from studio.training.storage.health import Health, diverged

if TYPE_CHECKING:
    from studio.training.engine.trainer import Trainer
    from studio.training.storage.recorder import Recorder

_HINT = "Go on with a smaller batch, or close other programs and resume; a narrower model takes less, too."


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

    def to_newest(self) -> bool:
        """Go back to the newest whole state after a step was broken off; whether there is one. Raises UserError if it
        is a checkpoint, and that is damaged.
        """
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


def shortage(error: BaseException) -> UserError | None:
    """What to tell the person if a step has ended for want of memory; None if it is something else."""
    return out_of_memory(error, _HINT)


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
