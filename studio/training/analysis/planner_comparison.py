"""Measures, at the parameters as they are, how far a batch's gradient strays from its mean under each planner.

    tr Cov(g) = ⟨|g|²⟩ − |⟨g⟩|²,   |⟨g⟩|² = ḡ₁·ḡ₂ from two independent halves of the batches, so that it is not biased

The bias needs no such statistics. A planner can go wrong only in the mass m_k that its batches give to a group of
examples of one class and of about one weight, which thousands of plans tell without a gradient; then
⟨g⟩_planner − ⟨g⟩ = Σ_k (m_k − p′_k)·ḡ_k is one gradient, of examples of the target that carry the weights m_k/p′_k − 1.
Within a group all planners go by weight.

Planners, model and random streams are copies or of its own: training goes on as if nothing had been asked.
"""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from studio.models.base import Batch, GenerativeModel, Phase
from studio.models.reduce import weighted_loss
from studio.perturb.arrays import Indices
from studio.perturb.perturbation import Floats
from studio.perturb.planner import BatchPlan, Planner
from studio.training.config.planners import PLANNERS, PlannerKind
from studio.training.messages.planner_report import PlannerReport, PlannerRow

if TYPE_CHECKING:
    from studio.training.engine.trainer import Trainer


class GradientProbe:
    """Gradients of planned batches, which `read` reads, by a copy of a model, apart from training.

    `rng` is the stream of the model's own draws; losses are computed under `precision`, if any, as in training.
    """

    def __init__(
        self,
        model: GenerativeModel,
        read: Callable[[BatchPlan], Batch],
        rng: torch.Generator,
        precision: torch.autocast | None = None,
    ) -> None:
        self._model = copy.deepcopy(model).train()
        self._read = read
        self._rng = rng
        self._precision = precision or nullcontext()
        self._phase: Phase | None = None

    @property
    def network(self) -> str:
        """Whose gradient it is, once there was one: the first network that real examples train."""
        return self._phase.network if self._phase is not None else ""

    def gradient(self, plan: BatchPlan) -> Tensor:
        """Gradient of the weighted loss, flat, shape (parameters,)."""
        batch = self._read(plan)
        phases = self._model.phases() if self._phase is None else (self._phase,)
        for phase in phases:
            with self._precision:
                terms = self._model.losses(phase, batch, self._rng)
            if terms.data is not None:
                self._phase = phase
                break
        loss = weighted_loss(terms, batch.weights, plan.average_size)
        parameters = tuple(self._model.network_parameters(phase.network))
        return torch.cat([part.reshape(-1) for part in torch.autograd.grad(loss, parameters)])


_FEWEST, _MOST = 4, 1000  # batches of each planner
_FOR_MASS, _FOR_VARIANCE = 0.15, 0.7  # of the time, when they have to be done
_BIAS_BATCHES = 4  # at most, for each half of each planner's mass
_PLANNED = (50, 2000)  # batches for each half of a planner's mass
_SHARPEST = (PlannerKind.RESAMPLING, PlannerKind.STRATIFIED)
"""Planners whose batches tell the mean gradient: those with the least variance in general."""
_GROUPS = 60
"""Groups of examples, at most, whose mass is looked at, unless there are more classes than that."""
_RANGE = 10.0
"""Nats below the largest weight of a class within which groups are told apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ComparisonSpec:
    """What to compare.

    Attributes:
        log_weights: log w, shape (N,), normalised gauge.
        labels: class per example, shape (N,).
        current, average_size: the planner in use, and its B_avg.
        seconds: what it may take, about; with few batches it says less.
        most: batches of each planner at most.
    """

    log_weights: Floats
    labels: Indices
    current: PlannerKind
    average_size: float
    step: int
    revision: int
    seed: int
    seconds: float
    most: int = _MOST


def weight_groups(labels: Indices, log_weights: Floats) -> Indices:
    """Number of each example's group, shape (N,): its class, split by even steps of log w where weights differ."""
    parts = max(1, _GROUPS // (int(labels.max()) + 1))
    groups = np.zeros_like(labels)
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        below = np.minimum(log_weights[members].max() - log_weights[members], _RANGE)
        part = np.minimum(parts * below / max(float(below.max()), 1e-9), parts - 1).astype(np.int64)
        groups[members] = label * parts + part
    return np.unique(groups, return_inverse=True)[1].astype(np.int64)


class PlannerComparison:
    """Done piece by piece, a gradient at a time, so that whoever asked can see how far it is and call it off."""

    def __init__(self, probe: GradientProbe, question: ComparisonSpec) -> None:
        self._probe = probe
        self._question = question
        self._groups = weight_groups(question.labels, question.log_weights)
        self._began = time.perf_counter()
        self._squares: dict[PlannerKind | None, list[float]] = {}
        self._halves: list[tuple[Tensor | None, int]] = [(None, 0), (None, 0)]
        self._work = self._steps()
        self.fraction = 0.0
        self.report: PlannerReport | None = None

    @classmethod
    def of(cls, trainer: Trainer, seconds: float) -> PlannerComparison:
        """All planners at the parameters and target of a trainer, apart from its training, in about so many seconds."""
        config = trainer.config
        question = ComparisonSpec(
            log_weights=trainer.log_weights,
            labels=trainer.data.labels,
            current=config.batch.planner,
            average_size=config.batch.average_size,
            step=trainer.step_count,
            revision=trainer.perturbation.revision,
            seed=config.seed,
            seconds=seconds,
        )
        rng = torch.Generator(trainer.device).manual_seed(config.seed + trainer.step_count)
        return cls(GradientProbe(trainer.model, trainer.read, rng, trainer.autocast), question)

    def advance(self) -> bool:
        """Do one piece; whether there is more to do. Afterwards `report` holds the answer."""
        try:
            self.fraction = max(self.fraction, min(1.0, next(self._work)))
        except StopIteration:
            self.fraction = 1.0
        return self.report is None

    def _steps(self) -> Iterator[float]:
        kinds = tuple(PLANNERS)
        masses: dict[PlannerKind | None, list[Floats]] = {}
        for kind in kinds:
            masses |= self._masses(kind)
            yield 0.0
        begun = time.perf_counter()
        yield from self._measure({kind: self._planner(kind, 1) for kind in kinds})
        one = (time.perf_counter() - begun) / (len(kinds) * len(self._squares[None]))
        left = self._question.seconds - (time.perf_counter() - self._began)
        batches = int(np.clip(left / (2 * len(masses) * one), 1, _BIAS_BATCHES))
        rows = []
        for place, way in enumerate((*kinds, None)):
            done = _FOR_VARIANCE + (1 - _FOR_VARIANCE) * place / len(masses)
            biases = yield from self._bias_of(masses[way], batches, done)
            rows.append(self._row(way, biases))
        self.report = self._reported(tuple(rows))

    def _planner(self, kind: PlannerKind, stream: int) -> Planner:
        question = self._question
        rng = np.random.default_rng([question.seed, question.step, list(PLANNERS).index(kind), stream])
        return PLANNERS[kind](question.log_weights, question.average_size, rng, labels=question.labels)

    # -- variance

    def _measure(self, planners: dict[PlannerKind, Planner]) -> Iterator[float]:
        """|g|² of batch after batch, and the mean gradient in two halves."""
        for turn in range(max(_FEWEST, self._question.most)):
            spent = (time.perf_counter() - self._began) / self._question.seconds
            if turn >= _FEWEST and spent >= _FOR_VARIANCE:
                return
            for kind, planner in planners.items():
                self._take(kind, planner.next(), turn % 2)
                yield _FOR_VARIANCE * max(min(1.0, spent / _FOR_VARIANCE), turn / self._question.most)

    def _take(self, kind: PlannerKind, plan: BatchPlan, half: int) -> None:
        gradient = self._probe.gradient(plan)
        square = float(gradient @ gradient)
        self._squares.setdefault(kind, []).append(square)
        if kind is PlannerKind.FIXED_SIZE:
            own = plan.average_size / max(plan.adjusted_size, 1e-300)
            self._squares.setdefault(None, []).append(square * own**2)
        if kind in _SHARPEST:
            total, count = self._halves[half]
            self._halves[half] = (gradient if total is None else total.add_(gradient), count + 1)

    @property
    def _squared(self) -> float:
        """|⟨g⟩|², without bias."""
        (first, so_many), (second, as_many) = self._halves
        assert first is not None
        assert second is not None
        return float(first @ second) / (so_many * as_many)

    def _row(self, kind: PlannerKind | None, biases: tuple[Tensor, Tensor]) -> PlannerRow:
        squares, squared = np.array(self._squares[kind]), self._squared
        first, second = biases
        scale = max(squared, 1e-300) ** 0.5
        mean_square = squared
        if kind is None:  # a biased planner has another mean gradient: |⟨g⟩ + b|² in place of |⟨g⟩|²
            total = sum(float((first + second) @ half) for half, _ in self._halves if half is not None)
            mean_square += total / sum(count for _, count in self._halves) + float(first @ second)
        return PlannerRow(
            kind=kind,
            trace=max(0.0, float(squares.mean()) - mean_square),
            trace_error=float(squares.std(ddof=1)) / len(squares) ** 0.5,
            bias=max(0.0, float(first @ second)) ** 0.5 / scale,
            bias_error=float((first - second).norm()) / 2 / scale,
            batches=len(squares),
        )

    # -- bias

    def _masses(self, kind: PlannerKind) -> dict[PlannerKind | None, list[Floats]]:
        """m_k from two halves of many plans, shape (G,) each; at a fixed size also with each batch's own Σw."""
        question = self._question
        groups = int(self._groups.max()) + 1
        found: dict[PlannerKind | None, list[Floats]] = {kind: []}
        if kind is PlannerKind.FIXED_SIZE:
            found[None] = []
        for stream in (2, 3):
            until = time.perf_counter() + question.seconds * _FOR_MASS / (2 * len(PLANNERS))
            planner = self._planner(kind, stream)
            constant, own, batches, steps = np.zeros(groups), np.zeros(groups), 0, 0
            while batches < _PLANNED[0] or (batches < _PLANNED[1] and time.perf_counter() < until):
                batches += 1
                plan = planner.next()
                mass = np.bincount(self._groups[plan.indices], plan.weights, minlength=groups)
                steps += 1 + plan.skipped
                constant += mass / plan.average_size
                own += mass / max(float(mass.sum()), 1e-300)
            found[kind].append(constant / steps)
            if kind is PlannerKind.FIXED_SIZE:
                found[None].append(own / batches)
        return found

    def _bias_of(
        self, masses: list[Floats], batches: int, done: float
    ) -> Generator[float, None, tuple[Tensor, Tensor]]:
        """Σ_k (m_k − p′_k)·ḡ_k by each half of the plans, on examples of its own; yields progress, returns both."""
        weights = np.exp(self._question.log_weights)
        target = np.bincount(self._groups, weights) / weights.sum()
        planner = self._planner(PlannerKind.STRATIFIED, 4)
        means: list[Tensor] = []
        for mass in masses:
            excess = np.divide(mass - target, target, out=np.zeros_like(target), where=target > 0)
            total: Tensor | None = None
            for _ in range(batches):
                plan = planner.next()
                gradient = self._probe.gradient(replace(plan, weights=excess[self._groups[plan.indices]]))
                total = gradient if total is None else total.add_(gradient)
                yield done
            assert total is not None
            means.append(total / batches)
        return means[0], means[1]

    def _reported(self, rows: tuple[PlannerRow, ...]) -> PlannerReport:
        question = self._question
        return PlannerReport(
            step=question.step,
            revision=question.revision,
            network=self._probe.network,
            current=question.current,
            average_size=question.average_size,
            squared_gradient=self._squared,
            rows=rows,
            seconds=time.perf_counter() - self._began,
        )
