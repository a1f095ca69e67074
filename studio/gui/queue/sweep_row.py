"""One setting of a sweep that varies: the line its values are written in, and what they come to, or what is wrong."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QLineEdit

from studio.gui.queue.sweep_fields import BadValuesError, SweptField, parse_values
from studio.gui.widgets.number_entry import MINUS
from studio.gui.widgets.stylesheet import set_style_property
from studio.gui.widgets.tooltip import set_help, tooltip
from studio.training.config.sweep_mark import setting_text

_FEW = 6
HOW = "Values are separated by commas, or a range: “−2 to 0 in 5”, or at equal ratios “16 to 256 in 5 log”."


class SweepRow:
    """Widgets of a line of the table."""

    def __init__(self, field: SweptField) -> None:
        self.field = field
        self.title, self.message = QLabel(field.label), QLabel()
        for label in (self.title, self.message):
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setMargin(4)
        self.title.setToolTip(tooltip(field.info.description or "", f"Takes {field.expected}."))
        self.values = QLineEdit()
        self.values.setObjectName("sweep_values")
        self.values.setPlaceholderText(field.expected)
        how = f"{HOW} Semicolons separate where commas are decimal ones." if field.numeric else "Separated by commas."
        set_help(self.values, f"Values of {field.label}", f"Takes {field.expected}. {how}")

    @property
    def untouched(self) -> bool:
        """Whether nothing has been written yet, which is no fault."""
        return not self.values.text().strip()

    def show_state(self) -> tuple[Any, ...] | None:
        """Say how many values there are, or what is wrong; the values, or None."""
        try:
            values = parse_values(self.values.text(), self.field)
        except BadValuesError as error:
            self._say("" if self.untouched else str(error), fault=not self.untouched)
            return None
        shown = ", ".join(setting_text(self.field.path, value) for value in values[:_FEW])
        if self.field.numeric:
            shown = shown.replace("-", MINUS)
        number = "1 value" if len(values) == 1 else f"{len(values)} values"
        self._say(f"{number}: {shown}{', …' if len(values) > _FEW else ''}", fault=False)
        return values

    def _say(self, text: str, *, fault: bool) -> None:
        self.message.setText(text)
        self.message.setToolTip(tooltip(text))
        set_style_property(self.message, "role", "error" if fault else "small")
        set_style_property(self.values, "invalid", "true" if fault else "false")
        self.values.setAccessibleDescription(text)
