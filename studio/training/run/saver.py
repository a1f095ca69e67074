"""What a run does on disk: checkpoints at their cadence, sample grids, and waiting where nothing can be written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from studio.errors import UserError
from studio.training.messages.events import Event, Moved, Noticed, Outcome, Saved
from studio.training.run.clock import Stopwatch
from studio.training.storage.frames import Frame

if TYPE_CHECKING:
    from studio.training.engine.trainer import Trainer
    from studio.training.storage.recorder import Recorder


class Saver:
    """Keeps a run, if it has a recorder; what cannot be written `wait` is told of, and it is tried again later.

    Attributes:
        insisting: the run ends now whatever comes, so that there is no later: the UserError is raised.
    """

    def __init__(
        self,
        trainer: Trainer,
        recorder: Recorder | None,
        clock: Stopwatch,
        tell: Callable[[Event], None],
        wait: Callable[[UserError], None],
    ) -> None:
        self._trainer, self._recorder, self._clock, self._tell, self._wait = trainer, recorder, clock, tell, wait
        self._next = 0.0
        self.insisting = False

    @property
    def is_due(self) -> bool:
        return self._clock.seconds >= self._next

    def frame(self, frame: Frame) -> bool:
        """Keep a sample grid; whether that went well."""
        recorder = self._recorder
        return recorder is None or self._try(lambda: recorder.save_frame(frame))

    def checkpoint(self, outcome: Outcome | None = None) -> bool:
        """Write everything that the run can go on from; whether that went well: if not, it is due again at once."""
        recorder, seconds = self._recorder, self._clock.seconds

        def write() -> None:
            news = recorder.save(outcome, seconds) if recorder is not None else None
            self._next = self._clock.seconds + 60 * self._trainer.config.cadence.checkpoint_every
            if news is not None:
                self._tell(Noticed(step=self._trainer.step_count, error=news))

        self._next = seconds
        return self._try(write)

    def save(self, outcome: Outcome | None = None) -> bool:
        """Write a checkpoint and say so; whether that went well."""
        saved = self.checkpoint(outcome)
        if saved and self._recorder is not None:
            self._tell(Saved(step=self._trainer.step_count, path=self._recorder.folder.path))
        return saved

    def move(self, root: Path) -> bool:
        """Save in a new folder under `root`; whether that went well."""
        recorder, step = self._recorder, self._trainer.step_count
        if recorder is None or not self._try(lambda: recorder.move(root, self._clock.seconds)):
            return False
        self._tell(Moved(step=step, path=recorder.folder.path))
        self._tell(Saved(step=step, path=recorder.folder.path))
        return True

    def _try(self, write: Callable[[], object]) -> bool:
        try:
            write()
        except UserError as error:
            if self.insisting:
                raise
            self._wait(error)
            return False
        return True
