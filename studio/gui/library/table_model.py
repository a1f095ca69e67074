"""The table of runs as Qt sees it: searched, sorted, with thumbnails; it changes nothing itself."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, QSize, Qt, Signal, Slot
from PySide6.QtGui import QColor, QIcon, QImage, QPixmap

from studio.gui.library.columns import HEADERS, Column, in_order
from studio.gui.library.library_control import LibraryControl
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import tooltip
from studio.library.run_summary import RunSummary
from studio.number_text import unbroken

Index = QModelIndex | QPersistentModelIndex
THUMBNAIL = 34
EDITABLE = (Column.NAME, Column.TAGS)
_GOING_ON = (Column.STEPS, Column.TIME, Column.SHARE_ERROR, Column.FRECHET)
"""What is another while a run goes on: what was measured is of a step that is not the last one any more."""


class RunsModel(QAbstractTableModel):
    """A row per run that matches the search."""

    edited = Signal(str, int, str)  # folder, column, text: the person typed it into a cell

    def __init__(self, library: LibraryControl, theme: ThemeManager, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._library, self._theme = library, theme
        self._words: list[str] = []
        self._order = (Column.STARTED, True)
        self._icons: dict[bytes, QIcon] = {}
        self.shown: list[RunSummary] = []

    def show_runs(self) -> None:
        found = [run for run in self._library.entries if run.matches(self._words)]
        column, descending = self._order
        runs = in_order(found, column, descending=descending)
        if runs and runs == self.shown:  # at most the state of the run under way is another
            self.dataChanged.emit(self.index(0, Column.STATUS), self.index(len(runs) - 1, Column.STATUS))
            return
        self.beginResetModel()
        self.shown = runs
        self.endResetModel()

    @Slot()
    def show_progress(self) -> None:
        """The run under way is at another step, or other curves lie over those of the run shown."""
        last = len(self.shown) - 1
        if last < 0:
            return
        roles = dict.fromkeys(_GOING_ON, Qt.ItemDataRole.DisplayRole) | {Column.NAME: Qt.ItemDataRole.CheckStateRole}
        for column, role in roles.items():
            self.dataChanged.emit(self.index(0, column), self.index(last, column), [role])

    def search(self, text: str) -> None:
        self._words = text.split()
        self.show_runs()

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        self._order = (Column(column), order is Qt.SortOrder.DescendingOrder)
        self.show_runs()

    def row_of(self, folder: str) -> int:
        """Row of a run; −1 if it is not shown."""
        return next((row for row, run in enumerate(self.shown) if run.folder == folder), -1)

    # -- as Qt asks

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.shown)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(Column)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        if not index.isValid() or self.shown[index.row()].fault:
            return flags
        if Column(index.column()) is Column.NAME:
            flags |= Qt.ItemFlag.ItemIsUserCheckable
        return flags | Qt.ItemFlag.ItemIsEditable if Column(index.column()) in EDITABLE else flags

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation is not Qt.Orientation.Horizontal:
            return None
        header = HEADERS[Column(section)]
        if role == Qt.ItemDataRole.DisplayRole:
            return header.title
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip(f"{header.tip} Click to sort.")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _aligned(header.numeric)
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        run, column = self.shown[index.row()], Column(index.column())
        if role == Qt.ItemDataRole.DisplayRole:
            return unbroken(self._text(run, column))
        if role == Qt.ItemDataRole.EditRole:
            return self._text(run, column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _aligned(HEADERS[column].numeric)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip(self._help(run, column))
        if role == Qt.ItemDataRole.CheckStateRole and column is Column.NAME and not run.fault:
            ticked = self._library.overlays.ticked(self._library.root / run.folder)
            return Qt.CheckState.Checked if ticked else Qt.CheckState.Unchecked
        if role == Qt.ItemDataRole.DecorationRole and column is Column.NAME:
            return self._icon(run.thumbnail)
        if role == Qt.ItemDataRole.ForegroundRole and run.fault:
            return QColor(self._theme.tokens.error if column is Column.STATUS else self._theme.tokens.muted)
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """Hand on what was typed; the cell changes when it has been written."""
        run, text = self.shown[index.row()], str(value).strip()
        if role == Qt.ItemDataRole.CheckStateRole:
            self._library.overlays.tick(self._library.root / run.folder, Qt.CheckState(value) is Qt.CheckState.Checked)
            return True
        if role != Qt.ItemDataRole.EditRole or text == HEADERS[Column(index.column())].text(run):
            return False
        self.edited.emit(run.folder, index.column(), text)
        return True

    def _text(self, run: RunSummary, column: Column) -> str:
        if column is Column.STATUS:
            return self._library.status_of(run)
        return HEADERS[column].text(self._library.now(run) if column in _GOING_ON else run)

    def _help(self, run: RunSummary, column: Column) -> str:
        if run.fault:
            return run.fault
        if column is Column.NAME:
            return "\n".join(part for part in (run.name, run.notes[:500], f"Folder {run.folder}") if part)
        return HEADERS[column].text(run)

    def _icon(self, thumbnail: bytes) -> QIcon:
        found = self._icons.get(thumbnail)
        if found is None:
            found = self._icons[thumbnail] = _icon_of(thumbnail)
        return found


def _aligned(numeric: bool) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignRight if numeric else Qt.AlignmentFlag.AlignLeft
    return side | Qt.AlignmentFlag.AlignVCenter


def _icon_of(thumbnail: bytes) -> QIcon:
    """A thumbnail of the size that all have; an empty one for a run without samples."""
    pixmap = QPixmap(QSize(THUMBNAIL, THUMBNAIL))
    pixmap.fill(Qt.GlobalColor.transparent)
    image = QImage.fromData(thumbnail)
    if not image.isNull():
        shrunk = max(image.width(), image.height()) > THUMBNAIL
        mode = Qt.TransformationMode.SmoothTransformation if shrunk else Qt.TransformationMode.FastTransformation
        pixmap = QPixmap.fromImage(image.scaled(pixmap.size(), Qt.AspectRatioMode.KeepAspectRatio, mode))
    return QIcon(pixmap)
