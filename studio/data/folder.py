"""A person's own images: a folder with one sub-folder per class, or of images without classes."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from studio.data.example_set import some
from studio.data.folder_reading import FolderReading
from studio.data.folder_scan import ALL_IMAGES, FolderListing, scan_folder
from studio.data.image_set import ImageSet, LoadReport, SkippedFile
from studio.data.memory import first_channel, fits_in_memory, room_for
from studio.data.picture import Background, Fit, Square, decoding_bytes
from studio.data.spec import DatasetConfig, DatasetSpec
from studio.errors import UserError
from studio.progress import Progress
from studio.settings import PathText, setting

_REPORT_EVERY_S = 0.05
_TRIES_PER_THUMBNAIL = 3
_SMALL_FILE = 2**15  # bytes; a smaller one takes some 30 MB at most


class FolderConfig(DatasetConfig):
    """Where the images lie and what they become."""

    kind: Literal["folder"] = "folder"
    path: PathText = setting(
        "",
        "Folder",
        "A folder with a sub-folder of images for each class, named after it; or of images alone, without classes. "
        "Images in a sub-folder “unlabelled” beside the classes are of none. Without sub-folders of classes, a file "
        "“labels.csv” may name them, a file and its class in each line.",
        path="folder",
    )
    size: int = setting(
        32,
        "Image size",
        "Every image becomes a square with this edge. A larger one shows more and trains more slowly.",
        unit="px",
        step=8,
        within=(8, 128),
    )
    colour: Literal["auto", "grey", "colour"] = setting(
        "auto", "Colour", "Whether to keep the colours; “auto” keeps them if any image has some. Grey trains faster."
    )
    fit: Fit = setting(
        "crop",
        "Fit",
        "How an image that is no square becomes one: crop its middle, pad it so that all of it shows, or stretch it.",
    )
    background: Background = setting(
        "white", "Background", "What shows through transparent pixels and beside a padded image."
    )

    @property
    def square(self) -> Square:
        """How each image becomes a square; with “auto” in colour first."""
        return Square(size=self.size, grey=self.colour == "grey", fit=self.fit, background=self.background)


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassPreview:
    """A class before it is loaded: how many files, and the first images read of them, shape (T, size, size, 1 or 3)."""

    name: str
    files: int
    thumbnails: NDArray[np.uint8]


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderPreview:
    """A folder as it shows when it is first opened: classes in the order of labels, and what was left out so far.

    `better` are folders that look more like what is wanted; pixels take at most so many bytes, in memory or in a file.
    """

    root: Path
    classes: tuple[ClassPreview, ...]
    report: LoadReport
    better: tuple[Path, ...]
    pixel_bytes: int
    in_memory: bool

    @property
    def files(self) -> int:
        return sum(preview.files for preview in self.classes)


class _NothingReadError(UserError):
    """No image can be read."""


def inspect_folder(config: FolderConfig, progress: Progress | None = None, thumbnails: int = 4) -> FolderPreview:
    """Count a folder's files and show the first few images of each class, without reading the rest.

    Raises UserError if there is no such folder, or no file in it.
    """
    progress = progress or Progress()
    listing = scan_folder(config.path, progress)
    preview = _preview(config, listing, progress, thumbnails)
    if listing.loose_images and not any(len(one.thumbnails) for one in preview.classes):
        preview = _preview(config, scan_folder(config.path, progress, flat=True), progress, thumbnails)
    return preview


def _preview(config: FolderConfig, listing: FolderListing, progress: Progress, thumbnails: int) -> FolderPreview:
    reading = FolderReading(listing.root, config.square)
    previews: list[ClassPreview] = []
    for index, folder in enumerate(listing.classes):
        progress.report(f"Looking at {folder.name}", index / len(listing.classes))
        found = np.empty((thumbnails, config.size, config.size, 1 if config.square.grey else 3), dtype=np.uint8)
        shown = 0
        for path in folder.files[: thumbnails * _TRIES_PER_THUMBNAIL]:
            progress.check()
            if shown == thumbnails:
                break
            shown += reading.read(path, found[shown])
        previews.append(ClassPreview(name=folder.name, files=len(folder.files), thumbnails=found[:shown]))
    notes, size = reading.settle(progress), _pixel_bytes(config, listing)
    return FolderPreview(
        root=listing.root,
        classes=tuple(previews),
        report=LoadReport(
            skipped=(*listing.skipped, *reading.skipped), loose_files=len(listing.loose), notes=(*listing.notes, *notes)
        ),
        better=listing.better.folders if listing.better else (),
        pixel_bytes=size,
        in_memory=fits_in_memory(size),
    )


def load_folder(config: FolderConfig, data_root: Path, progress: Progress) -> ImageSet:
    """All images of a folder; the set's report has what could not be used. Raises UserError if none can be read."""
    listing = scan_folder(config.path, progress)
    try:
        return _load(config, listing, progress)
    except _NothingReadError:
        if not listing.loose_images:
            raise
    return _load(config, scan_folder(config.path, progress, flat=True), progress)


def _load(config: FolderConfig, listing: FolderListing, progress: Progress) -> ImageSet:
    """The images of a listing."""
    reading = FolderReading(listing.root, config.square)
    images, labels, numbers = _read_all(listing, reading, progress)
    count = int((labels < len(listing.classes)).sum())  # those without labels come last
    if not count:
        raise _nothing_read(listing, (*listing.skipped, *reading.skipped))
    notes, listed, present = reading.settle(progress), listing.names, np.unique(labels[:count])
    names = tuple(folder.name for folder in listing.classes)
    if config.colour == "auto" and _is_grey(images):
        images = first_channel(images)
    name, without = listing.root.name or str(listing.root), images[count:]
    return ImageSet(
        name=name,
        images=images[:count],
        labels=np.searchsorted(present, labels[:count]).astype(np.int64),
        class_names=tuple(names[index] for index in present),
        report=LoadReport(
            skipped=(*listing.skipped, *reading.skipped),
            dropped_classes=tuple(name for index, name in enumerate(names) if index not in present),
            loose_files=len(listing.loose),
            notes=(*_moved(names, present), *listing.notes, *notes),
        ),
        files=tuple(listed[number] for number in numbers[:count]),
        listed=listed,
        numbers=numbers[:count],
        unlabelled=ImageSet(
            name=f"{name}, without labels",
            images=without,
            labels=np.zeros(len(without), np.int64),
            class_names=(ALL_IMAGES,),
        )
        if len(without)
        else None,
    )


def _moved(names: Sequence[str], present: NDArray[np.int64]) -> tuple[str, ...]:
    """That classes have other numbers than their places in the folder, where one before them was dropped."""
    moved = [(label, names[index]) for label, index in enumerate(present) if label != index]
    shown = some([f"{name} is {label}" for label, name in moved])
    return (f"Classes are numbered without those: {shown}.",) if moved else ()


def _read_all(
    listing: FolderListing, reading: FolderReading, progress: Progress
) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.int64]]:
    """Images (n, size, size, C), labels (n,) and places in the listing (n,) of what can be read."""
    square = reading.square
    images = room_for((listing.count, square.size, square.size, 1 if square.grey else 3))
    labels = np.empty(listing.count, dtype=np.int64)
    numbers = np.empty(listing.count, dtype=np.int64)
    number, done, told = 0, 0, 0.0
    for label, files in enumerate((*(folder.files for folder in listing.classes), listing.unlabelled)):
        for path in files:
            progress.check()
            if (now := time.monotonic()) - told > _REPORT_EVERY_S:
                progress.report(f"Reading image {number + 1:,} of {listing.count:,}", number / listing.count)
                told = now
            if reading.read(path, images[done]):
                labels[done], numbers[done] = label, number
                done += 1
            number += 1
    return images[:done], labels[:done], numbers[:done]


def _is_grey(images: NDArray[np.uint8]) -> bool:
    """Whether red, green and blue agree everywhere; in pieces, so that it takes no memory to speak of."""
    pieces = (images[start : start + 1024] for start in range(0, len(images), 1024))
    return all(bool((piece == piece[..., :1]).all()) for piece in pieces)


def _nothing_read(listing: FolderListing, skipped: Sequence[SkippedFile]) -> _NothingReadError:
    shown = "; ".join(f"{file.path}: {file.reason}" for file in skipped[:3])
    more = f"; and {len(skipped) - 3:,} more" if len(skipped) > 3 else ""
    return _NothingReadError(
        "The folder has no image that can be read",
        f"{listing.root} ({shown}{more}).",
        listing.better.advice if listing.better else "Images are PNG or JPEG files, say.",
        field="dataset.path",
    )


def _pixel_bytes(config: FolderConfig, listing: FolderListing) -> int:
    """The images, with one channel more while “auto” turns grey ones into one channel."""
    channels = {"auto": 4, "grey": 1, "colour": 3}[config.colour]
    return listing.count * config.size**2 * channels


def _memory_bytes(config: FolderConfig, listing: FolderListing) -> int:
    """The labels and numbers, some twice, the images unless they go to a file, and the largest while it is decoded."""
    pixels = _pixel_bytes(config, listing)
    files = (path for folder in listing.classes for path in folder.files)
    largest = max((decoding_bytes(path) for path in files if _may_be_large(path)), default=0)
    return 4 * 8 * listing.count + (pixels if fits_in_memory(pixels) else 0) + largest


def _may_be_large(path: Path) -> bool:
    """Whether an image may have many pixels; most formats pack at most some thousand times."""
    try:
        return path.stat().st_size > _SMALL_FILE
    except OSError:
        return False


FOLDER = DatasetSpec(
    title="Folder of images",
    summary="Your own images, of any size and format: a folder with a sub-folder per class, a labels.csv, or neither.",
    config=FolderConfig,
    load=load_folder,
    download_bytes=lambda data_root: 0,
    memory_bytes=lambda config, data_root: _memory_bytes(config, scan_folder(config.path, Progress())),
)
