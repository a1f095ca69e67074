"""What the heat map behind the points shows: a choice of the fields that there are, and its range."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from PySide6.QtCore import QObject, QSignalBlocker, Qt, Slot
from PySide6.QtWidgets import QComboBox

from studio.gui.live.plane.fields import ShownField
from studio.gui.live.plane.plane_canvas import PlaneCanvas
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.tooltip import named, set_help
from studio.number_text import FIGURE_SPACE, compact

_NONE = ("", "No heat map", "Points and lines alone.")
_TIP = "What the heat map behind the points shows."
_NEXT = "H in the plot takes the next."
_NOTHING = 1e-6  # of the greatest value: less is shown as 0


class HeatChoice(QObject):
    """Draws the field that is chosen; until a person chooses one, the model's own or else the target's density."""

    def __init__(self, canvas: PlaneCanvas, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._canvas = canvas
        self._fields: Mapping[str, ShownField] = {}
        self._by_hand = False
        self.box = named(QComboBox(), "plane_heat", "Heat map", f"{_TIP} {_NEXT}")
        self.box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.box.currentIndexChanged.connect(self._on_choice)
        tip = "Least and greatest value of the heat map, pale to strong."
        self.span = plain_label(role="muted", title="Range of the heat map", tip=tip)

    def show(self, exact: Mapping[str, ShownField], own: Mapping[str, ShownField]) -> None:
        """The exact fields and the model's own, by their names: what is chosen stays."""
        self._fields = {**exact, **own}
        entries = [_NONE, *((field.name, field.title, field.tip) for field in self._fields.values())]
        if [self.box.itemData(place) for place in range(self.box.count())] != [name for name, _, _ in entries]:
            chosen = self.box.currentData() if self._by_hand else next(iter(own), [*exact][-1])
            with QSignalBlocker(self.box):
                self.box.clear()
                for place, (name, title, tip) in enumerate(entries):
                    self.box.addItem(title, name)
                    self.box.setItemData(place, tip, Qt.ItemDataRole.ToolTipRole)
                self.box.setCurrentIndex(max(0, self.box.findData(chosen)))
        self._draw()

    @property
    def shown(self) -> ShownField | None:
        return self._fields.get(self.box.currentData() or "")

    def take_next(self) -> None:
        if self.box.count():
            self.box.setCurrentIndex((self.box.currentIndex() + 1) % self.box.count())

    def describe(self, x: float, y: float, half: float) -> list[str]:
        """Every field's value there, as lines of HTML."""
        found = ((field, field.at(x, y, half)) for field in self._fields.values())
        return [
            f"{escape(field.title)}: {compact(value, 3)} {field.unit}".rstrip()
            for field, value in found
            if value is not None
        ]

    @Slot(int)
    def _on_choice(self, place: int) -> None:
        self._by_hand = True
        self._draw()

    def _draw(self) -> None:
        shown, text = self.shown, ""
        self._canvas.show_heat(shown.scaled if shown is not None else None)
        if shown is not None:
            low, high = shown.span
            low = 0.0 if 0 < low < _NOTHING * high else low
            text = f"{compact(low, 3)} … {compact(high, 3)} {shown.unit}".rstrip()
            set_help(self.box, f"Heat map: {shown.title}", f"{shown.tip} {_NEXT}")
        self.span.setText(text.ljust(30, FIGURE_SPACE) + FIGURE_SPACE)
