"""Exports of a run from the table: asks where to, does it beside the window, and says how it went."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QStandardPaths, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from studio.errors import UserError
from studio.gui.task_runner import TaskRunner
from studio.progress import Progress


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportKind:
    """One form that a run can be saved in.

    Attributes:
        title, tip: of its entry in the menu.
        ending: of the file that is proposed.
        filter: of the file dialog.
        write: (run's folder, file, progress); imports what it needs on first use.
    """

    name: str
    title: str
    tip: str
    ending: str
    filter: str
    write: Callable[[Path, Path, Progress], object]


def _timelapse(folder: Path, out: Path, progress: Progress) -> None:
    from studio.library.export.pictures import write_timelapse

    write_timelapse(folder, out, progress)


def _report(folder: Path, out: Path, progress: Progress) -> None:
    from studio.library.export.report import write_report

    write_report(folder, out, progress)


def _csv(folder: Path, out: Path, progress: Progress) -> None:
    from studio.library.export.tables import write_csv

    write_csv(folder, out, progress)


def _zip(folder: Path, out: Path, progress: Progress) -> None:
    from studio.library.export.archive import pack

    pack(folder, out, progress)


EXPORTS = (
    ExportKind(
        name="timelapse",
        title="Save a time-&lapse…",
        tip="All its sample grids, one after another, with step and ΔH drawn in.",
        ending=".gif",
        filter="GIF (*.gif);;WebP (*.webp)",
        write=_timelapse,
    ),
    ExportKind(
        name="report",
        title="Save a re&port…",
        tip="One page to read: numbers, shares, samples, curves and configuration. It loads nothing from elsewhere.",
        ending=".html",
        filter="Web page (*.html)",
        write=_report,
    ),
    ExportKind(
        name="csv",
        title="Save its &metrics…",
        tip="A row per logged step, for a spreadsheet.",
        ending=".csv",
        filter="CSV table (*.csv)",
        write=_csv,
    ),
    ExportKind(
        name="zip",
        title="Save it as one &zip…",
        tip="The whole run in one file, which “Import…” takes in on another machine.",
        ending=".zip",
        filter="Zip archive (*.zip)",
        write=_zip,
    ),
)


class RunExports(QObject):
    """Does them, and takes zips in.

    Args:
        tasks: does the work beside the window.
        window: where dialogs belong.
    """

    said = Signal(str)  # how it went well
    failed = Signal(object)  # UserError
    imported = Signal()

    def __init__(self, tasks: TaskRunner, window: QWidget) -> None:
        super().__init__(window)
        self._tasks, self._window = tasks, window

    def ask(self, kind: ExportKind, folder: Path) -> None:
        """Ask where to, and save."""
        place = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
        start = str(Path(place) / f"{folder.name}{kind.ending}")
        chosen, _ = QFileDialog.getSaveFileName(self._window, "Save as", start, kind.filter)
        if chosen:
            path = Path(chosen)
            self._run(kind, folder, path if path.suffix else path.with_suffix(kind.ending))

    def _run(self, kind: ExportKind, folder: Path, out: Path) -> None:
        self._tasks.run(
            lambda progress: kind.write(folder, out, progress),
            done=lambda _: self.said.emit(f"Saved {out}"),
            failed=self._on_failed,
        )

    def ask_import(self, root: Path) -> None:
        """Ask for a zip, and take its run into the workspace."""
        chosen, _ = QFileDialog.getOpenFileName(self._window, "Import a run", "", "Zip archive (*.zip)")
        if not chosen:
            return

        def work(progress: Progress) -> Path:
            from studio.library.export.archive import unpack

            return unpack(Path(chosen), root, progress)

        self._tasks.run(work, done=self._on_imported, failed=self._on_failed)

    def _on_imported(self, folder: Path) -> None:
        self.said.emit(f"Imported {folder.name}")
        self.imported.emit()

    def _on_failed(self, error: UserError) -> None:
        self.failed.emit(error)
