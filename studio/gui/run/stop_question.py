"""What is asked before a run that trains is stopped: for something else in its place, or to close the window."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSettings, Qt
from PySide6.QtWidgets import QApplication, QCheckBox, QMessageBox, QPushButton, QWidget

from studio.gui.run.run_control import RunControl
from studio.gui.run.run_starter import RunStarter

_STAYS = "It is saved, stays among the runs, and can be resumed."


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


_KEY = "quit_without_asking"


def may_quit(runs: RunControl, settings: QSettings, window: QWidget) -> bool:
    """Whether the run may be stopped, saved and left; a person may wish not to be asked again."""
    application = QApplication.instance()
    ending = isinstance(application, QApplication) and application.isSavingSession()  # nobody is there to answer
    if not runs.run.phase.active or ending or settings.value(_KEY) in (True, "true"):
        return True
    box, quit_it = stop_question(runs, "quit", window, "It is saved, and can be resumed at the next start.")
    again = QCheckBox("Don't ask again")
    again.setObjectName("quit_without_asking")
    box.setCheckBox(again)
    box.exec()
    agreed = box.clickedButton() is quit_it
    if agreed and again.isChecked():
        settings.setValue(_KEY, True)
    return agreed
