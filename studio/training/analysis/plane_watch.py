"""Looks at a model on the plane while it trains: points and fields often, distances from the target now and then.

Both keep to a share of the time: a look that takes long is followed by a longer pause, and where drawing points takes
long each frame draws a few of them anew, those that have waited longest.
"""

from __future__ import annotations

import time
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray

from studio.data.planar.plane import Plane
from studio.data.planar.target import PlaneTarget
from studio.errors import UserError
from studio.evaluation.plane_divergence import cell_counts, js_divergence, kl_divergence, w1_distance, w1_floor
from studio.models.base import at_rest
from studio.models.plane import PlaneView
from studio.training.analysis.measured_samples import CELLS, coarse, fine_cells, target_on_plane
from studio.training.engine.samples import independent
from studio.training.engine.trainer import Trainer
from studio.training.messages.snapshot import PlaneFrame

FRAME_SECONDS = 0.06
_MOST_OF_A_FRAME = 0.5
"""Share of the time that frames may take."""
_PARTS, _PART = 4, 100
"""Points are drawn in parts, each of latents of its own that stay the same."""
_DRAWN_SECONDS = 0.003
"""Processor time after which the next part waits for the next frame."""
_COUNTED = 2000
_MOVED = 300
_MEASURE_SECONDS = 0.5
_MOST_OF_THE_TIME = 0.1
"""Share of the time that measuring distances may take, and as much again for what the model shows at leisure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Some of the points of a frame, shape (n, 2), and the most probable class of each, shape (n,)."""

    number: int
    points: NDArray[np.float64]
    labels: NDArray[np.int64]


class PlaneWatch:
    """Frames and distances of one run whose data are points of a plane.

    Attributes:
        values: the newest distances, for the curves: plane_js, plane_kl, plane_w1, plane_w1_floor, plane_tv, that of
            the class shares, and plane_gap, what a critic takes for W₁; none while the target is not known exactly.
        period: seconds from one frame to the next.
    """

    def __init__(self, trainer: Trainer, plane: Plane) -> None:
        self._trainer = trainer
        self._plane = plane
        self._revision: int | None = None
        self._measured_revision: int | None = None
        self._exact: PlaneTarget | None = None
        self._centres, self._masses = fine_cells(plane)
        self._points: NDArray[np.float64] = np.empty((0, 2))
        self._target: NDArray[np.float64] = np.empty(0)
        self._shares: NDArray[np.float64] = np.empty(0)
        self._counted = max(2, independent(trainer.model, _COUNTED))
        self._moved = min(_MOVED, self._counted)
        self._next_measure = 0.0
        self.values: dict[str, float] = {}
        self._parts: deque[_Part] = deque()
        self.period = FRAME_SECONDS
        self._slow_views: tuple[PlaneView, ...] = ()
        self._next_slow_views = 0.0

    def frame(self, *, hurried: bool = False) -> PlaneFrame:
        """What the model makes and shows now, in the plane's units; one of many may have points of those before."""
        trainer, half, begun = self._trainer, self._plane.half, time.thread_time()
        self._draw(hurried=hurried)
        parts = sorted(self._parts, key=lambda part: part.number)
        points = np.concatenate([part.points for part in parts])
        labels = np.concatenate([part.labels for part in parts])
        if not len(points):
            return PlaneFrame(step=trainer.step_count, points=points, labels=labels, views=())
        inside = torch.from_numpy(points / half).to(trainer.device, torch.float32)[:, :, None, None]
        rng = torch.Generator(trainer.device).manual_seed(trainer.config.seed)
        with at_rest(trainer.model), torch.no_grad():
            views = trainer.model.views.on_plane(inside, torch.from_numpy(labels).to(trainer.device), rng)
            if hurried:
                self.period = max(FRAME_SECONDS, (time.thread_time() - begun) / _MOST_OF_A_FRAME)
            self._take_time(inside, rng)
        return PlaneFrame(step=trainer.step_count, points=points, labels=labels, views=views + self._slow_views)

    def _take_time(self, inside: torch.Tensor, rng: torch.Generator) -> None:
        """Bring what the model shows at leisure up to date, if it is time, beside points (n, 2, 1, 1)."""
        if time.perf_counter() < self._next_slow_views:
            return
        begun = time.thread_time()
        self._slow_views = self._trainer.model.views.on_plane_at_leisure(inside, rng)
        self._next_slow_views = time.perf_counter() + (time.thread_time() - begun) / _MOST_OF_THE_TIME

    def _draw(self, *, hurried: bool) -> None:
        """Draw parts of the points anew, the oldest first: all of them, or as many as there is time for."""
        begun = time.thread_time()
        for _ in range(_PARTS):
            number = len(self._parts) if len(self._parts) < _PARTS else self._parts.popleft().number
            points = self._sampled(_PART, self._trainer.config.seed + number)
            self._parts.append(_Part(number=number, points=points, labels=self._classify(points)))
            if hurried and len(self._parts) == _PARTS and time.thread_time() - begun > _DRAWN_SECONDS:
                return

    def _sampled(self, count: int, seed: int) -> NDArray[np.float64]:
        """Points as the model makes them now, shape (count, 2); none of a model that makes no numbers any more."""
        try:
            drawn = self._trainer.sample(count, averaged=False, seed=seed)
        except UserError:  # its loss says so, too, at the next point that is logged
            return np.empty((0, 2))
        return drawn.reshape(-1, 2).astype(np.float64)

    def forget(self) -> None:
        """The model is another: nothing of the one before is shown or logged again."""
        self._drop_values()
        self._parts.clear()
        self._slow_views = ()
        self._next_measure = self._next_slow_views = 0.0

    def _drop_values(self) -> None:
        """Those of the model; the floor is the target's."""
        self.values = {name: value for name, value in self.values.items() if name == "plane_w1_floor"}

    def measure(self) -> None:
        """Bring `values` up to date, if it is time."""
        trainer = self._trainer
        exact = self._exact_target()
        if exact is None or self._measured_revision != self._revision:
            self.values.clear()  # until it is time to measure them from this target
        if time.perf_counter() < self._next_measure or exact is None or not self._retarget(exact):
            return
        begun = time.thread_time()
        points = self._sampled(self._counted, trainer.step_count)
        if not len(points):
            self._drop_values()
            return
        counts = cell_counts(points, self._plane.half, CELLS)
        self.values |= {
            "plane_js": float(js_divergence(self._target, counts)),
            "plane_kl": float(kl_divergence(self._target, counts)),
            "plane_w1": w1_distance(points[: self._moved], self._points[: self._moved]),
            **self._critic_gap(points),
        }
        self.values.pop("plane_tv", None)
        with suppress(UserError):  # ΔH of a generated point is not finite
            shares = exact.class_probabilities(points).mean(0)
            self.values["plane_tv"] = 0.5 * float(np.abs(shares - self._shares).sum())
        spent = time.thread_time() - begun  # of the processor, so that a busy machine does not slow the curves further
        self._next_measure = time.perf_counter() + max(_MEASURE_SECONDS, spent / _MOST_OF_THE_TIME)

    def _critic_gap(self, points: NDArray[np.float64]) -> dict[str, float]:
        """⟨D⟩ of the target's points − ⟨D⟩ of the generated ones, per unit of the plane; nothing without a critic."""
        both = np.concatenate((self._points, points)) / self._plane.half
        inside = torch.from_numpy(both).to(self._trainer.device, torch.float32)[:, :, None, None]
        with at_rest(self._trainer.model), torch.no_grad():
            scores = self._trainer.model.views.wasserstein_scores(inside)
        if scores is None:
            return {}
        real, fake = scores.split((len(self._points), len(points)))
        return {"plane_gap": self._plane.half * float(real.mean() - fake.mean())}

    def _exact_target(self) -> PlaneTarget | None:
        """The target in force; None where it is not known exactly."""
        trainer, perturbation = self._trainer, self._trainer.perturbation
        if self._revision != perturbation.revision:
            self._revision = perturbation.revision
            try:
                self._exact = target_on_plane(trainer.whole, trainer.measured, perturbation)
            except UserError:
                self._exact = None
        return self._exact

    def _classify(self, points: NDArray[np.float64]) -> NDArray[np.int64]:
        """The most probable class of each point under the target; of the data, where the target is not known."""
        exact, counts = self._exact_target(), self._trainer.whole.counts
        if exact is not None and len(points):
            try:
                return exact.classify(points)
            except UserError:  # ΔH of a generated point is not finite
                pass
        return self._plane.classify(points, counts / counts.sum())

    def _retarget(self, exact: PlaneTarget) -> bool:
        """Take up another target's masses, shares, points, and floor of W₁; whether it is known exactly."""
        if self._measured_revision == self._revision:
            return True
        try:
            joint = exact.classes_on_grid(self._centres, self._masses)
        except UserError:  # not everywhere; the plane panel says where
            self._exact = None
            self.values.clear()
            return False
        self._measured_revision = self._revision
        self._shares, fine = joint.sum(0) / joint.sum(), joint.sum(1)
        self._target = coarse(fine)
        rng = np.random.default_rng(self._trainer.config.seed)
        # By its fine cells a tilted target can be drawn however strong the tilt; a sample of the data, taken again by
        # weight, would soon consist of a few points. A cell blurs by 1/√12 of its side: little next to the floor.
        if exact.perturbation.by_example:
            draw = partial(self._plane.draw_cells, masses=fine / fine.sum(), rng=rng)
        else:
            draw = partial(self._plane.draw_mixture, shares=exact.shares, rng=rng)
        self._points = rng.permutation(draw(self._counted))  # so that the first few are of every class
        self.values["plane_w1_floor"] = w1_floor(draw, self._moved)
        return True
