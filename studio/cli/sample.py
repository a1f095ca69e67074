"""`studio sample`: draw from a run, as it was trained or for another target at once."""

from __future__ import annotations

import argparse

from studio.cli.arguments import (
    Commands,
    add_data_root,
    add_places,
    add_raw,
    add_run,
    add_seed,
    number,
    place,
    run_of,
    tell_if_cut_short,
)
from studio.cli.at_once import add_at_once, asked_of
from studio.cli.meter import progress_bar


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


def _sample(arguments: argparse.Namespace) -> int:
    from studio.library.export.samples import write_at_once, write_picture, write_samples

    run, averaged, count, seed, out = (
        run_of(arguments),
        not arguments.raw,
        arguments.count,
        arguments.seed,
        arguments.out,
    )
    asked = asked_of(arguments)
    with progress_bar() as progress:
        if asked is None:
            write = write_picture if out.suffix.lower() == ".png" else write_samples
            write(run, out, progress, count=count, seed=seed, averaged=averaged)
        else:
            made = write_at_once(
                run,
                out,
                asked,
                progress,
                method=arguments.method,
                count=count,
                seed=seed,
                averaged=averaged,
                data_root=arguments.data_root,
                assignments=arguments.assignments,
            )
    if asked is not None:
        print(made.told())
    tell_if_cut_short(run)
    return 0
