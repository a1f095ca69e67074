"""``studio sweep`` in real processes."""

from __future__ import annotations

import csv
import io
import json
import time
from pathlib import Path

import pytest

from studio.cli import main
from studio.jobs.job import Job
from studio.jobs.queue import JobQueue

QUICK = {"batch.average_size": 8, "cadence.sample_every": 3600, "device": "cpu"}


@pytest.mark.slow
def test_that_a_sweep_lists_its_runs_and_goes_on_where_it_was(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "sweep.json", tmp_path / "out"
    fields = {"config": "digits-vae", "set": QUICK, "grid": {"perturbation.offsets.2": [-1, -2]}, "steps": 3}
    path.write_text(json.dumps(fields))
    command = ["sweep", str(path), "--out", str(out), "--jobs", "2"]
    assert main(command) == 0
    table = capsys.readouterr().out
    rows = list(csv.DictReader(io.StringIO(table)))
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
def test_that_a_job_that_was_cut_short_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    from studio.jobs.runner import JobRunner
    from studio.training.assignments import with_settings
    from studio.training.limit import Limit
    from studio.training.metrics import read_metrics
    from studio.training.presets import config_or_preset
    from studio.training.saved_run import SavedRun

    queue = JobQueue(tmp_path / "queue.sqlite")
    changes = [f"{path}={json.dumps(value)}" for path, value in QUICK.items()]
    queue.add(with_settings(config_or_preset("digits-vae"), changes), Limit(steps=10**6), tmp_path / "run")
    runner = JobRunner(queue)
    deadline = time.monotonic() + 90
    while not (tmp_path / "run" / "checkpoints").exists() and time.monotonic() < deadline:
        runner.poll()
        time.sleep(0.1)
    time.sleep(1)
    runner.stop()
    (job,) = queue.jobs()
    assert job.status == "waiting"
    reached = SavedRun.open(job.folder).summary["steps"]
    assert 0 < reached < 10**6
    (again,) = _shortened(queue, reached + 20)
    runner = JobRunner(queue)
    while not queue.jobs()[0].status.ended and time.monotonic() < deadline:
        runner.poll()
        time.sleep(0.1)
    assert queue.jobs()[0].status == "completed", queue.jobs()[0].error
    assert SavedRun.open(again.folder).summary["steps"] == reached + 20
    steps = read_metrics(again.folder).steps
    assert (steps[1:] > steps[:-1]).all()


def _shortened(queue: JobQueue, steps: int) -> tuple[Job, ...]:
    """The queue's jobs, complete at that step."""
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(queue.path)) as database, database:
        database.execute("UPDATE job SET steps=?", (steps,))
    return queue.jobs()
