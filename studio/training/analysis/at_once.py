"""A trained model asked for other targets than its own, at once: what of its data and judges that takes."""

from __future__ import annotations

import math
from dataclasses import replace
from itertools import repeat
from typing import TYPE_CHECKING

import numpy as np
import torch

from studio.data.planar.target import PlaneTarget
from studio.evaluation.arrival_words import tilted_most
from studio.evaluation.evaluation import LEAST_SAMPLES, TiltedData, evaluate
from studio.models.conditional import Conditional
from studio.perturb.arrays import Floats
from studio.perturb.perturbation import Perturbation
from studio.perturb.terms import FormulaTerm, checked_energy
from studio.perturb.umbrella import Umbrella, predicted_gain
from studio.progress import Progress
from studio.sampling.base import Look, Tilted, TiltedSampler
from studio.sampling.chains import Chained, Chains
from studio.sampling.choice import Method, choose, needing_no_draws
from studio.sampling.conditioning import Conditioning
from studio.sampling.pool import PIECE, Pool
from studio.sampling.rejection import Rejection
from studio.sampling.resampling import Resampling
from studio.sampling.steering import Denoises, Steering
from studio.sampling.tilt import Drawn, Tilt
from studio.training.analysis.measured_samples import MeasuredImages, target_on_plane
from studio.training.analysis.sample_features import SampleFeatures, each_class
from studio.training.analysis.trained_model import TrainedModel
from studio.training.engine.memory import telling_of_shortage
from studio.training.engine.samples import SMALLER_MODEL, draw_parts

if TYPE_CHECKING:
    from studio.evaluation.judge import Judge


_REMARKED = 500
"""Samples that are judged for a remark."""


class AtOnce:
    """One model, with draws that are kept from one target to the next; to be used by one thread at a time.

    Args:
        trained: is asked.
        progress: features of the data may have to be measured.
        seed: of all chance.

    Raises:
        UserError: the data lack what a term of the target asks for.
    """

    def __init__(self, trained: TrainedModel, progress: Progress, *, seed: int = 0) -> None:
        self.trained, self._seed = trained, seed
        model, examples = trained.model, trained.examples
        self._features = SampleFeatures(examples, trained.judges)
        self._measuring: Judge | None = None
        device = next(model.parameters()).device
        rng = torch.Generator(device).manual_seed(seed)
        self._parts = draw_parts(model, repeat(PIECE), rng, examples.scale)
        self._pool = Pool(
            self._draw,
            prior=examples.counts / len(examples),
            meant=trained.shares(trained.target, progress),
            seed=seed,
            independent=model.independent_samples,
        )
        told = trained.shares(trained.applied, progress)
        self._samplers = _samplers(trained, self._features.look, device, told)

    def sample(
        self, wanted: Perturbation, count: int, progress: Progress | None = None, method: Method = Method.AUTO
    ) -> Tilted:
        """Samples of another target; the same of two calls, as far as the targets agree.

        Args:
            wanted: ΔH₁, of the same classes.
            count: how many, at least 1.
            method: AUTO for the one that is predicted to cost least.
            progress: a judge of the data set may have to be trained first.

        Raises:
            UserError: an energy cannot be had of what is generated, or the method cannot; says what to do.
            Cancelled: the person cancelled; draws stay for the next call.
        """
        progress = progress or Progress()
        tilt = self._tilt(wanted, progress)
        chosen = needing_no_draws(method, self._samplers, self._pool, tilt)
        if chosen is None:
            self._features.bring_judge(progress)
            chosen = choose(method, self._samplers, self._pool, tilt, count, progress)
        found = chosen.sampler.sample(self._pool, tilt, count, np.random.default_rng(self._seed), progress)
        return replace(found, why=chosen.why)

    def untilted_mean(self, formula: str, count: int, progress: Progress | None = None) -> Umbrella:
        """⟨f⟩ without any tilt, from draws of the model as it is, by e^{+ΔH}.

        Args:
            formula: f over features, ``label`` and ``log_odds``, such as ``label == 2``.
            count: draws, at least 1.

        Raises:
            UserError: f or ΔH cannot be had of what is generated.
            Cancelled: the person cancelled.
        """
        progress = progress or Progress()
        tilt = self._tilt(Perturbation.zero(len(self.trained.target.offsets)), progress)
        self._features.bring_judge(progress)
        self._pool.prepare(count, progress)
        # As the model is, with what it misses of its target: nothing is made up for.
        own = replace(self._pool.own, meant=self._pool.own.shares)
        observable, logs, seen = [], [], 0
        for drawn, _ in self._pool.blocks():
            parts = tilt.log_parts(drawn, own)
            term = FormulaTerm(text=formula)
            weights = np.exp(parts - parts.max(1, keepdims=True))
            observable.append((weights * each_class(drawn, term)).sum(1) / weights.sum(1))
            logs.append(np.log(weights.sum(1)) + parts.max(1))
            seen += len(drawn)
            progress.report("Weighing draws back", min(1.0, seen / count))
            if seen >= count:
                break
        return Umbrella.of(np.concatenate(observable)[:count], np.concatenate(logs)[:count])

    def predicted_gain(self, formula: str, progress: Progress | None = None) -> float:
        """How many draws of an untilted model one of this model should be worth for ⟨f⟩, by the data.

        Raises:
            UserError: f or ΔH cannot be had of the data.
        """
        term = FormulaTerm(text=formula)
        trained, progress = self.trained, progress or Progress()
        trained.measured.prepare(term.names, progress)
        energy = -trained.log_weights(trained.target, progress)
        return predicted_gain(checked_energy(term, trained.measured), energy)

    def measure(self, samples: Tilted, wanted: Perturbation, progress: Progress, *, by: str = "") -> MeasuredImages:
        """Compare images with the target that was asked for, by judges who took no part in weighing.

        Args:
            by: name of the judge; empty for that of the data set, without the one of it who weighed.

        Raises:
            UserError: the data have no judge.
        """
        others = self.trained.judges.judge(by, progress) if by else self._others(progress)
        images = np.asarray(samples.alike(np.random.default_rng(self._seed)).values, np.uint8)
        judgement = others.judge(images, progress)
        target = TiltedData.of(others, self.trained.log_weights(wanted, progress), len(images))
        own = dict(zip(self.trained.examples.class_names, wanted.class_energies.tolist(), strict=True))
        energies = [own.get(name, 0.0) for name in others.class_names]
        return MeasuredImages(
            asked=tilted_most(target.data[:-1], target.shares[:-1], energies),
            evaluation=evaluate(others, target, images, judgement),
            agreement=math.nan
            if self._features.judge is None or self._features.judge.class_names != others.class_names
            else float((self._features.judge.weigh(images).argmax(1) == judgement.likeliest).mean()),
        )

    def remarked(self, made: Tilted, wanted: Perturbation, progress: Progress) -> Tilted:
        """The same samples with a remark on what judges who did not weigh find in some of them, if there are any."""
        some = made.alike(np.random.default_rng(self._seed))
        some = replace(some, values=some.values[:_REMARKED])
        if self.trained.examples.plane is not None or not self.trained.examples.labelled or len(some) < LEAST_SAMPLES:
            return made
        return replace(made, remarks=(*made.remarks, self.measure(some, wanted, progress).remark))

    def _others(self, progress: Progress) -> Judge:
        """The judges of the data set without the one who weighs, who look at what was held out from them but once."""
        self._features.bring_judge(progress)
        if self._measuring is None:
            self._measuring = self.trained.judges.judge("", progress).without_weigher()
        return self._measuring

    def on_plane(self, wanted: Perturbation, progress: Progress) -> PlaneTarget:
        """The target that points are to follow, exactly; raises UserError if it is not known off the data."""
        self.trained.measured.prepare(wanted.energy.names, progress)
        return target_on_plane(self.trained.examples, self.trained.measured, wanted)

    def _tilt(self, wanted: Perturbation, progress: Progress) -> Tilt:
        middles = (self._middle(self.trained.target, progress), self._middle(wanted, progress))
        return Tilt.between(self.trained.target, wanted, middles)

    def _middle(self, target: Perturbation, progress: Progress) -> float | None:
        if target.energy.clip is None:
            return None
        self.trained.measured.prepare(target.energy.names, progress)
        return float(np.median(target.example_energies(self.trained.measured).unclipped))

    def _draw(self, count: int) -> Drawn:
        """So many more, as the model makes them."""
        assert count == PIECE
        with telling_of_shortage(SMALLER_MODEL):
            values = next(self._parts)
        return self._features.look(values)


def _samplers(trained: TrainedModel, look: Look, device: torch.device, told: Floats) -> tuple[TiltedSampler, ...]:
    """Every method that this model allows; `told` are the shares of classes that it is told for its own target."""
    model, scale = trained.model, trained.examples.scale
    found: list[TiltedSampler] = [Rejection(), Resampling()]
    if isinstance(model, Conditional) and model.listens:
        worth = dict(zip(trained.examples.class_names, trained.worth, strict=True)) if trained.worth is not None else {}
        found.insert(0, Conditioning(model=model, scale=scale, device=device, told=told, worth=worth))
    elif isinstance(model, Denoises):
        found.append(Steering(model=model, shape=model.image_shape, scale=scale, look=look, device=device))
    if isinstance(model, Chained):
        found.append(Chains(model=model, scale=scale, look=look, device=device))
    return tuple(found)
