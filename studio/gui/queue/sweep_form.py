"""How the values of a sweep combine, how many seeds, how long each run trains, and what the sweep is called."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFormLayout, QHBoxLayout, QLineEdit, QWidget

from studio.gui.forms.number_field import NumberField, NumberStyle, Range
from studio.gui.widgets.choice_box import ChoiceBox
from studio.gui.widgets.tooltip import set_help
from studio.jobs.sweep_plan import Combination
from studio.training.config.limit import StopCondition

_MOST_SEEDS = 100
_AIR = 6


class SweepForm(QWidget):
    """The lower half of the dialog."""

    changed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._make_combination()
        self._make_length()
        self.name = QLineEdit()
        self.name.setObjectName("sweep_name")
        self.name.setMaxLength(80)
        set_help(self.name, "Name", "What to call the sweep; also part of its runs' folders.")
        length = QWidget()
        length.setFocusProxy(self.amount)
        row = QHBoxLayout(length)
        row.setContentsMargins(0, 0, 0, 0)
        row.addWidget(self.amount, 1)
        row.addWidget(self.unit, 1)
        form = QFormLayout(self)
        form.setContentsMargins(0, 0, 0, 0)
        form.addRow("&Combine", self.combination)
        form.addRow("&Runs of each", self.seeds)
        form.addRow("&Train each for", length)
        longest = form.labelForField(length)
        longest.setMinimumWidth(longest.fontMetrics().horizontalAdvance("Train each for") + _AIR)
        form.addRow("&Name", self.name)

    def _make_combination(self) -> None:
        self.combination = ChoiceBox()
        self.combination.setObjectName("sweep_combination")
        for each in Combination:
            self.combination.addItem(each.label, each)
        set_help(
            self.combination,
            "Combination",
            "Every value of one setting with every value of the others; or side by side: the first value of each, then "
            "the second of each, and so on.",
        )
        self.combination.currentIndexChanged.connect(self.changed)
        self.seeds = NumberField(NumberStyle(integer=True, step=1, unit="seeds"), Range(lowest=1, highest=_MOST_SEEDS))
        self.seeds.setObjectName("sweep_seeds")
        self.seeds.show_value(1)
        set_help(
            self.seeds,
            "Seeds",
            "Runs of each combination, with as many seeds: they tell chance from what a value does.",
        )
        self.seeds.edited.connect(self.changed)

    def _make_length(self) -> None:
        self.amount = NumberField(NumberStyle(step=1), Range(lowest=0, open_below=True, highest=1e9))
        self.amount.setObjectName("sweep_amount")
        self.amount.show_value(5)
        set_help(self.amount, "Length", "How long each run is to train, in the unit beside it.")
        self.amount.edited.connect(self.changed)
        self.unit = ChoiceBox()
        self.unit.setObjectName("sweep_unit")
        self.unit.addItems(["minutes", "steps"])
        set_help(self.unit, "Unit of the length", "Minutes of training, or training steps.")
        self.unit.currentIndexChanged.connect(self.changed)

    def fault(self) -> str:
        """What keeps it from being taken; empty if nothing does."""
        for field, what, least, most in (
            (self.seeds, "The number of seeds", 1, _MOST_SEEDS),
            (self.amount, "The length", 1e-6, 1e9),
        ):
            if field.fault():
                return field.fault()
            if not least <= float(field.raw()) <= most:
                return f"{what} must lie from {least:g} to {most:g}."
        return "" if isinstance(self.seeds.raw(), int) else "The number of seeds must be whole."

    @property
    def number_of_seeds(self) -> int:
        """Runs of each combination."""
        return int(self.seeds.raw())

    @property
    def limit(self) -> StopCondition:
        """When each run is complete."""
        amount = float(self.amount.raw())
        if self.unit.currentText() == "steps":
            return StopCondition(steps=max(1, round(amount)))
        return StopCondition(seconds=60 * amount)

    @property
    def title(self) -> str:
        """What the sweep is to be called."""
        return self.name.text().strip() or self.name.placeholderText()
