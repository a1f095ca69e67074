"""What is done with the sum of the terms: class offsets, temperature and clip, and what it costs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pydantic import ValidationError
from PySide6.QtCore import QObject, Signal, Slot
from PySide6.QtWidgets import QFrame, QLabel, QWidget

from studio.gui.forms.field_info import fault_text, range_of, style_of, title_of
from studio.gui.forms.fields import Field, SwitchField
from studio.gui.forms.number_field import NumberField
from studio.gui.state.tilt_view import TiltView
from studio.gui.widgets.buttons import toggle_button
from studio.gui.widgets.labels import wrapped_label
from studio.gui.widgets.layouts import row_of
from studio.gui.widgets.stylesheet import set_style_property
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import set_help, tooltip
from studio.number_text import compact, percent_words
from studio.perturb.diagnostics import Strength
from studio.training.config.energy import EnergyConfig

_WIDTH = 72
_FIRST_CLIP = 3.0
_VERDICTS = {Strength.NONE: "no tilt"}
_COST = (
    "What the weighted data is worth, as a share of its examples (Kish's effective sample size). "
    "ESS/n = (Σw)²/(n·Σw²); near 0 little of the data counts. k̂ is the shape of a generalised Pareto law of the "
    "largest weights: above 0.7 (less for fewer than 10,000 examples) means by these weights cannot be trusted."
)


class EnergySum(QObject):
    """The row of the class offsets, temperature and clip, and the cost, laid out where there is room."""

    edited = Signal(object, str)  # EnergyConfig, what the edit is called

    def __init__(self, theme: ThemeManager, parent: QWidget) -> None:
        super().__init__(parent)
        self._energy = EnergyConfig()
        self.fields: dict[str, Field] = {}
        half = theme.tokens.spacing // 2
        self.offsets_row = QFrame()
        self.offsets_row.setFrameShape(QFrame.Shape.StyledPanel)
        self.offsets_row.setAccessibleName("Class offsets")
        on, scale = self._take("offsets_enabled", SwitchField()), self._number("offsets_scale")
        said = self._label("Class offsets, as in the table", "offsets_enabled")
        row_of(on, said, 1, self._label("Scale", "offsets_scale"), scale, inside=self.offsets_row, margins=half)
        tip = str(EnergyConfig.model_fields["clip"].description)
        self.clip_on = toggle_button("energy_clip_on", "Clip ±", f"{tip} Off: ΔH counts as it is.")
        self.clip_on.clicked.connect(self._switch_clip)
        temperature = (self._label("Temperature", "temperature"), self._number("temperature"))
        self.controls = QWidget()
        row_of(*temperature, self.clip_on, self._number("clip"), inside=self.controls)
        self.cost = wrapped_label("energy_cost")
        set_help(self.cost, "Cost of the tilt", _COST)

    def _number(self, name: str) -> NumberField:
        info = EnergyConfig.model_fields[name]
        field = NumberField(style_of(info), range_of(info))
        field.setFixedWidth(_WIDTH)
        self._take(name, field)
        return field

    def _label(self, text: str, name: str) -> QLabel:
        label = QLabel(text)
        label.setToolTip(tooltip(EnergyConfig.model_fields[name].description or ""))
        return label

    def _take(self, name: str, field: Any) -> QWidget:
        info = EnergyConfig.model_fields[name]
        field.setObjectName(f"energy_{name}")
        set_help(field, title_of(name, info), info.description or "")
        field.finished.connect(lambda: self._finished(name))
        self.fields[name] = field
        assert isinstance(field, QWidget)
        return field

    # -- state in

    def show_energy(self, energy: EnergyConfig) -> None:
        self._energy = energy
        for name, field in self.fields.items():
            value = getattr(energy, name)
            field.show_value(_FIRST_CLIP if value is None else value)
            if isinstance(field, QWidget):
                set_style_property(field, "invalid", "false")
        self.clip_on.setChecked(energy.clip is not None)
        for name, on in (("clip", energy.clip is not None), ("offsets_scale", energy.offsets_enabled)):
            field = self.fields[name]
            if isinstance(field, QWidget):
                field.setEnabled(on)

    def show_tilt(self, tilt: TiltView, remarks: Sequence[str]) -> None:
        """What comes of it, and what there is to say of what its terms ask for."""
        self.offsets_row.setVisible(tilt.dataset.labelled)
        summary = tilt.trained.summary
        tail = "" if summary.tail is None else f", k̂ {compact(summary.tail, 2)}"
        text = f"ESS/n {percent_words(summary.efficiency)}{tail} – {_VERDICTS.get(summary.strength, summary.strength)}"
        if not summary.trusted:
            text += ". So few large weights decide that ESS/n and shares themselves are uncertain (k̂ is too high)"
        clip = summary.clip
        if clip is not None:
            text += (
                f". Clipped: {percent_words(clip.clipped)} of the examples; the target given differs from the one "
                f"asked for by {percent_words(clip.variation)} (total variation)"
            )
        self.cost.setText(". ".join([text, *remarks]) + ".")
        set_style_property(self.cost, "role", "")

    # -- intent out

    @Slot()
    def _switch_clip(self) -> None:
        self._set({"clip": _FIRST_CLIP if self.clip_on.isChecked() else None}, "clip")

    def _finished(self, name: str) -> None:
        field = self.fields[name]
        if fault := field.fault():
            self._say(fault, field)
        elif field.raw() != getattr(self._energy, name) and not (name == "clip" and self._energy.clip is None):
            self._set({name: field.raw()}, name)

    def _set(self, change: dict[str, Any], name: str) -> None:
        values = {each: getattr(self._energy, each) for each in EnergyConfig.model_fields} | change
        info = EnergyConfig.model_fields[name]
        try:
            energy = EnergyConfig.model_validate(values)
        except ValidationError as error:
            self._say(fault_text(error.errors()[0], info), self.fields[name])
            return
        self.edited.emit(energy, title_of(name, info))

    def _say(self, text: str, field: Field) -> None:
        self.cost.setText(text)
        set_style_property(self.cost, "role", "error")
        if isinstance(field, QWidget):
            set_style_property(field, "invalid", "true")
