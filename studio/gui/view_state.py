"""What the panels show: frozen values, built by pure functions from the core's own types. No Qt."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from studio.data.image_set import ImageSet
from studio.errors import UserError
from studio.perturb.diagnostics import Strength, TiltSummary, summarise
from studio.perturb.perturbation import Perturbation


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetView:
    """The data set in use.

    Attributes:
        counts: examples per class, shape (K,).
        shares: p per class, shape (K,).
        thumbnails: one example per class, uint8, shape (K, H, W, C).
        labels: class of every example, shape (N,); for histograms over the data set.
    """

    name: str
    class_names: tuple[str, ...]
    counts: NDArray[np.int64]
    shares: NDArray[np.float64]
    thumbnails: NDArray[np.uint8]
    labels: NDArray[np.int64]
    image_shape: tuple[int, int, int]

    @classmethod
    def of(cls, images: ImageSet) -> DatasetView:
        """The view of a loaded set."""
        counts = images.counts
        return cls(
            name=images.name,
            class_names=images.class_names,
            counts=counts,
            shares=counts / counts.sum(),
            thumbnails=images.thumbnails(),
            labels=images.labels,
            image_shape=images.image_shape,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TiltView:
    """The target as edited, and what it costs.

    Attributes:
        summary: target shares, weights, ESS/n, expected examples a batch, verdict.
        reason: the verdict in words, with its numbers.
        pending: a run is under way and has not yet taken this target up.
        generated: share per class in what the model generates, shape (K,); None until evaluated.
    """

    perturbation: Perturbation
    dataset: DatasetView
    summary: TiltSummary
    reason: str
    pending: bool = False
    generated: NDArray[np.float64] | None = None

    @classmethod
    def of(cls, perturbation: Perturbation, dataset: DatasetView, average_size: float, *, pending: bool) -> TiltView:
        """Judge a target over a data set."""
        summary = summarise(perturbation, dataset.counts, average_size)
        return cls(
            perturbation=perturbation,
            dataset=dataset,
            summary=summary,
            reason=verdict_reason(summary),
            pending=pending,
        )


def verdict_reason(summary: TiltSummary) -> str:
    """Why a tilt is called what it is called."""
    percent = 100 * summary.efficiency
    effective = f"The weighted data is worth {percent:.3g} % of its examples (Kish's effective sample size)."
    match summary.strength:
        case Strength.NONE:
            return "All offsets are equal, so the target is the data as it is."
        case Strength.GENTLE:
            return f"{effective} Gradients stay about as steady as without a tilt."
        case Strength.STRONG:
            return f"{effective} Gradients are noisier: a larger B_avg or a longer run makes up for it."
        case Strength.TOO_STRONG:
            return f"{effective} A few examples dominate, and the model may memorise them: use smaller offsets."


class RunPhase(StrEnum):
    """Where a run is."""

    IDLE = "idle"
    PREPARING = "preparing"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    FINISHED = "finished"
    FAILED = "failed"

    @property
    def active(self) -> bool:
        """A thread is at work or waits."""
        return self in (RunPhase.PREPARING, RunPhase.RUNNING, RunPhase.PAUSED, RunPhase.STOPPING)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunView:
    """What the toolbar and status line say of the run."""

    phase: RunPhase = RunPhase.IDLE
    step: int = 0
    seconds: float = 0.0
    epoch: float = 0.0
    steps_per_second: float = 0.0
    examples_per_second: float = 0.0
    device: str = ""
    folder: Path | None = None
    saved_step: int = -1

    @property
    def unsaved(self) -> bool:
        """There are results that would be lost with the next start."""
        return self.step > 0 and self.saved_step < self.step


class Level(StrEnum):
    """Weight of a log line."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One line of the log panel.

    Attributes:
        detail: more of it, such as a traceback, unfolded on demand.
    """

    text: str
    level: Level = Level.INFO
    detail: str = ""
    when: float = field(default_factory=time.time)

    @classmethod
    def of_error(cls, error: UserError, level: Level = Level.ERROR) -> LogLine:
        """An error as a log line."""
        return cls(text=str(error), level=level)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """Something that goes on in the background and takes over a second.

    Attributes:
        fraction: 0…1, or None when unknown.
        cancellable: whether `Workbench.cancel_task` has an effect.
    """

    text: str
    fraction: float | None = None
    cancellable: bool = True
