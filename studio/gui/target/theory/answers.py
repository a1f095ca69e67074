"""What a model answers, asked for ⟨f⟩: of the data by draws that are weighed back, and along a tilt to first order."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from studio.evaluation.evaluation import Mean
from studio.gui.state.dataset_view import DatasetView
from studio.gui.state.loaded_data import LoadedData
from studio.gui.state.stepped_samples import SteppedView
from studio.gui.state.subject import Owner
from studio.gui.state.tilt_view import TiltView
from studio.gui.target.terms import Observable
from studio.gui.target.theory.view import formula_of, unit_of, with_error
from studio.number_text import compact
from studio.perturb.umbrella import Umbrella
from studio.progress import Progress
from studio.training.storage.run import Run

if TYPE_CHECKING:
    from studio.response.run_response import Way

_DRAWS, _FOLLOWING = 2000, 4000
_PICTURES, _POINTS = 64, 400


@dataclass(frozen=True, slots=True, kw_only=True)
class BackAgain:
    """⟨f⟩ of the data without the tilt, found by draws of a tilted model that are weighed back.

    Attributes:
        predicted: the gain that theory predicts, by the data.
    """

    name: str
    found: Umbrella
    predicted: float
    owner: Owner
    dataset: DatasetView

    @property
    def mean(self) -> Mean:
        """In the units of the plot."""
        unit = unit_of(self.name)
        return Mean(value=unit * self.found.mean, error=unit * self.found.error)

    def words(self, unit: str) -> str:
        """With the unit of f behind each number of it."""
        plain = compact(unit_of(self.name) * self.found.plain_error, 2)
        return (
            f"Back again: {_DRAWS:,} draws {self.owner.words}, weighed by e^(+ΔH), give ⟨f⟩ = "
            f"{with_error(self.mean, unit)} without the tilt; as many of an untilted model would give it to ± "
            f"{plain}{unit}. Each is worth {compact(self.found.gain, 2)} of those; theory says "
            f"{compact(self.predicted, 2)}."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Following:
    """How the model of a run, at the step of its weights, follows the scale s of a tilt, with each ⟨f⟩ by name."""

    tilt: TiltView
    way: Way
    owner: Owner

    def at(self, name: str, scale: float) -> Mean | None:
        """⟨f⟩ at s in the units of the plot; None of an f that was not asked for."""
        found = self.way.means.get(name)
        if found is None:
            return None
        unit, further = unit_of(name), scale - self.way.start
        error = math.hypot(found.mean.error, further * found.slope.error)
        return Mean(value=unit * found.at(further), error=unit * error)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """Samples by weights that were stepped along a tilt, and how that was found."""

    following: Following
    view: SteppedView


def weigh_back(name: str, run: Run, data: LoadedData, title: str, progress: Progress) -> BackAgain:
    """⟨f⟩ of the data without the tilt, by draws of the tilted model."""
    from studio.training.analysis.at_once import AtOnce
    from studio.training.analysis.trained_model import TrainedModel

    trained = TrainedModel.of_run(run, lambda _: data.images, progress, data_root=data.judges.data_root)
    model = AtOnce(trained, progress)
    formula = formula_of(name)
    return BackAgain(
        name=name,
        found=model.untilted_mean(formula, _DRAWS, progress),
        predicted=model.predicted_gain(formula, progress),
        owner=Owner(title=title, step=run.weights_step or 0),
        dataset=data.view,
    )


def follow(
    tilt: TiltView, names: Sequence[str], run: Run, data: LoadedData, title: str, progress: Progress
) -> Following:
    """How each ⟨f⟩ follows the tilt, by the response of the weights."""
    from studio.response.run_response import RunResponse
    from studio.training.analysis.trained_model import TrainedModel

    trained = TrainedModel.of_run(run, lambda _: data.images, progress, data_root=data.judges.data_root)
    response = RunResponse(run, trained, progress)
    way = response.beside(tilt.perturbation, {name: formula_of(name) for name in names}, _FOLLOWING, progress)
    return Following(tilt=tilt, way=way, owner=Owner(title=title, step=run.weights_step or 0))


def step_along(
    known: Following | None,
    tilt: TiltView,
    names: Sequence[str],
    scale: float,
    shown: Observable,
    run: Run,
    data: LoadedData,
    title: str,
    progress: Progress,
) -> Stepped:
    """Samples at the scale s of the tilt, without training, and ⟨f⟩ of them beside that of the line."""
    from studio.training.analysis.measured_samples import placed, target_on_plane

    following = known if known is not None and known.owner.step == run.weights_step else None
    following = following or follow(tilt, names, run, data, title, progress.part(0, 0.9))
    owner, found = following.owner, following.way.step(scale, _DRAWS, progress.part(0.9, 1))
    said = ""
    mean, line = found.means.get(shown.name), following.at(shown.name, scale)
    if mean is not None and line is not None:
        factor = unit_of(shown.name)
        sampled = Mean(value=factor * mean.value, error=factor * mean.error)
        said = f"  ·  {shown.title}: {with_error(sampled, shown.unit)}, by the line {with_error(line, shown.unit)}"
    plane = None
    if data.images.plane is not None:
        target = target_on_plane(data.images, data.measured, tilt.perturbation)
        plane = placed(found.values[:_POINTS], target, owner.step)
    view = SteppedView(
        owner=owner,
        scale=scale,
        said=said,
        pictures=data.images.overview(found.values[:_PICTURES]),
        plane=plane,
    )
    return Stepped(following=following, view=view)
