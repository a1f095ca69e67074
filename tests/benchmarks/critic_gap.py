"""Whether a WGAN's critic gap falls as its samples improve, which is what its loss is said to be good for.

    python -m tests.benchmarks.critic_gap --data DIR --judge judge.py [--preset mnist-twos-30-wgan] [--steps 6000]

Prints the critic gap ⟨D(x)⟩′ − ⟨D(G(z))⟩, averaged between two lines, beside the Fréchet distance of 2,000 samples by
the weights as they are, and at the end the correlation of both: Spearman's of ranks, and Pearson's of logarithms.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from scipy.stats import pearsonr, spearmanr

from studio.data.catalog import load_dataset
from studio.progress import Progress
from studio.training.config.presets import config_or_preset
from studio.training.engine.trainer import Trainer
from tests.benchmarks.options import parser_of
from tests.benchmarks.shelf import Judge

SAMPLES = 2_000


def points(trainer: Trainer, judge: Judge, steps: int, every: int) -> Iterator[tuple[int, float, float]]:
    """Train; yields step, mean gap since the last point and Fréchet distance."""
    gaps: list[float] = []
    while trainer.step_count < steps:
        gaps.append(trainer.step().scalars["critic_gap"].item())
        if trainer.step_count % every == 0:
            images = trainer.data.pictures(trainer.sample(SAMPLES, averaged=False, seed=1))
            yield trainer.step_count, float(np.mean(gaps)), judge.verdict(images).frechet
            gaps.clear()


def main() -> None:
    parser = parser_of(__doc__, data=True)
    parser.add_argument("--judge", type=Path, required=True)
    parser.add_argument("--preset", default="mnist-twos-30-wgan")
    parser.add_argument("--steps", type=int, default=6000)
    parser.add_argument("--every", type=int, default=300, help="steps between two points")
    options = parser.parse_args()
    config = config_or_preset(options.preset)
    data = load_dataset(config.dataset, options.data, Progress(lambda *_: None))
    trainer = Trainer(config, data)
    weights = np.exp(trainer.perturbation.example_log_weights(data.labels, data.counts))
    judge = Judge(options.judge, data, torch.from_numpy(weights))
    print("step  critic gap  Fréchet distance")
    found = []
    for step, gap, frechet in points(trainer, judge, options.steps, options.every):
        print(f"{step:6d}  {gap:8.4f}  {frechet:8.1f}", flush=True)
        found.append((gap, frechet))
    gaps, distances = np.array(found).T
    print(f"Spearman {spearmanr(gaps, distances).statistic:.3f}")
    print(f"Pearson of logarithms {pearsonr(np.log(np.abs(gaps)), np.log(distances)).statistic:.3f}")


if __name__ == "__main__":
    main()
