"""The line of a formula: it shows an example while it is empty, and completes the name that is being typed."""

from __future__ import annotations

import re

from PySide6.QtCore import QPoint, Qt, Slot
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QCompleter, QListView

from studio.gui.forms.fields import TextField
from studio.gui.widgets.tooltip import KeyHelp
from studio.perturb.features import Feature
from studio.perturb.formula import FUNCTIONS, LABEL, LOG_ODDS

_WORD = re.compile(r"(?<![\w.])[A-Za-z_]\w*$")
_FOR_THE_LIST = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape)


class FormulaField(TextField):
    """A line of text.

    Attributes:
        popup: the names that go on like what was typed.
    """

    KEYS = KeyHelp("In a formula", (("Choose a name", "Up, Down"), ("Take it", "Enter"), ("Take none", "Esc")))

    def __init__(self, features: tuple[Feature, ...]) -> None:
        super().__init__()
        example = f"where({features[0].name} > 0, 1, 0)" if features else f"where({LABEL} == 2, −1, 0)"
        self.setPlaceholderText(f"such as {example}")
        names = [LABEL, "pi", *(feature.name for feature in features), *(f"{name}(" for name in (*FUNCTIONS, LOG_ODDS))]
        self._names = QCompleter(sorted(names), self)
        self._names.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.popup = QListView()
        self._names.setPopup(self.popup)
        self._names.setWidget(self)  # not the line's own, which would complete the whole text
        self._names.activated.connect(self._take)
        self.textEdited.connect(self._offer)

    def _word(self) -> str:
        """What of a name stands before the cursor."""
        found = _WORD.search(self.text()[: self.cursorPosition()])
        return found.group() if found else ""

    @Slot()
    def _offer(self) -> None:
        word, names = self._word(), self._names
        names.setCompletionPrefix(word)
        if word and names.completionCount() and names.currentCompletion() != word:
            area = self.cursorRect()
            area.setWidth(self.popup.sizeHintForColumn(0) + self.popup.verticalScrollBar().sizeHint().width())
            names.complete(area)
            above = self.mapToGlobal(QPoint(0, 0)).y() - self.popup.height()
            if above >= self.screen().availableGeometry().top():
                self.popup.move(self.popup.x(), above)  # below the line stands what is wrong with it
        else:
            self.popup.hide()

    @Slot(str)
    def _take(self, name: str) -> None:
        word = self._word()
        self.setSelection(self.cursorPosition() - len(word), len(word))
        self.insert(name)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter takes the name that is chosen in the list, and Escape closes it."""
        chosen = self.popup.currentIndex().isValid() or event.key() == Qt.Key.Key_Escape
        if self.popup.isVisible() and chosen and event.key() in _FOR_THE_LIST:
            event.ignore()
        else:
            super().keyPressEvent(event)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        if event.reason() is not Qt.FocusReason.PopupFocusReason:
            self.popup.hide()
        super().focusOutEvent(event)
