"""A run's loop, played step by step without a thread: what commands do, and what is reported when."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from studio.models.base import LossTerms
from studio.perturb.perturbation import Gauge
from studio.training.config.run_config import StopCondition
from studio.training.messages.commands import Pause, Resume, SampleNow, Step, Stop
from studio.training.messages.events import (
    Logged,
    Outcome,
    Paused,
    PerturbationApplied,
    PerturbationRejected,
    Resumed,
    Warned,
)
from studio.training.storage.frames import FrameStore
from studio.training.storage.resumption import resume
from studio.training.storage.run import Run
from tests.training.conftest import FakeTime, steps, tiny_config
from tests.training.played import Played, Script, target

# -- how it ends


def test_that_a_run_is_complete_after_exactly_its_steps() -> None:
    run = Played(limit=StopCondition(steps=7))
    assert run.run(steps(100)) is Outcome.COMPLETED
    assert run.trainer.step_count == 7
    assert [point.step for point in run.all_of(Logged)] == list(range(1, 8))


def test_that_a_run_is_complete_after_its_time_pauses_left_out(clock: FakeTime) -> None:
    run = Played(limit=StopCondition(seconds=10))

    def script() -> Script:
        for _ in range(6):
            clock.now += 1
            yield []
        yield [Pause()]
        clock.now += 1000
        yield [Resume()]
        while True:
            clock.now += 1
            yield []

    assert run.run(script()) is Outcome.COMPLETED
    assert run.loop.seconds == pytest.approx(10, abs=1.1)


def test_that_a_stop_ends_it_before_the_next_step_and_what_comes_after_is_ignored() -> None:
    run = Played()
    assert run.run([*steps(3), [Stop(), Step(), SampleNow(), target(1, 2, 3, revision=1)]]) is Outcome.STOPPED
    assert run.trainer.step_count == 3
    assert run.all_of(PerturbationApplied) == []


def test_that_a_bug_passes_through_with_everything_saved(monkeypatch: pytest.MonkeyPatch, run_path: Path) -> None:
    run = Played(folder=run_path)

    def fail(*_: object) -> LossTerms:
        raise ZeroDivisionError("a bug")

    def script() -> Script:
        yield from steps(3)
        monkeypatch.setattr(run.trainer.model, "losses", fail)
        yield []

    with pytest.raises(ZeroDivisionError):
        run.run(script())
    assert Run.open(run_path).summary["status"] == "failed"
    assert Run.open(run_path).weights("model")
    assert resume(run_path).step == 0, "amid a step there is nothing to go on from exactly"
    assert run.logged() == [1, 2, 3]


def test_that_a_model_that_cannot_sample_fails_with_its_run_on_disk(
    monkeypatch: pytest.MonkeyPatch, run_path: Path
) -> None:
    run = Played(folder=run_path)

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a bug")

    monkeypatch.setattr(run.trainer, "shown", fail)
    with pytest.raises(ZeroDivisionError):
        run.run(steps(3))
    assert Run.open(run_path).summary["status"] == "failed"


# -- pausing


def test_that_a_paused_run_takes_no_step_and_its_clock_stands_still(clock: FakeTime) -> None:
    run = Played()

    def script() -> Script:
        clock.now += 5
        yield []
        yield [Pause()]
        for _ in range(3):
            clock.now += 100
            assert run.trainer.step_count == 1
            assert run.loop.seconds == 5
            yield []
        yield [Resume()]
        clock.now += 2
        yield []
        yield [Stop()]

    run.run(script())
    assert run.trainer.step_count == 3
    assert run.loop.seconds == 7
    assert run.all_of(Paused) == [Paused(step=1)]
    assert run.all_of(Resumed) == [Resumed(step=1)]


def test_that_a_step_takes_exactly_one_and_pauses() -> None:
    run = Played()

    def script() -> Script:
        yield [Step()]
        yield []
        assert run.trainer.step_count == 1
        yield [Step(), Step()]
        yield []
        assert run.trainer.step_count == 3
        assert run.snapshot().step == 3
        yield [Resume()]
        assert run.trainer.step_count == 4
        yield [Stop()]

    run.run(script())
    assert {event.step for event in run.all_of(Paused)} == {0, 1, 2, 3}


def test_that_pausing_twice_and_resuming_twice_is_said_once() -> None:
    run = Played()
    run.run([[Resume(), Pause(), Pause()], [Resume(), Resume()]])
    assert len(run.all_of(Paused)) == len(run.all_of(Resumed)) == 1


def test_that_a_run_complete_by_single_steps_waits_for_the_person() -> None:
    run = Played(limit=StopCondition(steps=2))

    def script() -> Script:
        yield [Step(), Step()]
        yield []
        yield [Resume()]
        pytest.fail("a run that is complete asks for nothing more")

    assert run.run(script()) is Outcome.COMPLETED


# -- the target


def test_that_an_edit_is_answered_with_the_step_from_which_it_holds() -> None:
    run = Played()
    run.run([*steps(4), [target(0, -1, 1, revision=1)], [], [Stop()]])
    assert run.all_of(PerturbationApplied) == [PerturbationApplied(step=4, revision=1)]
    assert run.snapshot().revision == 1


def test_that_of_several_edits_at_once_only_the_last_counts() -> None:
    run = Played()
    run.run([[], [target(float(n), 0, 0, revision=n) for n in range(1, 6)]])
    assert run.all_of(PerturbationApplied) == [PerturbationApplied(step=1, revision=5)]
    assert run.trainer.perturbation.offsets == (5.0, 0.0, 0.0)


def test_that_an_edit_while_paused_is_answered_at_once() -> None:
    run = Played()

    def script() -> Script:
        yield [Pause()]
        yield [target(1, 0, 0, revision=1)]
        assert run.all_of(PerturbationApplied) == [PerturbationApplied(step=0, revision=1)]
        yield [Stop()]

    run.run(script())
    assert run.trainer.step_count == 0


def test_that_a_target_that_cannot_be_planned_is_rejected_and_training_goes_on() -> None:
    run = Played()
    fits, fits_not = target(1, 0, 0, revision=1), target(700, 700, 700, revision=2, gauge=Gauge.RAW)
    assert run.run([[fits], [fits_not], *steps(2)]) is Outcome.STOPPED
    (rejected,) = run.all_of(PerturbationRejected)
    assert rejected.revision == 2
    assert rejected.error.hint
    assert run.trainer.perturbation.revision == 1
    assert run.trainer.step_count == 4


# -- reports


def test_that_a_point_is_logged_at_its_cadence() -> None:
    run = Played(tiny_config(cadence={"log_every": 3, "samples": 4}), limit=StopCondition(steps=10))
    run.run(steps(20))
    assert [point.step for point in run.all_of(Logged)] == [3, 6, 9]


def test_that_grids_come_at_their_cadence_on_demand_and_at_the_end(clock: FakeTime, run_path: Path) -> None:
    run = Played(tiny_config(cadence={"log_every": 1, "sample_every": 10, "samples": 4}), run_path)

    def script() -> Script:
        for _ in range(12):  # grids at 0 s and, by the 10 s that follow, after step 10
            clock.now += 1
            yield []
        yield [SampleNow()]  # at step 12
        grid = run.snapshot().grid
        assert grid.step == 12
        yield []
        yield [Stop()]

    run.run(script())
    assert FrameStore(run_path).steps.tolist() == [0, 10, 12, 14]


def test_that_grids_that_take_long_leave_two_thirds_of_the_time_to_training(
    clock: FakeTime, run_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Played(tiny_config(cadence={"log_every": 1, "sample_every": 10, "samples": 4}), run_path)
    decode = type(run.trainer.model).decode

    def slow(*given: Any) -> torch.Tensor:
        clock.now += 10  # of a grid 20, by raw weights and by averaged ones
        return decode(*given)

    monkeypatch.setattr(type(run.trainer.model), "decode", slow)

    def script() -> Script:
        for _ in range(45):
            clock.now += 1
            yield []
        yield [Stop()]

    run.run(script())
    assert FrameStore(run_path).steps.tolist() == [0, 40, 45]


def test_that_a_snapshot_cannot_be_written_to() -> None:
    run = Played(limit=StopCondition(steps=5))
    run.run(steps(9))
    snapshot = run.snapshot()
    arrays = [
        snapshot.grid.raw,
        snapshot.grid.averaged,
        snapshot.planned.images,
        snapshot.planned.labels,
        snapshot.planned.weights,
        snapshot.recent_weights,
    ]
    assert all(isinstance(array, np.ndarray) and not array.flags.writeable for array in arrays)
    assert (snapshot.step, snapshot.examples) == (5, 40)
    assert len(snapshot.planned.images) == len(snapshot.planned.labels) == len(snapshot.planned.weights) == 8
    assert len(snapshot.recent_weights) == 40
    assert snapshot.grid.step == 5


def test_that_rates_are_of_the_time_spent_training(clock: FakeTime) -> None:
    run = Played()

    def script() -> Script:
        for _ in range(30):
            clock.now += 0.5
            yield []
        yield [Pause()]
        assert run.snapshot().steps_per_second == pytest.approx(2)
        clock.now += 1000
        yield [Resume()]
        for _ in range(10):
            clock.now += 0.25
            yield []
        yield [Pause()]
        snapshot = run.snapshot()
        assert snapshot.steps_per_second == pytest.approx(4, rel=0.2)
        assert snapshot.examples_per_second == pytest.approx(32, rel=0.2)
        yield [Stop()]

    run.run(script())


# -- divergence


def test_that_a_loss_that_is_no_number_pauses_with_a_warning(monkeypatch: pytest.MonkeyPatch, run_path: Path) -> None:
    run = Played(folder=run_path)
    losses = run.trainer.model.losses

    def diverge(*arguments: Any) -> LossTerms:
        terms = losses(*arguments)
        assert terms.data is not None
        return LossTerms(data=terms.data * torch.nan)

    def script() -> Script:
        yield from steps(2)
        monkeypatch.setattr(run.trainer.model, "losses", diverge)
        yield []
        for _ in range(3):
            yield []
            assert run.trainer.step_count == 3
        yield [Stop()]

    assert run.run(script()) is Outcome.STOPPED
    (warned,) = run.all_of(Warned)
    assert "diverged" in warned.error.title
    assert run.all_of(Paused) == [Paused(step=3)]
    assert np.isnan(run.metrics().columns["loss_autoencoder"]).tolist() == [False, False, True]


def test_that_a_batch_that_weighs_nothing_is_no_divergence() -> None:
    tilt = {"offsets": {"ant": 700.0, "bee": 700.0, "cat": -700.0}}
    run = Played(tiny_config(batch={"average_size": 1}, perturbation=tilt), limit=StopCondition(steps=30))
    assert run.run(steps(40)) is Outcome.COMPLETED
    assert run.all_of(Warned) == []
    assert any(point.values["adjusted_size"] == 0 for point in run.all_of(Logged))
