"""`studio sample` and `studio export`: samples of a run, and a run in the forms of `studio.library.export.formats`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from studio.cli.arguments import (
    Commands,
    add_at_once,
    add_data_root,
    add_places,
    add_raw,
    add_run,
    add_seed,
    asked_of,
    number,
    place,
    run_of,
    tell_if_cut_short,
)
from studio.cli.meter import progress_bar
from studio.errors import UserError

if TYPE_CHECKING:
    from studio.library.export.options import ExportOptions

_DESCRIPTION = """Save parts of a run as files that other programs open. Give one or more of the
options under “what to save”. Every file is written whole or not at all."""

_EXAMPLES = """examples:
  studio export my-run --timelapse my-run.mp4 --csv my-run.csv
  studio export my-run --onnx generator.onnx --raw
  studio export my-run --classes pictures --count 5000 --share 2=30%"""


def add_sample(commands: Commands) -> None:
    """Add the command."""
    sample = commands.add_parser(
        "sample",
        help="draw images from a trained run, as it was trained or for another target at once",
        description="Draw from the model of a trained run. The same seed gives the same images. `studio export` draws "
        "into a folder per class, too.",
        epilog="example: studio sample my-run --count 1000 --share 2=30% --out samples.npz",
    )
    add_run(sample)
    sample.add_argument("--count", type=number(int, 1, 10**12), default=64, metavar="N", help="how many (64)")
    add_seed(sample)
    sample.add_argument(
        "--out",
        "--output",
        type=place,
        required=True,
        metavar="FILE.npz",
        help="holds `images`, uint8, shape (N, H, W, C), and `how` they were made, JSON; or a picture, FILE.png",
    )
    add_raw(sample)
    add_at_once(sample)
    add_places(sample)
    add_data_root(sample)
    sample.set_defaults(command=_sample)


def add_export(commands: Commands) -> None:
    """Add the command."""
    from studio.library.export.formats import FORMATS
    from studio.library.export.options import MOST_SAMPLES

    export = commands.add_parser(
        "export",
        help="save a run's samples, metrics, model or all of it for others",
        description=_DESCRIPTION,
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_run(export)
    forms = export.add_argument_group("what to save")
    for kind in FORMATS:
        forms.add_argument(f"--{kind.name}", type=place, metavar=kind.metavar, help=kind.says)
    choices = export.add_argument_group("choices")
    choices.add_argument(
        "--step",
        type=number(int, 0, 10**12),
        metavar="N",
        help="of the grid: the newest at or before step N (the last)",
    )
    choices.add_argument(
        "--seconds", type=number(float, 0.1, 3600), default=10.0, metavar="S", help="that a time-lapse lasts (10)"
    )
    choices.add_argument(
        "--count", type=number(int, 1, MOST_SAMPLES), default=1000, metavar="N", help="samples that are drawn (1,000)"
    )
    add_seed(choices)
    add_raw(choices)
    add_places(choices)
    add_data_root(choices)
    add_at_once(export)
    export.set_defaults(command=_export)


def _options(arguments: argparse.Namespace) -> ExportOptions:
    """What was chosen, as far as the command has it."""
    from studio.library.export.options import ExportOptions

    same = ("step", "seconds", "count", "seed", "data_root", "method")
    given = {name: value for name, value in vars(arguments).items() if name in same}
    return ExportOptions(
        averaged=not arguments.raw, assignments=tuple(arguments.assignments), asked=asked_of(arguments), **given
    )


def _ensure_ending(out: Path, endings: tuple[str, ...]) -> None:
    """Refuse a name that says that the file is something else; raises UserError."""
    if endings and out.suffix and out.suffix.lower() not in endings:
        hint = f"Use a name that ends in {' or '.join(endings)}."
        raise UserError("A file cannot be of this format", f"{out}.", hint)


def _sample(arguments: argparse.Namespace) -> int:
    from studio.library.export.samples import write_at_once, write_picture, write_samples

    _ensure_ending(arguments.out, (".npz", ".png"))
    run, out, options = run_of(arguments), arguments.out, _options(arguments)
    said = None
    with progress_bar() as progress:
        if options.asked is None:
            write = write_picture if out.suffix.lower() == ".png" else write_samples
            write(run, out, progress, count=options.count, seed=options.seed, averaged=options.averaged)
        else:
            said = write_at_once(run, out, progress, options, options.asked).told()
    if said is not None:
        print(said)
    tell_if_cut_short(run)
    return 0


def _export(arguments: argparse.Namespace) -> int:
    from studio.library.export.formats import FORMATS

    given = vars(arguments)
    asked = [(kind, out) for kind in FORMATS if (out := given[kind.name.replace("-", "_")]) is not None]
    if not asked:
        names = ", ".join(f"--{kind.name}" for kind in FORMATS)
        raise UserError("Nothing was asked for", "", f"Give one or more of {names} with a name.")
    for kind, out in asked:
        _ensure_ending(out, tuple(kind.endings))
    run, options = run_of(arguments), _options(arguments)
    if options.asked is not None and not all(kind.draws for kind, _ in asked):
        drawing = " and ".join(f"--{kind.name}" for kind in FORMATS if kind.draws)
        raise UserError("Another target is for samples alone", "", f"Give {drawing} only, or leave the target out.")
    for kind, out in asked:
        with progress_bar() as progress:
            said = kind.write(run, out, options, progress)
        print(f"{said} in {out}", flush=True)
    tell_if_cut_short(run)
    return 0
