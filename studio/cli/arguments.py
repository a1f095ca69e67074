"""Arguments that commands share, and what they stand for."""

from __future__ import annotations

import argparse
import itertools
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

from studio.errors import UserError
from studio.paths import typed_path

if TYPE_CHECKING:
    from studio.training.analysis.asked_target import AskedTarget

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
Arguments: TypeAlias = "argparse._ActionsContainer"
"""A parser, or a group of its arguments."""

RUN = "a run's folder, or its name in the workspace"
METHODS = ("auto", "condition", "reject", "resample", "steer", "chains")


class Parser(argparse.ArgumentParser):
    """Says of a value that begins with -, and so is taken for an option, how it is written."""

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> Any:
        self._given = list(sys.argv[1:] if args is None else args)
        return super().parse_known_args(args, namespace)

    def error(self, message: str) -> NoReturn:
        for option, value in itertools.pairwise(self._given):
            another = value[:1] != "-" or value.partition("=")[0] in self._option_string_actions
            if message == f"argument {option}: expected one argument" and not another:
                super().error(f"{message}; one that begins with - is written {option}='{value}'")
        super().error(message)


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

    with suppress(UserError):  # what was asked for is done by now
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


def add_seed(parser: Arguments, default: int | None = 0) -> None:
    """``--seed`` of samples."""
    says = f"of the latents ({'others at each evaluation' if default is None else default})"
    parser.add_argument("--seed", type=number(int, 0, 2**32 - 1), default=default, metavar="S", help=says)


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


def add_at_once(parser: argparse.ArgumentParser) -> None:
    """``--share``, ``--offset``, ``--formula`` and ``--method``, for another target than the run was trained for."""
    group = add_asked(
        parser,
        "another target at once",
        "What the model makes is sampled as if it had been trained for this; all else of its target stays.",
    )
    group.add_argument(
        "--method",
        choices=METHODS,
        default="auto",
        help="condition: a conditional model is told the target's classes; reject: independent samples; resample: some "
        "come several times; steer: diffusion; chains: RBM and EBM; auto takes what is predicted to cost least (auto)",
    )


def add_asked(parser: argparse.ArgumentParser, title: str, description: str) -> Arguments:
    """``--share``, ``--offset`` and ``--formula``, as a group of that title."""
    group = parser.add_argument_group(title, description)
    for name, kind, metavar, says in (
        ("share", _share, "CLASS=30%", "of the class among all; the others keep their proportions; may be repeated"),
        ("offset", number(float, -700, 700), "CLASS=ΔH", "of the class, such as 2=-1.36; may be repeated"),
    ):
        group.add_argument(
            f"--{name}", dest=f"{name}s", action="append", default=[], type=_of_class(kind), metavar=metavar, help=says
        )
    group.add_argument(
        "--formula",
        dest="formulas",
        action="append",
        default=[],
        metavar="TEXT",
        help="a term that is added to the energy, such as 0.1*slant; may be repeated",
    )
    return group


def asked_of(arguments: argparse.Namespace) -> AskedTarget | None:
    """The target that was asked for; None if none was, and the model is to be sampled as it is."""
    from studio.training.analysis.asked_target import AskedTarget

    if not (arguments.shares or arguments.offsets or arguments.formulas or arguments.method != "auto"):
        return None
    shares, offsets = dict(arguments.shares), dict(arguments.offsets)
    asked = [name for name, _ in (*arguments.shares, *arguments.offsets)]
    twice = next((name for name in asked if asked.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"Class “{twice}” is asked for twice", "", "Give each class one share or one ΔH.")
    return AskedTarget(shares=shares, offsets=offsets, formulas=tuple(arguments.formulas))


def _of_class(kind: Callable[[str], float]) -> Callable[[str], tuple[str, float]]:
    """A type of argument: ``CLASS=VALUE``; a class may have a = in its name."""

    def parse(text: str) -> tuple[str, float]:
        name, equals, value = text.rpartition("=")
        if not equals or not name:
            raise argparse.ArgumentTypeError(f"“{text}” has not the form CLASS=VALUE")
        return name, kind(value)

    parse.__name__ = "class and value"
    return parse


def _share(text: str) -> float:
    """30%, 30 % or 0.3."""
    percent = text.strip().endswith("%")
    share = float(text.strip().removesuffix("%")) / (100 if percent else 1)
    if not 0 < share < 1:
        raise argparse.ArgumentTypeError("a share lies between 0% and 100%; write 30% or 0.3")
    return share
