"""What one run's model answers to a target, made beside the window: samples for the screen, and what they are."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from studio.data.catalog import DatasetConfig
from studio.gui.state.loaded_data import LoadedData
from studio.perturb.perturbation import Perturbation
from studio.progress import Progress
from studio.training.messages.snapshot import PlaneFrame
from studio.training.storage.run import Run

if TYPE_CHECKING:
    from studio.sampling.base import Tilted
    from studio.training.analysis.at_once import AtOnce
    from studio.training.analysis.measured_samples import MeasuredImages, MeasuredPoints

_SHOWN, _MEASURED = 64, 500
"""Images on the screen, and images that are judged."""
_POINTS_SHOWN, _POINTS_MEASURED = 400, 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The run whose model is asked, and the step of its weights; None for those that were saved last."""

    folder: Path
    step: int | None
    dataset: DatasetConfig


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    """Samples for the screen, by the weights of a step.

    Attributes:
        pictures: of them, uint8, shape (n, H, W, C).
        plane: the same as points of the plane, where they are such.
    """

    model: AtOnce
    data: LoadedData
    step: int
    made: Tilted
    pictures: NDArray[np.uint8]
    plane: PlaneFrame | None


def sampled(
    source: Source, data: LoadedData, model: AtOnce | None, wanted: Perturbation, progress: Progress
) -> Sampled:
    """Have the model answer; one that is given has its draws already."""
    from studio.training.analysis.at_once import AtOnce
    from studio.training.analysis.measured_samples import placed
    from studio.training.analysis.trained_model import TrainedModel

    images = data.images
    if model is None:
        run = Run.open(source.folder)
        if source.step is not None:
            run = run.back_at(source.step)
        trained = TrainedModel.of_run(run, lambda _: images, progress, data_root=data.judges.data_root)
        model = AtOnce(trained, progress)
    step, planar = model.trained.step, images.plane is not None
    made = model.sample(wanted, _POINTS_SHOWN if planar else _SHOWN, progress).alike(np.random.default_rng(0))
    return Sampled(
        model=model,
        data=data,
        step=step,
        made=made,
        pictures=images.overview(made.values),
        plane=placed(made.values, model.on_plane(wanted, progress), step) if planar else None,
    )


def measured(found: Sampled, wanted: Perturbation, progress: Progress) -> MeasuredImages | MeasuredPoints:
    """More of the same, and what they are."""
    from studio.training.analysis.measured_samples import measured_points

    model, rng = found.model, np.random.default_rng(1)
    if found.plane is None:
        return model.measure(model.sample(wanted, _MEASURED, progress), wanted, progress)
    points = model.sample(wanted, _POINTS_MEASURED, progress).alike(rng)
    return measured_points(points.values, model.on_plane(wanted, progress), found.data.view.shares, found.step)
