"""Above the table: presets, undo, which columns there are, the legend, and for many classes a filter and an order."""

from __future__ import annotations

from PySide6.QtCore import Signal, Slot
from PySide6.QtGui import QAction, QActionGroup, QUndoStack
from PySide6.QtWidgets import QAbstractButton, QLineEdit, QToolButton, QWidget

from studio.gui.target.offsets.bar import BarLegend
from studio.gui.target.offsets.columns import HEADERS, ON_DEMAND, Column
from studio.gui.target.offsets.presets import PRESETS
from studio.gui.target.offsets.table_model import MANY
from studio.gui.widgets.buttons import (
    REDO,
    UNDO,
    menu_action,
    menu_button,
    push_button,
    toggle_button,
    undo_buttons,
)
from studio.gui.widgets.flow_layout import flow_of
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import named, set_help, tooltip
from studio.perturb.perturbation import Gauge

_HOLD = (
    "Hold the shares: while it trains, correct the offsets by what evaluations find until the shares of what is "
    "recognised are those asked for. It trades unbiased weights for arrival: they are then of another target than the "
    "table’s."
)
_DEVIATION = "The largest first: how far the generated share is off the target; while unknown, the target off the data."
_GAUGES = {
    Gauge.NORMALISED: (
        "Weights have mean 1 (normalised)",
        "w = e^−ΔH/⟨e^−ΔH⟩. Adding a constant to every offset changes nothing, and B_avg reads as a batch size.",
    ),
    Gauge.RAW: ("Weights are e^−ΔH as they are (raw)", "w = e^−ΔH, as in the note that the idea comes from."),
}


class OffsetsHead(QWidget):
    """Controls in rows: buttons of the presets, actions that show a column, and those that choose a gauge."""

    preset_chosen = Signal(object)  # Preset
    column_chosen = Signal(object, bool)  # Column, shown
    gauge_chosen = Signal(object)  # Gauge
    hold_chosen = Signal(bool)
    order_changed = Signal()  # another filter, or another order

    def __init__(self, stack: QUndoStack, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        half = theme.tokens.spacing // 2
        self.presets: dict[str, QAbstractButton] = {}
        self.columns: dict[Column, QAction] = {}
        self.gauges: dict[Gauge, QAction] = {}
        for preset in PRESETS:
            act = lambda _=False, chosen=preset: self.preset_chosen.emit(chosen)  # noqa: E731 - it is handed on
            self.presets[preset.name] = push_button(preset.name, preset.title, preset.help, act)
        self.undo, self.redo = undo_buttons(theme, stack)
        stack.undoTextChanged.connect(self._name_undo)
        stack.redoTextChanged.connect(self._name_redo)
        self.hold = toggle_button("offsets_hold", "Hold", _HOLD)
        self.hold.clicked.connect(self.hold_chosen)
        shown = (self._menu_button(), self.hold, BarLegend(theme), *self._order())
        self.setLayout(flow_of(*self.presets.values(), self.undo, self.redo, *shown, spacing=half))
        self.show_classes(0)

    def _menu_button(self) -> QToolButton:
        tip = "Which columns there are, and how weights are normalised."
        button, self.menu = menu_button("offsets_columns", "Columns", tip)
        for column in ON_DEMAND:
            header = HEADERS[column]
            name, title = f"column_{column.name.lower()}", header.name.capitalize()
            self.columns[column] = action = menu_action(self.menu, name, title, tooltip(header.help))
            action.setCheckable(True)
            action.toggled.connect(lambda on, column=column: self.column_chosen.emit(column, on))
        self.menu.addSeparator()
        group = QActionGroup(self.menu)
        for gauge, (title, help_text) in _GAUGES.items():
            act = lambda _=False, chosen=gauge: self.gauge_chosen.emit(chosen)  # noqa: E731 - it is handed on
            action = menu_action(self.menu, f"gauge_{gauge.value}", title, tooltip(help_text), act)
            action.setCheckable(True)
            self.gauges[gauge] = group.addAction(action)
        return button

    def _order(self) -> tuple[QWidget, ...]:
        tip = "Show the classes whose name has this in it."
        self.filter = named(QLineEdit(), "offsets_filter", "Filter classes", tip)
        self.filter.setPlaceholderText("Filter classes")
        self.filter.setClearButtonEnabled(True)
        self.filter.setFixedWidth(110)
        self.filter.textChanged.connect(self.order_changed)
        self.deviation = toggle_button("offsets_deviation", "Largest deviation", _DEVIATION, self.order_changed)
        return self.filter, self.deviation

    @Slot(str)
    def _name_undo(self, text: str) -> None:
        self.undo.setToolTip(tooltip(f"Undo “{text}” (Ctrl+Z)." if text else UNDO))

    @Slot(str)
    def _name_redo(self, text: str) -> None:
        self.redo.setToolTip(tooltip(f"Redo “{text}” (Ctrl+Shift+Z)." if text else REDO))

    def show_classes(self, number: int) -> None:
        """Offer a filter and an order where there are many classes."""
        many = number > MANY
        for widget in (self.filter, self.deviation):
            widget.setVisible(many)
        if not many:
            self.filter.clear()
            self.deviation.setChecked(False)

    def enable(self, *, tiltable: bool, some: bool) -> None:
        """Presets need classes, and some of them selected ones."""
        for preset in PRESETS:
            self.presets[preset.name].setEnabled(tiltable and (some or not preset.needs_rows))

    def show_hold(self, on: bool, *, blocked: str) -> None:
        """Whether shares are held, and why that cannot be changed, in a sentence; empty if it can."""
        self.hold.setChecked(on)
        self.hold.setEnabled(not blocked)
        set_help(self.hold, "Hold", blocked or _HOLD)
