"""Lessons set up what they speak of, and the textbook's case comes out as the textbook says."""

import math
from pathlib import Path

import numpy as np
import pytest

from studio.data.catalog import load_dataset
from studio.gui.live.plane.lessons import LESSONS, Lesson, ModelChange, OffsetChange, Opening
from studio.models.catalog import misfit
from studio.models.conditional import Conditional
from studio.models.plane import Arrows
from studio.paths import resources
from studio.perturb.perturbation import target_shares
from studio.perturb.umbrella import predicted_gain
from studio.training.analysis.plane_watch import PlaneWatch
from studio.training.config.file import read_config
from studio.training.config.presets import presets
from studio.training.engine.trainer import Trainer


@pytest.mark.parametrize("lesson", LESSONS, ids=lambda lesson: lesson.name)
def test_that_a_lesson_is_readable_fits_its_data_and_has_three_sentences(lesson: Lesson) -> None:
    config = read_config(lesson.path)
    data = load_dataset(config.dataset, Path())
    config.perturbation.resolve(data.class_names)
    assert misfit(config.model, planar=data.plane is not None) is None
    assert data.plane is not None
    assert all(text.endswith(".") for text in (lesson.setting, lesson.sight, lesson.trial))
    match lesson.tries:
        case ModelChange(settings=settings):
            changed = type(config.model).model_validate(config.model.model_dump() | dict(settings))
            assert changed != config.model
        case OffsetChange(class_name=name, offset=offset):
            assert config.perturbation.offsets[name] != offset
        case Opening(name=name):
            assert name in {each.name for each in LESSONS} | {each.name for each in presets()}
    assert lesson.title in config.name or config.name.startswith("Lesson")


def test_that_every_lessons_file_is_in_the_menu() -> None:
    assert {lesson.path for lesson in LESSONS} == set((resources() / "lessons").glob("*.json"))


def lesson_of(name: str) -> Lesson:
    (lesson,) = [lesson for lesson in LESSONS if lesson.name == name]
    return lesson


def watched(name: str, steps: int, looks: int) -> tuple[list[dict[str, float]], list[float]]:
    """Distances and the mean length of the pull, `looks` + 1 times on the way."""
    config = read_config(lesson_of(name).path)
    trainer = Trainer(config, load_dataset(config.dataset, Path()))
    assert trainer.data.plane is not None
    found, pulls = [], []
    for step in range(steps + 1):
        if step % (steps // looks) == 0:
            watch = PlaneWatch(trainer, trainer.data.plane)
            watch.measure()
            found.append(watch.values)
            (pull,) = [view for view in watch.frame().views if isinstance(view, Arrows)]
            pulls.append(float(np.linalg.norm(pull.along, axis=1).mean()))
        trainer.step()
    return found, pulls


@pytest.mark.slow
def test_that_between_parallel_lines_js_stands_at_log_2_and_the_pull_vanishes() -> None:
    found, pulls = watched("vanishing-gradients", 300, 3)
    assert all(values["plane_js"] == pytest.approx(math.log(2), abs=1e-3) for values in found)
    assert all(values["plane_w1"] == pytest.approx(found[0]["plane_w1"], rel=0.03) for values in found)
    assert pulls[-1] < 1e-2 * pulls[0]


@pytest.mark.slow
def test_that_between_parallel_lines_the_wasserstein_distance_falls_linearly() -> None:
    found, pulls = watched("falling-distance", 700, 7)
    distances = np.array([values["plane_w1"] for values in found[1:]])
    times = np.arange(len(distances))
    assert np.corrcoef(times, distances)[0, 1] < -0.99
    assert distances[-1] < 0.65 * distances[0]
    assert found[1]["plane_js"] == pytest.approx(math.log(2), abs=0.01)
    assert 0.7 < min(pulls[1:]) < max(pulls[1:]) < 1.6


def control_trainer(*, conditional: bool) -> Trainer:
    """Of the lesson as it is set up, or as its last step would have it."""
    lesson = lesson_of("control-experiment")
    config = read_config(lesson.path)
    if conditional:
        assert isinstance(lesson.tries, ModelChange)
        changed = config.model.model_dump() | dict(lesson.tries.settings)
        config = config.model_copy(update={"model": type(config.model).model_validate(changed)})
    return Trainer(config, load_dataset(config.dataset, Path()))


def test_that_the_control_draws_the_targets_classes_before_it_has_learned() -> None:
    trainer = control_trainer(conditional=True)
    assert isinstance(trainer.model, Conditional)
    shares = target_shares(trainer.whole.counts, np.array(trainer.perturbation.offsets))
    assert trainer.model.label_shares.tolist() == pytest.approx(list(shares), rel=1e-6)
    assert max(shares) == pytest.approx(0.9, abs=0.001)
    ess = 1 / (shares**2 * trainer.whole.counts.sum() / trainer.whole.counts).sum()
    assert ess == pytest.approx(0.06, abs=0.005)


@pytest.mark.slow
def test_that_the_control_comes_nearer_in_as_many_steps() -> None:
    distances = []
    for conditional in (False, True):
        trainer = control_trainer(conditional=conditional)
        for _ in range(800):
            trainer.step()
        assert trainer.data.plane is not None
        watch = PlaneWatch(trainer, trainer.data.plane)
        watch.measure()
        distances.append(watch.values["plane_js"])
    assert distances[1] < distances[0] / 3


def test_that_a_draw_of_the_umbrella_is_worth_25_of_the_data() -> None:
    config = read_config(lesson_of("umbrella-sampling").path)
    data = load_dataset(config.dataset, Path())
    counts, energy = data.counts, config.perturbation.resolve(data.class_names).class_energies
    rare = np.array([0.0, 1.0])
    assert counts @ rare / counts.sum() == pytest.approx(0.01)
    assert predicted_gain(rare, energy, counts) == pytest.approx(25, abs=0.5)
    assert target_shares(counts, energy)[1] == pytest.approx(0.5, abs=0.01)
