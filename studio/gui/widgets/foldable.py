"""A section that folds away under its title, and which sections are open."""

from __future__ import annotations

from collections.abc import Collection

from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QSizePolicy, QToolButton, QWidget

from studio.gui.widgets.layouts import column_of


class Folds(QObject):
    """Which sections are open, by name; those of one name open and close together."""

    changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.open: frozenset[str] = frozenset()

    def show(self, names: Collection[str]) -> None:
        self.open = frozenset(names)
        self.changed.emit()


class Foldable(QWidget):
    """A title that shows or hides what is below it, by click or with the space bar.

    Args:
        indent: of the content, in pixels.
    """

    def __init__(self, name: str, title: str, content: QWidget, folds: Folds, *, indent: int) -> None:
        super().__init__()
        self._name, self._title, self._content, self._folds = name, title, content, folds
        self.header = QToolButton()
        self.header.setObjectName("fold")
        font = self.header.font()
        font.setWeight(QFont.Weight.DemiBold)
        self.header.setFont(font)
        self.header.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.header.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.header.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.header.clicked.connect(lambda: self.set_open(not self.is_open))
        column_of(self.header, content, inside=self, spacing=indent // 2)
        content.setContentsMargins(indent, 0, 0, 0)
        folds.changed.connect(self._follow)
        self.count(0)
        self._follow()

    @property
    def is_open(self) -> bool:
        return self._name in self._folds.open

    def set_open(self, open_: bool) -> None:
        if open_ != self.is_open:
            self._folds.show(self._folds.open ^ {self._name})

    def count(self, changed: int) -> None:
        """Say how many settings below differ from their defaults."""
        self.header.setText(f"{self._title} ({changed} changed)" if changed else self._title)

    @Slot()
    def _follow(self) -> None:
        self._content.setVisible(self.is_open)
        self.header.setArrowType(Qt.ArrowType.DownArrow if self.is_open else Qt.ArrowType.RightArrow)
        self.header.setAccessibleDescription("open" if self.is_open else "folded")


def open_around(widget: QWidget) -> None:
    """Open every section that a widget is in."""
    parent = widget.parentWidget()
    while parent is not None:
        if isinstance(parent, Foldable):
            parent.set_open(True)
        parent = parent.parentWidget()
