"""Runs of the library without a window: listed and compared; and whatever takes long, behind a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TypeVar

from studio.cli.meter import told
from studio.json_text import json_text
from studio.library.compare import Row, differences, final_numbers, read_runs
from studio.library.entry import RunEntry
from studio.library.index import RunIndex, run_folders
from studio.paths import runs_root
from studio.progress import Progress

T = TypeVar("T")
_WIDEST = 28


def list_runs(workspace: Path | None, words: Sequence[str], *, as_json: bool) -> str:
    """The runs of a workspace, newest first, as a table or as JSON.

    Args:
        workspace: the person's own if absent.
        words: only runs of which all of them are said.
        as_json: every field but the thumbnail.

    Raises:
        UserError: the workspace cannot be read.
    """
    with told() as progress:
        entries = RunIndex(workspace or runs_root()).refresh(progress)
    entries = [entry for entry in entries if entry.matches(list(words))]
    if as_json:
        records = [{name: value for name, value in asdict(entry).items() if name != "thumbnail"} for entry in entries]
        return json_text(records, indent=2)
    if not entries:
        return f"No runs in {workspace or runs_root()}"
    return "\n".join(_columns([_HEAD, *map(_cells, entries)]))


def run_names(workspace: Path | None) -> list[str]:
    """Names of the folders of a workspace that hold a run, without a look into them.

    Raises:
        UserError: the workspace cannot be read.
    """
    return sorted(name for name, _ in run_folders(workspace or runs_root()))


_HEAD = ("run", "data set", "model", "tilt", "steps", "time", "TV", "Fréchet", "status", "folder")


def _cells(entry: RunEntry) -> tuple[str, ...]:
    known, at = (entry.share_error, entry.frechet), entry.measured_at
    figures = ("–" if value is None else f"{value:.4g}{at}" for value in known)
    numbers = (f"{entry.steps:,}", f"{entry.seconds:,.0f} s", *figures)
    return entry.name, entry.dataset, entry.model, entry.tilt, *numbers, entry.status, entry.folder


def compare(folders: Sequence[Path]) -> str:
    """Final numbers and differing settings of runs, as a table.

    Raises:
        UserError: there are too few or too many, or one is damaged.
    """
    with told() as progress:
        runs = read_runs(folders, progress)
    names = Row(title="", cells=tuple(run.entry.name for run in runs))
    numbers, settings = final_numbers(runs), differences(runs)
    lines = _columns([(row.title, *row.cells) for row in (names, *numbers, *settings)])
    return "\n".join([*lines[: 1 + len(numbers)], "", "settings that differ:", *lines[1 + len(numbers) :]])


def write(work: Callable[[Progress], T]) -> T:
    """Do it behind a progress bar.

    Raises:
        UserError: whatever it could not do.
    """
    with told() as progress:
        return work(progress)


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of cells, each column as wide as its widest."""
    short = [[*map(_short, row[:-1]), row[-1]] for row in rows]
    widths = [max(map(len, column)) for column in zip(*short, strict=True)]
    return ["  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True)).rstrip() for row in short]


def _short(cell: str) -> str:
    return cell if len(cell) <= _WIDEST else f"{cell[: _WIDEST - 1]}…"
