"""The part of the command line that is about runs on disk: `runs`, `compare`, `export`, `report`, `import`."""

from __future__ import annotations

import argparse
from pathlib import Path

from studio.cli.arguments import RUN, Commands, add_run, add_workspace, place, run_of
from studio.cli.export import add_export
from studio.paths import typed_path


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
    from studio.cli.library_commands import list_runs, run_names

    if arguments.names:
        print("\n".join(run_names(arguments.workspace)))
        return 0
    print(list_runs(arguments.workspace, arguments.words, as_json=arguments.json))
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    from studio.cli.library_commands import compare
    from studio.library.find import find_run

    print(compare([find_run(name, arguments.workspace) for name in arguments.runs]))
    return 0


def _report(arguments: argparse.Namespace) -> int:
    from studio.cli.library_commands import write
    from studio.library.export.report import write_report

    run = run_of(arguments)
    out = arguments.out or Path(f"{run.resolve().name}.html")
    write(lambda told: write_report(run, out, told))
    print(f"Report in {out}")
    return 0


def _import(arguments: argparse.Namespace) -> int:
    from studio.cli.library_commands import write
    from studio.library.export.archive import unpack
    from studio.paths import runs_root

    root = arguments.workspace or runs_root()
    print(f"The run is in {write(lambda told: unpack(arguments.archive, root, told))}")
    return 0
