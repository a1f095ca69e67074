"""The commands that go on with runs: `studio resume`, `studio fork` and `studio pin`; and arguments they share."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

Commands = argparse._SubParsersAction  # argparse has no public name for it


def add_run_commands(commands: Commands[argparse.ArgumentParser]) -> None:
    """Add them to the command line."""
    _add_resume(commands)
    _add_fork(commands)
    _add_pin(commands)


def add_settings(parser: argparse.ArgumentParser) -> None:
    """``--set PATH=VALUE``."""
    parser.add_argument(
        "--set",
        dest="assignments",
        action="append",
        default=[],
        metavar="PATH=VALUE",
        help="change a setting, such as perturbation.offsets.2=-1.36; may be repeated",
    )


def add_limit(parser: argparse.ArgumentParser, *, steps: str, minutes: str) -> None:
    """``--steps`` or ``--minutes``, with their help."""
    limit = parser.add_mutually_exclusive_group()
    limit.add_argument("--steps", type=number(int, 1, 10**12), metavar="N", help=steps)
    limit.add_argument("--minutes", type=number(float, 1e-6, 1e9), metavar="M", help=minutes)


def number(kind: type[int] | type[float], least: float, most: float) -> Callable[[str], int | float]:
    """A type of argument: a number within bounds."""

    def parse(text: str) -> int | float:
        value = kind(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"it must lie in {least:g} … {most:g}")
        return value

    parse.__name__ = "number"
    return parse


def _add_resume(commands: Commands[argparse.ArgumentParser]) -> None:
    resume = commands.add_parser(
        "resume",
        help="go on with a run from its last checkpoint",
        description="Go on with a run in its own folder, from its last checkpoint. On a CPU it is the same run to the "
        "last bit as one that never stopped. What a killed run wrote after that checkpoint is trained again.",
        epilog="example: studio resume my-run --steps 5000",
    )
    _add_run(resume)
    add_limit(resume, steps="up to this step (1,000 more if nothing is said)", minutes="so many minutes longer")
    _add_data_root(resume)
    resume.set_defaults(command=_resume)


def _add_fork(commands: Commands[argparse.ArgumentParser]) -> None:
    fork = commands.add_parser(
        "fork",
        help="begin a new run from a checkpoint, with another tilt",
        description="Begin a new run from a checkpoint of another, with another tilt. The old run stays as it is.",
        epilog="example: studio fork my-run --step 2000 --set perturbation.offsets.2=-3 --steps 4000",
    )
    _add_run(fork)
    fork.add_argument("--step", type=number(int, 0, 10**12), metavar="S", help="of the checkpoint (the last one)")
    add_settings(fork)
    add_limit(fork, steps="up to this step (1,000 more if nothing is said)", minutes="so many minutes longer")
    fork.add_argument("--run-dir", type=Path, metavar="DIR", help="the new run's folder, new or empty")
    _add_data_root(fork)
    fork.set_defaults(command=_fork)


def _add_pin(commands: Commands[argparse.ArgumentParser]) -> None:
    pin = commands.add_parser(
        "pin",
        help="list a run's checkpoints, or keep one for good",
        description="List the checkpoints of a run. The last three are kept, and those that are pinned.",
        epilog="example: studio pin my-run --step 2000",
    )
    _add_run(pin)
    pin.add_argument("--step", type=number(int, 0, 10**12), metavar="S", help="of the checkpoint to pin")
    pin.add_argument("--off", action="store_true", help="let it go when its time has come")
    pin.set_defaults(command=_pin)


def _add_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("run", type=Path, metavar="RUN", help="a run's folder")


def _add_data_root(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data-root", type=Path, metavar="DIR", help="folder of downloaded data sets")


def _resume(arguments: argparse.Namespace) -> int:
    from studio.headless import go_on
    from studio.training.resumption import resume

    found = resume(arguments.run)
    return go_on(found, arguments.steps, arguments.minutes, data_root=arguments.data_root, run_dir=None)


def _fork(arguments: argparse.Namespace) -> int:
    from studio.headless import go_on
    from studio.training.resumption import fork

    found = fork(arguments.run, arguments.step, arguments.assignments)
    return go_on(found, arguments.steps, arguments.minutes, data_root=arguments.data_root, run_dir=arguments.run_dir)


def _pin(arguments: argparse.Namespace) -> int:
    from studio.training.shelf import Shelf

    shelf = Shelf(arguments.run)
    if arguments.step is not None:
        (shelf.unpin if arguments.off else shelf.pin)(arguments.step)
    for step in shelf.steps:
        print(f"{step:>12,}{'  pinned' if step in shelf.pinned else ''}")
    return 0
