"""MNIST, Fashion-MNIST, KMNIST and EMNIST-balanced: training splits kept as IDX files.

Files on disk are read with NumPy rather than by torchvision's classes: that takes well under a second, reports damage
by file, and spares a person whose data is there already the import of torch (8–13 s on a slow laptop).
Torchvision says where to download from and which checksum to expect, and the folder is laid out as its classes have it,
so that both can use the same files.
"""

from __future__ import annotations

import os
import string
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

import numpy as np

from studio.data.download import Archive, fetch
from studio.data.extract import from_gzip, from_zipped_gzip
from studio.data.idx import read_images, read_labels
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
_SHARES = {"train-images-idx3-ubyte.gz": 0.85, "t10k-images-idx3-ubyte.gz": 0.14}
"""Parts of a download by size, for an even progress; labels are small."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IdxSet:
    """A training split that is a file of images and a file of labels.

    Attributes:
        torchvision: name of torchvision's class, which is also the name of its folder in the data folder.
        prefix: how the two file names begin.
        count: number of images.
        download_bytes: size of what is downloaded if the files are missing.
        transposed: rows and columns are swapped in the file.
    """

    title: str
    torchvision: str
    prefix: str = "train"
    class_names: tuple[str, ...]
    count: int = 60_000
    download_bytes: int
    transposed: bool = False

    def folder(self, data_root: Path) -> Path:
        return data_root / self.torchvision / "raw"

    def images_file(self, data_root: Path) -> Path:
        return self.folder(data_root) / f"{self.prefix}-images-idx3-ubyte"

    def labels_file(self, data_root: Path) -> Path:
        return self.folder(data_root) / f"{self.prefix}-labels-idx1-ubyte"

    def is_present(self, data_root: Path) -> bool:
        """Whether nothing needs to be downloaded; a folder that may not be entered counts as empty."""
        return os.path.isfile(self.images_file(data_root)) and os.path.isfile(self.labels_file(data_root))


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
    """The set, images of shape (N, H, W, 1), downloaded first if need be; raises UserError if it cannot be had."""
    if not which.is_present(data_root):
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


MNIST = _spec(_MNIST, MnistConfig, "60,000 handwritten digits, 28×28 grey.")
FASHION_MNIST = _spec(_FASHION_MNIST, FashionMnistConfig, "60,000 pictures of ten kinds of clothes, 28×28 grey.")
KMNIST = _spec(_KMNIST, KmnistConfig, "60,000 handwritten Japanese characters of ten kinds, 28×28 grey.")
EMNIST_BALANCED = _spec(
    _EMNIST_BALANCED,
    EmnistBalancedConfig,
    "112,800 handwritten digits and letters of 47 kinds, 28×28 grey; a large download, 562 MB with its relatives.",
)


def archives(which: IdxSet) -> tuple[Archive, ...]:
    """What torchvision would download for that set: a file per IDX file, or one ``.zip`` of all of them."""
    from torchvision import datasets

    source = getattr(datasets, which.torchvision)
    if issubclass(source, datasets.EMNIST):
        return (Archive(filename=PurePosixPath(source.url).name, urls=(source.url,), md5=source.md5),)
    return tuple(
        Archive(filename=name, urls=tuple(mirror + name for mirror in source.mirrors), md5=md5)
        for name, md5 in source.resources
    )


def download_idx_set(which: IdxSet, data_root: Path, progress: Progress) -> None:
    """Fetch and unpack whatever of a set is missing.

    Archives that were downloaded are removed once they are unpacked; those a person put there stay. Whatever is
    complete is kept when something else fails. Raises UserError as `fetch`, or if an archive cannot be unpacked.
    """
    progress.report("Loading torchvision, which knows where to download from")
    done = 0.0
    for archive in archives(which):
        share = 1.0 if archive.filename.endswith(".zip") else _SHARES.get(archive.filename, 0.005)
        _fetch_and_unpack(which, archive, data_root, progress.part(done, done + share))
        done += share


def _fetch_and_unpack(which: IdxSet, archive: Archive, data_root: Path, progress: Progress) -> None:
    folder = which.folder(data_root)
    zipped = archive.filename.endswith(".zip")
    if zipped:
        targets = [which.images_file(data_root), which.labels_file(data_root)]
    else:
        targets = [folder / archive.filename.removesuffix(".gz")]
    missing = [target for target in targets if not os.path.isfile(target)]
    if not missing:
        return
    packed = folder / archive.filename
    downloaded = fetch(archive, folder, which.title, progress)
    for target in missing:
        if zipped:
            from_zipped_gzip(packed, f"gzip/{target.name}.gz", target, progress)
        else:
            from_gzip(packed, target, progress)
    if downloaded:
        packed.unlink(missing_ok=True)
