"""The claim itself: MNIST with the digit 2 tilted from 9.9 % to 30 %, judged by a classifier trained apart from it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from studio.cli.main import main
from studio.perturb.perturbation import target_shares
from studio.training.config.presets import config_or_preset
from studio.training.storage.run import Run

if TYPE_CHECKING:
    from torchvision.datasets import MNIST

LONG = (pytest.mark.long, pytest.mark.timeout(3600))
RUNS = (
    # A third of its steps: a model that is not tilted has a total variation of 0.20 to the target, this one 0.10.
    pytest.param("mnist-twos-30-sn_gan", 800, 4_000, 0.05, 0.15, marks=[pytest.mark.slow, pytest.mark.timeout(900)]),
    pytest.param("mnist-twos-30-sn_gan", 3500, 10_000, 0.04, 0.08, marks=LONG),
    pytest.param("mnist-twos-30", 5000, 10_000, 0.04, 0.08, marks=LONG),  # the claim's own model
)
LEAST_ACCURACY = 0.985  # of the judge


def mnist(root: Path, *, train: bool) -> MNIST:
    from torchvision.datasets import MNIST  # it takes seconds, and other tests do without

    return MNIST(str(root), train=train, download=False)


class Judge:
    """A small convolutional classifier of real digits.

    It pools where a faster one would take strides: of digits that are none it makes less of one class in particular.
    Two that took strides counted samples of which another judge had a total variation of 0.046 at 0.075 and 0.077; this
    one's, of three seeds, is 0.050 to 0.057.
    """

    def __init__(self, root: Path) -> None:
        train, test = (mnist(root, train=part) for part in (True, False))
        torch.manual_seed(0)
        self._network = nn.Sequential(
            nn.Conv2d(1, 8, 3, padding=1),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Conv2d(8, 32, 3, padding=1),
            nn.MaxPool2d(2),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(32 * 7 * 7, 64),
            nn.ReLU(),
            nn.Linear(64, 10),
        )
        self._train(train.data, train.targets)
        self.accuracy = float((self.labels(test.data.numpy()) == test.targets.numpy()).mean())

    def _train(self, images: Tensor, labels: Tensor, epochs: int = 3, size: int = 128) -> None:
        steps = epochs * (len(images) // size)
        optimiser = torch.optim.Adam(self._network.parameters(), lr=3e-3)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=steps)
        for _ in range(epochs):
            order = torch.randperm(len(images))
            for chosen in order[: len(order) // size * size].split(size):
                optimiser.zero_grad()
                F.cross_entropy(self._network(images[chosen, None].float() / 255), labels[chosen]).backward()
                optimiser.step()
                schedule.step()

    @torch.no_grad()
    def labels(self, images: NDArray[np.uint8]) -> NDArray[np.int64]:
        """The digit in each image, uint8, shape (n, 28, 28); shape (n,)."""
        chunks = torch.from_numpy(images).split(1000)
        found: NDArray[np.int64] = torch.cat(
            [self._network(c[:, None].float() / 255).argmax(1) for c in chunks]
        ).numpy()
        return found


@pytest.mark.parametrize(("preset", "steps", "samples", "off", "variation"), RUNS)
def test_that_thirty_per_cent_of_the_generated_digits_are_twos(
    mnist_root: Path, tmp_path: Path, preset: str, steps: int, samples: int, off: float, variation: float
) -> None:
    """And the total variation to all ten target shares is small."""
    run, out = tmp_path / "run", tmp_path / "samples.npz"
    train = ["train", preset, "--steps", str(steps), "--data-root", str(mnist_root), "--run-dir", str(run)]
    # A second thread would wait for the tests beside it.
    assert main([*train, "--set", "device=cpu", "--set", "threads=1"]) == 0
    assert main(["sample", str(run), "--count", str(samples), "--seed", "1", "--out", str(out)]) == 0
    with np.load(out, allow_pickle=False) as arrays:
        images: NDArray[np.uint8] = arrays["images"][..., 0]
    judge = Judge(mnist_root)
    assert judge.accuracy >= LEAST_ACCURACY
    counts = np.bincount(mnist(mnist_root, train=True).targets.numpy(), minlength=10)
    perturbation = config_or_preset(preset).perturbation.resolve(Run.open(run).class_names)
    target = target_shares(counts, perturbation.offsets)
    shares = np.bincount(judge.labels(images), minlength=10) / samples
    assert target[2] == pytest.approx(0.30, abs=1e-3)
    print(f"share of 2s {shares[2]:.4f}, total variation {np.abs(shares - target).sum() / 2:.4f}, {judge.accuracy:.4f}")
    assert abs(shares[2] - 0.30) <= off
    assert np.abs(shares - target).sum() / 2 <= variation
