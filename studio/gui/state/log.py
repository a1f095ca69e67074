"""The log: whoever has something to tell puts a line into it, and whoever shows lines listens to it alone."""

from __future__ import annotations

from PySide6.QtCore import QObject, Signal, Slot

from studio.errors import UserError
from studio.gui.state.log_line import Level, LogLine


class Log(QObject):
    """Takes lines and passes them on; keeps none."""

    line_logged = Signal(object)  # LogLine

    def add(self, text: str, level: Level = Level.INFO) -> None:
        self.add_line(LogLine(text=text, level=level))

    def add_error(self, error: UserError, level: Level = Level.ERROR) -> None:
        self.add_line(LogLine.of_error(error, level))

    @Slot(object)
    def add_line(self, line: LogLine) -> None:
        """Put in a line with all that it has, such as a traceback."""
        self.line_logged.emit(line)
