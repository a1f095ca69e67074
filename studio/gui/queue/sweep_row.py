"""One setting of a sweep that varies: its values as a list or as a range, with what is wrong with them beside."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt, Signal, Slot
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QLineEdit, QStackedWidget, QToolButton, QWidget

from studio.gui.forms.form_row import editor_width
from studio.gui.queue.sweep_fields import BadValuesError, SweptField, parse_values, range_values
from studio.gui.widgets.buttons import tool_button
from studio.gui.widgets.choice_box import ChoiceBox
from studio.gui.widgets.number_entry import NotANumber, parse_number
from studio.gui.widgets.style_property import set_style_property
from studio.gui.widgets.tooltip import set_help, tooltip
from studio.training.config.sweep_mark import value_text

LIST, RANGE, RATIOS = "list", "range", "ratios"
_FEW = 6


class SweepRow(QWidget):
    """Editors for the values of one field.

    Args:
        field: which setting.
    """

    changed = Signal()
    removed = Signal()

    def __init__(self, field: SweptField, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.field = field
        self.setObjectName(f"sweep_row_{field.path}")
        title = QLabel(field.label, wordWrap=True)
        title.setTextFormat(Qt.TextFormat.PlainText)
        title.setToolTip(tooltip(field.info.description or "", f"Takes {field.expected}."))
        self.mode = self._make_mode()
        self.values = QLineEdit()
        self.values.setObjectName("sweep_values")
        self.values.setPlaceholderText("values, separated by commas" if field.numeric else field.expected)
        set_help(
            self.values,
            f"Values of {field.label}",
            f"Every value that it takes, separated by commas, or by semicolons where commas are decimal ones. "
            f"Takes {field.expected}.",
        )
        self.values.textEdited.connect(self.changed)
        self.ends = QStackedWidget()
        self.ends.addWidget(self.values)
        self.ends.addWidget(self._make_range())
        remove = tool_button("sweep_remove", "Remove", "Let it be the same in all runs again.")
        remove.setAccessibleName(f"Remove {field.label}")
        remove.clicked.connect(self.removed)
        self.message = QLabel(wordWrap=True)
        self.message.setObjectName("sweep_row_message")
        self.message.setTextFormat(Qt.TextFormat.PlainText)
        title.setBuddy(self.values)
        self._lay_out(title, remove)
        self.show_state()

    def _make_mode(self) -> ChoiceBox:
        mode = ChoiceBox()
        mode.setObjectName("sweep_mode")
        mode.addItem("List", LIST)
        if self.field.numeric:
            mode.addItem("Range", RANGE)
            mode.addItem("Log range", RATIOS)
        mode.setEnabled(self.field.numeric)
        mode.setFixedWidth(mode.fontMetrics().horizontalAdvance("Log range") + 44)
        set_help(
            mode,
            f"How {self.field.label} varies",
            "A list of values; a range at equal distances; or a range at equal ratios, for what spans decades.",
        )
        mode.currentIndexChanged.connect(self._on_mode)
        return mode

    def _make_range(self) -> QWidget:
        page = QWidget()
        row = QHBoxLayout(page)
        row.setContentsMargins(0, 0, 0, 0)
        self.bounds: dict[str, QLineEdit] = {}
        for name, before, text in (
            ("start", "from", "The first value."),
            ("stop", "to", "The last value."),
            ("count", "in", "How many values, both ends included."),
        ):
            line = QLineEdit("5" if name == "count" else "")
            line.setObjectName(f"sweep_{name}")
            line.setMaximumWidth(editor_width(line))
            set_help(line, f"{name.capitalize()} of {self.field.label}", text)
            line.textEdited.connect(self.changed)
            self.bounds[name] = line
            row.addWidget(QLabel(before))
            row.addWidget(line, 1)
        row.addWidget(QLabel("values"))
        row.addStretch(1)
        return page

    def _lay_out(self, title: QLabel, remove: QToolButton) -> None:
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        title.setFixedWidth(title.fontMetrics().horizontalAdvance("0" * 24))
        grid.addWidget(title, 0, 0)
        grid.addWidget(self.mode, 0, 1)
        grid.addWidget(self.ends, 0, 2)
        grid.addWidget(remove, 0, 3)
        grid.addWidget(self.message, 1, 1, 1, 3)
        grid.setColumnStretch(2, 1)

    def parsed(self) -> tuple[Any, ...]:
        """The values as they stand.

        Raises:
            BadValuesError: they cannot be taken.
        """
        mode = self.mode.currentData()
        if mode == LIST:
            return parse_values(self.values.text(), self.field)
        numbers = {}
        for name, line in self.bounds.items():
            try:
                numbers[name] = parse_number(line.text())
            except NotANumber as error:
                raise BadValuesError(f"{name.capitalize()}: {error}.") from error
        if numbers["count"] != int(numbers["count"]):
            raise BadValuesError("The number of values must be whole.")
        for end in ("start", "stop"):
            self.field.checked(numbers[end])
        return range_values(numbers["start"], numbers["stop"], int(numbers["count"]), self.field, log=mode == RATIOS)

    @property
    def untouched(self) -> bool:
        """Whether nothing has been written yet, which is no fault."""
        lines = [self.values] if self.mode.currentData() == LIST else [self.bounds["start"], self.bounds["stop"]]
        return not any(line.text().strip() for line in lines)

    def show_state(self) -> tuple[Any, ...] | None:
        """Say how many values there are, or what is wrong; the values, or None."""
        try:
            values = self.parsed()
        except BadValuesError as error:
            self._say(f"Takes {self.field.expected}." if self.untouched else str(error), fault=not self.untouched)
            return None
        shown = ", ".join(value_text(value) for value in values[:_FEW]).replace("-", "−")
        number = "1 value" if len(values) == 1 else f"{len(values)} values"
        self._say(f"{number}: {shown}{', …' if len(values) > _FEW else ''}", fault=False)
        return values

    def _say(self, text: str, *, fault: bool) -> None:
        self.message.setText(text)
        set_style_property(self.message, "role", "error" if fault else "small")
        for line in (self.values, *self.bounds.values()):
            set_style_property(line, "invalid", "true" if fault else "false")
            line.setAccessibleDescription(text)

    @Slot()
    def _on_mode(self) -> None:
        self.ends.setCurrentIndex(0 if self.mode.currentData() == LIST else 1)
        self.changed.emit()
