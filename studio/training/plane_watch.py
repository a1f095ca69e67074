"""Looks at a model on the plane while it trains: points and fields often, distances from the target now and then.

Both keep to a share of the time: a look that takes long is followed by a longer pause.
"""

from __future__ import annotations

import time

import numpy as np
import torch
from numpy.typing import NDArray

from studio.data.planar.plane import Plane
from studio.evaluation.plane_divergence import (
    cell_counts,
    js_divergence,
    kl_divergence,
    w1_distance,
    w1_floor,
)
from studio.perturb.perturbation import Perturbation, target_shares
from studio.training.messages import PlaneFrame
from studio.training.trainer import Trainer

FRAME_SECONDS = 0.05
_SHOWN = 400
_COUNTED = 2000
_MOVED = 300
_CELLS = 24
_FINE = 8
_MEASURE_SECONDS = 0.5
_MOST_OF_THE_TIME = 0.1
"""Share of the time that measuring distances may take."""


class PlaneWatch:
    """Frames and distances of one run.

    Args:
        trainer: what is watched; its data are points.
        plane: of its data.

    Attributes:
        values: the newest distances, for the curves: plane_js, plane_kl, plane_w1, plane_w1_floor.
        pause: seconds to wait for the next frame, so that frames take at most half of the time.
    """

    def __init__(self, trainer: Trainer, plane: Plane) -> None:
        self._trainer = trainer
        self._plane = plane
        self._revision: int | None = None
        self._masses = self._cell_masses()
        self._points: NDArray[np.float64] = np.empty((0, 2))
        self._target: NDArray[np.float64] = np.empty(0)
        self._next_measure = 0.0
        self.values: dict[str, float] = {}
        self.pause = FRAME_SECONDS

    def frame(self) -> PlaneFrame:
        """What the model makes and shows just now, in the plane's own units."""
        trainer, half, begun = self._trainer, self._plane.half, time.thread_time()
        points = trainer.sample(_SHOWN, averaged=False).reshape(-1, 2).astype(np.float64)
        shares = self._shares(trainer.perturbation)
        model = trainer.model
        model.eval()
        try:
            with torch.no_grad():
                inside = torch.from_numpy(points / half).to(trainer.device, torch.float32)[:, :, None, None]
                rng = torch.Generator(trainer.device).manual_seed(trainer.config.seed)
                views = model.on_plane(inside, rng)
        finally:
            model.train()
        labels = self._plane.classify(points, shares)
        self.pause = max(FRAME_SECONDS, time.thread_time() - begun)
        return PlaneFrame(step=trainer.step_count, points=points, labels=labels, views=views)

    def measure(self) -> None:
        """Bring `values` up to date, if it is time."""
        if time.perf_counter() < self._next_measure:
            return
        trainer = self._trainer
        self._retarget(trainer.perturbation)
        begun = time.thread_time()
        points = trainer.sample(_COUNTED, averaged=False, seed=trainer.step_count).reshape(-1, 2).astype(np.float64)
        counts = cell_counts(points, self._plane.half, _CELLS)
        self.values |= {
            "plane_js": float(js_divergence(self._target, counts)),
            "plane_kl": float(kl_divergence(self._target, counts)),
            "plane_w1": w1_distance(points[:_MOVED], self._points),
        }
        spent = time.thread_time() - begun  # of the processor, so that a busy machine does not slow the curves further
        self._next_measure = time.perf_counter() + max(_MEASURE_SECONDS, spent / _MOST_OF_THE_TIME)

    def _shares(self, perturbation: Perturbation) -> NDArray[np.float64]:
        return target_shares(self._trainer.data.counts, perturbation.offsets)

    def _retarget(self, perturbation: Perturbation) -> None:
        """Take up another target: its masses, some of its points, and how far two draws of it are apart."""
        if self._revision == perturbation.revision:
            return
        self._revision = perturbation.revision
        shares = self._shares(perturbation)
        self._target = np.tensordot(self._masses, shares, axes=(2, 0))
        rng = np.random.default_rng(self._trainer.config.seed)
        self._points = self._plane.draw_mixture(_MOVED, shares, rng)
        self.values["plane_w1_floor"] = w1_floor(lambda count: self._plane.draw_mixture(count, shares, rng), _MOVED)

    def _cell_masses(self) -> NDArray[np.float64]:
        """∫ p(x|c) over each cell by the midpoint rule, scaled to add up to 1, shape (side, side, K)."""
        side = _CELLS * _FINE
        density = np.exp(self._plane.log_class_densities(self._plane.centres(side)))
        masses = density.reshape(_CELLS, _FINE, _CELLS, _FINE, -1).sum((1, 3))
        return np.asarray(masses / masses.sum((0, 1)))
