"""What is asked of the theory: which f, how far along the tilt, which plots, and whether to weigh draws back."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSlider, QWidget

from studio.gui.target.theory.view import PLOTS
from studio.gui.widgets.buttons import toggle_button, tool_button
from studio.gui.widgets.flow_layout import FlowLayout
from studio.gui.widgets.tooltip import set_help
from studio.perturb.theory import LARGEST_SCALE

TICKS = 100
"""Positions of the slider for s from 0 to 1."""

_BACK = (
    "⟨f⟩ of the data without a tilt, from draws of the tilted model of the run that is shown: umbrella sampling. "
    "Σ w·f/Σ w, w = e^(+ΔH)."
)
_FOLLOW = (
    "Where the model of the run that is shown would go, were ΔH scaled: its parameters follow the tilt, its samples "
    "them. dθ/ds = H⁻¹·∇Cov(ΔH, ℓ), ⟨f⟩ + (s − s₀)·d⟨f⟩/ds. Takes half a minute; for models of one loss or an energy."
)
_APPLY = (
    "Step a copy of the weights of the run that is shown to the scale s, and see in “Samples” what it generates; the "
    "run stays as it is. θ + (s − s₀)·dθ/ds. Where “Model, first order” was not asked for, it is found first."
)
_AT_FIRST = ("mean", "ess")


class TheoryControls:
    """Widgets in two rows.

    Attributes:
        row: f, and the scale s.
        buttons: which plots, "Model, first order", "Apply to first order" and "Back again".
        shown: the buttons of the plots, by name.
    """

    def __init__(self, spacing: int) -> None:
        self.row = self._row(spacing)
        self.buttons = self._buttons()

    def _row(self, spacing: int) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(spacing)
        self.choice = QComboBox()
        self.choice.setObjectName("theory_observable")
        self.choice.setMinimumContentsLength(12)
        set_help(
            self.choice,
            "Observable f",
            "The number whose mean is predicted: a class's share, a feature, or what a term reads.",
        )
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setObjectName("theory_scale")
        self.slider.setRange(0, round(LARGEST_SCALE * TICKS))
        self.slider.setPageStep(TICKS // 10)
        self.slider.setValue(TICKS)
        tip = "Scales the whole tilt: 0 is the data as it is, 1 the target as set up. p_s ∝ p·e^(−s·ΔH)."
        set_help(self.slider, "Scale s of the tilt", tip)
        self.scale_label = QLabel()
        self.scale_label.setMinimumWidth(self.scale_label.fontMetrics().horizontalAdvance("s = 0.00 "))
        set_help(self.scale_label, "Scale s of the tilt", tip)
        for text, widget, stretch in (("f", self.choice, 1), ("Scale", self.slider, 2)):
            label = QLabel(text)
            label.setBuddy(widget)
            label.setProperty("role", "muted")
            row.addWidget(label)
            row.addWidget(widget, stretch)
        row.addWidget(self.scale_label)
        return row

    def _buttons(self) -> QWidget:
        bar = QWidget()
        row = FlowLayout(bar, spacing=2)
        self.shown = {
            name: toggle_button(f"theory_{name}", title, tip, checked=name in _AT_FIRST)
            for name, (title, tip) in PLOTS.items()
        }
        for button in self.shown.values():
            row.addWidget(button)
        self.follow = tool_button("theory_follow", "Model, first order", _FOLLOW)
        row.addWidget(self.follow)
        self.apply = tool_button("theory_apply", "Apply to first order", _APPLY)
        row.addWidget(self.apply)
        self.back = tool_button("theory_back", "Back again", _BACK)
        row.addWidget(self.back)
        return bar
