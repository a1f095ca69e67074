"""The offsets panel, the heart of the window: a row per class, where a person tilts the target and sees it arrive."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPoint, Qt, Signal, Slot
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QStackedWidget, QWidget

from studio.errors import UserError
from studio.gui.state.setup import Setup
from studio.gui.state.tilt_view import TiltView
from studio.gui.target.offsets.clipboard import copied, pasted
from studio.gui.target.offsets.columns import ON_DEMAND, Column
from studio.gui.target.offsets.delegate import OffsetsDelegate
from studio.gui.target.offsets.edits import OffsetsEdits
from studio.gui.target.offsets.head import OffsetsHead
from studio.gui.target.offsets.presets import Preset
from studio.gui.target.offsets.summary import OffsetsSummary
from studio.gui.target.offsets.table import OffsetsView
from studio.gui.target.offsets.table_model import OffsetsModel
from studio.gui.target.offsets.terms_list import TermsList
from studio.gui.target.target_control import TargetControl
from studio.gui.target.terms import shares_without
from studio.gui.widgets.buttons import Menu
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import column_of
from studio.gui.widgets.messages import CellMessage
from studio.gui.widgets.theme import ThemeManager

_EMPTY = "A row for each class appears here.\nChoose a data set under “Change…” first."
_UNLABELLED = (
    "{name} has no classes to give offsets to.\n"
    "Tilt it under “Energy”: by what is measured of each example, by a formula, or by the judge of another data set."
)
_NOT_HELD = "Shares are held by the judge of the data set, which needs images with classes."


class OffsetsPanel(QWidget):
    """Presets, table, terms and answer over the target."""

    NAME, TITLE = "offsets", "Offsets"

    term_asked = Signal(int)  # place of a term that a person wants to edit; −1 to add one
    columns_chosen = Signal(str)  # names of the columns beside those that are always there

    def __init__(self, setup: Setup, target: TargetControl, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(self.NAME)
        self.setAccessibleName(self.TITLE)
        self._setup, self._target = setup, target
        self._edits = OffsetsEdits(target)
        self._told = False  # what the terms do to the class that is tilted most
        self._model = OffsetsModel(self)
        self.table = OffsetsView(self._model)
        self._delegate = OffsetsDelegate(theme, self._enter, self.table)
        self.table.setItemDelegate(self._delegate)
        self.head = OffsetsHead(setup.undo_stack, theme)
        self.terms = TermsList(theme)
        self.summary = OffsetsSummary(theme.tokens.spacing)
        self._lay_out(theme.tokens.spacing)
        self.message = CellMessage(self)
        self._connect(theme)
        self._show_tilt(target.tilt)

    # -- building

    def _lay_out(self, spacing: int) -> None:
        self._empty = plain_label(name="offsets_empty", role="muted", wraps=True)
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages = QStackedWidget()
        self._pages.addWidget(self.table)
        self._pages.addWidget(self._empty)
        parts, half = (self.head, (self._pages, 1), self.terms, self.summary), spacing // 2
        column_of(*parts, inside=self, margins=half, spacing=half)

    def _connect(self, theme: ThemeManager) -> None:
        table, head, stack = self.table, self.head, self._setup.undo_stack
        self._target.changed.connect(self._show_tilt)
        self._setup.edit_rejected.connect(self._reject)
        theme.changed.connect(self._redress)
        table.nudged.connect(self._nudge)
        table.dragged.connect(lambda place, share: self._try(lambda: self._edits.drag(place, share)))
        table.drag_ended.connect(lambda place, kept: self._try(lambda: self._edits.drop(place, kept=kept)))
        table.lock_asked.connect(self._lock)
        table.reset_asked.connect(lambda: self._try(lambda: self._edits.reset(self.table.selected_classes())))
        table.copy_asked.connect(self._copy)
        table.paste_asked.connect(self._paste)
        table.undo_asked.connect(stack.undo)
        table.redo_asked.connect(stack.redo)
        table.verticalScrollBar().valueChanged.connect(self.message.clear_error)
        table.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        table.customContextMenuRequested.connect(self._show_menu)
        table.horizontalHeader().customContextMenuRequested.connect(self._show_columns)
        table.selectionModel().selectionChanged.connect(self._selection_changed)
        self._delegate.tabbed.connect(table.open_next)
        self._delegate.turned.connect(self._nudge)
        self._delegate.reverted.connect(self.message.clear_error)
        head.preset_chosen.connect(self._apply)
        head.column_chosen.connect(self._show_column)
        head.gauge_chosen.connect(self._target.set_gauge)
        head.hold_chosen.connect(self._target.set_hold)
        head.order_changed.connect(lambda: self._order(asked=True))
        self.terms.switched.connect(self._switch)
        self.terms.opened.connect(self.term_asked)
        self.summary.recipe.clicked.connect(self._target.take_recipe)

    # -- state in

    @Slot(object)
    def _show_tilt(self, view: TiltView | None) -> None:
        before = self._model.view
        others = before is None or view is None or before.dataset is not view.dataset
        if others:
            self.table.let_go()
        self._model.show_tilt(view)
        if view is not None and others:
            self.head.show_classes(len(view.dataset.class_names))
        self._order()
        self._show_terms(before, view)
        self.summary.show_tilt(view)
        self._pages.setCurrentIndex(0 if self._tiltable else 1)
        empty = self._target.data.missing or _EMPTY
        self._empty.setText(empty if view is None else _UNLABELLED.format(name=view.dataset.name))
        if view is not None:
            self.head.gauges[view.perturbation.gauge].setChecked(True)
            judged = view.dataset.labelled and view.dataset.plane is None
            self.head.show_hold(
                self._target.data.config.hold.on, blocked=self._target.data.fixed if judged else _NOT_HELD
            )
            if not self.table.currentIndex().isValid():
                self.table.setCurrentIndex(self._model.index(0, Column.OFFSET))
        self._selection_changed()

    def _show_terms(self, before: TiltView | None, view: TiltView | None) -> None:
        terms = self._target.data.config.perturbation.terms
        self.terms.setVisible(view is not None)
        self.terms.show_terms(terms)
        if view is None or not terms or (before is not None and before.has_target_of(view) and self._told):
            return
        index, measured = view.tilted_most, self._target.data.measured
        self._told = view.energies is not None and measured is not None and not self.table.dragging
        if self.table.dragging or not view.dataset.labelled:
            return
        target = float(view.summary.target[index])
        shares = [
            (float(shares_without(view, measured, place)[index]), target)
            if self._told and measured is not None and term.enabled
            else None
            for place, term in enumerate(terms)
        ]
        self.terms.show_effects(view.dataset.class_names[index], shares)

    def _order(self, *, asked: bool = False) -> None:
        """Filter and order the classes, but not under a hand that is at one of them; the first is seen if `asked`."""
        if self._model.view is None or self.table.dragging or self.table.editing:
            return
        classes = self._model.found(self.head.filter.text(), by_deviation=self.head.deviation.isChecked())
        if classes != self._model.classes:
            current = self.table.currentIndex()
            place = self._model.classes[current.row()] if current.isValid() else -1
            bar = self.table.verticalScrollBar()
            seen = 0 if asked else bar.value()
            self._model.show_classes(classes)
            self.table.setCurrentIndex(self._model.cell(place, current.column()))
            bar.setValue(seen)

    @property
    def _tiltable(self) -> bool:
        """Whether there are classes to give offsets to."""
        return self._model.view is not None and self._model.view.dataset.labelled

    @Slot()
    def _selection_changed(self) -> None:
        fixed = self._model.view is not None and self._model.view.fixed
        self.head.enable(tiltable=self._tiltable and not fixed, some=bool(self.table.selectedIndexes()))

    @Slot()
    def _redress(self) -> None:
        self.table.fit()
        self.table.viewport().update()

    @Slot(object)
    def _reject(self, error: UserError) -> None:
        """The run refused the target: say so at the cell that was edited last."""
        if error.field.startswith("perturbation"):
            self._say(error, self.table.currentIndex().row(), self.table.currentIndex().column())

    # -- columns

    @property
    def columns(self) -> str:
        """Names of the columns beside those that are always there."""
        return " ".join(column.name.lower() for column in ON_DEMAND if column in self.table.shown)

    @columns.setter
    def columns(self, names: str) -> None:
        for column, action in self.head.columns.items():
            action.setChecked(column.name.lower() in names.split())

    @Slot(object, bool)
    def _show_column(self, column: Column, shown: bool) -> None:
        (self.table.shown.add if shown else self.table.shown.discard)(column)
        self.table.fit()
        self.columns_chosen.emit(self.columns)

    @Slot(QPoint)
    def _show_columns(self, place: QPoint) -> None:
        self.head.menu.popup(self.table.horizontalHeader().mapToGlobal(place))

    # -- intent out

    def _enter(self, place: int, column: Column, text: str) -> bool:
        """An editor's text, for its class or for all that are selected with it."""
        selected = self.table.selected_in(column)
        classes = selected if place in selected else [place]
        cell = self._model.cell(place, column)
        return self._try(lambda: self._edits.enter(column, dict.fromkeys(classes, text)), cell.row(), column)

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
            column = Column.TARGET if column is Column.BAR else Column.OFFSET
        classes = self.table.selected_in(column) or self.table.selected_classes()
        self._try(lambda: self._edits.nudge(column, classes, steps, fine=fine))

    @Slot(int)
    def _lock(self, place: int) -> None:
        if self._model.view is not None:
            self._target.lock(place, on=place not in self._model.view.locked)

    @Slot(int, bool)
    def _switch(self, place: int, on: bool) -> None:
        """A term on or off; a refusal puts its switch back."""
        energy = self._target.data.config.perturbation.energy_part()
        terms = list(energy.terms)
        terms[place] = terms[place].model_copy(update={"enabled": on})
        what = "Switch on" if on else "Switch off"
        self._target.set_energy(energy.model_copy(update={"terms": tuple(terms)}), f"{what} term {place + 1}")
        self.terms.put_back()

    @Slot(object)
    def _apply(self, preset: Preset) -> None:
        self._try(lambda: self._edits.apply(preset, self.table.selected_classes()))

    @Slot()
    def _copy(self) -> None:
        view, classes = self._model.view, self._model.classes
        if view is not None:
            cells = {(classes[index.row()], index.column()) for index in self.table.selectedIndexes()}
            QGuiApplication.clipboard().setText(copied(view, cells, self.table.columns(), classes))

    @Slot()
    def _paste(self) -> None:
        cells, classes = self.table.selectedIndexes(), self._model.classes
        if not cells:
            return
        row, column = min(cell.row() for cell in cells), min(cell.column() for cell in cells)
        text = QGuiApplication.clipboard().text()

        def paste() -> None:
            anchor = (classes[row], column)
            self._edits.enter(*pasted(text, anchor, self.table.selected_classes(), self.table.columns(), classes))

        self._try(paste, row, column)

    def _show_menu(self, position: QPoint) -> None:
        menu = Menu(self)
        menu.addAction("Copy", self._copy)
        menu.addAction("Paste", self._paste)
        menu.addAction("Reset to 0", self.table.reset_asked.emit)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.table.viewport().mapToGlobal(position))
