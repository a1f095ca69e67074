"""The offsets table's view: turns wheel and keys into what they mean; what they do is the panel's."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QFontMetrics, QKeyEvent, QKeySequence, QMouseEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from studio.gui.target.offsets.columns import HEADERS, Column
from studio.gui.target.offsets.delegate import SWATCH, THUMBNAIL, CellEditor, OffsetsDelegate
from studio.gui.widgets.key_help import KeyHelp

_NOTCH = 120
_PADDING = 14
_NARROWEST_CLASS = SWATCH + THUMBNAIL + 50
_GIVING_WAY = (Column.COUNT, Column.WEIGHT, Column.GENERATED)


class OffsetsView(QTableView):
    """A table whose selected cells follow the wheel and Alt+Up/Down."""

    KEYS = KeyHelp(
        "In the table of classes",
        (
            ("Nudge an offset or a share", "Alt+Up, Alt+Down"),
            ("Nudge it finely", "Alt+Shift+Up, Alt+Shift+Down"),
            ("Set ΔH back to 0", "Del"),
            ("Copy, paste", "Ctrl+C, Ctrl+V"),
            ("Edit", "F2, or type"),
        ),
    )

    nudged = Signal(int, bool)  # steps up, fine
    reset_asked = Signal()
    copy_asked = Signal()
    paste_asked = Signal()
    undo_asked = Signal()
    redo_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._turned = 0
        self.setObjectName("offsets_table")
        self.setAccessibleName("Offsets: a row per class")
        self.setAccessibleDescription("Type into ΔH or p′ of a class; Alt+Up and Alt+Down nudge what is selected.")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectItems)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked
            | QAbstractItemView.EditTrigger.EditKeyPressed
            | QAbstractItemView.EditTrigger.AnyKeyPressed
        )
        self.setTabKeyNavigation(False)  # Tab goes on to the next control; arrows move between cells
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        rows = self.verticalHeader()
        rows.hide()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(THUMBNAIL + 4)
        columns = self.horizontalHeader()
        columns.setHighlightSections(False)
        columns.setSectionsClickable(False)
        columns.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)

    # -- selection, as the panel asks for it

    def selected_rows(self) -> list[int]:
        """Rows with a selected cell, in order."""
        return sorted({index.row() for index in self.selectedIndexes()})

    def selected_in(self, column: Column) -> list[int]:
        """Rows whose cell in that column is selected, in order."""
        return sorted(index.row() for index in self.selectedIndexes() if index.column() == column)

    def move_to_editable(self, direction: int) -> None:
        """Open the next or previous cell that can be edited; nothing beyond the last."""
        row, column = self.currentIndex().row(), self.currentIndex().column()
        cells = [(r, c) for r in range(self.model().rowCount()) for c in Column if c.editable]
        ahead = [cell for cell in cells if (cell > (row, column) if direction > 0 else cell < (row, column))]
        if ahead:
            index = self.model().index(*(ahead[0] if direction > 0 else ahead[-1]))
            self.setCurrentIndex(index)
            self.edit(index)

    # -- layout: columns as wide as their widest text, and the class takes what is left

    def fit_columns(self) -> None:
        """Widths from the font; they do not depend on numbers that change, so nothing jumps.

        Where there is no room for all, the columns that say least give way; the class's tooltip has their numbers.
        """
        cells, heads = QFontMetrics(self.font()), QFontMetrics(self.horizontalHeader().font())
        rows = range(self.model().rowCount())
        longest_count = max((self.model().index(row, Column.COUNT).data() for row in rows), key=len, default="")
        widths = {}
        for column, header in HEADERS.items():
            widest = longest_count if column is Column.COUNT else header.widest
            widths[column] = max(cells.horizontalAdvance(widest), heads.horizontalAdvance(header.title)) + _PADDING
        del widths[Column.CLASS]
        left = self.viewport().width() - sum(widths.values())
        for column in _GIVING_WAY:
            hidden = left < _NARROWEST_CLASS
            left += widths.pop(column) if hidden else 0
            self.setColumnHidden(column, hidden)
        for column, width in widths.items():
            self.setColumnWidth(column, width)
        self.setColumnWidth(Column.CLASS, max(left, _NARROWEST_CLASS))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit_columns()

    # -- mouse, wheel and keys

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """An entry that cannot be taken keeps its editor: Qt would close it as soon as another cell is current."""
        delegate = self.itemDelegate()
        for editor in self.findChildren(CellEditor):
            if editor.isVisible() and isinstance(delegate, OffsetsDelegate) and not delegate.settle(editor):
                editor.setFocus()
                return
        super().mousePressEvent(event)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Over a selected value the wheel turns it; elsewhere it scrolls, so that scrolling edits nothing."""
        index = self.indexAt(event.position().toPoint())
        if not self._turns(index):
            super().wheelEvent(event)
            return
        event.accept()
        self._turned += event.angleDelta().y()
        steps = int(self._turned / _NOTCH)
        self._turned -= steps * _NOTCH
        if steps:
            self.setCurrentIndexQuietly(index)
            self.nudged.emit(steps, bool(event.modifiers() & Qt.KeyboardModifier.ControlModifier))

    def _turns(self, index: QModelIndex) -> bool:
        return (
            index.isValid()
            and Column(index.column()).editable
            and self.selectionModel().isSelected(index)
            and self.state() is not QAbstractItemView.State.EditingState
        )

    def setCurrentIndexQuietly(self, index: QModelIndex) -> None:
        """Make a cell current and leave the selection as it is."""
        self.selectionModel().setCurrentIndex(index, self.selectionModel().SelectionFlag.NoUpdate)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._understood(event):
            super().keyPressEvent(event)

    def _understood(self, event: QKeyEvent) -> bool:
        alt = bool(event.modifiers() & Qt.KeyboardModifier.AltModifier)
        if alt and event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down):
            fine = bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)
            self.nudged.emit(1 if event.key() == Qt.Key.Key_Up else -1, fine)
            return True
        if event.key() in (Qt.Key.Key_Delete, Qt.Key.Key_Backspace):
            self.reset_asked.emit()
            return True
        standard = QKeySequence.StandardKey
        for key, asked in (
            (standard.Copy, self.copy_asked),
            (standard.Paste, self.paste_asked),
            (standard.Undo, self.undo_asked),
            (standard.Redo, self.redo_asked),
        ):
            if event.matches(key):
                asked.emit()
                return True
        return False
