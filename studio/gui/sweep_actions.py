"""Sweeps in the window: asked for in a dialog, queued with undo, and their results shown."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QUndoCommand
from PySide6.QtWidgets import QWidget

from studio.gui.sweep_dialog import SweepDialog
from studio.gui.sweep_window import SweepWindow
from studio.gui.theme import ThemeManager
from studio.gui.workbench import Workbench
from studio.jobs.estimate import seconds_for
from studio.jobs.sweep import Sweep
from studio.library.sweep_results import Member, members_of
from studio.progress import Progress
from studio.training.limit import Limit


class SweepActions(QObject):
    """Opens the dialog and the results.

    Args:
        parent: above which they open.
    """

    def __init__(self, workbench: Workbench, theme: ThemeManager, parent: QWidget) -> None:
        super().__init__(parent)
        self._workbench, self._theme, self._parent = workbench, theme, parent

    @Slot()
    def ask(self) -> None:
        """Ask for a sweep over what is set up, and queue it."""
        dataset = self._workbench.setup.dataset
        names = dataset.class_names if dataset is not None else ()
        dialog = SweepDialog(self._workbench.setup.config, names, self._seconds, self._theme, self._parent.window())
        dialog.accepted.connect(lambda: self._add(dialog))
        dialog.finished.connect(dialog.deleteLater)
        dialog.open()

    def _add(self, dialog: SweepDialog) -> None:
        assert dialog.sweep is not None
        self._workbench.setup.undo_stack.push(QueueSweep(self._workbench, dialog.sweep, dialog.title))

    def _seconds(self, limit: Limit, number: int) -> float | None:
        """How long so many runs take after what is queued already, going by the queue or else by the last run here."""
        queue, run = self._workbench.queue, self._workbench.runs.run
        each = seconds_for(limit, queue.jobs)
        if each is None and limit.steps is not None and run.steps_per_second > 0:
            each = limit.steps / run.steps_per_second
        before = queue.seconds_left
        return None if each is None or before is None else before + each * number / min(queue.at_once, number)

    def show_results(self, sweep: str) -> None:
        """Open a window with what came of a sweep.

        Args:
            sweep: by its unique name.
        """
        window = SweepWindow(self._members(sweep), self._theme, self._parent.window())
        window.run_asked.connect(self._show_run)
        self._workbench.queue.job_ended.connect(window.look_again)
        window.show()

    def _members(self, sweep: str) -> Callable[[Progress], list[Member]]:
        """Finds its runs: those of the queue as they stand there, and the rest in the workspace."""

        def find(progress: Progress) -> list[Member]:
            queued = {
                job.folder: Member(folder=job.folder, mark=job.sweep, status=job.status.value, error=job.error)
                for job in self._workbench.queue.jobs
                if job.sweep is not None and job.sweep.sweep == sweep
            }
            found = members_of(self._workbench.setup.runs_root, sweep, progress)
            return [*queued.values(), *(member for member in found if member.folder not in queued)]

        return find

    @Slot(object)
    def _show_run(self, folder: Path) -> None:
        self._workbench.time.open(folder)


class QueueSweep(QUndoCommand):
    """The runs of a sweep go into the queue; undone, those that still wait leave it again."""

    def __init__(self, workbench: Workbench, sweep: Sweep, title: str) -> None:
        super().__init__(f"queueing {len(sweep.points)} runs")
        self._queue, self._sweep, self._title = workbench.queue, sweep, title
        self._ids: tuple[int, ...] = ()

    def redo(self) -> None:
        """Queue them."""
        self._ids = self._queue.add_sweep(self._sweep, self._title)

    def undo(self) -> None:
        """Take those that have not begun off the list."""
        self._queue.remove_waiting(self._ids)
