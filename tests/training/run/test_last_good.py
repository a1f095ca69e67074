"""Going back: the state kept is the state that comes back, and a run that diverged goes on from it."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from studio.evaluation.judge import Judge
from studio.progress import Progress
from studio.training.analysis.evaluator import Evaluator
from studio.training.analysis.redraw import redraw_grid
from studio.training.analysis.side_tasks import SideTasks
from studio.training.engine.trainer import Trainer
from studio.training.messages.commands import (
    EvaluateNow,
    Pause,
    Restore,
    Resume,
    SampleNow,
    Save,
    SetLearningRate,
    Stop,
    without_outdated,
)
from studio.training.messages.events import (
    Evaluated,
    EvaluationEnded,
    LearningRateApplied,
    Logged,
    Noticed,
    Outcome,
    Paused,
    Restored,
    Warned,
)
from studio.training.messages.latents import Latents
from studio.training.run.recovery import LastGood
from studio.training.storage.checkpoint_store import CheckpointStore
from studio.training.storage.resumption import resume
from studio.training.storage.run import Run, restore_model
from tests.training.conftest import steps, tiny_config, tiny_images
from tests.training.played import Played, Script


def parameters(trainer: Trainer) -> torch.Tensor:
    return torch.cat([tensor.detach().flatten().double() for tensor in trainer.model.state_dict().values()])


def averaged(trainer: Trainer) -> torch.Tensor:
    return torch.cat([tensor.flatten().double() for tensor in trainer.average.model.state_dict().values()])


def break_weights(trainer: Trainer) -> None:
    with torch.no_grad():
        next(trainer.model.parameters()).fill_(torch.nan)


@pytest.fixture
def run() -> Played:
    return Played(tiny_config())


@pytest.fixture
def trainer() -> Trainer:
    trainer = Trainer(tiny_config("wgan_gp"), tiny_images())
    for _ in range(4):
        trainer.step()
    return trainer


def test_that_a_state_comes_back_whole_and_as_often_as_wanted(trainer: Trainer) -> None:
    state, then, average = trainer.state(), parameters(trainer), averaged(trainer)
    for _ in range(2):
        trainer.step()
        break_weights(trainer)
        trainer.step()
        trainer.restore(state)
        assert trainer.step_count == 4
        assert torch.equal(parameters(trainer), then)
        assert torch.equal(averaged(trainer), average)
    trainer.step()
    assert parameters(trainer).isfinite().all()


def test_that_optimisers_take_up_what_they_had_and_rates_stay_as_they_are() -> None:
    config = tiny_config("vae", model={"autoencoder_optimiser": {"learning_rate": 1e-3}})
    trainer = Trainer(config, tiny_images())
    trainer.step()
    state = trainer.state()
    trainer.set_learning_rate("autoencoder", 2e-4)
    trainer.step()
    trainer.restore(state)
    rule = trainer._learner.optimisers["autoencoder"]._rule
    assert [group["lr"] for group in rule.param_groups] == [2e-4]
    assert {float(found["step"]) for found in rule.state.values()} == {1.0}


def test_that_the_older_of_two_states_is_offered(trainer: Trainer) -> None:
    good = LastGood(trainer)
    assert good.restore() is None
    for seconds, offered in ((0.0, 4), (1.0, 4), (100.0, 4), (200.0, 6)):
        good.keep(seconds)
        assert good.step == offered
        trainer.step()
    assert good.restore() == 6
    assert trainer.step_count == 6
    assert good.step == 6, "it may be wanted again"


def test_that_a_state_too_large_is_not_kept(trainer: Trainer) -> None:
    good = LastGood(trainer, most_bytes=10)
    good.keep(0.0)
    assert good.step is None


def spoil_energy(trainer: Trainer) -> None:
    """A model that looks at its energies sees it."""
    for tensor in trainer.model.energy.parameters():
        tensor.data.mul_(1e3)


@pytest.mark.parametrize(
    ("kind", "spoil", "title"),
    [
        ("vae", break_weights, "Training has diverged"),
        ("ebm", spoil_energy, "Langevin training has diverged"),
    ],
)
def test_that_a_diverged_run_waits_and_goes_back(
    kind: str, spoil: Callable[[Trainer], None], title: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Played(tiny_config(kind))
    monkeypatch.setattr("studio.models.ebm.model._CHECK_EVERY", 1)

    def script() -> Script:
        yield from steps(3)
        spoil(run.trainer)
        yield []
        (warning,) = run.all_of(Warned)
        assert (warning.error.title, warning.back_to) == (title, 1)
        assert run.all_of(Paused)
        run.trainer.set_learning_rate(run.trainer.networks[0], 1e-4)
        yield [Restore()]
        assert [event.step for event in run.all_of(Restored)] == [1]
        assert run.trainer.step_count == 1
        yield [Resume()]
        yield from steps(3)
        assert len(run.all_of(Warned)) == 1
        yield [Stop()]

    assert run.run(script()) is Outcome.STOPPED
    assert parameters(run.trainer).isfinite().all()


def test_that_no_checkpoint_is_left_of_steps_that_were_undone(tmp_path: Path) -> None:
    run = Played(folder=tmp_path / "run")

    def script() -> Script:
        yield from steps(3)
        yield [Save()]
        assert CheckpointStore(tmp_path / "run").steps[-1] > 1
        yield [Restore()]
        assert run.trainer.step_count == 1
        assert CheckpointStore(tmp_path / "run").steps == [0, 1], "a run that is killed now goes on from there"
        yield [Stop()]

    run.run(script())


def test_that_going_back_gives_up_what_was_shown_or_asked_of_the_steps_undone(
    judge: Judge, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Played(folder=tmp_path / "run")
    evaluator = Evaluator(run.trainer, lambda: judge)
    run.loop._side_tasks = SideTasks(run.trainer, evaluator, run.loop._tell)

    def script() -> Script:
        yield from steps(3)
        yield [SampleNow(), EvaluateNow()]
        assert run.loop._side_tasks.waited_for
        with monkeypatch.context() as patch:
            patch.setattr(run.loop, "_sample", lambda **_: False)  # the disk is full, say
            yield [Restore()]
        shown = run.snapshot()
        assert (shown.step, shown.grid, shown.planned, len(shown.recent_weights)) == (1, None, None, 0)
        yield [Resume()]
        yield from steps(2)
        yield [Stop()]

    run.run(script())
    assert run.all_of(EvaluationEnded)
    assert not run.all_of(Evaluated)


def test_that_going_back_pauses_a_run_and_without_a_state_does_nothing_more(run: Played) -> None:
    def script() -> Script:
        yield [Restore()]
        assert run.all_of(Paused)
        assert not run.all_of(Restored)
        yield [Resume()]
        yield from steps(2)
        yield [Restore()]
        assert [event.step for event in run.all_of(Restored)] == [1]
        assert run.loop.trainer.step_count == 1

    run.run(script())


def test_that_a_rate_is_set_for_its_network_alone_and_unknown_networks_are_passed_over(run: Played) -> None:
    def script() -> Script:
        yield from steps(1)
        yield [
            SetLearningRate(network="autoencoder", rate=0.5),
            SetLearningRate(network="nobody", rate=0.5),
            SetLearningRate(network="autoencoder", rate=0.25),
        ]
        (applied,) = run.all_of(LearningRateApplied)
        assert (applied.network, applied.rate) == ("autoencoder", 0.25)

    run.run(script())


@pytest.mark.parametrize("rate", [0.0, -1.0, 10.5, float("inf"), float("nan")])
def test_that_a_rate_that_no_configuration_has_is_refused_and_the_old_one_stays(run_path: Path, rate: float) -> None:
    """Else the folder would hold a configuration that cannot be opened again."""
    run = Played(tiny_config(), run_path)
    before = run.trainer.config.model.learning_rates
    run.run([*steps(1), [SetLearningRate(network="autoencoder", rate=rate)], *steps(2)])
    assert not run.all_of(LearningRateApplied)
    assert "Learning rate" in run.all_of(Noticed)[0].error.title
    assert run.trainer.config.model.learning_rates == resume(run_path).config.model.learning_rates == before


def test_that_an_unwell_run_is_told_of_and_goes_on() -> None:
    run = Played(tiny_config(model={"autoencoder_optimiser": {"learning_rate": 1e-12}}))
    run.run(steps(12))
    (noticed,) = run.all_of(Noticed)
    assert noticed.error.title == "The autoencoder hardly moves"
    assert not run.all_of(Paused)
    assert len(run.all_of(Logged)) == 12


def test_that_commands_of_the_same_kind_but_of_another_network_all_count() -> None:
    critic, generator = (SetLearningRate(network=name, rate=1.0) for name in ("critic", "generator"))
    assert without_outdated([critic, Pause(), generator, Pause()]) == [critic, Pause(), generator, Pause()]


def test_that_a_run_that_diverged_leaves_its_last_finite_state_as_the_newest(run_path: Path) -> None:
    run = Played(tiny_config(), run_path)

    def script() -> Script:
        yield from steps(3)
        yield [Save()]
        break_weights(run.trainer)
        yield from steps(1)
        assert "diverged" in run.all_of(Warned)[0].error.title
        yield [Stop()]

    assert run.run(script()) is Outcome.STOPPED
    (noticed,) = run.all_of(Noticed)
    assert noticed.error.title == "The weights of step 5 are not kept"
    assert "Those of step 3 stay" in noticed.error.message
    assert CheckpointStore(run_path).steps == [0, 3]
    saved = Run.open(run_path)
    assert (saved.summary["steps"], saved.weights_step) == (5, 3)
    assert saved.weights_seconds <= saved.summary["seconds"]
    assert redraw_grid(run_path, Latents(seed=1), 4, 3, Progress()).step == 3
    assert all(tensor.isfinite().all() for tensor in restore_model(saved).state_dict().values())
    again = resume(run_path)
    assert again.step == 3
    trainer = Trainer(again.config, tiny_images())
    again.load_into(trainer)
    trainer.step()
    assert parameters(trainer).isfinite().all()


@pytest.mark.parametrize("part", ["average", "optimisers"])
def test_that_a_state_is_finite_only_as_a_whole(part: str, trainer: Trainer) -> None:
    assert trainer.state().finite
    state = trainer.state()
    tensors = state.average if part == "average" else state.optimisers["critic"]
    next(tensor for tensor in tensors.values() if tensor.dim()).view(-1)[0] = torch.inf
    assert not state.finite
