"""A folder of images, one sub-folder per class."""

import mmap
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image
from pydantic import ValidationError

from studio.data import memory
from studio.data.catalog import dataset_spec, load_dataset
from studio.data.folder import FolderConfig, inspect_folder
from studio.data.folder_scan import natural_key
from studio.data.subset import part_of
from studio.errors import Cancelled, UserError
from studio.progress import Progress
from tests.conftest import LETTERS
from tests.data.image_folders import loaded, write_image, write_image_folder


def test_that_each_sub_folder_is_a_class(tmp_path: Path) -> None:
    root = write_image_folder(tmp_path / "pets", classes=3, per_class=4)
    images = loaded(root, size=16)
    assert images.name == "pets"
    assert images.class_names == ("class 1", "class 2", "class 3")
    assert images.images.shape == (12, 16, 16, 3)
    assert images.counts.tolist() == [4, 4, 4]
    assert images.report.lines() == ()
    strongest = images.images.mean(axis=(1, 2)).argmax(axis=1)
    np.testing.assert_array_equal(strongest, images.labels)


def test_that_classes_and_files_are_sorted_as_people_count(tmp_path: Path) -> None:
    for name in ("img10", "img9", "Img1"):
        for number in (10, 9):
            write_image(tmp_path / name / f"{number}.png", (number, 0, 0))
    images = loaded(tmp_path, size=8)
    assert images.class_names == ("Img1", "img9", "img10")
    assert images.images[:, 0, 0, 0].tolist() == [9, 10] * 3
    assert images.files == tuple(f"{name}/{number}.png" for name in images.class_names for number in (9, 10))


@given(st.lists(st.text(LETTERS, max_size=8), min_size=1, max_size=6))
def test_that_natural_order_is_an_order_of_any_names(names: list[str]) -> None:
    backwards = names[::-1]
    assert sorted(names, key=natural_key) == sorted(backwards, key=natural_key)


@pytest.mark.parametrize(
    ("colour", "paint", "channels"),
    [("auto", (90, 90, 90), 1), ("auto", (90, 90, 91), 3), ("grey", (200, 30, 30), 1), ("colour", (90, 90, 90), 3)],
)
def test_that_colour_is_kept_as_asked(tmp_path: Path, colour: str, paint: tuple[int, int, int], channels: int) -> None:
    write_image(tmp_path / "a" / "1.png", (10, 10, 10))
    write_image(tmp_path / "b" / "1.png", paint)
    images = loaded(tmp_path, colour=colour)
    assert images.images.shape == (2, 32, 32, channels)
    assert images.images.flags.c_contiguous


def test_that_unreadable_files_are_listed_and_skipped(tmp_path: Path) -> None:
    root = write_image_folder(tmp_path, classes=2, per_class=2)
    (root / "class 1" / "text.png").write_text("This is no image.")
    (root / "class 1" / "deep").mkdir()
    (root / "class 1" / "deep" / "cut.png").write_bytes((root / "class 1" / "1.png").read_bytes()[:60])
    (root / "class 2" / "empty.jpg").touch()
    write_image(root / "beside.png")
    images = loaded(root)
    assert images.counts.tolist() == [2, 2]
    assert sorted(file.path for file in images.report.skipped) == [
        "class 1/deep/cut.png",
        "class 1/text.png",
        "class 2/empty.jpg",
    ]
    lines = images.report.lines()
    assert lines[0] == "Files outside the class folders: 1"
    assert "class 1/text.png was left out: not an image of a known format" in lines


def test_that_a_damaged_file_shifts_no_number(tmp_path: Path) -> None:
    for number in range(10):
        write_image(tmp_path / "a" / f"{number}.png", (20 * number, 0, 0))
    (tmp_path / "a" / "3.png").write_text("This is no image.")
    images = loaded(tmp_path, size=8)
    assert images.numbers.tolist() == [0, 1, 2, 4, 5, 6, 7, 8, 9]
    assert images.number_count == 10
    assert images.files == tuple(f"a/{number}.png" for number in images.numbers)
    assert images.listed == tuple(f"a/{number}.png" for number in range(10))
    assert images.images[:, 0, 0, 0].tolist() == [20 * number for number in images.numbers]
    part = part_of(images, np.array([2, 3]))
    assert (part.numbers.tolist(), part.number_count) == ([2, 4], 10)


def test_that_a_class_without_a_readable_image_is_dropped_with_mention(tmp_path: Path) -> None:
    root = write_image_folder(tmp_path, classes=3, per_class=2)
    for path in (root / "class 2").iterdir():
        path.write_text("no image")
    (root / "class 4").mkdir()
    images = loaded(root)
    assert images.class_names == ("class 1", "class 3")
    assert images.labels.tolist() == [0, 0, 1, 1]
    assert images.report.dropped_classes == ("class 2", "class 4")
    assert images.report.lines()[:2] == (
        "Classes without a readable image: class 2, class 4",
        "Classes are numbered without those: class 3 is 1.",
    )


def test_that_loops_of_links_end_and_links_to_classes_and_files_work(tmp_path: Path) -> None:
    root = write_image_folder(tmp_path / "root", classes=2, per_class=2)
    elsewhere = write_image_folder(tmp_path / "elsewhere", classes=1, per_class=3) / "class 1"
    try:
        (root / "class 3").symlink_to(elsewhere, target_is_directory=True)
    except OSError:
        pytest.skip("this system makes no links")
    (root / "class 1" / "loop").symlink_to(root / "class 1", target_is_directory=True)
    (root / "class 2" / "up").symlink_to(root, target_is_directory=True)
    (root / "class 2" / "linked.png").symlink_to(elsewhere / "1.png")
    (root / "itself").symlink_to(root, target_is_directory=True)
    (root / "parent").symlink_to(tmp_path, target_is_directory=True)
    images = loaded(root)
    assert images.class_names == ("class 1", "class 2", "class 3")
    assert images.counts.tolist() == [2, 3, 3]
    assert {file.path for file in images.report.skipped} == {"class 1/loop", "class 2/up", "itself", "parent"}


@pytest.mark.parametrize("kind", ["missing", "a file", "empty", "empty classes", "unset", "nonsense"])
def test_that_a_folder_without_images_is_refused_with_what_to_do(tmp_path: Path, kind: str) -> None:
    root = tmp_path / "folder"
    match kind:
        case "a file":
            root.write_text("a file")
        case "empty":
            root.mkdir()
        case "empty classes":
            (root / "one").mkdir(parents=True)
            (root / "two").mkdir()
    path = {"unset": " ", "nonsense": "\0"}.get(kind, str(root))
    expected = {
        "missing": "The folder does not exist",
        "nonsense": "The folder does not exist",
        "a file": "This is not a folder",
        "unset": "No folder is chosen",
    }.get(kind, "The folder holds no images")
    for action in (lambda config: load_dataset(config, tmp_path), inspect_folder):
        with pytest.raises(UserError) as caught:
            action(FolderConfig(path=path))
        assert caught.value.title == expected
        assert caught.value.hint
        assert caught.value.field == "dataset.path"


def test_that_images_beside_no_sub_folder_are_one_class(tmp_path: Path) -> None:
    for number in (10, 9):
        write_image(tmp_path / f"{number}.png", (number, 0, 0))
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes.txt").write_text("no image")
    images = loaded(tmp_path, size=8)
    assert not images.labelled
    assert images.class_names == ("all images",)
    assert images.labels.tolist() == [0, 0]
    assert images.images[:, 0, 0, 0].tolist() == [9, 10]
    assert images.files == ("9.png", "10.png")
    assert images.report.lines() == ("Left out by name: 1 file that is no image (notes.txt).",)
    preview = inspect_folder(FolderConfig(path=str(tmp_path), size=8))
    assert [(one.name, one.files, len(one.thumbnails)) for one in preview.classes] == [("all images", 2, 2)]
    assert preview.report.loose_files == 0


def test_that_one_sub_folder_is_one_class_and_what_lies_beside_it_is_none(tmp_path: Path) -> None:
    write_image(tmp_path / "faces" / "more" / "1.png")
    write_image(tmp_path / "cover.png")
    images = loaded(tmp_path)
    assert (images.class_names, len(images), images.labelled) == (("faces",), 1, False)
    assert images.report.lines() == ("Files outside the class folders: 1",)


def test_that_two_classes_with_one_readable_are_one_class_with_mention(tmp_path: Path) -> None:
    root = write_image_folder(tmp_path, classes=2, per_class=5)
    for path in (root / "class 2").iterdir():
        path.write_text("no image")
    images = loaded(root)
    assert images.class_names == ("class 1",)
    assert images.report.lines()[0] == "Classes without a readable image: class 2"
    for path in (root / "class 1").iterdir():
        path.write_text("nor is this")
    with pytest.raises(UserError, match="The folder has no image that can be read") as caught:
        loaded(root)
    assert "class 1/1.png: not an image of a known format" in caught.value.message
    assert "and 7 more" in caught.value.message


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the administrator may read everything")
def test_that_a_folder_that_may_not_be_read_is_told(tmp_path: Path) -> None:
    root = write_image_folder(tmp_path / "root", classes=3)
    (root / "class 3").chmod(0)
    try:
        images = loaded(root)
        assert images.report.dropped_classes == ("class 3",)
        assert "cannot be read" in images.report.skipped[0].reason
    finally:
        (root / "class 3").chmod(0o755)


def test_that_a_cancel_is_noticed_at_the_next_file(tmp_path: Path) -> None:
    root = write_image_folder(tmp_path, classes=2, per_class=3)
    seen: list[str] = []

    def listen(text: str, fraction: float | None) -> None:
        seen.append(text)
        if text.startswith("Reading image"):
            progress.cancel()

    progress = Progress(listen)
    with pytest.raises(Cancelled):
        load_dataset(FolderConfig(path=str(root)), root, progress)
    assert seen[-1] == "Reading image 1 of 6"


def test_that_the_first_look_counts_files_and_shows_a_few_images(tmp_path: Path) -> None:
    root = write_image_folder(tmp_path, classes=3, per_class=6)
    (root / "class 1" / "0.png").write_text("no image")
    for path in (root / "class 3").iterdir():
        path.write_text("no image")
    preview = inspect_folder(FolderConfig(path=str(root), size=16), thumbnails=3)
    assert [(one.name, one.files, len(one.thumbnails)) for one in preview.classes] == [
        ("class 1", 7, 3),
        ("class 2", 6, 3),
        ("class 3", 6, 0),
    ]
    assert preview.files == 19
    assert preview.classes[0].thumbnails.shape == (3, 16, 16, 3)
    assert preview.report.skipped[0].path == "class 1/0.png"
    assert (preview.pixel_bytes, preview.in_memory) == (19 * 16 * 16 * 4, True)


def test_that_a_first_look_can_be_cancelled(tmp_path: Path) -> None:
    progress = Progress(lambda text, fraction: progress.cancel() if text.startswith("Looking at") else None)
    with pytest.raises(Cancelled):
        inspect_folder(FolderConfig(path=str(write_image_folder(tmp_path))), progress)


@pytest.fixture
def little_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Memory for 2,000 bytes and a cache of its own, which is returned."""
    monkeypatch.setattr(memory, "available_bytes", lambda: memory.RESERVE + 4_000)
    monkeypatch.setattr(memory, "cache_dir", lambda: tmp_path / "cache")
    return tmp_path / "cache"


@pytest.mark.parametrize("colour", ["auto", "grey", "colour"])
def test_that_images_too_many_for_memory_are_mapped_from_a_file_without_a_name(
    little_memory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, colour: str
) -> None:
    root = write_image_folder(tmp_path / "images")
    mapped = loaded(root, colour=colour)
    assert mapped_from_a_file(mapped.images)
    assert list(little_memory.iterdir()) == []
    assert not inspect_folder(FolderConfig(path=str(root))).in_memory
    monkeypatch.setattr(memory, "available_bytes", lambda: 2**40)
    held = loaded(root, colour=colour)
    assert not mapped_from_a_file(held.images)
    assert mapped.fingerprint() == held.fingerprint()


def mapped_from_a_file(array: NDArray[np.uint8]) -> bool:
    """Whether the memory behind it is a file's."""
    base: Any = array
    while isinstance(base, np.ndarray):
        base = base.base
    return isinstance(base, mmap.mmap)


def test_that_images_too_many_for_memory_and_disk_are_refused(
    little_memory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = write_image_folder(tmp_path / "images")
    monkeypatch.setattr("shutil.disk_usage", lambda folder: SimpleNamespace(free=memory.RESERVE))
    with pytest.raises(UserError, match="neither into memory nor on the disk"):
        loaded(root)
    little_memory.rmdir()
    little_memory.write_text("no folder")
    with pytest.raises(UserError, match="no file can be made"):
        loaded(root)


def test_that_labels_must_fit_into_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "available_bytes", lambda: memory.RESERVE)
    with pytest.raises(UserError, match="does not fit into memory"):
        loaded(write_image_folder(tmp_path))


def test_that_the_form_knows_the_bounds_and_that_the_path_is_a_folder() -> None:
    for size in (7, 129):
        with pytest.raises(ValidationError, match="size"):
            FolderConfig(size=size)
    schema = FolderConfig.model_json_schema()["properties"]
    assert schema["path"]["path"] == "folder"
    assert (schema["size"]["minimum"], schema["size"]["maximum"], schema["size"]["unit"]) == (8, 128, "px")
    for field in ("path", "size", "colour", "fit", "background"):
        assert schema[field]["title"]
        assert schema[field]["description"].endswith(".")
    assert dataset_spec("folder").config is FolderConfig


def test_that_a_plain_image_file_format_mix_is_one_set(tmp_path: Path) -> None:
    for index, ending in enumerate(("png", "jpg", "bmp", "gif", "tif", "webp")):
        folder = tmp_path / ("even" if index % 2 == 0 else "odd")
        folder.mkdir(exist_ok=True)
        Image.new("RGB", (9, 9 + index), (200, 30, 30)).save(folder / f"a.{ending}")
    images = loaded(tmp_path)
    np.testing.assert_allclose(images.images[:, 16, 16], np.broadcast_to((200, 30, 30), (6, 3)), atol=12)


def test_that_images_in_unlabelled_beside_classes_are_of_none(tmp_path: Path) -> None:
    root = write_image_folder(tmp_path / "pets", classes=2)
    for name in ("z.png", "a.png", "deeper/b.png"):
        write_image(root / "Unlabelled" / name)
    (root / "Unlabelled" / "broken.png").write_bytes(b"no image")
    found = loaded(root)
    plain = loaded(write_image_folder(tmp_path / "labelled alone" / "pets", classes=2))
    assert (found.class_names, len(found), found.files) == (plain.class_names, len(plain), plain.files)
    assert found.listed == plain.listed  # a file of energies names these alone
    assert found.unlabelled is not None
    assert len(found.unlabelled) == 3
    assert not found.unlabelled.labelled
    assert found.unlabelled.image_shape == found.image_shape
    assert any("of no class" in note for note in found.report.notes)
    assert found.fingerprint() != plain.fingerprint()
    preview = inspect_folder(FolderConfig(path=str(root)))
    assert [each.name for each in preview.classes] == list(found.class_names)


def test_that_unlabelled_is_a_class_where_there_are_not_two_others(tmp_path: Path) -> None:
    root = write_image_folder(tmp_path / "pets", classes=1)
    write_image(root / "unlabelled" / "a.png")
    found = loaded(root)
    assert found.class_names == ("class 1", "unlabelled")
    assert found.unlabelled is None
