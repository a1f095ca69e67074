"""What is asked before a window closes on a run that trains."""

from __future__ import annotations

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QApplication, QCheckBox, QWidget

from studio.gui.run.run_control import RunControl
from studio.gui.run.stop_question import stop_question

_KEY = "quit_without_asking"


def may_quit(runs: RunControl, settings: QSettings, window: QWidget) -> bool:
    """Whether the run may be stopped, saved and left; a person may wish not to be asked again."""
    application = QApplication.instance()
    ending = isinstance(application, QApplication) and application.isSavingSession()  # nobody is there to answer
    if not runs.run.phase.active or ending or settings.value(_KEY) in (True, "true"):
        return True
    box, quit_it = stop_question(runs, "quit", window, "It is saved, and can be gone on with at the next start.")
    again = QCheckBox("Don't ask again")
    again.setObjectName("quit_without_asking")
    box.setCheckBox(again)
    box.exec()
    agreed = box.clickedButton() is quit_it
    if agreed and again.isChecked():
        settings.setValue(_KEY, True)
    return agreed
