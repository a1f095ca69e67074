"""A section that folds away under its title."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QSizePolicy, QToolButton, QVBoxLayout, QWidget


class Foldable(QWidget):
    """A title that shows or hides what is below it, by click or with the space bar."""

    unfolded = Signal(bool)

    def __init__(self, title: str, content: QWidget, *, open_: bool, indent: int, strong: bool = False) -> None:
        super().__init__()
        self._content = content
        self.header = QToolButton()
        self.header.setObjectName("fold")
        self.header.setText(title)
        if strong:
            font = self.header.font()
            font.setWeight(QFont.Weight.DemiBold)
            self.header.setFont(font)
        self.header.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.header.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.header.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self.header.clicked.connect(self._toggle)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(indent // 2)
        column.addWidget(self.header)
        column.addWidget(content)
        content.setContentsMargins(indent, 0, 0, 0)
        self.is_open = open_
        self.set_open(open_)

    @Slot()
    def _toggle(self) -> None:
        self.set_open(not self.is_open)

    def set_open(self, open_: bool) -> None:
        """Show or hide the content."""
        self.is_open = open_
        self._content.setVisible(open_)
        self.header.setArrowType(Qt.ArrowType.DownArrow if open_ else Qt.ArrowType.RightArrow)
        self.header.setAccessibleDescription("open" if open_ else "folded")
        self.unfolded.emit(open_)
