"""What is asked before something else takes the place of a run that trains."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QPushButton, QWidget

from studio.gui.run.run_control import RunControl
from studio.gui.run.run_starter import RunStarter

_STAYS = "It is saved, stays among the runs, and can be gone on with."


def stop_question(runs: RunControl, then: str, parent: QWidget, stays: str = _STAYS) -> tuple[QMessageBox, QPushButton]:
    """The question, and the button that agrees.

    Args:
        then: what follows, such as "open it".
        stays: what becomes of the run.
    """
    title = f"Stop, save and {then}?"
    box = QMessageBox(QMessageBox.Icon.Question, title, title, parent=parent)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setInformativeText(f"“{runs.title}” trains, at step {runs.run.step:,}. {stays}")
    agree = box.addButton(title.removesuffix("?"), QMessageBox.ButtonRole.AcceptRole)
    box.setDefaultButton(agree)
    box.setEscapeButton(box.addButton("Keep training", QMessageBox.ButtonRole.RejectRole))
    return box, agree


def when_free(runs: RunControl, starter: RunStarter, then: str, act: Callable[[], object], parent: QWidget) -> None:
    """Do something once nothing trains: a run that does is stopped if the person wants that."""
    if runs.busy:
        box, agree = stop_question(runs, then, parent)
        box.exec()
        if box.clickedButton() is not agree:
            return
    starter.stop_before(act)
