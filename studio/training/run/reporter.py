"""What a run shows of itself at its cadence: sample grids, what its model shows, and snapshots of everything."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from numpy.typing import NDArray

from studio.models.diagnostic import Diagnostic
from studio.training.messages.commands import ShowBetween
from studio.training.messages.latents import Latents
from studio.training.messages.snapshot import Images, Interpolation, PlannedExamples, SampleGrid, Snapshot
from studio.training.run.clock import Stopwatch, Throughput
from studio.training.storage.frames import Frame
from studio.training.storage.metrics import held_column

if TYPE_CHECKING:
    from studio.training.analysis.plane_watch import PlaneWatch
    from studio.training.engine.learner import StepReport
    from studio.training.engine.trainer import Trainer
    from studio.training.storage.recorder import Recorder

_SNAPSHOT_SECONDS = 0.1
_DIAGNOSED = 0.02
"""Share of the time in which a model may look at itself; a WGAN-GP on MNIST takes 0.15 s for it."""
_APART = 2.0
"""Times as long as a grid took pass before the next one, at least: one pixel after the other takes seconds."""
_RECENT_BATCHES = 50
_SHOWN_EXAMPLES = 32
_MOST_CORRECTED = 256
"""Classes whose corrections have a curve each."""

Array = TypeVar("Array", bound=NDArray[np.generic])


class Reporter:
    """Draws one trainer; what it makes is read-only, for another thread to see.

    Attributes:
        latents: those of the next grid.
        asked: the way between samples that is drawn with it.
        pace: of training, as snapshots tell it.
    """

    def __init__(self, trainer: Trainer, clock: Stopwatch, recorder: Recorder | None = None) -> None:
        kept = recorder.latents if recorder is not None else None
        self.latents = kept or Latents.of(trainer.config)
        self.asked = ShowBetween()
        self._between: Interpolation | None = None
        self._trainer, self._recorder = trainer, recorder
        self._clock = clock
        self._report: StepReport | None = None
        self._grid: SampleGrid | None = None
        self._diagnostics: tuple[Diagnostic, ...] = ()
        self._diagnosed = 0
        self._next_grid = 0.0
        self._next_diagnosis = 0.0
        self._next_snapshot = 0.0
        self._recent: deque[NDArray[np.float64]] = deque(maxlen=_RECENT_BATCHES)
        self.pace = Throughput()
        self._plane = _plane_watch(trainer)

    def note(self, report: StepReport) -> None:
        self._report = report
        self._recent.append(report.plan.weights)

    def forget(self) -> None:
        """The run went back: what it showed of the steps after is undone with them."""
        self._report, self._grid, self._between, self._diagnostics = None, None, None, ()
        self._recent.clear()
        self.pace.forget()
        if self._plane is not None:
            self._plane.forget()

    @property
    def grid_is_due(self) -> bool:
        return self._clock.seconds >= self._next_grid

    @property
    def grid_is_current(self) -> bool:
        """Whether no step was taken since the last sample grid."""
        return self._grid is not None and self._grid.step >= self._trainer.step_count

    @property
    def snapshot_is_due(self) -> bool:
        return self._clock.seconds >= self._next_snapshot

    def draw(self, *, thorough: bool = False) -> Frame:
        """A new sample grid, and what the model shows beside it, unless that takes too long and nobody waits for it."""
        begun = self._clock.seconds
        grid = self._grid = SampleGrid(
            step=self._trainer.step_count,
            raw=self._samples(averaged=False),
            averaged=self._samples(averaged=True),
            latents=self.latents,
        )
        self.draw_between()
        diagnosed = thorough or self._clock.seconds >= self._next_diagnosis
        if diagnosed:
            self._diagnose()
        ended = self._clock.seconds
        self._next_grid = ended + max(self._trainer.config.cadence.sample_every, _APART * (ended - begun))
        frame = Frame(
            grid=grid,
            seconds=self._clock.seconds,
            weights=self._recent_weights,
            planned=self._planned,
            diagnostics=self._diagnostics if diagnosed else (),
        )
        if self._plane is None:
            return frame
        plane = self._plane.frame()
        return replace(frame, points=plane.points, labels=plane.labels, views=plane.views)

    def _samples(self, *, averaged: bool) -> Images:
        from studio.training.analysis.latent_images import grid_images

        model, data = self._trainer.shown(averaged=averaged), self._trainer.data
        drawn = grid_images(model, self.latents, self._trainer.config.cadence.samples, data.scale)
        return _read_only(data.overview(drawn))

    def draw_between(self) -> None:
        """Draw the way between samples that was asked for, if one was."""
        asked, trainer = self.asked, self._trainer
        self._between = None
        if asked.points:
            from studio.training.analysis.latent_images import interpolation

            model = trainer.shown(averaged=asked.averaged)
            self._between = interpolation(model, asked, trainer.step_count, trainer.data.scale)

    def _diagnose(self) -> None:
        begun = time.perf_counter()
        self._diagnostics, self._diagnosed = self._trainer.diagnose(), self._trainer.step_count
        self._next_diagnosis = self._clock.seconds + (time.perf_counter() - begun) / _DIAGNOSED

    def logged(self, report: StepReport) -> dict[str, float]:
        """A point of every curve: of the step, how far points are from their exact target, and what is corrected."""
        values = report.values() | {"skipped": float(self._trainer.skipped), "epoch": self._trainer.epoch}
        if self._plane is not None:
            self._plane.measure()
            values |= self._plane.values
        return values | self._corrections()

    def _corrections(self) -> dict[str, float]:
        """Applied − asked ΔH of each class, by curve, once held shares were looked at; none of very many classes."""
        held, names = self._trainer.held, self._trainer.data.class_names
        if not held.step or len(names) > _MOST_CORRECTED:
            return {}
        return {held_column(place, names[place]): each for place, each in enumerate(held.hold.correction)}

    def snapshot(self, good_step: int | None, *, hurried: bool = False) -> Snapshot:
        """The run as it is, with the step of the last good state, if one is kept; `hurried` if it is one of many."""
        seconds, trainer, report, plane = self._clock.seconds, self._trainer, self._report, self._plane
        frame = plane.frame(hurried=hurried) if plane is not None else None
        self._next_snapshot = seconds + (plane.period if plane is not None else _SNAPSHOT_SECONDS)
        steps, examples = self.pace.after(seconds, trainer.step_count, trainer.examples)
        return Snapshot(
            step=trainer.step_count,
            revision=report.plan.revision if report else self._learned,
            seconds=seconds,
            epoch=trainer.epoch,
            examples=trainer.examples,
            steps_per_second=steps,
            examples_per_second=examples,
            grid=self._grid,
            diagnostics=self._diagnostics,
            diagnosed=self._diagnosed,
            good_step=good_step,
            planned=self._planned,
            plane=frame,
            between=self._between,
            recent_weights=self._recent_weights,
        )

    @property
    def _learned(self) -> int:
        """Revision of the target that the weights have learned, where no step was taken since they were loaded."""
        recorder, trainer = self._recorder, self._trainer
        return recorder.target_of(trainer.step_count)[0] if recorder else trainer.perturbation.revision

    @property
    def _recent_weights(self) -> NDArray[np.float64]:
        return _read_only(np.concatenate(self._recent) if self._recent else np.empty(0))

    @property
    def _planned(self) -> PlannedExamples | None:
        """Examples of the last batch, if there was one."""
        if self._report is None:
            return None
        data, plan = self._trainer.data, self._report.plan
        shown = plan.indices[:_SHOWN_EXAMPLES]
        return PlannedExamples(
            images=_read_only(data.pictures(data.rows(shown))),
            labels=_read_only(data.labels[shown]),
            weights=_read_only(plan.weights[:_SHOWN_EXAMPLES]),
        )


def _read_only(array: Array) -> Array:
    """`array` itself, which another thread is about to see."""
    array.flags.writeable = False
    return array


def _plane_watch(trainer: Trainer) -> PlaneWatch | None:
    """What looks at points while they are learned; None for images."""
    if trainer.data.plane is None:
        return None
    from studio.training.analysis.plane_watch import PlaneWatch

    return PlaneWatch(trainer, trainer.data.plane)
