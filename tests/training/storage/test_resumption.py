"""Run folders that are gone on with: after a stop, after a kill, in a fork, from a pinned checkpoint."""

import math
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from studio.errors import UserError
from studio.evaluation.record import evaluation_of
from studio.library.compare import ABSENT, differences, read_runs
from studio.library.export.samples import how_towards
from studio.library.run_summary import summary_of
from studio.perturb.hold import Hold
from studio.training.config.file import read_config
from studio.training.config.run_config import PerturbationConfig, StopCondition
from studio.training.engine.trainer_state import Held
from studio.training.messages.commands import (
    Command,
    Pause,
    Resume,
    SampleNow,
    Save,
    SetBatchSize,
    SetLearningRate,
    Stop,
)
from studio.training.messages.events import Evaluated, Outcome
from studio.training.run.session import folder_for
from studio.training.storage.checkpoint import HeldRecord, read_record
from studio.training.storage.checkpoint_store import CheckpointStore
from studio.training.storage.metrics import append_metrics, read_metrics
from studio.training.storage.resumption import Resumption, fork, resume
from studio.training.storage.run import Run
from studio.training.storage.run_identity import RunIdentity, learned_target
from tests.training.conftest import CLASSES, WatchedRun, steps, tiny_config
from tests.training.played import Played, Script, target

Start = Callable[..., WatchedRun]


def same_weights(one: Path, other: Path) -> bool:
    pairs = [(Run.open(one).weights(part), Run.open(other).weights(part)) for part in ("model", "average")]
    return all(torch.equal(a[name], b[name]) for a, b in pairs for name in a.keys() | b.keys())


def rows(path: Path) -> dict[int, dict[str, float]]:
    """What was logged at each step, without the time it took."""
    metrics = read_metrics(path)
    columns = {name: values.tolist() for name, values in metrics.columns.items()}
    return {
        int(step): {name: values[place] for name, values in columns.items() if not math.isnan(values[place])}
        for place, step in enumerate(metrics.steps)
    }


def go_on(start_run: Start, found: Resumption, steps: int, folder: Path | None = None) -> None:
    place = folder_for(folder, found.config) if folder else found.folder
    run = start_run(found.config, folder=place, limit=StopCondition(steps=steps), resumption=found)
    finished = run.finish()
    assert (finished.error, finished.traceback) == (None, "")
    assert finished.outcome is Outcome.COMPLETED


def edited_run(folder: Path, killed: Path | None = None) -> None:
    """Twelve steps, the target changed after the fifth; a copy as it lay on disk two steps after it was last saved."""
    run = Played(tiny_config("gan"), folder, StopCondition(steps=12))

    def script() -> Script:
        yield from steps(5)
        yield [target(1, 0, -1, revision=1)]
        yield []
        if killed:
            yield [Save()]
            yield from steps(1)
            yield [SampleNow()]
            shutil.copytree(folder, killed)
        yield from steps(20)

    run.run(script())


def test_that_a_killed_run_goes_on_as_if_it_had_not_been(tmp_path: Path, start_run: Start) -> None:
    whole, watched, killed = tmp_path / "whole", tmp_path / "watched", tmp_path / "killed"
    edited_run(whole)
    edited_run(watched, killed)
    assert same_weights(whole, watched), "saving and sampling change nothing"
    assert max(rows(killed)) == 9, "written after the checkpoint"
    go_on(start_run, resume(killed), 12)
    assert same_weights(whole, killed)
    assert rows(whole) == rows(killed)
    one, other = Run.open(whole).summary, Run.open(killed).summary
    for name in ("status", "steps", "edits", "offsets", "started", "epochs", "examples", "skipped_steps"):
        assert name == "started" or one[name] == other[name], name


def test_that_a_run_edited_while_it_trained_is_what_it_became(tmp_path: Path) -> None:
    edited, plain = tmp_path / "edited", tmp_path / "plain"
    rate, batch = SetLearningRate(network="autoencoder", rate=0.5), SetBatchSize(average_size=4)
    Played(folder=edited).run([*steps(2), [target(1, 0, -1, revision=1)], [rate, batch], []])
    Played(folder=plain).run(steps(5))
    found = RunIdentity.read(edited)
    assert found.trained == found.config == found.wanted == read_config(edited / "config.json")
    assert found.trained.perturbation.offsets == {"ant": 1.0, "cat": -1.0}
    differing = {row.title: row.cells for row in differences(read_runs([plain, edited]))}
    assert differing == {
        "target edited at step": (ABSENT, "2"),
        "learning rate set at step": (ABSENT, "3"),
        "perturbation.offsets.ant": (ABSENT, "1.0"),
        "perturbation.offsets.cat": (ABSENT, "-1.0"),
        "batch.average_size": ("8.0", "4.0"),
        "model.autoencoder_optimiser.learning_rate": (differing["model.autoencoder_optimiser.learning_rate"][0], "0.5"),
    }
    assert summary_of(edited).tilt == "ant → 19 %, cat → 46.7 %"
    assert Run.open(edited).summary["began_with"]["offsets"] == {"ant": 0.0, "bee": 0.0, "cat": 0.0}


def test_that_weights_say_what_they_learned_where_the_target_was_edited_after_their_last_step(tmp_path: Path) -> None:
    path, on = tmp_path / "run", tmp_path / "on"
    edit = target(1, 0, -1, revision=1)
    Played(folder=path).run([*steps(2), [edit, Stop()]])
    run = Run.open(path)
    assert run.identity.target.offsets == {"ant": 1.0, "cat": -1.0}
    assert run.identity.learned == PerturbationConfig()
    record = read_record(CheckpointStore(path).find(2))
    assert learned_target(record.notes.began, record.notes.edits, record.step) == PerturbationConfig()
    wanted = PerturbationConfig(offsets={"bee": 1.0}).resolve(CLASSES)
    trained = how_towards(run, wanted, seed=0, averaged=True)["trained"]
    assert not any(trained["offsets"].values()), "which is beside samples of another target"
    Played(folder=on).run([*steps(2), [edit], []])
    assert RunIdentity.read(on).learned is None


def test_that_an_edit_after_the_last_checkpoint_of_a_killed_run_is_not_lost(tmp_path: Path, start_run: Start) -> None:
    folder, killed = tmp_path / "run", tmp_path / "killed"

    def script() -> Script:
        yield from steps(2)
        yield [Save()]
        yield [target(1, 0, -1, revision=1)]
        yield [SampleNow()]
        shutil.copytree(folder, killed)

    Played(folder=folder).run(script())
    found = resume(killed)
    assert (found.step, found.revision, found.retargeted) == (2, 1, True)
    go_on(start_run, found, 6)
    assert Run.open(killed).config.perturbation.offsets == {"ant": 1.0, "cat": -1.0}
    again = resume(killed)
    assert (again.step, again.revision, again.retargeted) == (6, 1, False)


def test_that_a_target_that_was_set_and_set_back_where_a_run_stood_is_two_edits_to_the_last_bit(
    tmp_path: Path, start_run: Start
) -> None:
    """Also where no step was taken between: planned anew as by a run under way, and not as if nothing had been."""
    whole, stopped = tmp_path / "whole", tmp_path / "stopped"
    there, back = target(1, 0, 0, revision=1), target(0, 0, 0, revision=2)
    edits: list[list[Command]] = [[Pause()], [there], [back], [Resume()]]
    Played(tiny_config("gan"), whole, StopCondition(steps=12)).run([*steps(5), *edits, *steps(20)])
    Played(tiny_config("gan"), stopped, StopCondition(steps=5)).run(steps(20))
    for offset, last in ((1, 5), (0, 12)):
        go_on(start_run, resume(stopped, None, [f"perturbation.offsets.ant={offset}"]), last)
    assert same_weights(whole, stopped)
    assert Run.open(whole).summary["edits"] == Run.open(stopped).summary["edits"]


def test_that_what_was_found_of_a_target_that_came_after_the_checkpoint_is_lost_with_it(run_path: Path) -> None:
    """As of an edit at the very step, before the run was killed: another target has that revision from now on."""
    Played(folder=run_path).run(steps(2))
    found = evaluation_of({"classes": {name: {} for name in CLASSES}, "unsure": {}, "count": 10})
    seen = [Evaluated(step=2, seconds=0.0, revision=revision, evaluation=found) for revision in (0, 1)]
    append_metrics(run_path, evaluations=seen)
    resume(run_path).folder().release()
    assert [each.revision for each in read_metrics(run_path).evaluations] == [0]


def test_that_a_completed_run_goes_on_and_its_time_counts_on(run_path: Path, start_run: Start) -> None:
    start_run(folder=folder_for(run_path, tiny_config()), limit=StopCondition(steps=4)).finish()
    before = Run.open(run_path).summary
    found = resume(run_path)
    assert found.step == 4
    assert found.seconds == pytest.approx(before["seconds"], abs=1e-3)
    go_on(start_run, found, 9)
    after = Run.open(run_path).summary
    assert after["steps"] == 9
    assert after["started"] == before["started"]
    assert after["seconds"] > before["seconds"]


def test_that_the_last_three_checkpoints_are_kept_and_pinned_ones(run_path: Path) -> None:
    run = Played(folder=run_path)

    def script() -> Script:
        for _ in range(5):
            yield [Save()]
            if CheckpointStore(run_path).steps[-1] == 1:
                CheckpointStore(run_path).pin(1)

    run.run(script())
    shelf = CheckpointStore(run_path)
    assert shelf.steps == [1, 3, 4, 5]
    assert shelf.pinned == [1]
    assert resume(run_path).step == 5
    assert resume(run_path, 1).step == 1
    shelf.unpin(1)
    assert shelf.steps == [3, 4, 5]
    with pytest.raises(UserError, match="3, 4, 5"):
        resume(run_path, 1)


def test_that_a_step_is_found_where_it_stays_and_as_it_was_saved_last(tmp_path: Path) -> None:
    """While a run that trains elsewhere drops its oldest one, a pinned one can be read on."""
    shelf = CheckpointStore(tmp_path)
    shelf.put(1, b"one")
    shelf.pin(1)
    found = shelf.find(1)
    for step in (2, 3, 4):
        shelf.put(step, b"later")
    assert found.read_bytes() == b"one"
    shelf.pin(4)
    shelf.put(4, b"edited at this step")
    assert {shelf.find(step).read_bytes() for step in (4, None)} == {b"edited at this step"}
    shelf.unpin(4)
    assert shelf.find(4).read_bytes() == b"edited at this step"


def test_that_what_was_pinned_of_steps_that_are_undone_is_none_of_the_run_any_more(tmp_path: Path) -> None:
    """Its weights have another history than the curves and samples of that step; it is kept aside."""
    shelf = CheckpointStore(tmp_path)
    for step in (10, 20):
        shelf.put(step, str(step).encode())
        shelf.pin(step)
    shelf.put(15, b"gone back")
    assert (shelf.steps, shelf.pinned) == ([10, 15], [10])
    assert [path.read_bytes() for path in (tmp_path / "checkpoints" / "undone").iterdir()] == [b"20"]


def test_that_a_checkpoint_is_made_when_its_time_has_come(run_path: Path) -> None:
    run = Played(tiny_config(cadence={"checkpoint_every": 0.01, "sample_every": 3600}), run_path)

    def script() -> Script:
        yield []
        run.loop._clock._before += 1.0
        yield from steps(2)
        assert CheckpointStore(run_path).steps == [0, 2]

    # 0.01 minutes are 0.6 seconds
    run.run(script())


def test_that_a_fork_begins_there_with_another_tilt_and_leaves_the_old_run_alone(
    tmp_path: Path, start_run: Start
) -> None:
    old, new, same, start = (tmp_path / name for name in ("old", "new", "same", "start"))
    edited_run(old)
    before = {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    found = fork(old, None, ["perturbation.offsets.bee=-2"])
    assert found.config.perturbation.offsets == {"ant": 1.0, "bee": -2.0, "cat": -1.0}
    go_on(start_run, found, 15, new)
    summary = Run.open(new).summary
    assert summary["forked_from"] == {"run": str(old), "step": 12}
    assert summary["offsets"]["bee"] == -2.0
    assert [(each["step"], each["offsets"]["bee"]) for each in summary["edits"]] == [(5, 0.0), (12, -2.0)]
    go_on(start_run, fork(old, None, ["perturbation.offsets.bee=-2"]), 12, start)
    learned = RunIdentity.read(start).learned
    assert learned.offsets == {"ant": 1.0, "cat": -1.0}, "no step was taken since the fork"
    assert read_config(new / "config.json").perturbation.offsets["bee"] == -2.0
    go_on(start_run, fork(old), 15, same)
    assert not same_weights(new, same)
    assert before == {path: path.read_bytes() for path in old.rglob("*") if path.is_file()}
    go_on(start_run, resume(old), 15)
    assert same_weights(old, same), "without another tilt a fork is the same run elsewhere"
    with pytest.raises(UserError, match="model"):
        fork(old, None, ["model.width=8"])


@pytest.mark.parametrize("names", [("../../evil",), (), ("autoencoder", "critic")])
def test_that_a_checkpoint_of_other_networks_is_refused(
    run_path: Path, start_run: Start, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
) -> None:
    start_run(folder=folder_for(run_path, tiny_config()), limit=StopCondition(steps=2)).finish()
    whole = read_record(CheckpointStore(run_path).find(None))
    other = whole.model_copy(update={"rates": dict.fromkeys(names, 1e-3)})
    monkeypatch.setattr("studio.training.storage.resumption.read_record", lambda path: other)
    for look in (resume, fork):
        with pytest.raises(UserError, match="does not fit its run"):
            look(run_path)


def test_that_other_data_and_links_that_lead_elsewhere_are_refused(tmp_path: Path, start_run: Start) -> None:
    from tests.training.conftest import tiny_images

    path = tmp_path / "run"
    start_run(folder=folder_for(path, tiny_config()), limit=StopCondition(steps=2)).finish()
    found = resume(path)
    run = start_run(
        found.config,
        data=lambda _: tiny_images(seed=1),
        folder=found.folder,
        resumption=found,
        limit=StopCondition(steps=4),
    )
    assert "data set" in str(run.finish().error)
    (path / "metrics.sqlite").rename(tmp_path / "elsewhere")
    (path / "metrics.sqlite").symlink_to(tmp_path / "elsewhere")
    run = start_run(found.config, folder=found.folder, resumption=found, limit=StopCondition(steps=4))
    assert "is a link" in str(run.finish().error)
    with pytest.raises(UserError, match="cannot be opened"):
        resume(tmp_path / "nowhere")


def test_that_where_holding_began_is_kept_and_is_nothing_in_runs_from_before() -> None:
    held = Held(hold=replace(Hold.begun((0.3, 0.0, -0.1)), looks=4), step=9, judge="j", revision=2)
    record = HeldRecord.of(held).model_dump(mode="json")
    assert HeldRecord.model_validate(record).held() == held
    assert record.pop("start") == [0.3, 0.0, -0.1]
    assert HeldRecord.model_validate(record).held().hold.start == (0.0, 0.0, 0.0)
