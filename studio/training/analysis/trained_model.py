"""A trained model with all that it was trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from studio.data.example_set import ExampleSet
from studio.models.base import GenerativeModel
from studio.models.conditional import Conditional
from studio.paths import default_data_root
from studio.perturb.arrays import Floats
from studio.perturb.diagnostics import examples_worth
from studio.perturb.example_features import ExampleFeatures
from studio.perturb.perturbation import Perturbation
from studio.progress import Progress
from studio.training.analysis.asked_target import AskedTarget
from studio.training.engine.labels import told_places
from studio.training.examples.judges import Judges
from studio.training.examples.measured_set import measured_set, whole_log_weights
from studio.training.storage.run import Run, restore_model

_LEAST_SHARE = 1e-300
"""Of a class that the data lack."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainedModel:
    """One model, which nobody changes.

    Attributes:
        model: in eval mode.
        worth: labelled examples that a model which is told classes learned each from, shape (K,), as `examples_worth`
            counts them; None where that is not known.
        step: of its weights.
        averaged: by the moving average of the weights, or else as they are.
        target: that its weights were trained towards; of a model that is told classes, with those that it is told.
        applied: what examples were weighted by: that, or what holding made of it.
        edited: what the run goes on towards, where that was edited since the last step.
        examples: its data set.
        judges: of that data set.
        measured: what is known of its examples.
    """

    model: GenerativeModel
    target: Perturbation
    applied: Perturbation
    examples: ExampleSet
    judges: Judges
    measured: ExampleFeatures
    edited: Perturbation | None = None
    worth: Floats | None = None
    step: int = 0
    averaged: bool = True

    @classmethod
    def of_run(
        cls,
        run: Run,
        data: Callable[[Progress], ExampleSet],
        progress: Progress,
        *,
        averaged: bool = True,
        data_root: Path | None = None,
    ) -> TrainedModel:
        """That of a run on disk, by the weights that it has.

        Args:
            data: loads the run's data set.
            data_root: folder of downloaded data sets, for judges of other ones; the person's own if absent.

        Raises:
            UserError: the run or its data set cannot be read, or does not fit the other.
        """
        model = restore_model(run, averaged=averaged)
        examples = data(progress)
        run.identity.ensure_data(examples)
        judges = Judges(examples, data_root or default_data_root())
        measured = measured_set(examples, judges)
        target, names = run.identity.perturbation(measured), measured.class_names
        applied, learned = run.identity.applied.resolve(names), run.identity.learned
        found = cls(
            model=model,
            target=target,
            applied=applied,
            examples=examples,
            judges=judges,
            measured=measured,
            step=run.weights_step or 0,
            averaged=averaged,
        )
        if isinstance(model, Conditional) and model.listens:
            weights = np.exp(found.log_weights(applied if learned is None else learned.resolve(names), progress))
            told = told_places(examples, run.config)
            worth = examples_worth(weights[told] / weights.mean(), examples.labels[told], len(names))
            found = replace(found, worth=worth)
        if learned is None:
            return found
        before = replace(found, target=learned.resolve(names), edited=target)
        if isinstance(model, Conditional) and model.listens:  # its classes follow an edit before any step
            return replace(
                before,
                target=before.with_classes_of(target, progress),
                applied=before.with_classes_of(applied, progress),
            )
        moved = np.add(before.target.offsets, np.subtract(applied.offsets, target.offsets))
        return replace(before, applied=replace(before.target, offsets=tuple(moved.tolist())))

    def with_classes_of(self, told: Perturbation, progress: Progress) -> Perturbation:
        """What was learned within classes, these as frequent as in the target that the model is told, as far as offsets
        can say so; errors as of `log_weights`.
        """
        energy, factor = self.target.energy, self.target.energy.offset_factor
        if told.energy == energy or not factor or energy.clip is not None:
            return replace(told, energy=energy)
        there, here = (np.maximum(self.shares(each, progress), _LEAST_SHARE) for each in (told, self.target))
        offsets = np.subtract(self.target.offsets, np.log(there / here) / factor)
        return replace(self.target, offsets=tuple(offsets.tolist()))

    def asked(self, asked: AskedTarget, progress: Progress) -> Perturbation:
        """The target that is asked for in words; raises UserError if there is none such."""
        return asked.of(self.edited or self.target, self.measured, progress)

    def shares(self, target: Perturbation, progress: Progress) -> Floats:
        """Of the classes in the weight of all examples, shape (K,); errors as of `log_weights`."""
        weights = np.exp(self.log_weights(target, progress))
        return np.asarray(np.bincount(self.examples.labels, weights, len(self.examples.counts)) / weights.sum())

    def log_weights(self, target: Perturbation, progress: Progress) -> Floats:
        """log w of every example, at most 0; raises UserError if the data lack what a term asks for."""
        self.measured.prepare(target.energy.names, progress)
        logs = whole_log_weights(target, self.measured)
        return np.asarray(logs - logs.max())
