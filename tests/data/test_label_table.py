"""A folder of images whose classes a file ``labels.csv`` in it names."""

from pathlib import Path

import numpy as np
import pytest

from studio.data.folder import FolderConfig, inspect_folder
from studio.data.image_set import ImageSet
from studio.errors import UserError
from studio.perturb.example_features import COLUMN
from studio.training.examples.measured_set import measured_set
from tests.data.image_folders import loaded, write_image, write_image_folder

COUNT = 6


def write_folder(root: Path, text: str, within: str = "") -> Path:
    """Six images ``0.png``, …, each of another brightness, and their table."""
    for number in range(COUNT):
        write_image(root / within / f"{number}.png", (20 * number, 0, 0))
    (root / "labels.csv").write_text(text)
    return root


def classes_of(images: ImageSet) -> dict[int, str]:
    """Which class each image is of, by the number in its name."""
    shown = (images.images[:, 0, 0, 0] // 20).tolist()
    return dict(zip(shown, (images.class_names[label] for label in images.labels), strict=True))


def test_that_a_table_tells_classes_and_the_images_that_it_does_not_name_are_of_none(tmp_path: Path) -> None:
    root = write_folder(tmp_path, "3.png,dog 10\n0.png,dog 2\n1.png,dog 10\n2.png,\n4.png,-1\n")
    images = loaded(root, size=8)
    assert images.class_names == ("dog 2", "dog 10")
    assert classes_of(images) == {0: "dog 2", 1: "dog 10", 3: "dog 10"}
    assert (images.unlabelled.values[:, 0, 0, 0] // 20).tolist() == [2, 4, 5]
    preview = inspect_folder(FolderConfig(path=str(root)))
    assert [(each.name, each.files) for each in preview.classes] == [("dog 2", 1), ("dog 10", 2)]
    note = "labels.csv tells the class of 3 of 6 files; only conditional models learn from the other 3."
    assert preview.report.lines() == images.report.lines() == (note,)


@pytest.mark.parametrize(
    ("text", "within"),
    [
        ("file,class\n0.png,a\n1.png,b\n", ""),
        ("class\tfile name\na\t0.png\nb\t1.png\n", ""),
        ("sep=;\n0.png;a\n1.png;b\n", ""),
        ("id,split,label\n0,train,a\n1,test,b\n", ""),
        ("id,image,label\n17,0.png,a\n18,1.png,b\n", ""),
        ("0.png,a\n1.png,b\n", "images"),
        ("images/0.png,a\nimages\\1.png,b\n", "images"),
        ("images/0,a\n1,b\n", "images"),
    ],
)
def test_that_a_table_is_read_as_people_write_it(tmp_path: Path, text: str, within: str) -> None:
    images = loaded(write_folder(tmp_path, text, within), size=8)
    assert classes_of(images) == {0: "a", 1: "b"}
    assert images.unlabelled is not None
    assert len(images.unlabelled) == COUNT - 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("0.png,a\n7.png,b\n", "Line 2 .* there is no image “7.png”"),
        ("0.png,a\n1.png,b\n0,a\n", "Line 3 .* “0” was there before"),
        ("file,breed or so\n0.png,a\n", "Line 1 .* no column is called as one of classes"),
        ("nobody,class\n0.png,a\n", "Line 1 .* no column is called as one of file names"),
        ("0.png,a\n1.png,b,c\n", "Line 2 .* it has 3 cells and not 2"),
        ("0.png,a\n1.png,a\n", "it names 1 of them"),
        ("", "it names 0 of them"),
    ],
)
def test_that_what_a_table_says_wrongly_is_an_error_of_the_folder(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(UserError, match=f"(?s){says}") as caught:
        loaded(write_folder(tmp_path, text))
    assert caught.value.field == "dataset.path"


def test_that_a_name_that_two_images_have_tells_none_of_them(tmp_path: Path) -> None:
    write_image(tmp_path / "part" / "0.png")
    root = write_folder(tmp_path, "0,a\n1,b\n")
    with pytest.raises(UserError, match="or more than one"):
        loaded(root)


def test_that_sub_folders_of_classes_go_before_a_table(tmp_path: Path) -> None:
    root = write_image_folder(tmp_path, classes=2)
    (root / "labels.csv").write_text("1.png,a\n")
    images = loaded(root)
    assert images.class_names == ("class 1", "class 2")
    assert "labels.csv is not read: the sub-folders are classes." in images.report.notes


def test_that_a_table_of_energies_gives_each_of_these_images_its_own_value(tmp_path: Path) -> None:
    root, table = write_folder(tmp_path / "images", "0.png,b\n1.png,a\n3.png,b\n"), tmp_path / "energies.csv"
    table.write_text("".join(f"{number}.png,{number}\n" for number in (0, 1, 3)))
    images = loaded(root, size=8)
    column = measured_set(images).values(f"{COLUMN}csv:{table}")
    np.testing.assert_array_equal(20 * column, images.images[:, 0, 0, 0])


def test_that_a_link_to_a_folder_with_a_table_is_read_as_the_folder(tmp_path: Path) -> None:
    root = write_folder(tmp_path / "images", "0.png,a\n1.png,b\n")
    (tmp_path / "link").symlink_to(root, target_is_directory=True)
    assert loaded(tmp_path / "link").class_names == ("a", "b")
