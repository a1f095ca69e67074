"""What a run loop asks of the disk: everything a recorder does, when a checkpoint is due, and nothing for a run that
leaves no trace.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from studio.errors import UserError
from studio.training.messages.clock import Stopwatch
from studio.training.messages.events import Event, Logged, Outcome
from studio.training.messages.latents import Latents

if TYPE_CHECKING:
    from studio.training.messages.snapshot import SampleGrid
    from studio.training.run.reporter import Reporter
    from studio.training.storage.recorder import Recorder


class OptionalRecorder:
    """Keeps one run.

    Args:
        recorder: of its folder; None if it has none.
        clock: the run's time.
        every: seconds of it between two checkpoints.
    """

    def __init__(self, recorder: Recorder | None, clock: Stopwatch, every: float) -> None:
        self._recorder = recorder
        self._clock = clock
        self._every = every
        self._next = 0.0

    @property
    def path(self) -> Path | None:
        """The run's folder, if it has one."""
        return self._recorder.folder.path if self._recorder is not None else None

    @property
    def latents(self) -> Latents | None:
        """Those that the run's grids showed last, if its folder says so."""
        return self._recorder.latents if self._recorder is not None else None

    @property
    def checkpoint_is_due(self) -> bool:
        """Whether it is time for another checkpoint."""
        return self._clock.seconds >= self._next

    def hear(self, event: Event) -> None:
        """An event that may be worth keeping."""
        if self._recorder is not None:
            self._recorder.hear(event)

    def log(self, point: Logged) -> None:
        """A point of the curves."""
        if self._recorder is not None:
            self._recorder.log(point)

    def note_edit(self, step: int) -> None:
        """The target was changed before this step."""
        if self._recorder is not None:
            self._recorder.note_edit(step)

    def note_learning_rate(self, step: int, network: str, rate: float) -> None:
        """A network's learning rate was changed before this step."""
        if self._recorder is not None:
            self._recorder.note_learning_rate(step, network, rate)

    def note_latents(self, latents: Latents) -> None:
        """Grids show these latents from now on."""
        if self._recorder is not None:
            self._recorder.note_latents(latents)

    def note_config(self) -> None:
        """The trainer's configuration is another from now on."""
        if self._recorder is not None:
            self._recorder.note_config()

    def note_return(self, left: int, step: int) -> None:
        """The run went back from one step to an earlier one."""
        if self._recorder is not None:
            self._recorder.note_return(left, step)

    def save_grid(self, grid: SampleGrid, reporter: Reporter) -> None:
        """A sample grid, and what else is kept of its moment.

        Raises:
            UserError: the folder cannot be written.
        """
        if self._recorder is not None:
            self._recorder.save_grid(
                grid,
                reporter.recent_weights,
                self._clock.seconds,
                reporter.plane_frame(),
                planned=reporter.planned,
                diagnostics=reporter.new_diagnostics,
            )

    def save(self, outcome: Outcome | None) -> UserError | None:
        """Everything that the run can go on from; a save that fails is due again at once.

        Returns:
            what to tell of it, where the run has diverged.

        Raises:
            UserError: the folder cannot be written.
        """
        self._next = self._clock.seconds
        news = self._recorder.save(outcome, self._clock.seconds) if self._recorder is not None else None
        self._next = self._clock.seconds + self._every
        return news

    def move(self, root: Path) -> None:
        """Go on in a new folder under `root`.

        Raises:
            UserError: nothing can be written there.
        """
        if self._recorder is not None:
            self._recorder.move(root, self._clock.seconds)
