"""`studio runs`, `compare`, `export`, `report` and `import`, as a terminal calls them."""

import json
from pathlib import Path

import pytest

from studio.paths import choose_runs_root
from tests.cli.conftest import Says
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


def test_that_runs_are_listed(workspace: Path, told: Says) -> None:
    out = told("runs")
    lines = {line.split()[0]: line.split() for line in out.splitlines()}
    assert lines["tilted"][1:] == ["Digits", "VAE", "2", "−1.36", "500", "10", "s", "0.03", "12", "completed", "a"]
    assert lines["c"][-2:] == ["damaged", "c"]
    record_evaluation(workspace / "b", 100, 0.476, 30.0)
    assert "0.476 (step 100)" in told("runs", "plain")
    assert [line.split()[0] for line in told("runs", "wgan", "PLAIN").splitlines()] == ["run", "plain"]
    (record,) = json.loads(told("runs", "--json", "damaged"))
    assert "not valid JSON" in record["fault"]


def test_that_an_empty_workspace_says_so(tmp_path: Path, told: Says) -> None:
    assert told("runs", "--workspace", tmp_path) == f"No runs in {tmp_path}\n"


def test_that_runs_are_compared_by_name_and_by_folder(workspace: Path, told: Says, refused: Says) -> None:
    out = told("compare", "tilted", workspace / "b")
    assert "Share error TV" in out
    assert "perturbation.offsets.2" in out
    assert "two to 8" in refused("compare", "tilted")


@pytest.mark.slow  # torch.export loads the compiler
def test_that_a_run_is_exported_in_parts_and_whole(workspace: Path, tmp_path: Path, told: Says) -> None:
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
    lines = told("export", "tilted", *asked, "--step", "200", "--count", "3", "--seconds", "1", "--raw").splitlines()
    for line, (file, said) in zip(lines, written.values(), strict=True):
        assert line.endswith(f" in {tmp_path / file}")
        assert line.startswith(said)
        assert (tmp_path / file).exists()
    assert told("import", tmp_path / "out.zip") == f"The run is in {workspace / 'a-2'}\n"


def test_that_a_report_has_the_name_of_its_run(
    workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: Says
) -> None:
    monkeypatch.chdir(tmp_path)
    assert told("report", "tilted") == "Report in a.html\n"
    assert "<svg" in (tmp_path / "a.html").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["export", "tilted"], "Nothing was asked for"),
        (["export", "nobody", "--csv", "x.csv"], "no such run"),
        (["report", "c"], "not valid JSON"),
        (["import", "none.zip"], "cannot be opened"),
        (["export", "tilted", "--timelapse", "x.avi"], "cannot be of this format"),
        (["export", "plain", "--npz", "x.npz"], "weights cannot be read"),
    ],
)
def test_that_what_can_be_mended_is_one_line(arguments: list[str], said: str, workspace: Path, refused: Says) -> None:
    assert said in refused(*arguments)


def test_that_two_runs_of_one_name_are_told_apart(workspace: Path, refused: Says) -> None:
    make_run(workspace, "d", make_config("tilted"))
    assert "More than one run" in refused("report", "tilted")


def test_that_runs_are_named_for_scripts(workspace: Path, told: Says) -> None:
    assert told("runs", "--names").split() == ["a", "b", "c"]
