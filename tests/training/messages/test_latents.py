"""Which latents a grid shows: others on demand, favourites that stay, and the way from one sample to another."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from studio.data.scale import PIXELS
from studio.errors import UserError
from studio.models.catalog import MODELS, model_spec
from studio.training.analysis.latent_images import ROW, SIDE, between, grid_images, interpolation, latents_of, slerp
from studio.training.config.run_config import StopCondition
from studio.training.engine.trainer import Trainer
from studio.training.messages.commands import Command, Pause, SetLatents, ShowBetween, without_outdated
from studio.training.messages.events import LatentsApplied
from studio.training.messages.latents import FILE, LatentPoint, Latents, read_latents, write_latents
from studio.training.storage.frames import FrameStore
from studio.training.storage.recorder import Recorder
from studio.training.storage.resumption import resume
from tests.training.conftest import FAMILIES, KINDS, steps, tiny_config, tiny_images
from tests.training.played import Played, Script

WITH = [kind for kind in FAMILIES if not model_spec(kind).without_latents]
FIRST = Latents(seed=7)


def images(trainer: Trainer, latents: Latents, count: int = 9) -> np.ndarray[Any, Any]:
    return grid_images(trainer.shown(averaged=True), latents, count, PIXELS)


@pytest.mark.parametrize("kind", [spec.kind for spec in MODELS])
def test_that_the_catalog_says_which_models_have_latents(kind: str) -> None:
    config = tiny_config(kind)
    shape = Trainer(config, tiny_images()).model.latent_shape
    assert (shape is None) == bool(model_spec(kind).without_latents)
    assert config.model.latent_numbers(64) == (0 if shape is None else math.prod(shape))


@pytest.mark.parametrize("kind", FAMILIES)
def test_that_another_seed_shows_other_samples_and_the_same_one_the_same(kind: str) -> None:
    trainer = Trainer(tiny_config(kind), tiny_images())
    trainer.step()
    assert np.array_equal(images(trainer, FIRST), images(trainer, FIRST))
    assert not np.array_equal(images(trainer, FIRST), images(trainer, FIRST.rerolled(8)))


@pytest.mark.parametrize(("kind", "settings"), [*((kind, {}) for kind in WITH), ("vae", {"draw_pixels": True})])
def test_that_favourites_keep_their_images_and_places(kind: str, settings: dict[str, Any]) -> None:
    trainer = Trainer(tiny_config(kind, model=settings), tiny_images())
    first = images(trainer, FIRST)
    latents = FIRST.pinned([FIRST.at(2), FIRST.at(5)]).rerolled(8)
    rolled = images(trainer, latents)
    same = {place for place in range(9) if np.array_equal(first[place], rolled[place])}
    assert {2, 5} <= same != set(range(9))
    assert np.array_equal(images(trainer, latents.unpinned([2, 5])), images(trainer, FIRST.rerolled(8)))


@pytest.mark.parametrize("kind", WITH)
def test_that_a_latent_does_not_depend_on_the_grid_it_is_in(kind: str) -> None:
    model = Trainer(tiny_config(kind), tiny_images()).model
    few, many = (latents_of(model, FIRST.points(count)) for count in (3, 40))
    assert torch.equal(few, many[:3])
    assert abs(float(many.mean())) < 0.5
    assert not torch.equal(many[0], many[1])


def test_that_runs_of_other_tilts_and_models_share_their_latents() -> None:
    kinds: list[tuple[str, dict[str, float]]] = [("gan", {}), ("gan", {"cat": -1.0}), ("wgan_gp", {})]
    first, *others = [
        latents_of(Trainer(config, tiny_images()).model, Latents.of(config).points(9))
        for config in (tiny_config(kind, perturbation={"offsets": offsets}) for kind, offsets in kinds)
    ]
    assert all(torch.equal(first, other) for other in others)


def test_that_latents_are_normal_and_independent() -> None:
    model = Trainer(tiny_config("gan", model={"latent_size": 16}), tiny_images()).model
    drawn = torch.cat([latents_of(model, Latents(seed=seed).points(100)) for seed in range(20)])
    count = drawn.numel()
    assert abs(float(drawn.mean())) < 4 / math.sqrt(count)
    assert abs(float(drawn.var()) - 1) < 4 * math.sqrt(2 / count)
    assert abs(float((drawn[:-1] * drawn[1:]).mean())) < 4 / math.sqrt(count)


def test_that_slerp_keeps_to_the_arc() -> None:
    a, b = torch.tensor([3.0, 0.0]), torch.tensor([0.0, 3.0])
    for t in (0.0, 0.25, 1.0):
        angle = t * math.pi / 2
        torch.testing.assert_close(slerp(a, b, t), 3 * torch.tensor([math.cos(angle), math.sin(angle)]))
    for other in (2 * a, -a, 0 * a):  # on one line: straight
        torch.testing.assert_close(slerp(a, other, 0.25), 0.75 * a + 0.25 * other)


def test_that_lengths_stay_those_of_a_normal_latent() -> None:
    corners = torch.randn(4, 1000, generator=torch.Generator().manual_seed(0))
    lengths = between(corners).norm(dim=1) / math.sqrt(1000)
    assert (lengths - 1).abs().max() < 0.1
    straight = (corners[0] + corners[1]).norm() / 2 / math.sqrt(1000)
    assert straight < 0.8  # what the arc is for


def test_that_a_square_has_its_corners_where_they_were_picked() -> None:
    corners = torch.randn(4, 5, generator=torch.Generator().manual_seed(0))
    square = between(corners).unflatten(0, (SIDE, SIDE))
    for corner, place in zip(corners, (square[0, 0], square[0, -1], square[-1, 0], square[-1, -1]), strict=True):
        torch.testing.assert_close(corner, place)
    row = between(corners[:2])
    assert row.shape == (ROW, 5)
    torch.testing.assert_close(row[-1], corners[1])


@pytest.mark.parametrize("kind", WITH)
def test_that_the_way_leads_from_one_sample_to_the_other(kind: str) -> None:
    trainer = Trainer(tiny_config(kind), tiny_images())
    asked = ShowBetween(points=(FIRST.at(1), FIRST.at(3)), averaged=False)
    found = interpolation(trainer.model, asked, 5, PIXELS)
    grid = grid_images(trainer.model, FIRST, 4, PIXELS).astype(int)
    ends = found.images[[0, -1]].astype(int)
    assert np.abs(ends - grid[[1, 3]]).max() <= 1  # a rounding away
    assert (found.step, found.columns, len(found.images)) == (5, ROW, ROW)
    assert trainer.model.training


@pytest.mark.parametrize("kind", ["vae", "diffusion"])
def test_that_noise_is_left_out_on_the_way(kind: str) -> None:
    noisy = {"vae": {"draw_pixels": True}, "diffusion": {"sampler": "ancestral"}}[kind]
    trainer = Trainer(tiny_config(kind, model=noisy), tiny_images())
    asked = ShowBetween(points=(FIRST.at(1), FIRST.at(1)))
    found = interpolation(trainer.model, asked, 5, PIXELS)
    assert np.array_equal(found.images[0], found.images[4])


def test_that_there_is_no_way_between_chains() -> None:
    trainer = Trainer(tiny_config("rbm"), tiny_images())
    assert interpolation(trainer.model, ShowBetween(points=(FIRST.at(0), FIRST.at(1))), 0, PIXELS) is None


def play_all(rolled: Latents) -> Script:
    yield from steps(2)
    yield [SetLatents(latents=rolled), ShowBetween(points=(rolled.at(0), rolled.at(1)))]
    yield from steps(2)
    yield [Pause(), SetLatents(latents=rolled.rerolled(99))]
    yield [ShowBetween()]


@pytest.mark.parametrize("kind", KINDS)
def test_that_samples_of_other_latents_disturb_no_bit_of_training(kind: str, tmp_path: Path) -> None:
    rolled = Latents(seed=8).pinned([FIRST.at(3)])
    quiet, watched = Played(tiny_config(kind)), Played(tiny_config(kind), tmp_path / "run")
    quiet.run(steps(5))
    watched.run(play_all(rolled))
    assert watched.trainer.step_count == quiet.trainer.step_count
    mine, theirs = watched.trainer, quiet.trainer
    for name, tensor in mine.model.state_dict().items():
        assert torch.equal(tensor, theirs.model.state_dict()[name]), name
    assert torch.equal(mine.resume_state().noise, theirs.resume_state().noise)
    assert mine.resume_state().planning == theirs.resume_state().planning


def test_that_latents_are_applied_shown_and_kept(tmp_path: Path) -> None:
    rolled = Latents(seed=8).pinned([FIRST.at(3)])
    played = Played(folder=tmp_path / "run")

    def script() -> Script:
        yield from steps(2)
        yield [SetLatents(latents=rolled), ShowBetween(points=(rolled.at(0), rolled.at(1)), averaged=False)]
        snapshot = played.snapshot()
        assert snapshot.grid.latents == rolled
        assert not snapshot.between.averaged
        yield [ShowBetween()]
        assert played.snapshot().between is None

    played.run(script())
    (applied,) = played.all_of(LatentsApplied)
    assert (applied.step, applied.latents) == (2, rolled)
    assert read_latents(tmp_path / "run") == rolled
    frames = FrameStore(tmp_path / "run")
    seen = [frames.at(int(step)) for step in frames.steps]
    first = Latents.of(played.config)
    assert [frame.grid.latents for frame in seen if frame is not None][:2] == [first, rolled]


def test_that_a_resumed_run_shows_the_latents_that_it_showed_last(tmp_path: Path) -> None:
    path, rolled = tmp_path / "run", Latents(seed=8).pinned([FIRST.at(3)])
    Played(folder=path).run([*steps(2), [SetLatents(latents=rolled)]])
    found = resume(path)
    again = Played(tiny_config(), limit=StopCondition(steps=found.step))
    notes = found.load_into(again.trainer)
    recorder = Recorder(found.folder(), again.trainer, notes)
    again.loop = type(again.loop)(again.trainer, again.mailbox, recorder, StopCondition(steps=found.step))
    again.run(steps(0))
    grid = again.snapshot().grid
    assert grid.latents == rolled


def test_that_of_many_choices_only_the_last_counts() -> None:
    commands: list[Command] = [SetLatents(latents=FIRST), ShowBetween(), SetLatents(latents=FIRST.rerolled(8))]
    assert without_outdated(commands) == commands[1:]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        "{",
        '{"seed": -1}',
        '{"seed": 1e30}',
        '{"seed": 1, "pins": {"-1": 2}}',
        '{"seed": 1, "pins": {"9999": 2}}',
        '{"seed": 1, "pins": {"1": -2}}',
        '{"seed": 1, "schema_version": 2}',
        '{"seed": 1, "more": 2}',
    ],
)
def test_that_damaged_favourites_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).write_text(text)
    with pytest.raises(UserError, match="favourite samples cannot be read"):
        read_latents(tmp_path)


def test_that_favourites_come_back(tmp_path: Path) -> None:
    assert read_latents(tmp_path) is None
    latents = FIRST.pinned([LatentPoint(place=3, seed=5), LatentPoint(place=0, seed=2)])
    write_latents(tmp_path, latents)
    assert read_latents(tmp_path) == latents
    assert latents.points(2) == [LatentPoint(place=0, seed=2), LatentPoint(place=1, seed=7)]
