"""The offsets panel, the heart of the window: a row per class, where a person tilts the target."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractButton,
    QHBoxLayout,
    QLabel,
    QMenu,
    QPushButton,
    QStackedWidget,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from studio.errors import UserError
from studio.gui.state.setup import Setup
from studio.gui.state.view_state import TiltView
from studio.gui.target.offsets.clipboard import copied, pasted
from studio.gui.target.offsets.columns import Column
from studio.gui.target.offsets.delegate import OffsetsDelegate
from studio.gui.target.offsets.edits import OffsetsEdits
from studio.gui.target.offsets.presets import PRESETS, Preset
from studio.gui.target.offsets.summary import OffsetsSummary
from studio.gui.target.offsets.table import OffsetsView
from studio.gui.target.offsets.table_model import OffsetsModel
from studio.gui.target.target_control import TargetControl
from studio.gui.widgets.cell_message import CellMessage
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import tooltip

_EMPTY = "A row for each class appears here.\nOpen a data set under “Set-up” first."
_UNLABELLED = (
    "{name} has no classes to give offsets to.\n"
    "Tilt it under “Energy”: by what is measured of each example, by a formula, or by the judge of another data set."
)
_UNDO = "Undo the last edit of the offsets (Ctrl+Z)."
_REDO = "Redo the edit that was undone (Ctrl+Shift+Z)."


class OffsetsPanel(QWidget):
    """Table, presets and summary over the target."""

    NAME = "offsets"
    TITLE = "Offsets"

    def __init__(self, setup: Setup, target: TargetControl, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(self.NAME)
        self.setAccessibleName(self.TITLE)
        self._setup, self._target = setup, target
        self._theme = theme
        self._edits = OffsetsEdits(target)
        self._model = OffsetsModel(self)
        self.table = OffsetsView()
        self.table.setModel(self._model)
        self._delegate = OffsetsDelegate(theme, self._enter, self.table)
        self.table.setItemDelegate(self._delegate)
        self.summary = OffsetsSummary(theme)
        self._preset_buttons: dict[str, QAbstractButton] = {}
        self._lay_out()
        self.message = CellMessage(self)
        self._connect()
        self._show_tilt(target.tilt)

    # -- building

    def _lay_out(self) -> None:
        spacing = self._theme.tokens.spacing
        self._empty = QLabel()
        self._empty.setObjectName("offsets_empty")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setWordWrap(True)
        self._empty.setTextFormat(Qt.TextFormat.PlainText)
        self._empty.setProperty("role", "muted")
        self._pages = QStackedWidget()
        self._pages.addWidget(self.table)
        self._pages.addWidget(self._empty)
        column = QVBoxLayout(self)
        column.setContentsMargins(spacing // 2, spacing // 2, spacing // 2, spacing // 2)
        column.setSpacing(spacing // 2)
        column.addLayout(self._toolbar(spacing))
        column.addWidget(self._pages, 1)
        column.addWidget(self.summary)

    def _toolbar(self, spacing: int) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(spacing // 2)
        for preset in PRESETS:
            button = _button(preset.name, preset.title, preset.help)
            button.clicked.connect(lambda _checked=False, chosen=preset: self._apply(chosen))
            self._preset_buttons[preset.name] = button
            row.addWidget(button)
        row.addStretch(1)
        stack = self._setup.undo_stack
        self._undo = _button("undo", "", _UNDO)
        self._redo = _button("redo", "", _REDO)
        for button, icon, act in ((self._undo, "undo", stack.undo), (self._redo, "redo", stack.redo)):
            self._theme.bind_icon(button, icon)
            button.clicked.connect(act)
            row.addWidget(button)
        return row

    def _connect(self) -> None:
        self._target.changed.connect(self._show_tilt)
        self._setup.edit_rejected.connect(self._reject)
        self._theme.changed.connect(self._redress)
        self.table.nudged.connect(self._nudge)
        self.table.reset_asked.connect(lambda: self._try(lambda: self._edits.reset(self.table.selected_rows())))
        self.table.copy_asked.connect(self._copy)
        self.table.paste_asked.connect(self._paste)
        self.table.undo_asked.connect(self._setup.undo_stack.undo)
        self.table.redo_asked.connect(self._setup.undo_stack.redo)
        self.table.verticalScrollBar().valueChanged.connect(self.message.clear_error)
        self.table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.table.customContextMenuRequested.connect(self._show_menu)
        self._delegate.tabbed.connect(self.table.move_to_editable)
        self._delegate.reverted.connect(self.message.clear_error)
        self.summary.gauge_chosen.connect(self._target.set_gauge)
        self.table.selectionModel().selectionChanged.connect(self._selection_changed)
        stack = self._setup.undo_stack
        stack.canUndoChanged.connect(self._undo.setEnabled)
        stack.canRedoChanged.connect(self._redo.setEnabled)
        stack.undoTextChanged.connect(self._name_undo)
        stack.redoTextChanged.connect(self._name_redo)
        self._undo.setEnabled(stack.canUndo())
        self._redo.setEnabled(stack.canRedo())

    @Slot(str)
    def _name_undo(self, text: str) -> None:
        self._undo.setToolTip(tooltip(f"Undo “{text}” (Ctrl+Z)." if text else _UNDO))

    @Slot(str)
    def _name_redo(self, text: str) -> None:
        self._redo.setToolTip(tooltip(f"Redo “{text}” (Ctrl+Shift+Z)." if text else _REDO))

    # -- state in

    @Slot(object)
    def _show_tilt(self, view: TiltView | None) -> None:
        before = self._model.view
        self._model.show_tilt(view)
        if view is not None and (before is None or before.dataset is not view.dataset):
            self.table.fit_columns()
        self.summary.show_tilt(view)
        self._pages.setCurrentIndex(0 if self._tiltable else 1)
        self._empty.setText(_EMPTY if view is None else _UNLABELLED.format(name=view.dataset.name))
        if view is not None and not self.table.currentIndex().isValid():
            self.table.setCurrentIndex(self._model.index(0, Column.OFFSET))
        self._selection_changed()

    @property
    def _tiltable(self) -> bool:
        """Whether there are classes to give offsets to."""
        return self._model.view is not None and self._model.view.dataset.labelled

    @Slot()
    def _selection_changed(self) -> None:
        some = bool(self.table.selected_rows())
        for preset in PRESETS:
            enabled = self._tiltable and (some or not preset.needs_rows)
            self._preset_buttons[preset.name].setEnabled(enabled)

    @Slot()
    def _redress(self) -> None:
        self.table.fit_columns()
        self.table.viewport().update()

    @Slot(object)
    def _reject(self, error: UserError) -> None:
        """The run refused the target: say so at the cell that was edited last."""
        if error.field.startswith("perturbation"):
            self._say(error, self.table.currentIndex().row(), self.table.currentIndex().column())

    # -- intent out

    def _enter(self, row: int, column: Column, text: str) -> bool:
        """An editor's text, for its row or for all that are selected with it."""
        selected = self.table.selected_in(column)
        rows = selected if row in selected else [row]
        return self._try(lambda: self._edits.enter(column, dict.fromkeys(rows, text)), row, column)

    def _try(self, edit: Callable[[], None], row: int = -1, column: int = -1) -> bool:
        """Make an edit; a refusal is shown at the cell, by default the current one."""
        self.message.clear_error()
        try:
            edit()
        except UserError as error:
            current = self.table.currentIndex()
            self._say(error, row if row >= 0 else current.row(), column if column >= 0 else current.column())
            return False
        return True

    def _say(self, error: UserError, row: int, column: int) -> None:
        cell = self.table.visualRect(self._model.index(row, column))
        self.message.show_error(error, cell.translated(self.table.viewport().mapTo(self, QPoint(0, 0))))

    @Slot(int, bool)
    def _nudge(self, steps: int, fine: bool) -> None:
        current = self.table.currentIndex()
        column = Column(current.column()) if current.isValid() else Column.CLASS
        if not column.editable:
            column = Column.OFFSET
        rows = self.table.selected_in(column) or self.table.selected_rows()
        self._try(lambda: self._edits.nudge(column, rows, steps, fine=fine))

    def _apply(self, preset: Preset) -> None:
        self._try(lambda: self._edits.apply(preset, self.table.selected_rows()))

    @Slot()
    def _copy(self) -> None:
        if self._model.view is not None:
            cells = {(index.row(), index.column()) for index in self.table.selectedIndexes()}
            QGuiApplication.clipboard().setText(copied(self._model.view, cells))

    @Slot()
    def _paste(self) -> None:
        view, cells = self._model.view, self.table.selectedIndexes()
        if view is None or not cells:
            return
        anchor = (min(cell.row() for cell in cells), min(cell.column() for cell in cells))
        text = QGuiApplication.clipboard().text()

        def paste() -> None:
            self._edits.enter(*pasted(view, text, anchor, self.table.selected_rows()))

        self._try(paste, *anchor)

    def _show_menu(self, position: QPoint) -> None:
        menu = QMenu(self)
        menu.addAction("Copy", self._copy)
        menu.addAction("Paste", self._paste)
        menu.addAction("Reset to 0", self.table.reset_asked.emit)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.table.viewport().mapToGlobal(position))


def _button(name: str, text: str, help_text: str) -> QAbstractButton:
    button = QPushButton(text) if text else QToolButton()
    button.setObjectName(name)
    button.setToolTip(tooltip(help_text))
    button.setAccessibleName(text or name.capitalize())
    button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    return button
