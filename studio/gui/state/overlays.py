"""Runs whose curves lie over those of the run that is shown, for as long as they are ticked in the table of runs."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal, Slot

from studio.errors import UserError
from studio.gui.state.log import Level, Log
from studio.gui.state.old_runs import OldRun, read_old_run
from studio.gui.state.task_runner import TaskRunner
from studio.library.compare import MOST_RUNS


class Overlays(QObject):
    """Which runs these are.

    Attributes:
        runs: those that are read, in the order in which they were ticked.
    """

    changed = Signal()

    def __init__(self, tasks: TaskRunner, log: Log, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks, self._log = tasks, log
        self._ticked: list[Path] = []
        self.runs: list[OldRun] = []

    def ticked(self, folder: Path) -> bool:
        return folder in self._ticked

    def beside(self, shown: Path | None, title: str) -> list[OldRun]:
        """Those that are not the run shown, in this folder, with titles that tell them from it and each other."""
        runs = [run for run in self.runs if run.folder != shown]
        titles = [title, *(run.title for run in runs)]
        return [
            replace(run, title=f"{run.title} ({run.folder.name})") if titles.count(run.title) > 1 else run
            for run in runs
        ]

    def tick(self, folder: Path, on: bool) -> None:
        """Lay the curves of this run over the others, as far as there is room, or no longer."""
        if on == self.ticked(folder):
            return
        if not on:
            self._forget(folder)
        elif len(self._ticked) < MOST_RUNS:
            self._ticked.append(folder)
            self._tasks.run(
                partial(read_old_run, folder),
                done=self._take,
                failed=lambda error: self._fail(folder, error),
                cancelled=lambda: self._forget(folder),
            )
        else:
            self._log.add(f"No more than {MOST_RUNS} runs lie over each other", Level.WARNING)
        self.changed.emit()

    @Slot(object, str)
    def rename(self, folder: Path, title: str) -> None:
        """A run is called so from now on: one of them, or the one shown, from whose name theirs are told."""
        self.runs = [replace(run, title=title) if run.folder == folder else run for run in self.runs]
        self.changed.emit()

    def go_on(self, old: OldRun, now: OldRun) -> None:
        """One of them has been read again."""
        if any(run is old for run in self.runs):
            gone_on = old.gone_on(now)
            self.runs = [gone_on if run is old else run for run in self.runs]
            self.changed.emit()

    def _take(self, run: OldRun) -> None:
        if self.ticked(run.folder):
            self.runs = sorted((*self.runs, run), key=lambda each: self._ticked.index(each.folder))
            self.changed.emit()

    def _fail(self, folder: Path, error: UserError) -> None:
        self._log.add_error(error, Level.WARNING)
        self._forget(folder)
        self.changed.emit()

    def _forget(self, folder: Path) -> None:
        self._ticked = [each for each in self._ticked if each != folder]
        self.runs = [run for run in self.runs if run.folder != folder]
