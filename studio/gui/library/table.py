"""The view of the table of runs: keys and double clicks become what they mean; what they do is the panel's."""

from __future__ import annotations

from PySide6.QtCore import QItemSelectionModel, QKeyCombination, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QContextMenuEvent, QFocusEvent, QKeyEvent, QKeySequence, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from studio.gui.library.columns import HEADERS, Column
from studio.gui.library.table_model import THUMBNAIL, RunsModel
from studio.gui.widgets.tables import choose_row
from studio.gui.widgets.tooltip import KeyHelp

COMPARE_KEYS = QKeyCombination(Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier, Qt.Key.Key_C)
_PADDING, _LEAST_NAME = 14, 150
_IN_SIGHT = (Column.SHARE_ERROR, Column.STEPS, Column.STATUS)


class RunsView(QTableView):
    """A row per run; several can be chosen."""

    KEYS = KeyHelp(
        "In the table of runs",
        (
            ("Look at the run", "Enter"),
            ("Rename", "F2"),
            ("Compare what is selected", "Ctrl+Shift+C"),
            ("Move to the trash", "Del"),
            ("Select all", "Ctrl+A"),
        ),
    )

    chosen = Signal()  # other rows are selected
    look_asked = Signal()  # at the selected run
    trash_asked = Signal()
    compare_asked = Signal()
    menu_asked = Signal(object)  # QPoint on the screen
    editing_over = Signal()  # what was typed into a cell has been taken or left

    def __init__(self, model: RunsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runs_table")
        self.setAccessibleName("Runs: a row per run")
        self.setAccessibleDescription(
            "Enter or a double click looks at a run; F2 renames it, Delete moves it to the trash."
        )
        self.runs = model
        self.setModel(model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        self.setTabKeyNavigation(False)  # Tab goes on to the next control; arrows move between cells
        self.setIconSize(QSize(THUMBNAIL, THUMBNAIL))
        self.setShowGrid(False)
        self.setWordWrap(True)  # a row has room for two lines
        self.setAlternatingRowColors(True)
        self.setCornerButtonEnabled(False)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(THUMBNAIL + 4)
        columns = self.horizontalHeader()
        columns.setHighlightSections(False)
        columns.setStretchLastSection(True)
        columns.setSectionsMovable(True)
        self.setSortingEnabled(True)
        self.sortByColumn(Column.STARTED, Qt.SortOrder.DescendingOrder)
        for column, header in HEADERS.items():
            wide = max(header.width, len(header.title) + 1) * self.fontMetrics().averageCharWidth() + _PADDING
            self.setColumnWidth(column, wide + (2 * THUMBNAIL if column is Column.NAME else 0))
        self._widest = self._fitted = self.columnWidth(Column.NAME)
        self.selectionModel().selectionChanged.connect(self.chosen)
        self.doubleClicked.connect(self.look_asked)
        self.itemDelegate().closeEditor.connect(lambda: QTimer.singleShot(0, self, self.editing_over.emit))

    @property
    def editing(self) -> bool:
        return self.state() is QAbstractItemView.State.EditingState

    def folders(self) -> list[str]:
        """Of the selected runs, in the order shown."""
        rows = sorted({index.row() for index in self.selectionModel().selectedRows()})
        return [self.runs.shown[row].folder for row in rows if row < len(self.runs.shown)]

    def select(self, folders: list[str]) -> None:
        """Select these runs, as far as they are shown, without telling."""
        selection = self.selectionModel()
        selection.blockSignals(True)
        flags = QItemSelectionModel.SelectionFlag
        for place, row in enumerate(row for row in map(self.runs.row_of, folders) if row >= 0):
            how = flags.ClearAndSelect if not place else flags.Select
            index = self.runs.index(row, 0)
            if not place:
                selection.setCurrentIndex(index, flags.NoUpdate)
            selection.select(index, how | flags.Rows)
        selection.blockSignals(False)
        self.viewport().update()

    def rename(self) -> None:
        """Open the name of the current run."""
        index = self.runs.index(self.currentIndex().row(), Column.NAME)
        if index.isValid():
            self.setCurrentIndex(index)
            self.edit(index)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        choose_row(self, event.reason())

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Names leave room for share error, steps and status, unless the person has given them another width."""
        super().resizeEvent(event)
        if self.columnWidth(Column.NAME) == self._fitted:
            room = self.viewport().width() - sum(map(self.columnWidth, _IN_SIGHT))
            self._fitted = max(_LEAST_NAME, min(self._widest, room))
            self.setColumnWidth(Column.NAME, self._fitted)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Delete):
            self.trash_asked.emit()
        elif event.key() == Qt.Key.Key_F2 and self.currentIndex().column() not in (Column.NAME, Column.TAGS):
            self.rename()
        elif event.keyCombination() == COMPARE_KEYS:
            self.compare_asked.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self.look_asked.emit()
        else:
            super().keyPressEvent(event)

    def contextMenuEvent(self, event: QContextMenuEvent) -> None:
        """The menu where the mouse is, or at the current row for the menu key."""
        place = event.globalPos()
        if event.reason() is QContextMenuEvent.Reason.Keyboard:
            place = self.viewport().mapToGlobal(self.visualRect(self.currentIndex()).center())
        self.menu_asked.emit(place)
