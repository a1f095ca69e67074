"""Exports of a run from the table: asks where to, does it beside the window, and says how it went."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths, Signal
from PySide6.QtWidgets import QFileDialog, QInputDialog, QWidget

from studio.errors import UserError
from studio.gui.state.task_runner import TaskRunner
from studio.library.export.formats import ExportFormat, write_apart
from studio.library.export.options import MOST_SAMPLES, ExportOptions
from studio.library.run_summary import summary_of
from studio.number_text import whole
from studio.progress import Progress
from studio.training.storage.run_identity import RunIdentity


class RunExports(QObject):
    """Does them, and takes zips in.

    Attributes:
        averaged: samples and models are by the moving average of the weights.
    """

    said = Signal(str)  # how it went well
    failed = Signal(object)  # UserError
    imported = Signal()

    def __init__(self, tasks: TaskRunner, window: QWidget) -> None:
        super().__init__(window)
        self._tasks, self._window = tasks, window
        self.averaged = True

    def set_averaged(self, averaged: bool) -> None:
        """By the moving average of the weights from now on, or by the weights as they are."""
        self.averaged = averaged

    def ask(self, kind: ExportFormat, folder: Path) -> None:
        options, whose = ExportOptions(averaged=self.averaged), self._whose(kind, folder)
        if kind.draws:
            count, wanted = QInputDialog.getInt(
                self._window, "Samples", f"How many samples to draw of {whose}:", options.count, 1, MOST_SAMPLES
            )
            if not wanted:
                return
            options = replace(options, count=count)
        out = self._ask_file(kind, folder, whose) if kind.endings else self._ask_folder(kind, folder, whose)
        if out is not None:
            self._run(kind, folder, out, options)

    def _whose(self, kind: ExportFormat, folder: Path) -> str:
        """The run, and the step of what of it is saved, whichever step is looked at."""
        entry = summary_of(folder)
        with suppress(UserError):  # which is told where it is written
            step = RunIdentity.read(folder).weights_step
            if kind.by_weights and step is not None:
                return f"“{entry.name}” by its {'averaged' if self.averaged else 'raw'} weights of step {whole(step)}"
        return f"“{entry.name}”"

    def _ask_file(self, kind: ExportFormat, folder: Path, whose: str) -> Path | None:
        ending = next(iter(kind.endings))
        filters = ";;".join(f"{name} (*{each})" for each, name in kind.endings.items())
        chosen, _ = QFileDialog.getSaveFileName(
            self._window, f"Save {whose} as", str(_documents() / f"{folder.name}{ending}"), filters
        )
        path = Path(chosen)
        return (path if path.suffix else path.with_suffix(ending)) if chosen else None

    def _ask_folder(self, kind: ExportFormat, folder: Path, whose: str) -> Path | None:
        """A new folder, in the one that is chosen."""
        chosen = QFileDialog.getExistingDirectory(self._window, f"Save {whose} as a new folder in", str(_documents()))
        return Path(chosen) / f"{folder.name}-{kind.name}" if chosen else None

    def _run(self, kind: ExportFormat, folder: Path, out: Path, options: ExportOptions) -> None:
        def work(progress: Progress) -> str:
            return (
                write_apart(kind, folder, out, options, progress)
                if kind.apart
                else kind.write(folder, out, options, progress)
            )

        self._tasks.run(work, done=lambda said: self.said.emit(f"{said} in {out}"), failed=self.failed.emit)

    def ask_import(self, root: Path) -> None:
        chosen, _ = QFileDialog.getOpenFileName(self._window, "Import a run", str(_documents()), "Zip archive (*.zip)")
        if not chosen:
            return

        def work(progress: Progress) -> Path:
            from studio.library.export.archive import unpack

            return unpack(Path(chosen), root, progress)

        self._tasks.run(work, done=self._on_imported, failed=self.failed.emit)

    def _on_imported(self, folder: Path) -> None:
        self.said.emit(f"Imported {folder.name}")
        self.imported.emit()


def _documents() -> Path:
    return Path(QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation))
