"""What is said of samples at once: whose they are, how they were made, and a way to train it instead."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import Slot
from PySide6.QtWidgets import QWidget

from studio.gui.at_once.at_once_control import AtOnceControl, AtOnceView
from studio.gui.widgets.buttons import tool_button
from studio.gui.widgets.labels import WrappedLabel
from studio.gui.widgets.layouts import row_of
from studio.gui.widgets.stylesheet import set_style_property
from studio.gui.widgets.tooltip import set_help, tooltip
from studio.number_text import compact, whole

if TYPE_CHECKING:
    from studio.sampling.base import Tilted

_HOW = (
    "W(x) = exp(−δH(x)), δH being what the target differs by from the one that the model was trained for. One judge "
    "weighs, and others measure. ESS: independent samples that tell as much. k̂: how heavy the tail of the weights is."
)
ONCE_TIP = (
    "What the trained model gives of the target in the table without training: its draws are kept or repeated by "
    "exp(−δH), or a conditional model is told the classes of the target. Edits are answered within seconds. (A)"
)
"""What “At once” does, for its buttons."""


class AtOnceCaption(QWidget):
    """By whose weights samples are, how they were made and what they are worth; and a way to train it instead."""

    def __init__(self, control: AtOnceControl) -> None:
        super().__init__()
        self.text = WrappedLabel()
        self.text.setObjectName("at_once_caption")
        self.train = tool_button("at_once_train", "Train it instead", "", control.train)
        row_of((self.text, 1), self.train, inside=self)
        self._control = control
        control.changed.connect(self._show)
        control.tasks.changed.connect(self._show)
        self._show()

    @Slot()
    def _show(self) -> None:
        found, task = self._control.view, self._control.tasks.view
        self.text.setText(_caption(found, task.text if task is not None else ""))
        made = found.made.told() if found.made is not None else "Draws of the trained model are kept or repeated by W."
        self.text.setToolTip(tooltip(made, _HOW))
        careful = found.error is not None or (found.made is not None and _poor(found.made)) or _doubtful(found)
        set_style_property(self.text, "role", "warning" if careful else "small")
        tip = (
            "The run trains towards this target as it is: show it as trained."
            if found.under_way
            else "Begin another run from these weights, towards the target in the table."
        )
        set_help(self.train, "Train it instead", tip)


def _poor(made: Tilted) -> bool:
    """Whether there is something to know of them before they are relied on."""
    return bool(made.remarks) or not made.reliable


def _doubtful(found: AtOnceView) -> bool:
    """Whether judges differ on the samples more than on any data that they know."""
    return found.measured is not None and found.measured.doubtful


def _caption(found: AtOnceView, task: str) -> str:
    nearest = f", the nearest to {whole(found.nearest_to)} that is kept" if found.nearest_to is not None else ""
    whose = f"“{found.title}” at step {whole(found.step)}{nearest}" if found.step else f"“{found.title}”"
    if found.made is None and found.error is not None:
        return f"{whose}: {found.error}"
    if found.made is None:
        return f"{whose}: {task[:1].lower()}{task[1:]}…" if task else f"{whose}: drawing…"
    parts = [whose, _made(found.made)]
    if found.measured is not None:
        parts.append(found.measured.words)
    elif found.error is not None:
        parts.append(str(found.error))
    elif found.doing:
        parts.append("measuring…")
    return "  ·  ".join((*parts, *found.made.remarks))


def _made(made: Tilted) -> str:
    costs = f"{compact(made.seconds_per_100, 2)} s per 100"
    if made.acceptance is not None:
        return f"rejection keeps {100 * made.acceptance:.3g} % of the draws  ·  {costs}"
    tail = "" if made.pareto_k is None else f"  ·  k̂ {made.pareto_k:.2f}"
    doubt = "" if made.reliable else ", too uneven to be trusted"
    worth = f"{made.method}: {made.distinct} different, ESS {made.effective:.0f} of {len(made)}"
    return f"{worth}{tail}{doubt}  ·  {costs}"
