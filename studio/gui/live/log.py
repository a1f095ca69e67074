"""What happened, line by line, with the details of errors."""

from __future__ import annotations

from PySide6.QtCore import Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QWidget

from studio.gui.live.log_view import LogView
from studio.gui.state.log import Log
from studio.gui.state.log_line import Level, LogLine
from studio.gui.widgets.buttons import icon_button
from studio.gui.widgets.choice_box import ChoiceBox
from studio.gui.widgets.flow_layout import FlowLayout
from studio.gui.widgets.panel import LivePanel
from studio.gui.widgets.theme import ThemeManager, Tokens
from studio.gui.widgets.tooltip import set_help

_EMPTY = "What the studio does, with warnings and errors and their details.\nPress Start to train."
_FILTERS = (("Everything", Level.INFO), ("Warnings and errors", Level.WARNING), ("Errors", Level.ERROR))


class LogPanel(LivePanel):
    """The log; it is kept when another run begins."""

    NAME = "log"
    TITLE = "Log"

    def __init__(self, log: Log, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.view = LogView(theme.tokens)
        self.body.addWidget(self._controls())
        self.body.addWidget(self.view, 1)
        self.show_empty(_EMPTY)
        log.line_logged.connect(self.add_line)

    def _controls(self) -> QWidget:
        bar = QWidget()
        row = FlowLayout(bar, spacing=2)
        self.filter = ChoiceBox()
        self.filter.setObjectName("log_filter")
        for title, level in _FILTERS:
            self.filter.addItem(title, level)
        set_help(self.filter, "Lines shown", "Which lines to show, by how much they matter.")
        self.filter.currentIndexChanged.connect(self._on_filter)
        copy = icon_button(self.theme, "copy", "log_copy", "Copy log", "Copy the selected text, or else the whole log.")
        copy.clicked.connect(self.copy)
        clear = icon_button(self.theme, "clear", "log_clear", "Clear log", "Remove all lines from this panel.")
        clear.clicked.connect(self.clear)
        for widget in (self.filter, copy, clear):
            row.addWidget(widget)
        return bar

    @Slot(object)
    def add_line(self, line: LogLine) -> None:
        """Append a line, seen or not; text is cheap."""
        self.show_body()
        self.view.add(line)

    @Slot()
    def copy(self) -> None:
        """Put the selection, or all of the log with its details, on the clipboard."""
        cursor = self.view.textCursor()
        selected = cursor.selectedText().replace("\u2029", "\n")
        QGuiApplication.clipboard().setText(selected or self.view.toPlainText())

    @Slot()
    def clear(self) -> None:
        self.view.clear()
        self.show_empty(_EMPTY)

    @Slot(int)
    def _on_filter(self, index: int) -> None:
        self.view.set_least(_FILTERS[index][1])

    def restyle(self, tokens: Tokens) -> None:
        self.view.restyle(tokens)
