"""Sweeps in the window: asked for in a dialog, queued with undo, and their results shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtGui import QUndoCommand
from PySide6.QtWidgets import QWidget

from studio.gui.queue.queue_control import QueueControl
from studio.gui.run.run_control import RunControl
from studio.gui.state.setup import Setup
from studio.gui.timeline.time_cursor import TimeCursor
from studio.gui.widgets.theme import ThemeManager
from studio.jobs.estimate import seconds_for, work_of
from studio.jobs.sweep import Sweep
from studio.library.sweep_results import Member, members_of
from studio.progress import Progress
from studio.training.config.run_config import StopCondition
from studio.training.storage.data_paths import made_absolute

if TYPE_CHECKING:
    from studio.gui.queue.sweep_dialog import SweepDialog


class SweepActions(QObject):
    """Opens the dialog and the results.

    Args:
        newest: gives the unique name of the newest sweep in the workspace; empty if there is none.
    """

    def __init__(
        self,
        setup: Setup,
        queue: QueueControl,
        runs: RunControl,
        time: TimeCursor,
        newest: Callable[[], str],
        parent: QObject | None = None,
    ) -> None:
        super().__init__(parent)
        self._setup, self._queue, self._runs, self._time, self.newest = setup, queue, runs, time, newest

    def ask(self, theme: ThemeManager, window: QWidget) -> None:
        """Ask above this window for a sweep over what is set up, and queue it."""
        from studio.gui.queue.sweep_dialog import SweepDialog  # with its forms, for which the first paint does not wait

        dataset = self._setup.dataset
        names = dataset.class_names if dataset is not None and not self._setup.awaits_data else ()
        config = self._setup.config_to_queue()
        seconds = partial(self._seconds, made_absolute(config).to_json())
        dialog = SweepDialog(config, names, seconds, self._queue.seconds_left, theme, window)
        dialog.accepted.connect(lambda: self._add(dialog))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _add(self, dialog: SweepDialog) -> None:
        assert dialog.sweep is not None
        self._setup.undo_stack.push(QueueSweep(self._queue, dialog.sweep, dialog.title))

    def _seconds(self, config: str, limit: StopCondition, number: int) -> float | None:
        """How long so many runs of about this configuration take, going by the queue or else by the last run here."""
        queue, run, last = self._queue, self._runs.run, self._runs.config
        each = seconds_for(limit, config, queue.jobs)
        if each is None and limit.steps is not None and run.steps_per_second > 0 and last is not None:
            each = limit.steps / run.steps_per_second if work_of(last.to_json()) == work_of(config) else None
        return None if each is None else each * number / min(queue.at_once, number)

    def show_results(self, sweep: str, theme: ThemeManager, window: QWidget) -> None:
        """Open a window above this one with what came of a sweep."""
        from studio.gui.queue.sweep_window import SweepWindow  # with its plots, which the first paint does not wait for

        results = SweepWindow(self._members(sweep), theme, window)
        results.run_asked.connect(self._time.open)
        self._queue.job_ended.connect(results.look_again)
        results.show()

    def _members(self, sweep: str) -> Callable[[Progress], list[Member]]:
        """Finds its runs: those of the queue as they stand there, and the rest in the workspace."""

        def find(progress: Progress) -> list[Member]:
            queued = {
                job.folder: Member(folder=job.folder, mark=job.sweep, status=job.status.value, error=job.error)
                for job in self._queue.jobs
                if job.sweep is not None and job.sweep.sweep == sweep
            }
            found = members_of(self._setup.runs_root, sweep, progress)
            return [*queued.values(), *(member for member in found if member.folder not in queued)]

        return find


class QueueSweep(QUndoCommand):
    """The runs of a sweep go into the queue; undone, those that still wait leave it again."""

    def __init__(self, queue: QueueControl, sweep: Sweep, title: str) -> None:
        super().__init__(f"queueing {len(sweep.points)} runs")
        self._queue, self._sweep, self._title = queue, sweep, title
        self._ids: tuple[int, ...] = ()

    def redo(self) -> None:
        self._ids = self._queue.add_sweep(self._sweep, self._title)

    def undo(self) -> None:
        """Take those that have not begun off the list."""
        self._queue.remove_waiting(self._ids)
