"""Features of images drawn by hand, whose answers are known; turned and sheared ones too."""

import colorsys
import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from studio.errors import Cancelled, UserError
from studio.perturb import features
from studio.perturb.features import FEATURES, Examples, feature_named, features_of, measure
from studio.progress import Progress

Images = NDArray[np.uint8]


def blank(height: int = 28, width: int = 28, channels: int = 1, value: int = 0) -> Images:
    return np.full((1, height, width, channels), value, dtype=np.uint8)


def bar(height: int, width: int, ink: int = 255, paper: int = 0) -> Images:
    """A solid upright rectangle in the middle."""
    image = blank(value=paper)
    top, left = (28 - height) // 2, (28 - width) // 2
    image[0, top : top + height, left : left + width] = ink
    return image


def value(name: str, images: NDArray[Any]) -> float:
    return float(measure(images, [name])[name][0])


def leaning(shift_per_row: float) -> Images:
    """Rows of a 3 px stroke, each moved to the right by so much for a row up; whole pixels only."""
    image = blank()
    for row in range(4, 24):
        middle = 14 + round(shift_per_row * (13.5 - row))
        image[0, row, middle - 1 : middle + 2] = 255
    return image


def test_that_mean_and_contrast_are_those_of_the_pixels() -> None:
    half = blank()
    half[0, :, :14] = 255
    assert value("mean", half) == pytest.approx(50)
    assert value("contrast", half) == pytest.approx(50)
    assert value("mean", blank(value=51)) == pytest.approx(20)
    assert value("contrast", blank(value=51)) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize(("ink", "paper"), [(255, 0), (0, 255), (90, 40)])
def test_that_ink_is_what_stands_out_from_the_border_light_or_dark(ink: int, paper: int) -> None:
    assert value("ink", bar(10, 4, ink, paper)) == pytest.approx(100 * 40 / 784)


def test_that_the_background_is_the_median_of_every_pixel_of_the_border_once() -> None:
    images = np.random.default_rng(0).integers(0, 256, (20, 5, 4, 1), dtype=np.uint8)
    grey = images[..., 0] / 255
    inside = np.zeros((5, 4), dtype=bool)
    inside[1:-1, 1:-1] = True
    wanted = [np.abs(image - np.median(image[~inside])) for image in grey]
    np.testing.assert_allclose(Examples(images).ink, wanted)


@pytest.mark.parametrize(("height", "width"), [(10, 4), (4, 10), (20, 1), (6, 6)])
def test_that_a_rectangle_has_its_own_aspect_and_no_slant(height: int, width: int) -> None:
    assert value("aspect", bar(height, width)) == pytest.approx(width / height, rel=1e-12)
    assert value("slant", bar(height, width)) == pytest.approx(0, abs=1e-12)


def test_that_a_quarter_turn_inverts_the_aspect() -> None:
    image = leaning(0.5)
    turned = np.rot90(image, axes=(1, 2))
    assert value("aspect", image) * value("aspect", turned) == pytest.approx(1, rel=1e-12)


@pytest.mark.parametrize("shift", [-1, 0, 1])
def test_that_a_shear_by_whole_pixels_is_the_tangent_of_the_slant(shift: int) -> None:
    rows = np.arange(4, 24)
    middles = np.array([14 + round(shift * (13.5 - row)) for row in rows])
    up = -rows.astype(float)
    slope = float(np.cov(middles, up, bias=True)[0, 1] / (np.var(up) + 1 / 12))
    assert value("slant", leaning(shift)) == pytest.approx(math.degrees(math.atan(slope)), abs=1e-9)
    assert value("slant", leaning(shift)) == pytest.approx(45 * shift, abs=2.5)


def test_that_mirroring_turns_the_slant_round() -> None:
    image = leaning(0.5)
    assert value("slant", image) > 20
    assert value("slant", image[:, :, ::-1]) == pytest.approx(-value("slant", image), abs=1e-9)


@pytest.mark.parametrize("width", [1, 2, 3, 5])
def test_that_a_stroke_across_the_whole_image_is_as_wide_as_it_is_drawn(width: int) -> None:
    outline = 2 * (28 - 1) + 2 * (width - 1) + 4 * math.sqrt(0.5)  # corners are cut
    assert value("stroke", bar(28, width)) == pytest.approx(2 * 28 * width / outline, rel=1e-12)


@pytest.mark.parametrize("width", [2, 3, 4])
def test_that_a_stroke_is_as_wide_at_45_degrees_as_upright(width: int) -> None:
    size = 200
    row, column = np.indices((size, size))
    # `2·width − 1` diagonals whose distance is 1/√2 px each.
    diagonal = (np.abs(row - column) < width).astype(np.uint8)[np.newaxis, :, :, np.newaxis] * 255
    across = (2 * width - 1) / math.sqrt(2)
    assert value("stroke", diagonal) == pytest.approx(across, rel=0.03)


def test_that_faint_strokes_are_as_wide_as_strong_ones() -> None:
    assert value("stroke", bar(20, 3, ink=60)) == pytest.approx(value("stroke", bar(20, 3)), rel=1e-12)


@pytest.mark.parametrize("degrees", [0, 60, 75, 120, 200, 240, 330])
def test_that_hue_and_saturation_are_those_of_the_colour(degrees: int) -> None:
    colour = np.array(colorsys.hsv_to_rgb(degrees / 360, 0.6, 1.0)) * 255
    image = np.tile(np.round(colour).astype(np.uint8), (1, 8, 8, 1))
    assert value("hue", image) == pytest.approx(degrees, abs=0.5)
    assert value("saturation", image) == pytest.approx(60, abs=0.3)


def test_that_hue_is_a_mean_on_the_circle_weighted_by_colour() -> None:
    image = np.zeros((1, 2, 2, 3), dtype=np.uint8)
    image[0, 0] = (255, 0, 127)  # about 330°
    image[0, 1] = (255, 127, 0)  # about 30°
    assert min(value("hue", image), 360 - value("hue", image)) == pytest.approx(0, abs=0.5)
    image[0, 1] = 128  # grey has no say
    assert value("hue", image) == pytest.approx(330, abs=0.5)


@pytest.mark.parametrize("level", [0, 128, 255])
def test_that_an_image_without_ink_or_colour_has_finite_features(level: int) -> None:
    found = measure(blank(channels=3, value=level), [each.name for each in features_of((1, 28, 28, 3))])
    plain = {name: float(values[0]) for name, values in found.items()}
    assert plain["slant"] == plain["stroke"] == plain["hue"] == plain["saturation"] == plain["ink"] == 0
    assert plain["aspect"] == 1


def test_that_a_colour_image_of_greys_measures_like_the_grey_image() -> None:
    grey = np.random.default_rng(0).integers(0, 256, (5, 9, 7, 1), dtype=np.uint8)
    names = [each.name for each in features_of(grey.shape)]
    coloured = measure(np.repeat(grey, 3, axis=3), names)
    for name, values in measure(grey, names).items():
        assert coloured[name] == pytest.approx(values, abs=1e-9)


def test_that_chunks_do_not_change_a_value(monkeypatch: pytest.MonkeyPatch) -> None:
    images = np.random.default_rng(1).integers(0, 256, (23, 8, 8, 3), dtype=np.uint8)
    names = [each.name for each in features_of(images.shape)]
    whole = measure(images, names)
    monkeypatch.setattr(features, "_CHUNK_NUMBERS", 5 * 8 * 8 * 3)
    assert all((measure(images, names)[name] == pytest.approx(whole[name], rel=1e-12)) for name in names)


def test_that_points_have_their_coordinates_and_nothing_else() -> None:
    points = np.array([[1.5, -2.0], [0.25, 4.0]])
    assert [each.name for each in features_of(points.shape)] == ["x", "y"]
    assert measure(points, ["y", "x"])["x"].tolist() == [1.5, 0.25]


def test_that_a_feature_that_the_data_lack_is_refused_with_those_they_have() -> None:
    with pytest.raises(UserError, match=r"no feature “hue”.*Only colour images.*ink, mean"):
        measure(blank(), ["hue"])
    with pytest.raises(UserError, match="no such feature"):
        feature_named("inkk", (1, 8, 8, 1))


def test_that_measuring_reports_and_can_be_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "_CHUNK_NUMBERS", 784)
    said: list[float | None] = []
    progress = Progress(lambda _, fraction: said.append(fraction))
    measure(np.repeat(blank(), 4, axis=0), ["ink"], progress)
    assert said == [0, 0.25, 0.5, 0.75]
    progress.cancel()
    with pytest.raises(Cancelled):
        measure(blank(), ["ink"], progress)


def test_that_every_feature_has_a_name_of_its_own_and_says_what_it_is() -> None:
    assert len({each.name for each in FEATURES}) == len(FEATURES)
    assert all(each.name.isidentifier() and each.help.endswith(".") and each.formula for each in FEATURES)
