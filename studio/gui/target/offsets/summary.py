"""Below the offsets: what the tilt costs in three numbers, and the plain verdict."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QLabel, QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from studio.gui.state.view_state import TiltView
from studio.gui.widgets.number_entry import UNKNOWN, shown_weight
from studio.gui.widgets.style_property import set_style_property
from studio.gui.widgets.theme import ThemeManager
from studio.gui.widgets.tooltip import tooltip
from studio.perturb.diagnostics import Strength
from studio.perturb.perturbation import Gauge

_VERDICTS = {
    Strength.NONE: ("No tilt", "the target is the data as it is", "muted"),
    Strength.GENTLE: ("Gentle", "training stays about as steady", "ok"),
    Strength.STRONG: ("Strong", "gradients are noisier", "warning"),
    Strength.TOO_STRONG: ("Too strong", "gradients are noisy", "error"),
}
_OUTWEIGHED = "single examples outweigh a batch"
_GAUGES = {
    Gauge.NORMALISED: (
        "Normalised: weights have mean 1",
        "w = e^−ΔH/⟨e^−ΔH⟩. Adding a constant to every offset changes nothing, and B_avg reads as a batch size.",
    ),
    Gauge.RAW: ("Raw: weights are e^−ΔH as they are", "w = e^−ΔH, as in the note that the idea comes from."),
}

_PENDING = (
    "pending…",
    "warning",
    "The trainer takes this target up with its next step; until then it trains the last one.",
)
_REFUSED = (
    "refused",
    "error",
    "The run cannot train towards this target, as the log says, and keeps the one before. Change it, or undo.",
)


class OffsetsSummary(QWidget):
    """⟨w⟩, ESS/n, examples a batch; verdict; gauge; whether the trainer has taken the target up."""

    gauge_chosen = Signal(object)  # Gauge

    def __init__(self, theme: ThemeManager, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.mean_weight = _number(
            "mean_weight",
            "Mean of the raw weights over the data, which the normalised gauge divides by.",
            "⟨w⟩ = ⟨e^−ΔH⟩ = Z",
        )
        self.efficiency = _number(
            "efficiency",
            "What the weighted data is worth, as a share of its examples (Kish's effective sample size).",
            "ESS/n = (Σw)² / (n · Σw²); near 0 little of the data counts.",
        )
        self.examples = _number(
            "examples_per_batch",
            "How many examples a batch takes on average until their weights add up to B_avg.",
            "n = B_avg / ⟨w⟩ in the gauge in use",
        )
        self.verdict = QLabel()
        self.verdict.setObjectName("verdict")
        self.verdict.setTextFormat(Qt.TextFormat.PlainText)
        self.verdict.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self.pending = QLabel("pending…")
        self.pending.setObjectName("pending")
        kept = self.pending.sizePolicy()
        kept.setRetainSizeWhenHidden(True)  # so that nothing jumps
        self.pending.setSizePolicy(kept)
        self.pending.hide()
        self._gauge = self._gauge_button()
        theme.bind_icon(self._gauge, "settings")
        self._lay_out(theme.tokens.spacing)

    def _lay_out(self, spacing: int) -> None:
        numbers = QHBoxLayout()
        numbers.setSpacing(2 * spacing)
        for label in (self.mean_weight, self.efficiency, self.examples):
            numbers.addWidget(label)
        numbers.addStretch(1)
        numbers.addWidget(self.pending)
        words = QHBoxLayout()
        words.addWidget(self.verdict, 1)
        words.addWidget(self._gauge)
        column = QVBoxLayout(self)
        column.setContentsMargins(spacing, 0, spacing // 2, 0)
        column.setSpacing(0)
        column.addLayout(numbers)
        column.addLayout(words)

    def _gauge_button(self) -> QToolButton:
        button = QToolButton()
        button.setObjectName("gauge")
        button.setAccessibleName("Gauge of the weights")
        button.setToolTip(tooltip("Gauge: how weights are normalised."))
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        menu = QMenu(button)
        menu.setToolTipsVisible(True)
        group = QActionGroup(menu)
        self._actions: dict[Gauge, QAction] = {}
        for gauge, (title, help_text) in _GAUGES.items():
            action = QAction(title, group)
            action.setCheckable(True)
            action.setToolTip(tooltip(help_text))
            action.setObjectName(f"gauge_{gauge.value}")
            action.triggered.connect(lambda _checked, chosen=gauge: self.gauge_chosen.emit(chosen))
            menu.addAction(action)
            self._actions[gauge] = action
        button.setMenu(menu)
        return button

    def show_tilt(self, view: TiltView | None) -> None:
        """Show the numbers of a tilt, or dashes."""
        self.setEnabled(view is not None)
        self._show_answer(view)
        if view is None:
            for label, text in ((self.mean_weight, "⟨w⟩"), (self.efficiency, "ESS/n"), (self.examples, "batch")):
                label.setText(f"{text} {UNKNOWN}")
            self.verdict.clear()
            return
        summary = view.summary
        self.mean_weight.setText(f"⟨w⟩ {shown_weight(summary.mean_raw_weight)}")
        self.efficiency.setText(f"ESS/n {_percent(summary.efficiency)}")
        self.examples.setText(f"≈ {_count(summary.examples_per_batch)} examples a batch")
        word, why, role = _VERDICTS[summary.strength]
        if summary.carriers.few:
            why = f"{summary.carriers.words(view.dataset.noun)}: expect copies"
            role = "error" if role == "error" else "warning"
        if view.outweighed:
            why, role = f"{why}; {_OUTWEIGHED}", "error" if role == "error" else "warning"
        self.verdict.setText(f"{word}: {why}")
        self.verdict.setToolTip(tooltip(view.reason))
        self.verdict.setAccessibleDescription(view.reason)
        set_style_property(self.verdict, "role", role)
        self._actions[view.perturbation.gauge].setChecked(True)

    def _show_answer(self, view: TiltView | None) -> None:
        """Whether the run has taken the target up."""
        refused = view is not None and view.refused
        text, role, tip = _REFUSED if refused else _PENDING
        self.pending.setVisible(view is not None and (view.pending or refused))
        self.pending.setText(text)
        self.pending.setToolTip(tooltip(tip))
        set_style_property(self.pending, "role", role)


def _number(name: str, help_text: str, formula: str) -> QLabel:
    label = QLabel()
    label.setObjectName(name)
    label.setToolTip(tooltip(help_text, formula))
    label.setAccessibleDescription(help_text)
    return label


def _percent(share: float) -> str:
    percent = 100 * share
    return f"{percent:.1f} %" if percent >= 0.1 or percent == 0 else "< 0.1 %"


def _count(number: float) -> str:
    if not math.isfinite(number) or number >= 1e9:
        return "∞" if not math.isfinite(number) else f"{number:.1e}"
    return f"{number:,.0f}" if number >= 10 else f"{number:.2g}"
