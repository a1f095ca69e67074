"""The commands that go on with runs: `studio resume`, `studio fork` and `studio pin`."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from studio.cli.arguments import (
    Commands,
    add_data_root,
    add_evaluation,
    add_limit,
    add_run,
    add_settings,
    number,
    place,
    run_of,
)

if TYPE_CHECKING:
    from studio.training.config.run_config import RunConfig


def add_run_commands(commands: Commands) -> None:
    """Add them to the command line."""
    _add_resume(commands)
    _add_fork(commands)
    _add_pin(commands)


def evaluation_of(config: RunConfig, data_root: Path | None) -> Callable[[Path], None]:
    """What evaluates a run of this configuration at its end, prints it and keeps it in the run's folder."""

    def tell(run: Path) -> None:
        from studio.cli.evaluate import evaluate

        out = run / "evaluation.json"
        evaluate(run, config.evaluation.samples, None, out, data_root=data_root)

    return tell


def _add_resume(commands: Commands) -> None:
    resume = commands.add_parser(
        "resume",
        help="resume a run from its last checkpoint",
        description="Resume a run in its own folder, from its last checkpoint. On a CPU it is the same run to the "
        "last bit as one that never stopped. What a killed run wrote after that checkpoint is trained again.",
        epilog="example: studio resume my-run --steps 5000",
    )
    add_run(resume)
    add_limit(resume, steps="up to this step (1,000 more if nothing is said)", minutes="so many minutes longer")
    add_settings(resume)
    add_evaluation(resume)
    add_data_root(resume)
    resume.set_defaults(command=_resume)


def _add_fork(commands: Commands) -> None:
    fork = commands.add_parser(
        "fork",
        help="begin a new run from a checkpoint, with another tilt",
        description="Begin a new run from a checkpoint of another, with another tilt. The old run stays as it is.",
        epilog="example: studio fork my-run --step 2000 --set perturbation.offsets.2=-3 --steps 4000",
    )
    add_run(fork)
    fork.add_argument("--step", type=number(int, 0, 10**12), metavar="S", help="of the checkpoint (the last one)")
    add_settings(fork)
    add_limit(fork, steps="up to this step (1,000 more if nothing is said)", minutes="so many minutes longer")
    fork.add_argument("--run-dir", type=place, metavar="DIR", help="the new run's folder, new or empty")
    add_data_root(fork)
    fork.set_defaults(command=_fork)


def _add_pin(commands: Commands) -> None:
    pin = commands.add_parser(
        "pin",
        help="list a run's checkpoints, or keep one for good",
        description="List the checkpoints of a run. The last three are kept, and those that are pinned.",
        epilog="example: studio pin my-run --step 2000",
    )
    add_run(pin)
    pin.add_argument("--step", type=number(int, 0, 10**12), metavar="S", help="of the checkpoint to pin")
    pin.add_argument("--off", action="store_true", help="let it go when its time has come")
    pin.set_defaults(command=_pin)


def _resume(arguments: argparse.Namespace) -> int:
    from studio.cli.train import go_on
    from studio.training.storage.resumption import resume

    found = resume(run_of(arguments), None, arguments.assignments)
    evaluate = evaluation_of(found.config, arguments.data_root) if arguments.evaluate else None
    root = arguments.data_root
    return go_on(found, arguments.steps, arguments.minutes, data_root=root, run_dir=None, evaluate=evaluate)


def _fork(arguments: argparse.Namespace) -> int:
    from studio.cli.train import go_on
    from studio.training.storage.resumption import fork

    found = fork(run_of(arguments), arguments.step, arguments.assignments)
    return go_on(found, arguments.steps, arguments.minutes, data_root=arguments.data_root, run_dir=arguments.run_dir)


def _pin(arguments: argparse.Namespace) -> int:
    from studio.training.storage.checkpoint_store import CheckpointStore

    shelf = CheckpointStore(run_of(arguments))
    if arguments.step is not None:
        (shelf.unpin if arguments.off else shelf.pin)(arguments.step)
    for step in shelf.steps:
        print(f"{step:>12,}{'  pinned' if step in shelf.pinned else ''}")
    return 0
