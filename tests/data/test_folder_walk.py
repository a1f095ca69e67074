"""Which files below a folder are images of which class, and what is said of the rest."""

import unicodedata
from pathlib import Path

import pytest

from studio.data import memory
from studio.data.clutter import masks_among
from studio.data.folder import FolderConfig, inspect_folder
from studio.data.folder_scan import scan_folder
from studio.errors import UserError
from studio.progress import Progress
from tests.data.image_folders import loaded, write_image, write_image_folder


def linked(link: Path, target: Path) -> None:
    try:
        link.symlink_to(target, target_is_directory=True)
    except OSError:
        pytest.skip("this system makes no links")


def test_that_a_linked_folder_inside_a_class_is_read_once(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    for number in range(3):
        write_image(elsewhere / f"{number}.png")
    root = write_image_folder(tmp_path / "root", classes=2, per_class=2)
    linked(root / "class 1" / "more", elsewhere)
    linked(root / "class 1" / "again", elsewhere)
    linked(elsewhere / "back", elsewhere)
    images = loaded(root)
    assert images.files == (
        *("class 1/1.png", "class 1/2.png"),
        *(f"class 1/again/{number}.png" for number in range(3)),
        *("class 2/1.png", "class 2/2.png"),
    )
    assert {file.path for file in images.report.skipped} == {"class 1/more", "class 1/again/back"}
    assert "class 1/more was left out: a link to a folder of this class, which is read once" in images.report.lines()


def test_that_a_folder_is_read_by_its_own_name_and_not_by_a_link_to_it(tmp_path: Path) -> None:
    write_image(tmp_path / "a" / "z" / "1.png")
    linked(tmp_path / "a" / "link", tmp_path / "a" / "z")
    images = loaded(tmp_path)
    assert images.files == ("a/z/1.png",)
    assert [file.path for file in images.report.skipped] == ["a/link"]


def test_that_a_link_that_cannot_be_followed_costs_itself_alone(tmp_path: Path) -> None:
    root = write_image_folder(tmp_path, classes=2, per_class=2)
    linked(root / "endless", root / "endless")
    linked(root / "class 1" / "endless", root / "class 1" / "endless")
    linked(root / "class 1" / "1a.png", root / "class 1" / "1a.png")
    images = loaded(root)
    assert images.counts.tolist() == [2, 2]
    assert images.numbers.tolist() == [0, 2, 3, 4]  # what is an image by its name has a number
    skipped = {file.path: file.reason for file in images.report.skipped}
    assert skipped.keys() == {"endless", "class 1/endless", "class 1/1a.png"}
    assert skipped.pop("class 1/1a.png") == "a link that leads to itself"
    assert all("a link that cannot be followed" in reason for reason in skipped.values())


@pytest.mark.parametrize(
    "name",
    [
        *("@eaDir", "#recycle", "$RECYCLE.BIN", "System Volume Information", "lost+found", ".hidden", "__MACOSX"),
        *("#snapshot", "@Recycle", "$Recycle.Bin", "RECYCLER", ".Trash-1000", ".ipynb_checkpoints", "FOUND.000"),
    ],
)
def test_that_what_systems_leave_behind_is_no_class(tmp_path: Path, name: str) -> None:
    root = write_image_folder(tmp_path, classes=2, per_class=2)
    write_image(root / name / "1.png")
    write_image(root / "class 1" / name / "1.png")
    images = loaded(root)
    assert images.class_names == ("class 1", "class 2")
    assert len(images) == 4


def test_that_masks_and_captions_are_left_out_in_one_line(tmp_path: Path) -> None:
    for number in range(100):
        write_image(tmp_path / "a" / f"{number}.png")
        (tmp_path / "a" / f"{number}.txt").write_text("a caption")
    write_image(tmp_path / "a" / "7-masklabel.png")
    (tmp_path / "b").mkdir()
    write_image(tmp_path / "b" / "x.jpg")
    write_image(tmp_path / "b" / "x_mask_1.PNG")
    images = loaded(tmp_path, size=8)
    assert images.counts.tolist() == [100, 1]
    assert images.files == (*(f"a/{number}.png" for number in range(100)), "b/x.jpg")
    assert images.numbers.tolist() == list(range(101))
    captions = "100 files that are no images (a/0.txt, a/1.txt, a/2.txt, …)"
    masks = "2 masks of images (a/7-masklabel.png, b/x_mask_1.PNG)"
    assert images.report.lines() == (f"Left out by name: {captions} and {masks}.",)


@pytest.mark.parametrize(
    ("names", "masks"),
    [
        (["x.png", "x-masklabel.png"], ["x-masklabel.png"]),
        (["x.jpg", "X_Mask.png", "x seg.tif"], ["X_Mask.png", "x seg.tif"]),
        (
            ["benign (1).png", "benign (1)_mask.png", "benign (1)_mask_2.png"],
            ["benign (1)_mask.png", "benign (1)_mask_2.png"],
        ),
        (["x_label_mask.png", "x.png"], ["x_label_mask.png"]),
        (["x.jpg", "mask_x.png", "seg-x.png"], ["mask_x.png", "seg-x.png"]),
        (
            ["x.jpg", "x_bin_mask.png", "x_instanceIds.png", "x_labelTrainIds.png"],
            ["x_bin_mask.png", "x_instanceIds.png", "x_labelTrainIds.png"],
        ),
        (["x-masklabel.png", "y.png"], []),
        (["mask.png", "1.png", "label 1.png", "masked.png"], []),
        (["x.png", "x-unmasked.png", "x2.png", "x_2.png"], []),
    ],
)
def test_that_a_mask_is_one_of_an_image_beside_it(names: list[str], masks: list[str]) -> None:
    assert masks_among(names) == set(masks)


@pytest.mark.parametrize("images", ["images/1.png", "1.png"])
def test_that_a_folder_of_masks_beside_a_classs_images_is_left_out_and_told(tmp_path: Path, images: str) -> None:
    for place in (images, "masks/1.png", "no_mask/2.png"):
        write_image(tmp_path / "a" / place)
    found = loaded(tmp_path, size=8)
    assert sorted(found.files) == sorted([f"a/{images}", "a/no_mask/2.png"])
    assert found.report.lines() == ("Left out by name: 1 folder of masks (a/masks).",)


def test_that_what_editors_and_downloads_leave_is_no_example(tmp_path: Path) -> None:
    for name in ("1.png", "1.png~", "1.png.bak", "2.png.part", "3.png.crdownload"):
        write_image(tmp_path / "a" / "x.png").rename(tmp_path / "a" / name)
    write_image(tmp_path / "@__thumb" / "1.png")
    assert loaded(tmp_path, size=8).files == ("a/1.png",)


@pytest.mark.parametrize("kind", ["text", "no image inside"])
def test_that_images_beside_a_folder_of_other_files_are_read_with_a_word_on_it(tmp_path: Path, kind: str) -> None:
    for number in range(3):
        write_image(tmp_path / f"{number}.png", (60 * number, 0, 0))
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / ("a.txt" if kind == "text" else "README")).write_text("words")
    images = loaded(tmp_path, size=8)
    assert images.class_names == ("all images",)
    assert images.images[:, 4, 4, 0].tolist() == [0, 60, 120]
    assert images.report.lines()[0] == (
        "No image was found in the sub-folders (notes); those beside them are read, as one class."
    )
    preview = inspect_folder(FolderConfig(path=str(tmp_path), size=8))
    assert [(one.name, one.files) for one in preview.classes] == [("all images", 3)]
    assert preview.report.notes[0] == images.report.lines()[0]


def test_that_a_folder_of_other_files_alone_is_refused_with_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "1.txt").write_text("words")
    with pytest.raises(UserError, match="The folder holds no images") as caught:
        loaded(tmp_path)
    assert "1 file that is no image (a/1.txt)" in caught.value.message


@pytest.mark.parametrize(
    ("places", "better"),
    [
        (["train/cat", "train/dog", "val/cat", "val/dog"], ["train", "val"]),
        (["PetImages/Cat", "PetImages/Dog"], ["PetImages"]),
        (["train/cat", "train/dog", "test"], ["train"]),
        (["training_set/training_set/cats", "training_set/training_set/dogs"], ["training_set/training_set"]),
        (["seg_train/seg_train/sea", "seg_train/seg_train/street", "seg_pred/seg_pred"], ["seg_train/seg_train"]),
        (["data/train/cat", "data/train/dog"], ["data/train"]),
        (["data/train/cat", "data/train/dog", "data/val/cat", "data/val/dog"], ["data/train", "data/val"]),
        (["images/train", "images/test"], ["images/test", "images/train"]),
        (["train2017/cat", "train2017/dog", "val2017/cat", "val2017/dog"], ["train2017", "val2017"]),
        (["trainset/cat", "trainset/dog", "unlabeled/cat", "unlabeled/dog"], ["trainset", "unlabeled"]),
        (["fold1/a", "fold1/b", "fold2/a", "fold2/b"], ["fold1", "fold2"]),
        (["train", "valid", "test"], ["test", "train", "valid"]),
        (["images", "masks"], ["images"]),
        (["train", "train_masks"], ["train"]),
        (["cat", "dog"], []),
        (["mask", "no mask"], []),
        (["with_mask", "without_mask"], []),
        (["cat/train", "cat/val", "dog/train", "dog/val"], []),
        (["cat/images", "cat/masks", "dog/images", "dog/masks"], []),
        (["faces/more"], []),
        (["train", "trains", "trams"], []),
        (["cat/tabby", "cat/black", "dog/poodle", "dog/pug"], []),
    ],
)
def test_that_a_level_that_looks_wrong_is_said_and_the_other_offered(
    tmp_path: Path, places: list[str], better: list[str]
) -> None:
    for place in places:
        write_image(tmp_path / place / "1.png")
    images = loaded(tmp_path)
    assert images.class_names == tuple(dict.fromkeys(place.split("/")[0] for place in sorted(places)))
    assert inspect_folder(FolderConfig(path=str(tmp_path))).better == tuple(tmp_path / place for place in better)
    said = [line for line in images.report.lines() if " instead." in line]
    assert len(said) == bool(better)
    assert all(str(tmp_path / place) in said[0] for place in better)


def test_that_one_class_in_two_spellings_is_one_and_said_to_be(tmp_path: Path) -> None:
    other = unicodedata.normalize("NFD", "é")
    write_image(tmp_path / "é" / "é.png")
    write_image(tmp_path / other / f"{other}.png")
    if len(list(tmp_path.iterdir())) == 1:
        pytest.skip("this system tells the spellings not apart")
    images = loaded(tmp_path)
    assert (images.class_names, len(images)) == (("é",), 2)
    assert len(set(images.files)) == 2
    assert images.report.lines() == ("Two folders are called “é”, spelt in two ways; they are one class.",)


def test_that_many_files_of_one_fault_take_one_line(tmp_path: Path) -> None:
    root = write_image_folder(tmp_path, classes=1, per_class=2)
    for number in range(40):
        (root / "class 1" / f"x{number}.heic").write_text("no image")
    assert loaded(root).report.lines() == (
        "40 files were left out: not an image of a known format (class 1/x0.heic, class 1/x1.heic, class 1/x2.heic, …)",
    )


def test_that_the_memory_for_the_largest_image_is_asked_for_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_image(tmp_path / "a" / "large.png", size=(2000, 2000))
    with (tmp_path / "a" / "large.png").open("ab") as file:
        file.write(bytes(2**16))  # what follows the image is nothing to it
    monkeypatch.setattr(memory, "available_bytes", lambda: memory.RESERVE + 30_000_000)
    with pytest.raises(UserError, match="does not fit into memory"):
        loaded(tmp_path)


def test_that_names_no_system_can_decode_stay_apart(tmp_path: Path) -> None:
    try:
        for name in (b"\xff", b"\xfe"):
            folder = tmp_path / name.decode("utf-8", "surrogateescape")
            write_image(folder / "1.png")
    except (OSError, UnicodeError):
        pytest.skip("this system has no such names")
    listing = scan_folder(str(tmp_path), Progress())
    assert listing.names == ("\\xfe/1.png", "\\xff/1.png")
