"""The library from the window's side: which runs there are, and what a person does to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QFile, QObject, Signal, Slot

from studio.errors import UserError
from studio.gui.run.run_control import RunControl
from studio.gui.state.overlays import Overlays
from studio.gui.state.run_view import RunPhase, RunView
from studio.gui.state.setup import Setup
from studio.gui.state.task_runner import NewestTask, TaskRunner
from studio.library.index import RunIndex
from studio.library.notes import RunNotes, read_notes, tags_of, write_notes
from studio.library.run_summary import UNFINISHED, RunSummary, summary_of
from studio.paths import choose_runs_root
from studio.training.storage.folder_lock import owner_of


class LibraryControl(QObject):
    """The runs of one workspace, looked at again whenever a run begins, is saved or ends."""

    changed = Signal()  # other runs, or other words about them
    renamed = Signal(object, str)  # Path, and what the run there is called now
    moved = Signal()  # to another workspace
    stepped = Signal()  # the run under way is at another step
    failed = Signal(object)  # UserError

    def __init__(
        self, tasks: TaskRunner, setup: Setup, runs: RunControl, overlays: Overlays, parent: QObject | None = None
    ) -> None:
        super().__init__(parent)
        self.tasks, self.overlays, self._setup, self._runs = tasks, overlays, setup, runs
        self._index = RunIndex(setup.runs_root)
        self._looking, self._begun = NewestTask(tasks), False
        self._seen = RunView()
        self.entries: list[RunSummary] = []
        runs.run_changed.connect(self._on_run)

    @property
    def root(self) -> Path:
        return self._index.root

    @property
    def busy(self) -> bool:
        """Folders are being looked at."""
        return self._looking.busy

    def begin(self) -> None:
        """Show at first what is known, and look again: runs may have come from elsewhere."""
        if not self._begun:
            self._begun = True
            self.entries = self._index.entries()
            self.changed.emit()
        self.refresh()

    @Slot()
    def refresh(self) -> None:
        """Look at the folders again, once there has been a first look."""
        index = self._index
        if self._begun:
            self._looking.run(
                index.refresh, done=lambda entries: self._on_entries(index, entries), failed=self.failed.emit
            )

    def choose_root(self, root: Path) -> None:
        """Keep runs in this folder from now on, and list those that are there."""
        self._setup.set_runs_root(root)
        try:
            choose_runs_root(root)
        except UserError as error:
            self.failed.emit(error)
            return
        self._index = RunIndex(root)
        self.entries = self._index.entries()
        self.moved.emit()
        self.changed.emit()
        self.refresh()

    @property
    def newest_sweep(self) -> str:
        """The sweep of the newest run that belongs to one, by its unique name; empty if there is none."""
        return next((entry.sweep for entry in self.entries if entry.sweep), "")

    def status_of(self, entry: RunSummary) -> str:
        """How a run stands; of those under way, here or elsewhere, the index does not know."""
        if self._under_way(entry):
            return str(self._runs.run.phase)
        lives = entry.status == UNFINISHED and owner_of(self.root / entry.folder)
        return "elsewhere" if lives else entry.status

    def now(self, entry: RunSummary) -> RunSummary:
        """A run as far as it is now, the one under way included."""
        run = self._runs.run
        return replace(entry, steps=run.step, seconds=run.seconds) if self._under_way(entry) else entry

    def _under_way(self, entry: RunSummary) -> bool:
        run = self._runs.run
        return run.phase.active and run.folder is not None and run.folder == self.root / entry.folder

    def rename(self, folder: str, name: str) -> None:
        """Call a run so; an empty name gives it back its own."""
        self._annotate(folder, {"name": name})

    def set_tags(self, folder: str, text: str) -> None:
        self._annotate(folder, {"tags": tags_of(text)})

    def set_notes(self, folder: str, text: str) -> None:
        self._annotate(folder, {"notes": text})

    def _annotate(self, folder: str, given: dict[str, object]) -> None:
        path = self.root / folder
        try:
            write_notes(path, RunNotes.model_validate(read_notes(path).model_dump() | given))
        except UserError as error:
            self.failed.emit(error)
        except ValueError:
            hint = "Names have up to 80 characters, notes up to 100,000."
            self.failed.emit(UserError("That is too long to be kept", "", hint))
        else:
            now = summary_of(path)
            self.entries = [now if each.folder == folder else each for each in self.entries]
            self.renamed.emit(path, now.name)
            self.changed.emit()
            self.refresh()

    def trash(self, folders: Iterable[str]) -> None:
        """Put runs into the system's trash; the one under way stays."""
        run = self._runs.run
        for folder in folders:
            path = self.root / folder
            if run.phase.active and run.folder == path:
                self.failed.emit(UserError("This run is under way", f"{path}.", "Stop it first."))
            elif owner := owner_of(path):
                self.failed.emit(
                    UserError("This run is under way elsewhere", f"{path}: {owner}.", "Stop it there first.")
                )
            elif not _to_trash(path):
                hint = "It may lie where there is no trash; delete it in your file manager."
                self.failed.emit(UserError("The run could not be moved to the trash", f"{path}.", hint))
            else:
                self.overlays.tick(path, False)
        self.refresh()

    def _on_entries(self, index: RunIndex, entries: list[RunSummary]) -> None:
        if index is self._index:
            self.entries = entries
            self.changed.emit()

    @Slot(object)
    def _on_run(self, run: RunView) -> None:
        before, self._seen = self._seen, run
        if run.step != before.step and self._begun:
            self.stepped.emit()
        news = (run.phase, run.folder, run.saved_step) != (before.phase, before.folder, before.saved_step)
        if news and self._begun:
            self.changed.emit()
            if run.folder is not None and run.phase is not RunPhase.PREPARING:
                self.refresh()


def _to_trash(path: Path) -> bool:
    moved = QFile.moveToTrash(str(path))
    return bool(moved[0] if isinstance(moved, tuple) else moved)
