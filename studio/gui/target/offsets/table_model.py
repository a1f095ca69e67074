"""The offsets table as Qt sees it: rows are classes, cells come from the frozen TiltView. It changes nothing itself."""

from __future__ import annotations

from typing import Any

import numpy as np
from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QImage

from studio.evaluation.arrival import Arrival
from studio.gui.state.dataset_view import DatasetView
from studio.gui.state.tilt_view import TiltView
from studio.gui.target.offsets.bar import scale_of
from studio.gui.target.offsets.columns import HEADERS, Column, cell_help, cell_text, exact_text, head_text
from studio.gui.widgets.pictures import image_of
from studio.gui.widgets.tooltip import tooltip

MANY = 20
"""Up to so many classes share a scale, and Tab goes from cell to cell."""
Index = QModelIndex | QPersistentModelIndex
_RIGHT = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
_LEFT = Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter


class OffsetsModel(QAbstractTableModel):
    """A row per class that is shown; the decoration of the first column is the class's thumbnail as a QImage.

    Attributes:
        classes: class of each row.
        seen: rows on the screen.
        scale: share at the right end of the bars; where there are many classes, of those on the screen. Of one target
            it never shrinks, so that the bars hold still while shares swing.
        steady: the scale stays, as during a drag.
    """

    CLASS = Qt.ItemDataRole.UserRole

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.view: TiltView | None = None
        self._thumbnails: list[QImage] = []
        self._arrivals: dict[int, Arrival] = {}
        self.classes: list[int] = []
        self.seen = range(0)
        self.scale, self.steady = 1.0, False
        self._scaled_for = np.zeros(0)  # target shares

    def show_tilt(self, view: TiltView | None) -> None:
        """Show another tilt; the selection survives unless the data set is another."""
        before = self.view.dataset if self.view is not None else None
        after = view.dataset if view is not None else None
        self._arrivals.clear()
        if before is after and view is not None:
            self.view = view
            self._rescale()
            self._say_changed(len(Column) - 1)
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, Column.WEIGHT, Column.WEIGHT)
            return
        self.beginResetModel()
        self.view = view
        self._thumbnails = _images(after)
        self.classes = list(range(len(self._thumbnails)))
        self._rescale()
        self.endResetModel()

    def found(self, text: str, *, by_deviation: bool) -> list[int]:
        """Classes whose names have this text, in their own order or with those first that are off most."""
        assert self.view is not None
        wanted = text.strip().casefold()
        classes = [index for index, name in enumerate(self.view.dataset.class_names) if wanted in name.casefold()]
        if by_deviation:
            off = _deviation(self.view)
            classes.sort(key=lambda index: -float(off[index]))
        return classes

    def show_classes(self, classes: list[int]) -> None:
        if classes != self.classes:
            self.beginResetModel()
            self.classes = classes
            self.endResetModel()

    def see(self, rows: range) -> None:
        """These are on the screen."""
        self.seen, before = rows, self.scale
        self._rescale()
        if self.scale != before:
            self._say_changed(Column.BAR)

    def _say_changed(self, last: int) -> None:
        """From the bars to that column; a filter may have left no row."""
        if self.classes:
            self.dataChanged.emit(self.index(0, Column.BAR), self.index(self.rowCount() - 1, last))

    @property
    def is_long(self) -> bool:
        """Whether there are more classes than a person looks at together."""
        return len(self._thumbnails) > MANY

    def _rescale(self) -> None:
        if self.view is not None and not self.steady:
            classes = self.classes[self.seen.start : self.seen.stop] if self.is_long else self.classes
            same = not self.is_long and np.array_equal(self.view.summary.target, self._scaled_for)
            self.scale = max(self.scale if same else 0.0, scale_of(self.view, classes or self.classes))
            self._scaled_for = self.view.summary.target
            self.headerDataChanged.emit(Qt.Orientation.Horizontal, Column.BAR, Column.BAR)

    def cell(self, place: int, column: int) -> QModelIndex:
        """The cell of a class; none where it is not shown."""
        return self.index(self.classes.index(place), column) if place in self.classes else QModelIndex()

    def arrival(self, place: int) -> Arrival:
        assert self.view is not None
        if place not in self._arrivals:
            self._arrivals[place] = self.view.arrival(place)
        return self._arrivals[place]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.classes)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(Column)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        fixed = self.view is not None and self.view.fixed
        if index.isValid() and Column(index.column()).editable and not fixed:
            flags |= Qt.ItemFlag.ItemIsEditable
        return flags

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if self.view is None or not index.isValid():
            return None
        row, column = self.classes[index.row()], Column(index.column())
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return cell_text(self.view, row, column)
            case Qt.ItemDataRole.EditRole:
                return exact_text(self.view, row, column)
            case self.CLASS:
                return row
            case Qt.ItemDataRole.ToolTipRole:
                return tooltip(cell_help(self.view, row, column))
            case Qt.ItemDataRole.AccessibleTextRole:
                name = self.view.dataset.class_names[row]
                if column is Column.CLASS:
                    return name
                told = cell_help(self.view, row, column) if column.painted else cell_text(self.view, row, column)
                return f"{HEADERS[column].name} of {name}: {told}"
            case Qt.ItemDataRole.DecorationRole if column is Column.CLASS:
                return self._thumbnails[row]
            case Qt.ItemDataRole.TextAlignmentRole:
                return _LEFT if column is Column.CLASS else _RIGHT
        return None

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal or not 0 <= section < len(Column):
            return None
        header = HEADERS[Column(section)]
        match role:
            case Qt.ItemDataRole.DisplayRole:
                return head_text(self.view, Column(section), self.scale)
            case Qt.ItemDataRole.ToolTipRole:
                return tooltip(header.help, header.formula)
            case Qt.ItemDataRole.AccessibleTextRole:
                return header.name
            case Qt.ItemDataRole.TextAlignmentRole:
                return _LEFT if section == Column.CLASS else _RIGHT
        return None


def _deviation(view: TiltView) -> np.ndarray:
    """How far each class is off its target, shape (K,); what the judge cannot tell comes last."""
    if view.generated is None:
        return np.abs(view.summary.target - view.dataset.shares)
    off = np.nan_to_num(np.abs(view.generated.shares - view.summary.target), nan=-1.0)
    off[list(view.generated.untold)] = -1.0
    return off


def _images(dataset: DatasetView | None) -> list[QImage]:
    return [] if dataset is None else [image_of(pixels) for pixels in dataset.thumbnails]
