"""Runs side by side: curves over steps, examples or time, final numbers, and what differs in their set-up."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

import numpy as np

from studio.errors import UserError
from studio.evaluation.report import Evaluation
from studio.figures import short
from studio.library.curve_titles import curve_title
from studio.library.run_summary import RunSummary, summary_of
from studio.perturb.arrays import Floats
from studio.progress import Progress
from studio.training.config.run_config import RunConfig
from studio.training.storage.metrics import Metrics, read_metrics
from studio.training.storage.run_identity import RunIdentity, read_summary

MOST_RUNS = 8
ABSENT = "–"
SHARE_ERROR = "tv"
"""The curve of the evaluations, beside the columns of what was logged."""
NO_RESULTS = ("epoch", "skipped", "err", "batch_size", "adjusted_size", "average_size", "ess")


class Axis(StrEnum):
    """What curves are drawn over."""

    STEP = "step"
    EXAMPLES = "examples"
    TIME = "time in s"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRun:
    """One of them, with the configuration that its weights were saved under; 0 examples per epoch are not known."""

    folder: Path
    entry: RunSummary
    config: RunConfig
    metrics: Metrics
    examples_per_epoch: float

    def curve(self, name: str, axis: Axis) -> tuple[Floats, Floats]:
        """Places along an axis and values of a column or of the share error, both of shape (n,); empty if not known."""
        steps, seconds, y = self.metrics.steps, self.metrics.seconds, self.metrics.columns.get(name)
        if name == SHARE_ERROR:
            found = [(each.step, each.seconds, each.figure("tv")) for each in self.metrics.evaluations]
            steps, seconds, y = np.array(found, dtype=np.float64).reshape(-1, 3).T
        epochs = self.metrics.columns.get("epoch")
        if y is None or (axis == Axis.EXAMPLES and epochs is None):
            return np.empty(0), np.empty(0)
        if axis == Axis.EXAMPLES and epochs is not None:
            return np.interp(steps, self.metrics.steps, epochs) * self.examples_per_epoch, y
        return (steps if axis == Axis.STEP else seconds), y

    @property
    def evaluation(self) -> Evaluation | None:
        """The last one, without its specimens."""
        records = self.metrics.evaluations
        return records[-1].evaluation if records else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of a comparison: a number or setting, and a text for each run."""

    title: str
    cells: tuple[str, ...]


def read_runs(folders: Sequence[Path], progress: Progress | None = None) -> list[ComparedRun]:
    """Read two to eight runs to compare; raises UserError if there are too few or too many, or one is damaged."""
    if not 2 <= len(folders) <= MOST_RUNS:
        raise UserError(
            "These are not runs to compare", f"There are {len(folders)}.", f"Choose two to {MOST_RUNS} of them."
        )
    progress = progress or Progress()
    share = 1 / len(folders)
    return [_read(folder, progress.part(place * share, (place + 1) * share)) for place, folder in enumerate(folders)]


def _read(folder: Path, progress: Progress) -> ComparedRun:
    config = RunIdentity.read(folder).trained
    entry = summary_of(folder)
    if entry.fault:
        raise UserError("A run is damaged", entry.fault, "Compare others.")
    summary = read_summary(folder) if (folder / "summary.json").exists() else {}
    return ComparedRun(
        folder=folder,
        entry=entry,
        config=config,
        metrics=read_metrics(folder, progress),
        examples_per_epoch=_ratio(summary.get("examples"), summary.get("epochs")),
    )


def curve_names(runs: Sequence[ComparedRun]) -> list[str]:
    """The share error if a run was evaluated, and columns that at least one run has, those that most have first."""
    names = list(dict.fromkeys(name for run in runs for name in run.metrics.columns))
    names.sort(key=lambda name: -sum(name in run.metrics.columns for run in runs))
    return [SHARE_ERROR, *names] if any(run.metrics.evaluations for run in runs) else names


def repeats(runs: Sequence[ComparedRun]) -> list[list[int]]:
    """Places of the runs that differ in their seed alone, together, in the order of the first of each."""
    found: dict[str, list[int]] = {}
    for place, run in enumerate(runs):
        found.setdefault(run.config.model_copy(update={"seed": 0, "name": ""}).model_dump_json(), []).append(place)
    return list(found.values())


def final_numbers(runs: Sequence[ComparedRun]) -> list[Row]:
    """What came of each run: steps, time, distances from the target, and the mean of the last tenth of each curve."""
    entries = [run.entry for run in runs]
    rows = [
        Row(title="Data set", cells=tuple(e.dataset for e in entries)),
        Row(title="Model", cells=tuple(e.model for e in entries)),
        Row(title="Tilt", cells=tuple(e.tilt for e in entries)),
        Row(title="Status", cells=tuple(e.status for e in entries)),
        Row(title="Steps", cells=tuple(f"{e.steps:,}" for e in entries)),
        Row(title="Time in s", cells=tuple(f"{e.seconds:,.1f}" for e in entries)),
        Row(title="Share error TV", cells=tuple(_text(e.share_error, e.measured_at) for e in entries)),
        Row(title="Fréchet distance", cells=tuple(_text(e.frechet, e.measured_at) for e in entries)),
    ]
    for name in curve_names(runs):
        if name not in (SHARE_ERROR, *NO_RESULTS):
            cells = tuple(_text(late_mean(run.metrics.columns.get(name))) for run in runs)
            rows.append(Row(title=curve_title(name, runs[0].config.model.kind), cells=cells))
    return rows


def differences(runs: Sequence[ComparedRun]) -> list[Row]:
    """Settings that are not the same in all runs, by their dotted path."""
    flat = [_flat(run.config.model_dump(mode="json")) for run in runs]
    paths = list(dict.fromkeys(path for settings in flat for path in settings))
    rows = [Row(title=path, cells=tuple(settings.get(path, ABSENT) for settings in flat)) for path in paths]
    return [row for row in rows if len(set(row.cells)) > 1]


def late_mean(values: Floats | None) -> float | None:
    """Mean of the finite values in the last tenth of a curve; None if there are none."""
    if values is None:
        return None
    late = values[-max(1, len(values) // 10) :]
    late = late[np.isfinite(late)]
    return float(late.mean()) if len(late) else None


def _flat(settings: Mapping[str, Any], before: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{before}{name}.")
        else:
            found[f"{before}{name}"] = str(value)
    return found


def _text(value: float | None, at: str = "") -> str:
    return ABSENT if value is None or not math.isfinite(value) else f"{short(value)}{at}"


def _ratio(examples: Any, epochs: Any) -> float:
    known = all(isinstance(value, int | float) and value > 0 for value in (examples, epochs))
    return float(examples) / float(epochs) if known else 0.0
