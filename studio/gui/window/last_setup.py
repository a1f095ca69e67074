"""What was set up last, kept for the next start: the configuration, and the run that was trained with it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pydantic import ValidationError
from PySide6.QtCore import QObject, QTimer, Slot

from studio.errors import UserError
from studio.files import read_bytes, whole_file
from studio.gui.state.subject import Offer
from studio.gui.window.controls import Controls
from studio.library.notes import read_notes
from studio.settings import Settings
from studio.training.config.run_config import RunConfig
from studio.training.storage.run_identity import RunIdentity

_SETTLE_MS = 2000
"""Edits come fast; the last of them is written."""


class LastSetup(Settings):
    """As the file has it.

    Attributes:
        run: folder of the run that was trained last with it; empty if there is none.
    """

    config: RunConfig
    run: str = ""
    title: str = ""
    step: int = 0

    @property
    def offer(self) -> Offer | None:
        """That run, as it is by now, if it is still there: it may have gone on, or been given a name, elsewhere."""
        found = Offer(title=self.title, folder=Path(self.run), step=self.step)
        if not self.run or not found.is_there:
            return None
        with suppress(UserError):  # what is damaged says so where it is resumed
            found = replace(found, title=read_notes(found.folder).name or self.title)
            found = replace(found, step=RunIdentity.read(found.folder).weights_step or self.step)
        return found


def read_last_setup(path: Path) -> LastSetup | None:
    """What a file holds; None if there is none, or it cannot be used any more."""
    try:
        return LastSetup.model_validate_json(read_bytes(path))
    except (OSError, ValidationError, UserError):
        return None


class SetupKeeper(QObject):
    """Writes what is set up into a file, soon after each change and at the end.

    Args:
        last: what was kept before; its run stays until there is another, or the set-up is.
    """

    def __init__(self, path: Path, controls: Controls, last: LastSetup | None) -> None:
        super().__init__(controls)
        self._path, self._runs, self._lessons = path, controls.runs, controls.lessons
        self._subjects = controls.subjects
        self._of_run = last.model_dump(exclude={"config"}) if last is not None else {}
        self._settle = QTimer(self, interval=_SETTLE_MS, singleShot=True)
        self._settle.timeout.connect(self.write)
        controls.setup.config_changed.connect(lambda _: self._settle.start())
        self._runs.run_changed.connect(self._on_run)
        self._saved = (Path(), -1)

    @Slot(object)
    def _on_run(self) -> None:
        run = self._runs.run
        if run.folder is not None and (run.folder, run.saved_step) != self._saved:
            self._saved = (run.folder, run.saved_step)
            self._settle.start()

    @Slot()
    def write(self) -> None:
        """Write it now; a place that cannot be written costs no more than the comfort."""
        run = self._runs.run
        if run.folder is not None and run.saved_step > 0:
            self._of_run = {"run": str(run.folder), "title": self._runs.title, "step": run.saved_step}
        own = self._lessons.own
        of_run = self._of_run if self._subjects.is_as_run(own) else {}
        try:
            with whole_file(self._path) as file:
                file.write(LastSetup(config=own, **of_run).model_dump_json().encode())
        except UserError:
            pass
