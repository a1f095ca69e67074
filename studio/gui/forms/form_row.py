"""One row of a form: label, editor, reset button, and a message beside it when the entry is no good."""

from __future__ import annotations

from typing import Any

from pydantic.fields import FieldInfo
from PySide6.QtCore import QObject, Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QToolButton, QWidget

from studio.gui.forms.drawing_field import DrawingField
from studio.gui.forms.field_info import extra, range_text, title_of, value_text
from studio.gui.forms.fields import ChoiceField, Field, PathField, SwitchField, TextField
from studio.gui.widgets.labels import WrappedLabel
from studio.gui.widgets.stylesheet import set_style_property
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import tooltip
from studio.settings import Settings

_EDITOR_DIGITS = 11
_EDITOR_BUTTONS = 36


class FormRow(QObject):
    """Widgets of one field, laid out into a form's grid of three columns."""

    edited = Signal()
    finished = Signal()

    def __init__(
        self, name: str, info: FieldInfo, field: Field, default: Any, theme: ThemeManager, form: QWidget
    ) -> None:
        super().__init__(form)
        assert isinstance(field, QWidget)
        self.name, self.info, self.field, self.default = name, info, field, default
        self.title = title_of(name, info)
        self._theme = theme
        self._widget: QWidget = field
        help_text = tooltip(
            info.description or "",
            f"Default: {value_text(info, default)}. {_sentence('Range', range_text(info))}".strip(),
        )
        field.setParent(form)
        field.setObjectName(name)
        field.setAccessibleName(self.title)
        field.setAccessibleDescription(info.description or "")
        field.setToolTip(help_text)
        self._help = help_text
        self._label = QLabel(self.title, form)
        self._label.setWordWrap(True)
        self._label.setBuddy(field)
        self._label.setToolTip(help_text)
        self.reset = self._reset_button(form)
        self.message = WrappedLabel(parent=form)
        self.message.setObjectName(f"{name}_message")
        self.message.setProperty("role", "error")
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        self.message.hide()
        field.edited.connect(self.edited)
        field.finished.connect(self.finished)

    def _reset_button(self, form: QWidget) -> QToolButton:
        button = reset_room(self._theme, form)
        button.setObjectName(f"{self.name}_reset")
        button.setAccessibleName(f"Reset {self.title}")
        button.setToolTip(tooltip(f"Back to {value_text(self.info, self.default)}."))
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        button.clicked.connect(self._reset)
        return button

    def lay_out(self, grid: QGridLayout) -> None:
        """Add the row below what the grid holds; texts, paths and long choices get a line of their own."""
        row = grid.rowCount()
        right = Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if isinstance(self._widget, TextField | PathField | DrawingField) or _is_wide(self._widget):
            grid.addWidget(self._label, row, 0, 1, 2)
            grid.addWidget(self.reset, row, 2, right)
            grid.addWidget(self._widget, row + 1, 0, 1, 3)
            grid.addWidget(self.message, row + 2, 0, 1, 3)
        else:
            self._label.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
            grid.addWidget(self._label, row, 0)
            if not isinstance(self._widget, SwitchField):
                self._widget.setFixedWidth(editor_width(self._widget))
            grid.addWidget(self._widget, row, 1)
            grid.addWidget(self.reset, row, 2, right)
            grid.addWidget(self.message, row + 1, 0, 1, 3)

    @property
    def live(self) -> bool:
        """Whether it may be changed while a run is under way."""
        return bool(extra(self.info, "live"))

    def is_of_use(self, settings: Settings) -> bool:
        """Whether the other settings leave it something to do."""
        conditions: dict[str, list[str]] = extra(self.info, "when") or {}
        return all(
            getattr(settings, name) in values if values else bool(getattr(settings, name))
            for name, values in conditions.items()
        )

    def set_shown(self, on: bool) -> None:
        self._label.setVisible(on)
        self._widget.setVisible(on)
        room = self.reset.sizePolicy()
        room.setRetainSizeWhenHidden(on)
        self.reset.setSizePolicy(room)
        self.reset.setVisible(on and not self.is_default)
        self.message.setVisible(on and bool(self.message.text()))

    def lock(self, on: bool, why: str) -> None:
        """Disable the row, with `why` as its tooltip, or enable it again."""
        for widget in (self._label, self._widget, self.reset):
            widget.setEnabled(not on)
        for widget in (self._label, self._widget):
            widget.setToolTip(why if on and why else self._help)

    @property
    def is_default(self) -> bool:
        return bool(self.field.raw() == self.default)

    def show_value(self, value: Any) -> None:
        self.field.show_value(value)
        self.say("")
        self.reset.setVisible(value != self.default)

    def say(self, text: str) -> None:
        """A message beside the editor; empty to take it away."""
        self.message.setText(text)
        self.message.setVisible(bool(text))
        self._widget.setAccessibleDescription(text or self.info.description or "")
        editor = self._widget.line if isinstance(self._widget, PathField) else self._widget
        set_style_property(editor, "invalid", "true" if text else "false")

    @Slot()
    def _reset(self) -> None:
        self._widget.setFocus()  # before the button hides and would pass it on to some other row
        self.show_value(self.default)
        self.edited.emit()
        self.finished.emit()


def reset_room(theme: ThemeManager, parent: QWidget) -> QToolButton:
    """A hidden reset button that keeps its room, so that nothing jumps when it shows."""
    button = QToolButton(parent)
    theme.bind_icon(button, "reset")
    kept = button.sizePolicy()
    kept.setRetainSizeWhenHidden(True)
    button.setSizePolicy(kept)
    button.hide()
    return button


def editor_width(widget: QWidget) -> int:
    """One width for the editors of all forms, so that they stand in one column; in pixels."""
    return widget.fontMetrics().horizontalAdvance("0" * _EDITOR_DIGITS) + _EDITOR_BUTTONS


def _is_wide(widget: QWidget) -> bool:
    """Whether a choice would be cut off in a column of that width."""
    if not isinstance(widget, ChoiceField):
        return False
    metrics = widget.fontMetrics()
    widest = max(metrics.horizontalAdvance(widget.itemText(place)) for place in range(widget.count()))
    return widest + _EDITOR_BUTTONS > editor_width(widget)


def _sentence(head: str, text: str) -> str:
    return f"{head}: {text}." if text else ""
