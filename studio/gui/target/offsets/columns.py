"""The columns of the offsets table: what each shows, how it is written, and what its header says. No Qt."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from studio.gui.state.view_state import TiltView
from studio.gui.widgets.number_entry import (
    UNKNOWN,
    plain_number,
    shown_offset,
    shown_share,
    shown_weight,
)
from studio.perturb.perturbation import Gauge


class Column(IntEnum):
    """Columns from left to right."""

    CLASS = 0
    COUNT = 1
    SHARE = 2
    OFFSET = 3
    WEIGHT = 4
    TARGET = 5
    GENERATED = 6

    @property
    def editable(self) -> bool:
        """Whether a person can type into it."""
        return self in (Column.OFFSET, Column.TARGET)


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a column's head says.

    Attributes:
        title: the head itself.
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


HEADERS: dict[Column, Header] = {
    Column.CLASS: Header(title="Class", name="class", help="A class of the data set, with its colour and one example."),
    Column.COUNT: Header(title="Count", name="count", help="How many examples of the class the data set holds."),
    Column.SHARE: Header(
        title="Data p",
        name="data share",
        help="The class's share of the data as it is.",
        formula="p = count / all examples",
        widest="100.00 %",
    ),
    Column.OFFSET: Header(
        title="Offset ΔH",
        name="offset ΔH",
        help="Energy offset of the class, yours to edit: negative makes the class more likely, positive less.",
        formula="p′ ∝ p · e^−ΔH",
        widest="−700.000",
    ),
    Column.WEIGHT: Header(
        title="e^−ΔH/⟨w⟩",
        name="weight",
        help="Importance weight that each example of the class carries in training.",
        formula="w = e^−ΔH / ⟨e^−ΔH⟩ in the normalised gauge, so that weights have mean 1; w = e^−ΔH in the raw gauge",
        widest="9999.999",
    ),
    Column.TARGET: Header(
        title="Target p′",
        name="target share",
        help="The share that the model is to learn, in per cent, yours to edit: the offset is solved for and the other "
        "classes keep their proportions.",
        formula="p′ = p · e^−ΔH / Z,  Z = Σ p · e^−ΔH",
        widest="100.00 %",
    ),
    Column.GENERATED: Header(
        title="Generated",
        name="generated share",
        help="The class's share of what the model generates; a dash until samples have been evaluated.",
        formula="share of samples that a classifier gives to the class; in brackets where it is of another target",
        widest="(100.00 %)",
    ),
}


_RAW_WEIGHT = "e^−ΔH"


def head_text(view: TiltView | None, column: Column) -> str:
    """A column's head; that of the weights says what the gauge in use divides by."""
    raw = view is not None and view.perturbation.gauge is Gauge.RAW
    return _RAW_WEIGHT if raw and column is Column.WEIGHT else HEADERS[column].title


def cell_text(view: TiltView, row: int, column: Column) -> str:
    """What a cell shows."""
    match column:
        case Column.CLASS:
            return view.dataset.class_names[row]
        case Column.COUNT:
            return f"{int(view.dataset.counts[row]):,}"
        case Column.SHARE:
            return shown_share(float(view.dataset.shares[row]))
        case Column.OFFSET:
            return shown_offset(view.perturbation.offsets[row])
        case Column.WEIGHT:
            return shown_weight(float(view.summary.weights[row]))
        case Column.TARGET:
            return shown_share(float(view.summary.target[row]))
        case Column.GENERATED if view.generated is None:
            return UNKNOWN
        case Column.GENERATED:
            text = shown_share(float(view.generated.shares[row]))
            return f"({text})" if view.generated.stale else text


def exact_text(view: TiltView, row: int, column: Column) -> str:
    """What an editor opens with and the clipboard takes: six digits, a plain minus sign, a decimal point."""
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
            return plain_number(float(view.summary.weights[row]))
        case Column.TARGET:
            return f"{plain_number(100 * float(view.summary.target[row]))}%"
        case Column.GENERATED:
            return "" if view.generated is None else f"{plain_number(100 * float(view.generated.shares[row]))}%"


def cell_help(view: TiltView, row: int, column: Column) -> str:
    """A cell's own sentence."""
    name = view.dataset.class_names[row]
    match column:
        case Column.CLASS:
            count, share = (cell_text(view, row, which) for which in (Column.COUNT, Column.SHARE))
            return f"{name}: {count} examples, {share} of the data; weight {cell_text(view, row, Column.WEIGHT)}."
        case Column.WEIGHT:
            gauge = "normalised" if view.perturbation.gauge is Gauge.NORMALISED else "raw"
            weight = plain_number(float(view.summary.weights[row]))
            return f"Weight of each example of “{name}”, in the {gauge} gauge: {weight}."
        case Column.OFFSET:
            return f"Offset of “{name}”: {exact_text(view, row, column)}. Type, turn the wheel or press Alt+Up/Down."
        case Column.TARGET:
            share = exact_text(view, row, column).replace("%", " %")
            return f"Target share of “{name}”: {share}. Type, turn the wheel or press Alt+Up/Down."
        case Column.GENERATED if view.generated is None:
            return "Not known yet: it appears once samples have been evaluated."
        case Column.GENERATED if view.generated is not None:
            note = view.generated.note or f"of step {view.generated.step:,}"
            return f"Generated share of “{name}”: {cell_text(view, row, column)}, {note}."
        case _:
            return f"{HEADERS[column].name.capitalize()} of “{name}”: {cell_text(view, row, column)}."
