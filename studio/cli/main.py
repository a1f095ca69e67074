"""The command line: the window without arguments, or a run without a window.

Exit codes: 0 success, 1 a bug, 2 something the person can mend (one line on stderr), 130 interrupted
by Ctrl-C (a run is saved all the same), 141 nobody reads on, as behind ``| head``.
"""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Callable, Sequence

from studio import __version__
from studio.cli.arguments import (
    Commands,
    Parser,
    add_at_once,
    add_data_root,
    add_evaluation,
    add_limit,
    add_places,
    add_run,
    add_seed,
    add_settings,
    asked_of,
    number,
    place,
    run_of,
    tell_if_cut_short,
)
from studio.cli.completion import add_completion
from studio.cli.export import add_sample
from studio.cli.library import add_library
from studio.cli.output import while_it_is_read
from studio.cli.response import add_response
from studio.cli.resume import add_run_commands, evaluation_of
from studio.errors import UserError
from studio.paths import typed_path
from studio.runtime import prepare_runtime


def main(argv: Sequence[str] | None = None) -> int:
    """Run the studio by these arguments, or by the process's own, and return the exit code."""
    prepare_runtime()
    return while_it_is_read(lambda: _run(sys.argv[1:] if argv is None else argv))


def _run(argv: Sequence[str]) -> int:
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        return command(arguments)
    except UserError as error:
        print(f"studio: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = Parser(
        prog="studio",
        description="Tilt the distribution a generative model learns, and watch it happen. "
        "Without a command, the window opens.",
    )
    parser.add_argument("--version", action="version", version=f"Perturbation Studio {__version__}")
    parser.set_defaults(command=_window, config=None, data_root=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    _add_window(commands)
    _add_train(commands)
    add_run_commands(commands)
    add_sample(commands)
    add_response(commands)
    _add_evaluate(commands)
    _add_sweep(commands)
    add_library(commands)
    presets = commands.add_parser(
        "presets",
        help="list the configurations that come with the studio",
        description="List the configurations that come with the studio, by the names that `train` and `open` take.",
        epilog="example: studio train digits-vae --minutes 1",
    )
    presets.set_defaults(command=_presets)
    models = commands.add_parser(
        "models",
        help="list the models",
        description="List the models, by the names that a configuration has under model.kind, each in a sentence.",
        epilog="example: studio models --names",
    )
    models.add_argument("--names", action="store_true", help="only their names, one a line")
    models.set_defaults(command=_models)
    doctor = commands.add_parser(
        "doctor",
        help="examine this machine: versions, libraries, room, and 10 seconds of training",
        description="Print what a bug report needs, without private folders, measure for 10 seconds how fast each "
        "device trains, and say what would help.",
        epilog="example: studio doctor > doctor.txt",
    )
    doctor.set_defaults(command=_doctor)
    add_completion(commands, parser)
    return parser


def _add_window(commands: Commands) -> None:
    window = commands.add_parser(
        "open",
        help="open the window",
        description="Open the window on a configuration; without one, on the built-in digits.",
        epilog="example: studio open mnist-twos-30",
    )
    window.add_argument(
        "config",
        nargs="?",
        type=typed_path,
        metavar="CONFIG_OR_PRESET",
        help="a configuration file, or the name of a preset or of a run",
    )
    add_data_root(window)
    window.set_defaults(command=_window)


def _add_train(commands: Commands) -> None:
    train = commands.add_parser(
        "train",
        help="train without a window",
        description="Train without a window, into a run folder. Ctrl-C finishes the step under way and saves.",
        epilog="example: studio train mnist-twos-30 --minutes 5 --set batch.average_size=32",
    )
    train.add_argument(
        "config",
        type=typed_path,
        metavar="CONFIG_OR_PRESET",
        help="a configuration file, a preset's name, or a run's, to train another one like it",
    )
    add_settings(train)
    add_limit(train, steps="training steps (1,000 if nothing is said)", minutes="training time in minutes")
    add_data_root(train)
    train.add_argument("--run-dir", type=place, metavar="DIR", help="the run's folder, new or empty")
    train.add_argument(
        "--queued-data",
        type=place,
        metavar="FILE",
        help="refuse data that have changed since they were noted there, as the queue does when a run is added",
    )
    add_evaluation(train)
    train.set_defaults(command=_train)


def _add_evaluate(commands: Commands) -> None:
    evaluate = commands.add_parser(
        "evaluate",
        help="tell whether the tilt arrived in a trained run",
        description="Compare what a trained run generates with the data and with its target: class shares with 95 % "
        "intervals, by a judge that is trained once for each data set, and distances to the tilted data. With another "
        "target, that of what it gives at once, by judges other than the one that weighs.",
        epilog="example: studio evaluate my-run --count 10000 --json my-run.json",
    )
    add_run(evaluate)
    evaluate.add_argument("--count", type=number(int, 10, 10**7), default=2000, metavar="N", help="samples (2,000)")
    add_seed(evaluate, None)
    evaluate.add_argument(
        "--judge",
        metavar="NAME",
        help="data set whose judge labels samples, such as mnist or folder:/home/me/pets; that of the run if absent",
    )
    add_at_once(evaluate)
    add_places(evaluate)
    evaluate.add_argument("--json", type=place, metavar="FILE", help="also write every figure there")
    add_data_root(evaluate)
    evaluate.set_defaults(command=_evaluate)


_SWEEP = """Train every combination of some settings, each run in a process of its own, and list the results:
settings that differ, share error with its interval, Fréchet distance, and of each curve the mean of its last tenth.
Images are evaluated unless the configuration's evaluation budget is 0."""

_SWEEP_EXAMPLE = """a sweep is a JSON file such as
  {"config": "digits-vae", "grid": {"perturbation.offsets.2": [-1, -2, -3], "seed": [0, 1]}, "steps": 2000}
with "set" for what all runs share and "list" for combinations that are no grid; "minutes" in place of "steps".
The same command again goes on with what is not completed.

On a cluster, start Ray on its machines first: "ray start --head" on one, "ray start --address HOST:PORT" on the others.
Then "studio sweep FILE --cluster HOST:PORT --out DIR" on one of them, where DIR is a folder that all of them share. The
run of a worker that is lost goes on from its last checkpoint on another. Needs the extra "cluster"."""


def _add_sweep(commands: Commands) -> None:
    sweep = commands.add_parser(
        "sweep",
        help="train every combination of some settings, and list the results",
        description=_SWEEP,
        epilog=_SWEEP_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    sweep.add_argument("sweep", type=place, metavar="FILE", help="the sweep, JSON")
    sweep.add_argument(
        "--out", type=place, metavar="DIR", help="folder of its runs and its results; the workspace if absent"
    )
    sweep.add_argument("--json", type=place, metavar="FILE", help="also write the results there, as JSON")
    sweep.add_argument("--csv", type=place, metavar="FILE", help="also write the results there, as CSV")
    sweep.add_argument("--jobs", type=number(int, 1, 4096), metavar="N", help="runs at once (1; a cluster: its cores)")
    sweep.add_argument(
        "--cluster",
        metavar="ADDRESS",
        help="run on a Ray cluster whose machines share the folder of the runs; “local” for one of this machine alone",
    )
    add_data_root(sweep)
    sweep.set_defaults(command=_sweep)


def _window(arguments: argparse.Namespace) -> int:
    from studio.gui.window.splash import show_splash

    splash = show_splash()
    gc.disable()  # what modules make stays, so looking through it is lost time; the window collects its garbage itself
    from studio.gui.application import end_process, run_application

    end_process(run_application(config=arguments.config, data_root=arguments.data_root, splash=splash))


def _train(arguments: argparse.Namespace) -> int:
    from studio.cli.train import limit_of, train
    from studio.library.find import config_of
    from studio.training.config.assignments import with_settings
    from studio.training.storage.fingerprints import read_noted

    named = config_of(arguments.config)
    config = with_settings(named.config, arguments.assignments)
    limit = limit_of(arguments.steps, arguments.minutes)
    evaluate = evaluation_of(config, arguments.data_root) if arguments.evaluate else None
    root, noted = named.root(arguments.data_root), arguments.queued_data
    queued = read_noted(noted) if noted else None
    return train(config, limit, data_root=root, run_dir=arguments.run_dir, evaluate=evaluate, queued_data=queued)


def _evaluate(arguments: argparse.Namespace) -> int:
    from studio.cli.evaluate import evaluate

    run = run_of(arguments)
    evaluate(
        run,
        arguments.count,
        arguments.seed,
        arguments.json,
        data_root=arguments.data_root,
        judge=arguments.judge,
        assignments=arguments.assignments,
        asked=asked_of(arguments),
        method=arguments.method,
    )
    tell_if_cut_short(run)
    return 0


def _sweep(arguments: argparse.Namespace) -> int:
    from studio.cli.sweep import Places, sweep
    from studio.jobs.cluster import Cluster

    address, data_root = arguments.cluster, arguments.data_root
    cluster = (lambda: Cluster(address, main, data_root)) if address else None
    places = Places(out=arguments.out, json=arguments.json, csv=arguments.csv)
    return sweep(arguments.sweep, places, at_once=arguments.jobs, data_root=data_root, cluster=cluster)


def _presets(_: argparse.Namespace) -> int:
    from studio.training.config.presets import presets

    found = presets()
    widest = max(len(preset.name) for preset in found)
    for preset in found:
        print(f"{preset.name:{widest}}  {preset.read().name}")
    return 0


def _models(arguments: argparse.Namespace) -> int:
    from studio.models.catalog import MODELS

    for spec in MODELS:
        print(spec.kind if arguments.names else f"{spec.kind:18} {spec.title}: {spec.summary}")
    return 0


def _doctor(_: argparse.Namespace) -> int:
    from studio.cli.doctor import examine

    for line in examine():
        print(line, flush=True)
    return 0
