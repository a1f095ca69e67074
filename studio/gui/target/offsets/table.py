"""The offsets table's view: turns mouse and keys into what they mean; what they do is the panel's."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QPointF, Qt, Signal, Slot
from PySide6.QtGui import QFont, QFontMetrics, QKeyEvent, QKeySequence, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from studio.gui.target.offsets.bar import Scale
from studio.gui.target.offsets.columns import HEADERS, ON_DEMAND, Column
from studio.gui.target.offsets.delegate import SWATCH, THUMBNAIL, CellEditor, OffsetsDelegate, thumbnail_size
from studio.gui.target.offsets.table_model import Index, OffsetsModel
from studio.gui.widgets.tooltip import KeyHelp

_PADDING = 14
_LEAST_NAME, _MOST_NAME = 30, 143
_LEAST_BAR = 56
_MARK = 26  # pixels of lock and answer
_LOWEST, _HIGHEST = THUMBNAIL + 4, 72  # pixels of a row


class OffsetsView(QTableView):
    """A table whose bars can be dragged and whose selected cells follow Alt+Up/Down.

    Attributes:
        shown: columns that a person asked for beside those that are always there.
    """

    KEYS = KeyHelp(
        "In the table of classes",
        (
            ("Next and previous cell to edit", "Tab, Shift+Tab"),
            ("Leave the table", "Ctrl+Tab, Ctrl+Shift+Tab"),
            ("Nudge an offset or a share", "Alt+Up, Alt+Down"),
            ("Nudge it finely", "Alt+Shift+Up, Alt+Shift+Down"),
            ("Lock the share of a class", "Space on the lock"),
            ("Set ΔH back to 0", "Del"),
            ("Copy, paste", "Ctrl+C, Ctrl+V"),
            ("Edit", "F2, Enter, or type"),
            ("Give a drag up", "Esc"),
        ),
    )

    nudged = Signal(int, bool)  # steps up, fine
    dragged = Signal(int, float)  # class, share
    drag_ended = Signal(int, bool)  # class, kept
    lock_asked = Signal(int)  # class
    reset_asked = Signal()
    copy_asked = Signal()
    paste_asked = Signal()
    undo_asked = Signal()
    redo_asked = Signal()

    def __init__(self, model: OffsetsModel, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self.shown: set[Column] = set()
        self._held = -1  # class whose bar is dragged
        self.setModel(model)
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
        self.setTabKeyNavigation(False)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        rows = self.verticalHeader()
        rows.hide()
        rows.setMinimumSectionSize(_LOWEST)
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        columns = self.horizontalHeader()
        columns.setMinimumSectionSize(_MARK)
        columns.setProperty("role", "quiet")
        columns.setHighlightSections(False)
        columns.setSectionsClickable(False)
        columns.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        columns.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        model.modelReset.connect(self.fit)
        self.verticalScrollBar().valueChanged.connect(self._look)

    # -- selection, as the panel asks for it

    def selected_classes(self) -> list[int]:
        """Classes with a selected cell, from top to bottom."""
        return [self._model.classes[row] for row in sorted({index.row() for index in self.selectedIndexes()})]

    def selected_in(self, column: Column) -> list[int]:
        """Classes whose cell in that column is selected, from top to bottom."""
        rows = sorted(index.row() for index in self.selectedIndexes() if index.column() == column)
        return [self._model.classes[row] for row in rows]

    def columns(self) -> list[Column]:
        """Columns with text that are shown, from left to right."""
        return [column for column in Column if not column.painted and not self.isColumnHidden(column)]

    @Slot(int)
    def open_next(self, direction: int) -> None:
        """Open the next or previous cell that can be edited; of many classes, leave the table."""
        if self._model.is_long:
            super().focusNextPrevChild(direction > 0)
        elif self._move(direction):
            self.edit(self.currentIndex())

    def _move(self, direction: int) -> bool:
        """To the next or previous cell that can be edited; whether there is one."""
        row, column = self.currentIndex().row(), self.currentIndex().column()
        cells = [Column.OFFSET, Column.TARGET][::direction]
        ahead = next((each for each in cells if (each - column) * direction > 0), None)
        if ahead is None:
            row, ahead = row + direction, cells[0]
        cell = self._model.index(row, ahead)
        if not cell.flags() & Qt.ItemFlag.ItemIsEditable:
            return False
        self.setCurrentIndex(cell)
        return True

    def focusNextPrevChild(self, ahead: bool) -> bool:
        """Tab goes from cell to cell, and on to the next control after the last; of many classes, at once."""
        return (not self._model.is_long and self._move(1 if ahead else -1)) or super().focusNextPrevChild(ahead)

    # -- layout: columns as wide as their widest text; class and bar share what is left

    @Slot()
    def fit(self) -> None:
        """Widths from the font and heights from the room; none depends on numbers that change, so nothing jumps."""
        rows, room, policy = max(1, self._model.rowCount()), self.viewport().height(), Qt.ScrollBarPolicy
        height = max(_LOWEST, min(_HIGHEST, room // rows))
        self.setVerticalScrollBarPolicy(policy.ScrollBarAsNeeded if rows * height > room else policy.ScrollBarAlwaysOff)
        self.verticalHeader().setDefaultSectionSize(height)
        left = self.viewport().width()
        for column in Column:
            hidden = column in ON_DEMAND and column not in self.shown
            self.setColumnHidden(column, hidden)
            if not hidden and column not in (Column.CLASS, Column.BAR):
                self.setColumnWidth(column, self._width(column))
                left -= self._width(column)
        beside = SWATCH + thumbnail_size(height, self.width())
        named = beside + max(_LEAST_NAME, min(self._name_width(), left - _LEAST_BAR - beside))
        self.setColumnWidth(Column.CLASS, named)
        self.setColumnWidth(Column.BAR, max(left - named, _LEAST_BAR))
        self._look()

    @Slot()
    def _look(self) -> None:
        """Tell the model which rows are on the screen."""
        first, last = self.rowAt(0), self.rowAt(self.viewport().height() - 1)
        self._model.see(range(max(first, 0), last + 1 if last >= 0 else self._model.rowCount()))

    def _width(self, column: Column) -> int:
        if column in (Column.LOCK, Column.STATUS):
            return _MARK
        view, header = self._model.view, HEADERS[column]
        counts = view is not None and column is Column.COUNT
        widest = f"{int(view.dataset.counts.max()):,}" if view is not None and counts else header.widest
        font = QFont(self.font())
        font.setBold(True)
        head = QFontMetrics(self.horizontalHeader().font()).horizontalAdvance(header.title)
        return max(QFontMetrics(font).horizontalAdvance(widest), head) + _PADDING

    def _name_width(self) -> int:
        """Room for the longest name, within reason."""
        names = self._model.view.dataset.class_names if self._model.view is not None else ()
        font = QFont(self.font())
        font.setBold(True)
        longest = QFontMetrics(font).horizontalAdvance(max(names, key=len, default=""))
        return min(_MOST_NAME, longest + 2 * _PADDING)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.fit()

    # -- the bar's handle

    def _class_at(self, place: QPointF) -> int:
        """The class whose handle is there; −1 for none."""
        index, view = self.indexAt(place.toPoint()), self._model.view
        if view is None or view.fixed or not index.isValid() or index.column() != Column.BAR:
            return -1
        found = self._model.classes[index.row()]
        return found if self._scale(found).holds(view, found, place) else -1

    def _scale(self, place: int) -> Scale:
        return Scale(self.visualRect(self._model.cell(place, Column.BAR)), self._model.scale)

    @property
    def dragging(self) -> bool:
        return self._held >= 0

    @property
    def editing(self) -> bool:
        return self.state() is QAbstractItemView.State.EditingState

    def let_go(self) -> int:
        """Drag no more, as where there are other classes; which one was dragged."""
        held, self._held, self._model.steady = self._held, -1, False
        return held

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """An entry that cannot be taken keeps its editor: Qt would close it as soon as another cell is current."""
        delegate = self.itemDelegate()
        for editor in self.findChildren(CellEditor):
            if editor.isVisible() and isinstance(delegate, OffsetsDelegate) and not delegate.settle(editor):
                editor.setFocus()
                return
        held = self._class_at(event.position())
        if held >= 0 and event.button() is Qt.MouseButton.LeftButton:
            self.setCurrentIndex(self._model.cell(held, Column.TARGET))
            self._held, self._model.steady = held, True
            return
        super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Drag, or show where a drag could begin."""
        if self.dragging:
            self.dragged.emit(self._held, self._scale(self._held).share(event.position().x()))
            return
        super().mouseMoveEvent(event)
        self._hover(self.rowAt(int(event.position().y())))
        over = self._class_at(event.position()) >= 0
        self.viewport().setCursor(Qt.CursorShape.SizeHorCursor if over else Qt.CursorShape.ArrowCursor)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self.dragging:
            self.drag_ended.emit(self.let_go(), True)
            return
        super().mouseReleaseEvent(event)
        index = self.indexAt(event.position().toPoint())
        if index.column() == Column.LOCK and index == self.currentIndex():
            self._ask_lock()

    def _ask_lock(self) -> None:
        if self._model.view is not None and not self._model.view.fixed:
            self.lock_asked.emit(self._model.classes[self.currentIndex().row()])

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self._hover(-1)

    def _hover(self, row: int) -> None:
        delegate = self.itemDelegate()
        if isinstance(delegate, OffsetsDelegate) and delegate.hovered != row:
            for each in (delegate.hovered, row):
                self.viewport().update(self.visualRect(self._model.index(each, Column.BAR)))
                self.viewport().update(self.visualRect(self._model.index(each, Column.LOCK)))
            delegate.hovered = row

    def currentChanged(self, current: Index, previous: Index) -> None:
        """The whole row is marked."""
        super().currentChanged(current, previous)
        if current.row() != previous.row():
            self.viewport().update()

    # -- keys

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if not self._understood(event):
            super().keyPressEvent(event)

    def _understood(self, event: QKeyEvent) -> bool:
        current = self.currentIndex()
        if self.dragging:
            if event.key() == Qt.Key.Key_Escape:
                self.drag_ended.emit(self.let_go(), False)
            return True
        if event.key() in (Qt.Key.Key_Tab, Qt.Key.Key_Backtab):  # with Ctrl: without, it never comes here
            return super().focusNextPrevChild(event.key() == Qt.Key.Key_Tab)
        if event.key() == Qt.Key.Key_Space and current.column() == Column.LOCK:
            self._ask_lock()
            return True
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and current.flags() & Qt.ItemFlag.ItemIsEditable:
            self.edit(current)
            return True
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
