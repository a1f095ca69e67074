"""The part of the command line that is about runs on disk: `runs`, `compare`, `export`, `report`, `import`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TypeAlias

from studio.errors import UserError

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
_RUN = "a run's folder, or its name in the workspace"


def add_library(commands: Commands) -> None:
    """Add the commands."""
    for add in (_add_runs, _add_compare, _add_export, _add_report, _add_import):
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
    runs.add_argument("--json", action="store_true", help="everything that is known, as JSON")
    _add_workspace(runs)
    runs.set_defaults(command=_runs)


def _add_compare(commands: Commands) -> None:
    compare = commands.add_parser(
        "compare",
        help="compare two to eight runs",
        description="Print final numbers of two to eight runs side by side, and the settings that are not the same in "
        "all. Of each curve, the mean of its last tenth.",
        epilog="example: studio compare tilted untilted",
    )
    compare.add_argument("runs", nargs="+", metavar="RUN", help=_RUN)
    _add_workspace(compare)
    compare.set_defaults(command=_compare)


def _add_export(commands: Commands) -> None:
    export = commands.add_parser(
        "export",
        help="save a run's samples, metrics or all of it for others",
        description="Save parts of a run as files that other programs open. Give one or more of the options. Samples "
        "as arrays come from `studio sample`.",
        epilog="example: studio export my-run --timelapse my-run.gif --csv my-run.csv",
    )
    export.add_argument("run", metavar="RUN", help=_RUN)
    export.add_argument("--csv", type=Path, metavar="FILE.csv", help="metrics, a row per logged step")
    export.add_argument("--grid", type=Path, metavar="FILE.png", help="a sample grid as a picture")
    export.add_argument("--step", type=int, metavar="N", help="of that grid: the newest at or before step N (the last)")
    export.add_argument(
        "--timelapse", type=Path, metavar="FILE.gif", help="all sample grids as GIF or WebP, step and ΔH drawn in"
    )
    export.add_argument("--seconds", type=float, default=10.0, metavar="S", help="that the time-lapse lasts (10)")
    export.add_argument(
        "--classes", type=Path, metavar="DIR", help="newly drawn samples, each in the folder of the class a judge sees"
    )
    export.add_argument("--count", type=int, default=1000, metavar="N", help="of those samples (1,000)")
    export.add_argument("--data-root", type=Path, metavar="DIR", help="folder of downloaded data sets, for the judge")
    export.add_argument("--raw", action="store_true", help="samples by the weights as they were, not their average")
    export.add_argument("--zip", type=Path, metavar="FILE.zip", help="the whole run, for `studio import` elsewhere")
    _add_workspace(export)
    export.set_defaults(command=_export)


def _add_report(commands: Commands) -> None:
    report = commands.add_parser(
        "report",
        help="save a run as one page to read",
        description="Save a self-contained HTML page: numbers, shares by class, samples over time, curves, what "
        "happened, and the configuration. It loads nothing and runs no script.",
        epilog="example: studio report my-run --out my-run.html",
    )
    report.add_argument("run", metavar="RUN", help=_RUN)
    report.add_argument("--out", type=Path, metavar="FILE.html", help="the page (RUN.html in this folder)")
    _add_workspace(report)
    report.set_defaults(command=_report)


def _add_import(commands: Commands) -> None:
    taken = commands.add_parser(
        "import",
        help="take a zipped run into the workspace",
        description="Unpack a run that `studio export --zip` made. An archive that means harm is refused, and nothing "
        "in it is ever executed.",
        epilog="example: studio import my-run.zip",
    )
    taken.add_argument("archive", type=Path, metavar="FILE.zip", help="the archive")
    _add_workspace(taken)
    taken.set_defaults(command=_import)


def _add_workspace(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--workspace", type=Path, metavar="DIR", help="folder of the runs (the one chosen in the window)"
    )


def _runs(arguments: argparse.Namespace) -> int:
    from studio.headless_library import list_runs

    print(list_runs(arguments.workspace, arguments.words, as_json=arguments.json))
    return 0


def _compare(arguments: argparse.Namespace) -> int:
    from studio.headless_library import compare, find_run

    print(compare([find_run(name, arguments.workspace) for name in arguments.runs]))
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from studio.headless_library import find_run, samples_by_class, write
    from studio.library.export.archive import pack
    from studio.library.export.pictures import write_grid, write_timelapse
    from studio.library.export.tables import write_csv

    if not (arguments.csv or arguments.grid or arguments.timelapse or arguments.zip or arguments.classes):
        hint = "Give --csv, --grid, --timelapse, --zip or --classes with a name."
        raise UserError("Nothing was asked for", "", hint)
    run, averaged = find_run(arguments.run, arguments.workspace), not arguments.raw
    if arguments.csv:
        print(f"{write(lambda told: write_csv(run, arguments.csv, told)):,} rows in {arguments.csv}")
    if arguments.grid:
        step = write_grid(run, arguments.grid, arguments.step, averaged=averaged)
        print(f"Samples of step {step:,} in {arguments.grid}")
    if arguments.timelapse:
        seconds = min(3600.0, max(0.1, arguments.seconds))
        count = write(lambda told: write_timelapse(run, arguments.timelapse, told, seconds=seconds, averaged=averaged))
        print(f"{count:,} grids in {arguments.timelapse}")
    if arguments.classes:
        count = min(10**7, max(1, arguments.count))
        found = samples_by_class(run, arguments.classes, count, data_root=arguments.data_root, averaged=averaged)
        print(f"{', '.join(f'{name} {number:,}' for name, number in found.items())} in {arguments.classes}")
    if arguments.zip:
        print(f"{write(lambda told: pack(run, arguments.zip, told)):,} files in {arguments.zip}")
    return 0


def _report(arguments: argparse.Namespace) -> int:
    from studio.headless_library import find_run, write
    from studio.library.export.report import write_report

    run = find_run(arguments.run, arguments.workspace)
    out = arguments.out or Path(f"{run.resolve().name}.html")
    write(lambda told: write_report(run, out, told))
    print(f"Report in {out}")
    return 0


def _import(arguments: argparse.Namespace) -> int:
    from studio.headless_library import write
    from studio.library.export.archive import unpack
    from studio.paths import runs_root

    root = arguments.workspace or runs_root()
    print(f"The run is in {write(lambda told: unpack(arguments.archive, root, told))}")
    return 0
