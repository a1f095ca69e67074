"""Evaluation beside training: it keeps its budget, answers on demand, and training takes no notice."""

import itertools
from collections.abc import Callable, Iterable, Iterator

import pytest
import torch

from studio.evaluation.judge import Judge
from studio.training.analysis.evaluator import CHUNK, EvaluationJob, Evaluator
from studio.training.config.run_config import StopCondition
from studio.training.engine.trainer import Trainer
from studio.training.messages.commands import CancelEvaluation, Command, EvaluateNow, Pause
from studio.training.messages.events import Evaluated, Evaluating, EvaluationEnded, Event, Logged, Noticed
from studio.training.run.loop import RunLoop
from tests.training.conftest import PlayedMailbox, steps, tiny_config, tiny_images

COUNT = 2 * CHUNK
PIECES = 2 + 3


def trainer(budget: float = 50.0, kind: str = "vae") -> Trainer:
    return Trainer(tiny_config(kind, evaluation={"budget": budget, "samples": COUNT}), tiny_images())


def played(script: Iterable[list[Command]], evaluator: Evaluator | None, of: Trainer) -> list[Event]:
    """What a run says that plays this script."""
    mailbox = PlayedMailbox()
    mailbox.play(script)
    RunLoop(of, mailbox, limit=StopCondition(), evaluator=evaluator).run()
    return mailbox.events()[0]


def curves(events: list[Event]) -> list[dict[str, float]]:
    return [dict(event.values) for event in events if isinstance(event, Logged)]


@pytest.mark.parametrize("kind", ["vae", "rbm", "wgan_gp", "ebm"])
def test_that_curves_are_the_same_to_the_last_bit_whether_or_not_it_evaluates(kind: str, judge: Judge) -> None:
    plain, watched = trainer(kind=kind), trainer(kind=kind)
    evaluator = Evaluator(watched, lambda: judge)

    def script() -> Iterator[list[Command]]:
        yield from steps(3)
        yield [EvaluateNow()]
        yield from steps(PIECES - 1)
        for _ in range(3):
            evaluator.turn(1e9)  # as if there were time in plenty
            yield []

    events = played(script(), evaluator, watched)
    assert sum(isinstance(event, Evaluated) for event in events) >= 1
    taken = watched.step_count
    assert curves(events) == curves(played(steps(taken), None, plain))
    for one, other in zip(plain.model.state_dict().values(), watched.model.state_dict().values(), strict=True):
        assert torch.equal(one, other)


def known_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """A piece takes 0.09 to 0.11 s by the evaluator's clock."""
    now, costs = [0.0], itertools.cycle([0.1, 0.09, 0.11, 0.09, 0.11])
    advance = EvaluationJob.advance

    def timed(self: EvaluationJob) -> None:
        advance(self)
        now[0] += next(costs)

    monkeypatch.setattr(EvaluationJob, "advance", timed)
    monkeypatch.setattr("studio.training.analysis.evaluator.time.perf_counter", lambda: now[0])


def test_that_it_spends_no_more_than_its_budget_by_a_clock_of_known_pieces(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step takes 0.05 s; 5 % of 100 s are 5 s."""
    known_pieces(monkeypatch)
    evaluator, done = Evaluator(trainer(budget=5), lambda: judge), 0
    for step in range(1, 2001):
        seconds = 0.05 * step
        if step % 40 == 0:  # looked at now and then, to be quick
            done += evaluator.turn(seconds) is not None
            assert evaluator.spent <= max(0.1, 0.05 * seconds), "only what the first piece takes is not known"
    assert evaluator.spent > 0.9 * 0.05 * 100
    assert done == pytest.approx(5 / (0.1 * PIECES), abs=2)


def test_that_a_judge_that_comes_late_evaluates_once_and_not_all_that_was_saved_up(
    judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """5 % of 100 s without one are 5 s, of ten evaluations; 5 % of the next 9 s are of less than one."""
    known_pieces(monkeypatch)
    judges: list[Judge] = []
    evaluator = Evaluator(trainer(budget=5), lambda: judges[0] if judges else None)
    assert evaluator.turn(100.0) is None
    judges.append(judge)
    assert sum(evaluator.turn(100.0 + 0.05 * step) is not None for step in range(180)) == 1


def test_that_a_budget_of_0_evaluates_on_demand_only(judge: Judge) -> None:
    evaluator = Evaluator(trainer(budget=0), lambda: judge)
    assert all(evaluator.turn(1e9) is None for _ in range(20))
    assert evaluator.demand(0.0) is None
    said = [evaluator.advance() for _ in range(PIECES)]
    assert isinstance(said[-1], Evaluated)
    assert evaluator.spent == 0


def test_that_the_person_sees_it_go_on_while_training_waits_even_paused(judge: Judge) -> None:
    run = trainer(budget=0)

    def script() -> Iterator[list[Command]]:
        yield from steps(2)
        yield [Pause()]
        yield [EvaluateNow()]
        for _ in range(PIECES - 1):
            assert run.step_count == 2
            yield []

    events = played(script(), Evaluator(run, lambda: judge), run)
    (found,) = [event for event in events if isinstance(event, Evaluated)]
    fractions = [event.fraction for event in events if isinstance(event, Evaluating)]
    assert found.step == 2
    assert len(fractions) == PIECES - 1
    assert fractions == sorted(fractions)
    assert found.evaluation.shares.count == COUNT
    assert found.evaluation.class_names == ("ant", "bee", "cat")


def test_that_it_can_be_cancelled_and_training_goes_on(judge: Judge) -> None:
    run = trainer(budget=0)
    events = played([[EvaluateNow()], [CancelEvaluation()], *steps(2)], Evaluator(run, lambda: judge), run)
    assert [type(event) for event in events if isinstance(event, Evaluating | Evaluated | EvaluationEnded)] == [
        Evaluating,
        EvaluationEnded,
    ]
    assert run.step_count >= 2


def test_that_without_a_judge_nothing_happens_and_a_demand_is_answered() -> None:
    run = trainer()
    evaluator = Evaluator(run, lambda: None)
    assert evaluator.turn(1e9) is None
    assert isinstance(evaluator.demand(0.0), EvaluationEnded)
    assert not evaluator.demanded


def test_that_an_evaluation_is_of_the_step_at_which_it_began(judge: Judge) -> None:
    """However many steps its pieces are spread over: the model is copied first."""
    run = trainer()
    for _ in range(3):
        run.step()
    evaluator = Evaluator(run, lambda: judge)
    evaluator.demand(0.0)
    twin = Evaluator(run, lambda: judge)
    twin.demand(0.0)
    said = [twin.advance() for _ in range(PIECES)]
    for _ in range(PIECES - 1):
        evaluator.advance()
        run.step()
    late, early = evaluator.advance(), said[-1]
    assert isinstance(late, Evaluated)
    assert isinstance(early, Evaluated)
    assert late.step == early.step == 3
    assert late.evaluation.frechet == early.evaluation.frechet
    assert late.evaluation.shares.raw.tolist() == early.evaluation.shares.raw.tolist()


@pytest.mark.parametrize("demanded", [True, False])
def test_that_a_full_memory_calls_it_off_and_the_run_goes_on(
    demanded: bool, judge: Judge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was asked for ends with a word; what the budget would allow is not tried over and over."""
    run = trainer(budget=0 if demanded else 50)
    evaluator = Evaluator(run, lambda: judge)

    def full(*_: object) -> None:
        raise MemoryError("out of memory")

    monkeypatch.setattr(EvaluationJob, "advance", full)
    first: list[list[Command]] = [[EvaluateNow()]] if demanded else []
    events = played(itertools.chain(first, steps(4)), evaluator, run)
    assert [event.error.title for event in events if isinstance(event, Noticed)] == ["There is not enough memory"]
    assert sum(isinstance(event, EvaluationEnded) for event in events) == 1
    assert run.step_count >= 4
    assert evaluator.turn(1e9) is None


@pytest.mark.parametrize("begin", [Evaluator.demand, Evaluator.look])
def test_that_no_step_is_judged_by_the_latents_of_another(
    begin: Callable[[Evaluator, float], object], judge: Judge
) -> None:
    """Of the same weights, as the average has them for a few steps; by an evaluator of its own, as after a resume."""
    of = Trainer(tiny_config("vae", evaluation={"samples": COUNT}, hold={"samples": COUNT}), tiny_images())
    weights = {name: each.clone() for name, each in of.average.model.state_dict().items()}
    means = set()
    for _ in range(3):
        of.step()
        of.average.restore(weights, of.average.updates)
        evaluator = Evaluator(of, lambda: judge)
        begin(evaluator, 0.0)
        while evaluator.demanded:
            event = evaluator.advance()
        assert isinstance(event, Evaluated)
        means.add(event.evaluation.features["mean"].value)
    assert len(means) == 3
