"""What the window draws of a run at one moment; the newest one replaces those before it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from studio.models.diagnostic import Diagnostic
from studio.models.plane import PlaneView
from studio.training.messages.latents import LatentPoint, Latents

Images = NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleGrid:
    """Generated images of one moment, uint8, shape (n, H, W, C), by the weights as they are and by their moving
    average.

    The latents behind them stay the same until others are asked for; None where they were not kept.
    """

    step: int
    raw: Images
    averaged: Images
    latents: Latents | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interpolation:
    """Images on the way between two samples, or in the square between four, by the averaged weights or as they are.

    They are uint8, shape (n, H, W, C), row by row of `columns` each; `points` are the latents of those samples.
    """

    step: int
    points: tuple[LatentPoint, ...]
    averaged: bool
    images: Images
    columns: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedExamples:
    """The first examples of the batch just trained on: images (n, H, W, C), class indices and weights (n,)."""

    images: Images
    labels: NDArray[np.int64]
    weights: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class PlaneFrame:
    """A model on the plane at one moment.

    Attributes:
        points: generated from latents that stay the same, in the plane's units, shape (n, 2); while it trains, those of
            a model that draws slowly may be a few frames old.
        labels: most probable class of each under the target, shape (n,).
        views: what the model shows of itself; coordinates in −1…1.
    """

    step: int
    points: NDArray[np.float64]
    labels: NDArray[np.int64]
    views: tuple[PlaneView, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """What the window draws: arrays on the CPU, read-only.

    Attributes:
        revision: of the perturbation that the last batch was planned for.
        seconds: time spent training, pauses left out.
        epoch: examples seen over examples in the data set.
        steps_per_second, examples_per_second: over the last second or so.
        planned: examples of the last batch.
        recent_weights: weights of the last batches, float64, shape (m,).
        diagnostics: what the model showed of its inner life, after `diagnosed` steps.
        good_step: step of the last good state, if one is kept.
        plane: the model on the plane, where examples are points.
        between: what was asked for of the way between samples.
    """

    step: int
    revision: int
    seconds: float
    epoch: float
    examples: int
    steps_per_second: float
    examples_per_second: float
    grid: SampleGrid | None = None
    planned: PlannedExamples | None = None
    recent_weights: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    diagnostics: tuple[Diagnostic, ...] = ()
    diagnosed: int = 0
    good_step: int | None = None
    plane: PlaneFrame | None = None
    between: Interpolation | None = None
