"""What paused or ended a run, in front of everything: it waits for the person to act, and offers what helps."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, Slot
from PySide6.QtWidgets import QMessageBox, QWidget

from studio.gui.run.run_actions import RunActions
from studio.gui.run.run_control import RunControl
from studio.gui.widgets.messages import error_box
from studio.gui.widgets.tooltip import tooltip
from studio.training.messages.commands import Resume, SetBatchSize
from studio.training.messages.events import Finished, Warned

_ACCEPT, _DESTROY = QMessageBox.ButtonRole.AcceptRole, QMessageBox.ButtonRole.DestructiveRole


class RunErrorDialogs(QObject):
    """One box at a time for the run of a window.

    Attributes:
        silent: the window is closing, and nobody is there to read.
    """

    def __init__(self, runs: RunControl, actions: RunActions, window: QWidget) -> None:
        super().__init__(window)
        self.silent = False
        self._runs, self._actions, self._window = runs, actions, window
        self._box: QMessageBox | None = None
        runs.troubled.connect(self._tell)

    @Slot(object)
    def _tell(self, event: Warned | Finished) -> None:
        """Show a box, with what helps, unless the same one is shown already."""
        error = event.error
        assert error is not None
        if self.silent or (self._box is not None and self._box.text() == error.title):
            return
        self._box = box = error_box(error, self._window)
        box.finished.connect(self._forget)
        box.open()
        match event:
            case Warned(smaller=float() as average_size):
                self._offer_smaller(box, average_size)
            case Warned(back_to=int() as step):
                tip = "Restore weights and optimisers as they were when training last looked well."
                _offer(box, "go_back", f"Go &back to step {step:,}", tip, self._actions["restore"].trigger)
            case Warned(unsaved=True):
                self._offer_elsewhere(box, stopping=event.stopping)

    def _offer_smaller(self, box: QMessageBox, average_size: float) -> None:
        """Offer a smaller batch."""
        box.setInformativeText(f"{box.informativeText()}\n\n{self._waits()}")
        tip = "Halve the batch, which takes about half the memory of a step, and resume from there."
        title = f"Resume with B_avg = {average_size:g}"
        _offer(box, "halve_batch", title, tip, lambda: self._resume_with(average_size))

    def _resume_with(self, average_size: float) -> None:
        self._runs.send(SetBatchSize(average_size=average_size))
        self._runs.send(Resume())

    def _offer_elsewhere(self, box: QMessageBox, *, stopping: bool) -> None:
        """Say that the run could not be saved and waits; offer another place, and to give up on what was to end."""
        box.setInformativeText(f"{box.informativeText()}\n\n{self._waits()} Nothing is lost yet.")
        tip = "Move the run into another folder and go on there."
        _offer(box, "save_elsewhere", "Save &elsewhere…", tip, self._actions["elsewhere"].trigger)
        if stopping:
            tip = "End the run; what is not on disk yet is lost."
            _offer(box, "end_unsaved", "End &without saving", tip, lambda: self._runs.stop(insist=True), _DESTROY)

    def _waits(self) -> str:
        return f"The run waits at step {self._runs.run.step:,}."

    @Slot()
    def _forget(self) -> None:
        self._box = None


def _offer(
    box: QMessageBox, name: str, title: str, tip: str, do: Callable[[], None], role: QMessageBox.ButtonRole = _ACCEPT
) -> None:
    """A button that does something about it."""
    button = box.addButton(title, role)
    button.setObjectName(name)
    button.setToolTip(tooltip(tip))
    button.clicked.connect(do)
