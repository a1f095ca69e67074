"""Runs side by side: curves over steps, examples or time, final numbers, and what differs in their set-up."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from studio.errors import UserError
from studio.evaluation.evaluation import Evaluation
from studio.library.curve_titles import shared_title
from studio.library.run_summary import RunSummary, summary_of
from studio.number_text import plain, short
from studio.perturb.arrays import Floats
from studio.progress import Progress
from studio.training.config.run_config import RunConfig
from studio.training.config.sweep_mark import KINDS, setting_name, setting_text
from studio.training.storage.metrics import Metrics, read_metrics
from studio.training.storage.run_identity import RunIdentity, read_summary, target_since

MOST_RUNS = 8
ABSENT = "–"
SHARE_ERROR = "tv"
"""The curve of the evaluations, beside the columns of what was logged."""
_OF_POINTS = "plane_tv"
"""The same of points of the plane, by their exact densities."""
_FINGERPRINT = 12
"""Letters of one that are shown."""
NO_RESULTS = ("epoch", "skipped", "err", "batch_size", "adjusted_size", "average_size", "ess")


class Axis(StrEnum):
    """What curves are drawn over."""

    STEP = "step"
    EXAMPLES = "examples"
    TIME = "time in s"


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparedRun:
    """One of them.

    Attributes:
        name: that no other of them has.
        config: that its weights were saved under.
        history: what was changed while it trained, and which data it learned, by what it is; nothing of what is not.
        since: step after which its target has been in force.
        examples_per_epoch: 0 where that is not known.
    """

    folder: Path
    name: str
    entry: RunSummary
    config: RunConfig
    history: dict[str, str]
    metrics: Metrics
    since: int
    examples_per_epoch: float

    def curve(self, name: str, axis: Axis) -> tuple[Floats, Floats]:
        """Places along an axis and values of a column or of the share error, both of shape (n,); empty if not known."""
        steps, seconds, y = self.metrics.steps, self.metrics.seconds, self.metrics.columns.get(name)
        if name == SHARE_ERROR:
            found = [(each.step, each.seconds, each.figure("tv")) for each in self.metrics.alike]
            steps, seconds, y = np.array(found, dtype=np.float64).reshape(-1, 3).T
        epochs = self.metrics.columns.get("epoch")
        if y is None or (axis == Axis.EXAMPLES and epochs is None):
            return np.empty(0), np.empty(0)
        if axis == Axis.EXAMPLES and epochs is not None:
            return np.interp(steps, self.metrics.steps, epochs) * self.examples_per_epoch, y
        return (steps if axis == Axis.STEP else seconds), y

    @property
    def judged_by(self) -> str:
        """Name of the data whose judge the share error is by, where they are not the run's own; else empty."""
        return self.metrics.judge

    @property
    def evaluation(self) -> Evaluation | None:
        """The last one, without its specimens."""
        records = self.metrics.evaluations
        return records[-1].evaluation if records else None

    def late(self, name: str) -> float | None:
        """What a column came to under the target in force: see `late_mean`."""
        return late_mean(self.metrics, name, self.since)


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
    runs = [_read(folder, progress.part(place * share, (place + 1) * share)) for place, folder in enumerate(folders)]
    return [replace(run, name=_apart(run, runs)) for run in runs]


def _read(folder: Path, progress: Progress) -> ComparedRun:
    identity = RunIdentity.read(folder)
    entry = summary_of(folder)
    if entry.fault:
        raise UserError("A run is damaged", entry.fault, "Compare others.")
    summary = read_summary(folder) if (folder / "summary.json").exists() else {}
    return ComparedRun(
        folder=folder,
        name=entry.name,
        entry=entry.now(folder),
        config=identity.trained,
        history=_history(identity, summary),
        metrics=read_metrics(folder, progress),
        since=target_since(summary),
        examples_per_epoch=_ratio(summary.get("examples"), summary.get("epochs")),
    )


def _apart(run: ComparedRun, runs: Sequence[ComparedRun]) -> str:
    """Its name, with its folder where others are called so, too."""
    alike = [each for each in runs if each.entry.name == run.entry.name]
    if len(alike) == 1:
        return run.entry.name
    folders = [each.folder.resolve().name for each in alike]
    own = run.folder.resolve()
    return f"{run.entry.name} ({own.name if folders.count(own.name) == 1 else own})"


def _history(identity: RunIdentity, summary: Mapping[str, Any]) -> dict[str, str]:
    """What tells two runs apart that ended with the same settings."""
    found = {}
    for title, name in (("target edited at step", "edits"), ("learning rate set at step", "learning_rates")):
        changes = summary.get(name)
        steps = [each.get("step") for each in changes if isinstance(each, dict)] if isinstance(changes, list) else []
        found[title] = ", ".join(f"{step:,}" for step in steps if isinstance(step, int))
    origin = summary.get("forked_from")
    found["begun at step"] = str(origin.get("step")) if isinstance(origin, dict) else ""
    found["data, fingerprint"] = identity.data.data[:_FINGERPRINT] if identity.data is not None else ""
    return {title: said for title, said in found.items() if said}


def curve_names(runs: Sequence[ComparedRun]) -> list[str]:
    """The share error if a run was evaluated, and columns that at least one run has, those that most have first."""
    names = list(dict.fromkeys(name for run in runs for name in run.metrics.columns))
    names.sort(key=lambda name: -sum(name in run.metrics.columns for run in runs))
    return [SHARE_ERROR, *names] if any(run.metrics.evaluations for run in runs) else names


def title_of(name: str, runs: Sequence[ComparedRun]) -> str:
    """Of a column, as the models call it that have it."""
    return shared_title(name, [run.config.model.kind for run in runs if name in run.metrics.columns])


def repeats(runs: Sequence[ComparedRun]) -> list[list[int]]:
    """Places of the runs that differ in their seed alone, and that the same judge has looked at, together, in the order
    of the first of each.
    """
    found: dict[tuple[str, str, str], list[int]] = {}
    for place, run in enumerate(runs):
        config = run.config.model_copy(update={"seed": 0, "name": ""}).model_dump_json()
        judge = run.judged_by if run.metrics.evaluations else ""
        found.setdefault((config, str(run.history), judge), []).append(place)
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
    counts = [found.shares.count if (found := run.evaluation) is not None else None for run in runs]
    if len({*counts} - {None}) > 1:  # of fewer samples chance alone makes more of an error
        rows.append(Row(title="Samples judged", cells=tuple(ABSENT if n is None else f"{n:,}" for n in counts)))
    for name in curve_names(runs):
        if name not in (SHARE_ERROR, _OF_POINTS, *NO_RESULTS):
            cells = tuple(_text(run.late(name)) for run in runs)
            rows.append(Row(title=title_of(name, runs), cells=cells))
    return rows


def differences(runs: Sequence[ComparedRun]) -> list[Row]:
    """Settings that are not the same in all runs, by their dotted path; and what else tells them apart."""
    return [Row(title=path, cells=_cells(values, str)) for path, values in _differing(runs)]


def named_differences(runs: Sequence[ComparedRun]) -> list[Row]:
    """The same as the window calls them, without data set and model, which are among the numbers."""
    return [
        Row(title=setting_name(path), cells=_cells(values, partial(_said, path)))
        for path, values in _differing(runs)
        if path not in KINDS
    ]


def _differing(runs: Sequence[ComparedRun]) -> list[tuple[str, list[Any]]]:
    flat = [_flat(run.config.model_dump(mode="json")) | run.history for run in runs]
    paths = dict.fromkeys(path for settings in flat for path in settings)
    found = [(path, [settings.get(path, ABSENT) for settings in flat]) for path in paths]
    return [(path, values) for path, values in found if any(value != values[0] for value in values)]


def _said(path: str, value: Any) -> str:
    return plain(value, ".6g") if type(value) in (int, float) else setting_text(path, value)


def _cells(values: Sequence[Any], text: Callable[[Any], str]) -> tuple[str, ...]:
    return tuple(value if value is ABSENT else text(value) for value in values)


def late_mean(metrics: Metrics, name: str, since: int) -> float | None:
    """Mean of the finite values in the last tenth of a curve, of steps after `since`; None if there are none."""
    values = metrics.columns.get(name)
    if values is None:
        return None
    first = len(values) - max(1, len(values) // 10)
    late = values[first:][metrics.steps[first:] > since]
    late = late[np.isfinite(late)]
    return float(late.mean()) if len(late) else None


def _flat(settings: Mapping[str, Any], before: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in settings.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{before}{name}.")
        else:
            found[f"{before}{name}"] = value
    return found


def _text(value: float | None, at: str = "") -> str:
    return ABSENT if value is None or not math.isfinite(value) else f"{short(value)}{at}"


def _ratio(examples: Any, epochs: Any) -> float:
    known = all(isinstance(value, int | float) and value > 0 for value in (examples, epochs))
    return float(examples) / float(epochs) if known else 0.0
