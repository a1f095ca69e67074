"""Going on with runs from the command line: `resume`, `fork`, `pin`."""

import contextlib
import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from studio.cli.main import main
from studio.library.find import find_run
from studio.library.notes import RunNotes, write_notes
from studio.paths import choose_runs_root
from studio.training.storage.metrics import read_metrics
from studio.training.storage.run import Run
from tests.cli.conftest import QUICK, TILTED, Says


def test_that_a_resumed_run_ends_at_its_step_as_one_that_never_stopped(trained: Path, tmp_path: Path) -> None:
    run, whole = tmp_path / "run", tmp_path / "whole"
    shutil.copytree(trained, run)
    assert main(["resume", str(run), "--steps", "35"]) == 0
    assert main(["train", "digits-vae", "--steps", "35", "--run-dir", str(whole), *QUICK, *TILTED]) == 0
    one, other = Run.open(run).weights("model"), Run.open(whole).weights("model")
    assert all(torch.equal(one[name], other[name]) for name in one)
    assert read_metrics(run).steps.tolist() == [5, 10, 15, 20, 25, 30, 35]


def test_that_a_run_that_is_there_already_says_so(trained: Path, refused: Says) -> None:
    assert "at step 20 already" in refused("resume", trained, "--steps", "20")


@pytest.mark.usefixtures("ticking")
def test_that_a_fork_takes_the_minutes_and_the_tilt_it_is_given(trained: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    tilt = ["--set", "perturbation.offsets.2=-1"]
    assert main(["fork", str(trained), "--step", "20", *tilt, "--minutes", "0.02", "--run-dir", str(new)]) == 0
    summary = Run.open(new).summary
    assert summary["steps"] > 20
    assert summary["offsets"]["2"] == -1
    assert summary["forked_from"]["step"] == 20


def test_that_checkpoints_are_listed_and_pinned(trained: Path, tmp_path: Path, told: Says) -> None:
    run = tmp_path / "run"
    shutil.copytree(trained, run)
    for options, shown in (([], ["0", "20"]), (["--step", "0"], ["0", "pinned", "20"])):
        assert told("pin", run, *options).split() == shown
    assert main(["pin", str(run), "--step", "7"]) == 2
    assert main(["pin", str(run), "--step", "0", "--off"]) == 0


def test_that_runs_are_called_by_their_names_in_the_workspace(
    trained: Path, tmp_path: Path, told: Says, refused: Says
) -> None:
    root, out = tmp_path / "runs", tmp_path / "samples.npz"
    run = root / "folder of it"
    shutil.copytree(trained, run)
    write_notes(run, RunNotes(name="my run"))
    choose_runs_root(root)
    assert main(["resume", "my run", "--steps", "25"]) == 0
    assert main(["sample", "folder of it", "--count", "2", "--out", str(out)]) == 0
    assert main(["fork", "my run", "--steps", "26", "--run-dir", str(tmp_path / "fork")]) == 0
    assert main(["train", "my run", "--steps", "2", "--run-dir", str(tmp_path / "again")]) == 0
    assert Run.open(tmp_path / "again").config == Run.open(run).config
    assert told("pin", "my run").split() == ["0", "20", "25"]
    assert "no such run" in refused("sample", "my run", "--workspace", tmp_path / "none", "--out", out)
    assert "neither a preset nor a file nor a run" in refused("train", "his run")


def test_that_a_folder_that_is_a_run_goes_before_one_in_the_workspace(trained: Path, tmp_path: Path) -> None:
    root = tmp_path / "runs"
    (tmp_path / "here").mkdir()
    shutil.copytree(trained, root / "name")
    choose_runs_root(root)
    with contextlib.chdir(tmp_path / "here"):
        Path("name").mkdir()  # not a run
        assert find_run("name") == root / "name"
        shutil.copytree(trained, "name", dirs_exist_ok=True)
        assert find_run("name") == Path("name")


def test_that_weights_older_than_the_end_of_a_killed_run_are_told_of(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    killed = tmp_path / "killed"
    shutil.copytree(trained, killed)
    out = str(tmp_path / "samples.npz")
    assert main(["sample", str(killed), "--count", "2", "--out", out]) == 0
    assert capsys.readouterr().err == ""
    summary = json.loads((killed / "summary.json").read_text())
    (killed / "summary.json").write_text(json.dumps(summary | {"status": "running", "steps": 10, "weights_step": 10}))
    weights = killed / "weights.safetensors"
    save_file(load_file(weights), weights, {"step": "10"})
    assert main(["sample", str(killed), "--count", "2", "--out", out]) == 0
    said = capsys.readouterr().err
    assert "cut short at step 20" in said
    assert "of step 10" in said
