"""`studio runs`, `compare`, `export`, `report` and `import`, as a terminal calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.cli.main import main
from studio.paths import choose_runs_root
from tests.library.made_runs import add_weights, make_config, make_run, record_evaluation


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The one that was chosen, with two runs and a damaged one."""
    root = tmp_path / "runs"
    tilted = make_run(root, "a", make_config("tilted", offsets={"2": -1.36}, width=4, latent_size=4), steps=500)
    record_evaluation(add_weights(tilted), 500, 0.03, 12.0)
    make_run(root, "b", make_config("plain", "wgan_gp"), steps=300)
    (make_run(root, "c") / "config.json").write_text("{")
    choose_runs_root(root)
    return root


def test_that_runs_are_listed(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs"]) == 0
    out = capsys.readouterr().out
    lines = {line.split()[0]: line.split() for line in out.splitlines()}
    assert lines["tilted"][1:] == ["Digits", "VAE", "2", "−1.36", "500", "10", "s", "0.03", "12", "completed", "a"]
    assert lines["c"][-2:] == ["damaged", "c"]
    record_evaluation(workspace / "b", 100, 0.476, 30.0)
    assert main(["runs", "plain"]) == 0
    assert "0.476 (step 100)" in capsys.readouterr().out
    assert main(["runs", "wgan", "PLAIN"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["run", "plain"]
    assert main(["runs", "--json", "damaged"]) == 0
    (record,) = json.loads(capsys.readouterr().out)
    assert "not valid JSON" in record["fault"]


def test_that_an_empty_workspace_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--workspace", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"No runs in {tmp_path}\n"


def test_that_runs_are_compared_by_name_and_by_folder(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["compare", "tilted", str(workspace / "b")]) == 0
    out = capsys.readouterr().out
    assert "Share error TV" in out
    assert "perturbation.offsets.2" in out
    assert main(["compare", "tilted"]) == 2
    assert "two to 8" in capsys.readouterr().err


@pytest.mark.slow  # torch.export loads the compiler
def test_that_a_run_is_exported_in_parts_and_whole(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    written = {
        "grid": ("out.png", "Samples of step 167"),
        "timelapse": ("out.mp4", "4 grids"),
        "npz": ("out.npz", "3 samples"),
        "csv": ("out.csv", "50 rows"),
        "parquet": ("out.parquet", "50 rows"),
        "tensorboard": ("events", "50 steps"),
        "weights": ("out.safetensors", ""),
        "torch-export": ("out.pt2", "The decoder, to the mean of p(x|z) by its raw weights, just as the original,"),
        "report": ("out.html", "Report"),
        "zip": ("out.zip", "5 files"),
    }
    asked = [word for name, (file, _) in written.items() for word in (f"--{name}", str(tmp_path / file))]
    assert main(["export", "tilted", *asked, "--step", "200", "--count", "3", "--seconds", "1", "--raw"]) == 0
    lines = capsys.readouterr().out.splitlines()
    for line, (file, said) in zip(lines, written.values(), strict=True):
        assert line.endswith(f" in {tmp_path / file}")
        assert line.startswith(said)
        assert (tmp_path / file).exists()
    assert main(["import", str(tmp_path / "out.zip")]) == 0
    assert capsys.readouterr().out == f"The run is in {workspace / 'a-2'}\n"


def test_that_a_report_has_the_name_of_its_run(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["report", "tilted"]) == 0
    assert capsys.readouterr().out == "Report in a.html\n"
    assert "<svg" in (tmp_path / "a.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["export", "tilted"], "Nothing was asked for"),
        (["export", "nobody", "--csv", "x.csv"], "no such run"),
        (["report", "c"], "not valid JSON"),
        (["import", "none.zip"], "cannot be opened"),
        (["export", "tilted", "--timelapse", "x.avi"], "cannot be of this format"),
        (["export", "plain", "--onnx", "x.onnx"], "weights cannot be read"),
    ],
)
def test_that_what_can_be_mended_is_one_line(
    arguments: list[str], said: str, workspace: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    err = capsys.readouterr().err
    assert said in err
    assert "Traceback" not in err


def test_that_two_runs_of_one_name_are_told_apart(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_run(workspace, "d", make_config("tilted"))
    assert main(["report", "tilted"]) == 2
    assert "More than one run" in capsys.readouterr().err


def test_that_runs_are_named_for_scripts(workspace: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["runs", "--names"]) == 0
    assert capsys.readouterr().out.split() == ["a", "b", "c"]
