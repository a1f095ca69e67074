"""Below the table, in words: did the tilt arrive, what does it cost, and has the run taken it up?"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QFrame, QWidget

from studio.evaluation.arrival import Answer
from studio.evaluation.arrival_words import ARRIVED_IF, NO_TILT, answer_words, at_once_words, members_of, others_words
from studio.gui.state.tilt_view import TiltView
from studio.gui.widgets.buttons import tool_button
from studio.gui.widgets.labels import plain_label, wrapped_label
from studio.gui.widgets.layouts import column_of, row_of
from studio.gui.widgets.number_entry import shown_weight
from studio.gui.widgets.stylesheet import set_style_property
from studio.gui.widgets.tooltip import set_help, tooltip
from studio.number_text import compact, fixed, percent_words, plain
from studio.perturb.diagnostics import Strength

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
_OFFSETS_ALONE = "Shares and weights are by the offsets of the classes alone: the terms are left out."
_OUTWEIGHED = "Single examples outweigh a batch."
_STRENGTHS = {
    Strength.NONE: ("No tilt", "muted"),
    Strength.GENTLE: ("Gentle tilt", "muted"),
    Strength.STRONG: ("Strong tilt", "warning"),
    Strength.TOO_STRONG: ("Too strong a tilt", "error"),
}
_ROLES = {Answer.ARRIVED: "ok", Answer.STALLED: "warning"}


class OffsetsSummary(QFrame):
    """The answer and the cost, each a line or two."""

    def __init__(self, spacing: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("role", "answer")
        self.answer, self.cost = wrapped_label("answer"), wrapped_label("cost")
        self.pending = plain_label("pending…", name="pending")
        self.answer.setProperty("strong", "true")
        tip = f"Whether the class that is tilted most has arrived at its target share.\nArrived: {ARRIVED_IF}."
        set_help(self.answer, "Answer", tip)
        self.pending.hide()
        self.recipe = tool_button("recipe", "", "")
        self.recipe.hide()
        line = row_of((self.answer, 1), self.pending)
        line.setAlignment(self.pending, Qt.AlignmentFlag.AlignTop)
        margins = (spacing, spacing // 2, spacing, spacing // 2)
        column_of(line, self.cost, row_of(self.recipe, 1), 1, inside=self, margins=margins, spacing=spacing // 4)

    def _fit(self) -> None:
        """Two lines for each, so that nothing jumps while their texts change, or as many as they take."""
        room, lines = self.contentsRect().width(), 2 * (2 if self.answer.isVisibleTo(self) else 1)
        layout = self.layout()
        assert layout is not None
        margins = layout.contentsMargins()
        air = margins.top() + margins.bottom() + layout.spacing() + 2 * self.frameWidth()
        least = lines * self.fontMetrics().lineSpacing() + air
        self.setFixedHeight(max(least, layout.totalHeightForWidth(room)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

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
        said, trained = Sentence.of(view), view.trained
        self.answer.setText(said.answer if view.dataset.labelled else "")
        self.answer.setVisible(view.dataset.labelled)
        self.cost.setText(view.hint or said.cost)
        stalled = bool(view.seen) and view.arrival(view.tilted_most).answer is Answer.STALLED
        self.recipe.setVisible(view.recipe is not None and (view.recipe.urgent or stalled))
        if view.recipe is not None:
            self.recipe.setText(view.recipe.name)
            set_help(self.recipe, view.recipe.name, f"{view.recipe.reason} Ctrl+Z takes it back.")
        self._fit()
        set_style_property(self.answer, "role", said.answer_role)
        set_style_property(self.cost, "role", "muted" if view.hint else said.cost_role)
        set_style_property(self, "answer", said.answer_role)
        summary = trained.summary
        examples, mean = compact(summary.examples_per_batch, 3), shown_weight(summary.mean_raw_weight)
        batch = f"About {examples} examples a batch. Raw weights have mean ⟨w⟩ = {mean}."
        self.cost.setToolTip(tooltip(trained.reason, batch, _EFFICIENCY))
        self.cost.setAccessibleDescription(trained.reason)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """What is said below the table, and the role that it is said in: ok, warning, error or muted.

    Attributes:
        answer: of the class that is tilted most, and how many of the tilted ones have arrived.
        cost: of the tilt.
    """

    answer: str
    answer_role: str
    cost: str
    cost_role: str

    @classmethod
    def of(cls, view: TiltView) -> Sentence:
        if view.uncounted:
            role = "muted" if view.fault is None else "warning"
            answer = f"What this target comes to is not known. {view.why_uncounted}"
            return cls(answer=answer, answer_role=role, cost=_OFFSETS_ALONE, cost_role=role)
        answer, answer_role = _answer(view)
        cost, cost_role = _cost(view)
        return cls(answer=answer, answer_role=answer_role, cost=cost, cost_role=cost_role)


def _answer(view: TiltView) -> tuple[str, str]:
    if view.summary.strength is Strength.NONE:
        return NO_TILT, "muted"
    index, found = view.tilted_most, view.generated
    name, wanted = view.dataset.class_names[index], percent_words(float(view.summary.target[index]))
    whose = members_of(name)
    if found is not None and found.stale and index not in found.untold:
        share, by = 100 * float(found.shares[index]), f" (judge of {found.judge})" if found.judge else ""
        made = f"{fixed(share, 1 if share >= 0.1 else 3)} %"
        return f"{whose}: {wanted} is asked for. {made} is {found.note}{by}.", "muted"
    if view.dataset.plane is not None and (found is None or not found.at_once):
        if math.isnan(view.point_error):
            return f"{whose}: {wanted} is asked for; the plane shows whether it arrives.", "muted"
        error = f"TV {fixed(view.point_error, 3)}, where chance leaves 0.01 to 0.03"
        return f"{whose}: {wanted} is asked for. Share error by the exact density: {error}.", "muted"
    if not view.seen:
        return f"{whose}: {wanted} is asked for, and nothing is evaluated yet.", "muted"
    where = view.arrival(index)
    if found is not None and found.at_once:
        return at_once_words(name, view.seen[-1], index), _ROLES.get(where.answer, "muted")
    more = others_words(view.seen, view.perturbation.class_energies.tolist())
    if where.answer is Answer.STALLED and view.applied is None and not view.fixed:
        more = f" Hold, or At once, may bring it there.{more}"
    return answer_words(name, view.seen[-1], index, where) + more, _ROLES.get(where.answer, "muted")


def _cost(view: TiltView) -> tuple[str, str]:
    summary = view.trained.summary
    strength, role = _STRENGTHS[summary.strength]
    worth = f"the data is worth {percent_words(summary.efficiency, 2)} of itself (ESS/n)"
    parts = []
    if summary.carriers.few and summary.strength is not Strength.NONE:
        carried = summary.carriers.words(view.dataset.noun)
        parts.append(f"{strength}. {carried}: expect copies. {worth[0].upper()}{worth[1:]}.")
        role = "error" if role == "error" else "warning"
    elif summary.strength is not Strength.NONE:
        parts.append(f"{strength}: {worth}.")
    parts += _held(view)
    if view.trained.outweighed:
        parts.append(_OUTWEIGHED)
        role = "error" if role == "error" else "warning"
    parts += _share_error(view)
    return " ".join(parts), role


def _held(view: TiltView) -> list[str]:
    """The largest correction by which shares are held, if there is one."""
    corrections = np.subtract(view.trained.perturbation.offsets, view.perturbation.offsets)
    index = int(np.abs(corrections).argmax())
    if corrections[index] == 0:
        return []
    off = f"{abs(corrections[index]):.2f} {'higher' if corrections[index] > 0 else 'lower'}"
    others = np.count_nonzero(corrections) - 1
    more = f", and {others} others are less so" if others > 1 else ", and another one less so" if others else ""
    return [f"Held: ΔH of {view.dataset.class_names[index]} is applied {off}{more}."]


def _share_error(view: TiltView) -> list[str]:
    """Total variation of what is generated from this target, if that is known, and the class that is most off, of
    those whose share can be told.
    """
    if view.generated is None or view.generated.stale or not view.dataset.labelled:
        return []
    if len(view.generated.untold) == len(view.dataset.counts):
        return []
    off = view.generated.shares - view.summary.target
    told = [index for index in range(len(off)) if index not in view.generated.untold]
    error, most = 0.5 * float(np.abs(off).sum()), max(told, key=lambda index: abs(float(off[index])))
    points = plain(100 * off[most], "+.1f")
    most_off = f", most at {view.dataset.class_names[most]} ({points} points)" if abs(off[most]) >= 0.0005 else ""
    return [f"Share error TV {fixed(error, 3)}{most_off}."] if math.isfinite(error) else []
