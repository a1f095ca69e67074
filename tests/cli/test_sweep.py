"""``studio sweep`` in real processes."""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path

import pytest

from studio.cli.main import main
from studio.jobs.job import Job
from studio.jobs.queue import JobQueue
from studio.library.sweep_results import HIGH, LOW, SHARE_ERROR, SweepReader, members_of
from studio.paths import choose_runs_root
from studio.training.config.sweep_mark import read_mark

QUICK = {
    "batch.average_size": 8,
    "cadence.sample_every": 3600,
    "cadence.log_every": 1,
    "device": "cpu",
    "evaluation.budget": 0,
}


@pytest.mark.slow
def test_that_a_sweep_lists_its_runs_and_goes_on_where_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "sweep.json", tmp_path / "out"
    fields = {"config": "digits-vae", "set": QUICK, "grid": {"perturbation.offsets.2": [-1, -2]}, "steps": 3}
    path.write_text(json.dumps(fields))
    command = ["sweep", str(path), "--out", str(out), "--jobs", "2", "--csv", str(tmp_path / "mine.csv")]
    assert main([*command, "--json", str(tmp_path / "mine.json")]) == 0
    told = capsys.readouterr().out.splitlines()
    assert told[0].split()[:4] == ["ΔH(2)", "status", "steps", "seconds"]
    assert told[1].split()[:3] == ["-1", "completed", "3"]
    table = (tmp_path / "mine.csv").read_text()
    rows = list(csv.DictReader(io.StringIO(table)))
    assert float(rows[0]["loss_autoencoder"]) > 0
    records = json.loads((tmp_path / "mine.json").read_text())["runs"]
    assert [record["perturbation.offsets.2"] for record in records] == [-1, -2]
    mark = read_mark(out / "run-002")
    assert mark is not None
    assert (mark.title, mark.number, mark.count) == ("sweep", 2, 2)
    assert [(row["perturbation.offsets.2"], row["status"], row["steps"]) for row in rows] == [
        ("-1", "completed", "3"),
        ("-2", "completed", "3"),
    ]
    assert (out / "results.csv").read_text() == table
    before = (out / "run-001" / "summary.json").stat().st_mtime_ns
    assert main(command) == 0
    assert (out / "run-001" / "summary.json").stat().st_mtime_ns == before
    path.write_text(json.dumps(fields | {"steps": 4}))
    assert main(command) == 2
    assert "another sweep" in capsys.readouterr().err


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
    assert marks[0] is not None
    members = members_of(tmp_path / "runs", marks[0].sweep)
    assert [member.folder.name for member in members] == ["tilts-001", "tilts-002"]
    for run in SweepReader().read(members).runs:
        assert 0 <= run.numbers[LOW] <= run.numbers[SHARE_ERROR] <= run.numbers[HIGH] <= 1


@pytest.mark.slow
def test_that_a_job_that_was_cut_short_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    from studio.jobs.runner import JobRunner
    from studio.training.config.assignments import with_settings
    from studio.training.config.presets import config_or_preset
    from studio.training.config.run_config import StopCondition
    from studio.training.storage.metrics import read_metrics
    from studio.training.storage.run import Run

    queue = JobQueue(tmp_path / "queue.sqlite")
    changes = [f"{path}={json.dumps(value)}" for path, value in QUICK.items()]
    queue.add(with_settings(config_or_preset("digits-vae"), changes), StopCondition(steps=10**6), tmp_path / "run")
    runner = JobRunner(queue)
    deadline = time.monotonic() + 90
    while not (tmp_path / "run" / "checkpoints").exists() and time.monotonic() < deadline:
        runner.poll()
        time.sleep(0.1)
    time.sleep(1)
    runner.stop()
    (job,) = queue.jobs()
    assert job.status == "waiting"
    reached = Run.open(job.folder).summary["steps"]
    assert 0 < reached < 10**6
    (again,) = _shortened(queue, reached + 20)
    runner = JobRunner(queue)
    while not queue.jobs()[0].status.ended and time.monotonic() < deadline:
        runner.poll()
        time.sleep(0.1)
    assert queue.jobs()[0].status == "completed", queue.jobs()[0].error
    assert Run.open(again.folder).summary["steps"] == reached + 20
    steps = read_metrics(again.folder).steps
    assert (steps[1:] > steps[:-1]).all()


def _shortened(queue: JobQueue, steps: int) -> tuple[Job, ...]:
    """The queue's jobs, complete at that step."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(queue.path)) as database, database:
        database.execute("UPDATE job SET steps=?", (steps,))
    return queue.jobs()
