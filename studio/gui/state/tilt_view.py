"""The target as panels show it: what is asked for, what it costs, and what is generated beside it. No Qt."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from studio.errors import UserError
from studio.evaluation.arrival import Answer, Arrival, Sighting, arrival, arrival_at_once, since_edit
from studio.evaluation.arrival_words import tilted_most
from studio.gui.state.dataset_view import DatasetView
from studio.perturb.arrays import Floats
from studio.perturb.diagnostics import Strength, TiltSummary, summarise, summarise_examples
from studio.perturb.energy import ExampleEnergies
from studio.perturb.perturbation import Perturbation
from studio.training.config.cautions import outweighing
from studio.training.config.recipes import Recipe, better_recipe
from studio.training.config.run_config import RunConfig
from studio.training.messages.events import Evaluated


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Generated:
    """What a judge made of the samples of one step.

    Attributes:
        shares, low, high: of the recognisable samples per class, and the 95 % interval, shape (K,).
        step: training steps taken when the samples were drawn.
        revision: of the target that was in force then.
        seen: this evaluation and the last ones before it, the oldest first.
        note: whose they are where they do not answer the target beside them, such as "of step 9,140, of the target
            before"; empty where they do.
        at_once: they were sampled for this target without training.
    """

    shares: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    step: int
    revision: int
    seen: tuple[Sighting, ...] = ()
    note: str = ""
    at_once: bool = False

    @classmethod
    def at_once_of(cls, seen: Sighting) -> Generated:
        """Those of samples that were made for a target at once, by the weights of a step."""
        return cls(
            shares=seen.share, low=seen.low, high=seen.high, step=seen.step, revision=0, seen=(seen,), at_once=True
        )

    @classmethod
    def of(cls, evaluated: Evaluated, note: str, seen: tuple[Sighting, ...] = ()) -> Generated:
        """The shares of an evaluation; "unsure" is no class."""
        shares = evaluated.evaluation.shares
        return cls(
            shares=shares.corrected[:-1],
            low=shares.low[:-1],
            high=shares.high[:-1],
            step=evaluated.step,
            revision=evaluated.revision,
            seen=seen,
            note=note,
        )

    @property
    def untold(self) -> frozenset[int]:
        """Classes of which the judge cannot say anything by themselves."""
        return self.seen[-1].untold if self.seen else frozenset()

    @property
    def told_shares(self) -> Floats:
        """Shares, 0 where the judge cannot say anything."""
        return np.where(np.isin(np.arange(len(self.shares)), list(self.untold)), 0.0, self.shares)

    @property
    def judge(self) -> str:
        """Name of the data whose judge saw them, where they are not the run's own; else empty."""
        return self.seen[-1].judge if self.seen else ""

    @property
    def stale(self) -> bool:
        """Whether they are another's, or of another target, than what is shown beside them."""
        return bool(self.note)


@dataclass(frozen=True, slots=True, kw_only=True)
class TiltView:
    """The target as edited, and what it costs.

    Attributes:
        summary: target shares, weights, ESS/n, expected examples a batch, verdict.
        reason: the verdict in words, with its numbers, and why examples that outweigh a batch are learned too little.
        outweighed: whether they are.
        pending: a run is under way and has not yet taken this target up.
        refused: it cannot, and keeps the one before.
        hint: why it cannot be edited, as it is that of a run from disk; empty if it can.
        locked: classes that keep their share while others are edited.
        generated: shares of what the model generates, and whose they are; None where none are known of these data.
        point_error: total variation of the shares of generated points, by their exact density; NaN where not known.
        energies: ΔH of every example; None where it depends on the class alone, or is not known yet.
        uncounted: terms are left out of what is shown, for they are being measured, or cannot be had.
        fault: why they cannot be; None if they can.
        applied: the target that examples are weighted by, where shares are held; else None.
        recipe: how it is reached sooner than as it is set up; None if it is not known, or too late.
    """

    perturbation: Perturbation
    dataset: DatasetView
    summary: TiltSummary
    reason: str
    outweighed: bool = False
    pending: bool = False
    refused: bool = False
    hint: str = ""
    locked: frozenset[int] = frozenset()
    generated: Generated | None = None
    point_error: float = math.nan
    energies: ExampleEnergies | None = None
    uncounted: bool = False
    fault: UserError | None = None
    applied: TiltView | None = None
    recipe: Recipe | None = None

    @classmethod
    def of(
        cls,
        perturbation: Perturbation,
        dataset: DatasetView,
        config: RunConfig,
        *,
        pending: bool,
        energies: ExampleEnergies | None = None,
        fault: UserError | None = None,
    ) -> TiltView:
        """Judge a target over a data set, trained as set up; without the energies of its examples, by its class offsets
        alone.
        """
        average_size, uncounted = config.batch.average_size, energies is None and perturbation.by_example
        if energies is not None:
            summary = summarise_examples(perturbation, energies, dataset.labels, average_size)
        else:
            perturbation = replace(perturbation, energy=replace(perturbation.energy, terms=(), clip=None))
            summary = summarise(perturbation, dataset.counts, average_size)
        overweight = outweighing(summary, config)
        return cls(
            perturbation=perturbation,
            dataset=dataset,
            summary=summary,
            reason=f"{summary.reason} {overweight}" if overweight is not None else summary.reason,
            outweighed=overweight is not None,
            pending=pending,
            energies=energies,
            uncounted=uncounted,
            fault=fault,
            recipe=better_recipe(summary, config),
        )

    @property
    def why_uncounted(self) -> str:
        """Why terms are left out of what is shown, in a sentence; empty if none are."""
        if not self.uncounted:
            return ""
        return "Its terms are being measured." if self.fault is None else f"{self.fault.title}."

    @property
    def fixed(self) -> bool:
        return bool(self.hint)

    def has_target_of(self, other: TiltView) -> bool:
        """Whether both are of the same target over the same examples, whatever else has changed."""
        same_data = self.dataset is other.dataset and self.energies is other.energies
        same = self.perturbation == other.perturbation
        return same_data and same and self.trained.perturbation == other.trained.perturbation

    @property
    def trained(self) -> TiltView:
        """What weights are of: the target itself, or what holding makes of it."""
        return self.applied or self

    @property
    def tilted_most(self) -> int:
        """The class that the answer is of."""
        energies = self.perturbation.class_energies.tolist()
        return tilted_most(self.dataset.shares, self.summary.target, energies)

    def arrival(self, index: int) -> Arrival:
        """Where the share of a class is on its way; unknown where there is no tilt, for then nothing is to arrive."""
        once = self.seen and self.generated is not None and self.generated.at_once
        found = arrival_at_once(self.seen[-1], index) if once else arrival(since_edit(self.seen), index)
        moot = self.summary.strength is Strength.NONE and found.answer is not Answer.UNTOLD
        return Arrival(answer=Answer.UNKNOWN) if moot else found

    @property
    def seen(self) -> tuple[Sighting, ...]:
        """Evaluations that answer this target, the oldest first."""
        return self.generated.seen if self.generated is not None and not self.generated.stale else ()

    @property
    def example_energies(self) -> NDArray[np.float64]:
        """ΔH of every example, shape (N,)."""
        if self.energies is not None:
            return self.energies.energy
        return self.perturbation.class_energies[self.dataset.labels]

    @property
    def weight_groups(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """log w and number of examples: per class, or per example where examples of a class differ."""
        counts = self.dataset.counts
        if self.energies is None:
            present = counts > 0
            return self.perturbation.class_log_weights(counts)[present], counts[present].astype(np.float64)
        logs = self.perturbation.example_log_weights(self.dataset.labels, counts, self.energies)
        return logs, np.ones(len(logs))
