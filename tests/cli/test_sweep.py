"""``studio sweep`` in real processes."""

import csv
import io
import json
from pathlib import Path

import pytest

from studio.cli.main import main
from studio.jobs.queue import JobQueue
from studio.jobs.runner import JobRunner
from studio.library.sweep_results import HIGH, LOW, SHARE_ERROR, SweepReader, members_of
from studio.paths import choose_runs_root
from studio.training.config.sweep_mark import read_mark
from studio.training.storage.run_identity import read_summary
from tests.cli.conftest import Says
from tests.data.image_folders import write_image_folder
from tests.jobs.test_runner import PATIENCE_S, poll_until, shorten

QUICK = {
    "batch.average_size": 8,
    "cadence.sample_every": 3600,
    "cadence.log_every": 1,
    "device": "cpu",
    "evaluation.budget": 0,
}


@pytest.mark.slow
def test_that_a_sweep_lists_its_runs_and_goes_on_where_it_was(tmp_path: Path, told: Says, refused: Says) -> None:
    path, out = tmp_path / "sweep.json", tmp_path / "out"
    fields = {"config": "digits-vae", "set": QUICK, "grid": {"perturbation.offsets.2": [-1, -2]}, "steps": 3}
    path.write_text(json.dumps(fields))
    command = ["sweep", str(path), "--out", str(out), "--jobs", "2", "--csv", str(tmp_path / "mine.csv")]
    head, first = told(*command, "--json", tmp_path / "mine.json").splitlines()[:2]
    assert head.split()[:4] == ["ΔH(2)", "status", "steps", "seconds"]
    assert first.split()[:3] == ["-1", "completed", "3"]
    table = (tmp_path / "mine.csv").read_text()
    rows = list(csv.DictReader(io.StringIO(table)))
    assert float(rows[0]["loss_autoencoder"]) > 0
    records = json.loads((tmp_path / "mine.json").read_text())["runs"]
    assert [record["perturbation.offsets.2"] for record in records] == [-1, -2]
    mark = read_mark(out / "run-002")
    assert (mark.title, mark.number, mark.count) == ("sweep", 2, 2)
    assert [(row["perturbation.offsets.2"], row["status"], row["steps"]) for row in rows] == [
        ("-1", "completed", "3"),
        ("-2", "completed", "3"),
    ]
    assert (out / "results.csv").read_text() == table
    before = (out / "run-001" / "summary.json").stat().st_mtime_ns
    assert main(command) == 0
    assert (out / "run-001" / "summary.json").stat().st_mtime_ns == before
    moved = [str(out.rename(tmp_path / "moved")) if each == str(out) else each for each in command]
    assert told(*moved).splitlines()[0] == head
    assert (tmp_path / "moved" / "results.csv").read_text() == table
    assert not out.exists()
    path.write_text(json.dumps(fields | {"steps": 4}))
    assert "another sweep" in refused(*moved)


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_that_images_are_evaluated_and_runs_without_a_folder_go_to_the_workspace(tmp_path: Path) -> None:
    choose_runs_root(tmp_path / "runs")
    path = tmp_path / "tilts.json"
    quick = {name: value for name, value in QUICK.items() if name != "evaluation.budget"} | {"evaluation.samples": 40}
    trained = quick | {"batch.average_size": 64}  # enough for some samples to be recognised: of none there is no share
    path.write_text(json.dumps({"config": "digits-vae", "set": trained, "grid": {"seed": [0, 1]}, "steps": 300}))
    assert main(["sweep", str(path)]) == 0
    marks = [read_mark(tmp_path / "runs" / f"tilts-00{number}") for number in (1, 2)]
    members = members_of(tmp_path / "runs", marks[0].sweep)
    assert [member.folder.name for member in members] == ["tilts-001", "tilts-002"]
    for run in SweepReader().read(members).runs:
        assert 0 <= run.numbers[LOW] <= run.numbers[SHARE_ERROR] <= run.numbers[HIGH] <= 1


@pytest.mark.slow
def test_that_a_job_that_was_cut_short_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    from studio.training.config.assignments import with_settings
    from studio.training.config.presets import config_or_preset
    from studio.training.config.run_config import StopCondition
    from studio.training.storage.checkpoint_store import CheckpointStore
    from studio.training.storage.metrics import read_metrics
    from studio.training.storage.run import Run

    queue = JobQueue(tmp_path / "queue.sqlite")
    quick = QUICK | {"cadence.checkpoint_every": 0.01}
    changes = [f"{path}={json.dumps(value)}" for path, value in quick.items()]
    queue.add(with_settings(config_or_preset("digits-vae"), changes), StopCondition(steps=10**6), tmp_path / "run")
    runner = JobRunner(queue)
    poll_until(runner, lambda: any(CheckpointStore(tmp_path / "run").steps))
    runner.stop(PATIENCE_S)
    (job,) = queue.jobs()
    assert job.status == "waiting"
    reached = Run.open(job.folder).summary["steps"]
    assert 0 < reached < 10**6
    shorten(queue, reached + 20)
    runner = JobRunner(queue)
    poll_until(runner, lambda: queue.jobs()[0].status.ended)
    assert queue.jobs()[0].status == "completed", queue.jobs()[0].error
    assert Run.open(job.folder).summary["steps"] == reached + 20
    steps = read_metrics(job.folder).steps
    assert (steps[1:] > steps[:-1]).all()


@pytest.mark.slow
@pytest.mark.timeout(400)
def test_that_a_sweep_trains_on_no_other_data_than_it_was_planned_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    images = write_image_folder(tmp_path / "images", classes=2)
    energies, path, out = tmp_path / "energies.csv", tmp_path / "sweep.json", tmp_path / "out"
    planned = "".join(f"{number}, 0.5\n" for number in range(7))
    energies.write_text(planned)
    terms = [{"kind": "column", "path": str(energies)}]
    folder, untilted = {"kind": "folder", "path": str(images)}, {"offsets": {}, "terms": terms}
    asked = QUICK | {"batch.average_size": 2, "dataset": folder, "perturbation": untilted}
    fields = {"config": "digits-vae", "set": asked, "grid": {"seed": [3]}, "steps": 2}
    path.write_text(json.dumps(fields))
    command = ["sweep", str(path), "--out", str(out)]

    def interrupted(_: JobRunner) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(JobRunner, "poll", interrupted)
        assert main(command) == 130
    energies.write_text(planned.replace("0.5", "1"))
    assert main(command) == 1
    assert "The data have changed since the run was queued" in capsys.readouterr().out
    energies.write_text(planned)
    image = images / "class 1" / "1.png"
    content = image.read_bytes()
    image.unlink()
    assert main(command) == 1  # though it was told so before
    assert "“class 1” has 3 images instead of 4" in capsys.readouterr().out
    assert not (out / "run-001" / "config.json").exists()
    image.write_bytes(content)
    assert main(command) == 0
    assert read_summary(out / "run-001")["steps"] == 2
