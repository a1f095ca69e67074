"""The last good states of a run, kept in memory, so that a run that diverged can go on from before.

Two are kept, some seconds apart, and the older one is offered: the newer may already have been on its way out.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studio.training.engine.trainer import Trainer
    from studio.training.engine.trainer_state import TrainerState

_SECONDS = 5.0
_COST = 100.0  # copying may take a hundredth of the time at most
_MOST_BYTES = 512 * 2**20


class LastGood:
    """Keeps states of one trainer, none that is larger than `most_bytes`."""

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
        """Put the trainer back; returns the step it is at now, None if nothing was kept.

        Into the newest state where it was not training that went wrong.
        """
        if not self._kept:
            return None
        state = self._kept[-1 if newest else 0]
        self._trainer.restore(state)
        self._kept.clear()
        self._kept.append(state)
        return state.step
