"""IDX files: what is read back is what was written, and every damage is one clear error that names the file.

MNIST and its relatives, from files on disk.
"""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from studio.data.catalog import dataset_spec, load_dataset
from studio.data.idx import read_idx, read_images, read_labels
from studio.data.idx_sets import EmnistBalancedConfig, MnistConfig
from studio.errors import UserError
from tests.data.idx_files import idx_bytes, tiny_images, tiny_labels, write_idx_set

IMAGES = idx_bytes(tiny_images(per_class=1, size=4))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=arrays.arrays(np.uint8, arrays.array_shapes(min_dims=1, max_dims=4, min_side=0, max_side=5)))
def test_that_an_idx_file_reads_back_as_it_was_written(tmp_path: Path, values: np.ndarray) -> None:
    path = tmp_path / "file"
    path.write_bytes(idx_bytes(values))
    np.testing.assert_array_equal(read_idx(path, values.ndim), values)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"", "is empty"),
        (IMAGES[:3], "is truncated"),
        (IMAGES[:10], "is truncated"),
        (IMAGES[:16], "is truncated"),
        (IMAGES[:-1], "is truncated"),
        (IMAGES + b"\0", "is too long"),
        (b"<!DOCTYPE html><html></html>", "its header is wrong"),
        (b"\x1f\x8b\x08\x00" + IMAGES[4:], "its header is wrong"),
        (idx_bytes(np.zeros(9, dtype=np.uint8)), "its header is wrong"),
        (bytes([0, 0, 13, 3]) + IMAGES[4:], "its header is wrong"),
        (bytes([0, 0, 8, 3]) + b"\xff" * 12, "is truncated"),
        (idx_bytes(np.zeros((0, 28, 28), dtype=np.uint8)), "has no pixel"),
    ],
)
def test_that_a_damaged_idx_file_is_named_with_what_is_wrong_and_what_to_do(
    tmp_path: Path, content: bytes, what: str
) -> None:
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(UserError) as caught:
        read_images(path)
    assert str(path) in caught.value.message
    assert what in caught.value.message
    assert "Delete this file" in caught.value.hint


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.binary(max_size=40) | st.binary(max_size=40).map(lambda tail: bytes([0, 0, 8, 3]) + tail))
def test_that_no_content_whatever_does_more_than_a_user_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(content)
    try:
        images = read_images(path)
    except UserError:
        return
    assert images.ndim == 3


def test_that_a_missing_idx_file_is_a_user_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_images(tmp_path / "absent")


def test_that_labels_must_match_the_images_in_number_and_the_classes_in_range(tmp_path: Path) -> None:
    path = tmp_path / "labels"
    path.write_bytes(idx_bytes(np.array([0, 1, 2], dtype=np.uint8)))
    np.testing.assert_array_equal(read_labels(path, 3, 3), [0, 1, 2])
    with pytest.raises(UserError, match="3 labels for 4 images"):
        read_labels(path, 3, 4)
    with pytest.raises(UserError, match="label 2, but only 0…1"):
        read_labels(path, 2, 3)


def test_that_mnist_on_disk_opens_as_it_is(mnist_root: Path) -> None:
    images = load_dataset(MnistConfig(), mnist_root)
    assert images.values.shape == (60_000, 28, 28, 1)
    assert images.class_names == tuple("0123456789")
    assert images.counts[2] == 5958
    assert images.labels[:4].tolist() == [5, 0, 4, 1]


@pytest.mark.parametrize(
    ("kind", "folder"), [("mnist", "MNIST"), ("fashion_mnist", "FashionMNIST"), ("kmnist", "KMNIST")]
)
def test_that_files_on_disk_are_read_without_a_download(tmp_path: Path, kind: str, folder: str) -> None:
    spec = dataset_spec(kind)
    assert spec.download_bytes(tmp_path) > 10_000_000
    write_idx_set(tmp_path, folder=folder)
    assert spec.download_bytes(tmp_path) == 0
    images = load_dataset(spec.config(), tmp_path)
    np.testing.assert_array_equal(images.values[..., 0], tiny_images())
    np.testing.assert_array_equal(images.labels, tiny_labels())
    assert images.name == spec.title


def test_that_emnist_is_turned_upright(tmp_path: Path) -> None:
    write_idx_set(tmp_path, folder="EMNIST", prefix="emnist-balanced-train", classes=47, per_class=1)
    images = load_dataset(EmnistBalancedConfig(), tmp_path)
    np.testing.assert_array_equal(images.values[..., 0], tiny_images(1, 47).transpose(0, 2, 1))
    assert len(images.class_names) == 47
    assert images.values.flags.c_contiguous


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"])
@pytest.mark.parametrize("keep", [0, 5, 40])
def test_that_an_empty_or_truncated_file_is_named(tmp_path: Path, name: str, keep: int) -> None:
    path = write_idx_set(tmp_path) / name
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(UserError, match=name) as caught:
        load_dataset(MnistConfig(), tmp_path)
    assert caught.value.title == "A data file is damaged"
    assert caught.value.hint == "Delete this file; the studio then downloads it again."


def test_that_images_and_labels_of_different_sets_are_refused(tmp_path: Path) -> None:
    raw = write_idx_set(tmp_path, per_class=6)
    longer = write_idx_set(tmp_path / "other", per_class=7)
    (raw / "train-labels-idx1-ubyte").write_bytes((longer / "train-labels-idx1-ubyte").read_bytes())
    with pytest.raises(UserError, match="70 labels for 60 images"):
        load_dataset(MnistConfig(), tmp_path)
