"""CIFAR-10 and SVHN: training splits, read by torchvision's own classes.

Their files are a pickle and a MATLAB file. Both are checked against torchvision's checksums before anything reads them,
for a pickle from elsewhere could run any code.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

import numpy as np

from studio.data.download import Archive, fetch, verify
from studio.data.extract import from_tar
from studio.data.image_set import ImageSet
from studio.data.spec import DatasetConfig, DatasetSpec
from studio.progress import Progress

_CIFAR_FOLDER = "cifar-10-batches-py"
_CIFAR_FILES = (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch", "batches.meta")
_CIFAR_CLASSES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")
_SVHN_FILE = "train_32x32.mat"
_SVHN_CLASSES = tuple("0123456789")


class Cifar10Config(DatasetConfig):
    """CIFAR-10 has nothing to set."""

    kind: Literal["cifar10"] = "cifar10"


class SvhnConfig(DatasetConfig):
    """SVHN has nothing to set."""

    kind: Literal["svhn"] = "svhn"


def load_cifar10(config: Cifar10Config, data_root: Path, progress: Progress) -> ImageSet:
    """CIFAR-10's training split, images of shape (50000, 32, 32, 3); downloaded first if a file is missing.

    Raises UserError if it cannot be, or a file is damaged; once cancelled, nothing half-written is left.
    """
    progress.report("Loading torchvision")
    from torchvision.datasets import CIFAR10

    folder = data_root / _CIFAR_FOLDER
    missing = [name for name in _CIFAR_FILES if not os.path.isfile(folder / name)]
    if missing:
        archive = Archive(filename=CIFAR10.filename, urls=(CIFAR10.url,), md5=CIFAR10.tgz_md5)
        downloaded = fetch(archive, data_root, "CIFAR-10", progress.part(0, 0.8))
        packed = data_root / archive.filename
        from_tar(packed, [f"{_CIFAR_FOLDER}/{name}" for name in missing], folder, progress.part(0.8, 1))
        if downloaded:
            packed.unlink(missing_ok=True)
    sums = dict(tuple(CIFAR10.train_list) + tuple(CIFAR10.test_list))
    sums[CIFAR10.meta["filename"]] = CIFAR10.meta["md5"]
    for name, md5 in sums.items():
        verify(folder / name, md5, progress)  # torchvision does so, too, but tells neither which file it was nor how
    progress.report("Reading CIFAR-10")
    source = CIFAR10(data_root, train=True, download=False)
    return ImageSet(
        name="CIFAR-10",
        images=np.ascontiguousarray(source.data, dtype=np.uint8),
        labels=np.array(source.targets, dtype=np.int64),
        class_names=_CIFAR_CLASSES,
    )


def load_svhn(config: SvhnConfig, data_root: Path, progress: Progress) -> ImageSet:
    """SVHN's training split, images of shape (73257, 32, 32, 3); downloaded first if the file is missing.

    Raises UserError if it cannot be, or the file is damaged; once cancelled, nothing half-written is left.
    """
    progress.report("Loading torchvision")
    from torchvision.datasets import SVHN

    url, filename, md5 = SVHN.split_list["train"]
    if not os.path.isfile(data_root / filename):
        fetch(Archive(filename=filename, urls=(url,), md5=md5), data_root, "SVHN", progress)
    verify(data_root / filename, md5, progress)
    progress.report("Reading SVHN")
    source = SVHN(data_root, split="train", download=False)
    return ImageSet(
        name="SVHN",
        images=np.ascontiguousarray(source.data.transpose(0, 2, 3, 1)),
        labels=np.asarray(source.labels, dtype=np.int64),
        class_names=_SVHN_CLASSES,
    )


CIFAR10 = DatasetSpec(
    title="CIFAR-10",
    summary="50,000 photographs of ten kinds of animals and vehicles, 32×32 colour.",
    config=Cifar10Config,
    load=load_cifar10,
    download_bytes=lambda data_root: (
        0 if all(os.path.isfile(data_root / _CIFAR_FOLDER / name) for name in _CIFAR_FILES) else 170_498_071
    ),
    # torchvision stacks the batches and the colours are then moved last: two copies at a time
    memory_bytes=lambda config, data_root: 50_000 * (2 * 32 * 32 * 3 + 2 * 8),
    class_names=_CIFAR_CLASSES,
)
SVHN = DatasetSpec(
    title="SVHN",
    summary="73,257 house-number digits photographed in the street, 32×32 colour.",
    config=SvhnConfig,
    load=load_svhn,
    download_bytes=lambda data_root: 0 if os.path.isfile(data_root / _SVHN_FILE) else 182_040_794,
    # the file has the images along its last axis, and moving them first takes a second copy
    memory_bytes=lambda config, data_root: 73_257 * (2 * 32 * 32 * 3 + 2 * 8),
    class_names=_SVHN_CLASSES,
)
