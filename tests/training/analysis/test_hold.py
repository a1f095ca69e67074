"""A run whose shares are held: when it looks, what it makes of it, and that a stop changes nothing."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from studio.errors import UserError
from studio.evaluation.arrival import Sighting
from studio.evaluation.evaluation import Evaluation
from studio.evaluation.judge import Judge
from studio.perturb.hold import Hold
from studio.perturb.perturbation import Perturbation
from studio.training.analysis.evaluator import Evaluator
from studio.training.analysis.side_tasks import SideTasks
from studio.training.config.run_config import HoldConfig, PerturbationConfig, RunConfig, StopCondition
from studio.training.engine.trainer import Trainer
from studio.training.messages.commands import CancelEvaluation, Command, EvaluateNow, SetHold, SetPerturbation
from studio.training.messages.events import Evaluated, EvaluationEnded, Event, HoldApplied, Logged, Noticed
from studio.training.run.loop import RunLoop
from studio.training.storage.checkpoint import read_checkpoint, read_record
from studio.training.storage.checkpoint_store import CheckpointStore
from studio.training.storage.metrics import append_metrics, held_class, held_column, read_metrics
from studio.training.storage.recorder import Recorder
from studio.training.storage.resumption import resume
from studio.training.storage.run import Run
from studio.training.storage.run_folder import RunFolder
from studio.training.storage.run_identity import RunIdentity
from tests.training.conftest import CLASSES, PlayedMailbox, WatchedRun, steps, tiny_config, tiny_images

COUNT = 32
PIECES = 2 + 3
"""Of an evaluation of so many samples."""
ASKED = {"ant": 0.5, "bee": 0.0, "cat": -0.5}
HOLD = {"on": True, "every": 3, "samples": COUNT}


def held_config(**settings: object) -> RunConfig:
    return tiny_config(**{"hold": HOLD, "perturbation": {"offsets": ASKED}, **settings})  # type: ignore[arg-type]


@pytest.fixture(autouse=True)
def sure(monkeypatch: pytest.MonkeyPatch) -> None:
    """A judge of noise tells nothing of it; here it always sees too many ants, and a little of what it calls them."""

    def of(step: int, found: Evaluation) -> Sighting:
        share = [0.26, 0.3, 0.44] + 0.01 * found.shares.raw[:-1]
        share /= share.sum()
        whole = found.target[:-1] * 0 + [0.2, 0.3, 0.5]
        return Sighting(step=step, data=whole, target=whole, share=share, low=share, high=share, count=1000)

    monkeypatch.setattr("studio.training.analysis.side_tasks.Sighting.of", of)


def played(
    trainer: Trainer,
    script: Iterator[list[Command]],
    judge: Judge | None,
    recorder: Recorder | None = None,
    seconds: float = 0.0,
    limit: int = 14,
) -> list[Event]:
    """What a run says that plays this script."""
    mailbox = PlayedMailbox()
    mailbox.play(script)
    evaluator = Evaluator(trainer, lambda: judge)
    RunLoop(trainer, mailbox, recorder, StopCondition(steps=limit), evaluator, seconds=seconds).run()
    return mailbox.events()[0]


@pytest.fixture
def trainer() -> Trainer:
    return Trainer(held_config(), tiny_images())


def evaluated_at(events: list[Event]) -> list[int]:
    return [event.step for event in events if isinstance(event, Evaluated)]


def correction(trainer: Trainer) -> tuple[float, ...]:
    return trainer.held.hold.correction


def test_that_it_looks_at_fixed_steps_and_weights_examples_for_what_it_applies(trainer: Trainer, judge: Judge) -> None:
    plain = trainer.log_weights
    events = played(trainer, steps(40), judge)
    assert evaluated_at(events) == [3, 6, 9, 12]
    moved = correction(trainer)
    assert trainer.held.hold.looks == 4
    assert trainer.held.judge == judge.fingerprint
    assert np.abs(moved).max() > 0.1
    change = trainer.log_weights - plain + np.array(moved)[trainer.data.labels]
    assert np.ptp(change) == pytest.approx(0, abs=1e-12), "what is corrected is all that has changed"
    assert np.exp(trainer.log_weights).mean() == pytest.approx(1)


def test_that_what_was_asked_for_stays_what_the_run_says(trainer: Trainer, judge: Judge, run_path: Path) -> None:
    events = played(trainer, steps(40), judge, Recorder(RunFolder.at(run_path, trainer.config), trainer))
    run, moved = Run.open(run_path), correction(trainer)
    assert {name: run.identity.target.offsets.get(name, 0.0) for name in CLASSES} == ASKED
    assert run.summary["offsets"] == ASKED
    applied = run.identity.applied.offsets
    assert {name: applied.get(name, 0.0) - ASKED[name] for name in CLASSES} == pytest.approx(
        dict(zip(CLASSES, moved, strict=True))
    )
    assert read_record(CheckpointStore(run_path).find(14)).corrected == applied
    assert run.summary["held"]["judge"] == judge.fingerprint
    points = {event.step: event.values for event in events if isinstance(event, Logged)}
    assert held_column(0, "ant") not in points[3]
    assert [points[14][held_column(place, name)] for place, name in enumerate(CLASSES)] == list(moved)
    ant = [points[step][held_column(0, "ant")] for step in (4, 9, 10, 12)]
    assert ant[0] == ant[1] == 0 != ant[2] == ant[3]


@pytest.mark.parametrize("last", [9, 12])
def test_that_a_run_that_ends_with_a_look_was_weighted_for_what_was_applied_before_it(
    last: int, trainer: Trainer, judge: Judge, run_path: Path
) -> None:
    played(trainer, steps(40), judge, Recorder(RunFolder.at(run_path, trainer.config), trainer), limit=last)
    assert trainer.held.step == last
    metrics, corrected = read_metrics(run_path), read_record(CheckpointStore(run_path).find(last)).corrected
    columns = {name: metrics.columns.get(held_column(place, name)) for place, name in enumerate(CLASSES)}
    learned = {name: ASKED[name] + (0.0 if column is None else column[-1]) for name, column in columns.items()}
    assert trainer.applied.offsets != pytest.approx(tuple(learned.values())), "from now on"
    for found in (RunIdentity.read(run_path).applied.offsets, corrected or ASKED):
        assert {name: found.get(name, 0.0) for name in CLASSES} == pytest.approx(learned)


def test_that_a_run_that_is_held_no_more_since_its_last_step_was_weighted_for_what_was_applied_before(
    trainer: Trainer, judge: Judge, run_path: Path
) -> None:
    """Also where it goes on, and is held again for a moment."""
    moved: list[tuple[float, ...]] = []

    def script() -> Iterator[list[Command]]:
        while trainer.step_count < 14:
            yield []
        moved.append(correction(trainer))
        yield [SetHold(hold=HoldConfig())]

    recorder = Recorder(RunFolder.at(run_path, trainer.config), trainer)
    played(trainer, script(), judge, recorder)
    recorder.release()
    learned = {name: ASKED[name] + more for name, more in zip(CLASSES, moved[0], strict=True)}
    assert learned != pytest.approx(ASKED)

    def check(trainer: Trainer) -> None:
        assert trainer.applied is trainer.perturbation, "from now on"
        corrected = read_record(CheckpointStore(run_path).find(14)).corrected
        for found in (RunIdentity.read(run_path).applied.offsets, corrected or ASKED):
            assert {name: found.get(name, 0.0) for name in CLASSES} == pytest.approx(learned)

    check(trainer)
    found = resume(run_path)
    other = Trainer(found.config, tiny_images())
    notes = found.load_into(other)
    for on in (True, False):
        other.hold(HoldConfig(on=on))
    recorder = Recorder(found.folder(), other, notes)
    recorder.save(None, 0.0)
    check(other)
    other.step()
    recorder.save(None, 0.0)
    recorder.release()
    assert RunIdentity.read(run_path).applied.offsets == pytest.approx({n: v for n, v in ASKED.items() if v})


def test_that_a_run_without_it_has_nothing_of_it(judge: Judge, run_path: Path) -> None:
    trainer = Trainer(held_config(hold={}), tiny_images())
    events = played(trainer, steps(20), judge, Recorder(RunFolder.at(run_path, trainer.config), trainer))
    assert trainer.applied is trainer.perturbation
    assert not any(held_column(0, "ant") in event.values for event in events if isinstance(event, Logged))
    assert "held" not in Run.open(run_path).summary
    assert RunIdentity.read(run_path).applied == RunIdentity.read(run_path).target


def whole_run(folder: Path, judge: Judge, stop_after: int | None = None) -> Trainer:
    """Fourteen steps, with a stop once the script is over."""
    trainer = Trainer(held_config(), tiny_images())
    recorder = Recorder(RunFolder.at(folder, trainer.config), trainer)
    played(trainer, steps(60 if stop_after is None else stop_after), judge, recorder)
    recorder.release()
    return trainer


@pytest.fixture(scope="module")
def unstopped(judge: Judge, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], tuple[Path, Trainer]]:
    """The folder and the trainer of a run that was never stopped, made by the first test that asks."""

    @cache
    def made() -> tuple[Path, Trainer]:
        folder = tmp_path_factory.mktemp("hold") / "whole"
        return folder, whole_run(folder, judge)

    return made


@pytest.mark.parametrize("stop_after", [2, 10, 16])
def test_that_a_run_that_is_stopped_goes_on_as_if_it_had_not_been(
    stop_after: int, judge: Judge, unstopped: Callable[[], tuple[Path, Trainer]], tmp_path: Path
) -> None:
    """Before it looks, amid a look, and after one: the files are the same to the bit."""
    (whole, one), stopped = unstopped(), tmp_path / "stopped"
    whole_run(stopped, judge, stop_after)
    found = resume(stopped)
    other = Trainer(found.config, tiny_images())
    notes = found.load_into(other)
    recorder = Recorder(found.folder(), other, notes)
    events = played(other, steps(60), judge, recorder)
    recorder.release()
    assert not [event for event in events if isinstance(event, Noticed)]
    assert (whole / "weights.safetensors").read_bytes() == (stopped / "weights.safetensors").read_bytes()
    assert one.held == other.held
    first, second = (read_checkpoint(CheckpointStore(folder).find(14)) for folder in (whole, stopped))
    assert first.state.held == second.state.held
    assert first.resume_state.planning == second.resume_state.planning


def test_that_another_target_keeps_the_correction_and_looks_anew(trainer: Trainer, judge: Judge) -> None:
    other = Perturbation(offsets=(0.0, 1.0, 0.0), revision=1)

    def script() -> Iterator[list[Command]]:
        yield from steps(3 * (3 + PIECES) + 1)
        before = correction(trainer)
        assert any(before)
        yield [SetPerturbation(perturbation=other)]
        assert correction(trainer) == before
        assert trainer.held.hold.looks == 0
        assert trainer.applied.offsets == pytest.approx(tuple(np.add(other.offsets, before)))

    played(trainer, script(), judge)
    assert trainer.perturbation == other
    assert trainer.config.perturbation == PerturbationConfig(offsets={"bee": 1.0})


def test_that_going_back_takes_back_what_was_corrected_since(trainer: Trainer, judge: Judge) -> None:
    """And looks again where it had looked; of a target from before, only what was corrected counts."""
    corrected: list[tuple[float, ...]] = []

    def script() -> Iterator[list[Command]]:
        yield from steps(2 * (3 + PIECES))
        before, held, weights = trainer.state(), trainer.held, trainer.log_weights
        assert (held.step, any(correction(trainer))) == (6, False)
        yield from steps(3 + PIECES + 1)
        after = trainer.state()
        corrected.append(correction(trainer))
        trainer.restore(before)
        assert trainer.held == held
        np.testing.assert_array_equal(trainer.log_weights, weights)
        yield from steps(3 + PIECES + 1)
        assert (trainer.held.step, any(correction(trainer))) == (9, True)
        yield [SetPerturbation(perturbation=Perturbation(offsets=(0.0, 1.0, 0.0), revision=1))]
        trainer.restore(after)
        assert trainer.held.hold == Hold.begun(corrected[0])
        trainer.hold(HoldConfig())
        trainer.restore(after)
        assert trainer.applied is trainer.perturbation

    events = played(trainer, script(), judge)
    assert evaluated_at(events) == [3, 6, 9, 9]
    assert any(corrected[0])


def test_that_an_edit_amid_a_look_has_it_count_for_nothing(trainer: Trainer, judge: Judge) -> None:
    edit = SetPerturbation(perturbation=Perturbation(offsets=(0.0, 1.0, 0.0), revision=1))
    events = played(trainer, itertools.chain(steps(4), [[edit]], steps(PIECES)), judge)
    assert evaluated_at(events)[:1] == [3]
    assert correction(trainer) == (0, 0, 0)
    assert trainer.held.step == 3


def test_that_it_can_be_switched_on_and_off_while_it_trains(judge: Judge) -> None:
    """Off, examples are weighted for what is asked for again."""
    trainer = Trainer(held_config(hold={}), tiny_images())
    on = HoldConfig.model_validate(HOLD)

    def script() -> Iterator[list[Command]]:
        yield from steps(4)
        yield [SetHold(hold=on)]
        yield from steps(3 * (3 + PIECES))
        assert any(correction(trainer))
        yield [SetHold(hold=HoldConfig())]
        assert trainer.applied is trainer.perturbation
        assert trainer.held.step == 12, "so that the curves of the corrections go back to 0"

    events = played(trainer, script(), judge)
    assert [(event.step, event.on) for event in events if isinstance(event, HoldApplied)] == [(4, True), (14, False)]
    assert evaluated_at(events) == [6, 9, 12]
    assert trainer.config.hold == HoldConfig()


def test_that_a_look_that_is_cancelled_is_over(trainer: Trainer, judge: Judge) -> None:
    events = played(trainer, itertools.chain(steps(4), [[CancelEvaluation()]], steps(2)), judge)
    assert [type(event) for event in events if isinstance(event, Evaluated | EvaluationEnded)] == [EvaluationEnded]
    assert (trainer.held.step, correction(trainer)) == (3, (0, 0, 0))
    assert trainer.step_count > 3


def test_that_who_asks_for_an_evaluation_amid_a_look_gets_that_one(trainer: Trainer, judge: Judge) -> None:
    events = played(trainer, itertools.chain(steps(4), [[EvaluateNow()]], steps(PIECES - 1)), judge)
    assert evaluated_at(events) == [3]
    assert trainer.held.hold.looks == 1


def test_that_without_a_judge_it_says_so_and_trains_on(trainer: Trainer) -> None:
    events = played(trainer, steps(8), None)
    assert [event.error.title for event in events if isinstance(event, Noticed)] == ["The shares cannot be held"] * 2
    assert trainer.step_count >= 6


def test_that_a_run_that_is_held_before_its_judge_has_come_is_evaluated_once_that_has(judge: Judge) -> None:
    """A look in vain says so, and costs neither later looks nor, with Hold off again, evaluations."""
    trainer = Trainer(held_config(evaluation={"budget": 50, "samples": COUNT}), tiny_images())
    judges, events = list[Judge](), list[Event]()
    evaluator = Evaluator(trainer, lambda: judges[0] if judges else None)
    tasks = SideTasks(trainer, evaluator, events.append)
    for _ in range(3):
        trainer.step()
    tasks.look(0.0)
    assert [event.error.title for event in events if isinstance(event, Noticed)] == ["The shares cannot be held"]
    judges.append(judge)
    trainer.hold(HoldConfig(on=False))
    tasks.take_turn(100.0)
    assert evaluated_at(events) == [3]


def test_that_a_judge_that_is_not_the_one_from_before_is_told_of(trainer: Trainer, judge: Judge) -> None:
    trainer.held = replace(trainer.held, judge="another")
    events = played(trainer, steps(40), judge)
    (told,) = [event for event in events if isinstance(event, Noticed)]
    assert told.error.title == "The shares are held by another judge than before"


def test_that_a_run_of_images_without_classes_is_refused(start_run: Callable[..., WatchedRun], run_path: Path) -> None:
    images = replace(tiny_images(), labels=np.zeros(120, np.int64), class_names=("all",))
    finished = start_run(held_config(perturbation={}), data=lambda _: images).finish()
    assert isinstance(finished.error, UserError)
    assert finished.error.title == "The shares cannot be held"
    assert finished.error.field == "hold.on"
    assert not run_path.exists()


def test_that_columns_of_classes_are_told_apart_whatever_they_are_called(run_path: Path) -> None:
    """A database takes letters of either case for the same, and nothing that is no Unicode."""
    names = ("a", "A", "a_b", "\udce4", "")
    points = {held_column(place, name): float(place) for place, name in enumerate(names)}
    run_path.mkdir()
    append_metrics(run_path, [Logged(step=1, seconds=0.0, values=points)])
    assert {name: column.tolist() for name, column in read_metrics(run_path).columns.items()} == {
        name: [value] for name, value in points.items()
    }
    assert [held_class(name) for name in points] == ["a", "A", "a_b", "?", ""]
    assert not held_class("held_out")


def test_that_a_look_that_is_given_up_leaves_evaluations_and_later_looks_alone(trainer: Trainer, judge: Judge) -> None:
    """As where the person goes back meanwhile."""
    tasks = SideTasks(trainer, Evaluator(trainer, lambda: judge), lambda _: None)
    for _ in range(3):
        trainer.step()
    tasks.look(0.0)
    assert tasks.waited_for
    tasks.give_up()
    tasks.take_turn(0.0)
    assert trainer.held.step == 0, "it is still to be looked"
    tasks.obey(EvaluateNow(), 0.0)
    assert tasks.waited_for
