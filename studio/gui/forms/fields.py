"""Editors of one setting each: choices, switches, texts, paths; numbers have a module of their own.

The wheel turns only the editor that has the focus, so that scrolling a panel changes nothing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QWheelEvent
from PySide6.QtWidgets import QCheckBox, QFileDialog, QLineEdit, QSizePolicy, QWidget

from studio.gui.widgets.buttons import push_button
from studio.gui.widgets.choice_box import ChoiceBox
from studio.gui.widgets.layouts import row_of
from studio.gui.widgets.tooltip import set_help, tooltip
from studio.paths import typed_path
from studio.training.examples.judges import known_judges

NARROWEST = 8
"""Characters that an editor shows at least."""


class Field:
    """What a form asks of an editor. A mix-in: each is also a QWidget with the signals below."""

    edited: Any  # Signal(): the person changed it
    finished: Any  # Signal(): the person is done with it

    def raw(self) -> Any:
        """What stands there, for pydantic to judge; the text itself where it is no number."""
        raise NotImplementedError

    def fault(self) -> str:
        """What keeps the editor from reading what stands there; empty if nothing does."""
        return ""

    def show_value(self, value: Any) -> None:
        """Show a value; an editor that shows it already keeps its text and cursor."""
        raise NotImplementedError


class ChoiceField(ChoiceBox, Field):
    """One of a few values, each with a readable title."""

    edited = Signal()
    finished = Signal()

    def __init__(self, choices: list[tuple[Any, str]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setSizeAdjustPolicy(ChoiceBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(NARROWEST)
        for value, title in choices:
            self.addItem(title, value)
        self.activated.connect(self._chosen)

    def raw(self) -> Any:
        return self.currentData()

    def show_value(self, value: Any) -> None:
        for place in range(self.count()):
            if self.itemData(place) == value:
                self.setCurrentIndex(place)
                return

    @Slot()
    def _chosen(self) -> None:
        self.edited.emit()
        self.finished.emit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class SwitchField(QCheckBox, Field):
    """On or off."""

    edited = Signal()
    finished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.clicked.connect(self._switched)

    def raw(self) -> bool:
        return self.isChecked()

    def show_value(self, value: Any) -> None:
        self.setChecked(bool(value))

    @Slot()
    def _switched(self) -> None:
        self.edited.emit()
        self.finished.emit()


class TextField(QLineEdit, Field):
    """A line of text."""

    edited = Signal()
    finished = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.textEdited.connect(self.edited)
        self.editingFinished.connect(self.finished)

    def raw(self) -> str:
        return self.text()

    def show_value(self, value: Any) -> None:
        if self.text() != value:
            self.setText(str(value))


class PathField(QWidget, Field):
    """A file or folder, typed or browsed for; a path is given on only when it is complete."""

    edited = Signal()
    finished = Signal()

    def __init__(self, *, folder: bool, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folder, self._title = folder, title
        self.line = TextField()
        self.line.setObjectName("path")
        set_help(self.line, title, f"{'Folder' if folder else 'File'}: typed, or browsed for.")
        tip = f"Choose the {'folder' if folder else 'file'} in a dialog."
        self.browse = push_button("browse", "Browse…", tip, title=f"Browse for {title}")
        row_of((self.line, 1), self.browse, inside=self)
        self.setFocusProxy(self.line)
        self.line.finished.connect(self._done)
        self.browse.clicked.connect(self._browse)
        self._given = ""

    def raw(self) -> str:
        return typed_path(self.line.text())

    def show_value(self, value: Any) -> None:
        self._given = str(value)
        self.line.show_value(self._given)

    @Slot()
    def _done(self) -> None:
        if self.line.text() != self._given:
            self.show_value(self.raw())
            self.edited.emit()
        self.finished.emit()

    @Slot()
    def _browse(self) -> None:
        start = self.line.text() or str(Path.home())
        if self._folder:
            chosen = QFileDialog.getExistingDirectory(self, self._title, start)
        else:
            chosen, _ = QFileDialog.getOpenFileName(self, self._title, start)
        if chosen:
            self.line.setText(chosen)
            self._done()


_OWN = "These data"
_BROWSE = "\0browse"
_FOLDER = "folder:"


class JudgeField(ChoiceField):
    """Names of judges; the last entry asks for a folder of images with a sub-folder per class."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__([("", _OWN), *known_judges(), (_BROWSE, "A folder…")], parent)
        self._given = ""

    def raw(self) -> str:
        found = self.currentData()
        return self._given if found == _BROWSE else str(found)

    def show_value(self, value: Any) -> None:
        self._given = str(value)
        if self.findData(self._given) < 0:
            place = self.count() - 1
            path = self._given.removeprefix(_FOLDER)
            self.insertItem(place, f"Folder {Path(path).name}" if path != self._given else self._given, self._given)
            self.setItemData(place, tooltip(path), Qt.ItemDataRole.ToolTipRole)
        super().show_value(self._given)

    @Slot()
    def _chosen(self) -> None:
        if self.currentData() == _BROWSE:
            path = QFileDialog.getExistingDirectory(
                self, "Folder with a sub-folder of images for each class", str(Path.home())
            )
            self.show_value(_FOLDER + path if path else self._given)
        super()._chosen()
