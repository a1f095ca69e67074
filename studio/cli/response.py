"""`studio response`: how the model of a trained run follows a tilt, to first order."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from studio.cli.arguments import (
    Commands,
    add_asked,
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
from studio.cli.output import columns
from studio.errors import UserError
from studio.number_text import compact

if TYPE_CHECKING:
    from studio.response.run_response import Followed

_SCALES = (0.1, 1.0)
_LEGEND = "1st, 2nd: the data to that order in s. model: the trained model to first order, with standard errors."


def add_response(commands: Commands) -> None:
    """Add the command."""
    response = commands.add_parser(
        "response",
        help="predict how a trained model would follow another target, to first order",
        description="Perturbation theory of the model itself: how the parameters of a trained run, and with them what "
        "it generates, would follow a tilt. s = 0 is the target of the run, 1 the one asked for. For all models but "
        "GANs, the autoencoder, and those that are told classes.",
        epilog="example: studio response my-run --share 2=30%",
    )
    add_run(response)
    response.add_argument("--count", type=number(int, 100, 10**6), default=4000, metavar="N", help="samples (4,000)")
    response.add_argument(
        "--mean",
        dest="means",
        action="append",
        default=[],
        metavar="FORMULA",
        help="a mean to predict beside the classes' shares, such as slant; may be repeated",
    )
    response.add_argument(
        "--apply",
        type=place,
        metavar="FILE.npz",
        help="step a copy of the weights by s·dθ/ds and draw as many samples into a file; the run stays as it is",
    )
    response.add_argument("--scale", type=number(float, -10, 10), default=1.0, metavar="S", help="s of that (1)")
    add_seed(response)
    add_raw(response)
    add_asked(response, "the tilt", "Where the target of the run is to be led; all else of it stays.")
    add_places(response)
    add_data_root(response)
    response.set_defaults(command=_response, method="auto")


def _response(arguments: argparse.Namespace) -> int:
    asked = asked_of(arguments)
    if asked is None:
        raise UserError("No tilt was asked for", "", "Ask for one, such as --share 2=30% or --formula 0.1*slant.")
    from studio.library.export.samples import how_towards, write_drawn
    from studio.response.run_response import RunResponse
    from studio.training.analysis.trained_model import TrainedModel
    from studio.training.storage.run import Run

    folder = run_of(arguments)
    run = Run.open(folder).at(arguments.assignments)
    root = run.identity.root(arguments.data_root)
    shares = {f"share of {name}": f"label == {place}" for place, name in enumerate(run.class_names)}
    formulas = shares | {f"⟨{text}⟩": text for text in arguments.means}
    with progress_bar() as progress:
        trained = TrainedModel.of_run(
            run, lambda part: run.identity.load(root, part), progress, averaged=not arguments.raw, data_root=root
        )
        response = RunResponse(run, trained, progress, seed=arguments.seed)
        wanted = trained.asked(asked, progress)
        way = response.to(wanted, formulas, arguments.count, progress)
    print(table({name: (each, 100.0 if name in shares else 1.0) for name, each in way.means.items()}))
    print(f"{folder.resolve().name} at step {run.weights_step or 0:,}")
    if arguments.apply is not None:
        with progress_bar() as progress:
            values = way.step(arguments.scale, arguments.count, progress).values
        how = how_towards(run, wanted, arguments.seed, not arguments.raw) | {"first_order": {"s": arguments.scale}}
        write_drawn(values, how, arguments.apply)
    tell_if_cut_short(folder)
    return 0


def table(found: dict[str, tuple[Followed, float]]) -> str:
    """A line for each ⟨f⟩, in its unit: slopes of data and model, and both at s = 0.1 and 1."""
    groups = ["s = 0", "", "slope", "", *(head for s in _SCALES for head in (f"s = {s:g}", "", ""))]
    rows = [("", *groups), ("", "data", "model", "data", "model", *(2 * ("1st", "2nd", "model")))]
    for name, (each, unit) in found.items():
        data = each.data
        cells = [f"{name} (%)" if unit == 100 else name]
        for known, mean in ((data.mean, each.mean), (-data.covariance, each.slope)):
            cells += [compact(unit * known, 3), f"{compact(unit * mean.value, 3)} ± {compact(unit * mean.error, 2)}"]
        for s in _SCALES:
            cells += [compact(unit * value, 3) for value in (float(data.first(s)), float(data.second(s)), each.at(s))]
        rows.append(tuple(cells))
    return "\n".join([*columns(rows, numbers=True), "", _LEGEND])
