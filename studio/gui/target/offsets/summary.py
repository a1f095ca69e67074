"""Below the table: whether the tilt has arrived and what it costs, and whether the run has taken it up."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QWidget

from studio.figures import compact
from studio.gui.state.view_state import TiltView
from studio.gui.target.offsets.sentence import Sentence
from studio.gui.widgets.labels import plain_label, wrapped_label
from studio.gui.widgets.layouts import column_of, row_of
from studio.gui.widgets.number_entry import shown_weight
from studio.gui.widgets.stylesheet import set_style_property
from studio.gui.widgets.tooltip import set_help, tooltip

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
_EFFICIENCY = (
    "ESS/n = (Σw)² / (n · Σw²): what the weighted data is worth, as a share of its examples (Kish's effective sample "
    "size)."
)


class OffsetsSummary(QFrame):
    """The answer and the cost, each a line or two."""

    def __init__(self, spacing: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "answer")
        self.answer, self.cost = wrapped_label("answer"), wrapped_label("cost")
        self.pending = plain_label("pending…", name="pending")
        self.answer.setProperty("strong", "true")
        set_help(self.answer, "Answer", "Whether the class that is tilted most has arrived at its target share.")
        self.pending.hide()
        line = row_of((self.answer, 1), self.pending)
        line.setAlignment(self.pending, Qt.AlignmentFlag.AlignTop)
        margins = (spacing, spacing // 2, spacing, spacing // 2)
        column_of(line, self.cost, inside=self, margins=margins, spacing=spacing // 4)
        self.cost.setFixedHeight(2 * self.fontMetrics().lineSpacing())  # so that nothing jumps while its text changes

    def show_tilt(self, view: TiltView | None) -> None:
        refused = view is not None and view.refused
        text, role, tip = _REFUSED if refused else _PENDING
        self.pending.setVisible(view is not None and (view.pending or refused))
        self.pending.setText(text)
        self.pending.setToolTip(tooltip(tip))
        set_style_property(self.pending, "role", role)
        self.setVisible(view is not None)
        if view is None:
            return
        said, summary = Sentence.of(view), view.summary
        self.answer.setText(said.answer if view.dataset.labelled else "")
        self.cost.setText(view.hint or said.cost)
        set_style_property(self.answer, "role", said.answer_role)
        set_style_property(self.cost, "role", said.cost_role)
        set_style_property(self, "answer", said.answer_role)
        examples, mean = compact(summary.examples_per_batch, 3), shown_weight(summary.mean_raw_weight)
        batch = f"About {examples} examples a batch. Raw weights have mean ⟨w⟩ = {mean}."
        self.cost.setToolTip(tooltip(view.reason, batch, _EFFICIENCY))
        self.cost.setAccessibleDescription(view.reason)
