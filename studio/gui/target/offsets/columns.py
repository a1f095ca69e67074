"""The columns of the offsets table: what each shows, how it is written, and what its header says. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from studio.evaluation.arrival import Answer
from studio.evaluation.arrival_words import ARRIVED_IF, NO_TILT, SAMPLES_SET, SEEMS_ARRIVED, why_untellable
from studio.gui.state.tilt_view import TiltView
from studio.gui.widgets.number_entry import UNKNOWN, plain_number, shown_offset, shown_weight
from studio.number_text import percent, plain
from studio.perturb.diagnostics import Strength
from studio.perturb.perturbation import Gauge


class Column(IntEnum):
    """Columns from left to right."""

    CLASS = 0
    BAR = 1
    COUNT = 2
    SHARE = 3
    OFFSET = 4
    WEIGHT = 5
    TARGET = 6
    GENERATED = 7
    LOCK = 8
    STATUS = 9

    @property
    def editable(self) -> bool:
        return self in (Column.OFFSET, Column.TARGET)

    @property
    def painted(self) -> bool:
        """Whether it has a picture and no text that could be copied."""
        return self in (Column.BAR, Column.LOCK, Column.STATUS)


ON_DEMAND = (Column.COUNT, Column.SHARE, Column.WEIGHT, Column.GENERATED)
"""Columns that are not there at first."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a column's head says.

    Attributes:
        name: the head in words, for screen readers and messages.
        help: what it is, one sentence.
        formula: how it is computed.
        widest: the widest text that the column must show without growing.
    """

    title: str
    name: str
    help: str
    formula: str = ""
    widest: str = ""


_BAR = (
    "Data grey, target outlined, generated filled with its 95 % interval, on a scale that ends at the share above; of "
    "many classes, at the largest on the screen. The smallest shares are drawn 4 pixels long. Drag the outline’s end "
    "to set the target share; Esc gives the drag up."
)
_OFFSET = (
    "Energy offset of the class, yours to edit: negative makes the class more likely, positive less. Beneath it, after "
    "an arrow, what is applied to hold the shares, where that differs."
)
_WEIGHT = "Importance weight that each example of the class carries in training, all terms of the energy counted."
_GAUGES = "w = e^−ΔH / ⟨e^−ΔH⟩ in the normalised gauge, so that weights have mean 1; w = e^−ΔH in the raw gauge"
_TARGET = (
    "The share that the model is to learn, in per cent, yours to edit: the offset is solved for, and the other classes "
    "keep their proportions."
)
_GENERATED = "The class's share of what the model generates; a dash until samples have been evaluated."
_OF_SAMPLES = "share of samples that a classifier gives to the class"
_LOCK = "A locked class keeps its target share while other shares and offsets are edited. Click or press Space."
_ARRIVAL = (
    "✓ the generated share has arrived at the target, … not yet, ✗ it is not arriving, ? too few samples or too weak a "
    "judge to tell."
)
_PERCENT = "> 99.99 %"
HEADERS = {
    Column.CLASS: Header("Class", "class", "A class of the data set, with its colour and one example."),
    Column.BAR: Header("", "shares", _BAR),
    Column.COUNT: Header("Count", "count", "How many examples of the class the data set holds."),
    Column.SHARE: Header(
        "Data p", "data share", "The class's share of the data as it is.", "p = count / all examples", _PERCENT
    ),
    Column.OFFSET: Header("Offset ΔH", "offset ΔH", _OFFSET, "p′ ∝ p · e^−ΔH", "−700.000"),
    Column.WEIGHT: Header("Weight w/⟨w⟩", "weight", _WEIGHT, _GAUGES, "9999.999"),
    Column.TARGET: Header("Share p′", "target share", _TARGET, "p′ = p · e^−ΔH / Z,  Z = Σ p · e^−ΔH", _PERCENT),
    Column.GENERATED: Header("Generated", "generated share", _GENERATED, _OF_SAMPLES, _PERCENT),
    Column.LOCK: Header("", "lock", _LOCK),
    Column.STATUS: Header("", "arrival", _ARRIVAL, ARRIVED_IF),
}
SIGNS = {Answer.UNKNOWN: "", Answer.NOT_YET: "…", Answer.ARRIVED: "✓", Answer.STALLED: "✗"} | dict.fromkeys(
    (Answer.TOO_WIDE, Answer.UNTOLD), "?"
)


def head_text(view: TiltView | None, column: Column, scale: float) -> str:
    """A column's head; that of the weights names their gauge, and a mean where terms set examples apart.

    Args:
        scale: the share at the right end of the bars.
    """
    if view is not None and column is Column.BAR:
        return f"0–{100 * scale:.3g} %"
    if view is None or column is not Column.WEIGHT:
        return HEADERS[column].title
    what = "Mean" if view.energies is not None else "Weight"
    return f"{what} w" if view.perturbation.gauge is Gauge.RAW else f"{what} w/⟨w⟩"


def cell_text(view: TiltView, row: int, column: Column) -> str:
    """What a cell shows; `row` is the class's number, whatever the order on the screen."""
    match column:
        case Column.CLASS:
            return view.dataset.class_names[row]
        case Column.COUNT:
            return f"{int(view.dataset.counts[row]):,}"
        case Column.SHARE:
            return percent(float(view.dataset.shares[row]))
        case Column.OFFSET:
            return shown_offset(view.perturbation.offsets[row])
        case Column.WEIGHT:
            text = shown_weight(float(view.trained.summary.weights[row]))
            return f"({text})" if view.uncounted else text
        case Column.TARGET:
            text = percent(float(view.summary.target[row]))
            return f"({text})" if view.uncounted else text
        case Column.GENERATED if view.generated is not None and row not in view.generated.untold:
            text = percent(float(view.generated.shares[row]))
            return f"({text})" if view.generated.stale else text
        case Column.GENERATED:
            return UNKNOWN
        case Column.STATUS:
            return SIGNS[view.arrival(row).answer]
        case Column.BAR | Column.LOCK:
            return ""


def exact_text(view: TiltView, row: int, column: Column) -> str:
    """What an editor opens with and the clipboard takes: six digits, a plain minus sign, a decimal point; of what is
    generated nothing that is of another target than the one beside it.
    """
    match column:
        case Column.CLASS:
            return view.dataset.class_names[row]
        case Column.COUNT:
            return str(int(view.dataset.counts[row]))
        case Column.SHARE:
            return f"{plain_number(100 * float(view.dataset.shares[row]))}%"
        case Column.OFFSET:
            return plain_number(view.perturbation.offsets[row])
        case Column.WEIGHT:
            return plain_number(float(view.trained.summary.weights[row]))
        case Column.TARGET:
            return f"{plain_number(100 * float(view.summary.target[row]))}%"
        case Column.GENERATED if (made := view.generated) is not None and not made.stale and row not in made.untold:
            return f"{plain_number(100 * float(made.shares[row]))}%"
        case _:
            return ""


def cell_help(view: TiltView, row: int, column: Column) -> str:
    """A cell's own sentence."""
    name = view.dataset.class_names[row]
    match column:
        case Column.CLASS:
            count, share = (cell_text(view, row, which) for which in (Column.COUNT, Column.SHARE))
            return f"{name}: {count} examples, {share} of the data; weight {cell_text(view, row, Column.WEIGHT)}."
        case Column.WEIGHT:
            gauge = "normalised" if view.perturbation.gauge is Gauge.NORMALISED else "raw"
            weight = cell_text(view, row, column)
            which = "Mean weight of the examples" if view.energies is not None else "Weight of each example"
            return f"{which} of “{name}”, in the {gauge} gauge: {weight}."
        case Column.OFFSET:
            asked = f"Offset of “{name}”: {cell_text(view, row, column)}. Type, or press Alt+Up/Down."
            return f"{asked} {_applied_words(view, row)}".rstrip()
        case Column.TARGET:
            share = cell_text(view, row, column)
            return f"Target share of “{name}”: {share}. Type, drag the bar’s end, or press Alt+Up/Down."
        case Column.BAR:
            shares = (f"data {cell_text(view, row, Column.SHARE)}", f"target {cell_text(view, row, Column.TARGET)}")
            return f"“{name}”: {', '.join(shares)}, generated {_generated_words(view, row)}"
        case Column.GENERATED:
            return f"Generated share of “{name}”: {_generated_words(view, row)}"
        case Column.LOCK if row in view.locked:
            return f"“{name}” keeps its share of {cell_text(view, row, Column.TARGET)}. Click to let it follow again."
        case Column.LOCK:
            return f"Click to keep the share of “{name}” while others are edited."
        case Column.STATUS:
            return _status_words(view, row)
        case _:
            return f"{HEADERS[column].name.capitalize()} of “{name}”: {cell_text(view, row, column)}."


def applied_text(view: TiltView, row: int) -> str:
    """The offset that holding makes of the one asked for; empty where it leaves it alone."""
    applied = view.trained.perturbation.offsets[row]
    return "" if applied == view.perturbation.offsets[row] else shown_offset(applied)


def _applied_words(view: TiltView, row: int) -> str:
    asked, applied = view.perturbation.offsets[row], applied_text(view, row)
    more = view.trained.perturbation.offsets[row] - asked
    return f"Applied, to hold the shares: {applied} ({plain(more, '+.3f')})." if applied else ""


def _generated_words(view: TiltView, row: int) -> str:
    found = view.generated
    if found is None:
        return "not known yet: it appears once samples have been evaluated."
    if row in found.untold:
        return f"unknown: {found.seen[-1].why_untold}."
    ends = f"95 % interval {percent(found.low[row])} … {percent(found.high[row])}"
    judge = f", by the judge of {found.judge}" if found.judge else ""
    whose = (found.note or f"of step {found.step:,}{', sampled at once' * found.at_once}") + judge
    return f"{cell_text(view, row, Column.GENERATED)} ({ends}), {whose}."


def _status_words(view: TiltView, row: int) -> str:
    found = view.arrival(row)
    once = view.generated is not None and view.generated.at_once
    match found.answer:
        case Answer.ARRIVED | Answer.STALLED if once:
            off = "" if found.answer is Answer.ARRIVED else "not "
            return f"Sampled at once: the target is {off}within the 95 % interval."
        case Answer.UNKNOWN if view.summary.strength is Strength.NONE:
            return NO_TILT
        case Answer.UNKNOWN:
            return "Nothing has been evaluated since this target is in force."
        case Answer.ARRIVED:
            return "Arrived: two 95 % intervals in a row hold the target, and nothing far from it."
        case Answer.NOT_YET if view.seen[-1].holds(row):
            return f"{SEEMS_ARRIVED}."
        case Answer.NOT_YET:
            more = found.more or 0
            return f"Not yet: about {more} more evaluation{'s' * (more > 1)}." if more else "Not yet."
        case Answer.STALLED:
            return "Not arriving: the gap to the target no longer shrinks."
        case Answer.TOO_WIDE:
            once = view.generated is not None and view.generated.at_once
            return f"It may have arrived: {why_untellable(view.seen[-1], row, '' if once else SAMPLES_SET)}."
        case Answer.UNTOLD:
            return f"Unknown: {view.seen[-1].why_untold}."
