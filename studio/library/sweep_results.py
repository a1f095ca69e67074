"""The results of a sweep: its runs with the settings that differ and the numbers that came of each.

Everything is read from the runs' folders, each of which holds its place in the sweep; what has not begun yet, or is not
there any more, is as its queue knows it.
"""

from __future__ import annotations

import csv
import io
import json
import math
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from studio.errors import UserError
from studio.evaluation.committee import recognisable
from studio.evaluation.divergences import total_variation_interval
from studio.library.compare import NO_RESULTS, late_mean
from studio.library.index import run_folders
from studio.library.run_summary import LONGEST_NAME, stamp_of, summary_of
from studio.progress import Progress
from studio.records import json_text
from studio.training.config.assignments import setting_at, with_settings
from studio.training.config.file import read_config
from studio.training.config.sweep_mark import SweepMark, read_mark, title_of, value_text
from studio.training.examples.judges import title_of_judge
from studio.training.storage.data_paths import made_absolute
from studio.training.storage.metrics import newest_evaluation, read_metrics
from studio.training.storage.run_identity import RunIdentity, read_summary, target_since

STATUS, STEPS, SECONDS, SHARE_ERROR, LOW, HIGH, FRECHET, MEASURED = (
    "status",
    "steps",
    "seconds",
    "share_error",
    "share_error_low",
    "share_error_high",
    "frechet",
    "measured_step",
)
_FIRST = (STEPS, SECONDS, SHARE_ERROR, LOW, HIGH, FRECHET, MEASURED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A run of a sweep, whose folder may not be there yet; `status` is a queue's, or if empty the folder's own."""

    folder: Path
    mark: SweepMark
    status: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepRun:
    """A run of a sweep with what came of it: the numbers named above, then the mean of the last tenth of each curve,
    which its model, of that kind, may call by a name of its own.
    """

    member: Member
    status: str
    error: str = ""
    kind: str = ""
    numbers: Mapping[str, float] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return title_of(self.member.mark.values) or self.member.folder.name


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepResults:
    """All runs of a sweep in their order, settings that differ, by dotted path, and names of the numbers there are.

    Attributes:
        copies: folders of the runs that are there a second time, which count once.
    """

    sweep: str
    title: str
    settings: tuple[str, ...]
    names: tuple[str, ...]
    runs: tuple[SweepRun, ...]
    copies: tuple[str, ...] = ()

    def rows(self) -> list[dict[str, Any]]:
        """A record for each run: settings by their path, status, numbers, folder and error."""
        return [
            {
                **{setting: run.member.mark.values.get(setting) for setting in self.settings},
                STATUS: run.status,
                **{name: run.numbers.get(name) for name in self.names},
                "run": run.member.folder.name,
                "error": run.error,
            }
            for run in self.runs
        ]

    def to_csv(self) -> str:
        """The records as CSV."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow([*self.settings, STATUS, *self.names, "run", "error"])
        writer.writerows([value_text(value) for value in row.values()] for row in self.rows())
        return text.getvalue()

    def to_json(self) -> str:
        found = {"sweep": self.sweep, "title": self.title, "settings": self.settings, "runs": self.rows()}
        return json_text(found, indent=2) + "\n"


def members_of(root: Path, sweep: str, progress: Progress | None = None) -> list[Member]:
    """The sound runs of a workspace that belong to the sweep of that name; raises UserError if it is unreadable."""
    progress = progress or Progress()
    names = sorted(name for name, _ in run_folders(root))
    found = []
    for place, name in enumerate(names):
        progress.report("Looking for the sweep's runs", place / len(names))
        try:
            mark = read_mark(root / name)
        except UserError:
            continue
        if mark is not None and mark.sweep == sweep:
            found.append(Member(folder=root / name, mark=mark))
    return found


class SweepReader:
    """Reads results again and again, and of each run only when its files have changed."""

    def __init__(self) -> None:
        self._known: dict[Path, tuple[str, SweepRun]] = {}

    def read(self, members: Sequence[Member], progress: Progress | None = None) -> SweepResults:
        """What came of the runs of one sweep, at least one."""
        progress = progress or Progress()
        ordered, copies = _once(members)
        runs = []
        for place, member in enumerate(ordered):
            progress.report(f"Reading {member.folder.name}", place / len(ordered))
            runs.append(self._run(member, progress))
        mark = ordered[0].mark
        found = dict.fromkeys(name for run in runs for name in run.numbers)
        names = [*(name for name in _FIRST if name in found), *(name for name in found if name not in _FIRST)]
        paths = [path for member in ordered for path in (*member.mark.settings, *member.mark.values)]
        return SweepResults(
            sweep=mark.sweep,
            title=mark.title or mark.sweep,
            settings=tuple(dict.fromkeys(paths)),
            names=tuple(names),
            runs=tuple(runs),
            copies=copies,
        )

    def _run(self, member: Member, progress: Progress) -> SweepRun:
        stamp = f"{stamp_of(member.folder)} {member.status} {member.error}"
        known = self._known.get(member.folder)
        if known is None or known[0] != stamp:
            known = self._known[member.folder] = stamp, _read(member, progress)
        return known[1]


def _once(members: Sequence[Member]) -> tuple[list[Member], tuple[str, ...]]:
    """Each run of a sweep in its order, and folders that hold one again: of copies that are there, the queue's counts,
    or else the one of the shortest name, which the others have been given more to.
    """
    there = {each.folder: bool(stamp_of(each.folder)) for each in members}
    ordered = sorted(
        members, key=lambda each: (not there[each.folder], not each.status, len(each.folder.name), each.folder.name)
    )
    runs = {each.mark.number: each for each in reversed(ordered)}
    copies = sorted(each.folder.name for each in ordered if runs[each.mark.number] is not each and there[each.folder])
    return [runs[number] for number in sorted(runs)], tuple(copies)


def _read(member: Member, progress: Progress) -> SweepRun:
    if not stamp_of(member.folder):
        return SweepRun(member=member, status=member.status or "gone", error=member.error)
    entry = summary_of(member.folder)
    status = member.status or entry.status
    if entry.fault:
        return SweepRun(member=member, status=status, error=member.error or entry.fault)
    member = _in_force(member)
    numbers: dict[str, float] = {STEPS: entry.steps, SECONDS: round(entry.seconds, 3)}
    try:
        summary = read_summary(member.folder) if (member.folder / "summary.json").exists() else {}
        config = read_config(member.folder / "config.json")
        another = entry.measured_by != title_of_judge(config.evaluation.judge)[:LONGEST_NAME]
        numbers |= {} if another or entry.other_target else _evaluated(member.folder, entry.steps)
        metrics, since = read_metrics(member.folder, progress.part(0.0, 0.0)), target_since(summary)
    except UserError as error:
        return SweepRun(member=member, status=status, error=member.error or str(error), numbers=numbers)
    late = {name: late_mean(metrics, name, since) for name in metrics.columns if name not in NO_RESULTS}
    numbers |= {name: value for name, value in late.items() if value is not None}
    return SweepRun(member=member, status=status, error=member.error, kind=config.model.kind, numbers=numbers)


def _in_force(member: Member) -> Member:
    """A run with its own settings as it was trained with them, whatever it was begun with."""
    values = dict(member.mark.values)
    with suppress(UserError):
        trained = RunIdentity.read(member.folder).trained
        for path, value in values.items():
            if made_absolute(with_settings(trained, [f"{path}={json.dumps(value)}"])) != trained:
                values[path] = setting_at(trained, path)
    return replace(member, mark=member.mark.model_copy(update={"values": values}))


def _evaluated(folder: Path, steps: int) -> dict[str, float]:
    """Share error with its interval, and Fréchet distance, of the last evaluation; nothing where there is none.

    The evaluation's step is told where it is another than those that the run took.
    """
    found = newest_evaluation(folder)
    if found is None:
        return {}
    numbers = {SHARE_ERROR: found.figure("tv"), FRECHET: found.figure("frechet")}
    known = {name: value for name, value in numbers.items() if value is not None and math.isfinite(value)}
    if found.step != steps:
        known[MEASURED] = found.step
    evaluation = found.evaluation
    if evaluation is None:
        return known
    target, shares = recognisable(evaluation.target), recognisable(evaluation.shares.corrected)
    deviation = evaluation.shares.deviation[:-1]
    plausible = all(bool((np.abs(each) <= 1).all()) for each in (target, shares, deviation))
    if SHARE_ERROR in known and plausible:
        low, high = total_variation_interval(target, shares, deviation)
        known |= {LOW: low, HIGH: high}
    return {name: known[name] for name in _FIRST if name in known}
