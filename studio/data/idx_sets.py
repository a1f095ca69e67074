"""MNIST, Fashion-MNIST, KMNIST and EMNIST-balanced: training splits kept as IDX files.

Files on disk are read with NumPy rather than by torchvision's classes: that takes well under a second, reports damage
by file, and spares a person whose data is there already the import of torch (8–13 s on a slow laptop).
Torchvision says where to download from and which checksum to expect, and the folder is laid out as its classes have it,
so that both can use the same files.
"""

from __future__ import annotations

import string
from pathlib import Path
from typing import Literal

import numpy as np

from studio.data.idx import read_images, read_labels
from studio.data.idx_set import IdxSet
from studio.data.image_set import ImageSet
from studio.data.spec import DatasetConfig, DatasetSpec
from studio.progress import Progress

_DIGITS = tuple(string.digits)
_CLOTHES = (
    "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
)  # fmt: skip
_KANA = ("o", "ki", "su", "tsu", "na", "ha", "ma", "ya", "re", "wo")
_BALANCED = tuple(string.digits + string.ascii_uppercase + "abdefghnqrt")
"""Digits and letters; where a letter's two cases look alike (c, i, j, …) the capital stands for both."""


class MnistConfig(DatasetConfig):
    """MNIST has nothing to set."""

    kind: Literal["mnist"] = "mnist"


class FashionMnistConfig(DatasetConfig):
    """Fashion-MNIST has nothing to set."""

    kind: Literal["fashion_mnist"] = "fashion_mnist"


class KmnistConfig(DatasetConfig):
    """KMNIST has nothing to set."""

    kind: Literal["kmnist"] = "kmnist"


class EmnistBalancedConfig(DatasetConfig):
    """EMNIST-balanced has nothing to set."""

    kind: Literal["emnist_balanced"] = "emnist_balanced"


_MNIST = IdxSet(title="MNIST", torchvision="MNIST", class_names=_DIGITS, download_bytes=11_594_722)
_FASHION_MNIST = IdxSet(
    title="Fashion-MNIST", torchvision="FashionMNIST", class_names=_CLOTHES, download_bytes=30_878_645
)
_KMNIST = IdxSet(title="KMNIST", torchvision="KMNIST", class_names=_KANA, download_bytes=21_240_888)
_EMNIST_BALANCED = IdxSet(
    title="EMNIST-balanced",
    torchvision="EMNIST",
    prefix="emnist-balanced-train",
    class_names=_BALANCED,
    count=112_800,
    download_bytes=561_753_746,
    transposed=True,
)
IDX_SETS = (_MNIST, _FASHION_MNIST, _KMNIST, _EMNIST_BALANCED)


def load_idx_set(which: IdxSet, data_root: Path, progress: Progress) -> ImageSet:
    """The set, images of shape (N, H, W, 1), downloaded first if a file is missing; raises UserError if it cannot be
    had.
    """
    if not which.is_present(data_root):
        from studio.data.idx_download import download_idx_set

        download_idx_set(which, data_root, progress)
    progress.report(f"Reading {which.title}")
    images = read_images(which.images_file(data_root))
    labels = read_labels(which.labels_file(data_root), len(which.class_names), len(images))
    progress.check()
    if which.transposed:
        images = np.ascontiguousarray(images.transpose(0, 2, 1))
    return ImageSet(name=which.title, images=images[..., np.newaxis], labels=labels, class_names=which.class_names)


def memory_bytes(which: IdxSet, data_root: Path) -> int:
    """The most that loading takes: the pixels (twice if they are transposed) and the labels as int64."""
    try:
        pixels = which.images_file(data_root).stat().st_size
        count = which.labels_file(data_root).stat().st_size
    except OSError:
        pixels, count = which.count * 28 * 28, which.count
    return pixels * (2 if which.transposed else 1) + count * (1 + 8)


def _spec(which: IdxSet, config: type[DatasetConfig], summary: str) -> DatasetSpec:
    return DatasetSpec(
        title=which.title,
        summary=summary,
        config=config,
        load=lambda config, data_root, progress: load_idx_set(which, data_root, progress),
        download_bytes=lambda data_root: 0 if which.is_present(data_root) else which.download_bytes,
        memory_bytes=lambda config, data_root: memory_bytes(which, data_root),
        class_names=which.class_names,
    )


MNIST = _spec(
    _MNIST,
    MnistConfig,
    "60,000 handwritten digits, 28×28 grey.",
)
FASHION_MNIST = _spec(
    _FASHION_MNIST,
    FashionMnistConfig,
    "60,000 pictures of ten kinds of clothes, 28×28 grey.",
)
KMNIST = _spec(
    _KMNIST,
    KmnistConfig,
    "60,000 handwritten Japanese characters of ten kinds, 28×28 grey.",
)
EMNIST_BALANCED = _spec(
    _EMNIST_BALANCED,
    EmnistBalancedConfig,
    "112,800 handwritten digits and letters of 47 kinds, 28×28 grey; a large download, 562 MB with its relatives.",
)
