"""How often judges that took no part find a class's share within the interval that the studio's committee gives.

    python -m tests.benchmarks.outsiders PRESET SAMPLES.npz … [--data DIR] [--judge judge.py]

The samples are what `studio sample RUN --out SAMPLES.npz` has drawn from runs of the preset's data. The outsiders are
the four of a committee that is trained anew from another seed, in a folder that is gone afterwards; with a file
`--judge`, as in `shelf`, that and a perceptron look at MNIST, too. Each counts the samples for whose likeliest class it
has a probability of 0.7 or more. A row has what the committee is unsure of, half its intervals on average over classes,
and the part of the classes whose share each outsider finds within. The samples are the same, so that chance of drawing
them is none of it.
"""

import tempfile
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch

import numpy as np
import torch

from studio.data.catalog import load_dataset
from studio.data.image_set import ImageSet
from studio.evaluation import judge as judges
from studio.evaluation.evaluation import TiltedData, evaluate
from studio.evaluation.judge_store import judge_for
from studio.perturb.arrays import Floats
from studio.progress import Progress
from studio.training.config.presets import config_or_preset
from tests.benchmarks import shelf
from tests.benchmarks.options import parser_of

Outsider = Callable[[shelf.Images], Floats]
"""Probabilities of each class, of images (n, H, W, C) → (n, M, K), by M judges."""


def committee(data: ImageSet) -> Outsider:
    """Of another seed, which also leaves other examples out."""
    with tempfile.TemporaryDirectory() as folder, patch.object(judges, "_SEED", 1):
        network = judge_for(data, Progress(), Path(folder)).network

    @torch.no_grad()
    def look(images: shelf.Images) -> Floats:
        parts = (network.look(part).probabilities[:, 1:] for part in judges.as_tensor(images).split(500))
        return torch.cat(list(parts)).numpy()

    return look


def of_mnist(file: Path, data: ImageSet) -> dict[str, Outsider]:
    """The file's, and a perceptron that is trained on all of it."""
    first = shelf.Judge(file, data, torch.ones(len(data), dtype=torch.float64))
    with tempfile.TemporaryDirectory() as folder:
        second = shelf.Perceptron(data, Path(folder, "perceptron.pt"))
    return {
        file.name: lambda images: first.label(images)[1][:, None].numpy(),
        "perceptron": lambda images: second.probabilities(images)[:, None].numpy(),
    }


def inside(probabilities: Floats, low: Floats, high: Floats) -> float:
    """Part of the classes, K, whose share by one judge, of probabilities (n, K), is within."""
    sure = probabilities[probabilities.max(axis=1) >= judges.CONFIDENCE]
    shares = np.bincount(sure.argmax(axis=1), minlength=len(low)) / max(len(sure), 1)
    return float(((low <= shares) & (shares <= high)).mean())


def main() -> None:
    parser = parser_of(__doc__, data=True)
    parser.add_argument("preset")
    parser.add_argument("samples", nargs="+", type=Path)
    parser.add_argument("--judge", type=Path)
    options = parser.parse_args()
    data = load_dataset(config_or_preset(options.preset).dataset, options.data, Progress())
    assert isinstance(data, ImageSet)
    judge = judge_for(data, Progress())
    outsiders: dict[str, Outsider] = {"others": committee(data)}
    if options.judge:
        outsiders |= of_mnist(options.judge, data)
    print("| samples | unsure | half an interval | " + " | ".join(outsiders) + " |")
    print("|---|---|---|" + "---|" * len(outsiders))
    found: list[list[float]] = []
    for file in options.samples:
        images = np.load(file, allow_pickle=False)["images"]
        target = TiltedData.of(judge, np.zeros(len(data)), len(images))
        shares = evaluate(judge, target, images, judge.judge(images)).shares
        low, high = shares.low[:-1], shares.high[:-1]
        looks = (look(images) for look in outsiders.values())
        held = [float(np.mean([inside(each, low, high) for each in look.swapaxes(0, 1)])) for look in looks]
        found.append([shares.corrected[-1], (high - low).mean() / 2, *held])
        print(f"| {file.stem} | " + " | ".join(f"{100 * value:.1f} %" for value in found[-1]) + " |", flush=True)
    print("| mean | " + " | ".join(f"{100 * value:.1f} %" for value in np.mean(found, axis=0)) + " |")


if __name__ == "__main__":
    main()
