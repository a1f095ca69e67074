"""Arguments of commands that sample another target than the one a run was trained for."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING

from studio.cli.arguments import Arguments, number

if TYPE_CHECKING:
    from studio.training.analysis.asked_target import AskedTarget

METHODS = ("auto", "condition", "reject", "resample", "steer", "chains")


def add_at_once(parser: argparse.ArgumentParser) -> None:
    """``--share``, ``--offset``, ``--formula`` and ``--method``."""
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
