"""Evaluations of runs that have ended: whose they are, of which step, and that none lands in another run's view."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast
from unittest.mock import Mock

import pytest
from pytestqt.qtbot import QtBot

from studio.errors import UserError
from studio.gui.evaluation.curves import SHARE_ERROR
from studio.gui.evaluation.kept_evaluator import KeptRun
from studio.gui.plots.curves import CurvesPanel
from studio.gui.state.old_runs import Past
from studio.gui.state.run_view import RunPhase, RunView
from studio.gui.widgets.theme import ThemeManager
from studio.gui.window.controls import Controls
from studio.perturb.perturbation import Perturbation
from studio.progress import Progress
from studio.training.analysis import evaluate_run as evaluation_module
from studio.training.config.run_config import EvaluationConfig, RunConfig
from studio.training.engine.trainer import Trainer
from studio.training.examples.judges import Judges
from studio.training.messages.commands import CancelEvaluation
from studio.training.messages.events import Evaluated, Logged, Outcome, PerturbationApplied, Restored
from studio.training.messages.snapshot import Snapshot
from studio.training.run.session import RunRequest
from studio.training.storage.metrics import read_metrics
from studio.training.storage.recorder import Recorder
from studio.training.storage.run import Run
from studio.training.storage.run_folder import RunFolder
from studio.training.storage.run_identity import RunIdentity
from tests.gui.evaluation.test_shares_panel import evaluation
from tests.gui.hands import PATIENCE_MS, Hands
from tests.gui.shown import make_snapshot, show
from tests.library.made_runs import make_run, record_evaluation
from tests.training.conftest import tiny_config

ON_DEMAND = EvaluationConfig(budget=0, samples=200)


class Judging:
    """Stands in for judges: one that is there already, or one that comes when a test lets it, or fails to."""

    examples = None
    data_root = Path()
    possible = True

    def __init__(self, *, ready: bool) -> None:
        self._ready = ready
        self.may_come = threading.Event()
        self.fault: UserError | None = None

    def why_not(self, name: str) -> None:
        return None

    def here(self, name: str) -> object:
        return object() if self._ready else None

    def judge(self, name: str, progress: Progress) -> Any:
        self.may_come.wait(PATIENCE_MS / 1000)
        self._ready = True
        if self.fault is not None:
            raise self.fault
        return type("Judge", (), {"trained_on": "", "accuracy": 0.9})()


def begin(bench: Controls, judging: Judging, config: EvaluationConfig) -> None:
    """A run on data before these judges begins."""
    bench.setup.judges = cast(Judges, judging)
    request = RunRequest(config=RunConfig(evaluation=config), data=cast(Any, None))
    bench.runs.run_begins.emit(request, Past())


class Evaluating:
    """Stands in for the evaluation of a run on disk, which takes until a test lets it end."""

    def __init__(self, bench: Controls) -> None:
        self.may_end = threading.Event()
        self.fault: UserError | None = None
        self._found = evaluation(bench)

    def __call__(self, run: Run, *_: object, **given: object) -> Evaluated:
        self.given = given
        self.may_end.wait(PATIENCE_MS / 1000)
        if self.fault is not None:
            raise self.fault
        return Evaluated(step=run.weights_step or 0, seconds=1.0, revision=run.revision, evaluation=self._found)


@pytest.fixture
def work(controls: Controls, monkeypatch: pytest.MonkeyPatch) -> Iterator[Evaluating]:
    found = Evaluating(controls)
    monkeypatch.setattr(evaluation_module, "evaluate_run", found)
    yield found
    found.may_end.set()


@pytest.fixture
def old(controls: Controls, tmp_path: Path) -> Path:
    """A run that has ended: it diverged at step 600, and its weights are those of step 400."""
    path = make_run(tmp_path, "old", steps=600, frames=0, summary={"weights_step": 400, "revision": 3})
    begin(controls, Judging(ready=True), ON_DEMAND)
    controls.runs._set_run(RunView(phase=RunPhase.FINISHED, step=600, saved_step=600, folder=path))
    return path


def settled(qtbot: QtBot, bench: Controls) -> None:
    qtbot.waitUntil(lambda: not bench.evaluations._tasks._tasks)


@pytest.mark.parametrize("fails", [False, True])
def test_that_an_old_runs_evaluation_does_not_land_in_the_next_runs_view(
    fails: bool, qtbot: QtBot, controls: Controls, work: Evaluating, old: Path, tmp_path: Path
) -> None:
    evaluations, said = controls.evaluations, []
    controls.log.line_logged.connect(lambda line: said.append(line.text))
    evaluations.evaluate()
    begin(controls, Judging(ready=True), ON_DEMAND)
    controls.runs._set_run(RunView(phase=RunPhase.RUNNING, step=10, folder=tmp_path / "new"))
    evaluations.evaluate()  # of the new run, which is about to answer
    work.fault = UserError("It went wrong", "", "") if fails else None
    work.may_end.set()
    settled(qtbot, controls)
    assert evaluations.view.latest is None
    assert len(evaluations.view.history.history) == 0
    assert controls.target.tilt.generated is None
    assert evaluations.view.doing == "Evaluating"
    assert said == ["It went wrong." if fails else "The evaluation of step 400 of old is kept with that run"]


def test_that_a_run_that_has_ended_is_evaluated_by_as_many_samples_as_are_set_up(
    qtbot: QtBot, controls: Controls, work: Evaluating, old: Path
) -> None:
    """More may tell what as many as before have not."""
    controls.setup.edit(evaluation=EvaluationConfig(samples=12_000))
    work.may_end.set()
    with qtbot.waitSignal(controls.evaluations.evaluated):
        controls.evaluations.evaluate()
    assert work.given["count"] == 12_000
    assert controls.evaluations.shown.tip.startswith("Judge 12,000 samples by the weights of step 400")


def test_that_an_evaluation_is_of_the_step_of_the_weights_and_of_the_target_in_force_unless_given_up(
    qtbot: QtBot, controls: Controls, work: Evaluating, old: Path
) -> None:
    controls.evaluations.evaluate()
    controls.evaluations.cancel()
    work.may_end.set()
    settled(qtbot, controls)
    assert not controls.evaluations.view.recent
    controls.evaluations.evaluate()
    settled(qtbot, controls)
    latest = controls.evaluations.view.latest
    assert (latest.step, latest.revision) == (400, 3)
    assert controls.evaluations.view.doing == ""


def test_that_an_evaluation_that_its_run_cannot_keep_is_shown_and_told_of(
    qtbot: QtBot, controls: Controls, work: Evaluating, old: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    full = UserError("The metrics cannot be written", f"{old}: disk is full.", "Make room there.")
    monkeypatch.setattr(evaluation_module, "append_metrics", Mock(side_effect=full))
    controls.log.line_logged.connect(lambda line: said.append(line.text))
    controls.evaluations.evaluate()
    work.may_end.set()
    settled(qtbot, controls)
    assert controls.evaluations.view.latest is not None
    assert said == [f"old does not keep its evaluation of step 400. {full}"]


@pytest.mark.parametrize("fails", [False, True])
def test_that_an_old_runs_judge_answers_nothing_that_the_next_run_asked(
    fails: bool, qtbot: QtBot, controls: Controls, tmp_path: Path
) -> None:
    evaluations = controls.evaluations
    before, after = Judging(ready=False), Judging(ready=False)
    asking = EvaluationConfig(budget=5)
    begin(controls, before, asking)
    begin(controls, after, asking)
    controls.runs._set_run(RunView(phase=RunPhase.RUNNING, step=10, folder=tmp_path / "new"))
    evaluations.evaluate()
    assert evaluations.view.doing == "Training the judge"
    before.fault = UserError("No judge", "", "") if fails else None
    before.may_come.set()
    qtbot.waitUntil(lambda: len(evaluations._tasks._tasks) == 1)
    assert evaluations._wanted
    assert evaluations.view.doing == "Training the judge"
    after.may_come.set()
    settled(qtbot, controls)
    assert not evaluations._wanted


def test_that_a_run_that_is_about_to_begin_is_not_evaluated_by_the_weights_of_the_one_before(
    controls: Controls,
) -> None:
    """Nor is it once it was stopped before there was anything of it."""
    able: list[bool] = []
    controls.evaluations.shown_changed.connect(lambda view: able.append(view.possible))
    controls.evaluations._on_disk.steps = [5]
    controls.runs.config, controls.runs.run = controls.setup.config, RunView(folder=Path("before"), step=5)
    begin(controls, Judging(ready=True), EvaluationConfig(budget=0))
    for phase in (RunPhase.PREPARING, RunPhase.STOPPING, RunPhase.FINISHED):
        controls.runs._set_run(RunView(phase=phase))
        assert not able[-1]


def test_that_an_evaluation_of_an_earlier_step_takes_its_place_among_the_others(controls: Controls) -> None:
    for step in (100, 300, 200):
        found = Evaluated(step=step, seconds=1.0, revision=0, evaluation=evaluation(controls))
        controls.runs.evaluation_arrived.emit(found)
    assert controls.evaluations.view.history.history.steps.tolist() == [100, 200, 300]
    assert [seen.step for seen in controls.evaluations.view.recent] == [100, 200, 300]


def test_that_the_share_error_marks_where_its_run_was_edited(
    qtbot: QtBot, controls: Controls, theme: ThemeManager, tmp_path: Path
) -> None:
    """What it jumps to there is the error of another target."""
    panel, found = CurvesPanel(SHARE_ERROR, controls.evaluations, theme), evaluation(controls)
    show(qtbot, panel)
    marks = panel.plots["tv"].marks
    controls.runs._set_run(RunView(phase=RunPhase.RUNNING, step=200))
    controls.runs._on_news(None, [Evaluated(step=100, seconds=1.0, revision=0, evaluation=found)], 0)
    assert not len(marks.places)
    controls.runs._on_news(None, [PerturbationApplied(step=150, revision=1)], 0)
    assert marks.places.tolist() == [150]
    old = make_run(tmp_path, "old", steps=1000)
    record_evaluation(old, 900, 0.1, 40.0)
    with qtbot.waitSignal(controls.time.moment_shown):
        controls.time.open(old)
    assert marks.places.tolist() == [500], "those of the run that is looked at"


def test_that_after_going_back_only_the_evaluations_of_steps_kept_count(controls: Controls) -> None:
    """Of those of the steps undone neither the sentence, nor the curves, nor the cursor knows any more."""
    found = evaluation(controls)
    history = [Evaluated(step=step, seconds=1.0, revision=0, evaluation=found) for step in range(100, 2100, 100)]
    controls.runs._set_run(RunView(phase=RunPhase.RUNNING, step=2000))
    controls.runs._on_news(None, history, 0)
    controls.runs._on_news(make_snapshot(2000), [], 0)
    controls.time.seek(1900)
    controls.runs._on_news(None, [Restored(step=1350, left=2000)], 0)
    kept, shown = range(200, 1400, 100), controls.evaluations.shown
    assert [seen.step for seen in shown.recent] == list(kept)
    assert (shown.latest.step, shown.history.history.steps.max()) == (1300, 1300)
    assert [seen.step for seen in controls.target.tilt.seen] == list(kept)
    assert (controls.time.view.step, controls.time.view.following) == (1350, True)
    told: list[Snapshot] = []
    controls.time.snapshot_shown.connect(told.append)
    controls.time.tell_again()
    assert not told, "its pictures are of a step that is undone"


def test_that_at_an_earlier_step_counts_what_a_run_has_told_before_it_is_on_disk(
    qtbot: QtBot, controls: Controls, tmp_path: Path
) -> None:
    """As the curves of the share error do, and behind what was evaluated before this window's part of the run."""
    path = make_run(tmp_path, "mine", steps=40)
    record_evaluation(path, 5, 0.3, 40.0)
    found = evaluation(controls)
    controls.runs._set_run(RunView(phase=RunPhase.PAUSED, step=40, folder=path))
    controls.runs._on_news(
        None, [Evaluated(step=step, seconds=1.0, revision=0, evaluation=found) for step in (30, 36)], 0
    )
    for step, seen in ((35, [5, 30]), (29, [5]), (36, [5, 30, 36]), (4, [])):
        with qtbot.waitSignal(controls.time.moment_shown):
            controls.time.seek(step)
        shown = controls.evaluations.shown
        assert [each.step for each in shown.recent] == seen
        assert (shown.latest.step if shown.latest is not None else None) == next(reversed(seen), None)


@pytest.fixture
def kept(controls: Controls, kept_judge: None) -> Path:
    """A real run of 4 steps, edited after 2, with checkpoints of steps 2 and 4, in the workspace; digits are judged."""
    assert controls.setup.images is not None
    path = controls.setup.runs_root / "kept"
    config = tiny_config("vae").model_copy(update={"dataset": controls.setup.config.dataset, "evaluation": ON_DEMAND})
    trainer = Trainer(config, controls.setup.images)
    recorder = Recorder(RunFolder.at(path, config), trainer)
    for _ in range(2):
        for _ in range(2):
            trainer.step()
        recorder.hear(Logged(step=trainer.step_count, seconds=trainer.step_count, values={"loss_autoencoder": 1.0}))
        recorder.save(Outcome.STOPPED, trainer.step_count)
        trainer.retarget(Perturbation(offsets=(0.0, 0.0, -1.5, *(7 * (0.0,))), revision=1))
        recorder.hear(PerturbationApplied(step=trainer.step_count, revision=1))
    recorder.release()
    return path


@pytest.mark.parametrize(
    ("kept", "at", "nearest"), [([0, 1000], 300, 1000), ([0, 1000], 0, 0), ([0], 300, 0), ([200, 800], 500, 200)]
)
def test_that_weights_from_before_training_are_near_to_no_other_step(kept: list[int], at: int, nearest: int) -> None:
    run = KeptRun(folder=Path(), judges=None, asked=ON_DEMAND, steps=kept)
    assert run.nearest(at) == nearest
    assert f"weights of step {nearest:,}" in run.words(at)


def test_that_a_run_that_another_process_has_is_not_evaluated() -> None:
    """It would be written into its folder."""
    run = KeptRun(folder=Path(), judges=Mock(possible=True), asked=ON_DEMAND, steps=[9], elsewhere=True)
    assert "under way elsewhere" in run.why_not(9)


def test_that_weights_from_before_training_are_no_answer_at_a_later_step(
    qtbot: QtBot, hands: Hands, kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As of a run that another process has just begun."""
    bench, action = hands.bench, hands.window.actions_of_run["evaluate"]
    monkeypatch.setattr(RunIdentity, "kept_steps", [0])
    with qtbot.waitSignal(bench.time.moment_shown):
        bench.time.open(kept)
    assert not action.isEnabled()
    assert "Only the weights of step 0 are kept" in action.toolTip()
    bench.evaluations.evaluate()
    assert not bench.evaluations.shown.doing


def test_that_a_run_from_disk_is_evaluated_at_the_step_whose_weights_are_nearest(
    qtbot: QtBot, hands: Hands, kept: Path
) -> None:
    """By its own target at that step, in its own folder; and so by the command line."""
    bench, action = hands.bench, hands.window.actions_of_run["evaluate"]
    assert not action.isEnabled()
    with qtbot.waitSignal(bench.time.moment_shown):
        bench.time.open(kept)
    assert action.isEnabled()
    assert "weights of step 4; " in action.toolTip()
    with qtbot.waitSignal(bench.time.moment_shown):
        bench.time.seek(1)
    assert "weights of step 2, the nearest to step 1 that are kept" in action.toolTip()
    with qtbot.waitSignal(bench.evaluations.evaluated, timeout=PATIENCE_MS):
        action.trigger()
        assert bench.evaluations.shown.doing == "Evaluating step 2"
        assert not action.isEnabled()
    qtbot.waitUntil(lambda: bench.evaluations.shown.latest is not None)
    latest = bench.evaluations.shown.latest
    assert (latest.step, latest.revision, bench.time.view.step) == (2, 0, 2)
    assert latest.evaluation.shares.count == ON_DEMAND.samples
    found = read_metrics(kept).evaluations
    assert [(each.step, each.revision) for each in found] == [(2, 0)]
    assert latest.evaluation.target == pytest.approx(latest.evaluation.data), "the run had no tilt then"
    assert bench.evaluations.view.latest is None, "it is none of this window's run"


def test_that_giving_up_an_evaluation_gives_up_that_of_the_run_on_the_screen_alone(
    qtbot: QtBot, controls: Controls, work: Evaluating, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Beside it trains another run, which looks at its own shares."""
    evaluations, judging = controls.evaluations, Judging(ready=False)
    sent: list[object] = []
    monkeypatch.setattr(controls.runs, "send", sent.append)
    begin(controls, judging, EvaluationConfig(budget=5))
    controls.runs._set_run(RunView(phase=RunPhase.RUNNING, step=10, folder=tmp_path / "new"))
    with qtbot.waitSignal(controls.time.moment_shown):
        controls.time.open(kept)
    evaluations.evaluate()
    evaluations.cancel()
    assert not evaluations.shown.doing
    assert sent == [], "the other one is not told"
    judging.may_come.set()
    work.may_end.set()
    settled(qtbot, controls)
    assert evaluations._judge.is_here
    work.may_end.clear()
    evaluations.evaluate()
    asked = evaluations._on_disk.asked
    controls.time.show_live()
    evaluations.cancel()
    assert sent == [CancelEvaluation()]
    assert evaluations._on_disk.asked is asked is not None
    work.may_end.set()
    settled(qtbot, controls)
