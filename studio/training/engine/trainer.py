"""One step after another: plan a batch, ask the model for its terms, reduce them, step the optimisers. No threads here.

Three random streams, so that none disturbs another: planning (NumPy), model (torch, on the device) and sampling.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import torch

from studio.data.example_set import ExampleSet
from studio.data.scale import Values
from studio.errors import UserError
from studio.models.base import Batch, GenerativeModel, at_rest
from studio.models.catalog import misfit
from studio.models.diagnostic import Diagnostic, Pictures
from studio.models.nets import has_convolutions
from studio.models.views import Probe
from studio.perturb.arrays import Floats
from studio.perturb.example_features import ExampleFeatures
from studio.perturb.hold import Hold
from studio.perturb.perturbation import Perturbation
from studio.perturb.planner import BatchPlan
from studio.training.config.planners import PLANNERS
from studio.training.config.run_config import HoldConfig, PerturbationConfig, RunConfig
from studio.training.engine.labels import Labels
from studio.training.engine.learner import Learner, StepReport
from studio.training.engine.samples import draw
from studio.training.engine.trainer_state import (
    Held,
    ResumeState,
    TrainerState,
    ensure_classes,
    set_noise,
    set_planning,
)
from studio.training.examples.examples import Examples, for_models, padded
from studio.training.examples.measured_set import measured_set, whole_log_weights
from studio.training.examples.split import kept_class_log_weights, kept_indices, kept_log_weights, split_off

_SAMPLING_STREAM = 0x5EED
"""Added to the run's seed for samples that are always of the same random numbers."""

_PROBED = 256
"""Real examples on which a model looks at itself."""


class Trainer:
    """A model, its optimisers, its average and its planner, on one data set.

    Args:
        data: the examples; kept as they are stored, images as uint8, on the device. Those that are held out are in
            `whole` alone, the others in `data` as well.
        device: torch device, such as ``"cpu"`` or ``"cuda:0"``.
        measured: of all of `data`, if some is measured already.

    Attributes:
        measured: what is known of every example, held-out ones included.
        perturbation: the target in force, as asked.
        held: what holding the shares has made of it.

    Raises:
        UserError: offsets, terms, batch size or model do not fit the data.
    """

    def __init__(
        self, config: RunConfig, data: ExampleSet, *, device: str = "cpu", measured: ExampleFeatures | None = None
    ) -> None:
        error = misfit(config.model, planar=data.plane is not None)
        if error is not None:
            raise error
        self.config = config
        self.whole = data
        self.measured = measured_set(data) if measured is None else measured
        self._kept = kept_indices(data, config.held_out, config.seed)
        self.data, held_out = split_off(data, self._kept)
        self.device = torch.device(device)
        self.skipped = 0
        self.perturbation = config.perturbation.resolve(data.class_names)
        self.held = Held(hold=Hold.at_rest(len(data.class_names)))
        self._planning = np.random.default_rng(config.seed)
        self._planner = PLANNERS[config.batch.planner](
            self._log_weights(self.perturbation),
            config.batch.average_size,
            self._planning,
            labels=self.data.labels,
            revision=self.perturbation.revision,
        )
        self._rng = torch.Generator(self.device).manual_seed(config.seed)
        self._learner = Learner(config, self.data.image_shape, len(data.class_names), self.device, self._rng)
        self.model, self.average = self._learner.model, self._learner.average
        self._examples = Examples(self.data, self.device)
        self._pads = has_convolutions(self.model)
        self._labels = Labels(self.data, data, config, self.model, self.device)
        self._labels.tell(self.log_weights, self._labels.weigh(self.perturbation.energy))
        self._held_out = for_models(data.rows(held_out[:_PROBED]), data.scale, self.device)
        self._held_out_labels = data.labels[held_out[:_PROBED]]

    @property
    def step_count(self) -> int:
        return self._learner.step_count

    @property
    def autocast(self) -> torch.autocast:
        """Under which losses are computed."""
        return self._learner.autocast

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a person should know of the columns that the target asks for, a sentence each."""
        return self.measured.remarks(self.perturbation.energy.names)

    @property
    def epoch(self) -> float:
        """Examples trained on over examples in the data set."""
        return self._planner.epoch

    @property
    def examples(self) -> int:
        return self._planner.examples_planned

    @property
    def parameter_count(self) -> int:
        """Trained numbers of the model."""
        return sum(parameter.numel() for parameter in self.model.parameters())

    def step(self, network: str = "") -> StepReport:
        """Train on the next batch: one network alone, or whatever is due."""
        plan = self._planner.next()
        self.skipped += plan.skipped
        batch, size = self._labels.beside(self.read(plan), plan.average_size)
        return StepReport(plan=plan, scalars=self._learner.step(batch, size, network))

    def read(self, plan: BatchPlan) -> Batch:
        """The planned examples with their weights, on the device."""
        indices, weights = padded(plan.indices, plan.weights) if self._pads else (plan.indices, plan.weights)
        weighed = torch.from_numpy(weights).to(self.device, torch.float32)
        images, labels = self._examples.read(indices), self._labels.of(indices)
        return Batch(images=images, weights=weighed, step=self.step_count, labels=labels)

    def set_learning_rate(self, network: str, rate: float) -> None:
        self._learner.optimisers[network].set_learning_rate(rate)
        self._note_rates()

    def _note_rates(self) -> None:
        model = self.config.model.with_learning_rates(self._learner.rates)
        self.config = self.config.model_copy(update={"model": model})

    def set_batch_size(self, average_size: float) -> None:
        """Plan batches of this B_avg from the next step on; the planner keeps its place and its error. Raises UserError
        if no batch of that size can be planned; the old size stays.
        """
        batch = self.config.batch.with_value("average_size", average_size)
        before, self._planner.average_size = self._planner.average_size, average_size
        try:
            self.retarget(self.perturbation)
        except UserError:
            self._planner.average_size = before
            raise
        self.config = self.config.model_copy(update={"batch": batch})

    def state(self) -> TrainerState:
        """A copy of what training has made so far."""
        return self._learner.state(self.held)

    def restore(self, state: TrainerState, taken: Mapping[str, int] | None = None) -> None:
        """Go back to a state. Target and learning rates stay as they are now, and batches and random numbers go on from
        here, so that what went wrong is not repeated to the letter; what is corrected is what was corrected then.

        `taken` are the steps that each network's optimiser had taken, where that is known.
        """
        self._learner.restore(state, self._learner.rates, taken or self._learner.taken)
        self.correct(self._held_now(state.held))
        self._labels.tell_shares(self.log_weights)

    def _held_now(self, held: Held) -> Held:
        """Where holding stands if it stood there: what it saw of another target counts no more; at rest if it
        is off.
        """
        if not self.config.hold.on:
            rest = Hold.at_rest(len(self.data.class_names))
            return held.moved(self.step_count, rest) if held.hold != rest else held
        same = held.revision == self.perturbation.revision
        return held if same else replace(held, hold=held.hold.anew())

    def resume_state(self) -> ResumeState:
        """A copy of what the next steps depend on besides `state`."""
        return ResumeState(
            skipped=self.skipped,
            perturbation=self.perturbation,
            planner=self._planner.state(),
            planning=self._planning.bit_generator.state,
            noise=self._rng.get_state(),
            rates=self._learner.rates,
            taken=self._learner.taken,
        )

    def load_checkpoint(self, state: TrainerState, resume_state: ResumeState) -> None:
        """Be what another trainer of this configuration and these data was, to the last bit. Raises UserError if the
        state belongs to another model, or to other data; this trainer is then of no more use.
        """
        self._learner.ensure_fits(state, resume_state.rates, resume_state.taken)
        ensure_classes(len(self.data.class_names), resume_state.perturbation, state.held)
        self._learner.restore(state, resume_state.rates, resume_state.taken)
        self._note_rates()
        self._aim(resume_state.perturbation, state.held)
        set_planning(self._planner, self._planning, resume_state)
        set_noise(self._rng, resume_state.noise)
        self.skipped = resume_state.skipped

    @property
    def networks(self) -> tuple[str, ...]:
        return tuple(self._learner.optimisers)

    def diagnose(self) -> tuple[Diagnostic, ...]:
        """What the model shows of its inner life, on examples chosen once."""
        step = max(1, len(self.data) // _PROBED)
        seen = slice(0, step * _PROBED, step)
        probe = Probe(
            seen=self._examples.read(seen),
            held_out=self._held_out,
            seen_labels=self._labels.known(self.data.labels[seen]),
            held_out_labels=self._labels.known(self._held_out_labels),
        )
        rng = torch.Generator(self.device).manual_seed(self.config.seed)
        with at_rest(self.model), torch.no_grad():
            found = self.model.views.diagnostics(probe, rng)
        # What a model draws of points are no pictures; the plane itself shows more.
        return tuple(each for each in found if self.data.scale.whole or not isinstance(each, Pictures))

    def retarget(self, perturbation: Perturbation) -> None:
        """Train towards another target from the next step on; the planner keeps its place and its error.

        What is corrected stays, and looks begin anew. Raises UserError if a term does not fit the data, or no
        batch can be planned for it; the old target stays.
        """
        same = replace(perturbation, revision=self.perturbation.revision) == self.perturbation
        self._aim(perturbation, self.held if same else replace(self.held, hold=self.held.hold.anew()))

    def hold(self, config: HoldConfig) -> None:
        """Hold the shares from the next step on, or no longer; errors as `retarget`."""
        self.config = self.config.model_copy(update={"hold": config})
        self.correct(self._held_now(self.held))

    def correct(self, held: Held) -> None:
        """Weight by what holding makes of the target from the next step on; raises UserError as `retarget`."""
        if held.hold == self.held.hold:
            self.held = held
        else:
            self._aim(self.perturbation, held)

    def _aim(self, perturbation: Perturbation, held: Held) -> None:
        log_weights = self._log_weights(held.hold.applied(perturbation))
        unlabelled = self._labels.weigh(perturbation.energy)
        self._planner.retarget(log_weights, perturbation.revision)
        self._labels.tell(log_weights, unlabelled)
        self.perturbation, self.held = perturbation, replace(held, revision=perturbation.revision)
        target = PerturbationConfig.of(perturbation, self.data.class_names)
        self.config = self.config.model_copy(update={"perturbation": target})

    @property
    def applied(self) -> Perturbation:
        """The target that examples are weighted by: the one asked for, with what holding corrects."""
        return self.held.hold.applied(self.perturbation)

    @property
    def log_weights(self) -> Floats:
        """log w of the examples that are trained on, as they are weighted now, shape (Ñ,)."""
        return self._log_weights(self.applied)

    def _log_weights(self, perturbation: Perturbation) -> Floats:
        """log w of the examples that are trained on, shape (Ñ,)."""
        if perturbation.by_example:
            return kept_log_weights(whole_log_weights(perturbation, self.measured), self.measured.labels, self._kept)
        by_class = perturbation.class_log_weights(self.whole.counts)
        return kept_class_log_weights(by_class, self.whole.counts, self.data.counts)[self.data.labels]

    def shown(self, *, averaged: bool) -> GenerativeModel:
        """The model to draw samples from: with the averaged weights, or as it is."""
        return self.average.model if averaged else self.model

    @torch.no_grad()
    def sample(self, count: int, *, averaged: bool = True, seed: int | None = None) -> Values:
        """Generated examples as the data set stores them, shape (count, H, W, C), by the averaged weights or as they
        are.

        The seed is that of the random numbers; the run's own if absent, so that they are the same throughout.
        """
        stream = self.config.seed + _SAMPLING_STREAM if seed is None else seed
        rng = torch.Generator(self.device).manual_seed(stream)
        return draw(self.shown(averaged=averaged), count, rng, self.data.scale)
