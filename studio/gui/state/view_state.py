"""What the panels show: frozen values, built by pure functions from the core's own types. No Qt."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from studio.data.example_set import ExampleSet
from studio.data.planar.plane import Plane
from studio.data.scale import Values
from studio.errors import UserError
from studio.evaluation.arrival import Arrival, Sighting, arrival, arrival_at_once, since_edit
from studio.gui.state.generated import Generated
from studio.perturb.diagnostics import TiltSummary, summarise, summarise_examples
from studio.perturb.energy import ExampleEnergies
from studio.perturb.perturbation import Perturbation
from studio.training.config.cautions import outweighing
from studio.training.config.run_config import RunConfig
from studio.training.messages.events import (
    Event,
    Finished,
    Moved,
    Outcome,
    Paused,
    Restored,
    Resumed,
    Saved,
    Started,
    ThreadsChanged,
    Warned,
)
from studio.training.messages.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class DatasetView:
    """The data set in use.

    Attributes:
        counts: examples per class, shape (K,).
        shares: p per class, shape (K,).
        thumbnails: a picture of each class, uint8, shape (K, H, W, C).
        labels: class of every example, shape (N,); for histograms over the data set.
        noun, form: what the examples are and what form they have, in words.
        plane: where the examples are points, with its exact densities; None for images.
        points: those points, float32, shape (N, 1, 1, 2); none for images.
    """

    name: str
    class_names: tuple[str, ...]
    counts: NDArray[np.int64]
    shares: NDArray[np.float64]
    thumbnails: NDArray[np.uint8]
    labels: NDArray[np.int64]
    noun: str
    form: str
    plane: Plane | None
    points: Values

    @property
    def labelled(self) -> bool:
        """Whether classes can be told apart."""
        return len(self.class_names) > 1

    @classmethod
    def of(cls, images: ExampleSet) -> DatasetView:
        counts = images.counts
        return cls(
            name=images.name,
            class_names=images.class_names,
            counts=counts,
            shares=counts / counts.sum(),
            thumbnails=images.thumbnails(),
            labels=images.labels,
            noun=images.noun,
            form=images.form,
            plane=images.plane,
            points=images.values[: len(images) if images.plane is not None else 0],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TiltView:
    """The target as edited, and what it costs.

    Attributes:
        summary: target shares, weights, ESS/n, expected examples a batch, verdict.
        reason: the verdict in words, with its numbers, and why examples that outweigh a batch are learned too little.
        outweighed: whether they are.
        pending: a run is under way and has not yet taken this target up.
        refused: it cannot, and keeps the one before.
        hint: why it cannot be edited, as it is that of a run from disk; empty if it can.
        locked: classes that keep their share while others are edited.
        generated: shares of what the model generates, and whose they are; None where none are known of these data.
        energies: ΔH of every example; None where it depends on the class alone, or is not known yet.
        fault: why the terms do not count in what is shown; None if they do.
        applied: the target that examples are weighted by, where a thermostat corrects it to hold the shares; else None.
    """

    perturbation: Perturbation
    dataset: DatasetView
    summary: TiltSummary
    reason: str
    outweighed: bool = False
    pending: bool = False
    refused: bool = False
    hint: str = ""
    locked: frozenset[int] = frozenset()
    generated: Generated | None = None
    energies: ExampleEnergies | None = None
    fault: UserError | None = None
    applied: TiltView | None = None

    @classmethod
    def of(
        cls,
        perturbation: Perturbation,
        dataset: DatasetView,
        config: RunConfig,
        *,
        pending: bool,
        energies: ExampleEnergies | None = None,
        fault: UserError | None = None,
    ) -> TiltView:
        """Judge a target over a data set, trained as set up; without the energies of its examples, by its class offsets
        alone.
        """
        average_size = config.batch.average_size
        if energies is not None:
            summary = summarise_examples(perturbation, energies, dataset.labels, average_size)
        else:
            perturbation = replace(perturbation, energy=replace(perturbation.energy, terms=(), clip=None))
            summary = summarise(perturbation, dataset.counts, average_size)
        overweight = outweighing(summary, config)
        return cls(
            perturbation=perturbation,
            dataset=dataset,
            summary=summary,
            reason=f"{summary.reason} {overweight}" if overweight is not None else summary.reason,
            outweighed=overweight is not None,
            pending=pending,
            energies=energies,
            fault=fault,
        )

    @property
    def fixed(self) -> bool:
        return bool(self.hint)

    def has_target_of(self, other: TiltView) -> bool:
        """Whether both are of the same target over the same examples, whatever else has changed."""
        same_data = self.dataset is other.dataset and self.energies is other.energies
        same = self.perturbation == other.perturbation
        return same_data and same and self.trained.perturbation == other.trained.perturbation

    @property
    def trained(self) -> TiltView:
        """What weights are of: the target itself, or what a thermostat makes of it."""
        return self.applied or self

    def arrival(self, index: int) -> Arrival:
        if self.generated is not None and self.generated.at_once:
            return arrival_at_once(self.seen[-1], index)
        return arrival(since_edit(self.seen), index)

    @property
    def seen(self) -> tuple[Sighting, ...]:
        """Evaluations that answer this target, the oldest first."""
        return self.generated.seen if self.generated is not None and not self.generated.stale else ()

    @property
    def example_energies(self) -> NDArray[np.float64]:
        """ΔH of every example, shape (N,)."""
        if self.energies is not None:
            return self.energies.energy
        return self.perturbation.class_energies[self.dataset.labels]

    @property
    def weight_groups(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """log w and number of examples: per class, or per example where examples of a class differ."""
        counts = self.dataset.counts
        if self.energies is None:
            present = counts > 0
            return self.perturbation.class_log_weights(counts)[present], counts[present].astype(np.float64)
        logs = self.perturbation.example_log_weights(self.dataset.labels, counts, self.energies)
        return logs, np.ones(len(logs))


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
    """What the toolbar and status line say of the run.

    Attributes:
        saves: how often it was saved, also where no step was taken since.
        threads: of the processor that compute, fewer while other programs keep it busy.
        good_step: step of the last good state, to which one can go back; None if there is none.
    """

    phase: RunPhase = RunPhase.IDLE
    step: int = 0
    seconds: float = 0.0
    epoch: float = 0.0
    steps_per_second: float = 0.0
    examples_per_second: float = 0.0
    device: str = ""
    threads: int = 0
    folder: Path | None = None
    saved_step: int = -1
    saves: int = 0
    good_step: int | None = None

    @property
    def unsaved(self) -> bool:
        """There are results that would be lost with the next start."""
        return self.step > 0 and self.saved_step < self.step


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskView:
    """Something that goes on in the background and takes over a second.

    Attributes:
        fraction: 0…1, or None when unknown.
        cancellable: whether cancelling it has an effect.
    """

    text: str
    fraction: float | None = None
    cancellable: bool = True


def run_after(view: RunView, message: Event | Snapshot) -> RunView:
    """What the toolbar says after a run's message."""
    match message:
        case Snapshot():
            return replace(
                view,
                step=message.step,
                seconds=message.seconds,
                epoch=message.epoch,
                steps_per_second=message.steps_per_second,
                examples_per_second=message.examples_per_second,
                good_step=message.good_step,
            )
        case Started():
            begun = replace(view, phase=RunPhase.RUNNING, device=message.device, folder=message.folder)
            return replace(begun, threads=message.threads)
        case ThreadsChanged():
            return replace(view, threads=message.threads)
        case Paused():
            return replace(view, phase=_unless_stopping(view, RunPhase.PAUSED), step=message.step)
        case Resumed():
            return replace(view, phase=_unless_stopping(view, RunPhase.RUNNING))
        case Saved():
            return replace(view, saved_step=message.step, saves=view.saves + 1)
        case Moved():
            return replace(view, folder=message.path)
        case Warned(unsaved=True):
            return replace(view, phase=RunPhase.PAUSED, step=message.step)
        case Warned(back_to=int() as step):
            return replace(view, good_step=step)
        case Restored():
            saved = min(view.saved_step, message.step)
            return replace(view, step=message.step, saved_step=saved, good_step=message.step)
        case Finished():
            phase = RunPhase.FAILED if message.outcome is Outcome.FAILED else RunPhase.FINISHED
            return replace(view, phase=phase, step=message.step, good_step=None)
        case _:
            return view


def _unless_stopping(view: RunView, phase: RunPhase) -> RunPhase:
    return RunPhase.STOPPING if view.phase is RunPhase.STOPPING else phase


def spoken(name: str) -> str:
    """A snake_case name in words."""
    return name.replace("_", " ")
