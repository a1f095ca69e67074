"""One run of the library, as it is listed; made from its folder alone, and made of any folder, however damaged."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from studio.data.catalog import dataset_spec
from studio.errors import UserError
from studio.library.notes import FILE as NOTES
from studio.library.notes import read_notes
from studio.models.catalog import model_title
from studio.training.config.file import read_config
from studio.training.config.run_title import run_title, tilt_words
from studio.training.config.sweep_mark import FILE as SWEEP
from studio.training.config.sweep_mark import SweepMark, read_mark, title_of
from studio.training.storage.folder_lock import owner_of
from studio.training.storage.frames import FILE as FRAMES
from studio.training.storage.frames import FrameStore
from studio.training.storage.metrics import FILE as METRICS
from studio.training.storage.metrics import newest_evaluation, newest_point, newest_value
from studio.training.storage.run_identity import RunIdentity, is_of_another_target, read_summary
from studio.training.storage.sample_strips import thumbnail

DAMAGED = "damaged"
UNFINISHED, UNDER_WAY = "unfinished", "under way"
_FILES = ("config.json", "summary.json", METRICS, FRAMES, NOTES, SWEEP)
_ASIDE = (NOTES, SWEEP)
"""What makes no run of a folder."""

LONGEST_NAME = 40
_THUMBNAIL_IMAGES = 4
_THUMBNAIL_SIDE = 72


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """A run in a list.

    Attributes:
        folder: name of its folder in the workspace.
        tilt: its class offsets in a few words.
        step_limit: steps at which it is complete; None if it goes on until it is stopped, or for a time.
        seconds: time spent training, pauses left out.
        share_error: total variation of the generated class shares from the target's; None if it was never measured.
        frechet: distance of samples to the tilted data in the judge's features; None if never evaluated.
        measured_step: training steps behind the model that both were measured of; None if neither was.
        measured_by: name of the data whose judge both are by, where they are not the run's own; else empty.
        other_target: both are of another target than the run ended with.
        status: how it ended, "unfinished" if it was never saved to the end, or "damaged"; see also `now`.
        started: local time, ISO 8601 to the second; empty if not known.
        thumbnail: some of its newest samples as PNG; empty if there are none.
        sweep: the sweep that it belongs to, by its unique name; empty if it belongs to none.
        fault: what is wrong with its folder; empty if nothing is.
    """

    folder: str
    name: str
    dataset: str = ""
    model: str = ""
    tilt: str = ""
    steps: int = 0
    step_limit: int | None = None
    seconds: float = 0.0
    share_error: float | None = None
    frechet: float | None = None
    measured_step: int | None = None
    measured_by: str = ""
    other_target: bool = False
    status: str = DAMAGED
    tags: tuple[str, ...] = ()
    notes: str = ""
    started: str = ""
    thumbnail: bytes = b""
    sweep: str = ""
    fault: str = ""

    @property
    def measured_at(self) -> str:
        """What to write behind both where they are not of the run's last step, not by the judge of its data, or not of
        the target that it ended with: " (step 100, judge of MNIST, another target)"; else empty.
        """
        other = self.measured_step is not None and self.measured_step != self.steps
        parts = [f"step {self.measured_step:,}"] if other else []
        parts += [f"judge of {self.measured_by}"] if self.measured_by else []
        parts += ["another target"] if self.other_target else []
        return f" ({', '.join(parts)})" if parts else ""

    def now(self, folder: Path) -> RunSummary:
        """The same, said to be under way if somebody writes into its folder, which no file says once and for all."""
        return replace(self, status=UNDER_WAY) if self.status == UNFINISHED and owner_of(folder) else self

    def matches(self, words: Sequence[str]) -> bool:
        """Whether every word stands somewhere in what is said of the run, in capitals or not."""
        said = " ".join(
            (self.name, self.folder, self.dataset, self.model, self.tilt, self.status, self.notes, self.started)
        )
        said = " ".join((said, self.sweep, *self.tags)).casefold()
        return all(word.casefold() in said for word in words)


def stamp_of(folder: Path) -> str:
    """What changes whenever a run's files do; empty if the folder holds no run."""
    parts, found = [], False
    for name in _FILES:
        try:
            state = os.stat(folder / name)
        except OSError:
            parts.append("-")
            continue
        found = found or name not in _ASIDE
        parts.append(f"{state.st_mtime_ns:x}.{state.st_size:x}")
    return " ".join(parts) if found else ""


def summary_of(folder: Path) -> RunSummary:
    """Read a run's folder; whatever is wrong with it stands in `fault`."""
    try:
        return _read(folder)
    except UserError as error:
        return RunSummary(folder=folder.name, name=folder.name, fault=str(error))


def _read(folder: Path) -> RunSummary:
    config = read_config(folder / "config.json")
    notes = read_notes(folder)
    summary = read_summary(folder) if (folder / "summary.json").exists() else {}
    counts = None
    with suppress(UserError):  # a summary with odd values is no reason not to list the run
        identity = RunIdentity.of(folder, config, summary)
        counts = identity.data.classes if identity.data is not None else None
        config = identity.trained.model_copy(update={"name": config.name})
    measured = _measured(folder, summary)
    status = str(summary.get("status", UNFINISHED))
    steps, seconds = newest_point(folder)
    mark = read_mark(folder)
    return RunSummary(
        folder=folder.name,
        name=notes.name or _name_in_sweep(mark) or run_title(config, counts, str(summary.get("dataset", ""))),
        dataset=str(summary.get("dataset") or dataset_spec(config.dataset.kind).title),
        model=model_title(config.model),
        tilt=tilt_words(config.perturbation, counts) or "none",
        steps=max(steps, int(_number(summary, "steps"))),  # a run that was killed got further than its last save
        step_limit=int(_number(summary, "step_limit")) or None,
        seconds=max(seconds, _number(summary, "seconds")),
        status=UNFINISHED if status == "running" else status[:40],
        tags=notes.tags,
        notes=notes.notes,
        started=_started(summary, folder),
        thumbnail=_thumbnail(folder),
        sweep=mark.sweep if mark else "",
        **measured,
    )


def _measured(folder: Path, summary: Mapping[str, Any]) -> dict[str, Any]:
    """Share error and Fréchet distance as last measured, and what they are of."""
    evaluation = newest_evaluation(folder)
    if evaluation is not None:
        return {
            "share_error": evaluation.figure("tv"),
            "frechet": evaluation.figure("frechet"),
            "measured_step": evaluation.step,
            "measured_by": evaluation.judge[:LONGEST_NAME],
            "other_target": is_of_another_target(summary, revision=evaluation.revision),
        }
    step, share_error = newest_value(folder, "plane_tv") or (None, None)
    other = step is not None and is_of_another_target(summary, step=step)
    return {"share_error": share_error, "measured_step": step, "other_target": other}


def _name_in_sweep(mark: SweepMark | None) -> str:
    """What tells the run from the others of its sweep, whose configurations all have one name."""
    return ": ".join(part for part in (mark.title, title_of(mark.values)) if part) if mark else ""


def _number(summary: Mapping[str, Any], name: str) -> float:
    value = summary.get(name, 0)
    return value if isinstance(value, int | float) and 0 <= value < 2**53 else 0


def _started(summary: Mapping[str, Any], folder: Path) -> str:
    try:
        when = datetime.fromisoformat(str(summary["started"]))
    except (KeyError, ValueError):
        when = datetime.fromtimestamp((folder / "config.json").stat().st_mtime)
    return when.replace(tzinfo=None).isoformat(timespec="seconds")


def _thumbnail(folder: Path) -> bytes:
    """Some of the newest samples by the averaged weights."""
    frames = FrameStore(folder)
    frame = frames.at(int(frames.steps[-1])) if len(frames) else None
    return b"" if frame is None else thumbnail(frame.grid.averaged[:_THUMBNAIL_IMAGES], _THUMBNAIL_SIDE)
