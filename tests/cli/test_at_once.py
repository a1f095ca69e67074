"""`studio sample` and `studio evaluate` for another target than the run was trained for."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio.cli.arguments import METHODS
from studio.cli.main import main
from studio.models.catalog import MODELS
from studio.sampling.choice import Method
from studio.training.storage.metrics import read_metrics
from studio.training.storage.run_identity import RunIdentity
from tests.cli.conftest import Says

pytestmark = pytest.mark.usefixtures("kept_judge")

KINDS = [spec for spec in MODELS if spec.kind not in ("gan", "wgan", "sn_gan")]
"""Models; of those that have the code of the WGAN-GP, it alone."""
SMALL = {"width": 4, "hidden_units": 8, "buffer_size": 64, "chains": 64, "langevin_steps": 2, "sampling_steps": 4}


def train(path: Path, kind: str, *more: str) -> Path:
    fields = next(spec.config.model_fields for spec in MODELS if spec.kind == kind)
    small = [f"model.{name}={value}" for name, value in SMALL.items() if name in fields]
    settings = [f"model.kind={kind}", *small, "batch.average_size=8", "perturbation.offsets.2=-0.5", *more]
    given = [part for setting in settings for part in ("--set", setting)]
    assert main(["train", "digits-vae", "--steps", "5", "--run-dir", str(path), *given]) == 0
    return path


def how_of(path: Path) -> dict[str, Any]:
    with np.load(path) as file:
        found: dict[str, Any] = json.loads(str(file["how"]))
        return found


def test_that_samples_of_another_target_say_how_they_were_made(trained: Path, tmp_path: Path, told: Says) -> None:
    out = tmp_path / "samples.npz"
    asked = ["--share", "2=30%", "--formula", '0.01*ink + 0.1*(label == "3")', "--offset", "5=0.5"]
    assert "20 samples by resample" in told("sample", trained, "--count", "20", *asked, "--output", out)
    with np.load(out) as file:
        assert (file["images"].dtype, file["images"].shape) == (np.uint8, (20, 8, 8, 1))
    how = how_of(out)
    assert (how["run"], how["step"], how["at_once"]["method"]) == ("run", 20, "resample")
    assert how["target"]["offsets"]["5"] == 0.5
    assert "ink" in how["target"]["terms"][0]
    assert how["target"]["energy"]["terms"][-1]["text"] == asked[3]
    assert (how["target"]["energy"]["temperature"], how["trained"]["offsets"]["2"]) == (1.0, -1.5)


@pytest.mark.parametrize("asked", [("--share", "2=30%", "--offset", "2=1"), ("--share", "2=30%", "--share", "2=40%")])
def test_that_a_class_is_asked_for_once(asked: tuple[str, ...], trained: Path, tmp_path: Path, refused: Says) -> None:
    assert "Class “2” is asked for twice" in refused("sample", trained, "--out", tmp_path / "a.npz", *asked)


@pytest.mark.parametrize("asked", [(), ("--share", "2=30%")])
def test_that_what_was_evaluated_is_told_where_its_file_cannot_be_written(
    asked: tuple[str, ...], trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(trained), "--count", "40", "--json", str(tmp_path), *asked]) == 2
    said = capsys.readouterr()
    assert "Total variation" in said.out
    assert "could not be written" in said.err


@pytest.mark.parametrize("command", [("sample", "--out"), ("export", "--grid"), ("export", "--npz")])
def test_that_a_name_of_another_kind_of_file_is_refused(
    command: tuple[str, str], trained: Path, tmp_path: Path, refused: Says
) -> None:
    assert "cannot be of this format" in refused(command[0], trained, command[1], tmp_path / "a.jpg")
    assert not (tmp_path / "a.jpg").exists()


def test_that_plain_samples_say_how_they_were_made_too(trained: Path, tmp_path: Path) -> None:
    out = tmp_path / "plain.npz"
    assert main(["sample", str(trained), "--seed", "3", "--count", "5", "--out", str(out)]) == 0
    data = RunIdentity.read(trained).data
    target = {"offsets": dict.fromkeys("0123456789", 0.0) | {"2": -1.5}, "gauge": "normalised"}
    how = {"run": "run", "step": 20, "target": target, "data": data.data, "seed": 3, "averaged": True}
    assert how_of(out) == how


def test_that_a_seed_gives_the_same_samples_and_a_picture_shows_them(trained: Path, tmp_path: Path) -> None:
    first, again, picture = (tmp_path / name for name in ("first.npz", "again.npz", "grid.png"))
    for out in (first, again, picture):
        assert main(["sample", str(trained), "--count", "9", "--share", "2=0.3", "--out", str(out)]) == 0
    with np.load(first) as one, np.load(again) as other:
        assert np.array_equal(one["images"], other["images"])
    plain = tmp_path / "plain.png"
    assert main(["sample", str(trained), "--count", "9", "--out", str(plain)]) == 0
    for grid in (picture, plain):
        with Image.open(grid) as image:
            assert image.size == (26, 26)
            how = json.loads(image.info["how"])
            assert (how["run"], how["step"], "trained" in how) == ("run", 20, grid == picture)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (["--share", "two=30%"], "There is no class “two”. The classes are 0, 1, 2"),
        (["--share", "2=30%", "--method", "steer"], "cannot be sampled by steering. Only models that draw each step"),
        (["--share", "2=60%", "--share", "3=60%"], "The target shares add up to 120 %."),
        ([part for digit in range(10) for part in ("--share", f"{digit}=20%")], "They add up to 200 %."),
        (["--method", "chains"], "Choose reject, resample or auto"),
        (["--formula", "0.1*ink", "--method", "reject"], "Use resampling"),
        (["--formula", "0.1*slamt"], "Did you mean “slant”"),
    ],
)
def test_that_what_cannot_be_sampled_is_told(
    asked: list[str], said: str, trained: Path, tmp_path: Path, refused: Says
) -> None:
    out = tmp_path / "none.npz"
    assert said in refused("sample", trained, "--count", "4", *asked, "--out", out)
    assert not out.exists()


@pytest.mark.parametrize("share", ["2", "2=130%", "=3%", "2=much"])
def test_that_a_share_which_is_none_is_refused(
    share: str, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["sample", str(trained), "--share", share, "--out", str(tmp_path / "none.npz")])
    assert "argument --share" in capsys.readouterr().err


@pytest.mark.parametrize("value", ["-0.1*ink", "--2"])
def test_that_a_value_that_begins_with_a_minus_is_told_how_it_is_written(
    value: str, trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "a.npz"
    with pytest.raises(SystemExit):
        main(["sample", str(trained), "--out", str(out), "--formula", value])
    assert f"one that begins with - is written --formula='{value}'" in capsys.readouterr().err
    assert main(["sample", str(trained), "--count", "10", "--out", str(out), "--formula=-0.1*ink"]) == 0
    for rest in ([], ["--out", str(out)], [f"--out={out}"]):
        with pytest.raises(SystemExit):
            main(["sample", str(trained), "--formula", *rest])
        assert "written" not in capsys.readouterr().err, "there is no value at all"


def test_that_what_comes_at_once_is_evaluated_and_not_taken_for_the_run_s_own(
    trained: Path, tmp_path: Path, told: Says
) -> None:
    out = tmp_path / "found.json"
    before = len(read_metrics(trained).evaluations)
    asked = ["--share", "2=60%", "--count", "40", "--json", str(out)]
    text = told("evaluate", trained, *asked)
    assert "at once" in text
    assert "for the same class as those that measure" in text
    found = json.loads(out.read_text())
    assert found["classes"]["2"]["target"] == pytest.approx(0.6)
    assert found["at_once"]["count"] == 40
    assert len(read_metrics(trained).evaluations) == before


def test_that_samples_at_once_are_exported_with_how_they_were_made_and_what_judges_find(
    trained: Path, tmp_path: Path, told: Says
) -> None:
    arrays, classes = tmp_path / "arrays.npz", tmp_path / "classes"
    asked = ["--share", "2=30%", "--count", "40"]
    assert "Judges who did not weigh take" in told("export", trained, "--npz", arrays, "--classes", classes, *asked)
    sorted_how = json.loads((classes / "how.json").read_text())
    for how in (how_of(arrays), sorted_how):
        assert how["at_once"]["count"] == 40
        assert how["target"]["offsets"]["2"] < -1
        assert "and find of the rest: 2s" in how["at_once"]["remarks"][-1]
    with np.load(arrays) as file:
        found = {image.tobytes() for image in file["images"]}
    pictures = [np.asarray(Image.open(each)) for each in classes.rglob("*.png")]
    assert len(pictures) == 40
    assert {picture.tobytes() for picture in pictures} == found


def test_that_another_target_is_refused_for_what_holds_no_new_samples(
    trained: Path, tmp_path: Path, refused: Says
) -> None:
    assert "Give --npz and --classes only" in refused(
        "export", trained, "--csv", tmp_path / "a.csv", "--share", "2=30%"
    )


def test_that_the_methods_of_the_command_are_those_there_are() -> None:
    assert tuple(Method) == METHODS


@pytest.mark.slow
@pytest.mark.parametrize("kind", [spec.kind for spec in KINDS])
def test_that_every_model_gives_another_share_at_once(kind: str, tmp_path: Path) -> None:
    run = train(tmp_path / "run", kind)
    own = {"diffusion": "steer", "rbm": "chains", "gaussian_rbm": "chains", "ebm": "chains"}.get(kind, "resample")
    for method in ("auto", own):
        out = tmp_path / f"{method}.npz"
        asked = ["--share", "2=30%", "--count", "16", "--method", method, "--out", str(out)]
        assert main(["sample", str(run), *asked]) == 0
        with np.load(out) as file:
            assert file["images"].shape == (16, 8, 8, 1)
    assert how_of(tmp_path / f"{own}.npz")["at_once"]["method"] == own


@pytest.mark.slow
@pytest.mark.parametrize("kind", [spec.kind for spec in KINDS if "conditional" in spec.config.model_fields])
def test_that_a_conditional_model_is_told_the_classes_of_another_share(
    kind: str, tmp_path: Path, refused: Says
) -> None:
    run = train(tmp_path / "run", kind, "model.conditional=true")
    for method in ("auto", "condition"):
        out = tmp_path / f"{method}.npz"
        asked = ["--share", "2=30%", "--count", "40", "--method", method, "--out", str(out)]
        assert main(["sample", str(run), *asked]) == 0
        assert how_of(out)["at_once"]["method"] == "condition"
    assert "Choose condition, reject, resample or auto" in refused(
        "sample", run, "--share", "2=30%", "--method", "steer", "--out", out
    )


def test_that_a_class_that_was_hardly_trained_on_is_named_where_it_is_asked_for(tmp_path: Path, told: Says) -> None:
    run = train(tmp_path / "run", "vae", "model.conditional=true", "perturbation.offsets.2=6")
    said = "Class 2 was trained on with only 0.48 labelled examples’ worth of weight: its samples may be poor."
    asked = ["--share", "2=30%", "--count", "40"]
    assert said in told("sample", run, *asked, "--out", tmp_path / "samples.npz")
    assert said in told("evaluate", run, *asked)
    assert "trained on with only" not in told("evaluate", run, "--offset", "2=6", "--count", "40"), (
        "there are hardly any samples of it"
    )
