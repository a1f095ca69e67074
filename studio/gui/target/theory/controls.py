"""What is asked of the theory: which f, how far along the tilt, which plots, and whether to weigh draws back."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLabel, QSlider

from studio.gui.target.theory.view import PLOTS
from studio.gui.widgets.buttons import toggle_button, tool_button
from studio.gui.widgets.flow_layout import flow_bar
from studio.gui.widgets.labels import plain_label
from studio.gui.widgets.layouts import row_of
from studio.gui.widgets.tooltip import named, set_help
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
    """A row for f and the scale s, and one of buttons: of the plots, by name, and of what a model is asked."""

    def __init__(self, spacing: int) -> None:
        self.row = self._row(spacing)
        self.shown = {
            name: toggle_button(f"theory_{name}", title, tip, checked=name in _AT_FIRST)
            for name, (title, tip) in PLOTS.items()
        }
        self.follow = tool_button("theory_follow", "Model, first order", _FOLLOW)
        self.apply = tool_button("theory_apply", "Apply to first order", _APPLY)
        self.back = tool_button("theory_back", "Back again", _BACK)
        self.buttons = flow_bar(*self.shown.values(), self.follow, self.apply, self.back, spacing=2)

    def _row(self, spacing: int) -> QHBoxLayout:
        tip = "The number whose mean is predicted: a class's share, a feature, or what a term reads."
        self.choice = named(QComboBox(), "theory_observable", "Observable f", tip)
        self.choice.setMinimumContentsLength(12)
        title = "Scale s of the tilt"
        tip = "Scales the whole tilt: 0 is the data as it is, 1 the target as set up. p_s ∝ p·e^(−s·ΔH)."
        self.slider = named(QSlider(Qt.Orientation.Horizontal), "theory_scale", title, tip)
        self.slider.setRange(0, round(LARGEST_SCALE * TICKS))
        self.slider.setPageStep(TICKS // 10)
        self.slider.setValue(TICKS)
        self.scale_label = QLabel()
        self.scale_label.setMinimumWidth(self.scale_label.fontMetrics().horizontalAdvance("s = 0.00 "))
        set_help(self.scale_label, title, tip)
        of_f, of_scale = (
            plain_label("f", role="muted", of=self.choice),
            plain_label("Scale", role="muted", of=self.slider),
        )
        return row_of(of_f, (self.choice, 1), of_scale, (self.slider, 2), self.scale_label, spacing=spacing)

    @property
    def scale(self) -> float:
        """s, as chosen."""
        return self.slider.value() / TICKS
