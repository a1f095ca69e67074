"""How a trained run follows a tilt: its model, to first order, beside its data, to first and second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from studio.errors import UserError
from studio.evaluation.report import Mean
from studio.perturb.arrays import Floats
from studio.perturb.perturbation import Perturbation
from studio.perturb.terms import FormulaTerm, checked_energy
from studio.perturb.theory import Moments
from studio.progress import Progress
from studio.response.parameters import Response, Trained
from studio.training.analysis.generated import Generated, each_class
from studio.training.analysis.trained_model import TrainedModel
from studio.training.examples.examples import for_models
from studio.training.storage.run import Run

_MOST_EXAMPLES = 60_000
_SAME = 1e-9
"""Spread of log w over the data that is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """⟨f⟩ from the target that was trained for, s = 0, towards another one, s = 1.

    Attributes:
        data: of the weighted data.
        mean: of what the model generates.
        slope: d⟨f⟩/ds of that.
    """

    data: Moments
    mean: Mean
    slope: Mean

    def at(self, scale: float) -> float:
        """⟨f⟩ of the model at s, to first order."""
        return self.mean.value + scale * self.slope.value


class RunResponse:
    """Of a run on disk.

    Args:
        trained: its model, by the weights of one kind.

    Raises:
        UserError: its model has no response.
    """

    def __init__(self, run: Run, trained: TrainedModel, progress: Progress, *, seed: int = 0) -> None:
        self._trained, examples = trained, trained.examples
        self._generated = Generated(examples, trained.judges)
        self._chosen = np.sort(np.random.default_rng(seed).permutation(len(examples))[:_MOST_EXAMPLES])
        self._logs = self._log_weights(trained.target, progress)
        (network,) = [phase.network for phase in trained.model.phases()][:1]
        how = Trained(
            optimiser=run.config.model.optimiser(network),
            steps=max(1, run.weights_step or 0),
            size=round(run.config.batch.average_size),
        )
        images = for_models(examples.rows(self._chosen), examples.scale, torch.device("cpu"))
        self._response = Response(trained.model, images, torch.from_numpy(np.exp(self._logs)).float(), how, seed=seed)

    def to(
        self, wanted: Perturbation, formulas: Mapping[str, str], count: int, progress: Progress
    ) -> dict[str, Followed]:
        """What becomes of each ⟨f⟩, by name, on the way to another target.

        Args:
            formulas: each f over features and ``label``, such as ``label == 2``.
            count: samples.

        Raises:
            UserError: f or ΔH cannot be had of the data or of what is generated.
            Cancelled: the person cancelled.
        """
        return self._along(self._logs - self._log_weights(wanted, progress), formulas, count, progress)

    def beside(
        self, target: Perturbation, formulas: Mapping[str, str], count: int, progress: Progress
    ) -> tuple[float, dict[str, Followed]]:
        """At which scale s of a target's ΔH the model was trained, 0 or 1, and each ⟨f⟩ from there on per unit of s.

        Raises:
            UserError: the run was trained neither for that target nor for none; or as for `to`.
            Cancelled: the person cancelled.
        """
        energy = -self._log_weights(target, progress)
        if np.ptp(self._logs) < _SAME:
            return 0.0, self._along(energy, formulas, count, progress)
        if np.ptp(self._logs + energy) < _SAME:
            return 1.0, self._along(energy, formulas, count, progress)
        raise UserError(
            "The model was trained for another target",
            "Its line begins at s = 1 if it was trained for this ΔH, and at s = 0 if it was trained without a tilt.",
            "Look at such a run, or use `studio response`, which leads from any target to any other.",
        )

    def _along(
        self, energy: Floats, formulas: Mapping[str, str], count: int, progress: Progress
    ) -> dict[str, Followed]:
        terms = [FormulaTerm(text=text) for text in formulas.values()]
        self._trained.measured.prepare([name for term in terms for name in term.names], progress.part(0, 0.05))
        self._generated.bring_judge(progress.part(0.05, 0.1))
        change = torch.from_numpy(energy).float()
        solved = self._response.to(change, progress.part(0.1, 0.9))
        progress.report("Drawing samples", 0.9)

        def observe(images: Tensor) -> Floats:
            drawn = self._generated.look(self._trained.examples.scale.stored(images.float().cpu().numpy()))
            return np.stack([(drawn.probabilities * each_class(drawn, term)).sum(1) for term in terms], axis=1)

        found = self._response.slopes(solved.x, change, observe, count)
        followed = {}
        for place, (name, term) in enumerate(zip(formulas, terms, strict=True)):
            own = checked_energy(term, self._trained.measured)[self._chosen]
            followed[name] = Followed(
                data=Moments.of(own, energy, np.exp(self._logs)),
                mean=Mean(value=float(found.mean[place]), error=float(found.mean_error[place])),
                slope=Mean(value=float(found.slope[place]), error=float(found.slope_error[place])),
            )
        return followed

    def _log_weights(self, target: Perturbation, progress: Progress) -> Floats:
        return np.asarray(self._trained.log_weights(target, progress)[self._chosen])
