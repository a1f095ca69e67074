"""The columns of the table of runs: titles, texts and what they are sorted by. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from studio.evaluation.committee import TOTAL_VARIATION
from studio.library.run_summary import RunSummary
from studio.number_text import NO_BREAK, compact, format_duration, whole


class Column(IntEnum):
    """In the order in which they stand: what a narrow table is looked at for comes first."""

    NAME = 0
    SHARE_ERROR = 1
    STEPS = 2
    STATUS = 3
    TILT = 4
    DATASET = 5
    MODEL = 6
    TIME = 7
    FRECHET = 8
    TAGS = 9
    STARTED = 10


@dataclass(frozen=True, slots=True)
class Header:
    """One column.

    Attributes:
        width: characters it needs, in two lines.
        key: what it is sorted by; None comes last.
        tip: what it is; units and formula in a second sentence.
        numeric: set flush right.
    """

    title: str
    width: int
    text: Callable[[RunSummary], str]
    key: Callable[[RunSummary], Any]
    tip: str
    numeric: bool = False


def _time(run: RunSummary) -> str:
    return "–" if run.fault else format_duration(run.seconds)


def _steps(run: RunSummary) -> str:
    if run.fault:
        return "–"
    limit = run.step_limit
    return whole(run.steps) + (f" of {whole(limit)}" if limit is not None and run.steps < limit else "")


def _figure(value: float | None, at: str) -> str:
    at = at.replace("step ", f"step{NO_BREAK}")
    return "–" if value is None else compact(value, 3) + at


def _tags(run: RunSummary) -> str:
    return ", ".join(run.tags)


_NAME = (
    "What the run is called, with its newest samples; ticked, its curves lie over those that are shown. F2 renames it."
)
_TILT = (
    "What the run was trained towards in the end, the most tilted first: shares, or ΔH by class where terms tilt, too."
)
_STEPS = "Training steps taken, and of how many if more are planned."
_TIME = "Time spent training, without pauses. Hours : minutes : seconds."
_ERROR = (
    "How far the generated class shares are from the target's, when last measured: by a judge, or on the plane by the "
    f"exact densities; and of which step, if not of the last one, or that ΔH was another then. {TOTAL_VARIATION}"
)
_FRECHET = (
    "Distance of samples to the tilted data in the judge's features, at the last evaluation. "
    "|μ − μ′|² + tr(Σ + Σ′ − 2(Σ^½ Σ′ Σ^½)^½)."
)
_STATUS = (
    "How the run is going or ended, or that it is under way elsewhere, in another process; the tooltip says what is "
    "wrong with a damaged folder."
)
_TAGS = "Your own tags, separated by commas. F2 edits them."

HEADERS = {
    Column.NAME: Header("Run", 32, lambda run: run.name, lambda run: run.name.casefold(), _NAME),
    Column.SHARE_ERROR: Header(
        "Share error",
        13,
        lambda run: _figure(run.share_error, run.measured_at),
        lambda run: run.share_error,
        _ERROR,
        numeric=True,
    ),
    Column.STEPS: Header("Steps", 9, _steps, lambda run: run.steps, _STEPS, numeric=True),
    Column.STATUS: Header("Status", 11, lambda run: run.status, lambda run: run.status, _STATUS),
    Column.TILT: Header("Tilt", 13, lambda run: run.tilt, lambda run: run.tilt, _TILT),
    Column.DATASET: Header(
        "Data set", 8, lambda run: run.dataset, lambda run: run.dataset.casefold(), "What was learned from."
    ),
    Column.MODEL: Header("Model", 9, lambda run: run.model, lambda run: run.model.casefold(), "What learned."),
    Column.TIME: Header("Time", 6, _time, lambda run: run.seconds, _TIME, numeric=True),
    Column.FRECHET: Header(
        "Fréchet",
        13,
        lambda run: _figure(run.frechet, run.measured_at),
        lambda run: run.frechet,
        _FRECHET,
        numeric=True,
    ),
    Column.TAGS: Header("Tags", 14, _tags, lambda run: _tags(run).casefold() or None, _TAGS),
    Column.STARTED: Header(
        "Started",
        16,
        lambda run: run.started.replace("T", " ")[:16],
        lambda run: run.started or None,
        "When the run began, in local time.",
    ),
}


def in_order(runs: list[RunSummary], column: Column, *, descending: bool) -> list[RunSummary]:
    """Sorted by a column; those that have nothing there come last either way."""
    key = HEADERS[column].key
    known = sorted((run for run in runs if key(run) is not None), key=key, reverse=descending)
    return known + [run for run in runs if key(run) is None]
