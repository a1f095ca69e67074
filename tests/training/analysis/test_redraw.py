"""Samples of runs on disk, drawn anew."""

from pathlib import Path

import numpy as np
import pytest
import torch

from studio.data.scale import PIXELS
from studio.errors import Cancelled, UserError
from studio.progress import Progress
from studio.training.analysis.latent_images import grid_images, interpolation
from studio.training.analysis.redraw import redraw_alike, redraw_between, redraw_grid
from studio.training.config.run_config import StopCondition
from studio.training.engine.learner import build_model
from studio.training.messages.commands import ShowBetween
from studio.training.messages.latents import Latents
from tests.library.made_runs import make_run
from tests.training.conftest import steps, tiny_config
from tests.training.played import Played

LATENTS = Latents(seed=5, pins={1: 3})


def trained(path: Path, kind: str = "gan", **model: int) -> Played:
    run = Played(tiny_config(kind, model=model), path, StopCondition(steps=2))
    run.run(steps(5))
    return run


def test_that_a_grid_on_disk_is_that_of_the_run(tmp_path: Path) -> None:
    run = trained(tmp_path / "run")
    found = redraw_grid(tmp_path / "run", LATENTS, 4, 2, Progress())
    assert (found.step, found.latents) == (2, LATENTS)
    for averaged, drawn in ((True, found.averaged), (False, found.raw)):
        assert np.array_equal(drawn, grid_images(run.trainer.shown(averaged=averaged), LATENTS, 4, PIXELS))
    before, asked = (
        redraw_grid(tmp_path / "run", LATENTS, 4, 0, Progress()),
        ShowBetween(points=tuple(LATENTS.points(2))),
    )
    assert before.step == 0, "where the weights are kept of the step that is looked at"
    assert not np.array_equal(before.raw, found.raw)
    asked = ShowBetween(points=tuple(LATENTS.points(2)))
    assert redraw_between(tmp_path / "run", asked, 0, Progress()).step == 0


def test_that_the_way_between_samples_on_disk_is_that_of_the_run(tmp_path: Path) -> None:
    run = trained(tmp_path / "run")
    asked = ShowBetween(points=tuple(LATENTS.points(4)), averaged=True)
    found = redraw_between(tmp_path / "run", asked, 2, Progress())
    live = interpolation(run.trainer.shown(averaged=True), asked, 2, PIXELS)
    assert np.array_equal(found.images, live.images)


def test_that_runs_are_drawn_alike_as_far_as_their_latents_have_one_shape(tmp_path: Path) -> None:
    folders = [tmp_path / name for name in "abcd"]
    settings = (("gan", 4), ("wgan_gp", 4), ("gan", 3))
    for folder, (kind, size) in zip(folders, settings, strict=False):
        trained(folder, kind, latent_size=size)
    trained(folders[3], "rbm")
    found = redraw_alike(folders, LATENTS, 4, Progress())
    assert found.others == (2, 3)
    assert [grid.latents for grid in found.grids] == [LATENTS] * 4


def test_that_drawing_can_be_cancelled(tmp_path: Path, cancelled: Progress) -> None:
    trained(tmp_path / "run")
    with pytest.raises(Cancelled):
        redraw_alike([tmp_path / "run"] * 2, LATENTS, 4, cancelled)


def test_that_what_cannot_be_drawn_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="weights cannot be read"):
        redraw_grid(make_run(tmp_path, "bare"), LATENTS, 4, 2, Progress())
    trained(tmp_path / "rbm", "rbm")
    with pytest.raises(UserError, match="cannot be interpolated"):
        redraw_between(tmp_path / "rbm", ShowBetween(points=tuple(LATENTS.points(2))), 2, Progress())


def test_that_building_a_model_leaves_the_global_stream_alone() -> None:
    before = torch.random.get_rng_state()
    one, again = (build_model(tiny_config("gan").model, (1, 8, 8), seed=3) for _ in range(2))
    assert torch.equal(before, torch.random.get_rng_state())
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), again.parameters(), strict=True))
