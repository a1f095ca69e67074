"""MNIST and its relatives, from files on disk."""

from __future__ import annotations

import time
from pathlib import Path

import numpy as np
import pytest

from studio.data.catalog import dataset_spec, load_dataset
from studio.data.idx_sets import EmnistBalancedConfig, MnistConfig
from studio.errors import UserError
from tests.data.idx_files import tiny_images, tiny_labels, write_idx_set


def test_that_mnist_on_disk_opens_as_it_is(mnist_root: Path) -> None:
    start = time.perf_counter()
    images = load_dataset(MnistConfig(), mnist_root)
    assert time.perf_counter() - start < 1.0
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
