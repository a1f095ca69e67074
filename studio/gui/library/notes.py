"""Notes of the run that is selected, under the table; kept when the person goes on to something else."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QPlainTextEdit

from studio.gui.widgets.tooltip import set_help
from studio.library.run_summary import RunSummary


class RunNotesEdit(QPlainTextEdit):
    """Free text; written when the keyboard leaves it."""

    edited = Signal(str, str)  # folder, text

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("runs_notes")
        self.setTabChangesFocus(True)
        self.setMaximumHeight(4 * self.fontMetrics().lineSpacing())
        set_help(self, "Notes", "Your notes on the selected run; saved in its folder when you leave the field.")
        self._run: RunSummary | None = None
        self.show_run(None)

    def show_run(self, run: RunSummary | None) -> None:
        """Show another run's notes; what was typed for the last one is kept first."""
        if run is not None and self._run is not None and run.folder == self._run.folder and self.hasFocus():
            return  # it is being written to
        self.keep()
        self._run = run
        self.setPlainText(run.notes if run is not None else "")
        self.setEnabled(run is not None and not run.fault)
        self.setPlaceholderText("Notes on this run" if run is not None else "Select a run to write notes to it")

    def keep(self) -> None:
        text = self.toPlainText().strip()
        run = self._run
        if run is not None and not run.fault and text != run.notes:
            self._run = None  # or it would be kept twice
            self.edited.emit(run.folder, text)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.keep()
