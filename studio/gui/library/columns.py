"""The columns of the table of runs: titles, texts and what they are sorted by. No Qt."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from studio.evaluation.committee import TOTAL_VARIATION
from studio.figures import compact
from studio.gui.widgets.number_format import whole
from studio.library.run_summary import RunSummary


class Column(IntEnum):
    """In the order in which they stand."""

    NAME = 0
    DATASET = 1
    MODEL = 2
    TILT = 3
    STEPS = 4
    TIME = 5
    SHARE_ERROR = 6
    FRECHET = 7
    STATUS = 8
    TAGS = 9
    STARTED = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """One column.

    Attributes:
        tip: what it is; units and formula in a second sentence.
        key: what it is sorted by; None comes last.
        numeric: set flush right.
        width: characters it needs.
    """

    title: str
    tip: str
    text: Callable[[RunSummary], str]
    key: Callable[[RunSummary], Any]
    numeric: bool = False
    width: int = 12


def _time(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes:02}:{rest:02}"


def _steps(run: RunSummary) -> str:
    if run.fault:
        return "–"
    return whole(run.steps) + (f" of {whole(run.step_limit)}" if run.step_limit is not None else "")


def _figure(value: float | None, at: str) -> str:
    return "–" if value is None else compact(value, 3) + at


HEADERS: dict[Column, Header] = {
    Column.NAME: Header(
        title="Run",
        tip="What the run is called, with its newest samples; ticked, its curves lie over those that are shown. F2 "
        "renames it.",
        text=lambda run: run.name,
        key=lambda run: run.name.casefold(),
        width=18,
    ),
    Column.DATASET: Header(
        title="Data set",
        tip="What was learned from.",
        text=lambda run: run.dataset,
        key=lambda run: run.dataset.casefold(),
        width=8,
    ),
    Column.MODEL: Header(
        title="Model", tip="What learned.", text=lambda run: run.model, key=lambda run: run.model.casefold(), width=9
    ),
    Column.TILT: Header(
        title="Tilt",
        tip="Class offsets that the run ended with, the strongest first. ΔH by class; weights are e^−ΔH.",
        text=lambda run: run.tilt,
        key=lambda run: run.tilt,
        width=13,
    ),
    Column.STEPS: Header(
        title="Steps",
        tip="Training steps taken, of as many as there are to be.",
        text=_steps,
        key=lambda run: run.steps,
        numeric=True,
        width=15,
    ),
    Column.TIME: Header(
        title="Time",
        tip="Time spent training, pauses left out. Hours : minutes : seconds.",
        text=lambda run: "–" if run.fault else _time(run.seconds),
        key=lambda run: run.seconds,
        numeric=True,
        width=6,
    ),
    Column.SHARE_ERROR: Header(
        title="Share error",
        tip="How far the generated class shares are from the target's, when last measured: by a judge, or on the plane "
        f"by the exact densities; and of which step, if not of the last one. {TOTAL_VARIATION}",
        text=lambda run: _figure(run.share_error, run.measured_at),
        key=lambda run: run.share_error,
        numeric=True,
        width=19,
    ),
    Column.FRECHET: Header(
        title="Fréchet",
        tip="Distance of samples to the tilted data in the judge's features, at the last evaluation. "
        "|μ − μ′|² + tr(Σ + Σ′ − 2(Σ^½ Σ′ Σ^½)^½).",
        text=lambda run: _figure(run.frechet, run.measured_at),
        key=lambda run: run.frechet,
        numeric=True,
        width=18,
    ),
    Column.STATUS: Header(
        title="Status",
        tip="How the run stands or ended; of a damaged folder the tooltip says what is wrong.",
        text=lambda run: run.status,
        key=lambda run: run.status,
        width=9,
    ),
    Column.TAGS: Header(
        title="Tags",
        tip="Your own words for it, separated by commas. F2 edits them.",
        text=lambda run: ", ".join(run.tags),
        key=lambda run: ", ".join(run.tags).casefold() or None,
        width=14,
    ),
    Column.STARTED: Header(
        title="Started",
        tip="When the run began, in local time.",
        text=lambda run: run.started.replace("T", " ")[:16],
        key=lambda run: run.started or None,
        width=16,
    ),
}


def in_order(runs: list[RunSummary], column: Column, *, descending: bool) -> list[RunSummary]:
    """Sorted by a column; those that have nothing there come last either way."""
    key = HEADERS[column].key
    known = sorted((run for run in runs if key(run) is not None), key=key, reverse=descending)
    return known + [run for run in runs if key(run) is None]
