"""The latents behind the samples, from the window's side: others, favourites, and the way between some.

A run under way is told; one that is not is drawn anew by the weights in its folder, beside the window. Each choice can
be undone, as long as the run that it was made for is the one that is shown.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal, Slot
from PySide6.QtGui import QUndoStack

from studio.errors import UserError
from studio.gui.run.run_control import RunControl
from studio.gui.state.log import Level, Log
from studio.gui.state.run_view import RunPhase
from studio.gui.state.task_runner import TaskRunner
from studio.gui.state.undo import Edit
from studio.gui.timeline.time_cursor import TimeCursor
from studio.models.catalog import model_spec
from studio.progress import Progress
from studio.training.messages.commands import SetLatents, ShowBetween
from studio.training.messages.latents import LatentPoint, Latents, read_latents, write_latents
from studio.training.messages.snapshot import Interpolation, SampleGrid, Snapshot
from studio.training.storage.folder_lock import ensure_free

_SEED_BITS = 31
_ELSEWHERE = "The run is under way elsewhere, and draws its own samples."
_ONE_PICTURE = "All samples share one picture, so that none can be picked."


@dataclass(frozen=True, slots=True, kw_only=True)
class LatentView:
    """What can be done with the samples that are shown.

    Attributes:
        latents: those of the next grid.
        reroll_blocked: why others cannot be rolled, in a sentence; empty where they can.
        pick_blocked: why none can be picked.
    """

    latents: Latents | None = None
    reroll_blocked: str = "There are no samples yet."
    pick_blocked: str = "There are no samples yet."


class ChooseLatents(Edit[Latents]):
    """From some latents to others; each counts for itself.

    Args:
        here: whether the run that it was made for is shown.
        otherwise: called with "undo" or "redo" where it is not, and nothing is left to be done.
    """

    def __init__(
        self,
        before: Latents,
        after: Latents,
        text: str,
        apply: Callable[[Latents], None],
        here: Callable[[], bool],
        otherwise: Callable[[str], None],
    ) -> None:
        super().__init__(before, after, text, apply)
        self._here, self._otherwise = here, otherwise

    def redo(self) -> None:
        self._do("redo", super().redo)

    def undo(self) -> None:
        self._do("undo", super().undo)

    def _do(self, what: str, do: Callable[[], None]) -> None:
        if self._here():
            do()
        else:
            self.setObsolete(True)
            self._otherwise(what)


class LatentControl(QObject):
    """Latents of the run that is shown, live or old."""

    changed = Signal(object)  # LatentView
    grid_drawn = Signal(object)  # SampleGrid of a run that is not under way
    between_drawn = Signal(object)  # Between
    failed = Signal(object)  # UserError

    def __init__(
        self,
        tasks: TaskRunner,
        runs: RunControl,
        time: TimeCursor,
        stack: QUndoStack,
        log: Log,
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._tasks, self._runs, self._time, self._stack, self._log = tasks, runs, time, stack, log
        self.view = LatentView()
        self._grid: SampleGrid | None = None  # that is shown
        self._latents: Latents | None = None  # chosen for the run shown
        self._asked = ShowBetween()
        self._live = False
        time.run_shown.connect(self._on_other_run)
        time.changed.connect(self._on_time)
        runs.snapshot_arrived.connect(self._on_snapshot)
        runs.run_changed.connect(self._on_run)

    @property
    def _under_way(self) -> bool:
        """The run that is shown takes commands."""
        return self._time.view.live and self._runs.run.phase in (RunPhase.RUNNING, RunPhase.PAUSED)

    def show_grid(self, grid: SampleGrid) -> None:
        self._grid = grid
        self._tell()

    # -- intent

    def reroll(self) -> None:
        """Show samples of other latents, but for the favourites."""
        if self._latents is not None and not self.view.reroll_blocked:
            self._push(self._latents.rerolled(secrets.randbits(_SEED_BITS)), "Re-roll of the samples")

    def pin(self, points: Sequence[LatentPoint]) -> None:
        """Make these favourites, which stay where they are."""
        if self._latents is not None and points and not self.view.pick_blocked:
            self._push(self._latents.pinned(points), _counted("Pinning", len(points)))

    def unpin(self, points: Sequence[LatentPoint]) -> None:
        """These are no favourites any more: what was rolled since takes their places."""
        if self._latents is not None and points:
            self._push(self._latents.unpinned(point.place for point in points), _counted("Unpinning", len(points)))

    def show_between(self, points: Sequence[LatentPoint], *, averaged: bool) -> None:
        """Draw the way between two or four samples, and again whenever the run draws samples."""
        self._asked = ShowBetween(points=tuple(points), averaged=averaged)
        if self._under_way:
            self._runs.send(self._asked)
        elif points and (folder := self._time.folder) is not None:
            self._draw_between(folder, self._asked)

    def end_between(self) -> None:
        if self._asked.points:
            self.show_between((), averaged=True)

    # -- putting them in force

    def _push(self, after: Latents, text: str) -> None:
        before, folder = self._latents, self._time.folder
        if before is not None and after != before and folder is not None:
            here = lambda: folder == self._time.folder  # noqa: E731 - it is handed on
            self._stack.push(ChooseLatents(before, after, text, partial(self._put, folder), here, self._once_more))

    def _once_more(self, what: str) -> None:
        """An edit of a run that is gone has nothing to undo: undo the one before."""
        QTimer.singleShot(0, self, self._stack.undo if what == "undo" else self._stack.redo)

    def _put(self, folder: Path, latents: Latents) -> None:
        if self._under_way:
            self._latents = latents
            self._time.show_live()
            self._runs.send(SetLatents(latents=latents))
        else:
            self._keep(folder, latents)
        self._tell()

    def _keep(self, folder: Path, latents: Latents) -> None:
        """Note them in the folder of a run that is not under way, and draw what is not on the screen."""
        grid = self._grid
        try:
            ensure_free(folder)
            write_latents(folder, latents)
        except UserError as error:
            self._on_failed(error)
            return
        self._latents = latents
        count = len(grid.raw) if grid is not None else 0
        if grid is not None and (grid.latents is None or grid.latents.points(count) != latents.points(count)):
            self._draw_grid(folder, latents, count)

    def _kept(self) -> Latents | None:
        """What the folder of the run says of them."""
        folder, config = self._time.folder, self._time.config
        if folder is None or config is None:
            return None
        try:
            return read_latents(folder) or Latents.of(config)
        except UserError as error:
            self._log.add_error(error, Level.WARNING)
            return Latents.of(config)

    # -- drawing beside the window

    def _draw_grid(self, folder: Path, latents: Latents, count: int) -> None:
        step = self._time.view.step

        def work(progress: Progress) -> SampleGrid:
            from studio.training.analysis.redraw import redraw_grid

            return redraw_grid(folder, latents, count, step, progress)

        def show(grid: SampleGrid) -> None:
            if (folder, step) == (self._time.folder, self._time.view.step) and latents == self._latents:
                self.grid_drawn.emit(grid)

        self._tasks.run(work, done=show, failed=self._on_failed, cancelled=self._on_cancelled)

    def _draw_between(self, folder: Path, asked: ShowBetween) -> None:
        step = self._time.view.step

        def work(progress: Progress) -> Interpolation:
            from studio.training.analysis.redraw import redraw_between

            return redraw_between(folder, asked, step, progress)

        def show(found: Interpolation) -> None:
            if folder == self._time.folder and asked == self._asked:
                self.between_drawn.emit(found)

        self._tasks.run(work, done=show, failed=self._on_failed, cancelled=self._on_cancelled)

    def _on_failed(self, error: UserError) -> None:
        self._log.add_error(error, Level.WARNING)
        self.failed.emit(error)

    def _on_cancelled(self) -> None:
        self.failed.emit(UserError("Drawing the samples was cancelled"))

    # -- the run

    @Slot()
    def _on_other_run(self) -> None:
        self._grid = self._latents = None
        self._asked = ShowBetween()
        self._tell()

    @Slot(object)
    def _on_snapshot(self, snapshot: Snapshot) -> None:
        between = snapshot.between
        if between is not None and between.points == self._asked.points and self._time.view.live:
            self.between_drawn.emit(between)

    @Slot()
    def _on_run(self) -> None:
        """A run that goes on has to be told again what is looked at."""
        before, self._live = self._live, self._under_way
        if self._live and not before and self._asked.points:
            self._runs.send(self._asked)
        if self._live != before:
            self._tell()

    @Slot()
    def _on_time(self) -> None:
        """Another process may have begun to write into the folder, or has ended."""
        if self._time.old is not None:
            self._tell()

    def _tell(self) -> None:
        view = LatentView()
        config, grid = self._time.config, self._grid
        if grid is not None and self._latents is None:
            self._latents = grid.latents if self._under_way else self._kept()
        if grid is not None and config is not None and self._latents is not None:
            one = _ONE_PICTURE if len(grid.raw) < 2 else ""
            unknown = "" if grid.latents is not None else "It was not kept which latents are behind these samples."
            blocked = one or model_spec(config.model.kind).without_latents or unknown
            stands = "" if self._time.folder is not None else "The run has no folder to keep them in."
            stands = _ELSEWHERE if self._time.old is not None and self._time.old.owner else stands
            view = LatentView(latents=self._latents, reroll_blocked=stands, pick_blocked=stands or blocked)
        if view != self.view:
            self.view = view
            self.changed.emit(view)


def _counted(doing: str, count: int) -> str:
    return f"{doing} of {count} samples" if count > 1 else f"{doing} of a sample"
