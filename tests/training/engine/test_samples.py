"""Samples of models as a data set stores them: none twice before all had a turn, and none that is no number."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from studio.data.scale import PIXELS, Values
from studio.errors import UserError
from studio.evaluation.evaluation import Evaluation, TiltedData
from studio.evaluation.judge import Judge
from studio.models.base import GenerativeModel, chosen_in_turn
from studio.models.catalog import MODELS
from studio.models.views import to_pixels
from studio.training.analysis.evaluator import EvaluationJob, Evaluator, judged_count
from studio.training.analysis.latent_images import grid_images
from studio.training.analysis.plane_watch import PlaneWatch
from studio.training.engine.learner import build_model
from studio.training.engine.samples import draw, draw_parts, independent
from studio.training.engine.trainer import Trainer
from studio.training.messages.commands import Command, EvaluateNow, SampleNow, Stop
from studio.training.messages.events import EvaluationEnded, Noticed, Outcome
from studio.training.messages.latents import Latents
from studio.training.run.loop import RunLoop
from studio.training.storage.frames import FrameStore
from studio.training.storage.recorder import Recorder
from studio.training.storage.run_folder import RunFolder
from tests.training.analysis.test_evaluator import played
from tests.training.analysis.test_planar import planar_config, ring
from tests.training.conftest import PlayedMailbox, steps, tiny_config, tiny_images

MOST = {"ebm": 16, "rbm": 512, "gaussian_rbm": 512}
"""Independent samples of the tiny models: images of the buffer, and chains."""


def stream(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def built(kind: str, **model: object) -> GenerativeModel:
    return build_model(tiny_config(kind, model=model).model, (1, 8, 8), 0).eval()


def of_copies() -> GenerativeModel:
    """Makes the first 64 of the tiny images and nothing else, a sample from each in turn."""
    model = built("ebm", buffer_size=64, sample_steps=0)
    pixels = torch.from_numpy(np.array(tiny_images().images[:64])).permute(0, 3, 1, 2)
    model.get_buffer("buffer").copy_(pixels / 127.5 - 1)
    return model


def evaluated(model: GenerativeModel, judge: Judge, count: int) -> Evaluation:
    job = EvaluationJob(model, judge, lambda: TiltedData.of(judge, np.zeros(120), count), count, stream())
    while job.next is not None:
        job.advance()
    assert job.result is not None
    return job.result


@pytest.mark.parametrize(("size", "counts"), [(5, (2, 2, 1)), (5, (3, 4, 6)), (1, (3,)), (4, (0,)), (7, (0, 7))])
def test_that_none_is_chosen_again_before_all_had_a_turn(size: int, counts: tuple[int, ...]) -> None:
    parts = tuple(chosen_in_turn(size, counts, stream()))
    assert tuple(len(part) for part in parts) == counts
    times = np.bincount(torch.cat(parts).numpy(), minlength=size)
    assert times.max() - times.min() <= 1


@pytest.mark.parametrize("kind", [spec.kind for spec in MODELS])
def test_that_a_model_says_how_many_samples_it_can_give(kind: str) -> None:
    model = built(kind)
    assert model.independent_samples == MOST.get(kind)
    assert independent(model, 5) == 5
    assert independent(model, 10_000) == MOST.get(kind, 10_000)


@pytest.mark.parametrize("kind", ["vae", "rbm", "ebm"])
def test_that_samples_are_the_same_at_once_and_as_one_part(kind: str) -> None:
    model = built(kind)
    (part,) = draw_parts(model, (5,), stream())
    assert np.array_equal(draw(model, 5, stream()), part)


def test_that_parts_of_samples_repeat_no_chain() -> None:
    drawn = np.concatenate(list(draw_parts(of_copies(), [16] * 4, stream())))
    assert len(np.unique(drawn.reshape(64, -1), axis=0)) == 64


def test_that_copies_are_not_counted_as_samples(judge: Judge) -> None:
    """Of a buffer of 64 the interval is that of 64, and neighbours are not the copies of a sample."""
    model = of_copies()
    assert judged_count(model, 1000) == 64
    copies, found = evaluated(model, judge, 1000), evaluated(model, judge, judged_count(model, 1000))
    assert copies.likeness.recall < 0.6, "what copies would be taken for"
    assert found.likeness.recall > 0.8
    widths = [each.shares.raw_high - each.shares.raw_low for each in (copies, found)]
    assert (widths[1] > 3 * widths[0]).all()
    assert found.features["ink"].error == pytest.approx(copies.features["ink"].error * (1000 / 64) ** 0.5, rel=0.05)


def test_that_too_few_independent_samples_are_not_evaluated(judge: Judge) -> None:
    """A run that trains says so once, and goes on."""
    config = tiny_config("ebm", model={"buffer_size": 9}, evaluation={"budget": 50.0, "samples": 32})
    run = Trainer(config, tiny_images())
    with pytest.raises(UserError, match="of which 9 are independent"):
        judged_count(run.model, 32)
    events = played([[EvaluateNow()], *steps(3)], Evaluator(run, lambda: judge), run)
    assert [event.error.title for event in events if isinstance(event, Noticed)] == ["Too few samples to evaluate"]
    assert sum(isinstance(event, EvaluationEnded) for event in events) == 1
    assert run.step_count >= 3


def spoilt(model: GenerativeModel) -> GenerativeModel:
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(torch.nan)
    return model


@pytest.mark.parametrize("kind", ["vae", "gan", "ebm", "gaussian_rbm"])
def test_that_a_model_that_makes_no_numbers_is_refused_and_not_taken_for_black(kind: str) -> None:
    model = spoilt(built(kind))
    with pytest.raises(UserError, match="not finite"):
        draw(model, 5, stream())
    board = 255 * (np.indices((8, 8)).sum(0) % 2)[None, :, :, None]
    grid = grid_images(model, Latents(seed=1), 3, PIXELS)
    assert np.array_equal(grid, np.broadcast_to(board, (3, 8, 8, 1)))


def test_that_only_what_is_no_number_is_marked() -> None:
    images = torch.zeros(1, 1, 2, 2)
    images[0, 0, 0, 1], images[0, 0, 1, 1] = torch.nan, torch.inf
    assert to_pixels(images)[0, :, :, 0].tolist() == [[128, 255], [128, 0]]


def test_that_an_evaluation_of_no_numbers_is_called_off_and_the_run_goes_on(judge: Judge) -> None:
    run = Trainer(tiny_config(evaluation={"budget": 0, "samples": 32}), tiny_images())

    def script() -> Iterator[list[Command]]:
        spoilt(run.average.model)
        yield [EvaluateNow()]
        yield from steps(3)

    events = played(script(), Evaluator(run, lambda: judge), run)
    assert [event.error.title for event in events if isinstance(event, Noticed)] == [
        "The model generates values that are not finite"
    ]
    assert sum(isinstance(event, EvaluationEnded) for event in events) == 1


def test_that_points_that_are_no_numbers_are_neither_drawn_nor_measured() -> None:
    data = ring()
    trainer = Trainer(planar_config("gan"), data)
    watch = PlaneWatch(trainer, data.plane)
    watch.measure()
    assert "plane_js" in watch.values
    spoilt(trainer.model)
    watch._next_measure = 0.0
    watch.measure()
    assert list(watch.values) == ["plane_w1_floor"]
    frame = watch.frame()
    assert (frame.points.shape, frame.labels.shape, frame.views) == ((0, 2), (0,), ())
    grid = grid_images(trainer.shown(averaged=False), Latents(seed=1), 9, data.scale)
    assert not data.overview(grid).any()


def test_that_a_run_on_points_outlives_a_model_that_makes_none(tmp_path: Path) -> None:
    config, mailbox = planar_config("gan"), PlayedMailbox()
    trainer = Trainer(config, ring())

    def script() -> Iterator[list[Command]]:
        yield []
        spoilt(trainer.model)
        yield [SampleNow()]
        yield [Stop()]

    mailbox.play(script())
    recorder = Recorder(RunFolder.at(tmp_path / "run", config), trainer)
    assert RunLoop(trainer, mailbox, recorder).run() is Outcome.STOPPED
    kept = FrameStore(tmp_path / "run").at(1)
    assert len(kept.points) == 0


def test_that_distances_of_points_count_each_chain_once(monkeypatch: pytest.MonkeyPatch) -> None:
    data = ring()
    trainer = Trainer(planar_config("gaussian_rbm", chains=40), data)
    asked: list[int] = []
    sample = trainer.sample

    def noted(count: int, **given: Any) -> Values:
        asked.append(count)
        return sample(count, **given)

    monkeypatch.setattr(trainer, "sample", noted)
    PlaneWatch(trainer, data.plane).measure()
    assert asked == [40]
