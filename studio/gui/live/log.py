"""What happened, line by line: selectable, coloured by level, with details that unfold and a filter by level.

What a block of text is stands in its user state, a number: its level, whether it is detail, and whether it is unfolded.
"""

from __future__ import annotations

import time

from PySide6.QtCore import QEvent, Qt, Slot
from PySide6.QtGui import (
    QColor,
    QFontDatabase,
    QGuiApplication,
    QHelpEvent,
    QKeyEvent,
    QMouseEvent,
    QSyntaxHighlighter,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextDocument,
)
from PySide6.QtWidgets import QPlainTextEdit, QToolTip, QWidget

from studio.gui.state.log import Level, Log, LogLine
from studio.gui.widgets.buttons import icon_button
from studio.gui.widgets.choice_box import ChoiceBox
from studio.gui.widgets.flow_layout import flow_bar
from studio.gui.widgets.layouts import fill
from studio.gui.widgets.live_panel import LivePanel
from studio.gui.widgets.theme import ThemeManager, Tokens
from studio.gui.widgets.tooltip import KeyHelp, named

MOST_LINES = 5_000
_LEAST_HEIGHT = 40
"""Pixels of the lines, which scroll by themselves: the panel around them need not."""
_LEVELS = (Level.INFO, Level.WARNING, Level.ERROR)
_GLYPHS = {Level.INFO: "·", Level.WARNING: "⚠", Level.ERROR: "✖"}
_LEVEL, _DETAIL, _FOLDABLE, _OPEN = 0b11, 0b100, 0b1000, 0b10000
_SHUT_SIGN, _OPEN_SIGN, _NO_SIGN = "▸", "▾", " "
_EMPTY = "What the studio does, with warnings and errors and their details.\nLines come with whatever happens next."
_FILTERS = (("Everything", Level.INFO), ("Warnings and errors", Level.WARNING), ("Errors", Level.ERROR))


class LogView(QPlainTextEdit):
    """The lines."""

    KEYS = KeyHelp("In the log", (("Unfold a line", "Enter or Space"),))

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self.least = Level.INFO
        self.setAccessibleName("Log")
        self.setAccessibleDescription("What happened, newest last: edits, saves, warnings, errors, each with its time.")
        self.setReadOnly(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setMaximumBlockCount(MOST_LINES)
        self.setUndoRedoEnabled(False)
        self.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._end = 0
        self.verticalScrollBar().rangeChanged.connect(self._follow)
        self._colours = _Colours(self.document(), tokens)
        self.restyle(tokens)

    def restyle(self, tokens: Tokens) -> None:
        font = self.font()
        font.setPointSizeF(tokens.font_small)
        self.setFont(font)
        self._colours.tokens = tokens
        self._colours.rehighlight()

    @Slot(int, int)
    def _follow(self, _: int, end: int) -> None:
        """Stay at the end, for whatever reason it is elsewhere now, unless the person scrolled up."""
        at_end, self._end = self.verticalScrollBar().value() >= min(self._end, end) - 1, end
        if at_end:
            self.verticalScrollBar().setValue(end)

    def add(self, line: LogLine) -> None:
        level = _LEVELS.index(line.level)
        details = line.detail.rstrip().splitlines()
        clock = time.strftime("%H:%M:%S", time.localtime(line.when))
        first, *more = line.text.splitlines() or [""]
        sign = _SHUT_SIGN if details else _NO_SIGN
        self._append(f"{sign} {clock} {_GLYPHS[line.level]} {first}", level | (_FOLDABLE if details else 0))
        for text in more:
            self._append(f"             {text}", level)
        for text in details:
            self._append(f"      {text}", level | _DETAIL)

    def _append(self, text: str, state: int) -> None:
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        if not self.document().isEmpty():
            cursor.insertBlock()
        cursor.block().setUserState(state)
        cursor.insertText(text)
        block = cursor.block()
        block.setUserState(state)
        _show(block, self._passes(state) and not state & _DETAIL)
        self._relayout(block.position(), block.length())

    def set_least(self, level: Level) -> None:
        """Show lines of this level and above only."""
        self.least = level
        unfolded = False
        block = self.document().begin()
        while block.isValid():
            state = block.userState()
            if not state & _DETAIL:
                unfolded = bool(state & _OPEN)
            _show(block, self._passes(state) and (unfolded or not state & _DETAIL))
            block = block.next()
        self._relayout(0, self.document().characterCount())

    def _passes(self, state: int) -> bool:
        return (state & _LEVEL) >= _LEVELS.index(self.least)

    def toggle(self, block: QTextBlock) -> bool:
        """Unfold or fold the details of a line; whether it has any."""
        state = block.userState()
        if state < 0 or not state & _FOLDABLE:
            return False
        opened = not state & _OPEN
        cursor = QTextCursor(block)
        cursor.movePosition(QTextCursor.MoveOperation.NextCharacter, QTextCursor.MoveMode.KeepAnchor)
        cursor.insertText(_OPEN_SIGN if opened else _SHUT_SIGN)
        block.setUserState(state ^ _OPEN)
        start, below = block.position(), block.next()
        while below.isValid() and below.userState() & _DETAIL:
            _show(below, opened)
            below = below.next()
        end = below.position() if below.isValid() else self.document().characterCount()
        self._relayout(start, end - start)
        return True

    def _relayout(self, start: int, length: int) -> None:
        self.document().markContentsDirty(start, length)
        layout = self.document().documentLayout()
        layout.documentSizeChanged.emit(layout.documentSize())
        self.viewport().update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        """A click on a line with details unfolds them; dragging selects."""
        super().mouseReleaseEvent(event)
        if event.button() == Qt.MouseButton.LeftButton and not self.textCursor().hasSelection():
            self.toggle(self.cursorForPosition(event.position().toPoint()).block())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space)
        if not (enter and self.toggle(self.textCursor().block())):
            super().keyPressEvent(event)

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() != QEvent.Type.ToolTip or not isinstance(event, QHelpEvent):
            return super().viewportEvent(event)
        foldable = self.cursorForPosition(event.pos()).block().userState() & _FOLDABLE
        QToolTip.showText(event.globalPos(), "Click, or press Enter, for details." if foldable else "", self)
        return True


class _Colours(QSyntaxHighlighter):
    """Colours each line by its level."""

    def __init__(self, document: QTextDocument, tokens: Tokens) -> None:
        super().__init__(document)
        self.tokens = tokens

    def highlightBlock(self, text: str) -> None:
        state = max(0, self.currentBlock().userState())
        level = _LEVELS[min(state & _LEVEL, 2)]
        colour = {Level.INFO: self.tokens.text, Level.WARNING: self.tokens.warning, Level.ERROR: self.tokens.error}
        body, clock = QTextCharFormat(), QTextCharFormat()
        body.setForeground(QColor(self.tokens.muted if state & _DETAIL else colour[level]))
        clock.setForeground(QColor(self.tokens.muted))
        self.setFormat(0, len(text), body)
        if not state & _DETAIL:
            self.setFormat(2, 8, clock)


def _show(block: QTextBlock, visible: bool) -> None:
    block.setVisible(visible)
    block.setLineCount(max(1, block.layout().lineCount()) if visible else 0)


class LogPanel(LivePanel):
    """The log; it is kept when another run begins."""

    NAME, TITLE = "log", "Log"

    def __init__(self, log: Log, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(theme, parent)
        self.view = LogView(theme.tokens)
        self.view.setMinimumHeight(_LEAST_HEIGHT)
        fill(self.body, self._controls(), (self.view, 1))
        self.show_empty(_EMPTY)
        log.line_logged.connect(self.add_line)

    def _controls(self) -> QWidget:
        tip = "Least severity of the lines that are shown."
        self.filter = named(ChoiceBox(), "log_filter", "Lines shown", tip)
        for title, level in _FILTERS:
            self.filter.addItem(title, level)
        self.filter.currentIndexChanged.connect(self._on_filter)
        tip = "Copy the selected text, or else the whole log."
        copy = icon_button(self.theme, "copy", "log_copy", "Copy log", tip, self.copy)
        tip = "Remove all lines from this panel."
        clear = icon_button(self.theme, "clear", "log_clear", "Clear log", tip, self.clear)
        return flow_bar(self.filter, copy, clear, spacing=2)

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
