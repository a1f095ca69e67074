"""How long a run is to train: an amount, in minutes or in steps."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from studio.gui.forms.number_field import NumberField, NumberStyle, Range
from studio.gui.widgets.choice_box import ChoiceBox
from studio.gui.widgets.layouts import row_of
from studio.gui.widgets.tooltip import named
from studio.training.config.run_config import StopCondition

_LEAST, _MOST = 1e-6, 1e9


class LengthField(QWidget):
    """Two editors side by side."""

    changed = Signal()

    def __init__(self, name: str) -> None:
        super().__init__()
        amount = NumberField(NumberStyle(step=1), Range(lowest=0, open_below=True, highest=_MOST))
        tip = "How long each run is to train, in the unit beside it."
        self.amount = named(amount, f"{name}_amount", "Length", tip)
        self.amount.show_value(5)
        self.amount.edited.connect(self.changed)
        tip = "Minutes of training, or training steps."
        self.unit = named(ChoiceBox(), f"{name}_unit", "Unit of the length", tip)
        self.unit.addItems(["minutes", "steps"])
        self.unit.currentIndexChanged.connect(self.changed)
        self.setFocusProxy(self.amount)
        row_of((self.amount, 1), (self.unit, 1), inside=self)

    def fault(self) -> str:
        """What keeps it from being taken; empty if nothing does."""
        fault = self.amount.fault()
        if not fault and not _LEAST <= float(self.amount.raw()) <= _MOST:
            return f"The length must lie from {_LEAST:g} to {_MOST:g}."
        return fault

    @property
    def limit(self) -> StopCondition:
        """When a run is complete; there is no fault."""
        amount = float(self.amount.raw())
        if self.unit.currentText() == "steps":
            return StopCondition(steps=max(1, round(amount)))
        return StopCondition(seconds=60 * amount)
