"""Whether the effect of weights fades with training: share error after a thousand steps and after many.

    python -m tests.benchmarks.fading [--models gan vae] [--steps 1000 10000 50000] [--share 0.3] [--seeds 0]

Models of the 8×8 digits are trained on one half of the examples towards a share of twos. 4,000 samples by the averaged
weights are judged by a committee that was trained on the same half (seen) and by one of the other half (held out). A
row has the share of twos and the total variation from the target by each, among what it recognises; how many samples
are nearer to an example seen than to any held out (one half where nothing is copied); and the share of twos among these
and the rest.
"""

from dataclasses import replace

import numpy as np

from studio.data.catalog import load_dataset
from studio.data.image_set import ImageSet
from studio.evaluation.evaluation import TiltedData, evaluate
from studio.evaluation.judge import train_judge
from studio.paths import default_data_root
from studio.perturb.perturbation import offsets_for_some_shares
from studio.progress import Progress
from studio.training.config.assignments import with_settings
from studio.training.config.presets import config_or_preset
from studio.training.engine.trainer import Trainer
from studio.training.examples.split import kept_indices
from tests.benchmarks.options import parser_of

CLASS, SAMPLES, HALF = 2, 4000, 0.5


def nearest_square(images: np.ndarray, examples: np.ndarray) -> np.ndarray:
    """Squared distance of each image to the nearest example, shape (n,)."""
    one, other = (each.reshape(len(each), -1).astype(np.float64) for each in (images, examples))
    return np.asarray(((one**2).sum(1)[:, None] + (other**2).sum(1) - 2 * one @ other.T).min(1))


def measure(name: str, steps: list[int], share: float, seed: int) -> None:
    """Train one preset, and print a row at each number of steps."""
    config = config_or_preset(f"digits-{name}")
    data = load_dataset(config.dataset, default_data_root(), Progress())
    assert isinstance(data, ImageSet)
    offsets = offsets_for_some_shares(data.counts, [0.0] * len(data.counts), {CLASS: share})
    told = [f"perturbation.offsets.{digit}={value}" for digit, value in zip(data.class_names, offsets, strict=True)]
    config = with_settings(config, [*told, f"held_out={HALF}", f"seed={seed}"])
    kept = kept_indices(data, HALF, seed)
    halves = [
        replace(data, images=data.images[places], labels=data.labels[places], numbers=data.numbers[places])
        for places in (kept, np.setdiff1d(np.arange(len(data)), kept))
    ]
    judges = [train_judge(half, Progress()) for half in halves]
    tilt = config.perturbation.resolve(data.class_names)
    targets = [TiltedData.of(judge, tilt.example_log_weights(judge.labels, data.counts), SAMPLES) for judge in judges]
    trainer = Trainer(config, data)
    for step in steps:
        while trainer.step_count < step:
            trainer.step()
        images = data.pictures(trainer.sample(SAMPLES, seed=1))
        cells = []
        for judge, target in zip(judges, targets, strict=True):
            judgement = judge.judge(images)
            found = evaluate(judge, target, images, judgement)
            low, high = (100 * float(each[CLASS]) for each in (found.shares.low, found.shares.high))
            cells.append(f"{100 * found.shares.corrected[CLASS]:.1f} % ({low:.0f} to {high:.0f}), TV {found.tv:.3f}")
        seen, unseen = (nearest_square(images, half.images) for half in halves)
        copied, twos = seen < unseen, judgement.labels == CLASS
        near, far = (100 * twos[where].mean() for where in (copied, ~copied))
        cells.append(f"{100 * copied.mean():.0f} % | {near:.1f} % and {far:.1f} %")
        print(f"| {name} | {100 * share:.0f} % | {seed} | {step:,} | {' | '.join(cells)} |", flush=True)


def main() -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--models", nargs="+", default=["gan", "vae"])
    parser.add_argument("--steps", nargs="+", type=int, default=[1000, 10_000, 50_000])
    parser.add_argument("--share", type=float, default=0.3)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    options = parser.parse_args()
    print("| model | asked | seed | steps | seen | held out | nearer to one seen | twos among these and the rest |")
    print("|---|---|---|---|---|---|---|---|")
    for name in options.models:
        for seed in options.seeds:
            measure(name, sorted(options.steps), options.share, seed)


if __name__ == "__main__":
    main()
