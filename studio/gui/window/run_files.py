"""Going on with runs that lie in folders: the file menu's entry, and what it says when that cannot be done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Slot
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from studio.errors import UserError
from studio.gui.run.run_control import RunControl
from studio.gui.run.run_starter import RunStarter
from studio.gui.run.stop_question import when_free
from studio.gui.state.setup import Setup
from studio.gui.timeline.subject_control import SubjectControl
from studio.gui.widgets.messages import error_box


class RunFiles(QObject):
    """Resumes runs for the window, and tells what went wrong."""

    def __init__(
        self, setup: Setup, subjects: SubjectControl, runs: RunControl, starter: RunStarter, window: QWidget
    ) -> None:
        super().__init__(window)
        self._setup, self._subjects, self._runs, self._starter = setup, subjects, runs, starter
        self._window = window

    def fill(self, menu: QMenu) -> None:
        action = menu.addAction("&Resume a run…", self.ask_resume)
        action.setObjectName("resume_run")
        action.setShortcut(QKeySequence("Ctrl+Shift+O"))
        action.setToolTip("Choose a run's folder and resume it from its last checkpoint, with its set-up and data set.")

    @Slot()
    def ask_resume(self) -> None:
        root = self._setup.runs_root
        name = QFileDialog.getExistingDirectory(self._window, "Resume the run in", str(root if root.is_dir() else ""))
        if name:
            self.resume(Path(name))

    @Slot()
    def resume_subject(self) -> None:
        """Resume the run that the window is about."""
        folder = self._subjects.subject.resumable
        if folder is not None:
            self.resume(folder)

    @Slot(object)
    def resume(self, run: Path) -> None:
        """Resume the run in a folder, from its newest checkpoint."""
        if self._try(lambda: self._starter.ensure_resumable(run)):
            self._when_free("resume the other", lambda: self._starter.resume(run))

    @Slot(object)
    def set_up_like(self, run: Path) -> None:
        """Take the configuration of the run in a folder over into the set-up."""
        self._when_free("set up another", lambda: self._starter.set_up_like(run))

    def _when_free(self, then: str, act: Callable[[], None]) -> None:
        when_free(self._runs, self._starter, then, lambda: self._try(act), self._window)

    def _try(self, act: Callable[[], None]) -> bool:
        try:
            act()
        except UserError as error:
            error_box(error, self._window).exec()
            self._subjects.withdraw_gone()
            return False
        return True
