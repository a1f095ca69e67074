"""A list to choose from, all of which shows when it is open."""

from __future__ import annotations

from PySide6.QtWidgets import QComboBox, QStyle, QStyledItemDelegate, QWidget

_MOST_ROWS = 16


class ChoiceBox(QComboBox):
    """A combo box whose open list stands below it, high and wide enough for its choices.

    Fusion's own list lies over the box like a menu; under a style sheet it comes out too low, with half of the last
    choice behind a scroll arrow. The sheet therefore asks for a plain list.
    """

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMaxVisibleItems(_MOST_ROWS)
        self.setItemDelegate(QStyledItemDelegate(self))  # the default one knows no style sheet

    def showPopup(self) -> None:
        view = self.view()
        widest = view.sizeHintForColumn(0) + 2 * view.frameWidth()
        if self.count() > self.maxVisibleItems():
            widest += self.style().pixelMetric(QStyle.PixelMetric.PM_ScrollBarExtent, None, view)
        view.setMinimumWidth(widest)
        super().showPopup()
