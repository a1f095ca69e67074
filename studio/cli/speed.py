"""How fast this machine trains: a few seconds of a convolutional WGAN-GP on noise, by threads and precision."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch

from studio.data.image_set import ImageSet
from studio.training.config.file import parse_config
from studio.training.config.run_config import Precision, RunConfig
from studio.training.engine.learner import native_bfloat16
from studio.training.engine.trainer import Trainer

_EXAMPLES, _SIDE, _WARM_UP = 512, 28, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Speed:
    """One way to train; a step takes about 64 images."""

    device: str
    threads: int
    precision: Precision
    steps_per_second: float


def speeds(device: str, seconds: float) -> Iterator[Speed]:
    """Each way to train on a device that is worth comparing, as it is measured; all together take so many seconds."""
    ways = _ways(device)
    for threads, precision in ways:
        before = torch.get_num_threads()
        torch.set_num_threads(threads)
        try:
            rate = _rate(device, precision, seconds / len(ways))
        finally:
            torch.set_num_threads(before)
        yield Speed(device=device, threads=threads, precision=precision, steps_per_second=rate)


def _ways(device: str) -> list[tuple[int, Precision]]:
    most = torch.get_num_threads()
    threads = [most] if device != "cpu" else sorted({1, most})
    precisions = [Precision.FLOAT32]
    if native_bfloat16(torch.device(device)):
        precisions.append(Precision.BFLOAT16)
    return [(count, precision) for precision in precisions for count in threads]


def _rate(device: str, precision: Precision, seconds: float) -> float:
    trainer = Trainer(_config(precision), _noise(), device=device)
    begun = time.perf_counter()
    for _ in range(_WARM_UP):
        trainer.step().values()
    warm, steps = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds or not steps:
        trainer.step().values()  # reading the numbers waits for the device
        steps += 1
    return steps / (time.perf_counter() - warm)


def _config(precision: Precision) -> RunConfig:
    return parse_config({"model": {"kind": "wgan_gp"}, "precision": precision, "held_out": 0.0}, "speed")


def _noise() -> ImageSet:
    images = np.random.default_rng(0).integers(0, 256, (_EXAMPLES, _SIDE, _SIDE, 1), dtype=np.uint8)
    labels = np.arange(_EXAMPLES, dtype=np.int64) % 2
    return ImageSet(name="Noise", images=images, labels=labels, class_names=("even", "odd"))
