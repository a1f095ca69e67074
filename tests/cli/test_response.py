"""`studio response`: the model, to first order, beside its data."""

import json
from pathlib import Path

import numpy as np
import pytest

from studio.cli.main import main
from studio.response import parameters
from tests.cli.conftest import Says


@pytest.fixture
def briefly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few draws, for what is computed is not looked at."""
    for name in ("_MOST", "_LEAST", "_FANTASIES", "_PUSHED"):
        monkeypatch.setattr(parameters, name, 40)
    monkeypatch.setattr(parameters, "_ITERATIONS", 2)


def trained(path: Path, *settings: str) -> str:
    small = ("model.width=4", "dataset.count=400", "batch.average_size=8", "perturbation.offsets={}")
    given = [part for setting in (*small, *settings) for part in ("--set", setting)]
    assert main(["train", "planar-vae", "--steps", "3", "--run-dir", str(path), *given]) == 0
    return str(path)


@pytest.mark.usefixtures("briefly")
def test_that_data_and_model_stand_side_by_side(tmp_path: Path, told: Says) -> None:
    """The north has 5 % of the data; at s = 1 it is asked to have 30 %, and ΔH = −log(0.3·0.95/(0.7·0.05)) = −2.097."""
    run = trained(tmp_path / "run")
    out = told("response", run, "--share", "north=30%", "--mean", "x", "--count", "100")
    groups, head, *lines, empty, legend, whose = out.splitlines()
    assert groups.split("  ")[0] == ""
    assert [group for group in groups.split("  ") if group.strip()][-1].strip() == "s = 1"
    assert head.split() == ["data", "model"] * 2 + ["1st", "2nd", "model"] * 2
    assert (empty, legend.partition(":")[0], whose) == ("", "1st, 2nd", "run at step 3")
    assert max(map(len, lines)) <= 130
    assert [line.split("  ")[0] for line in lines] == [*(f"share of {c} (%)" for c in ("west", "east", "north")), "⟨x⟩"]
    cells = [cell.strip() for cell in lines[2].split("  ") if cell.strip()]
    assert (cells[1], cells[3]) == ("5", "9.96")  # 100·0.05·0.95·2.097
    assert len(cells) == 11


@pytest.mark.usefixtures("briefly")
def test_that_samples_of_stepped_weights_are_saved_with_how_they_were_made(tmp_path: Path) -> None:
    run, out = trained(tmp_path / "run"), tmp_path / "stepped.npz"
    assert main(["response", run, "--offset", "north=-1", "--count", "100", "--apply", str(out), "--scale", "0.5"]) == 0
    with np.load(out) as arrays:
        assert arrays["points"].shape == (100, 2)
        how = json.loads(str(arrays["how"]))
    assert how["first_order"] == {"s": 0.5}
    assert (how["run"], how["step"], how["target"]["offsets"]["north"]) == ("run", 3, -1.0)


@pytest.mark.usefixtures("briefly")
def test_that_a_gan_and_no_tilt_are_refused(tmp_path: Path, refused: Says) -> None:
    run = trained(tmp_path / "run", "model.kind=gan")
    assert "a loss each" in refused("response", run, "--share", "north=30%")
    assert "No tilt was asked for" in refused("response", run)
