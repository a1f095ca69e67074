"""Whether the tilt arrives in each model: trains presets on MNIST with 30 % twos and measures what they draw.

    python -m tests.benchmarks.shelf --data DIR --judge judge.py [--models gan vae …] [--minutes 1 3 5] [--seeds 0 1 2]

A row for each model, seed and budget, of 10,000 samples drawn by the averaged weights:

    share       of 2s, with a 95 % interval of the count alone; the target is 30 %
    TV          ½·Σ|share − target| over the ten classes; real data resampled to the target gives about 0.017
    FD          Fréchet distance of the judge's features to the tilted training set; real data gives about 1.15
    confident   share of samples that the judge is more than 90 % sure of; real data gives about 0.97
    first grid  seconds of training until half of 100 samples are confident, looked at every 5 s

Minutes are spent training: drawing and judging stop the clock. The judge, a file with `label(images)`, `moments`,
`frechet` that took no part in training, is given by path.

With `--paces` it only measures each model's steps a second; given back as `--pace gan=47.1 vae=63.0 …`, minutes are
counted in steps at that pace, so that a machine which is busy by then changes nothing but how long it takes. VARIANTS,
such as conditional_vae, are measured where they are named, at the pace of the model that they are of.
"""

import importlib.util
import math
import statistics
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import numpy as np
import torch
from torch import Tensor, nn

from studio.data.catalog import load_dataset
from studio.data.example_set import ExampleSet
from studio.data.image_set import ImageSet
from studio.models.catalog import MODELS
from studio.progress import Progress
from studio.training.config.assignments import with_settings
from studio.training.config.presets import config_or_preset
from studio.training.config.run_config import RunConfig
from studio.training.engine.samples import independent
from studio.training.engine.trainer import Trainer
from tests.benchmarks.options import parser_of

SAMPLES, FEW, LOOK_EVERY = 10_000, 100, 5.0
PACE_STEPS = 150
CLASS, RECOGNISABLE, SURE = 2, 0.5, 0.9
VARIANTS = {
    f"conditional_{kind}": (kind, "model.conditional=true") for kind in ("vae", "sn_gan", "diffusion", "flow_matching")
} | {
    "vae_5_codes": ("vae", "model.importance_samples=5"),
    "diffusion_learned_noise": ("diffusion", "model.schedule=learned"),
}
"""The model and a setting of each."""
HEADER = (
    "| model | seed | minutes | steps | examples/s | share of 2s | TV | FD | confident | first grid |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)

Images = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What the judge says of some images."""

    count: int
    share: float
    tv: float
    frechet: float
    confident: float


class Judge:
    """The judge's functions and the tilted training set as it sees it.

    Args:
        path: the judge's file.
        data: MNIST's training images and labels.
        weights: importance weight of each, shape (n,).
    """

    def __init__(self, path: Path, data: ExampleSet, weights: Tensor) -> None:
        self._module = _module(path)
        features, _ = self.label(data.pictures(data.values))
        self._real = self._module.moments(features, weights)
        labels = torch.from_numpy(np.array(data.labels, dtype=np.int64))
        self._target = torch.zeros(10, dtype=torch.double).index_add_(0, labels, weights / weights.sum())

    def label(self, images: Images) -> tuple[Tensor, Tensor]:
        with torch.no_grad():
            features, probabilities = self._module.label(torch.from_numpy(np.array(images[..., 0])))
        return features, probabilities

    def confident(self, images: Images) -> float:
        """Share of `images` (n, 28, 28, 1) that it is sure of."""
        return (self.label(images)[1].amax(1) > SURE).double().mean().item()

    def verdict(self, images: Images) -> Verdict:
        """Everything about `images`, uint8, shape (n, 28, 28, 1)."""
        features, probabilities = self.label(images)
        shares = torch.bincount(probabilities.argmax(1), minlength=10).double() / len(images)
        own = self._module.moments(features, torch.ones(len(images)))
        return Verdict(
            count=len(images),
            share=shares[CLASS].item(),
            tv=(shares - self._target).abs().sum().item() / 2,
            frechet=self._module.frechet(own, self._real),
            confident=(probabilities.amax(1) > SURE).double().mean().item(),
        )


class Perceptron:
    """The second judge: two dense layers, trained on all of MNIST for a few epochs."""

    def __init__(self, data: ImageSet, file: Path) -> None:
        torch.manual_seed(7)
        self._network = nn.Sequential(nn.Flatten(), nn.Linear(784, 512), nn.GELU(), nn.Dropout(0.2), nn.Linear(512, 10))
        if file.exists():
            self._network.load_state_dict(torch.load(file, weights_only=True))
        else:
            self._train(data)
            torch.save(self._network.state_dict(), file)
        self._network.eval()

    def _train(self, data: ImageSet) -> None:
        images, labels = torch.from_numpy(np.array(data.images)), torch.from_numpy(np.array(data.labels))
        optimiser = torch.optim.AdamW(self._network.parameters(), 1e-3)
        for _ in range(6):
            for places in torch.randperm(len(labels)).split(128):
                optimiser.zero_grad()
                nn.functional.cross_entropy(self._network(images[places].float() / 255), labels[places]).backward()
                optimiser.step()

    @torch.no_grad()
    def probabilities(self, images: Images) -> Tensor:
        """Of each class, (n, 10), of images (n, 28, 28, 1), uint8."""
        found: Tensor = self._network(torch.from_numpy(np.array(images)).float() / 255).softmax(1)
        return found

    def shares(self, images: Images) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
        return np.bincount(self.probabilities(images).argmax(1).numpy(), minlength=10) / len(images)


def _module(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("judge", path)
    if spec is None or spec.loader is None:
        raise SystemExit(f"{path} is no Python file")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Budgeted:
    """Trains one configuration and stops at each budget.

    Args:
        config: what to train.
        data: on what.
        judge: tells when samples have become recognisable.
        pace: steps per second by which time is counted; by the clock if None.
    """

    def __init__(self, config: RunConfig, data: ExampleSet, judge: Judge, pace: float | None = None) -> None:
        self.trainer = Trainer(config, data)
        self._judge = judge
        self._pace = pace
        self._clock = 0.0
        self._next_look = LOOK_EVERY
        self.first_grid = math.nan

    @property
    def _spent(self) -> float:
        return self._clock if self._pace is None else self.trainer.step_count / self._pace

    @property
    def rate(self) -> float:
        return self.trainer.examples / self._spent

    def budgets(self, minutes: Sequence[float]) -> Iterator[float]:
        """Train; yields each budget when it is spent."""
        for budget in sorted(minutes):
            while self._spent < 60 * budget:
                begun = time.perf_counter()
                self.trainer.step()
                self._clock += time.perf_counter() - begun
                self._look()
            yield budget

    def _look(self) -> None:
        if not math.isnan(self.first_grid) or self._spent < self._next_look:
            return
        self._next_look += LOOK_EVERY
        if self._judge.confident(self.trainer.data.pictures(self.trainer.sample(FEW))) >= RECOGNISABLE:
            self.first_grid = self._spent


def interval(share: float, count: int) -> float:
    """Half the width of the 95 % interval of a share among `count`."""
    return 1.96 * math.sqrt(share * (1 - share) / count)


def row(kind: str, seed: int, minutes: float, run: Budgeted, found: Verdict) -> str:
    share = f"{100 * found.share:.1f} ± {100 * interval(found.share, found.count):.1f} %"
    grid = "–" if math.isnan(run.first_grid) else f"{run.first_grid:.0f} s"
    return (
        f"| {kind} | {seed} | {minutes:g} | {run.trainer.step_count:,} | {run.rate:,.0f} | {share} | {found.tv:.3f} "
        f"| {found.frechet:.1f} | {found.confident:.3f} | {grid} |"
    )


def preset(name: str) -> tuple[str, RunConfig]:
    """The model's kind and configuration, of a model or of one of VARIANTS."""
    kind, *settings = VARIANTS.get(name, (name,))
    return kind, with_settings(config_or_preset(f"mnist-twos-30-{kind}"), settings)


def pace(config: RunConfig, data: ExampleSet) -> float:
    """Steps per second of a configuration, the mean of PACE_STEPS after as many to warm up."""
    trainer = Trainer(config, data)
    times = []
    for _ in range(2 * PACE_STEPS):
        begun = time.perf_counter()
        trainer.step()
        times.append(time.perf_counter() - begun)
    return 1 / statistics.fmean(times[PACE_STEPS:])


def main() -> None:
    parser = parser_of(__doc__, data=True)
    parser.add_argument("--judge", type=Path, required=True)
    parser.add_argument("--models", nargs="+", default=[spec.kind for spec in MODELS])
    parser.add_argument("--minutes", nargs="+", type=float, default=[1, 3, 5])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--set", action="append", default=[], metavar="path=value", help="as in `studio train`")
    parser.add_argument("--paces", action="store_true", help="only measure each model's steps per second")
    parser.add_argument("--pace", nargs="+", default=[], metavar="MODEL=STEPS/S", help="count minutes in steps")
    options = parser.parse_args()
    paces = {kind: float(rate) for kind, _, rate in (each.partition("=") for each in options.pace)}
    data = load_dataset(config_or_preset("mnist-twos-30").dataset, options.data, Progress(lambda *_: None))
    if options.paces:
        for kind in options.models:
            print(f"{kind}={pace(preset(kind)[1], data):.2f}", end=" ", flush=True)
        print(f"({torch.get_num_threads()} threads)")
        return
    tilt = config_or_preset("mnist-twos-30").perturbation.resolve(data.class_names)
    judge = Judge(options.judge, data, torch.from_numpy(np.exp(tilt.example_log_weights(data.labels, data.counts))))
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}, {SAMPLES:,} samples\n\n{HEADER}", flush=True)
    for name in options.models:
        kind, config = preset(name)
        for seed in options.seeds:
            config = with_settings(config, [*options.set, f"seed={seed}"])
            run = Budgeted(config, data, judge, paces.get(kind))
            for minutes in run.budgets(options.minutes):
                count = independent(run.trainer.model, SAMPLES)
                images = data.pictures(run.trainer.sample(count, seed=1))
                print(row(name, seed, minutes, run, judge.verdict(images)), flush=True)


if __name__ == "__main__":
    main()
