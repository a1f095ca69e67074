"""The response of a run on disk: where on the way of a tilt it stands, and where it goes from there."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from studio.cli.main import main
from studio.errors import UserError
from studio.perturb.perturbation import Perturbation
from studio.progress import Progress
from studio.response.run_response import RunResponse
from studio.training.analysis.trained_model import TrainedModel
from studio.training.engine.samples import draw
from studio.training.storage.run import Run, restore_model
from tests.cli.test_response import briefly as briefly

_ZERO, _NORTH = Perturbation.zero(3), Perturbation(offsets=(0.0, 0.0, -2.0))
_MEANS = {"north": "label == 2"}


def trained(path: Path, offset: float, preset: str = "planar-vae", *more: str) -> RunResponse:
    settings = (
        *more,
        "model.width=4",
        "dataset.count=400",
        "batch.average_size=8",
        f"perturbation.offsets.north={offset}",
    )
    given = [part for setting in settings for part in ("--set", setting)]
    assert main(["train", preset, "--steps", "3", "--run-dir", str(path), *given]) == 0
    return opened(path)


def opened(path: Path) -> RunResponse:
    run = Run.open(path)
    own = TrainedModel.of_run(run, lambda part: run.identity.load(path, part), Progress())
    return RunResponse(run, own, Progress())


@pytest.mark.usefixtures("briefly")
def test_that_a_run_of_the_target_begins_at_one_and_goes_on_as_it_would_go_back(tmp_path: Path) -> None:
    response = trained(tmp_path / "run", -2.0)
    way = response.beside(_NORTH, _MEANS, 100, Progress())
    assert way.start == 1.0
    on, back = way.means, response.to(_ZERO, _MEANS, 100, Progress()).means
    assert on["north"].slope.value == pytest.approx(-back["north"].slope.value, rel=1e-3)
    assert on["north"].data.covariance == pytest.approx(-back["north"].data.covariance)
    with pytest.raises(UserError, match="another target"):
        response.beside(Perturbation(offsets=(1.0, 0.0, 0.0)), _MEANS, 100, Progress())


@pytest.mark.usefixtures("briefly")
def test_that_an_untilted_run_begins_at_zero(tmp_path: Path) -> None:
    response = trained(tmp_path / "run", 0.0)
    way, same = response.beside(_NORTH, _MEANS, 100, Progress()), response.to(_NORTH, _MEANS, 100, Progress())
    assert way.start == 0.0
    assert way.means["north"].slope == same.means["north"].slope


@pytest.mark.usefixtures("briefly")
def test_that_weights_of_a_held_run_are_of_what_is_applied(tmp_path: Path) -> None:
    """5 % of north asked to be 5·e²/(95 + 5·e²) %, but e^1.5 is what it is weighted by."""
    trained(tmp_path / "run", -2.0)
    path = tmp_path / "run" / "summary.json"
    held = {"correction": {"north": 0.5}, "applied": {"north": -1.5}, "step": 2, "judge": ""}
    path.write_text(json.dumps(json.loads(path.read_text()) | {"held": held}))
    response = opened(tmp_path / "run")
    way = response.beside(Perturbation(offsets=(0.0, 0.0, -1.5)), _MEANS, 100, Progress())
    assert way.start == 1.0
    assert way.means["north"].data.mean == pytest.approx(5 * np.exp(1.5) / (95 + 5 * np.exp(1.5)))
    stay, change = (response.to(target, _MEANS, 100, Progress()) for target in (_NORTH, _ZERO))
    assert stay.means["north"].data.covariance == pytest.approx(0, abs=1e-12), "it is led from what was asked for"
    assert change.means["north"].data.covariance > 0


@pytest.mark.usefixtures("briefly")
def test_that_samples_of_stepped_weights_are_the_models_own_where_it_was_trained(tmp_path: Path) -> None:
    way = trained(tmp_path / "run", 0.0).beside(_NORTH, {"x": "x"}, 100, Progress())
    kept = (tmp_path / "run" / "weights.safetensors").read_bytes()
    run = Run.open(tmp_path / "run")
    own = draw(restore_model(run), 50, torch.Generator().manual_seed(0), run.scale)
    here, there = (way.step(scale, 50, Progress()) for scale in (0.0, 1.0))
    np.testing.assert_array_equal(here.values, own)
    assert here.means["x"].value == pytest.approx(own.reshape(50, 2)[:, 0].mean(), rel=1e-5)
    assert not np.array_equal(there.values, own)
    assert (tmp_path / "run" / "weights.safetensors").read_bytes() == kept


@pytest.mark.usefixtures("briefly")
def test_that_weights_that_fade_have_no_response(tmp_path: Path) -> None:
    other = ("dataset.kind=planar_mixture", "perturbation.offsets={}", "model.weights_fade=0.1")
    with pytest.raises(UserError, match="weights fade"):
        trained(tmp_path / "run", 0.0, "planar-diffusion", *other)
