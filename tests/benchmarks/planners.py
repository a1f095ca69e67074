"""How far a batch's gradient strays from its mean under each planner, for a small VAE on MNIST.

    OMP_NUM_THREADS=1 python -m tests.benchmarks.planners --data DIR [--steps 300] [--seconds 40]

Trains a VAE of dense layers with 112,688 parameters for some steps with batches of 32 at each offset of the digit 2,
ΔH = −4 and −1.35, then compares the planners at those parameters:

    relative variance   tr Cov(g)/|⟨g⟩|², of one batch, with its standard error
    bias                |⟨g⟩_planner − ⟨g⟩|/|⟨g⟩|, with what chance alone would show
    twos                share of the batches' weight that examples of the digit 2 carry on average; the target beside it

“Own Σw” is batches of fixed size, each divided by its own Σw: no planner of the studio, but the bias that the constant
B_avg and the error carry remove. Needs MNIST where the studio keeps it (`--data` names a folder that holds
`MNIST/raw`). Takes under three minutes on two cores; `planners.md` beside this file keeps what it printed.
"""

import os
import platform
from datetime import date

import numpy as np
import torch

from studio.data.catalog import load_dataset
from studio.data.example_set import ExampleSet
from studio.progress import Progress
from studio.training.analysis.planner_comparison import PlannerComparison
from studio.training.config.assignments import with_settings
from studio.training.config.planners import PLANNERS, PlannerKind
from studio.training.config.presets import config_or_preset
from studio.training.config.run_config import RunConfig
from studio.training.engine.trainer import Trainer
from studio.training.messages.planner_report import PlannerReport, PlannerRow
from tests.benchmarks.options import parser_of

OFFSETS = (-4.0, -1.35)
CLASS, BATCH, PLANS = 2, 32, 4000
PROTOTYPE = {
    (-4.0, PlannerKind.FIXED_SIZE): "10.6",
    (-4.0, PlannerKind.ERROR_CARRY): "10.9",
    (-4.0, PlannerKind.RESAMPLING): "1.46",
    (-4.0, PlannerKind.STRATIFIED): "1.43",
    (-1.35, PlannerKind.FIXED_SIZE): "2.3",
    (-1.35, PlannerKind.STRATIFIED): "1.6",
}


def configured(offset: float) -> RunConfig:
    """A small VAE with the digit 2 tilted."""
    model = ("model.architecture=mlp", "model.width=8", "model.latent_size=16")
    settings = (*model, f"batch.average_size={BATCH}", f"perturbation.offsets.2={offset}")
    return with_settings(config_or_preset("mnist-twos-30-vae"), settings)


def share_of_twos(trainer: Trainer, kind: PlannerKind | None) -> float:
    """Share of the weight that batches of a planner give to the digit 2, over `PLANS` of them."""
    labels = trainer.data.labels
    logs = trainer.perturbation.example_log_weights(labels, trainer.data.counts)
    planner = PLANNERS[kind or PlannerKind.FIXED_SIZE](logs, BATCH, np.random.default_rng(1), labels=labels)
    carried, total = 0.0, 0.0
    for _ in range(PLANS):
        plan = planner.next()
        mass = float(plan.weights[labels[plan.indices] == CLASS].sum())
        carried += mass / plan.adjusted_size if kind is None else mass
        total += 1.0 if kind is None else plan.adjusted_size
    return carried / total


def row(offset: float, trainer: Trainer, report: PlannerReport, found: PlannerRow) -> str:
    prototype = PROTOTYPE.get((offset, found.kind), "–") if found.kind is not None else "–"
    variance = f"{report.relative(found.trace):.3g} ± {report.relative(found.trace_error):.2g}"
    bias = f"{100 * found.bias:.2g} ± {100 * found.bias_error:.2g} %"
    twos = f"{100 * share_of_twos(trainer, found.kind):.1f} %"
    return f"| {offset:g} | {found.label} | {variance} | {prototype} | {bias} | {twos} | {found.batches} |"


def compared(offset: float, data: ExampleSet, steps: int, seconds: float) -> None:
    trainer = Trainer(configured(offset), data)
    for _ in range(steps):
        trainer.step()
    comparison = PlannerComparison.of(trainer, seconds)
    while comparison.advance():
        pass
    report = comparison.report
    assert report is not None
    for found in report.rows:
        print(row(offset, trainer, report, found), flush=True)
    weights = np.exp(trainer.perturbation.example_log_weights(trainer.data.labels, trainer.data.counts))
    target = float(weights[trainer.data.labels == CLASS].sum() / weights.sum())
    print(f"| {offset:g} | target | | | | {100 * target:.1f} % | |", flush=True)


def main() -> None:
    parser = parser_of(__doc__, data=True)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--seconds", type=float, default=40.0, help="for each comparison")
    options = parser.parse_args()
    data = load_dataset(configured(-4.0).dataset, options.data, Progress())
    print("# Planners, compared\n")
    print(f"`python -m tests.benchmarks.planners --steps {options.steps} --seconds {options.seconds:g}`, ", end="")
    print(
        f"{date.today()}, {platform.machine()}, {os.cpu_count()} cores, {torch.get_num_threads()} thread(s), ", end=""
    )
    print(f"torch {torch.__version__}. VAE on MNIST, batches of {BATCH}, after {options.steps} steps.\n")
    print(
        "| ΔH of 2 | planner | relative variance | prototype | bias | twos | batches |\n|---|---|---|---|---|---|---|"
    )
    for offset in OFFSETS:
        compared(offset, data, options.steps, options.seconds)


if __name__ == "__main__":
    main()
