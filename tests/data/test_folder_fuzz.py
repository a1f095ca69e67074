"""Folders of all that folders hold: every image has its class, its number and its values, and the rest is told."""

import random
import shutil
from pathlib import Path

import numpy as np
import pytest

from studio.data.image_set import ImageSet
from studio.perturb.example_features import COLUMN
from studio.training.examples.measured_set import measured_set
from tests.data.folder_ingredients import EDGE, Made, make_folder
from tests.data.image_folders import loaded


@pytest.mark.parametrize(
    ("start", "count"),
    [
        (0, 20),
        pytest.param(1000, 150, marks=pytest.mark.slow),
        pytest.param(10_000, 5000, marks=[pytest.mark.long, pytest.mark.timeout(3600)]),
    ],
)
def test_that_every_image_of_any_folder_has_its_class_number_and_values(tmp_path: Path, start: int, count: int) -> None:
    try:
        (tmp_path / "link").symlink_to(tmp_path, target_is_directory=True)
        (tmp_path / "<").touch()
    except OSError:
        pytest.skip("this system makes no such links or names")
    images = 0
    for seed in range(start, start + count):
        place = tmp_path / str(seed)
        made = make_folder(place / "images", random.Random(seed))
        images += _check(made, seed, place / "table.csv")
        shutil.rmtree(place)
    print(f"{count:,} folders, {images:,} images")


def _check(made: Made, seed: int, table: Path) -> int:
    found, listed = loaded(made.root, size=EDGE, colour="grey"), made.listed
    numbers = [number for number, each in enumerate(listed) if each.byte is not None]
    whole = f"folder {seed}"
    assert found.class_names == tuple(made.classes), whole
    assert found.numbers.tolist() == numbers, whole
    assert found.listed == tuple(each.name for each in listed), whole
    assert found.files == tuple(listed[number].name for number in numbers), whole
    labels = [label for label, files in enumerate(made.classes.values()) for each in files if each.byte is not None]
    assert found.labels.tolist() == labels, whole
    for image, number in zip(found.images, numbers, strict=True):
        assert abs(int(image[EDGE // 2, EDGE // 2, 0]) - (made.expected(listed[number]) or 0)) <= 1, (
            whole,
            listed[number],
            image[EDGE // 2, EDGE // 2, 0],
        )
    _check_report(made, found, whole)
    _check_table(made, found, table, random.Random(seed))
    return len(found)


def _check_report(made: Made, found: ImageSet, whole: str) -> None:
    report, text = found.report, "\n".join(found.report.lines())
    assert report.dropped_classes == (), whole
    assert len(report.skipped) == made.skipped + sum(each.byte is None for each in made.listed), whole
    assert report.loose_files == made.loose, whole
    assert len(report.lines()) <= 12 + len({file.reason for file in report.skipped}) * 5, whole
    for count, word in ((made.captions, "that is no image"), (made.masks, "mask of an image")):
        many = {"that is no image": "that are no images", "mask of an image": "masks of images"}[word]
        assert (f"{count} " in text and (word if count == 1 else many) in text) == bool(count), (whole, text)
    assert ("Only the first image" in text) == bool(made.several), whole
    deep = {each.deep for each in made.listed if each.byte is not None} - {""}
    for kind, said in (("sixteen", "16-bit images: white is"), ("float", "Floating-point images: white is")):
        assert (said in text) == (kind in deep), (whole, text)


def _check_table(made: Made, found: ImageSet, table: Path, chance: random.Random) -> None:
    """Values by number and by name, in any order, for some of the files, readable or not."""
    values = {number: chance.randrange(-50, 50) / 10 for number in range(len(made.listed)) if chance.random() < 0.7}
    values[0] = 1.5
    rows = [
        f'"{made.listed[number].name}",{value}' if chance.random() < 0.5 else f"{number},{value}"
        for number, value in values.items()
    ]
    chance.shuffle(rows)
    table.write_text("example,energy\n" + "\n".join(rows), encoding="utf-8")
    column = measured_set(found).values(f"{COLUMN}csv:{table}")
    np.testing.assert_array_equal(column, [values.get(int(number), 0.0) for number in found.numbers])
