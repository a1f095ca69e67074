"""``studio sweep`` in real processes."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from studio.cli import main

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
