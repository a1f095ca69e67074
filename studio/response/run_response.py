"""How a trained run follows a tilt: its model, to first order, beside its data, to first and second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from studio.data.scale import Values
from studio.errors import UserError
from studio.evaluation.evaluation import Mean
from studio.models.diffusion.config import DenoiserConfig
from studio.perturb.arrays import Floats
from studio.perturb.perturbation import Perturbation
from studio.perturb.terms import FormulaTerm, checked_energy
from studio.perturb.theory import Moments
from studio.progress import Progress
from studio.response.means import stepped
from studio.response.parameters import Response, Trained
from studio.sampling.base import joined
from studio.training.analysis.sample_features import SampleFeatures, each_class
from studio.training.analysis.trained_model import TrainedModel
from studio.training.engine.samples import drawn_pieces, independent
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Stepped:
    """Samples, shape (n, H, W, C), as stored, and each ⟨f⟩ of them by name."""

    values: Values
    means: dict[str, Mean]


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """From the target that a model was trained for along a tilt.

    Attributes:
        start: s₀, at which it was trained.
        means: each ⟨f⟩ from there on, by name.
    """

    start: float
    means: Mapping[str, Followed]
    _trained: TrainedModel
    _features: SampleFeatures
    _terms: Mapping[str, FormulaTerm]
    _direction: Tensor
    _seed: int

    def step(self, scale: float, count: int, progress: Progress) -> Stepped:
        """So many samples by θ + (s − s₀)·dθ/ds; the model itself stays as it is. UserError if they are not finite."""
        model, stored = stepped(self._trained.model, self._direction, scale - self.start), self._trained.examples.scale
        rng = torch.Generator(self._direction.device).manual_seed(self._seed)
        values = joined([drawn for _, drawn in drawn_pieces(model, count, rng, stored, progress)])
        seen = _seen(self._features, values, self._terms)
        errors = seen.std(0) / np.sqrt(independent(model, count))
        found = zip(self._terms, seen.mean(0), errors, strict=True)
        means = {name: Mean(value=float(mean), error=float(error)) for name, mean, error in found}
        return Stepped(values=values, means=means)


class RunResponse:
    """Of a run on disk.

    Args:
        trained: its model, by the weights of one kind.

    Raises:
        UserError: its model has no response.
    """

    def __init__(self, run: Run, trained: TrainedModel, progress: Progress, *, seed: int = 0) -> None:
        self._trained, self._seed, examples = trained, seed, trained.examples
        self._features = SampleFeatures(examples, trained.judges)
        self._chosen = np.sort(np.random.default_rng(seed).permutation(len(examples))[:_MOST_EXAMPLES])
        self._logs = self._log_weights(trained.applied, progress)
        if isinstance(run.config.model, DenoiserConfig) and run.config.model.weights_fade:
            raise UserError(
                "How a model follows a tilt is not computed where weights fade",
                "Its examples count differently at each noise.",
                "Train one with “Weights fade over” at 0.",
            )
        (network,) = [phase.network for phase in trained.model.phases()][:1]
        how = Trained(
            optimiser=run.config.model.optimiser(network),
            steps=max(1, run.weights_step or 0),
            size=round(run.config.batch.average_size),
            decay=run.config.ema_decay if trained.averaged else 0.0,
        )
        images = for_models(examples.rows(self._chosen), examples.scale, torch.device("cpu"))
        self._response = Response(trained.model, images, torch.from_numpy(np.exp(self._logs)).float(), how, seed=seed)

    def to(self, wanted: Perturbation, formulas: Mapping[str, str], count: int, progress: Progress) -> Way:
        """To another target, s = 1, from the one that was trained for, s = 0.

        Args:
            formulas: each f over features and ``label``, such as ``label == 2``, by name.
            count: samples for the slopes.

        Raises:
            UserError: f or ΔH cannot be had of the data or of what is generated.
            Cancelled: the person cancelled.
        """
        asked = self._log_weights(self._trained.target, progress)
        return self._along(asked - self._log_weights(wanted, progress), 0.0, formulas, count, progress)

    def beside(self, target: Perturbation, formulas: Mapping[str, str], count: int, progress: Progress) -> Way:
        """Along the scale s of a target's ΔH, of which the model was trained for 0 or 1.

        Raises:
            UserError: the run was trained neither for that target nor for none; or as for `to`.
            Cancelled: the person cancelled.
        """
        energy = -self._log_weights(target, progress)
        for start, logs in ((0.0, self._logs), (1.0, self._logs + energy)):
            if np.ptp(logs) < _SAME:
                return self._along(energy, start, formulas, count, progress)
        raise UserError(
            "The model was trained for another target",
            "Its line begins at s = 1 if it was trained for this ΔH, and at s = 0 if it was trained without a tilt.",
            "Look at such a run, or use `studio response`, which leads from any target to any other.",
        )

    def _along(self, energy: Floats, start: float, formulas: Mapping[str, str], count: int, progress: Progress) -> Way:
        terms = {name: FormulaTerm(text=text) for name, text in formulas.items()}
        measured = self._trained.measured
        measured.prepare([name for term in terms.values() for name in term.names], progress.part(0, 0.05))
        self._features.bring_judge(progress.part(0.05, 0.1))
        change = torch.from_numpy(energy).float()
        direction = self._response.to(change, progress.part(0.1, 0.9))
        progress.report("Drawing samples", 0.9)

        def observe(images: Tensor) -> Floats:
            return _seen(self._features, self._trained.examples.scale.stored(images.float().cpu().numpy()), terms)

        found = self._response.slopes(direction, change, observe, count)
        means = {
            name: Followed(
                data=Moments.of(checked_energy(term, measured)[self._chosen], energy, np.exp(self._logs)),
                mean=Mean(value=float(found.mean[place]), error=float(found.mean_error[place])),
                slope=Mean(value=float(found.slope[place]), error=float(found.slope_error[place])),
            )
            for place, (name, term) in enumerate(terms.items())
        }
        return Way(
            start=start,
            means=means,
            _trained=self._trained,
            _features=self._features,
            _terms=terms,
            _direction=direction,
            _seed=self._seed,
        )

    def _log_weights(self, target: Perturbation, progress: Progress) -> Floats:
        return np.asarray(self._trained.log_weights(target, progress)[self._chosen])


def _seen(features: SampleFeatures, values: Values, terms: Mapping[str, FormulaTerm]) -> Floats:
    """Each f of each of what a model made, shape (n, F)."""
    drawn = features.look(values)
    return np.stack([(drawn.probabilities * each_class(drawn, term)).sum(1) for term in terms.values()], axis=1)
