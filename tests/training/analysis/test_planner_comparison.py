"""The comparison of planners: against closed forms, without a trace in training, and as a command of a run."""

from collections.abc import Sequence
from math import comb

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from studio.models.base import Batch, GenerativeModel, LossTerms, Phase
from studio.perturb.planner import BatchPlan
from studio.training.analysis.planner_comparison import ComparisonSpec, GradientProbe, PlannerComparison, weight_groups
from studio.training.config.planners import PlannerKind
from studio.training.engine.trainer import Trainer
from studio.training.messages.commands import CancelComparison, ComparePlanners, Pause, Stop
from studio.training.messages.events import ComparingPlanners, Noticed, Outcome, PlannersCompared
from studio.training.messages.planner_report import PlannerReport, PlannerRow
from tests.training.conftest import KINDS, FakeTime, steps, tiny_config, tiny_images
from tests.training.played import Played, Script, target

AVERAGE, COUNT, DIMENSIONS = 8, 4000, 6


class Mean(GenerativeModel):
    """data_j = ½|x_j − θ|² at θ = 0, so that an example's gradient is −x_j."""

    def __init__(self) -> None:
        super().__init__((1, 1, DIMENSIONS))
        self.place = nn.Linear(DIMENSIONS, 1, bias=False)
        nn.init.zeros_(self.place.weight)

    def phases(self) -> Sequence[Phase]:
        return Phase(network="nothing"), Phase(network="place")

    def losses(self, phase: Phase, batch: Batch, rng: torch.Generator) -> LossTerms:
        if phase.network == "nothing":
            return LossTerms(model=torch.zeros(()))
        return LossTerms(data=(batch.images.flatten(1) - self.place.weight).square().sum(1) / 2)

    def sample(self, count: int, rng: torch.Generator) -> Tensor:
        raise NotImplementedError


class Case:
    """Vectors of three classes with means of their own, tilted by class and by example."""

    def __init__(self, within: float) -> None:
        rng = np.random.default_rng(0)
        self.labels = np.sort(rng.choice(3, COUNT, p=[0.5, 0.4, 0.1])).astype(np.int64)
        self.vectors = 0.3 * rng.normal(size=(COUNT, DIMENSIONS)) + 2 * np.eye(3, DIMENSIONS)[self.labels]
        logs = np.array([0.0, 0.0, 2.5])[self.labels] + within * rng.normal(size=COUNT)
        self.logs = logs - np.log(np.exp(logs).mean())
        self.weights = np.exp(self.logs)
        self.mean = self.weights @ self.vectors / COUNT

    def report(self, *, labelled: bool = True) -> PlannerReport:
        images = torch.from_numpy(self.vectors).float().reshape(COUNT, 1, 1, DIMENSIONS)

        def read(plan: BatchPlan) -> Batch:
            return Batch(images=images[plan.indices], weights=torch.from_numpy(plan.weights).float(), step=0)

        question = ComparisonSpec(
            log_weights=self.logs,
            labels=self.labels if labelled else np.zeros_like(self.labels),
            current=PlannerKind.FIXED_SIZE,
            average_size=AVERAGE,
            step=7,
            revision=3,
            seed=1,
            seconds=1e6,
            most=700,
        )
        comparison = PlannerComparison(GradientProbe(Mean(), read, torch.Generator()), question)
        while comparison.advance():
            assert 0 <= comparison.fraction <= 1
        assert comparison.report is not None
        return comparison.report

    def second_moment(self, power: int) -> float:
        """⟨w^power·|g|²⟩."""
        return float(np.mean(self.weights**power * (self.vectors**2).sum(1)))

    def between_classes(self) -> float:
        """Σ_c p′_c·|ḡ_c|²."""
        total = 0.0
        for label in range(3):
            weights = self.weights * (self.labels == label)
            total += float(weights.mean() * ((weights @ self.vectors / weights.sum()) ** 2).sum())
        return total


@pytest.mark.slow
@pytest.mark.parametrize("within", [0.0, 0.7])
def test_that_variances_are_those_of_the_closed_forms(within: float) -> None:
    case = Case(within)
    report = case.report()
    square = float(case.mean @ case.mean)
    wanted = {
        PlannerKind.FIXED_SIZE: (case.second_moment(2) - square) / AVERAGE,
        PlannerKind.RESAMPLING: (case.second_moment(1) - square) / AVERAGE,
        # Whole places make a class's count vary by a fraction of one, which adds a little to what is left in classes.
        PlannerKind.STRATIFIED: (case.second_moment(1) - case.between_classes()) / AVERAGE,
    }
    assert report.network == "place"
    assert report.squared_gradient == pytest.approx(square, rel=0.05)
    for kind, variance in wanted.items():
        row = report.row(kind)
        assert row.batches == 700
        rounding = 3 * 4 * 0.25 / AVERAGE**2 if kind is PlannerKind.STRATIFIED else 0.0
        assert row.trace == pytest.approx(variance + rounding / 2, abs=4 * row.trace_error + rounding), kind
    assert report.lowest.kind is PlannerKind.STRATIFIED
    assert report.advice.kind is PlannerKind.STRATIFIED
    assert f"{report.row(PlannerKind.FIXED_SIZE).trace / report.lowest.trace:.2g} times" in report.advice.reason


@pytest.mark.slow
@pytest.mark.parametrize("labelled", [True, False])
def test_that_only_a_batch_divided_by_its_own_weight_is_biased_and_by_as_much_as_enumeration_says(
    labelled: bool,
) -> None:
    case = Case(0.0)
    report = case.report(labelled=labelled)
    heavy, light = case.weights[-1], case.weights[0]
    share = float(np.mean(case.labels == 2))
    # m = ⟨Σ_heavy w/Σw⟩ over the number k of heavy examples in a batch, binomial as the set is large.
    numbers = np.arange(AVERAGE + 1)
    chances = np.array([comb(AVERAGE, k) * share**k * (1 - share) ** (AVERAGE - k) for k in numbers.tolist()])
    carried = float(chances @ (numbers * heavy / (numbers * heavy + (AVERAGE - numbers) * light)))
    others = case.labels < 2
    off = carried - share * heavy
    direction = case.vectors[~others].mean(0) - case.vectors[others].mean(0)
    wanted = abs(off) * np.linalg.norm(direction) / np.linalg.norm(case.mean)
    assert off < -0.05
    own = report.row(None)
    assert own.bias == pytest.approx(wanted, rel=0.05, abs=2 * own.bias_error)
    assert not own.unbiased
    assert f"{100 * own.bias:.2g} %" in report.on_carry
    for kind in PlannerKind:
        assert report.row(kind).bias <= 3 * report.row(kind).bias_error + 1e-9 < 0.05


@pytest.mark.parametrize("within", [0.0, 1.0])
def test_that_weights_are_alike_in_a_group_of_one_class(within: float) -> None:
    case = Case(within)
    groups = weight_groups(case.labels, case.logs)
    assert groups.max() + 1 == len(np.unique(groups)) == (3 if not within else len(np.unique(groups))) <= 60
    for group in range(groups.max() + 1):
        members = groups == group
        assert len(np.unique(case.labels[members])) == 1
        assert np.ptp(case.logs[members]) <= np.ptp(case.logs) / 15
    alone = weight_groups(np.zeros(3, np.int64), np.array([0.0, -800.0, -0.1]))
    assert alone[0] != alone[1]


# -- without a trace in training


@pytest.mark.parametrize("kind", KINDS)
def test_that_training_goes_on_as_if_nobody_had_asked(kind: str) -> None:
    config = tiny_config(kind, perturbation={"offsets": {"cat": -2.0}})
    asked, unasked = (Trainer(config, tiny_images()) for _ in range(2))
    for trainer in (asked, unasked):
        for _ in range(2):
            trainer.step()
    before = torch.get_rng_state()
    comparison = PlannerComparison.of(asked, 0.001)
    while comparison.advance():
        pass
    assert torch.equal(torch.get_rng_state(), before)
    assert len(comparison.report.rows) == len(PlannerKind) + 1
    for _ in range(3):
        mine, theirs = asked.step(), unasked.step()
        assert np.array_equal(mine.plan.indices, theirs.plan.indices)
        assert mine.values() == theirs.values()
    states = asked.state(), unasked.state()
    assert all(torch.equal(states[0].model[name], states[1].model[name]) for name in states[0].model)


# -- as a command


def test_that_a_run_answers_with_progress_and_a_report_and_takes_no_step_meanwhile(clock: FakeTime) -> None:
    run = Played(tiny_config(perturbation={"offsets": {"cat": -2.0}}))

    def script() -> Script:
        yield from steps(3)
        yield [ComparePlanners(seconds=0.001), target(0.0, 0.0, 0.0, revision=4)]
        while not run.all_of(PlannersCompared):
            assert run.trainer.step_count == 3
            clock.now += 1
            yield []
        assert run.loop.seconds <= 1  # until the first piece; the others count as no training
        clock.now += 5
        yield []
        assert run.loop.seconds >= 5
        assert run.trainer.step_count == 4
        yield [Stop()]

    assert run.run(script()) is Outcome.STOPPED
    (answer,) = run.all_of(PlannersCompared)
    assert (answer.report.step, answer.report.revision, answer.report.network) == (3, 0, "autoencoder")
    fractions = [event.fraction for event in run.all_of(ComparingPlanners)]
    assert fractions == sorted(fractions)
    assert fractions[0] == 0


def test_that_a_run_that_is_paused_answers_too_and_stays_paused() -> None:
    run = Played()

    def script() -> Script:
        yield from steps(2)
        yield [Pause(), ComparePlanners(seconds=0.001)]
        while not run.all_of(PlannersCompared):
            yield []
        yield []
        assert run.trainer.step_count == 2
        yield [Stop()]

    run.run(script())
    assert run.all_of(PlannersCompared)[0].report is not None


def test_that_it_can_be_called_off_and_a_stop_does_not_wait_for_it() -> None:
    run = Played()

    def script() -> Script:
        yield [ComparePlanners(seconds=1000)]
        yield []
        yield [CancelComparison()]
        assert run.all_of(PlannersCompared) == [PlannersCompared(step=0, report=None)]
        yield [CancelComparison(), ComparePlanners(seconds=1000)]
        yield []
        yield [Stop()]

    assert run.run(script()) is Outcome.STOPPED
    assert len(run.all_of(PlannersCompared)) == 1


def test_that_a_full_memory_calls_it_off_and_the_run_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    run = Played()

    def full(*_: object) -> None:
        raise MemoryError("out of memory")

    monkeypatch.setattr(GradientProbe, "gradient", full)

    def script() -> Script:
        yield [ComparePlanners(seconds=1)]
        while not run.all_of(PlannersCompared):
            yield []
        yield from steps(2)
        yield [Stop()]

    assert run.run(script()) is Outcome.STOPPED
    assert [event.error.title for event in run.all_of(Noticed)] == ["There is not enough memory"]
    assert run.trainer.step_count >= 2


# -- what follows from it


def made_up(current: PlannerKind, **traces: float) -> PlannerReport:
    rows = [
        PlannerRow(kind=kind, trace=traces.get(kind.value, 10.0), trace_error=0.5, bias=0, bias_error=0.01, batches=40)
        for kind in PlannerKind
    ]
    own = PlannerRow(kind=None, trace=3.0, trace_error=0.5, bias=0.005, bias_error=0.01, batches=40)
    return PlannerReport(
        step=1,
        revision=0,
        network="critic",
        current=current,
        average_size=32,
        squared_gradient=2.0,
        rows=(*rows, own),
        seconds=1.0,
    )


def test_that_the_current_planner_is_kept_unless_another_is_clearly_better() -> None:
    assert made_up(PlannerKind.RESAMPLING, resampling=1.5, stratified=1.2).advice.kind is PlannerKind.RESAMPLING
    assert made_up(PlannerKind.STRATIFIED, stratified=1.2).advice.reason.startswith("Keep stratified")
    advice = made_up(PlannerKind.ERROR_CARRY, resampling=2.5, stratified=2.0).advice
    assert advice.kind is PlannerKind.STRATIFIED
    assert "5 times less variance than error carry" in advice.reason


def test_that_a_bias_within_chance_and_a_variance_within_noise_are_not_quoted() -> None:
    told = made_up(PlannerKind.ERROR_CARRY, error_carry=0.4, fixed_size=0.3).on_carry
    assert told == "Error carry removes the bias of small batches. It does not lower the variance."
