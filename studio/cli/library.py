"""The part of the command line that is about runs on disk: `runs`, `compare`, `export`, `report`, `import`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from studio.cli.arguments import RUN, Commands, add_run, add_workspace, place, run_of
from studio.cli.export import add_export
from studio.cli.meter import progress_bar
from studio.cli.output import columns
from studio.names import shortened
from studio.number_text import short
from studio.paths import runs_root, typed_path
from studio.records import json_text

if TYPE_CHECKING:
    from studio.library.run_summary import RunSummary

_WIDEST = 36
_HEAD = ("run", "data set", "model", "tilt", "steps", "time", "TV", "Fréchet", "status", "folder")


def add_library(commands: Commands) -> None:
    """Add the commands."""
    for add in (_add_runs, _add_compare, add_export, _add_report, _add_import):
        add(commands)


def _add_runs(commands: Commands) -> None:
    runs = commands.add_parser(
        "runs",
        help="list the runs of the workspace",
        description="List the runs of the workspace, newest first: what each learned, how it was tilted, how long it "
        "trained, and how far its class shares (TV) and samples (Fréchet) are from the target. A damaged folder is "
        "listed with its reason.",
        epilog="example: studio runs mnist wgan",
    )
    runs.add_argument("words", nargs="*", metavar="WORD", help="only runs of which all of these words are said")
    runs.add_argument("--names", action="store_true", help="only the names of their folders, one a line")
    runs.add_argument("--json", action="store_true", help="everything that is known, as JSON")
    add_workspace(runs)
    runs.set_defaults(command=_runs)


def _add_compare(commands: Commands) -> None:
    compare = commands.add_parser(
        "compare",
        help="compare two to eight runs",
        description="Print final numbers of two to eight runs side by side, and the settings that are not the same in "
        "all. Of each curve, the mean of its last tenth.",
        epilog="example: studio compare tilted untilted",
    )
    compare.add_argument("runs", nargs="+", type=typed_path, metavar="RUN", help=RUN)
    add_workspace(compare)
    compare.set_defaults(command=_compare)


def _add_report(commands: Commands) -> None:
    report = commands.add_parser(
        "report",
        help="save a run as one page to read",
        description="Save a self-contained HTML page: numbers, shares by class, samples over time, curves, what "
        "happened, and the configuration. It loads nothing and runs no script.",
        epilog="example: studio report my-run --out my-run.html",
    )
    add_run(report)
    report.add_argument("--out", type=place, metavar="FILE.html", help="the page (RUN.html in this folder)")
    report.set_defaults(command=_report)


def _add_import(commands: Commands) -> None:
    taken = commands.add_parser(
        "import",
        help="take a zipped run into the workspace",
        description="Unpack a run that `studio export --zip` made. An archive that means harm is refused, and nothing "
        "in it is ever executed.",
        epilog="example: studio import my-run.zip",
    )
    taken.add_argument("archive", type=place, metavar="FILE.zip", help="the archive")
    add_workspace(taken)
    taken.set_defaults(command=_import)


def _runs(arguments: argparse.Namespace) -> int:
    if arguments.names:
        print("\n".join(_names(arguments.workspace)))
        return 0
    print(_list(arguments.workspace, arguments.words, as_json=arguments.json))
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    from studio.library.find import find_run

    print(_table([find_run(name, arguments.workspace) for name in arguments.runs]))
    return 0


def _report(arguments: argparse.Namespace) -> int:
    from studio.library.export.report import write_report

    run = run_of(arguments)
    out = arguments.out or Path(f"{run.resolve().name}.html")
    with progress_bar() as progress:
        write_report(run, out, progress)
    print(f"Report in {out}")
    return 0


def _import(arguments: argparse.Namespace) -> int:
    from studio.library.export.archive import unpack

    with progress_bar() as progress:
        folder = unpack(arguments.archive, arguments.workspace or runs_root(), progress)
    print(f"The run is in {folder}")
    return 0


def _list(workspace: Path | None, words: Sequence[str], *, as_json: bool) -> str:
    """The runs of a workspace of which all words are said, newest first, as a table or, but for thumbnails, as JSON."""
    from studio.library.index import RunIndex

    with progress_bar() as progress:
        root = workspace or runs_root()
        found = [entry.now(root / entry.folder) for entry in RunIndex(root).refresh(progress)]
    entries = [entry for entry in found if entry.matches(list(words))]
    if as_json:
        records = [{name: value for name, value in asdict(entry).items() if name != "thumbnail"} for entry in entries]
        return json_text(records, indent=2)
    if not entries:
        return f"No runs in {root}"
    return "\n".join(_columns([_HEAD, *map(_cells, entries)]))


def _names(workspace: Path | None) -> list[str]:
    """Names of the folders of a workspace that hold a run, without a look into them; raises UserError if unreadable."""
    from studio.library.index import run_folders

    return sorted(name for name, _ in run_folders(workspace or runs_root()))


def _cells(entry: RunSummary) -> tuple[str, ...]:
    known, at = (entry.share_error, entry.frechet), entry.measured_at
    figures = ("–" if value is None else f"{short(value)}{at}" for value in known)
    numbers = (f"{entry.steps:,}", f"{entry.seconds:,.0f} s", *figures)
    return entry.name, entry.dataset, entry.model, entry.tilt, *numbers, entry.status, entry.folder


def _table(folders: Sequence[Path]) -> str:
    """Final numbers and differing settings of runs; raises UserError if they are too few, too many or damaged."""
    from studio.library.compare import Row, differences, final_numbers, read_runs

    with progress_bar() as progress:
        runs = read_runs(folders, progress)
    names = Row(title="", cells=tuple(run.name for run in runs))
    numbers, settings = final_numbers(runs), differences(runs)
    lines = _columns([(row.title, *row.cells) for row in (names, *numbers, *settings)])
    return "\n".join([*lines[: 1 + len(numbers)], "", "settings that differ:", *lines[1 + len(numbers) :]])


def _columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of cells, the long ones cut short but for the last of each row."""
    return columns([[*(shortened(cell, _WIDEST) for cell in row[:-1]), row[-1]] for row in rows])
