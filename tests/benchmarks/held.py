"""How closely class shares are held: of learners whose response is known, and of presets.

    python -m tests.benchmarks.held [PRESET …] [--seeds 0 1 2] [--steps 2000] [--every 200] [--samples 2000]
        [--data DIR] [--judge judge.py]

Without a preset it prints TV after 0, 5, 10, 20, 40 and 60 looks of 4,000 samples, ten classes of which one is to have
30 %, means of 20 seeds. The learners make too much of that class by a quarter (`factor`), of all by a factor whose
logarithm scatters by 0.2 (`many`), of none (`right`); or come nearer to `factor`, with another class at 0.82 of its
share, by a half or a fifth from look to look (`lag`), the last beginning wildly as well (`beginner`).

Of presets it prints what their judge sees in 5,000 samples every 500 steps, not held and held; and with a file
`--judge`, as in `shelf`, what that sees of MNIST.
"""

from pathlib import Path

import numpy as np
import torch

from studio.data.catalog import load_dataset
from studio.data.image_set import ImageSet
from studio.evaluation.evaluation import TiltedData, evaluate
from studio.evaluation.judge import Judge
from studio.evaluation.judge_store import judge_for
from studio.perturb.arrays import Floats
from studio.perturb.hold import Hold
from studio.progress import Progress
from studio.training.analysis.evaluator import Evaluator
from studio.training.analysis.side_tasks import SideTasks
from studio.training.config.assignments import with_settings
from studio.training.config.presets import config_or_preset
from studio.training.engine.trainer import Trainer
from studio.training.examples.measured_set import whole_log_weights
from tests.benchmarks import shelf
from tests.benchmarks.options import parser_of

LOOKS = (0, 5, 10, 20, 40, 60)
CHECK, SAMPLES = 500, 5_000
WANTED = np.where(np.arange(10) == shelf.CLASS, 0.3, 0.7 / 9)
LAGS = {"lag 0.5": 0.5, "lag 0.2": 0.2, "beginner": 0.5}


def missed(kind: str) -> Floats:
    """Logarithm of what a learner makes of each class over what it should, shape (10,)."""
    missed = np.zeros(10)
    if kind == "many":
        return np.random.default_rng(5).normal(0, 0.2, 10)
    if kind != "right":
        missed[shelf.CLASS] = np.log(1.25)
    if kind in LAGS:
        missed[7] = -0.2
    return missed


def simulated(kind: str, seed: int) -> Floats:
    """TV before each look, shape (61,)."""
    rng, hold, found = np.random.default_rng(seed), Hold.at_rest(10), []
    logs, wild = np.zeros(10), np.zeros(10)
    for look in range(1, LOOKS[-1] + 2):
        aim = np.log(WANTED) - hold.correction + missed(kind)
        logs = logs + LAGS.get(kind, 1.0) * (aim - logs)
        if kind == "beginner":
            wild = 0.7 * wild + rng.normal(0, 1.2 / look, 10)
        shares = np.exp(logs + wild - np.logaddexp.reduce(logs + wild))
        found.append(0.5 * np.abs(shares - WANTED).sum())
        seen = rng.multinomial(4000, shares) / 4000
        hold = hold.after(WANTED, seen, known=np.ones(10, bool), most=1.0)
    return np.array(found)


def run(preset: str, settings: list[str], data: ImageSet, judge: Judge, steps: int, outside: Path | None) -> None:
    """One training, looked at as it goes."""
    trainer = Trainer(with_settings(config_or_preset(preset), settings), data)
    tasks = SideTasks(trainer, Evaluator(trainer, lambda: judge), lambda event: None)
    log_weights = whole_log_weights(trainer.perturbation, trainer.measured)
    target = TiltedData.of(judge, log_weights, SAMPLES)
    other = shelf.Judge(outside, data, torch.from_numpy(np.exp(log_weights))) if outside else None
    while trainer.step_count < steps:
        tasks.look(0.0)
        while tasks.waited_for:
            tasks.advance()
        trainer.step()
        if trainer.step_count % CHECK == 0:
            images = np.asarray(trainer.sample(SAMPLES, seed=1), np.uint8)
            seen = evaluate(judge, target, images, judge.judge(images))
            share = seen.shares.corrected[shelf.CLASS]
            line = f"share {100 * share:.1f} %, TV {seen.tv:.3f}, FD {seen.frechet:.1f}"
            if other is not None:
                found = other.verdict(images)
                line += f"; outside {100 * found.share:.1f} %, TV {found.tv:.3f}, FD {found.frechet:.1f}"
            print(f"{preset}, {' '.join(settings[:2])}, step {trainer.step_count:,}: {line}", flush=True)


def main() -> None:
    parser = parser_of(__doc__, data=True)
    parser.add_argument("presets", nargs="*")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--every", type=int, default=200)
    parser.add_argument("--samples", type=int, default=2000)
    parser.add_argument("--judge", type=Path)
    options = parser.parse_args()
    for kind in () if options.presets else ("factor", "many", "right", *LAGS):
        means = np.mean([simulated(kind, seed) for seed in range(20)], axis=0)
        print(f"| {kind} | " + " | ".join(f"{means[look]:.4f}" for look in LOOKS) + " |")
    for preset in options.presets:
        data = load_dataset(config_or_preset(preset).dataset, options.data, Progress())
        assert isinstance(data, ImageSet)
        judge = judge_for(data, Progress())
        for seed in options.seeds:
            for on in ("false", "true"):
                settings = [f"seed={seed}", f"hold.on={on}", f"hold.every={options.every}"]
                settings.append(f"hold.samples={options.samples}")
                run(preset, settings, data, judge, options.steps, options.judge)


if __name__ == "__main__":
    main()
