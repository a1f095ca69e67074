"""Drawings: their text, what is refused, and that a drawn set is what was drawn."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from pydantic import ValidationError
from scipy.stats import multivariate_normal

from studio.data.catalog import load_dataset
from studio.data.planar.config import DrawnConfig
from studio.data.planar.drawing import MOST_PLACES, Stroke, drawing_text, parse_drawing
from studio.data.planar.point_set import PointSet
from studio.training.config.assignments import with_settings
from studio.training.config.file import parse_config
from studio.training.config.run_config import RunConfig

TEXT = "2@0.3 1.5,-0.8; 1@0.1 -1.5,0.3 -1.4,0; 2@0.05 0,0"


def test_that_a_text_and_its_strokes_are_the_same() -> None:
    strokes = parse_drawing(TEXT)
    assert strokes[1] == Stroke(label=1, width=0.1, places=((-1.5, 0.3), (-1.4, 0.0)))
    assert drawing_text(strokes) == TEXT
    assert parse_drawing(drawing_text([Stroke(label=1, width=0.1, places=((-0.001, 1 / 3),))]))[0].places == (
        (0.0, 0.33),
    )
    assert parse_drawing(" ; ") == ()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("1@0.2 0,0; 2@0.2 0;0", "stroke 2.*not of the form"),
        ("0@0.2 0,0; 1@0.2 0,0", "stroke 1"),
        ("1@0.2 nan,0; 2@0.2 0,0", "stroke 1"),
        ("1@0.5 0,0; 2@0.2 0,0", "width of 0.5"),
        ("1@0.2 0,0; 2@0.2 0,3.6", "leaves the square"),
        ("1@0.2 0,0", "fewer than two classes"),
        ("", "fewer than two classes"),
        ("1@0.2" + " 0,0" * (MOST_PLACES + 1) + "; 2@0.2 0,0", "2,002 places"),
        ("1" * 50_000, "longer than"),
    ],
)
def test_that_what_is_no_drawing_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        DrawnConfig(drawing=text)


def test_that_a_drawn_sets_density_is_the_sum_of_its_gaussians() -> None:
    data = load_dataset(DrawnConfig(drawing=TEXT, count=400), Path())
    assert isinstance(data, PointSet)
    assert data.class_names == ("1", "2")
    assert data.counts.tolist() == [200, 200]
    points = np.random.default_rng(0).uniform(-2, 2, (50, 2))
    expected = (
        multivariate_normal([1.5, -0.8], 0.3**2).pdf(points) + multivariate_normal([0, 0], 0.05**2).pdf(points)
    ) / 2
    np.testing.assert_allclose(np.exp(data.plane.log_class_densities(points)[:, 1]), expected, atol=1e-12)


def test_that_a_drawing_is_kept_in_a_run_configuration_and_set_from_the_command_line() -> None:
    config = with_settings(RunConfig(), ["dataset.kind=planar_drawn", f"dataset.drawing={TEXT}"])
    assert isinstance(config.dataset, DrawnConfig)
    assert config.dataset.drawing == TEXT
    assert parse_config(json.loads(config.to_json()), "again") == config
