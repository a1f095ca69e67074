"""Arguments that commands share, and what they stand for."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from studio.paths import typed_path

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Arguments: TypeAlias = "argparse._ActionsContainer"
"""A parser, or a group of its arguments."""

RUN = "a run's folder, or its name in the workspace"


def add_run(parser: Arguments) -> None:
    """``RUN`` and ``--workspace``, for `run_of`."""
    parser.add_argument("run", type=typed_path, metavar="RUN", help=RUN)
    add_workspace(parser)


def run_of(arguments: argparse.Namespace) -> Path:
    """The folder of the run that was named; raises UserError if there is none, or more than one of that name."""
    from studio.library.find import find_run

    return find_run(arguments.run, arguments.workspace)


def tell_if_cut_short(run: Path) -> None:
    """Say so on stderr where what was made of a run's weights is not of its end."""
    from studio.training.storage.run import Run

    warning = Run.open(run).cut_short
    if warning:
        print(f"studio: {warning}", file=sys.stderr)


def add_workspace(parser: Arguments) -> None:
    """``--workspace``."""
    parser.add_argument(
        "--workspace", type=place, metavar="DIR", help="folder of the runs (the one chosen in the window)"
    )


def add_data_root(parser: Arguments) -> None:
    """``--data-root``."""
    parser.add_argument("--data-root", type=place, metavar="DIR", help="folder of downloaded data sets")


def add_seed(parser: Arguments) -> None:
    """``--seed`` of samples."""
    parser.add_argument("--seed", type=number(int, 0, 2**63 - 1), default=0, metavar="S", help="of the latents (0)")


def add_raw(parser: Arguments) -> None:
    """``--raw``."""
    parser.add_argument("--raw", action="store_true", help="by the weights as they are, not their moving average")


def add_settings(parser: argparse.ArgumentParser) -> None:
    """``--set PATH=VALUE``, and ``--hold``, which is short for one."""
    _add_set(parser, "change a setting, such as perturbation.offsets.2=-1.36; may be repeated")
    parser.add_argument(
        "--hold",
        dest="assignments",
        action="append_const",
        const="hold.on=true",
        help="correct the offsets while it trains until the shares are those asked for; trades unbiased weights for "
        "arrival. Needs images with classes",
    )


def add_places(parser: Arguments) -> None:
    """``--set PATH=VALUE`` of where a run's data lie."""
    says = "where the run's data lie now, such as dataset.path=/new/place; they must be the same; may be repeated"
    _add_set(parser, says)


def _add_set(parser: Arguments, says: str) -> None:
    parser.add_argument("--set", dest="assignments", action="append", default=[], metavar="PATH=VALUE", help=says)


def add_limit(parser: argparse.ArgumentParser, *, steps: str, minutes: str) -> None:
    """``--steps`` or ``--minutes``, with their help."""
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument("--steps", type=number(int, 1, 10**12), metavar="N", help=steps)
    limit.add_argument("--minutes", type=number(float, 1e-6, 1e9), metavar="M", help=minutes)


def add_evaluation(parser: argparse.ArgumentParser) -> None:
    """``--evaluate``."""
    parser.add_argument(
        "--evaluate",
        action="store_true",
        help="tell whether the tilt arrives, now and then while it trains and at its end; needs images",
    )


def place(text: str) -> Path:
    """A type of argument: a path, however it was typed; ``~`` is the home folder after ``--option=``, too."""
    path = Path(typed_path(text))
    return path if path.exists() else Path(os.path.expanduser(path))


def number(kind: type[int] | type[float], least: float, most: float) -> Callable[[str], int | float]:
    """A type of argument: a number within bounds; a whole one may be written 1e7."""

    def parse(text: str) -> int | float:
        value = float(text) if kind is float or "e" in text.lower() else int(text)
        if kind is int and isinstance(value, float) and not value.is_integer():
            raise ValueError
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"it must lie in {least:g} … {most:g}")
        return kind(value)

    parse.__name__ = "number"
    return parse
