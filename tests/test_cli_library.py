"""`studio runs`, `compare`, `export`, `report` and `import`, as a terminal calls them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from studio.cli import main
from studio.paths import choose_runs_root
from tests.library.made_runs import make_config, make_run, record_evaluation


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """The one that was chosen, with two runs and a damaged one."""
    root = tmp_path / "runs"
    record_evaluation(make_run(root, "a", make_config("tilted", offsets={"2": -1.36}), steps=500), 500, 0.03, 12.0)
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


def test_that_a_run_is_exported_in_parts_and_whole(
    workspace: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {name: tmp_path / f"out.{name}" for name in ("csv", "png", "gif", "zip")}
    asked = ["--csv", files["csv"], "--grid", files["png"], "--timelapse", files["gif"], "--zip", files["zip"]]
    assert main(["export", "tilted", *map(str, asked), "--step", "200"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        f"50 rows in {files['csv']}",
        f"Samples of step 167 in {files['png']}",
        f"4 grids in {files['gif']}",
        f"4 files in {files['zip']}",
    ]
    assert main(["import", str(files["zip"])]) == 0
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
        (["export", "tilted", "--timelapse", "x.mp4"], "cannot be of this format"),
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


@pytest.mark.parametrize("command", ["runs", "compare", "export", "report", "import"])
def test_that_help_teaches_by_example(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    assert f"example: studio {command}" in capsys.readouterr().out
